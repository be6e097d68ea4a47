/* SPDX-License-Identifier: GPL-2.0-only */
/* The calls for counters, alarms and the wallclock; see checks_each.h. */
#include "checks_each.h"
#include "irq.h"

static bool t_frequency(void)
{
	call0();
	return out64() == ops.cycle_frequency();
}

static bool t_counter(void)
{
	u64 before = ops.cycle_counter(COUNTER_REAL), real, available;

	call(COUNTER_REAL);
	real = out64();
	call(COUNTER_AVAILABLE);
	available = out64();
	call(COUNTER_STOLEN);
	if (real < before || real > ops.cycle_counter(COUNTER_REAL) ||
	    available + out64() < before || available > ops.cycle_counter(COUNTER_REAL))
		return false;
	call(3); /* no such counter */
	return out64() == 0;
}

static bool t_set_alarm(void)
{
	u64 far = ops.cycle_counter(COUNTER_REAL) + cycles_ms(100000);

	stack_arguments(0, 0);
	call(COUNTER_REAL, (u32)far, (u32)(far >> 32));
	if (ops.cancel_alarm(COUNTER_REAL) != 1)
		return false;
	call(COUNTER_STOLEN, (u32)far, (u32)(far >> 32)); /* has no alarm */
	return ops.cancel_alarm(COUNTER_REAL) == 0 && ops.cancel_alarm(COUNTER_STOLEN) == 0;
}

static bool t_cancel_alarm(void)
{
	u32 first;

	ops.set_alarm(COUNTER_REAL, ops.cycle_counter(COUNTER_REAL) + cycles_ms(100000), 0);
	call(COUNTER_REAL);
	first = out[OUT_EAX];
	call(COUNTER_REAL);
	return (first & 0xff) == 1 && !(out[OUT_EAX] & 0xff);
}

static bool t_wallclock(void)
{
	u64 before = ops.wallclock(), now;

	call0();
	now = out64();
	return now >= before && now <= ops.wallclock();
}

static bool t_wallclock_updated(void)
{
	call0();
	call0();
	return !(out[OUT_EAX] & 0xff);
}

const struct each_test each_time[] = {
	{ROW_GetCycleFrequency, t_frequency, 0},
	{ROW_GetCycleCounter, t_counter, 0},
	{ROW_SetAlarm, t_set_alarm, 0},
	{ROW_CancelAlarm, t_cancel_alarm, 0},
	{ROW_GetWallclockTime, t_wallclock, 0},
	{ROW_WallclockUpdated, t_wallclock_updated, 0},
	{0, NULL, 0},
};
