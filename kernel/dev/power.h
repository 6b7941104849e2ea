/* Switching the machine off. */
#pragma once

#include <stdint.h>

/* power_init: where QEMU's test device is; without one, SBI is used and the status is lost. */
void power_init(uint64_t test_device);
void power_off(uint32_t status) __attribute__((noreturn)); /* status 0 = fine, <= 0xffff */
void power_reboot(void) __attribute__((noreturn));
