/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The MC146818 real-time clock and the CMOS RAM in it: ports 70 (index) and
 * 71 (data), IRQ 8.  cmos.c and cmos_irq.c tell what they keep true.
 */
#ifndef VMIXEN_PC_CMOS_H
#define VMIXEN_PC_CMOS_H

#include "base.h"

#define CMOS_NEVER (~(u64)0)

struct cmos {
	u8 index;     /* register that port 71 reaches */
	u8 ram[128];  /* time registers: valid only while register B says SET */
	bool written; /* a time register was written while SET */
	u64 last_a;   /* ns of the last read of register A */
	s64 wall;     /* whole seconds from the ns clock to the wall clock */
	s64 offset;   /* seconds from the wall clock to the guest's */
	u64 settled;  /* ns up to which register C tells what has come */
	u64 due;      /* ns at which time alone makes irq true, or CMOS_NEVER */
	bool irq;     /* the level of IRQ 8 */
};

/* A clock in 24-hour BCD that shows the wall clock, no memory, no drives. */
void cmos_reset(struct cmos *cmos);

/* The bytes by which a BIOS tells how much RAM there is (all of it, 0 up). */
void cmos_set_memory(struct cmos *cmos, u64 bytes);

/* ns: monotonic clock; epoch_s: seconds since 1970, UTC. */
u8 cmos_read(struct cmos *cmos, u16 port, u64 ns, u64 epoch_s);
void cmos_write(struct cmos *cmos, u16 port, u8 value, u64 ns, u64 epoch_s);

/* Time has come to cmos->due: IRQ 8 may be active now. */
void cmos_take_due(struct cmos *cmos, u64 ns);

#endif
