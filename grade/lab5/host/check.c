/* Asks transfer_of_blocks about requests: a line of input is a request and what there is (numbers
 * in hexadecimal), a line of output the answer. */
#include "blkd/request.h"

#include <stdio.h>
#include <string.h>

int main(void)
{
    unsigned long sector, offset, sectors, object, window;
    unsigned count, flags;
    while (scanf("%lx %x %x %lx %lx %lx %lx", &sector, &count, &flags, &offset, &sectors, &object,
                 &window) == 7) {
        struct blk_request request = {
            .sector = sector, .count = count, .flags = flags, .offset = offset};
        struct transfer t;
        memset(&t, 0, sizeof t);
        int result = transfer_of_blocks(&request, sectors, object, window, &t);
        printf("%d %lx %lx %lx %d\n", result, (unsigned long)t.position, (unsigned long)t.length,
               (unsigned long)t.offset, t.window);
    }
    return 0;
}
