/* What lab 7 asks of the stack beyond what driver.c knows: sums, headers, names, neighbours. */
#include "driver.h"
#include "netd/stack/checksum.h"
#include "netd/stack/dns/name.h"
#include "netd/stack/link/neighbour.h"
#include "netd/stack/wire/ipv4.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *copy_block;

/* A copy that ends where its memory does, so that the sanitizer sees who reads on; it begins at one
 * place in eight bytes after the other. copy_release frees it. */
static uint8_t *exact(size_t length)
{
    static size_t before;
    before = (before + 1) % 8;
    copy_block = malloc(before + length ? before + length : 1);
    memcpy(copy_block + before, bytes, length);
    return copy_block + before;
}

static void copy_release(void) { free(copy_block); }

static void print_neighbour(void *context, const struct neighbour_facts *facts)
{
    char text[IP_TEXT_MAX];
    (void)context;
    printf("neighbour %s ", ip_format(&facts->address, text));
    print_hex(facts->mac, MAC_SIZE);
    printf("\n");
}

/* neighbours: all that have an entry */
static void do_neighbours(void) { neighbour_list(stack, print_neighbour, NULL); }

/* sum START HEX, sum-odd START HEX */
static void do_sum(bool odd)
{
    const uint16_t start = (uint16_t)number();
    const size_t length = hex();
    uint8_t *data = exact(length);
    printf("sum %u\n",
           odd ? checksum_add_odd(start, data, length) : checksum_add(start, data, length));
    copy_release();
}

/* header HEX */
static void do_header(void)
{
    struct ipv4_header header;
    char from[IP_TEXT_MAX], to[IP_TEXT_MAX];
    const size_t length = hex();
    uint8_t *data = exact(length);
    struct cursor cursor = cursor_over(data, length);
    if (!ipv4_parse(&cursor, &header))
        printf("refused\n");
    else
        printf("header %u %u %u %u %d %d %u %u %u %s %s at %zu\n", header.header_length,
               header.traffic_class, header.total_length, header.identification,
               header.dont_fragment, header.more, header.offset, header.hop_limit, header.protocol,
               ip_format(&header.source, from), ip_format(&header.destination, to),
               (size_t)(cursor.at - data));
    copy_release();
}

/* name OFFSET HEX */
static void do_name(void)
{
    char text[DNS_NAME_MAX];
    const size_t offset = number(), length = hex();
    uint8_t *data = exact(length);
    struct cursor cursor = cursor_over(data, length);
    cursor_take(&cursor, offset);
    if (dns_name_take(&cursor, data, text))
        printf("name %zu %s\n", (size_t)(cursor.at - data), text);
    else
        printf("refused\n");
    copy_release();
}

static void do_sum_even(void) { do_sum(false); }
static void do_sum_odd(void) { do_sum(true); }

int main(void)
{
    static const struct command commands[] = {
        {"sum", do_sum_even}, {"sum-odd", do_sum_odd},       {"header", do_header},
        {"name", do_name},    {"neighbours", do_neighbours}, {NULL, NULL},
    };
    return drive(commands);
}
