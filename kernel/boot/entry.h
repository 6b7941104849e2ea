/* What boot/entry.S and C share. */
#pragma once
#define HARTS_STACK_SIZE 16384 /* bytes per hart */
