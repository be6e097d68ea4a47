/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the domain entry hands to the monitor: the domain's memory as it has
 * been divided, and where the guest begins.
 */
#ifndef VMIXEN_START_H
#define VMIXEN_START_H

#include "base.h"
#include "layout.h"
#include "monitor/pvh/pvh.h"

struct start {
	u32 guest_pages;    /* guest-physical frames, holes included */
	u32 pool_pages;	    /* frames of the shadow pool */
	u32 bootstrap_root; /* mfn of the L3 that Xen's domain builder made */
	u32 store_evtchn;   /* 0: no xenstore */
	u32 console_evtchn; /* 0: no ring, as in a dom0 */
	bool dom0;
	bool counters;	    /* the command line has the word vmixen.counters */
	u32 code32;	    /* the guest's 32-bit entry, guest-physical */
	u32 boot_params;    /* guest-physical */
	u32 pool_first_pfn; /* Xen's number of pool page 0; the others follow */
	struct start_pvh pvh;
	u32 window_l1[WINDOW_L1S]; /* mfns of the window's own L1 pages */
	u32 pool_mfn[WIN_POOL_MAX];
};

#define GMFN_NONE 0xFFFFFFFFu /* in WIN_GMFN: no memory at this guest frame */

#endif
