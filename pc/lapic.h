/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The local APIC of a uniprocessor PC: registers, fixed interrupts, and the
 * timer's line, which is driven from outside; lapic.c tells what it keeps true.
 */
#ifndef VMIXEN_PC_LAPIC_H
#define VMIXEN_PC_LAPIC_H

#include "base.h"

#define LAPIC_BASE 0xFEE00000u /* where a PC has it: guest-physical */
#define LAPIC_ID 0x020
#define LAPIC_VERSION 0x030
#define LAPIC_TPR 0x080
#define LAPIC_PPR 0x0A0
#define LAPIC_EOI 0x0B0
#define LAPIC_LDR 0x0D0
#define LAPIC_DFR 0x0E0
#define LAPIC_SVR 0x0F0
#define LAPIC_ISR 0x100
#define LAPIC_IRR 0x200
#define LAPIC_ICR 0x300
#define LAPIC_ICR_HIGH 0x310
#define LAPIC_LVTT 0x320
#define LAPIC_LVT_PERF 0x340
#define LAPIC_LVT0 0x350
#define LAPIC_LVT1 0x360
#define LAPIC_LVT_ERROR 0x370
#define LAPIC_TMICT 0x380
#define LAPIC_TDCR 0x3E0
#define LAPIC_LVT_MASKED 0x10000u /* in a local vector */

struct lapic {
	u32 reg[64]; /* by offset / 16: what was written, as far as it can be read */
	u32 irr[8], isr[8];
	u32 requests; /* bits set in irr */
	bool lint0;   /* the level of this pin, as last told */
};

/* As after a reset: disabled, everything masked. */
void lapic_reset(struct lapic *l);
/* As a BIOS leaves it: enabled, the 8259 and the NMI wired through. */
void lapic_start(struct lapic *l);

/* offset is below 4096; a register that is not there reads as 0 and ignores
 * writes. */
u32 lapic_read(const struct lapic *l, u32 offset);
void lapic_write(struct lapic *l, u32 offset, u32 value);

/* The timer expires: an interrupt of LVTT's vector, unless it is masked. */
void lapic_timer(struct lapic *l);

/* The pin LINT0, to which the 8259's INT is wired, may have another level now.
 * true: the 8259 shall be acknowledged, for LVT0 lets it through. */
bool lapic_set_lint0(struct lapic *l, bool level);

/* The same; mostly the 8259 is silent, and was. */
static inline bool lapic_lint0(struct lapic *l, bool level)
{
	return (level || l->lint0) && lapic_set_lint0(l, level);
}

/* An interrupt wants to be acknowledged. */
bool lapic_intr(const struct lapic *l);
/* Its vector, which is in service from now on; lapic_intr() must be true. */
u8 lapic_ack(struct lapic *l);

#endif
