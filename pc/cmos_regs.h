/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The MC146818's registers, for cmos.c, which keeps its clock, and
 * cmos_irq.c, which keeps its interrupts.
 */
#ifndef VMIXEN_PC_CMOS_REGS_H
#define VMIXEN_PC_CMOS_REGS_H

#include "calendar.h"
#include "cmos.h"

#define NS_PER_S 1000000000u

#define SECONDS 0x00
#define SECONDS_ALARM 0x01
#define MINUTES 0x02
#define MINUTES_ALARM 0x03
#define HOURS 0x04
#define HOURS_ALARM 0x05
#define WEEKDAY 0x06
#define DAY 0x07
#define MONTH 0x08
#define YEAR 0x09
#define REG_A 0x0A
#define REG_B 0x0B
#define REG_C 0x0C
#define REG_D 0x0D

#define A_UIP 0x80u
#define A_DIVIDER_RESET 0x60u /* both bits: the chain below the seconds stands still */
#define A_RATE 0x0Fu
#define B_SET 0x80u
#define B_BINARY 0x04u
#define B_24H 0x02u

/* Interrupts: enabled by these bits of register B, told of by the same of C. */
#define PERIODIC 0x40u
#define ALARM 0x20u
#define UPDATE_ENDED 0x10u
#define INTERRUPTS (PERIODIC | ALARM | UPDATE_ENDED)
#define C_IRQ 0x80u /* reads as 1 while the line is active */

/* Does the time go on to the next second? */
static inline bool cmos_updates(const struct cmos *cmos)
{
	return !(cmos->ram[REG_B] & B_SET) &&
	       (cmos->ram[REG_A] & A_DIVIDER_RESET) != A_DIVIDER_RESET;
}

/* A number of two digits, and an hour, as the time registers have them. */
u8 cmos_encode(const struct cmos *cmos, u8 n);
u8 cmos_encode_hour(const struct cmos *cmos, u8 hour);

/* What the clock shows at a whole second of the ns clock. */
void cmos_show(const struct cmos *cmos, u64 second, struct calendar *t);

/* Register C is told what has come up to ns; to be called before anything that
 * these interrupts depend on changes. */
void cmos_settle(struct cmos *cmos, u64 ns);
/* To be called after it: when time alone will do something next. */
void cmos_set_due(struct cmos *cmos);

#endif
