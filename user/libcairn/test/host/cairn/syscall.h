/* The system calls of kernel/abi/syscalls.tbl that servers make, as functions that the host
 * stand-in (host.h) defines. */
#pragma once

#include "abi/errno.h"
#include "abi/handle.h"
#include <stddef.h>
#include <stdint.h>

struct device_info;
struct dma_buffer;
struct handle_info;
struct memory_info;
struct process_quota;
struct process_status;

int64_t debug_write(const char *text, size_t len);
int64_t clock_now(void);
int64_t process_self(void);
_Noreturn void process_exit(int64_t status);

int64_t process_create(const char *name, size_t len, const struct process_quota *quota);
int64_t process_start(handle_t process, uint64_t entry, uint64_t stack, uint64_t argument,
                      uint32_t priority);
int64_t process_kill(handle_t process, int64_t status);
int64_t process_grant(handle_t process, handle_t object, uint32_t rights, uint32_t index);
int64_t process_watch(handle_t process, handle_t channel, uint32_t bit);
int64_t process_status(handle_t process, struct process_status *status);

int64_t handle_close(handle_t handle);
int64_t handle_dup(handle_t handle, uint32_t rights);
int64_t handle_mint(handle_t channel, uint32_t rights, uint64_t badge);
int64_t handle_info(handle_t handle, struct handle_info *info);

int64_t channel_create(uint32_t flags);
int64_t pulse(handle_t channel, uint64_t bits);
int64_t copy_in(uint64_t token, uint32_t window, uint64_t offset, void *buffer, size_t len);
int64_t copy_out(uint64_t token, uint32_t window, uint64_t offset, const void *buffer, size_t len);

int64_t memory_create(uint64_t size, uint32_t flags);
int64_t memory_clone(handle_t memory);
int64_t memory_map(handle_t process, handle_t memory, uint64_t address, uint64_t offset,
                   uint64_t len, uint32_t prot);
int64_t memory_unmap(handle_t process, uint64_t address, uint64_t len);
int64_t memory_info(handle_t memory, struct memory_info *info);

int64_t dma_alloc(handle_t device, uint64_t size, struct dma_buffer *buffer);
int64_t dma_free(handle_t device, handle_t memory);
int64_t virt_to_phys(handle_t device, uint64_t address);
int64_t device_enum(handle_t bus, uint32_t index, struct device_info *info);
