/* SPDX-License-Identifier: GPL-2.0-only */
/* What the ABI and Linux expect of alarms, rule by rule, as in checks_rules_irq.c. */
#include "checks.h"
#include "irq.h"

#define OLD_MS 150u /* no host, however busy, takes so long between two calls */

static void spin_until(u64 end)
{
	while (ops.cycle_counter(COUNTER_REAL) < end)
		;
}

static void check_counter(const char *name, u32 counter)
{
	u32 before, start;

	check_subject(name);
	irq_enable();
	irq_settle();
	before = ticks;
	alarm_in(counter, 2);
	wait_ticks(&ticks, before, 1);
	spin_ms(10);
	check_eq("one-shot fires, once", before + 1, ticks);
	check_eq("one-shot, fired: CancelAlarm finds none", 0, ops.cancel_alarm(counter) & 0xff);

	before = ticks;
	ops.set_alarm(counter | ALARM_PERIODIC, ops.cycle_counter(counter), cycles_ms(5));
	wait_ticks(&ticks, before, 4);
	check_range("periodic fires again and again", 4, 1000, ticks - before);
	check_eq("periodic: CancelAlarm finds it", 1, ops.cancel_alarm(counter) & 0xff);
	before = ticks;
	spin_ms(30);
	check_range("periodic: none after CancelAlarm", 0, 0, ticks - before);

	before = ticks;
	ops.set_alarm(counter | ALARM_PERIODIC, ops.cycle_counter(counter) + cycles_ms(2), 0);
	wait_ticks(&ticks, before, 1);
	spin_ms(DUE_MS);
	check_eq("periodic with a period of 0 is one-shot", before + 1, ticks);

	before = ticks;
	alarm_in(counter, OLD_MS);
	alarm_in(counter, 3);
	wait_ticks(&ticks, before, 1);
	spin_ms(OLD_MS + DUE_MS);
	check_eq("set anew, the old one does not fire", before + 1, ticks);

	before = ticks;
	ops.set_alarm(counter, ops.cycle_counter(counter) - cycles_ms(20), 0);
	wait_ticks(&ticks, before, 1);
	spin_ms(5);
	check_eq("an expiry in the past fires at once, once", before + 1, ticks);

	irq_disable();
	before = ticks;
	start = (u32)div64(ops.cycle_counter(COUNTER_REAL), 1000);
	alarm_in(counter, OLD_MS);
	irq_enable();
	wait_ticks(&ticks, before, 1);
	check("one-shot does not fire before its time",
	      (u32)div64(ops.cycle_counter(COUNTER_REAL), 1000) - start >=
		      (u32)div64(cycles_ms(OLD_MS), 1000));
	irq_disable();
	check_subject(NULL);
}

/* Does a periodic alarm keep to e0 + p * i when it is late?  Interrupts are off for
 * one and a half periods; the alarm of 2 p comes to a Halt behind that time at once,
 * before 5/2 p, where the next would be if it had begun anew with the late one. */
static bool keeps_phase(void)
{
	u64 period = cycles_ms(20), first, now;
	u32 before;

	irq_disable();
	first = ops.cycle_counter(COUNTER_REAL);
	ops.set_alarm(COUNTER_REAL | ALARM_PERIODIC, first, period);
	spin_until(first + period * 3 / 2);
	before = ticks;
	ops.halt(); /* those that were missed, as one */
	irq_disable();
	spin_until(first + period * 2);
	ops.halt();
	irq_disable();
	now = ops.cycle_counter(COUNTER_REAL);
	ops.cancel_alarm(COUNTER_REAL);
	return ticks == before + 2 && now < first + period * 5 / 2;
}

/* An attempt fails if the host takes the CPU away for half a period. */
static void check_phase(void)
{
	bool kept = false;

	for (u32 i = 0; i < 100 && !kept; i++)
		kept = keeps_phase();
	check("periodic: fires at e0 + p * i, also when it is late", kept);
}

/* Times and periods that no sum with the present may make small. */
static void check_far(void)
{
	u32 before = ticks;
	u64 start;

	irq_enable();
	ops.set_alarm(COUNTER_REAL, ~0ull, 0);
	ops.set_alarm(COUNTER_AVAILABLE | ALARM_PERIODIC, ~0ull - 1, ~0ull);
	spin_ms(10);
	check_eq("alarms: one at the end of time does not fire", before, ticks);
	check_eq("alarms: and waits", 1, ops.cancel_alarm(COUNTER_REAL) & 0xff);
	ops.set_alarm(COUNTER_AVAILABLE | ALARM_PERIODIC, 1, ~0ull);
	spin_ms(10);
	check_eq("periodic: an endless period fires once", before + 1, ticks);
	check_eq("periodic: and waits", 1, ops.cancel_alarm(COUNTER_AVAILABLE) & 0xff);
	ops.set_alarm(COUNTER_AVAILABLE | ALARM_PERIODIC, 1, (1ull << 32) + 1);
	spin_ms(10);
	check_range("periodic: long missed ones are one", before + 2, before + 3, ticks);
	ops.cancel_alarm(COUNTER_AVAILABLE);
	before = ticks;
	start = ops.cycle_counter(COUNTER_REAL);
	ops.set_alarm(COUNTER_REAL | ALARM_PERIODIC, start, 1);
	spin_ms(10);
	ops.cancel_alarm(COUNTER_REAL);
	start = ops.cycle_counter(COUNTER_REAL) - start;
	check_range("periodic: a period of one cycle leaves the guest time, ticks in a ms", 0, 100,
		    (ticks - before) / (u32)div64(start, (u32)cycles_ms(1)));
	irq_disable();
}

/* On a busy host they fall together: some attempts. */
static void check_both_counters(void)
{
	u32 before, got = 0;

	irq_enable();
	for (u32 i = 0; i < 5 && got != 2; i++) {
		before = ticks;
		alarm_in(COUNTER_REAL, 3);
		alarm_in(COUNTER_AVAILABLE, 30);
		wait_ticks(&ticks, before, 2);
		got = ticks - before;
	}
	check_eq("alarms: one a counter, both fire", 2, got);
	irq_disable();
}

void rules_alarm(void)
{
	check_counter("alarm on real time", COUNTER_REAL);
	check_counter("alarm on available time", COUNTER_AVAILABLE);
	check_phase();
	check_far();
	check_both_counters();
}
