/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Formatted text without a C library: %d %u %x %c %s %%, with a width and the
 * 0 flag; every number is 32 bits, %llx takes 64.  Used by the ROM and by the
 * domain entry.
 */
#ifndef VMIXEN_PRINT_H
#define VMIXEN_PRINT_H

#include "base.h"
#include <stdarg.h>

/* Writes at most size - 1 bytes and a NUL; returns the bytes written. */
unsigned format_text(char *out, unsigned size, const char *fmt, va_list ap);

#endif
