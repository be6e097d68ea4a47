/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One counter of the 8254, in ticks of its clock and without ports; part of
 * pit.c, which owns the time.
 */
#ifndef VMIXEN_PC_PIT_CHANNEL_H
#define VMIXEN_PC_PIT_CHANNEL_H

#include "base.h"

#define PIT_NEVER (~(u64)0)

struct pit_channel {
	u8 mode;   /* 0, 2, 3 or 4 */
	u8 access; /* 1 low byte, 2 high byte, 3 low then high */
	bool bcd;
	bool gate;	/* channels 0 and 1: always on */
	bool loaded;	/* a count was written since the control word */
	bool high_next; /* access 3: the next byte written is the high one */
	bool read_high; /* access 3: the next byte read is the high one */
	bool status_latched;
	u8 latched; /* bytes of the count latch still to be read */
	u8 status;  /* the latched status */
	u8 low;	    /* access 3: the low byte, waiting for the high one */
	u16 latch;  /* the latched count, as the guest reads it */
	u32 count;  /* the period in ticks, 1..65536 */
	u64 start;  /* tick at which the counter holds count; gate on */
	s64 held;   /* ticks counted when the gate went off; gate off */
};

/* value: the byte written to port 43, neither a latch nor a read-back command. */
void pit_channel_control(struct pit_channel *ch, u8 value);
void pit_channel_write(struct pit_channel *ch, u8 value, u64 tick);
u8 pit_channel_read(struct pit_channel *ch, u64 tick);
void pit_channel_load(struct pit_channel *ch, u16 value, u64 tick);
void pit_channel_latch_count(struct pit_channel *ch, u64 tick);
void pit_channel_latch_status(struct pit_channel *ch, u64 tick);
void pit_channel_set_gate(struct pit_channel *ch, bool gate, u64 tick);

/* The level of OUT. */
bool pit_channel_output(const struct pit_channel *ch, u64 tick);

/* The first tick after `tick` at which OUT rises, or PIT_NEVER. */
u64 pit_channel_next_rise(const struct pit_channel *ch, u64 tick);

#endif
