/* SPDX-License-Identifier: GPL-2.0-only */
/* The clocks of the guest and of the virtual PC; time.c. */
#ifndef VMIXEN_TIME_H
#define VMIXEN_TIME_H

#include "base.h"
#include "pc/pc.h"

/* ns since Xen began, and what the TSC says. */
u64 time_ns(void);
u64 time_cycles(void);
/* Xen's clock is there: the guest's frequency is what it says now. */
void time_start(void);
/* Hz of the TSC: Xen corrects it now and then, but the guest is told one. */
u64 time_frequency(void);
/* The same as Xen has it now. */
u32 time_khz(void);
/* Cycles that the vCPU could have run and did not, and all others.  Together they
 * are time_cycles(); neither goes back. */
u64 time_stolen(void);
u64 time_available(void);
u64 time_epoch_ns(void);
struct pc_time time_pc(void);
/* Tells Xen the first moment at which an alarm or the PC is due. */
void alarm_update(void);

#endif
