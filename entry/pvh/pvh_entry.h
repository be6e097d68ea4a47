/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the PVH binding's domain entry share; see entry.c. */
#ifndef VMIXEN_PVH_ENTRY_H
#define VMIXEN_PVH_ENTRY_H

#include "entry/boot/entry.h"
#include "monitor/pvh/pvh.h"

/* How memory is divided; addresses are physical, and so is each number of a page. */
struct pvh_layout {
	u32 ram;		 /* pages of RAM from 0 on */
	u32 high_end;		 /* the frame behind RAM from 4 GB on */
	u32 own_first, own_next; /* the monitor's pages: the first, and the first not taken */
	u32 entry_bytes,
		entry_to; /* the domain entry with its payload: its length, its new place */
	u32 vcpu;	  /* the pages of WIN_VCPU */
	u32 disks;	  /* and of WIN_DISKS */
	u32 initrd_from, initrd_bytes;
	u32 initrd; /* where it goes */
	char cmd_line[4096];
};

/* Memory at a physical address, which the domain entry's directory maps one to one. */
static inline void *physical(u32 address)
{
	return (void *)address;
}

/* entry.c: the value of an HVM_PARAM_ (xen/hvm/params.h) of the domain.  Ends the domain if
 * Xen has none. */
u64 pvh_param(u32 index);

/* window.c: fills the window's pages and tables, and *s but for where RAM is.  The physical
 * address of struct monitor. */
u32 pvh_window_make(struct pvh_layout *p, struct start_pvh *s);

#endif
