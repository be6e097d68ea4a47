/* SPDX-License-Identifier: GPL-2.0-only */
/* A Xen that refuses hypercalls; see struct xen_refusal in xen.h. */
#include "xen.h"

struct xen_refusal xen_refusal;

bool xen_refuses(unsigned number, u32 argument)
{
	struct xen_refusal *r = &xen_refusal;

	if ((number == __HYPERVISOR_sched_op && argument == SCHEDOP_shutdown) ||
	    (r->which && !r->which(number, argument)) || r->made++ < r->first ||
	    r->refused == r->count)
		return false;
	r->refused++;
	r->numbers |= 1ull << number;
	return true;
}
