/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMI calls on time.  Counter 0 is real time, 1 available time (real less
 * stolen), 2 stolen time: how long the vCPU could have run and did not.
 * Expiries are taken against real time.  Without a local APIC every alarm is
 * wired to IRQ0.
 */
#include "monitor.h"
#include "hypercall.h"
#include "muldiv.h"
#include "vmi.h"

#define ALARM_COUNTER 0xFFu
#define ALARM_PERIODIC 0x100u

enum { COUNTER_REAL, COUNTER_AVAILABLE, COUNTER_STOLEN };

u64 regparm3 vmi_GetCycleFrequency(void)
{
	return time_frequency();
}

/* From Xen's runstate area: ns to cycles. */
static u64 stolen_cycles(void)
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

u64 regparm3 vmi_GetCycleCounter(u32 which)
{
	switch (which) {
	case COUNTER_AVAILABLE:
		return time_cycles() - stolen_cycles();
	case COUNTER_STOLEN:
		return stolen_cycles();
	default:
		return time_cycles();
	}
}

void regparm3 vmi_SetAlarm(u32 flags, u32 expiry_low, u32 expiry_high)
{
	struct alarm *a = &MON->alarm[(flags & ALARM_COUNTER) == COUNTER_AVAILABLE];

	a->expiry = (u64)expiry_high << 32 | expiry_low;
	a->period = (u64)stack_argument(1) << 32 | stack_argument(0);
	if ((flags & ALARM_COUNTER) == COUNTER_AVAILABLE)
		a->expiry += stolen_cycles();
	a->periodic = (flags & ALARM_PERIODIC) && a->period;
	a->armed = true;
	alarm_update();
}

u32 regparm3 vmi_CancelAlarm(u32 flags)
{
	struct alarm *a = &MON->alarm[(flags & ALARM_COUNTER) == COUNTER_AVAILABLE];
	bool was = a->armed;

	a->armed = false;
	alarm_update();
	return was;
}

u64 regparm3 vmi_GetWallclockTime(void)
{
	return time_epoch_ns();
}

u32 regparm3 vmi_WallclockUpdated(void)
{
	u32 version = XEN_SHARED->wc_version, seen = MON->wc_version_seen;

	MON->wc_version_seen = version;
	return seen != version;
}
