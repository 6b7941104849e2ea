/* The files that name hosts and services: /etc/hosts and /etc/services, one entry a line. */
#pragma once

#include "proto/net.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* In hosts: "ADDRESS NAME ALIAS...". hosts_addresses: those of this name and family (0 = either), at
 * most max. hosts_name: the first name of an address. */
unsigned hosts_addresses(FILE *file, const char *name, unsigned family, struct net_address *list,
                         unsigned max);
bool hosts_name(FILE *file, const struct net_address *address, char *name, size_t size);

/* In services: "NAME PORT/PROTOCOL ALIAS...". protocol NULL = any. services_port: the port in host
 * order, 0 = there is none; *found, if not NULL: its protocol ("tcp", "udp"). */
unsigned services_port(FILE *file, const char *name, const char *protocol, const char **found);
bool services_name(FILE *file, unsigned port, const char *protocol, char *name, size_t size);
