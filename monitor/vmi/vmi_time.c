/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMI calls on time.  Counter 0 is real time, 1 available time (real less
 * stolen), 2 stolen time: how long the vCPU could have run and did not.  The
 * first two have an alarm each; events.c fires them.
 */
#include "vmi.h"
#include "monitor/io/time.h"
#include "monitor/monitor.h"

#define ALARM_COUNTER 0xFFu
#define ALARM_PERIODIC 0x100u
#define ALARM_LVTT 0x10000u

enum { COUNTER_REAL, COUNTER_AVAILABLE, COUNTER_STOLEN };

u64 regparm3 vmi_GetCycleFrequency(void)
{
	return time_frequency();
}

u64 regparm3 vmi_GetCycleCounter(u32 which)
{
	switch (which) {
	case COUNTER_REAL:
		return time_cycles();
	case COUNTER_AVAILABLE:
		return time_available();
	case COUNTER_STOLEN:
		return time_stolen();
	default:
		return 0;
	}
}

/* The alarm of the counter that flags name; NULL for a counter that has none. */
static struct alarm *alarm_of(u32 flags)
{
	u32 counter = flags & ALARM_COUNTER;

	return counter < ARRAY_SIZE(VCPU->alarm) ? &VCPU->alarm[counter] : NULL;
}

void regparm3 vmi_SetAlarm(u32 flags, u32 expiry_low, u32 expiry_high)
{
	struct alarm *a = alarm_of(flags);

	if (!a)
		return;
	a->expiry = (u64)expiry_high << 32 | expiry_low;
	a->period = (u64)stack_argument(1) << 32 | stack_argument(0);
	a->periodic = (flags & ALARM_PERIODIC) && a->period;
	a->lvtt = flags & ALARM_LVTT;
	a->armed = true;
	alarm_update();
}

u32 regparm3 vmi_CancelAlarm(u32 flags)
{
	struct alarm *a = alarm_of(flags);
	bool was;

	if (!a)
		return 0;
	was = a->armed;
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
	u32 version = XEN_SHARED->wc_version & ~1u; /* an odd one is a change not yet made */
	u32 seen = MON->wc_version_seen;

	MON->wc_version_seen = version;
	return seen != version;
}
