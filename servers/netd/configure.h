/* How interfaces get their addresses, routes and name servers. */
#pragma once

#include "netd/netd.h"

struct dns_resolver;

/* configure_start: lets every Ethernet ask by DHCP; the first has the addresses of QEMU's user
 * network to fall back on. */
void configure_start(void);
void configure_poll(void);
uint64_t configure_deadline(void); /* 0 = none */
/* configure_pending: no interface has an address by DHCP yet, but soon one may. */
bool configure_pending(void);
/* configure_renew: DHCP from the beginning; -ENODEV: there is none on this interface. */
int configure_renew(struct virtio_net *net);
void configure_link_changed(struct virtio_net *net);

struct dns_resolver *configure_resolver(void);

/* configure_dhcp: the client of interface eth<number>; NULL: it has none. */
struct dhcp_client;
const struct dhcp_client *configure_dhcp(unsigned number);
