/* Gives fsd what init would give it. */
#include "serve.h"
#include "abi/kernel_services.h"
#include "proto/process.h"

/* fsd does not free what its cache is made of: it ends behind the unmount. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static int serve_clock(void *context, struct message *m)
{
    (void)context;
    m->words[0] = 0;
    m->words[1] = 1700000000000000000;
    return 0;
}

void serve_prepare(void)
{
    host_give_service();
    host_name("sys:clock", host_channel(serve_clock, NULL));
}

void serve_fsd(void)
{
    static char name[] = "fsd", prefix[] = "fs:temp:", device[] = "ram:1024k";
    char *argv[] = {name, prefix, device, NULL};
    server_main(3, argv);
}
