/* The functions that -fsanitize=thread calls at each access to memory, by width and kind. */
#include "trace.h"

#include <stdint.h>
#include <string.h>

static const char *first, *end;
static trace_seen *tell;

void trace_start(const void *memory, size_t bytes, trace_seen *seen)
{
    first = memory;
    end = first + bytes;
    tell = seen;
}

void trace_stop(void)
{
    tell = NULL;
}

static void touched(const void *address, size_t size, bool write)
{
    const char *at = address;
    if (tell && at < end && at + size > first)
        tell(address, size, write);
}

static void fenced(int order)
{
    if (tell && order != __ATOMIC_RELAXED)
        tell(NULL, 0, false);
}

#define ACCESS(name, size, kind)                                                                   \
    void __tsan_##name##size(void *p);                                                             \
    void __tsan_##name##size(void *p)                                                              \
    {                                                                                              \
        touched(p, size, kind);                                                                    \
    }
#define ACCESSES(name, kind)                                                                       \
    ACCESS(name, 1, kind)                                                                          \
    ACCESS(name, 2, kind)                                                                          \
    ACCESS(name, 4, kind)                                                                          \
    ACCESS(name, 8, kind)                                                                          \
    ACCESS(name, 16, kind)
ACCESSES(read, false)
ACCESSES(write, true)
ACCESSES(unaligned_read, false)
ACCESSES(unaligned_write, true)
ACCESSES(volatile_read, false)
ACCESSES(volatile_write, true)

#define BOTH(name, size)                                                                           \
    void __tsan_##name##size(void *p);                                                             \
    void __tsan_##name##size(void *p)                                                              \
    {                                                                                              \
        touched(p, size, false);                                                                   \
        touched(p, size, true);                                                                    \
    }
BOTH(read_write, 1)
BOTH(read_write, 2)
BOTH(read_write, 4)
BOTH(read_write, 8)
BOTH(read_write, 16)

/* A load that acquires is a read and a fence, a store that releases a fence and a write. */
#define ATOMIC(bits)                                                                               \
    uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t *p, int o);            \
    uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t *p, int o)             \
    {                                                                                              \
        touched((const void *)p, bits / 8, false);                                                 \
        uint##bits##_t value = *p;                                                                 \
        fenced(o);                                                                                 \
        return value;                                                                              \
    }                                                                                              \
    void __tsan_atomic##bits##_store(volatile uint##bits##_t *p, uint##bits##_t v, int o);         \
    void __tsan_atomic##bits##_store(volatile uint##bits##_t *p, uint##bits##_t v, int o)          \
    {                                                                                              \
        fenced(o);                                                                                 \
        touched((const void *)p, bits / 8, true);                                                  \
        *p = v;                                                                                    \
    }
ATOMIC(16)
ATOMIC(32)
ATOMIC(64)

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
    fenced(order);
}
void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_signal_fence(int order)
{
    (void)order;
}

void *__tsan_memset(void *to, int byte, size_t size);
void *__tsan_memset(void *to, int byte, size_t size)
{
    touched(to, size, true);
    return memset(to, byte, size);
}
void *__tsan_memcpy(void *to, const void *from, size_t size);
void *__tsan_memcpy(void *to, const void *from, size_t size)
{
    touched(from, size, false);
    touched(to, size, true);
    return memcpy(to, from, size);
}
void *__tsan_memmove(void *to, const void *from, size_t size);
void *__tsan_memmove(void *to, const void *from, size_t size)
{
    touched(from, size, false);
    touched(to, size, true);
    return memmove(to, from, size);
}

void __tsan_init(void);
void __tsan_init(void) {}
void __tsan_func_entry(void *caller);
void __tsan_func_entry(void *caller)
{
    (void)caller;
}
void __tsan_func_exit(void);
void __tsan_func_exit(void) {}
