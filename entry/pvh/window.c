/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fills the window of the PVH binding (monitor/pvh/pvh.h).  Its pages are taken from the
 * monitor's own, and its page tables, in both formats, map them.  The monitor's own
 * directories, which are loaded while the guest has paging off, map the window and, beside
 * it, physical memory one to one.
 */
#include "entry/boot/entry.h"
#include "xenbind/hypercall.h"
#include "image.h"
#include "lib/mem.h"
#include "monitor/monitor.h"
#include "pvh_entry.h"

#include <xen/hvm/params.h>

#define PT_RO 0x021u /* present, accessed; supervisor */
#define PT_RW 0x063u /* and writable, dirty */
#define PD_TABLE 0x063u
#define PD_LARGE 0x0E3u /* a large page */
#define PDPT_ENTRY 0x001u

/* Takes the next pages of the monitor's own, cleared; their physical address. */
static u32 take(struct pvh_layout *p, u32 pages)
{
	u32 at = p->own_next << 12;

	p->own_next += pages;
	if (p->own_next > p->own_first + PVH_OWN_PAGES(rom_pages()))
		fail("the ROM's own memory is too small");
	memset(physical(at), 0, pages << 12);
	return at;
}

/* Maps pages from physical address pa on at va, in the window's tables of both formats. */
static void show(const struct start_pvh *s, gva_t va, u32 pages, u32 pa, u32 flags)
{
	u32 *narrow = physical(s->l1_narrow);

	for (u32 i = 0; i < pages; i++, va += PAGE_SIZE, pa += PAGE_SIZE) {
		u32 *wide = physical(s->l1_wide[(va - WINDOW_BASE) >> 21]);

		narrow[(va - WINDOW_BASE) >> 12] = pa | flags;
		wide[(va >> 12 & 511) * 2] = pa | flags;
	}
}

/* Takes pages and maps them at va; their physical address. */
static u32 fresh(struct pvh_layout *p, const struct start_pvh *s, gva_t va, u32 pages)
{
	u32 pa = take(p, pages);

	show(s, va, pages, pa, PT_RW);
	return pa;
}

/* The monitor's own 2-level directory. */
static void make_own_narrow(struct start_pvh *s)
{
	u32 *directory = physical(s->narrow);

	for (u32 i = 0; i < 1024; i++)
		directory[i] = i << 22 | PD_LARGE;
	directory[WINDOW_BASE >> 22] = s->l1_narrow | PD_TABLE;
}

/* The monitor's own PAE tables at pa: four directories and, behind them, the PDPT. */
static void make_own_wide(struct start_pvh *s, u32 pa)
{
	u32 *directory = physical(pa), *pdpt = physical(pa + 4 * PAGE_SIZE);

	for (u32 i = 0; i < 2048; i++)
		directory[i * 2] = i << 21 | PD_LARGE;
	for (u32 i = 0; i < PVH_PDES_WIDE; i++)
		directory[((WINDOW_BASE >> 21) + i) * 2] = s->l1_wide[i] | PD_TABLE;
	for (u32 i = 0; i < 4; i++)
		pdpt[i * 2] = (pa + i * PAGE_SIZE) | PDPT_ENTRY;
	s->wide = pa + 4 * PAGE_SIZE;
}

/* Maps Xen's shared_info page, which takes the place of one of our pages in physical memory. */
static void show_shared(struct pvh_layout *p, const struct start_pvh *s)
{
	u32 pa = take(p, 1);
	struct xen_add_to_physmap add = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = pa >> 12};

	if (xen_memory_op(XENMEM_add_to_physmap, &add))
		fail("Xen does not show its shared page");
	show(s, WIN_SHARED, 1, pa, PT_RW);
}

/* What the image leaves of its place is one page of zeros, again and again: whoever
 * looks there finds memory. */
static void show_rest(struct pvh_layout *p, const struct start_pvh *s)
{
	u32 rest = take(p, 1);

	for (u32 i = rom_pages(); i < WIN_TEXT_PAGES; i++)
		show(s, WIN_TEXT + i * PAGE_SIZE, 1, rest, PT_RO);
}

u32 pvh_window_make(struct pvh_layout *p, struct start_pvh *s)
{
	u32 text = take(p, rom_pages()), hypercalls = take(p, 1);

	s->l1_narrow = take(p, 1);
	for (u32 i = 0; i < PVH_PDES_WIDE; i++)
		s->l1_wide[i] = take(p, 1);
	s->narrow = take(p, 1);
	make_own_narrow(s);
	make_own_wide(s, take(p, 5));

	s->text = text;
	memcpy(physical(text), entry_rom, entry_rom_size);
	show(s, WIN_TEXT, rom_pages(), text, PT_RO);
	show_rest(p, s);
	memcpy(physical(hypercalls), hypercall_page, PAGE_SIZE);
	show(s, WIN_HYPERCALL, 1, hypercalls, PT_RW);
	show_shared(p, s);
	show(s, WIN_CONSOLE, 1, (u32)pvh_param(HVM_PARAM_CONSOLE_PFN) << 12, PT_RW);
	show(s, WIN_STORE, 1, (u32)pvh_param(HVM_PARAM_STORE_PFN) << 12, PT_RW);
	show(s, WIN_L1_NARROW, 1, s->l1_narrow, PT_RW);
	for (u32 i = 0; i < PVH_PDES_WIDE; i++)
		show(s, WIN_L1_WIDE + i * PAGE_SIZE, 1, s->l1_wide[i], PT_RW);
	show(s, WIN_OWN_NARROW, 1, s->narrow, PT_RW);
	show(s, WIN_OWN_WIDE, 5, s->wide - 4 * PAGE_SIZE, PT_RW);
	p->vcpu = fresh(p, s, WIN_VCPU, 4);
	fresh(p, s, WIN_GDT, WIN_GDT_PAGES + 1);
	fresh(p, s, WIN_LDT, WIN_LDT_PAGES);
	fresh(p, s, WIN_IDT, 1);
	fresh(p, s, WIN_RUN, 1);
	fresh(p, s, WIN_STACK, WIN_STACK_PAGES);
	p->disks = fresh(p, s, WIN_DISKS, WIN_DISKS_PAGES);
	return fresh(p, s, WIN_MONITOR, PVH_MONITOR_PAGES);
}
