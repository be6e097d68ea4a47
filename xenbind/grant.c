/* SPDX-License-Identifier: GPL-2.0-only */
/* See grant.h. */
#include "grant.h"
#include "hypercall.h"

#include <xen/grant_table.h>

_Static_assert(sizeof(struct grant) == 8, "grant_entry_v1");

void grant_give(volatile struct grant *g, u16 domain, u32 frame, bool read_only)
{
	g->frame = frame;
	g->domain = domain;
	__asm__ volatile("" ::: "memory"); /* x86 keeps stores in order */
	g->flags = GTF_permit_access | (read_only ? GTF_readonly : 0);
}

/* Xen sets its two bits at any time, so they are looked at and the entry is cleared in one
 * step. */
bool grant_end(volatile struct grant *g)
{
	u16 flags = g->flags;

	while (!(flags & (GTF_reading | GTF_writing)))
		if (__atomic_compare_exchange_n(&g->flags, &flags, 0, false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			return true;
	return false;
}
