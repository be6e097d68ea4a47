/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xl save, xl restore and xl migrate, of which the guest knows nothing.
 *
 * xl writes its order to xenstore; the monitor acknowledges it and suspends the domain.  What
 * goes on later has the memory and the registers of the domain, and is either that very
 * domain, to which nothing has happened, or a new one, on this host or another.  A new one has
 * none of what Xen and the backends had for the old one: so all of it is bound anew, and
 * whatever was under way with them begins again.
 *
 * Kept true:
 *  - The guest is in the midst of nothing: its registers are in struct vcpu or, of a VMI call,
 *    on its own stack, and the monitor's stack is saved as all memory is.
 *  - Every byte that was written to the console before is out, or the console is dead.
 *  - No clock of the guest's goes back, and the absence is stolen time (time_continue()).
 *  - What xl has ordered before and the guest has not yet done is still expected of it.
 */
#include "monitor/binding.h"
#include "monitor/fronts.h"
#include "monitor/io/events.h"
#include "monitor/io/time.h"
#include "monitor/life.h"
#include "monitor/monitor.h"
#include "lib/muldiv.h"

#define NS_PER_MS 1000000u

void domain_suspend(void)
{
	struct moment before;
	u64 away;
	u32 rem;

	MON->suspend_asked = false;
	fronts_suspend();
	console_drain(&MON->console);
	time_note(&before);
	if (!suspend_xen())
		return;
	away = events_resume(&before);
	say("\nvmixen: the domain goes on, after %u ms\n", (u32)div64(away, NS_PER_MS, &rem));
}
