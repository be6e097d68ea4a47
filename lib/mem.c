/* SPDX-License-Identifier: GPL-2.0-only */
/* A freestanding compiler may call these functions by itself. */
#include "mem.h"

void *memcpy(void *to, const void *from, size_t n)
{
	size_t words = n / 4, bytes = n % 4;
	void *ret = to;

	__asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
	return ret;
}

void *memset(void *to, int byte, size_t n)
{
	size_t words = n / 4, bytes = n % 4;
	u32 pattern = (u8)byte * 0x01010101u;
	void *ret = to;

	__asm__ volatile("rep stosl" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(pattern) : "memory");
	return ret;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *p = a, *q = b;

	for (; n; n--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}
