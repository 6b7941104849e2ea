/* Fuzz target: replies of any content to a client in any state; it must stay one that can be
 * polled, and what it tells must be usable. */
#include "../../test/fake_socket.h"
#include "../../wire/cursor.h"
#include "../message.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void changed(void *context, const struct dhcp_lease *lease)
{
    (void)context;
    if (lease->address.family == IP_NONE)
        return;
    if (lease->prefix == 0 || lease->prefix > 32 || lease->router_count > DHCP_ROUTERS ||
        lease->name_server_count > DHCP_SERVERS || memchr(lease->domain, 0, DHCP_DOMAIN) == NULL ||
        ip_is_any(&lease->address) || ip_is_multicast(&lease->address))
        abort();
}

/* Each step: a byte of time or of size, then a reply whose xid and hardware address are made ours
 * by the first bit. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dhcp_client client;
    struct dhcp_config config = {.changed = changed};
    struct cursor input = cursor_over(data, size);
    struct endpoint from = {ip_v4(192, 0, 2, 1), 67, 1}, to = {ip_v4(255, 255, 255, 255), 68, 1};

    fake_reset();
    if (dhcp_start(&client, &fake_stack, &fake_netif, &config) != 0)
        abort();
    dhcp_poll(&client, fake_stack.now);
    while (cursor_left(&input) >= 4) {
        uint8_t bytes[FAKE_BYTES] = {0}, kind = cursor_u8(&input);
        size_t length = cursor_u16(&input) % FAKE_BYTES;
        if (length > cursor_left(&input))
            length = cursor_left(&input);
        cursor_bytes(&input, bytes, length);
        if ((kind & 1) && length >= 240) {
            memcpy(bytes, (uint8_t[]){2, 1, 6}, 3);
            put_u32(bytes + 4, client.xid);
            memcpy(bytes + 28, fake_netif.mac, 6);
            put_u32(bytes + 236, 0x63825363);
        }
        fake_deliver(from, to, bytes, length);
        fake_stack.now += 1ull << (kind >> 1) % 45;
        for (unsigned i = 0; i < 4; i++)
            dhcp_poll(&client, fake_stack.now);
    }
    dhcp_stop(&client);
    return 0;
}
