/* Starts executables that the host made, and lets each look at its own memory. It is the first and
 * only program beside init: no names, no terminal, not one handle of its own.
 *
 * The host writes the executables into payload below, with a hole for the code that looks (probe);
 * what is where and what must be found there, only the host knows. */
#include "abi/memory.h"
#include "cairn/log.h"
#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include <stdio.h>
#include <string.h>

#define PAYLOAD_MAX 0x40000
#define CODE_SIZE   2048

/* volatile: these are not the bytes that the compiler sees. */
static const volatile uint64_t payload[PAYLOAD_MAX / 8] = {0x6461706e72696163, 0x2164616f6c796170};

/* One executable in the payload, its bytes behind it up to a multiple of 8. */
struct item {
    uint64_t size;
    uint64_t runs;        /* how often it is started */
    uint64_t code_offset; /* in the file: the hole */
    uint64_t table;       /* the address of its struct table */
    uint64_t stack_size;
};

/* What a probe is to do, in its own memory. */
struct table {
    uint64_t nonce, factor;
    uint64_t action, action_address; /* at the end: 0 nothing, 1 write there, 2 jump there */
    uint64_t stack_size;
    uint64_t count;
    struct {
        uint64_t address, length, writable;
    } ranges[];
};

/* ---- In the new process -----------------------------------------------------------------------
 */

#define ALWAYS_INLINE static inline __attribute__((always_inline))

struct line {
    char text[160];
    unsigned len;
};

ALWAYS_INLINE void put(struct line *line, char c)
{
    *(volatile char *)&line->text[line->len++] = c;
}

ALWAYS_INLINE void put_hex(struct line *line, uint64_t value)
{
    put(line, ' ');
    for (int shift = 60; shift >= 0; shift -= 4) {
        unsigned digit = value >> shift & 15;
        put(line, (char)(digit < 10 ? '0' + digit : 'a' + digit - 10));
    }
}

/* "NONCE KIND INDEX VALUE" in hexadecimal. */
ALWAYS_INLINE void tell(const struct table *table, uint64_t kind, uint64_t index, uint64_t value)
{
    struct line line;
    line.len = 0;
    put(&line, 'p');
    put_hex(&line, table->nonce);
    put_hex(&line, kind);
    put_hex(&line, index);
    put_hex(&line, value);
    put(&line, '\n');
    debug_write(line.text, line.len);
}

ALWAYS_INLINE uint64_t sum(const struct table *table, uint64_t address, uint64_t length)
{
    const volatile uint8_t *bytes = (const volatile uint8_t *)address;
    uint64_t value = 0;
    for (uint64_t i = 0; i < length; i++)
        value = value * table->factor + bytes[i] + 1;
    return value;
}

ALWAYS_INLINE uint64_t parse_hex(const char *text)
{
    uint64_t value = 0;
    for (; *(const volatile char *)text; text++)
        value = value << 4 | (unsigned)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
    return value;
}

/* The whole program: it is copied to wherever the host wants it, so it calls nothing and has no
 * constants in memory. argv[0] is the address of its table. */
static _Noreturn __attribute__((noinline, section(".text.probe"), aligned(16))) void
probe(const struct spawn_block *block)
{
    const struct table *table =
        (const struct table *)parse_hex((const char *)block + block->strings[0]);
    uint64_t stack = (uint64_t)block - table->stack_size, used = 2048;
    tell(table, 0, block->pid, (uint64_t)block);
    for (unsigned pass = 1; pass <= 2; pass++) {
        for (uint64_t i = 0; i < table->count; i++)
            tell(table, pass, i, sum(table, table->ranges[i].address, table->ranges[i].length));
        tell(table, pass + 2, 0, sum(table, stack, table->stack_size - used));
        for (uint64_t i = 0; i < table->count && pass == 1; i++) {
            volatile uint8_t *bytes = (volatile uint8_t *)table->ranges[i].address;
            for (uint64_t n = 0; n < table->ranges[i].length && table->ranges[i].writable; n++)
                bytes[n] ^= (uint8_t)(n * 7 + i + 1);
        }
        for (uint64_t n = 0; n < table->stack_size - used && pass == 1; n++)
            *(volatile uint8_t *)(stack + n) = (uint8_t)(n + 5);
    }
    if (table->action == 1)
        *(volatile uint8_t *)table->action_address = 1;
    if (table->action == 2)
        ((void (*)(void))table->action_address)();
    for (;;)
        process_exit(7);
}

/* ---- In the loader ----------------------------------------------------------------------------
 */

static handle_t make_image(const struct item *item, const volatile uint64_t *words)
{
    uint64_t size = (item->size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    handle_t memory = (handle_t)memory_create(size, 0);
    int64_t address = memory_map(0, memory, 0, 0, size, PROT_READ | PROT_WRITE);
    if (memory < 0 || address < 0)
        return -1;
    for (uint64_t i = 0; i < (item->size + 7) / 8; i++)
        ((uint64_t *)address)[i] = words[i];
    memcpy((char *)address + item->code_offset, (const void *)probe, CODE_SIZE);
    memory_unmap(0, (uint64_t)address, size);
    return memory;
}

static void run(unsigned number, const struct item *item, handle_t image)
{
    char table[20];
    const char *argv[] = {table, NULL};
    const struct spawn_options options = {.argv = argv, .stack_size = item->stack_size};
    struct process_status status = {0};

    snprintf(table, sizeof table, "%lx", (unsigned long)item->table);
    int pid = spawn_memory(image, "probe", &options);
    driver_log("spawned %u %d", number, pid);
    if (pid <= 0)
        return;
    process_wait_for(pid, 0, &status);
    driver_log("ended %u %u %ld %lx", number, status.reason, (long)status.value,
               (unsigned long)status.address);
}

int main(void)
{
    const volatile uint64_t *at = payload;
    uint64_t count = *at++;
    for (unsigned i = 0; i < count; i++) {
        struct item item = {at[0], at[1], at[2], at[3], at[4]};
        at += 5;
        handle_t image = make_image(&item, at);
        at += (item.size + 7) / 8;
        for (uint64_t n = 0; n < item.runs; n++)
            run(i, &item, image);
        handle_close(image);
    }
    driver_log("finished %lu", (unsigned long)*at); /* a word that the host chose */
    return 0;
}
