/* SPDX-License-Identifier: GPL-2.0-only */
/* The functions that the compiler expects, and 64-bit division. */
#include "guest.h"

void *memset(void *p, int c, size_t n)
{
	void *d = p;

	asm volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
	return p;
}

void *memcpy(void *to, const void *from, size_t n)
{
	void *d = to;

	asm volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(n)::"memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (; n; n--, x++, y++) {
		if (*x != *y)
			return *x - *y;
	}
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (u8)*a - (u8)*b;
}

/* Schoolbook division by 32 bits: libgcc is not linked. */
u64 div64(u64 n, u32 by)
{
	u32 high = (u32)(n >> 32), low = (u32)n, rest;

	rest = high % by;
	high /= by;
	asm("divl %2" : "+a"(low), "+d"(rest) : "r"(by) : "cc");
	return (u64)high << 32 | low;
}
