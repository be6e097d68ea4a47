/* SPDX-License-Identifier: GPL-2.0-only */
/* A PV domain cannot be suspended yet: what Xen's tools need to find its memory by, a table of
 * machine frames from its start on, is not there (docs/design.md). */
#include "monitor/binding.h"
#include "monitor/life.h"

bool suspend_able(void)
{
	return false;
}

bool suspend_xen(void)
{
	ASSERT(suspend_able());
	return false;
}

void cycles_set(u64 tsc)
{
	(void)tsc;
}
