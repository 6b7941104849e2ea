/* Calls into the SBI firmware (RISC-V SBI specification 1.0). */
#pragma once

#include <stdint.h>

void sbi_putchar(char c);                 /* legacy extension 0x01 */
void sbi_set_timer(uint64_t time);        /* TIME, chapter 6 */
void sbi_send_ipi(uint64_t hart_mask);    /* IPI, chapter 7; bit n = hart n */
void sbi_remote_sfence_vma(uint64_t hart_mask, uint64_t address, uint64_t size,
                           uint64_t asid); /* RFENCE, chapter 8; size -1 = everything */
int64_t sbi_hart_start(uint64_t hart, uint64_t address, uint64_t argument); /* HSM, chapter 9 */
void sbi_reset(uint32_t type);            /* SRST, chapter 10; 0 = off, 1 = cold reboot */
