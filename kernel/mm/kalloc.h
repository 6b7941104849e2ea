/* Memory for kernel objects: power-of-two size classes, each carved from single pages. */
#pragma once

#include <stddef.h>

#define KALLOC_MAX 2016 /* bytes: half a page less the page's header */

/* kalloc: zeroed memory, or NULL; size <= KALLOC_MAX. kfree: NULL is allowed. */
void *kalloc(size_t size);
void kfree(void *memory);

size_t kalloc_pages(void); /* pages in use by objects */
