/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Xen's clock as the vCPU itself reads it (vcpu_time_info in xen/xen.h).  The fields say
 * how many ns had passed since Xen began when the TSC had a certain value, and how many ns
 * a tick is.  Xen corrects them at any time, so a reading may be a little less than the
 * one before; monitor/io/time.c makes a clock of them that is never set back.
 *
 * Xen changes the version before and after it writes the fields; it is odd in between.
 * The fields are those of the CPU on which the vCPU runs, so the TSC, too, is read between
 * two looks at the version: a vCPU that has gone to another CPU in between finds another
 * version at the second look.
 */
#ifndef VMIXEN_CLOCK_H
#define VMIXEN_CLOCK_H

#include "hypercall.h"

/* ns = (cycles << shift) * mul / 2^32; a negative shift is one to the right. */
struct clock_rate {
	u32 mul;
	s8 shift;
};

/* Begins a reading of the fields; the result is for clock_again(). */
static inline u32 clock_begin(void)
{
	u32 version = XEN_VCPU->time.version &
		      ~1u; /* an odd version never equals this, so it is read again */

	__asm__ volatile("" ::: "memory");
	return version;
}

/* Must the reading be made again, because Xen has written the fields meanwhile? */
static inline bool clock_again(u32 version)
{
	__asm__ volatile("" ::: "memory");
	return version != XEN_VCPU->time.version;
}

/* Converts cycles to ns, by the formula of struct clock_rate; cycles << shift must fit 64
 * bits.  The short way is for less than 2^32 cycles, which is the usual case. */
static inline u64 clock_scale(u64 cycles, u32 mul, s8 shift)
{
	u64 product = (u64)(u32)cycles * mul;

	if (!(cycles >> 32))
		return shift > 0 ? product >> (32 - shift) : (u32)(product >> 32) >> -shift;
	cycles = shift >= 0 ? cycles << shift : cycles >> -shift;
	/* cannot overflow: (2^32-1)^2 + 2^32-1 */
	return (u64)(u32)(cycles >> 32) * mul + ((u64)(u32)cycles * mul >> 32);
}

/* ns since Xen began.  In the shim the TSC is emulated and now and then behind tsc_timestamp.
 * Then no time has passed since the stamp; taken for nearly 2^64 cycles, the difference
 * would set alarms that never come. */
static inline u64 clock_ns(void)
{
	volatile struct vcpu_time_info *t = &XEN_VCPU->time;
	u64 cycles, ns;
	u32 version;

	do {
		version = clock_begin();
		cycles = __builtin_ia32_rdtsc() - t->tsc_timestamp;
		if ((s64)cycles < 0)
			cycles = 0;
		ns = clock_scale(cycles, t->tsc_to_system_mul, t->tsc_shift);
		ns += t->system_time;
	} while (clock_again(version));
	return ns;
}

/* The present rate: mul and shift from one reading. */
static inline struct clock_rate clock_rate(void)
{
	struct clock_rate rate;
	u32 version;

	do {
		version = clock_begin();
		rate.mul = XEN_VCPU->time.tsc_to_system_mul;
		rate.shift = XEN_VCPU->time.tsc_shift;
	} while (clock_again(version));
	return rate;
}

/* How long so many cycles take at the present rate, in ns; all ones if that does not fit 64
 * bits. */
static inline u64 clock_cycles_to_ns(u64 cycles)
{
	struct clock_rate rate = clock_rate();

	if (rate.shift > 0 && cycles >> (64 - rate.shift))
		return ~(u64)0;
	return clock_scale(cycles, rate.mul, rate.shift);
}

#endif
