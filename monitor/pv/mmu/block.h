/* SPDX-License-Identifier: GPL-2.0-only */
/* The PV binding's own data, at WIN_BINDING behind the monitor's (monitor/monitor.h). */
#ifndef VMIXEN_BLOCK_H
#define VMIXEN_BLOCK_H

#include "base.h"
#include "layout.h"
#include "guard.h"
#include "shadow.h"

/* What the domain entry hands over: how memory has been divided (entry/pv/memory.c).  An mfn is
 * a machine frame. */
struct start_pv {
	u32 pool_pages;		    /* frames of the shadow pool */
	u32 pool_first_pfn;	    /* pseudo-physical frame of pool page 0; the others follow */
	u32 bootstrap_root;	    /* mfn of the L3 that Xen's domain builder made */
	u32 window_l1[WINDOW_L1S];  /* mfns of the window's own L1 pages */
	u32 pool_mfn[WIN_POOL_MAX]; /* of each page of the pool */
};

struct pv {
	struct start_pv start;
	u32 table_mfn[2][WIN_LDT_PAGES]; /* of the GDT and the LDT that Xen reads (tables.c) */
	struct guard guard;
	struct shadow shadow;
};

#define PV ((struct pv *)WIN_BINDING)
#define SHADOW_CPU ((struct shadow_vcpu *)WIN_VCPU_BINDING)

_Static_assert(WIN_GDT_PAGES <= WIN_LDT_PAGES, "table_mfn has room for both tables");
_Static_assert(sizeof(struct pv) <= WIN_BINDING_PAGES * 4096u, "struct pv fits its pages");
_Static_assert(sizeof(struct shadow_vcpu) <= WIN_VCPU_BINDING_PAGES * 4096u,
	       "struct shadow_vcpu fits its pages");

#endif
