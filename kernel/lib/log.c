/* The kernel log: formatting, the ring behind dmesg, and the UART. */
#include "lib/log.h"
#include "abi/errno.h"
#include "dev/uart.h"
#include "lib/string.h"
#include <stdbool.h>

#define LOG_SIZE 65536

static char log_ring[LOG_SIZE];
static uint64_t log_end; /* bytes ever written */

void log_write(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        log_ring[log_end++ % LOG_SIZE] = text[i];
        uart_put(text[i]);
    }
}

int64_t log_read(uint64_t offset, char *buffer, size_t size, uint64_t *oldest)
{
    *oldest = log_end > LOG_SIZE ? log_end - LOG_SIZE : 0;
    if (offset < *oldest)
        return -ENODATA;
    size_t n = 0;
    while (n < size && offset + n < log_end) {
        buffer[n] = log_ring[(offset + n) % LOG_SIZE];
        n++;
    }
    return (int64_t)n;
}

/* How one conversion is to look. */
struct field {
    int width;
    bool left, zero;
};

static void put_padded(const char *text, size_t len, struct field field)
{
    int padding = field.width > (int)len ? field.width - (int)len : 0;
    for (int i = 0; !field.left && i < padding; i++)
        log_write(field.zero ? "0" : " ", 1);
    log_write(text, len);
    for (int i = 0; field.left && i < padding; i++)
        log_write(" ", 1);
}

static void put_number(uint64_t value, unsigned base, bool negative, struct field field)
{
    char digits[24];
    size_t at = sizeof(digits);
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    if (negative)
        digits[--at] = '-';
    put_padded(digits + at, sizeof(digits) - at, field);
}

static const char *parse_field(const char *at, struct field *field)
{
    *field = (struct field){0};
    for (;; at++) {
        if (*at == '0')
            field->zero = true;
        else if (*at == '-')
            field->left = true;
        else
            break;
    }
    for (; *at >= '0' && *at <= '9'; at++)
        field->width = field->width * 10 + (*at - '0');
    return at;
}

void kvprintf(const char *format, va_list arguments)
{
    for (const char *at = format; *at; at++) {
        if (*at != '%') {
            log_write(at, 1);
            continue;
        }
        struct field field;
        at = parse_field(at + 1, &field);
        bool wide = false;
        for (; *at == 'l' || *at == 'z'; at++)
            wide = true;
        switch (*at) {
        case 'd': {
            int64_t n = wide ? va_arg(arguments, int64_t) : va_arg(arguments, int);
            put_number(n < 0 ? -(uint64_t)n : (uint64_t)n, 10, n < 0, field);
            break;
        }
        case 'u':
        case 'x':
            put_number(wide ? va_arg(arguments, uint64_t) : va_arg(arguments, unsigned),
                       *at == 'x' ? 16 : 10, false, field);
            break;
        case 'p':
            log_write("0x", 2);
            put_number((uint64_t)va_arg(arguments, void *), 16, false, field);
            break;
        case 'c': {
            char c = (char)va_arg(arguments, int);
            put_padded(&c, 1, field);
            break;
        }
        case 's': {
            const char *s = va_arg(arguments, const char *);
            s = s ? s : "(null)";
            put_padded(s, strlen(s), field);
            break;
        }
        case '%':
            log_write("%", 1);
            break;
        default:
            return; /* a bad format shows as a line that ends early */
        }
    }
}

void kprintf(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    kvprintf(format, arguments);
    va_end(arguments);
}
