/* Hosts and services by name and by number: the tables first, then netd. */
#pragma once

#include "proto/net.h"
#include <stdbool.h>
#include <stddef.h>

#define HOSTS_FILE "/etc/hosts"
#define SERVICES_FILE "/etc/services"

/* lookup_host: how many addresses, at least one, or EAI_*. lookup_address: 0 or EAI_*.
 * lookup_canonical: what a name of an address of this family is an alias for; the name itself if
 * nobody says so. */
int lookup_host(const char *name, unsigned family,
                struct net_address addresses[NET_ADDRESSES_MAX]);
void lookup_canonical(const char *name, unsigned family, char canonical[NET_NAME_MAX]);
int lookup_address(const struct net_address *address, char *name, size_t size);

/* lookup_configured: an interface has an address of this family that leads beyond its link. */
bool lookup_configured(unsigned family);

/* lookup_service: the port in host order, or EAI_SERVICE. protocol NULL = any; *found: of which.
 * lookup_port: 0 or EAI_NONAME. */
int lookup_service(const char *name, const char *protocol, const char **found);
int lookup_port(unsigned port, const char *protocol, char *name, size_t size);
