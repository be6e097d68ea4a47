/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the PVH binding's entry share; see entry.c. */
#ifndef VMIXEN_PVH_ENTRY_H
#define VMIXEN_PVH_ENTRY_H

#include "entry/boot/entry.h"
#include "monitor/pvh/pvh.h"

/* How memory is divided; addresses are physical. */
struct pvh_layout {
	u32 ram;		   /* pages of RAM from 0 on */
	u32 own_first, own_next;   /* the monitor's pages: the first, and the first not taken */
	u32 entry_bytes, entry_to; /* the entry with its payload: length, and where it goes */
	u32 vcpu;		   /* the pages of WIN_VCPU */
	u32 initrd_from, initrd_bytes;
	u32 initrd; /* where it goes */
	char cmd_line[4096];
};

/* Memory at a physical address, which the entry has one to one. */
static inline void *physical(u32 address)
{
	return (void *)address;
}

/* entry.c: a parameter that Xen has for the domain (xen/hvm/params.h). */
u64 pvh_param(u32 index);

/* window.c: fills the window's pages and tables; the physical address of struct
 * monitor. */
u32 pvh_window_make(struct pvh_layout *p, struct start_pvh *s);

#endif
