/* Reading and writing TCP headers. Nothing here knows a connection. */
#include "segment.h"
#include "../wire/cursor.h"

size_t segment_header_size(const uint8_t header[TCP_HEADER])
{
    const size_t size = (header[12] >> 4) * 4u;
    return size < TCP_HEADER ? 0 : size;
}

/* exercise 8.1 */
static void parse_sack(struct tcp_options *options, struct cursor *value)
{
    while (cursor_left(value) >= 8 && options->sack_count < TCP_SACK_BLOCKS) {
        struct sack_block *block = &options->sack[options->sack_count];
        block->left = cursor_u32(value);
        block->right = cursor_u32(value);
        if (seq_lt(block->left, block->right))
            options->sack_count++;
    }
}

/* parse_option: an option of a known kind with the wrong length is passed over. */
static void parse_option(struct tcp_options *options, uint8_t kind, struct cursor *value)
{
    const size_t length = cursor_left(value);
    if (kind == TCP_OPTION_MSS && length == 2) {
        options->mss = cursor_u16(value);
    } else if (kind == TCP_OPTION_WINDOW_SCALE && length == 1) {
        const uint8_t shift = cursor_u8(value);
        options->window_scaling = true;
        options->window_scale = shift > TCP_WINDOW_SCALE_MAX ? TCP_WINDOW_SCALE_MAX : shift;
    } else if (kind == TCP_OPTION_SACK_PERMITTED && length == 0) {
        options->sack_permitted = true;
    } else if (kind == TCP_OPTION_SACK && length % 8 == 0) {
        parse_sack(options, value);
    } else if (kind == TCP_OPTION_TIMESTAMPS && length == 8) {
        options->timestamps = true;
        options->ts_value = cursor_u32(value);
        options->ts_echo = cursor_u32(value);
    }
}

static void parse_options(struct tcp_options *options, struct cursor cursor)
{
    while (cursor_left(&cursor) > 0) {
        const uint8_t kind = cursor_u8(&cursor);
        if (kind == TCP_OPTION_END)
            return;
        if (kind == TCP_OPTION_NOP)
            continue;
        const uint8_t length = cursor_u8(&cursor);
        if (length < 2)
            return;
        struct cursor value = cursor_sub(&cursor, length - 2u);
        if (!cursor_ok(&value))
            return;
        parse_option(options, kind, &value);
    }
}
/* end 8.1 */

void segment_parse(struct segment *segment, const uint8_t *header, size_t size, uint32_t length)
{
    struct cursor cursor = cursor_over(header, size);
    *segment = (struct segment){.header = (uint8_t)size, .length = length};
    segment->source = cursor_u16(&cursor);
    segment->destination = cursor_u16(&cursor);
    segment->seq = cursor_u32(&cursor);
    segment->ack = cursor_u32(&cursor);
    cursor_u8(&cursor); /* data offset: the caller's */
    segment->flags = cursor_u8(&cursor) & 0x3f;
    segment->window = cursor_u16(&cursor);
    cursor_u16(&cursor); /* checksum: the caller's */
    segment->urgent = cursor_u16(&cursor);
    parse_options(&segment->options, cursor);
}

static uint8_t *emit_timestamps(uint8_t *at, const struct tcp_options *options)
{
    at = put_u8(put_u8(at, TCP_OPTION_NOP), TCP_OPTION_NOP);
    at = put_u8(put_u8(at, TCP_OPTION_TIMESTAMPS), 10);
    return put_u32(put_u32(at, options->ts_value), options->ts_echo);
}

static uint8_t *emit_sack(uint8_t *at, const struct tcp_options *options, size_t room)
{
    unsigned count = options->sack_count;
    if (count > (room - 4) / 8)
        count = (unsigned)((room - 4) / 8);
    at = put_u8(put_u8(at, TCP_OPTION_NOP), TCP_OPTION_NOP);
    at = put_u8(put_u8(at, TCP_OPTION_SACK), (uint8_t)(2 + 8 * count));
    for (unsigned i = 0; i < count; i++)
        at = put_u32(put_u32(at, options->sack[i].left), options->sack[i].right);
    return at;
}

size_t options_emit(uint8_t *to, const struct tcp_options *options)
{
    uint8_t *at = to;
    if (options->mss)
        at = put_u16(put_u8(put_u8(at, TCP_OPTION_MSS), 4), options->mss);
    if (options->sack_permitted) {
        at = put_u8(put_u8(at, TCP_OPTION_NOP), TCP_OPTION_NOP);
        at = put_u8(put_u8(at, TCP_OPTION_SACK_PERMITTED), 2);
    }
    if (options->window_scaling) {
        at = put_u8(put_u8(at, TCP_OPTION_NOP), TCP_OPTION_WINDOW_SCALE);
        at = put_u8(put_u8(at, 3), options->window_scale);
    }
    if (options->timestamps)
        at = emit_timestamps(at, options);
    if (options->sack_count)
        at = emit_sack(at, options, TCP_OPTIONS_MAX - (size_t)(at - to));
    return (size_t)(at - to);
}
