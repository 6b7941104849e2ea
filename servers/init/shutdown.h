/* The end of the machine, in good order. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* shutdown_begin: asks all processes but the services to end; shutdown_tick goes on from there. */
void shutdown_begin(bool reboot, uint32_t status);
bool shutdown_running(void);

/* shutdown_tick: takes the next step if it is time. When it wants to be called again, 0 = not. */
uint64_t shutdown_tick(uint64_t now);

/* shutdown_process_ended: one process fewer to wait for. */
void shutdown_process_ended(void);
