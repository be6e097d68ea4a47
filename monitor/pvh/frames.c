/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's frames and the grant table, as Xen gives them to a PVH domain: by
 * guest-physical frame. */
#include "cpu_pvh.h"
#include "pvh.h"
#include "monitor/binding.h"
#include "monitor/monitor.h"
#include "xenbind/hypercall.h"

#define PTE_FLAGS 0x63u

bool frame_of_guest(u64 gpfn, u32 *frame)
{
	*frame = (u32)gpfn;
	return gpfn >> 32 == 0 && guest_has_ram(gpfn << PAGE_SHIFT);
}

void *frame_show(u64 gpfn)
{
	return guest_phys(VCPU, gpfn << PAGE_SHIFT, PHYS_DMA);
}

u32 window_frame(gva_t va)
{
	return ((volatile u32 *)WIN_L1_NARROW)[(va - WINDOW_BASE) >> PAGE_SHIFT] >> PAGE_SHIFT;
}

void window_show(gva_t va, u32 frame)
{
	u32 n = (va - WINDOW_BASE) >> PAGE_SHIFT, pte = frame << PAGE_SHIFT | PTE_FLAGS;

	((volatile u32 *)WIN_L1_NARROW)[n] = pte;
	((volatile u32 *)WIN_L1_WIDE)[n * 2] = pte;
	cpu_invlpg(va);
}

/* Xen puts the table's pages into guest-physical memory, at GRANTS_AT. */
bool grants_map(u32 pages)
{
	for (u32 i = 0; i < pages; i++) {
		struct xen_add_to_physmap add = {.domid = DOMID_SELF,
						 .space = XENMAPSPACE_grant_table,
						 .idx = i,
						 .gpfn = (GRANTS_AT >> PAGE_SHIFT) + i};

		if (xen_memory_op(XENMEM_add_to_physmap, &add))
			return false;
		window_show(WIN_GRANTS + i * PAGE_SIZE, (GRANTS_AT >> PAGE_SHIFT) + i);
	}
	return true;
}
