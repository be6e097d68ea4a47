/* SPDX-License-Identifier: GPL-2.0-only */
/* The clocks of the guest and of the virtual PC; time.c says how they agree. */
#ifndef VMIXEN_TIME_H
#define VMIXEN_TIME_H

#include "base.h"
#include "pc/pc.h"

/* Nanoseconds since Xen began, or since another one did on which the domain was before; never
 * goes back. */
u64 time_ns(void);
/* The same moment on the clock by which Xen takes deadlines. */
u64 time_for_xen(u64 ns);
/* The TSC. */
u64 time_cycles(void);
/* The start of the domain: fixes the guest's frequency at what Xen says now. */
void time_start(void);
/* The TSC's frequency in Hz.  Xen corrects its own measure now and then, but the guest is
 * always told the same number. */
u64 time_frequency(void);
/* The TSC's frequency in kHz, as Xen measures it now. */
u32 time_khz(void);
/* Cycles in which the vCPU could have run and did not, and all other cycles.  Their sum is
 * time_cycles(), and neither goes back. */
u64 time_stolen(void);
u64 time_available(void);
/* Nanoseconds since 1970, by Xen's wallclock. */
u64 time_epoch_ns(void);
/* The time for the PC's devices, with the date in seconds since 1970. */
struct pc_time time_pc(void);
/* What the guest's clocks show before the domain is suspended. */
struct moment {
	u64 cycles, available; /* time_cycles(), time_available() */
	u64 ns, epoch_ns;
};
void time_note(struct moment *m);
/* The domain goes on as a new one, with Xen's clock in the shared page, and its runstate area:
 * the guest's clocks go on from where they were, plus the absence.  Returns that, in ns. */
u64 time_continue(const struct moment *before);
/* events.c: gives Xen's timer the first moment at which an alarm, a device of the PC or the
 * watch for silence is due. */
void alarm_update(void);

#endif
