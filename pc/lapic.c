/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The local APIC (Intel SDM vol. 3A, chapter 10), as far as a single processor
 * needs it: the registers, interrupts by LVTT, by the pin LINT0, and to itself by
 * the ICR.  The timer does not count: who has a clock calls lapic_timer().
 *
 * Kept true:
 *  - A vector is in irr from its request to lapic_ack(), in isr from there to the
 *    EOI; while the APIC is disabled by SVR every LVT entry is masked and nothing
 *    is requested.
 *  - The 8259 reaches the processor through LINT0 alone: not while LVT0 is masked,
 *    hence not after a reset and not while the APIC is disabled by SVR, until
 *    somebody has enabled it and unmasked LVT0 again.  In ExtINT mode the processor
 *    acknowledges the 8259; in fixed mode each rise of its INT is an interrupt of
 *    LVT0's vector, and the 8259 goes on waiting for its acknowledge.
 *
 * Not there: what would make LINT0 an NMI, SMI or INIT, its level-triggered mode,
 * sources for LINT1 and the other local vectors, and a base address register that
 * disables the APIC and joins the 8259 to the processor: the guest finds the APIC
 * enabled, and after Init Xen answers that register alone.
 */
#include "lapic.h"

#define VERSION 0x00050014u /* six LVT entries; integrated */
#define SVR_ENABLED 0x100u
#define LVT_MODE 0x700u
#define LVT_FIXED 0x000u
#define LVT_EXTINT 0x700u
#define LVT_NMI 0x400u

enum { DELIVER_FIXED = 0, DELIVER_LOWEST = 1 };
enum { TO_DESTINATION, TO_SELF, TO_ALL };

#define REG(l, offset) ((l)->reg[(offset) >> 4])

/* The bits of each register that a write changes. */
static const struct {
	u16 offset;
	u32 writable;
} registers[] = {
	{LAPIC_ID, 0xFF000000},	      {LAPIC_TPR, 0xFF},     {LAPIC_LDR, 0xFF000000},
	{LAPIC_DFR, 0xF0000000},      {LAPIC_SVR, 0x3FF},    {LAPIC_ICR, 0xCCFFF},
	{LAPIC_ICR_HIGH, 0xFF000000}, {LAPIC_LVTT, 0x300FF}, {LAPIC_LVT_PERF, 0x107FF},
	{LAPIC_LVT0, 0x1A7FF},	      {LAPIC_LVT1, 0x1A7FF}, {LAPIC_LVT_ERROR, 0x100FF},
	{LAPIC_TMICT, 0xFFFFFFFF},    {LAPIC_TDCR, 0xB},
};

static bool enabled(const struct lapic *l)
{
	return REG(l, LAPIC_SVR) & SVR_ENABLED;
}

static void mask_lvt(struct lapic *l)
{
	for (u32 at = LAPIC_LVTT; at <= LAPIC_LVT_ERROR; at += 16)
		REG(l, at) |= LAPIC_LVT_MASKED;
}

void lapic_reset(struct lapic *l)
{
	*l = (struct lapic){0};
	REG(l, LAPIC_DFR) = 0xFFFFFFFFu;
	REG(l, LAPIC_SVR) = 0xFF;
	mask_lvt(l);
}

void lapic_start(struct lapic *l)
{
	lapic_reset(l);
	lapic_write(l, LAPIC_SVR, SVR_ENABLED | 0xFF);
	lapic_write(l, LAPIC_LVT0, LVT_EXTINT);
	lapic_write(l, LAPIC_LVT1, LVT_NMI);
}

/* The highest vector of a set, or -1. */
static int highest(const u32 set[8])
{
	for (int i = 7; i >= 0; i--)
		if (set[i])
			return i * 32 + 31 - __builtin_clz(set[i]);
	return -1;
}

/* Only vectors of a higher class than this are delivered. */
static u32 processor_priority(const struct lapic *l)
{
	int serving = highest(l->isr);
	u32 tpr = REG(l, LAPIC_TPR);

	if (serving >= 0 && (u32)serving >> 4 > tpr >> 4)
		return (u32)serving & 0xF0;
	return tpr;
}

static void request(struct lapic *l, u32 vector)
{
	u32 bit = 1u << vector % 32;

	if (!enabled(l) || vector < 16 || (l->irr[vector / 32] & bit))
		return;
	l->irr[vector / 32] |= bit;
	l->requests++;
}

void lapic_timer(struct lapic *l)
{
	if (!(REG(l, LAPIC_LVTT) & LAPIC_LVT_MASKED))
		request(l, REG(l, LAPIC_LVTT) & 0xFF);
}

bool lapic_set_lint0(struct lapic *l, bool level)
{
	u32 lvt = REG(l, LAPIC_LVT0);
	bool rises = level && !l->lint0;

	l->lint0 = level;
	if (lvt & LAPIC_LVT_MASKED)
		return false;
	if (rises && (lvt & LVT_MODE) == LVT_FIXED)
		request(l, lvt & 0xFF);
	return level && (lvt & LVT_MODE) == LVT_EXTINT;
}

/* There is nobody else: what does not reach this processor is lost. */
static void send(struct lapic *l, u32 icr)
{
	u32 mode = icr >> 8 & 7, to = icr >> 18 & 3;
	bool logical = icr >> 11 & 1;
	u32 destination = REG(l, LAPIC_ICR_HIGH) >> 24;
	bool me = destination == 0xFF || (logical ? destination & REG(l, LAPIC_LDR) >> 24
						  : destination == REG(l, LAPIC_ID) >> 24);

	if (mode != DELIVER_FIXED && mode != DELIVER_LOWEST)
		return;
	if (to == TO_SELF || to == TO_ALL || (to == TO_DESTINATION && me))
		request(l, icr & 0xFF);
}

u32 lapic_read(const struct lapic *l, u32 offset)
{
	u32 index = offset >> 4 & 7;

	if (offset == LAPIC_VERSION)
		return VERSION;
	if (offset == LAPIC_PPR)
		return processor_priority(l);
	if (offset >= LAPIC_ISR && offset < LAPIC_ISR + 0x80)
		return l->isr[index];
	if (offset >= LAPIC_IRR && offset < LAPIC_IRR + 0x80)
		return l->irr[index];
	return offset < sizeof(l->reg) * 4 ? REG(l, offset) : 0;
}

static void end_of_interrupt(struct lapic *l)
{
	int vector = highest(l->isr);

	if (vector >= 0)
		l->isr[vector / 32] &= ~(1u << vector % 32);
}

void lapic_write(struct lapic *l, u32 offset, u32 value)
{
	if (offset == LAPIC_EOI)
		end_of_interrupt(l);
	for (u32 i = 0; i < ARRAY_SIZE(registers); i++)
		if (registers[i].offset == offset)
			REG(l, offset) = (REG(l, offset) & ~registers[i].writable) |
					 (value & registers[i].writable);
	if (!enabled(l))
		mask_lvt(l);
	if (offset == LAPIC_ICR)
		send(l, value);
}

bool lapic_intr(const struct lapic *l)
{
	return l->requests && (u32)highest(l->irr) >> 4 > processor_priority(l) >> 4;
}

u8 lapic_ack(struct lapic *l)
{
	int vector = highest(l->irr);

	l->irr[vector / 32] &= ~(1u << vector % 32);
	l->requests--;
	l->isr[vector / 32] |= 1u << vector % 32;
	return (u8)vector;
}
