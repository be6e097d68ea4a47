/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Xen's clock as the vCPU itself reads it (vcpu_time_info in xen/xen.h): the ns
 * since Xen began at some tick of the TSC, and how many each further tick is.
 * Xen corrects all of it whenever it likes, so two readings may be in the wrong
 * order by what it has corrected; monitor/time.c makes a clock of them that is
 * never set back.
 */
#ifndef VMIXEN_CLOCK_H
#define VMIXEN_CLOCK_H

#include "base.h"

/* ns = (cycles << shift) * mul / 2^32; a negative shift is one to the right. */
struct clock_rate {
	u32 mul;
	s8 shift;
};

/* The rate at present: mul and shift that belong together. */
struct clock_rate clock_rate(void);

/* ns since Xen began. */
u64 clock_ns(void);

/* How long so many cycles take, in ns; all ones if that does not fit. */
u64 clock_cycles_to_ns(struct clock_rate rate, u64 cycles);

#endif
