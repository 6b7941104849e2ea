/* IPv6 for the stack as a whole. */
#include "layer.h"
#include "../stack.h"
#include "ipv6.h"
#include <errno.h>
#include <string.h>

int ipv6_layer_create(struct stack *stack)
{
    const uint64_t *secret = stack->config.address_secret;
    struct ipv6_layer *layer = stack->config.allocate(sizeof *layer);
    if (!layer)
        return -ENOMEM;
    memcpy(layer->address_secret, secret, sizeof layer->address_secret);
    if (!secret[0] && !secret[1])
        stack->config.random(layer->address_secret, sizeof layer->address_secret);
    stack->ipv6 = layer;
    return 0;
}

void ipv6_layer_destroy(struct stack *stack) { stack->config.release(stack->ipv6); }
