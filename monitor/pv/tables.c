/* SPDX-License-Identifier: GPL-2.0-only */
/* The GDT and the LDT that Xen has for the guest; monitor/binding.h has the contracts. */
#include "monitor/cpu/segment.h"
#include "monitor/life.h"
#include "monitor/monitor.h"
#include "monitor/pv/mmu/block.h"

#define PAGES (VCPU->segments.pages)
#define MFN (PV->table_mfn)

void tables_write(u32 table, u32 index, u64 d)
{
	u64 maddr = ((u64)MFN[table][index >> 9] << 12) + (index & 511) * 8;

	if (xen_update_descriptor(maddr, d))
		guest_die("Xen refused descriptor %u: %08llx", index, d);
}

static void need_pages(u32 table, u32 entries)
{
	u32 *pages = &PAGES[table];

	for (; *pages * 512 < entries; ++*pages)
		MFN[table][*pages] =
			shadow_frame((table == LDT ? WIN_LDT : WIN_GDT) + *pages * PAGE_SIZE);
}

static void give_gdt(u32 entries)
{
	unsigned long frames[WIN_GDT_PAGES];

	if (entries <= PAGES[GDT] * 512)
		return;
	need_pages(GDT, entries);
	for (u32 i = 0; i < PAGES[GDT]; i++)
		frames[i] = MFN[GDT][i];
	/* cppcheck-suppress uninitvar ; there is an entry, and so a page */
	xen_must(xen_set_gdt(frames, PAGES[GDT] * 512), NEED_GDT);
}

void tables_need(u32 table, u32 entries)
{
	if (table == GDT)
		give_gdt(entries);
	else
		need_pages(table, entries);
}

void tables_set_ldt(u32 entries)
{
	struct mmuext_op op = {.cmd = MMUEXT_SET_LDT};

	op.arg1.linear_addr = entries ? WIN_LDT : 0;
	op.arg2.nr_ents = entries;
	xen_must(xen_mmuext_op(&op, 1), NEED_LDT);
}

bool tables_in_trap(void)
{
	return cpu_selector(SEG_CS) == FLAT_RING1_CS;
}

u16 tables_call_selector(enum seg seg)
{
	return cpu_selector(seg);
}
