# Cairn's build. `make help` lists what you can ask for.
#
# One rule per kind of thing; what belongs to a kind is found by its place in the tree:
#   kernel/*/*.c, *.S            the kernel
#   user/lib*/*.c, user/lib*/*/*.c one static library per folder (test/ and fuzz/ left out)
#   servers/NAME/**/*.c          one server each (test/ and proto/ left out)
#   user/bin/NAME.c, NAME/*.c    one program each
#   user/first/NAME/*.c          a first process of a lab before there is init
#   grade/labN/programs/NAME.c   a lab's test program; grade/labN/user/NAME.c, one with a C library;
#   grade/labN/kernel/*.c, linked into the kernel
#   **/test/tests.mk             host tests and fuzz targets (see "Host tests" below)

BUILD ?= build
CROSS ?= riscv64-unknown-elf-
CC := $(CROSS)gcc
HOSTCC ?= clang
PYTHON := $(shell scripts/find-python 2>/dev/null || echo python3)
QEMU ?= qemu-system-riscv64
GDB ?= gdb-multiarch

SMP ?= 1
MEM ?= 256M
DISK ?= $(if $(wildcard root),$(BUILD)/disk.img)
APPEND ?=
GDBPORT ?=

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n' $(1) $(2)
endif
ifneq ($(CI),)
WERROR := -Werror
endif
# make -s: no progress lines either, so that a pipe sees only the guest
ifneq ($(findstring s,$(firstword -$(MAKEFLAGS))),)
say = @:
endif

.DEFAULT_GOAL := all
.SECONDARY:
.DELETE_ON_ERROR:

ARCH := -march=rv64gc -mabi=lp64d -mcmodel=medany
WARN := -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wshadow -Wvla $(WERROR)
BASE := -std=gnu11 -O2 -g3 -fno-common -ffunction-sections -fdata-sections -MMD -MP $(WARN)

GENERATED := $(BUILD)/include/abi/syscall_numbers.h $(BUILD)/include/cairn/syscall.h

# ---- Kernel ---------------------------------------------------------------------------------

# No F or D: the kernel never touches the floating-point registers behind a thread's back.
KERNEL_ARCH := -march=rv64imac -mabi=lp64 -mcmodel=medany
KERNEL_CFLAGS := $(BASE) -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany -ffreestanding -fno-builtin-printf -fno-omit-frame-pointer \
    -fno-stack-protector -Ikernel -I$(BUILD)/include
KERNEL_SOURCES := $(wildcard kernel/*/*.c kernel/*/*.S)
KERNEL_OBJECTS := $(patsubst %,$(BUILD)/%.o,$(basename $(KERNEL_SOURCES))) \
    $(if $(wildcard kernel/trap),$(BUILD)/kernel/trap/syscall_table.o)
KERNEL_LD := kernel/boot/kernel.ld

# ---- User space -----------------------------------------------------------------------------

USER_LIBS := $(filter $(notdir $(wildcard user/lib*)),libc libcairn libfsclient libhttp libnetclient libvirtio)
USER_INCLUDES := -Iuser/libc/include -Ikernel -Iservers -I$(BUILD)/include \
    $(patsubst %,-Iuser/%/include,$(filter-out libc,$(USER_LIBS)))
# A division by zero does not trap on RISC-V; this check makes it end in an ebreak.
USER_CFLAGS := --specs=picolibc.specs $(BASE) $(ARCH) $(USER_INCLUDES) -D_GNU_SOURCE \
    -fno-stack-protector -fsanitize=integer-divide-by-zero -fsanitize-undefined-trap-on-error
USER_LD := user/libc/user.ld
USER_LDFLAGS := --specs=picolibc.specs $(ARCH) -nostartfiles -T $(USER_LD) -Wl,--gc-sections \
    -Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments
USER_ARCHIVES := $(patsubst %,$(BUILD)/user/%.a,$(USER_LIBS))
CRT0 := $(BUILD)/user/libc/crt0.o

