/* SPDX-License-Identifier: GPL-2.0-only */
/* VMI's time calls, made of TSC, 8254 and CMOS clock (time_native.c). */
#ifndef GUEST_TIME_NATIVE_H
#define GUEST_TIME_NATIVE_H

#include "base.h"

#define PIT_HZ 1193182u
#define PIT_MEASURED 23864u /* ticks of the 8254: 20 ms */

/* How much a counter goes on while the 8254 counts PIT_MEASURED ticks: at least and
 * at most, by as many measurements as it takes to know it well. */
struct span {
	u64 least, most;
};
struct span pit_measure(u64 (*counter)(u32 which));
u32 pit_khz(u64 cycles); /* the frequency of cycles in PIT_MEASURED ticks */

u64 pit_cycle_frequency(void); /* Hz of the TSC, measured once */
u64 pit_cycle_counter(u32 which);
/* One alarm on channel 0; one-shot ones at most 50 ms ahead. */
void pit_set_alarm(u32 flags, u64 expiry, u64 period);
u32 pit_cancel_alarm(u32 flags);
bool pit_alarm_fired(void); /* IRQ 0 came: is it an alarm, or a stray? */
u64 cmos_wallclock(void);
u32 cmos_wallclock_updated(void);

#endif
