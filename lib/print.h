/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Formatted text without a C library, for the ROM and the domain entry: %d %u %x %c %s %%,
 * with a width and the flag 0.  A number has 32 bits; %llx takes one of 64.
 */
#ifndef VMIXEN_PRINT_H
#define VMIXEN_PRINT_H

#include "base.h"
#include <stdarg.h>

/* Writes at most size - 1 bytes and a NUL to out; size is at least 1.  Returns the bytes
 * written, the NUL not counted. */
unsigned format_text(char *out, unsigned size, const char *fmt, va_list ap);

#endif