lib_sources = $(filter-out user/libc/crt0.S user/$(1)/test/% user/$(1)/fuzz/%, \
    $(wildcard user/$(1)/*.c user/$(1)/*.S user/$(1)/*/*.c))
SHARED_USER_SOURCES := kernel/lib/elf.c kernel/lib/cpio.c # the kernel's parsers, also used by init
SERVERS := $(filter-out proto,$(notdir $(patsubst %/,%,$(dir $(wildcard servers/*/main.c)))))
server_sources = $(shell find servers/$(1) -name '*.c' -not -path '*/test/*' -not -path '*/fuzz/*')
PROGRAMS := $(sort $(basename $(notdir $(wildcard user/bin/*.c))) \
    $(notdir $(patsubst %/,%,$(dir $(wildcard user/bin/*/main.c)))))
program_sources = $(wildcard user/bin/$(1).c) \
    $(shell test ! -d user/bin/$(1) || find user/bin/$(1) -name '*.c' -not -path '*/test/*' -not -path '*/fuzz/*')
TEST_PROGRAMS := $(basename $(notdir $(wildcard grade/programs/*.c)))

# Programs of the labs' tests for a whole system (BUILD/grade/labN/NAME); a test puts them into an
# archive of its own.
LAB_GUEST := $(wildcard grade/lab*/guest/*.c)

# Programs without a C library: the first processes of labs 2 and 3 (BUILD/first/NAME/init), and
# the test programs of the labs (BUILD/grade/labN/NAME).
FIRST_RUNTIME := $(wildcard user/first/*.S user/first/*.c)
FIRST := $(patsubst user/first/%/,%,$(sort $(dir $(wildcard user/first/*/*.c))))
LAB_PROGRAMS := $(foreach d,$(wildcard grade/lab*/programs),$(patsubst grade/%.c,%,$(wildcard $(d)/*.c)))
FIRST_ELFS := $(FIRST:%=$(BUILD)/first/%/init)
LAB_ELFS := $(patsubst %,$(BUILD)/grade/%,$(subst /programs/,/,$(LAB_PROGRAMS))) \
    $(patsubst grade/%.c,$(BUILD)/grade/%,$(subst /guest/,/,$(LAB_GUEST)))

SERVER_ELFS := $(SERVERS:%=$(BUILD)/boot/%)
PROGRAM_ELFS := $(PROGRAMS:%=$(BUILD)/bin/%)
TEST_ELFS := $(TEST_PROGRAMS:%=$(BUILD)/test/%)

objects = $(patsubst %,$(BUILD)/u/%.o,$(basename $(1)))

# ---- Top level ------------------------------------------------------------------------------

.PHONY: all
all: $(BUILD)/kernel.elf $(BUILD)/kernel-test.elf $(FIRST_ELFS) $(LAB_ELFS) $(BUILD)/boot.cpio $(if $(wildcard root),$(BUILD)/root.img) ## build everything

$(BUILD)/include/abi/syscall_numbers.h $(BUILD)/include/cairn/syscall.h \
$(BUILD)/kernel/trap/syscall_table.c &: kernel/abi/syscalls.tbl scripts/gen-syscalls
	$(call say,GEN,$@)
	@mkdir -p $(BUILD)/include/abi $(BUILD)/include/cairn $(BUILD)/kernel/trap
	$(Q)$(PYTHON) scripts/gen-syscalls $< $(BUILD)

# Every instruction counts here, and no backtrace starts here.
$(BUILD)/kernel/ipc/fastpath.o: KERNEL_CFLAGS += -fomit-frame-pointer

$(BUILD)/kernel/%.o: kernel/%.c $(GENERATED)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_CFLAGS) -c $< -o $@
$(BUILD)/kernel/%.o: kernel/%.S $(GENERATED)
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_CFLAGS) -c $< -o $@
$(BUILD)/kernel/trap/syscall_table.o: $(BUILD)/kernel/trap/syscall_table.c
	$(Q)$(CC) $(KERNEL_CFLAGS) -c $< -o $@

# The kernel that the labs' tests boot: with their functions in it, and without the fast path,
# which would answer for exercises of lab 3.
KERNEL_TEST_SOURCES := $(wildcard grade/kernel/*.c grade/lab*/kernel/*.c)
KERNEL_TEST_OBJECTS := $(filter-out $(BUILD)/kernel/ipc/fastpath.o,$(KERNEL_OBJECTS)) \
    $(patsubst %.c,$(BUILD)/kernel/%.o,$(KERNEL_TEST_SOURCES))
$(BUILD)/kernel/grade/%.o: grade/%.c $(GENERATED)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_CFLAGS) -c $< -o $@

# Linked twice: the first pass gives the addresses for the symbol table that panic prints.
link_kernel = $(CC) $(KERNEL_ARCH) -nostdlib -static -T $(KERNEL_LD) -Wl,--no-warn-rwx-segments
define kernel_rule
$(BUILD)/$(1).elf: $(2) $(KERNEL_LD) scripts/gen-symbols
	$$(call say,LD,$$@)
	$$(Q)$$(PYTHON) scripts/gen-symbols --empty > $(BUILD)/$(1).S
	$$(Q)$$(CC) $$(KERNEL_CFLAGS) -c $(BUILD)/$(1).S -o $(BUILD)/$(1).o
	$$(Q)$$(link_kernel) $(2) $(BUILD)/$(1).o -lgcc -o $(BUILD)/$(1).pass1
	$$(Q)$$(CROSS)nm -n $(BUILD)/$(1).pass1 | $$(PYTHON) scripts/gen-symbols > $(BUILD)/$(1).S
	$$(Q)$$(CC) $$(KERNEL_CFLAGS) -c $(BUILD)/$(1).S -o $(BUILD)/$(1).o
	$$(Q)$$(link_kernel) $(2) $(BUILD)/$(1).o -lgcc -o $$@
endef
$(eval $(call kernel_rule,kernel,$(KERNEL_OBJECTS)))
$(eval $(call kernel_rule,kernel-test,$(KERNEL_TEST_OBJECTS)))

$(BUILD)/u/%.o: %.c $(GENERATED)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(USER_CFLAGS) $(EXTRA_$(subst /,_,$(dir $<))) -c $< -o $@
$(BUILD)/u/%.o: %.S $(GENERATED)
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(USER_CFLAGS) -c $< -o $@
$(CRT0): user/libc/crt0.S $(GENERATED)
	@mkdir -p $(@D)
	$(Q)$(CC) $(USER_CFLAGS) -c $< -o $@

define library_rule
$(BUILD)/user/$(1).a: $(call objects,$(call lib_sources,$(1)) $(2))
	$$(call say,AR,$$@)
	@mkdir -p $$(@D); rm -f $$@
	$$(Q)$(CROSS)ar rcs $$@ $$^
endef
$(foreach l,$(filter-out libcairn,$(USER_LIBS)),$(eval $(call library_rule,$(l),)))
$(eval $(call library_rule,libcairn,$(SHARED_USER_SOURCES)))

define program_rule
$(BUILD)/$(1)/$(2): $(call objects,$(3)) $(CRT0) $(USER_ARCHIVES) $(USER_LD)
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$(CC) $(USER_LDFLAGS) $(CRT0) $(call objects,$(3)) \
	    -Wl,--start-group $(USER_ARCHIVES) -lc -lm -lgcc -Wl,--end-group -o $$@
endef
$(foreach s,$(SERVERS),$(eval $(call program_rule,boot,$(s),$(call server_sources,$(s)))))
$(foreach p,$(PROGRAMS),$(eval $(call program_rule,bin,$(p),$(call program_sources,$(p)))))
$(foreach p,$(TEST_PROGRAMS),$(eval $(call program_rule,test,$(p),grade/programs/$(p).c $(wildcard grade/programs/lib/*.c))))
$(foreach p,$(LAB_GUEST),$(eval $(call program_rule,$(patsubst %/guest/,%,$(dir $(p))),$(basename $(notdir $(p))),$(p))))

# Programs without a C library.
define bare_rule
$(1): $(call objects,$(FIRST_RUNTIME) $(2)) $(USER_ARCHIVES) $(USER_LD)
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$(CC) $(USER_LDFLAGS) $(call objects,$(FIRST_RUNTIME) $(2)) \
	    -Wl,--start-group $(USER_ARCHIVES) -lc -lgcc -Wl,--end-group -o $$@
endef
$(foreach f,$(FIRST),$(eval $(call bare_rule,$(BUILD)/first/$(f)/init,$(wildcard user/first/$(f)/*.c))))
$(foreach p,$(LAB_PROGRAMS),$(eval $(call bare_rule,$(BUILD)/grade/$(subst /programs/,/,$(p)),\
    grade/$(p).c $(wildcard grade/lab*/programs/lib/*.c))))

# The boot archive: init, the servers, their configuration, the shell; in a lab's tree without a
# file system, every program; in one without servers, a first process.
BOOT_PROGRAMS := $(if $(filter fsd,$(SERVERS)),$(filter %/sh,$(PROGRAM_ELFS)),$(PROGRAM_ELFS))
BOOT_FILES := $(if $(SERVERS),,$(lastword $(FIRST_ELFS))) $(SERVER_ELFS) $(BOOT_PROGRAMS) $(wildcard servers/init/services.conf)
$(BUILD)/boot.cpio: $(BOOT_FILES) scripts/make-archive
	$(call say,CPIO,$@)
	$(Q)$(PYTHON) scripts/make-archive --strip $(CROSS)strip -o $@ $(BOOT_FILES)

# The root disk: an ext2 image made from root/ and the programs.
$(BUILD)/root.img: $(PROGRAM_ELFS) $(TEST_ELFS) $(shell find root -type f 2>/dev/null) scripts/make-image
	$(call say,MKE2FS,$@)
	$(Q)$(PYTHON) scripts/make-image --strip $(CROSS)strip -o $@ --root root --bin $(PROGRAM_ELFS) --test $(TEST_ELFS)

# The user's own disk: made once, then kept, so that files survive a reboot and a rebuild; only
# the programs on it are replaced by newer ones.
$(BUILD)/disk.fresh: $(BUILD)/root.img scripts/make-image
	$(Q)if [ -e $(BUILD)/disk.img ]; then \
	    $(PYTHON) scripts/make-image --refresh --strip $(CROSS)strip -o $(BUILD)/disk.img \
	        --bin $(PROGRAM_ELFS) --test $(TEST_ELFS); \
	else cp --sparse=always $(BUILD)/root.img $(BUILD)/disk.img; fi
	$(Q)touch $@
$(BUILD)/disk.img: $(BUILD)/disk.fresh
	$(Q)[ -e $@ ] || cp --sparse=always $(BUILD)/root.img $@

# ---- Running --------------------------------------------------------------------------------

# Whoever only says `make qemu` gets all cores.
JOBS = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 2))

.PHONY: setup qemu qemu-gdb gdb clean help doctor fuzz handouts
setup:
	$(Q)if [ "$$NO_SETUP" != 1 ]; then scripts/setup; fi

RUN = BUILD=$(BUILD) QEMU=$(QEMU) SMP=$(SMP) MEM=$(MEM) DISK='$(DISK)' APPEND='$(APPEND)' GDBPORT=$(GDBPORT) \
    NET='$(NET)' GUESTFWD='$(GUESTFWD)' $(if $(filter undefined,$(origin HOSTFWD)),,HOSTFWD='$(HOSTFWD)') \
    CROSS=$(CROSS) scripts/run-qemu
qemu: setup ## build and boot to the shell (SMP= MEM= DISK= APPEND= HOSTFWD= NET=)
	$(Q)$(MAKE) $(if $(findstring s,$(firstword -$(MAKEFLAGS))),-s,) --no-print-directory $(JOBS) all $(DISK)
	$(Q)$(RUN)
qemu-gdb: setup ## the same, waiting for a debugger (GDBPORT= for TCP)
	$(Q)$(MAKE) --no-print-directory $(JOBS) all $(DISK)
	$(Q)$(RUN) --gdb
gdb: ## attach to a running `make qemu-gdb`
	$(Q)$(GDB) -q -iex 'add-auto-load-safe-path $(CURDIR)' -x .gdbinit $(or $(KERNEL),$(BUILD)/kernel.elf)
doctor: ## report every tool, its version, and whether it will do
	$(Q)scripts/doctor
clean: ## remove everything that was built, the disk included
	$(Q)rm -rf $(BUILD)
handouts: ## build the HTML book into BUILD/book
	$(Q)$(PYTHON) scripts/make-book $(BUILD)
help: ## this list
	@grep -hE '^[a-z_.-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z_.-]+):.*## /  make \1\t/' | expand -t 30
	@echo '  Variables: SMP=1 MEM=256M DISK=FILE APPEND="words" GDBPORT=N V=1 NO_SETUP=1'
	@echo '             HOSTFWD="8080:80 8443:443 2222:22 9000:9000" GUESTFWD=ADDRESS:PORT=COMMAND NET=BACKEND'
compile_commands.json: ## the compilation database, for editors
	$(Q)$(MAKE) -Bnk V=1 all 2>/dev/null | $(PYTHON) scripts/gen-compile-commands > $@

# ---- Host tests -----------------------------------------------------------------------------
# A tests.mk adds names to HOST_TESTS and FUZZERS and sets NAME_SOURCES (and NAME_CFLAGS). Each
# host test is one program built under ASan and UBSan, run without arguments, 0 = passed; it ends
# with a line "N passed, M failed". A fuzzer defines LLVMFuzzerTestOneInput; its corpus (seeds
# and past crashes) is in fuzz/NAME/ beside tests.mk's folder (NAME_CORPUS).

HOST_TESTS :=
FUZZERS :=
-include $(shell find $(wildcard kernel servers user) -name tests.mk)
HOST_CFLAGS := -std=gnu11 -g -O1 -D_GNU_SOURCE $(WARN) -Wno-gnu -fsanitize=address,undefined \
    -fno-sanitize-recover=all -fno-omit-frame-pointer -Ikernel -Iservers \
    $(patsubst %,-Iuser/%/include,$(filter-out libc,$(USER_LIBS)))

define host_test_rule
$(BUILD)/host/$(1): $($(1)_SOURCES) $(shell find kernel/abi $(wildcard servers user) -name '*.h')
	$$(call say,HOSTCC,$$@)
	@mkdir -p $$(@D)
	$$(Q)$(HOSTCC) $(HOST_CFLAGS) $($(1)_CFLAGS) $($(1)_SOURCES) -o $$@
endef
$(foreach t,$(HOST_TESTS),$(eval $(call host_test_rule,$(t))))

define fuzzer_rule
$(BUILD)/fuzz/$(1): $($(1)_SOURCES) $(shell find kernel/abi $(wildcard servers user) -name '*.h')
	$$(call say,FUZZER,$$@)
	@mkdir -p $$(@D)
	$$(Q)clang $(HOST_CFLAGS) -fsanitize=fuzzer $($(1)_CFLAGS) $($(1)_SOURCES) -o $$@
endef
$(foreach t,$(FUZZERS),$(eval $(call fuzzer_rule,$(t))))

.PHONY: host-tests fuzzers
host-tests: $(HOST_TESTS:%=$(BUILD)/host/%)
fuzzers: $(FUZZERS:%=$(BUILD)/fuzz/%)

fuzz: fuzzers ## fuzz one target for a long time: make fuzz TARGET=name [SECONDS=600]
	$(Q)scripts/run-fuzz $(BUILD) $(TARGET) $(or $(SECONDS),600)

# Working on the labs, and making them; a student's tree has the first only.
-include scripts/student.mk scripts/course.mk

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
