/* What outlives consoled: for each port what was typed or received and not read, how the terminal is
 * set, and where the driver stands; the calls that were answered last; the foreground job. */
#pragma once

#include "consoled/consoled.h"

/* Places of handles that init keeps: those of the driver, by port, and the foreground job. */
#define PLACES_A_PORT    3
#define PLACE_FOREGROUND (PORTS_MAX * PLACES_A_PORT)

/* keep_start: before anything else. False: no memory. */
bool keep_start(void);

/* keep_received: where the driver of a port stood; all zero if nothing was kept. keep_driver: where
 * it stands now, before there is a port around it. */
struct port_received keep_received(unsigned number);
void keep_driver(unsigned number, const struct port_received *received);

/* keep_adopt: gives a fresh port what was kept. keep_port: keeps a port as it is now; from here on
 * it is so. */
void keep_adopt(unsigned number, struct port *port);
void keep_port(unsigned number, const struct port *port);

/* keep_given: the call with this token is about to be answered with n bytes read, and keeps the port
 * as it is then. keep_written: it has written done bytes and goes on. keep_noted: the number noted
 * for a call that came again, -1 if it has done nothing yet. */
void keep_given(unsigned number, const struct port *port, uint64_t token, size_t n);
void keep_written(uint64_t token, uint64_t done);
int64_t keep_noted(uint64_t token);

/* The foreground job, and a signal typed that it has not got. keep_foreground: job 0 = none. */
void keep_foreground(handle_t job);
handle_t kept_foreground(void);
int *kept_untaken(void);
