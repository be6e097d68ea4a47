/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 64-bit multiplication and division without libgcc: the ROM is 32-bit code
 * that links with nothing, so `u64 / x` (__udivdi3) cannot be written in it.
 * All of it rests on one instruction: 64 bits by 32 with a quotient known to
 * fit 32 bits.  64-bit hosts have it too, so that tests run what the ROM runs.
 */
#ifndef VMIXEN_PC_MULDIV_H
#define VMIXEN_PC_MULDIV_H

#include "base.h"

/* Divides the 64-bit number *rem:lo by d: returns the quotient and leaves the remainder in
 * *rem.  *rem must be less than d, or the instruction faults. */
static inline u32 div_step(u32 lo, u32 d, u32 *rem)
{
	u32 q;

	__asm__("divl %4" : "=a"(q), "=d"(*rem) : "a"(lo), "d"(*rem), "rm"(d) : "cc");
	return q;
}

/* Returns n / d and sets *rem to the remainder; d is not 0. */
static inline u64 div64(u64 n, u32 d, u32 *rem)
{
	u32 hi;

	*rem = 0;
	hi = div_step((u32)(n >> 32), d, rem);
	return (u64)hi << 32 | div_step((u32)n, d, rem);
}

/* Returns n * m / d, rounded down, and sets *rem to the remainder.  The product has 96 bits.
 * A quotient that does not fit 64 bits becomes all ones, with a remainder of 0.  d is not
 * 0. */
static inline u64 muldiv64(u64 n, u32 m, u32 d, u32 *rem)
{
	u64 low = (u64)(u32)n * m;
	u64 high = (n >> 32) * m + (low >> 32); /* cannot overflow: (2^32-1)^2 + 2^32-1 */
	u32 mid;

	*rem = (u32)(high >> 32);
	if (*rem >= d) {
		*rem = 0;
		return ~(u64)0;
	}
	mid = div_step((u32)high, d, rem);
	return (u64)mid << 32 | div_step((u32)low, d, rem);
}

#endif
