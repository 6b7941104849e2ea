/* What the parts of consoled share: the open ports and how drivers announce them. */
#pragma once

#include "cairn/server.h"
#include "consoled/port/port.h"

#define PORTS_MAX     8 /* port 0 is the terminal */
#define PORT_NAME_MAX 64

/* A port with the driver that moves its bytes. */
struct console_port {
    struct port port; /* first */
    /* Receives, sends, and lets the port work, until nothing moves any more. */
    void (*pump)(struct console_port *port);
    unsigned rows, columns;
    handle_t handles[2];      /* to be given to clients: blocking, non-blocking; 0 = none yet */
    char name[PORT_NAME_MAX]; /* "" = not registered */
};

extern const struct port_backend client_backend;

/* console_terminal: port becomes the terminal console:. console_serial: port number becomes
 * serial:NAME. console_gone: forgets the name. Of the drivers, to main. */
void console_terminal(struct console_port *port);
void console_serial(unsigned number, struct console_port *port, const char *name);
void console_gone(unsigned number);

/* console_fail: the device broke the rules. Ends this process: the next one finds a device that was
 * reset, and goes on with the same handles. */
_Noreturn void console_fail(const char *what);

/* console_size: the terminal has another size. */
void console_size(struct console_port *port, unsigned rows, unsigned columns);

/* console_request: any message to a port. console_port_of: the port that a badge stands for, NULL
 * if there is none (now). */
#define BADGE(number, nonblock) (1 + 2 * (uint64_t)(number) + (nonblock))
#define BADGE_NONBLOCK(badge)   ((badge) != 0 && (badge) % 2 == 0)
struct console_port *console_port_of(uint64_t badge);
int64_t console_file_request(struct request *request);
int64_t console_terminal_request(struct request *request);

/* console_open: a handle on the port for a client, or -errno. */
int64_t console_open(struct console_port *port, bool nonblock);

/* console_foreground: the job that ^C goes to from now on (0 = none); takes the handle over. */
void console_foreground(handle_t job);

/* console_reading: somebody reads: a ^C from before concerns no job that starts later. */
void console_reading(void);
