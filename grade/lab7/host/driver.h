/* A student's stack on the host, as the labs' programs drive it: what they share. */
#pragma once

#include "netd/stack/ip.h"
#include "netd/stack/socket.h"
#include "netd/stack/stack.h"

#define LINE_MAX  (1 << 18)
#define BYTES_MAX (LINE_MAX / 2)

struct command {
    const char *name;
    void (*run)(void); /* takes its arguments from the line, prints what it has to say */
};

/* drive: reads commands and runs them: those that all labs have, and these (the last has no name).
 * main's result. */
int drive(const struct command *commands);

extern struct stack *stack;
extern uint8_t bytes[BYTES_MAX];

/* The next argument of the line; a missing one ends the program. */
char *word(void);
uint64_t number(void);
struct ip_address address(void);
struct endpoint end(void);   /* ADDRESS PORT */
struct socket **place(void); /* of the socket with this number */
size_t hex(void);            /* into `bytes`; "-" is nothing */

void print_hex(const uint8_t *at, size_t length);
