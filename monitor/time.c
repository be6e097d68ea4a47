/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Time.  A cycle is a tick of the TSC, so that counters need no hypercall and
 * the guest's delay loops, which use the TSC itself, agree with them; ns come
 * from Xen's vcpu_time_info (xen/xen.h).
 */
#include "monitor.h"
#include "hypercall.h"
#include "muldiv.h"

u64 time_cycles(void)
{
	return __builtin_ia32_rdtsc();
}

/* In the shim the TSC, emulated, is now and then behind Xen's last stamp of it:
 * no time has passed then, not nearly 2^64 cycles, or alarms are set for never. */
u64 time_ns(void)
{
	volatile struct vcpu_time_info *t = &XEN_VCPU->time;
	u32 version;
	u64 delta, ns;

	do {
		version = t->version & ~1u;
		__asm__ volatile("" ::: "memory");
		delta = time_cycles() - t->tsc_timestamp;
		if ((s64)delta < 0)
			delta = 0;
		delta = t->tsc_shift >= 0 ? delta << t->tsc_shift : delta >> -t->tsc_shift;
		ns = t->system_time + (u64)(u32)(delta >> 32) * t->tsc_to_system_mul +
		     ((u64)(u32)delta * t->tsc_to_system_mul >> 32);
		__asm__ volatile("" ::: "memory");
	} while (version != t->version);
	return ns;
}

/* ns = (tsc << shift) * mul / 2^32. */
u32 time_khz(void)
{
	volatile struct vcpu_time_info *t = &XEN_VCPU->time;
	struct clock_cache *c = &MON->clock;
	u32 rem;

	if (c->mul != t->tsc_to_system_mul) {
		u64 hz;

		c->mul = t->tsc_to_system_mul;
		hz = div64(1000000000ull << 32, c->mul, &rem);
		hz = t->tsc_shift >= 0 ? hz >> t->tsc_shift : hz << -t->tsc_shift;
		c->khz = (u32)div64(hz, 1000, &rem);
		if (!c->hz)
			c->hz = hz;
	}
	return c->khz;
}

u64 time_frequency(void)
{
	time_khz();
	return MON->clock.hz;
}

/* From Xen's runstate area: ns to cycles. */
u64 time_stolen(void)
{
	volatile struct vcpu_runstate_info *r = &MON->runstate;
	u64 ns = r->time[RUNSTATE_runnable] + r->time[RUNSTATE_offline];
	struct clock_cache *c = &MON->clock;
	u32 rem;

	if (ns != c->stolen_ns) {
		c->stolen_ns = ns;
		c->stolen_cycles = muldiv64(ns, time_khz(), 1000000, &rem);
	}
	return c->stolen_cycles;
}

/* Not to go back: what is stolen between two looks at the clock must not be taken
 * off the first. */
u64 time_available(void)
{
	u64 stolen, now;

	do {
		stolen = time_stolen();
		now = time_cycles();
	} while (stolen != time_stolen());
	return now - stolen;
}

u64 time_epoch_ns(void)
{
	volatile struct shared_info *sh = XEN_SHARED;
	u32 version;
	u64 ns;

	do {
		version = sh->wc_version & ~1u;
		__asm__ volatile("" ::: "memory");
		ns = (u64)sh->wc_sec * 1000000000u + sh->wc_nsec;
		__asm__ volatile("" ::: "memory");
	} while (version != sh->wc_version);
	return ns + time_ns();
}

struct pc_time time_pc(void)
{
	struct pc_time t = {.ns = time_ns()};
	u32 rem;

	t.epoch_s = div64(time_epoch_ns(), 1000000000u, &rem);
	return t;
}
