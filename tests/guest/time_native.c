/* SPDX-License-Identifier: GPL-2.0-only */
/* VMI's time calls on a bare machine: see time_native.h. */
#include "ops.h"
#include "time_native.h"

#define PIT_CH0 0x40
#define PIT_CH2 0x42
#define PIT_MODE 0x43
#define PIT_GATE 0x61
#define MEASUREMENTS 50u
#define POLL_MAX 10000000u

static u64 frequency;
static u32 alarm_flags;
static bool alarm_pending;

/* One measurement.  Both bounds hold on a busy machine, too, but they are far from
 * each other where the host took the CPU away. */
static struct span measure(u64 (*counter)(u32 which))
{
	u32 polls = 0;
	struct span span;
	u64 start, started, now, last;

	outb((u8)((inb(PIT_GATE) & ~2u) | 1), PIT_GATE);
	outb(0xb0, PIT_MODE);
	outb((u8)PIT_MEASURED, PIT_CH2);
	start = counter(COUNTER_REAL);
	outb((u8)(PIT_MEASURED >> 8), PIT_CH2);
	started = last = now = counter(COUNTER_REAL);
	while (!(inb(PIT_GATE) & 0x20) && polls++ < POLL_MAX) {
		last = now; /* it still ran at a look later than this */
		now = counter(COUNTER_REAL);
	}
	span.most = counter(COUNTER_REAL) - start;
	span.least = last - started;
	return span;
}

struct span pit_measure(u64 (*counter)(u32 which))
{
	struct span best = {0, ~0ull};

	for (u32 i = 0; i < MEASUREMENTS && best.most - best.least > best.most >> 9; i++) {
		struct span now = measure(counter);

		best.least = now.least > best.least ? now.least : best.least;
		best.most = now.most < best.most ? now.most : best.most;
	}
	return best;
}

u32 pit_khz(u64 cycles)
{
	return (u32)div64(cycles * (PIT_HZ / 2), PIT_MEASURED * (1000 / 2));
}

u64 pit_cycle_frequency(void)
{
	if (!frequency)
		frequency = (u64)pit_khz(pit_measure(pit_cycle_counter).most) * 1000;
	return frequency;
}

u64 pit_cycle_counter(u32 which)
{
	return which == COUNTER_STOLEN ? 0 : rdtsc();
}

static void pit_program(u8 mode, u32 count)
{
	outb((u8)(0x30 | mode << 1), PIT_MODE);
	outb((u8)count, PIT_CH0);
	outb((u8)(count >> 8), PIT_CH0);
}

/* TSC ticks to 8254 ticks, kept within 16 bits. */
static u32 pit_ticks(u64 cycles)
{
	u32 khz = (u32)div64(pit_cycle_frequency(), 1000);
	u64 ticks = div64(cycles * (PIT_HZ / 1000), khz);

	return ticks < 2 ? 2 : ticks > 65535 ? 65535 : (u32)ticks;
}

void pit_set_alarm(u32 flags, u64 expiry, u64 period)
{
	u64 now = rdtsc();

	alarm_flags = flags;
	alarm_pending = true;
	if (flags & ALARM_PERIODIC)
		pit_program(2, pit_ticks(period));
	else
		pit_program(0, pit_ticks(expiry > now ? expiry - now : 0));
}

u32 pit_cancel_alarm(u32 flags)
{
	bool was = alarm_pending;

	(void)flags;
	alarm_pending = false;
	outb(0x3a, PIT_MODE); /* mode 5: waits for a gate; QEMU's fires once more */
	return was;
}

bool pit_alarm_fired(void)
{
	bool was = alarm_pending;

	if (!(alarm_flags & ALARM_PERIODIC))
		alarm_pending = false;
	return was;
}

static u32 cmos(u8 reg)
{
	u32 v;

	outb(reg, 0x70);
	v = inb(0x71);
	return (v >> 4) * 10 + (v & 15); /* BCD, as QEMU sets it up */
}

/* Days since 1970-01-01 of a Gregorian date from 2000 on. */
static u32 days(u32 year, u32 month, u32 day)
{
	static const u16 before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	u32 leap = year % 4 == 0 && month > 2;

	return 10957 + (year - 2000) * 365 + (year - 2000 + 3) / 4 + before[(month - 1) % 12] +
	       leap + day - 1;
}

u64 cmos_wallclock(void)
{
	u32 seconds, minutes, hours, date;

	do {
		seconds = cmos(0);
		minutes = cmos(2);
		hours = cmos(4);
		date = days(2000 + cmos(9), cmos(8), cmos(7));
	} while (cmos(0) != seconds);
	return (((u64)date * 24 + hours) * 3600 + minutes * 60 + seconds) * 1000000000u;
}

u32 cmos_wallclock_updated(void)
{
	static bool seen;
	bool first = !seen;

	seen = true;
	return first;
}
