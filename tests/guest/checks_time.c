/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters, the periodic tick, Halt, wallclock. */
#include "checks.h"
#include "irq.h"
#include "time_native.h"

#define SECOND_2020 1577836800u
#define SECOND_2100 4102444800u

/* In milliseconds; enough for differences below. */
static u32 to_ms(u64 cycles)
{
	return (u32)div64(cycles, (u32)div64(ops.cycle_frequency(), 1000));
}

/* Another clock than the one that the frequency was made of. */
static void check_against_8254(u32 khz)
{
	struct span span = pit_measure(ops.cycle_counter);

	check_range("GetCycleFrequency: the counter's by the 8254, within 1 %, in kHz",
		    pit_khz(span.least) / 100 * 99, pit_khz(span.most) / 100 * 101, khz);
}

static void check_frequency(void)
{
	u64 hz = ops.cycle_frequency();

	printk("guest: %u kHz\n", (u32)div64(hz, 1000));
	/* (10^6 << 22) / kHz must fit 32 bits */
	check_range("GetCycleFrequency: fits Linux's clocksource, in kHz", 977, 100000000,
		    (u32)div64(hz, 1000));
	check("GetCycleFrequency: constant", ops.cycle_frequency() == hz);
	check_against_8254((u32)div64(hz, 1000));
}

static void check_counters(void)
{
	u64 last = ops.cycle_counter(COUNTER_REAL), start = last, now, avail, stolen, after;
	u32 back = 0;

	for (u32 i = 0; i < 20000; i++) {
		now = ops.cycle_counter(COUNTER_REAL);
		back += now < last;
		last = now;
	}
	check_eq("GetCycleCounter: never runs backwards", 0, back);
	check("GetCycleCounter: advances", last > start);
	now = ops.cycle_counter(COUNTER_REAL);
	avail = ops.cycle_counter(COUNTER_AVAILABLE);
	stolen = ops.cycle_counter(COUNTER_STOLEN);
	after = ops.cycle_counter(COUNTER_REAL);
	check("GetCycleCounter: available + stolen is not below real",
	      avail + stolen + cycles_ms(20) >= now);
	check("GetCycleCounter: available + stolen is not above real",
	      avail + stolen <= after + cycles_ms(20));
}

/* A vCPU that has halted waits for its CPU, however short, so there is something
 * stolen to be counted behind a halt, and available time must know of it at once,
 * not when stolen time is asked for a while later.  A busy host takes more between
 * two of the calls, so not every round tells. */
static void check_stolen(void)
{
	u64 last = ops.cycle_counter(COUNTER_AVAILABLE), was = ops.cycle_counter(COUNTER_STOLEN);
	u32 back = 0, rounds = 0, sums = 0, goes_on = 0;

	for (u32 i = 0; i < 20; i++) {
		u64 start, avail, before, stolen, after;

		ops.set_alarm(COUNTER_REAL, ops.cycle_counter(COUNTER_REAL) + cycles_ms(1), 0);
		ops.halt();
		irq_disable();
		start = ops.cycle_counter(COUNTER_REAL);
		avail = ops.cycle_counter(COUNTER_AVAILABLE);
		before = ops.cycle_counter(COUNTER_REAL);
		spin_ms(1);
		stolen = ops.cycle_counter(COUNTER_STOLEN);
		after = ops.cycle_counter(COUNTER_REAL);
		back += avail < last;
		last = ops.cycle_counter(COUNTER_AVAILABLE);
		back += last < avail;
		if (stolen == was) /* the alarm was due before the halt */
			continue;
		rounds++;
		was = stolen;
		sums += avail + stolen >= start && avail + stolen <= before;
		goes_on += last - avail >= after - before;
	}
	check_eq("GetCycleCounter: available time never runs backwards", 0, back);
	check("GetCycleCounter: available and stolen time are real time", sums || !rounds);
	check("GetCycleCounter: available time goes on when nothing is stolen", goes_on || !rounds);
}

/* Real time against the wallclock's seconds would take seconds; against the
 * TSC it says that both advance. */
static void check_tsc(void)
{
	u64 last = ops.rdtsc(), now;
	u32 back = 0;

	for (u32 i = 0; i < 10000; i++) {
		now = ops.rdtsc();
		back += now < last;
		last = now;
	}
	check_eq("RDTSC: never runs backwards", 0, back);
	now = rdtsc();
	check("RDTSC: the call and the instruction agree in order", now >= last);
}

