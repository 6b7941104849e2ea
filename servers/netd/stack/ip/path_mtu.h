/* Path MTU discovery for both families (RFC 1191, RFC 8201): what "too big" errors have taught
 * about the paths to single destinations. Entries expire, so that a path that has got wider is
 * found out. Bounded: PATH_MTU_WAYS entries share a place, and the one that expires first gives
 * way. */
#pragma once

#include "../address.h"

struct stack;

#define PATH_MTU_SETS 64u
#define PATH_MTU_WAYS 4u
#define PATH_MTU_TIME 600000000000ull /* ns: RFC 8201 5.3, RFC 1191 6.3 */

int path_mtu_create(struct stack *stack); /* ENOMEM */
void path_mtu_destroy(struct stack *stack);

/* path_mtu: the link's MTU, or less. path_mtu_lower: a router could not send more than mtu on to
 * this destination; what is not less than the path's MTU so far is ignored (RFC 8201 4). The
 * caller refuses values below the family's minimum. */
uint16_t path_mtu(struct stack *stack, const struct ip_address *destination, uint16_t link_mtu);
void path_mtu_lower(struct stack *stack, const struct ip_address *destination, uint16_t mtu);
