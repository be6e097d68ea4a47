/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The processor's GDT, LDT and TSS in the PVH binding; monitor/binding.h has the contracts.
 * Behind the guest's part of the GDT are the monitor's own descriptors.
 */
#include "cpu_pvh.h"
#include "guard.h"
#include "pvh.h"
#include "monitor/binding.h"
#include "monitor/cpu/segment.h"
#include "monitor/monitor.h"

#define SEG (&VCPU->segments)

/* Stores a descriptor.  The high word, which makes it present, is written last. */
static void write_slot(u32 window, u32 index, u64 d)
{
	volatile u32 *slot = (volatile u32 *)window + index * 2;

	if (slot[0] == (u32)d && slot[1] == (u32)(d >> 32))
		return;
	slot[1] = 0;
	slot[0] = (u32)d;
	slot[1] = (u32)(d >> 32);
}

void tables_write(u32 table, u32 index, u64 d)
{
	write_slot(table == LDT ? WIN_LDT : WIN_GDT, index, d);
	guard_wrote(VCPU, table, index);
}

/* All pages are there from the start. */
void tables_need(u32 table, u32 entries)
{
	u32 pages = (entries + 511) / 512;

	if (SEG->pages[table] < pages)
		SEG->pages[table] = pages;
}

/* A present system descriptor of DPL 0. */
static u64 make_system(u32 base, u32 limit, u32 type)
{
	return (limit & 0xFFFF) | (u64)(base & 0xFFFFFF) << 16 | (u64)(0x80 | type) << 40 |
	       (u64)(limit >> 16 & 15) << 48 | (u64)(base >> 24) << 56;
}

void tables_set_ldt(u32 entries)
{
	write_slot(WIN_GDT, OWN_LDT / 8, make_system(WIN_LDT, entries * 8 - 1, 2));
	cpu_lldt(entries ? OWN_LDT : 0);
}

bool tables_in_trap(void)
{
	return cpu_selector(SEG_DS) == OWN_DS0;
}

/* The INT of the call has pushed CS and SS at the top of the monitor's stack. */
u16 tables_call_selector(enum seg seg)
{
	return (u16)((const u32 *)WIN_STACK_TOP)[seg == SEG_CS ? -4 : -1];
}

void tables_load_tss(void)
{
	write_slot(WIN_GDT, OWN_TSS / 8, make_system(WIN_TSS, 103, 9)); /* LTR wants it not busy */
	cpu_ltr(OWN_TSS);
}

void segments_load(void); /* entry/pvh/traps.asm: loads the GDT, and ring 0's segments */

void tables_start(void)
{
	u32 *tss = (u32 *)WIN_TSS;

	write_slot(WIN_GDT, OWN_CS0 / 8, 0x00CF9B000000FFFFull);
	write_slot(WIN_GDT, OWN_DS0 / 8, 0x00CF93000000FFFFull);
	write_slot(WIN_GDT, FLAT_RING1_CS / 8, 0x00CFBB000000FFFFull);
	write_slot(WIN_GDT, FLAT_RING1_DS / 8, 0x00CFB3000000FFFFull);
	segments_load();
	tss[1] = WIN_STACK_TOP;
	tss[2] = OWN_DS0;
	tss[4] = FLAT_RING1_DS;
	tss[25] = 104u << 16; /* no I/O bitmap: every port traps */
	tables_load_tss();
}
