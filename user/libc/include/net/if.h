/* Names of network interfaces, and their numbers (from 1). */
#pragma once

#define IF_NAMESIZE 16
#define IFNAMSIZ IF_NAMESIZE

unsigned if_nametoindex(const char *name); /* 0: ENODEV */
char *if_indextoname(unsigned index, char name[IF_NAMESIZE]); /* NULL: ENXIO */
