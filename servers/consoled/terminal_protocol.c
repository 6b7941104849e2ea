/* The terminal protocol (proto/console.h): what it asks for becomes ANSI sequences (ECMA-48), in
 * order with everything else that is written. */
#include "abi/errno.h"
#include "consoled/consoled.h"
#include "proto/console.h"
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define SEQUENCE_MAX 64
#define MODES        (CON_MODE_CANONICAL | CON_MODE_ECHO | CON_MODE_SIGNAL | CON_MODE_CRNL)

static int64_t send(struct request *request, struct console_port *port, const char *sequence)
{
    return port_write(&port->port, request->token, strlen(sequence), 0, sequence, 0, false);
}

static int64_t write_text(struct request *request, struct console_port *port)
{
    const struct console_write *w = (const struct console_write *)request->message->data;
    const size_t fixed = offsetof(struct console_write, text);
    if (request->message->len < fixed || w->length > sizeof w->text ||
        request->message->len < fixed + w->length)
        return -EINVAL;
    return port_write(&port->port, request->token, w->length, 0, w->text, w->length, false);
}

static int64_t set_cursor(struct request *request, struct console_port *port)
{
    char sequence[SEQUENCE_MAX];
    uint64_t row = request->message->words[0], column = request->message->words[1];
    if (row >= port->rows || column >= port->columns)
        return -EINVAL;
    snprintf(sequence, sizeof sequence, "\033[%u;%uH", (unsigned)row + 1, (unsigned)column + 1);
    return send(request, port, sequence);
}

static int64_t set_colors(struct request *request, struct console_port *port)
{
    char sequence[SEQUENCE_MAX];
    unsigned front = (unsigned)request->message->words[0];
    unsigned back = (unsigned)request->message->words[1];
    snprintf(sequence, sizeof sequence, "\033[38;2;%u;%u;%um\033[48;2;%u;%u;%um",
             front >> 16 & 0xff, front >> 8 & 0xff, front & 0xff, back >> 16 & 0xff,
             back >> 8 & 0xff, back & 0xff);
    return send(request, port, sequence);
}

static int64_t pair_reply(struct request *request, unsigned first, unsigned second)
{
    request->reply->words[1] = first;
    request->reply->words[2] = second;
    request->reply->len = 3 * sizeof(uint64_t);
    return 0;
}

static int64_t set_mode(struct request *request, struct console_port *port)
{
    uint64_t mode = request->message->words[0];
    int64_t old = port->port.line->mode;
    if (mode & ~(uint64_t)MODES)
        return -EINVAL;
    line_set_mode(port->port.line, (unsigned)mode);
    return old;
}

static int64_t set_foreground(struct request *request)
{
    struct message *m = request->message;
    if (m->handle_count > 1 || (m->handle_count == 1 && m->handles[0] < 0))
        return -EINVAL; /* a negative one did not fit into our table */
    console_foreground(m->handle_count ? m->handles[0] : 0);
    m->handle_count = 0; /* it is ours now */
    return 0;
}

static int64_t operate(struct request *request, struct console_port *port)
{
    switch (request->message->type) {
    case CON_WRITE:
        return write_text(request, port);
    case CON_CLEAR:
        return send(request, port, "\033[2J\033[H");
    case CON_SET_CURSOR:
        return set_cursor(request, port);
    case CON_GET_CURSOR: {
        const struct cursor *cursor = &port->port.cursor;
        unsigned column = cursor->column < cursor->columns ? cursor->column : cursor->columns - 1;
        return pair_reply(request, cursor->row, column);
    }
    case CON_SET_COLORS:
        return set_colors(request, port);
    case CON_GET_SIZE:
        return pair_reply(request, port->rows, port->columns);
    case CON_SHOW_CURSOR:
        return send(request, port, "\033[?25h");
    case CON_HIDE_CURSOR:
        return send(request, port, "\033[?25l");
    case CON_SET_MODE:
        return set_mode(request, port);
    case CON_GET_MODE:
        return port->port.line->mode;
    case CON_SET_FOREGROUND:
        return set_foreground(request);
    }
    return -ENOSYS;
}

int64_t console_terminal_request(struct request *request)
{
    struct console_port *port = console_port_of(request->message->badge);
    if (!port)
        return -ENXIO;
    if (!port->port.line)
        return -ENOTTY;
    int64_t result = operate(request, port);
    port->pump(port);
    return result;
}
