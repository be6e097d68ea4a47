/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Xen writes the fields between two changes of the version, which is odd in
 * between.  They are those of the CPU on which the vCPU runs, so the TSC is
 * read between the two looks at the version, too: a vCPU that goes to another
 * CPU after the first finds another version at the second.
 */
#include "clock.h"
#include "hypercall.h"

static u32 begin(const volatile struct vcpu_time_info *t)
{
	u32 version = t->version & ~1u; /* an odd one is not found again */

	__asm__ volatile("" ::: "memory");
	return version;
}

static bool again(const volatile struct vcpu_time_info *t, u32 version)
{
	__asm__ volatile("" ::: "memory");
	return version != t->version;
}

struct clock_rate clock_rate(void)
{
	const volatile struct vcpu_time_info *t = &XEN_VCPU->time;
	struct clock_rate rate;
	u32 version;

	do {
		version = begin(t);
		rate = (struct clock_rate){t->tsc_to_system_mul, t->tsc_shift};
	} while (again(t, version));
	return rate;
}

/* In the shim the TSC, emulated, is now and then behind Xen's last stamp of it:
 * no time has passed then, not nearly 2^64 cycles, or alarms are set for never. */
u64 clock_ns(void)
{
	const volatile struct vcpu_time_info *t = &XEN_VCPU->time;
	struct clock_rate rate;
	u64 cycles, ns;
	u32 version;

	do {
		version = begin(t);
		rate = (struct clock_rate){t->tsc_to_system_mul, t->tsc_shift};
		cycles = __builtin_ia32_rdtsc() - t->tsc_timestamp;
		ns = t->system_time;
	} while (again(t, version));
	return ns + ((s64)cycles < 0 ? 0 : clock_cycles_to_ns(rate, cycles));
}

u64 clock_cycles_to_ns(struct clock_rate rate, u64 cycles)
{
	if (rate.shift > 0 && cycles >> (64 - rate.shift))
		return ~(u64)0;
	cycles = rate.shift >= 0 ? cycles << rate.shift : cycles >> -rate.shift;
	/* cannot overflow: (2^32-1)^2 + 2^32-1 */
	return (cycles >> 32) * rate.mul + ((u64)(u32)cycles * rate.mul >> 32);
}
