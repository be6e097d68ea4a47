/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's frames and the grant table, as Xen gives them to a PV domain: by machine frame. */
#include "monitor/binding.h"
#include "monitor/monitor.h"
#include "monitor/pv/mmu/paging.h"
#include "xenbind/mmu.h"

#include <xen/grant_table.h>

bool frame_of_guest(u64 gpfn, u32 *frame)
{
	if (gpfn >> 32 || !has_memory((u32)gpfn))
		return false;
	*frame = GMFN[gpfn];
	return true;
}

/* No entry that a call of the guest's points to is in use while a device is. */
void *frame_show(u64 gpfn)
{
	return gpfn >> 32 ? NULL : guest_page((u32)gpfn, PAGE_ENTRY);
}

bool grants_map(u32 pages)
{
	struct gnttab_setup_table setup = {.dom = DOMID_SELF, .nr_frames = pages};
	xen_pfn_t frame[WIN_GRANTS_PAGES] = {0};

	set_xen_guest_handle(setup.frame_list, frame);
	if (hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, (u32)(uintptr_t)&setup, 1,
		      0, 0) ||
	    setup.status != GNTST_okay)
		return false;
	for (u32 i = 0; i < pages; i++)
		if (mmu_map(WIN_GRANTS + i * PAGE_SIZE,
			    (u64)frame[i] << PAGE_SHIFT | PTE_P | PTE_RW | PTE_A | PTE_D))
			return false;
	return true;
}
