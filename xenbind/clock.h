/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Xen's clock as the vCPU itself reads it (vcpu_time_info in xen/xen.h): the ns
 * since Xen began at some tick of the TSC, and how many each further tick is.
 * Xen corrects all of it whenever it likes, so two readings may be in the wrong
 * order by what it has corrected; monitor/io/time.c makes a clock of them that is
 * never set back.
 *
 * Xen writes the fields between two changes of the version, which is odd in
 * between.  They are those of the CPU on which the vCPU runs, so the TSC is
 * read between two looks at the version, too: a vCPU that goes to another CPU
 * after the first finds another version at the second.
 */
#ifndef VMIXEN_CLOCK_H
#define VMIXEN_CLOCK_H

#include "hypercall.h"

/* ns = (cycles << shift) * mul / 2^32; a negative shift is one to the right. */
struct clock_rate {
	u32 mul;
	s8 shift;
};

static inline u32 clock_begin(void)
{
	u32 version = XEN_VCPU->time.version & ~1u; /* an odd one is not found again */

	__asm__ volatile("" ::: "memory");
	return version;
}

static inline bool clock_again(u32 version)
{
	__asm__ volatile("" ::: "memory");
	return version != XEN_VCPU->time.version;
}

/* cycles << shift must fit.  What is mostly asked of is below a second. */
static inline u64 clock_scale(u64 cycles, u32 mul, s8 shift)
{
	u64 product = (u64)(u32)cycles * mul;

	if (!(cycles >> 32))
		return shift > 0 ? product >> (32 - shift) : (u32)(product >> 32) >> -shift;
	cycles = shift >= 0 ? cycles << shift : cycles >> -shift;
	/* cannot overflow: (2^32-1)^2 + 2^32-1 */
	return (u64)(u32)(cycles >> 32) * mul + ((u64)(u32)cycles * mul >> 32);
}

/* ns since Xen began.  In the shim the TSC, emulated, is now and then behind Xen's
 * last stamp of it: no time has passed then, not nearly 2^64 cycles, or alarms are
 * set for never. */
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

/* The rate at present: mul and shift that belong together. */
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

/* How long so many cycles take at present, in ns; all ones if that does not fit. */
static inline u64 clock_cycles_to_ns(u64 cycles)
{
	struct clock_rate rate = clock_rate();

	if (rate.shift > 0 && cycles >> (64 - rate.shift))
		return ~(u64)0;
	return clock_scale(cycles, rate.mul, rate.shift);
}

#endif
