/* Says hello: the smallest program there is. */
#include <stdio.h>

int main(void)
{
    printf("Hello from Cairn.\n");
    return 0;
}
