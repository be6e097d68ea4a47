/* SPDX-License-Identifier: GPL-2.0-only */
/* memcpy, memset and memcmp as C defines them; on the host, the C library's. */
#ifndef VMIXEN_MEM_H
#define VMIXEN_MEM_H

#include "base.h"

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);

#endif
