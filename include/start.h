/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the domain entry hands to the monitor in both bindings.  Beside it each binding's
 * domain entry fills a block of its own, at WIN_BINDING.
 */
#ifndef VMIXEN_START_H
#define VMIXEN_START_H

#include "base.h"
#include "layout.h"

struct start {
	u32 guest_pages;		 /* guest-physical frames below 4 GB, holes included */
	u32 store_evtchn;		 /* 0: no xenstore */
	u32 console_evtchn;		 /* 0: no ring, as in a dom0 */
	u32 vcpu_info_frame;		 /* as Xen numbers it: the page of WIN_VCPU_INFO */
	u32 disk_frame[WIN_DISKS_PAGES]; /* so, too: the pages of WIN_DISKS */
	bool dom0;
	bool counters;	 /* the command line has the word vmixen.counters */
	u32 code32;	 /* the guest's 32-bit entry, guest-physical */
	u32 boot_params; /* guest-physical */
};

#endif
