/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The 8254 timer and the port that goes with it: 40-43 and 61 (gate of
 * channel 2, speaker, refresh toggle).  All times are nanoseconds of the
 * owner's monotonic clock.  pit.c tells how they become ticks.
 */
#ifndef VMIXEN_PC_PIT_H
#define VMIXEN_PC_PIT_H

#include "base.h"
#include "pit_channel.h"

#define PIT_HZ 1193182u

struct pit {
	struct pit_channel channel[3];
	u8 port61; /* the writable bits: gate 2, speaker, check enables */
	bool edge; /* an edge of channel 0 before asked, not yet taken */
	u64 asked; /* tick up to which edges of channel 0 are accounted for */
	u64 quiet; /* ns before which there is nothing to take; 0: not known */
};

/* As a BIOS leaves it: channel 0 ticks 18.2 times a second, 2 is idle. */
void pit_reset(struct pit *pit);

u8 pit_read(struct pit *pit, u16 port, u64 now);
void pit_write(struct pit *pit, u16 port, u8 value, u64 now);

/* When channel 0's output next rises: the first ns after now, or PIT_NEVER. */
u64 pit_next_edge(const struct pit *pit, u64 now);

/* Did channel 0's output rise since this was last asked?  Many count as one. */
bool pit_irq_take(struct pit *pit, u64 now);

#endif
