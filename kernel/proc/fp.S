/* Saving and restoring the floating-point registers (struct fp_state in proc/thread.h). */
.option arch, +d
.text
.global fp_save
fp_save:
.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fsd f\n, 8*\n(a0)
.endr
    frcsr t0
    sd t0, 256(a0)
    ret

.global fp_restore
fp_restore:
    ld t0, 256(a0)
    fscsr t0
.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fld f\n, 8*\n(a0)
.endr
    ret
