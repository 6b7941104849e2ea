/* The IPC trace: a bounded ring of events that anyone with the statistics channel can read. */
#include "ipc/channel.h"
#include "dev/timer.h"
#include "lib/string.h"

#define TRACE_ENTRIES 1024

bool trace_on;
static struct ipc_trace ring[TRACE_ENTRIES];
static uint64_t next_entry;

void trace_event(enum ipc_event event, uint32_t from, uint32_t to, const struct channel *channel,
                 uint64_t tag, int64_t result)
{
    ring[next_entry++ % TRACE_ENTRIES] = (struct ipc_trace){.time = time_now(),
                                                            .event = event,
                                                            .from = from,
                                                            .to = to,
                                                            .channel = channel ? channel->id : 0,
                                                            .type = TAG_TYPE(tag),
                                                            .len = TAG_LEN(tag),
                                                            .result = result};
}

void trace_switch(bool on)
{
    if (on)
        next_entry = 0;
    trace_on = on;
}

size_t trace_read(uint64_t *sequence, struct ipc_trace *out, size_t most)
{
    uint64_t oldest = next_entry > TRACE_ENTRIES ? next_entry - TRACE_ENTRIES : 0;
    if (*sequence < oldest)
        *sequence = oldest;
    size_t n = 0;
    while (n < most && *sequence < next_entry)
        out[n++] = ring[(*sequence)++ % TRACE_ENTRIES];
    return n;
}