/* Half a second of 100 Hz, by the guest's own time: where the host takes the CPU
 * away, time passes, and ticks come late and fall together.  So there are at
 * least as many as belong to the time the guest had, and at most as many as
 * to all that passed. */
static void check_busy_ticks(void)
{
	u64 start = ops.cycle_counter(COUNTER_REAL), last = start, own = 0;
	u32 before = ticks, all;

	while (own < cycles_ms(500)) {
		u64 now = ops.cycle_counter(COUNTER_REAL);

		if (now - last < cycles_ms(1))
			own += now - last;
		last = now;
	}
	all = (u32)div64(last - start, (u32)cycles_ms(10));
	check_range("tick: 100 Hz while the guest is busy", 30, all + all / 4 + 2, ticks - before);
}

static void check_busy(void)
{
	u32 before;

	tick_start();
	irq_enable();
	check_busy_ticks();
	irq_disable();
	before = ticks;
	spin_ms(60);
	check_eq("tick: none while interrupts are off", before, ticks);
	irq_enable();
	tick_stop();
	spin_ms(20);
	before = ticks;
	spin_ms(60);
	check_eq("tick: none after CancelAlarm", before, ticks);
	irq_disable();
}

/* ms that 50 ticks take of a guest which sleeps in between; *halts: how often it slept. */
static u32 half_a_second(u32 *halts)
{
	u32 before = ticks;
	u64 start;

	tick_start();
	irq_disable();
	start = ops.cycle_counter(COUNTER_REAL);
	for (*halts = 0; ticks - before < 50 && *halts < 100000; ++*halts) {
		ops.halt();
		irq_disable();
	}
	tick_stop();
	return to_ms(ops.cycle_counter(COUNTER_REAL) - start);
}

/* A machine that is busy with other things makes ticks late, and what is late by a
 * period is one with the next: so the best of some tries counts. */
static void check_halt(void)
{
	u32 halts, ms = ~0u;

	for (u32 tries = 0; tries < 20 && ms > 1000; tries++)
		ms = half_a_second(&halts);
	check_range("Halt: half a second in 50 ticks, in ms", 350, 1000, ms);
	check_range("Halt: sleeps until the tick, times woken", 20, 200, halts);
}

static void check_halt_flag(void)
{
	u32 before = ticks;

	irq_disable();
	ops.set_alarm(COUNTER_REAL, ops.cycle_counter(COUNTER_REAL) + cycles_ms(10), 0);
	ops.halt();
	check_eq("Halt: a one-shot alarm wakes it", before + 1, ticks);
	check_eq("Halt: interrupts are on after it", EFLAGS_IF, irq_flags());
	irq_disable();
}

/* The instruction itself, as native_halt: it traps after Init. */
static void check_hlt(void)
{
	u64 start = ops.cycle_counter(COUNTER_REAL);
	u32 before = ticks;

	/* Periodic: on a busy host the first may come between the look and the HLT. */
	irq_enable();
	ops.set_alarm(ALARM_PERIODIC | COUNTER_REAL, start + cycles_ms(30), cycles_ms(30));
	while (ticks == before && ops.cycle_counter(COUNTER_REAL) - start < cycles_ms(1000))
		asm volatile("hlt");
	irq_disable();
	check_range("hlt: woken by the alarm", before + 1, before + 2, ticks);
	check_range("hlt: sleeps, in ms", 15, 500, to_ms(ops.cycle_counter(COUNTER_REAL) - start));
	ops.cancel_alarm(ALARM_PERIODIC | COUNTER_REAL);
	irq_settle();
}

static void check_wallclock(void)
{
	u64 ns = ops.wallclock(), later;
	u32 seconds = (u32)div64(ns, 1000000000);

	printk("guest: %u seconds since the epoch\n", seconds);
	check_range("GetWallclockTime: plausible", SECOND_2020, SECOND_2100, seconds);
	spin_ms(20);
	later = ops.wallclock();
	check("GetWallclockTime: does not run backwards", later >= ns);
	check_range("GetWallclockTime: advances over 20 ms, in ms",
		    ops.wallclock == cmos_wallclock ? 0 : 15, 1200,
		    (u32)div64(later - ns, 1000000));
	ops.wallclock_updated();
	check_eq("WallclockUpdated: false without a change", 0, ops.wallclock_updated() & 0xff);
}

void checks_time(void)
{
	check_frequency();
	check_counters();
	check_stolen();
	check_tsc();
	check_busy();
	check_halt();
	check_halt_flag();
	check_hlt();
	check_wallclock();
}
