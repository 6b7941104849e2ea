/* Gives nsd what init would give it. */
#include "serve.h"
#include "proto/process.h"

int server_main(void);

void serve_prepare(void)
{
    struct host_object *clock = host_channel(NULL, NULL);
    host_give_service();
    host_give(SPAWN_KERNEL, clock, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER, "sys:clock");
    host_release(clock);
}

void serve_nsd(void)
{
    server_main();
}
