/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clock's interrupts, on one line, IRQ 8.
 *
 * What is kept true:
 *  - Register C has the flag of everything that came up to `settled`, enabled or
 *    not, since it was last read; the line is active while one of them is
 *    enabled in register B.
 *  - `due` is the first ns at which the line can become active by time alone, and
 *    CMOS_NEVER while nothing is enabled, or the line is active already: it stays
 *    so until register C is read.
 *  - Nothing is counted: when the next one comes follows from the ns clock.  The
 *    chain of dividers ends at the second, so that the periodic interrupt comes
 *    with the second, too, and each update ends where the second changes.
 *
 * The alarm compares with the wall clock as the last access to the registers
 * found it.
 */
#include "cmos_regs.h"
#include "lib/muldiv.h"

#define CRYSTAL_HZ 32768u
#define DAY_S 86400u
#define DONT_CARE 0xC0u /* an alarm byte from here on accepts every time */

/* A time of day that exists is found in fewer steps: all hours, minutes and
 * seconds, twice. */
#define ALARM_STEPS (2 * (24 + 60 + 60))

/* When the tick of the crystal is reached that is a multiple of the period, next
 * after ns.  Rates 1 and 2 are those of 8 and 9; 3 is 8192 Hz, 15 is 2 Hz. */
static u64 next_periodic(const struct cmos *cmos, u64 ns)
{
	u32 rate = cmos->ram[REG_A] & A_RATE, shift, rem;
	u64 tick = muldiv64(ns, CRYSTAL_HZ, NS_PER_S, &rem);

	if (!rate || (cmos->ram[REG_A] & A_DIVIDER_RESET) == A_DIVIDER_RESET)
		return CMOS_NEVER;
	shift = (rate <= 2 ? rate + 7 : rate) - 1;
	ns = muldiv64(((tick >> shift) + 1) << shift, NS_PER_S, CRYSTAL_HZ, &rem);
	return ns + (rem != 0);
}

static u64 next_update(const struct cmos *cmos, u64 ns)
{
	u32 rem;

	if (!cmos_updates(cmos))
		return CMOS_NEVER;
	return (div64(ns, NS_PER_S, &rem) + 1) * NS_PER_S;
}

static bool accepts(const struct cmos *cmos, u8 alarm, u8 shown)
{
	return cmos->ram[alarm] >= DONT_CARE || cmos->ram[alarm] == shown;
}

/* Seconds from t to a time of day that the alarm's bytes accept, t's own among
 * them; DAY_S if there is none. */
static u32 until_alarm(const struct cmos *cmos, const struct calendar *t)
{
	u32 first = t->hour * 3600u + t->minute * 60u + t->second, at = first;

	for (u32 i = 0; i < ALARM_STEPS; i++) {
		if (!accepts(cmos, HOURS_ALARM, cmos_encode_hour(cmos, at / 3600 % 24)))
			at = (at / 3600 + 1) * 3600;
		else if (!accepts(cmos, MINUTES_ALARM, cmos_encode(cmos, at / 60 % 60)))
			at = (at / 60 + 1) * 60;
		else if (!accepts(cmos, SECONDS_ALARM, cmos_encode(cmos, at % 60)))
			at++;
		else
			return at - first;
	}
	return DAY_S;
}

static u64 next_alarm(const struct cmos *cmos, u64 ns)
{
	struct calendar t;
	u64 update = next_update(cmos, ns);
	u32 rem, wait;

	if (update == CMOS_NEVER)
		return CMOS_NEVER;
	cmos_show(cmos, div64(update, NS_PER_S, &rem), &t);
	wait = until_alarm(cmos, &t);
	return wait == DAY_S ? CMOS_NEVER : update + (u64)wait * NS_PER_S;
}

void cmos_settle(struct cmos *cmos, u64 ns)
{
	u64 from = cmos->settled;
	u8 *c = &cmos->ram[REG_C];

	if (ns <= from)
		return;
	cmos->settled = ns;
	if (next_periodic(cmos, from) <= ns)
		*c |= PERIODIC;
	if (next_update(cmos, from) > ns) /* which the alarm is compared in */
		return;
	*c |= UPDATE_ENDED;
	if (next_alarm(cmos, from) <= ns)
		*c |= ALARM;
}

static u64 earlier(u64 a, u64 b)
{
	return a < b ? a : b;
}

void cmos_set_due(struct cmos *cmos)
{
	u8 enabled = cmos->ram[REG_B] & INTERRUPTS;
	u64 due = CMOS_NEVER;

	cmos->irq = cmos->ram[REG_C] & enabled;
	if (!cmos->irq && (enabled & PERIODIC))
		due = next_periodic(cmos, cmos->settled);
	if (!cmos->irq && (enabled & UPDATE_ENDED))
		due = earlier(due, next_update(cmos, cmos->settled));
	if (!cmos->irq && (enabled & ALARM))
		due = earlier(due, next_alarm(cmos, cmos->settled));
	cmos->due = due;
}

void cmos_take_due(struct cmos *cmos, u64 ns)
{
	cmos_settle(cmos, ns);
	cmos_set_due(cmos);
}
