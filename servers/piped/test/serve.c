/* Gives piped what init would give it. */
#include "serve.h"

int server_main(void);

void serve_prepare(void)
{
    host_give_service();
}

void serve_piped(void)
{
    server_main();
}
