/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fills the ROM's window (include/layout.h).  Its L1 pages are made, pinned and hooked into
 * Xen's bootstrap tables; then every page is mapped at its place.  All roots that are made
 * later hook the same L1 pages.
 */
#include "entry/boot/entry.h"
#include "lib/mem.h"
#include "monitor/pv/mmu/block.h"

#define P_RO 0x21ull /* present, accessed; for the supervisor, read-only */
#define P_RW 0x63ull /* the same, writable and dirty */

/* A page of the domain entry's own; a frame is mapped in its place while it is cleared. */
static u8 scratch[PAGE_SIZE] __attribute__((aligned(4096)));

static void check(int err)
{
	if (err)
		fail("Xen refused to map the ROM's window (error %d)", err);
}

static void update(u32 va, u64 pte)
{
	check(xen_update_va_mapping(va, pte, UVMF_INVLPG | UVMF_LOCAL));
}

void window_map(u32 va, u32 mfn, bool writable)
{
	update(va, (u64)mfn << 12 | (writable ? P_RW : P_RO));
}

static u32 take_mfn(struct layout *l)
{
	return l->mfn_list[memory_take(l)];
}

static void clear_frame(struct layout *l, u32 mfn)
{
	u32 own = l->mfn_list[((u32)scratch - VIRT_BASE) >> 12];

	update((u32)scratch, (u64)mfn << 12 | P_RW);
	memset(scratch, 0, PAGE_SIZE);
	update((u32)scratch, (u64)own << 12 | P_RW);
}

/* Makes the window's L1 pages and hooks them into the L2 page behind L3 index 3, which maps
 * the uppermost GB. */
static void make_l1_pages(struct layout *l, u32 *l1)
{
	u64 l2 = ((const u64 *)l->si->pt_base)[3] & 0x000FFFFFFFFFF000ull;

	for (u32 i = 0; i < WINDOW_L1S; i++) {
		struct mmuext_op pin = {.cmd = MMUEXT_PIN_L1_TABLE};
		struct mmu_update hook;

		l1[i] = take_mfn(l);
		clear_frame(l, l1[i]);
		pin.arg1.mfn = l1[i];
		check(xen_mmuext_op(&pin, 1));
		hook.ptr = l2 + (WINDOW_L2 - 3 * 512 + i) * 8;
		hook.val = (u64)l1[i] << 12 | P_RW;
		check(xen_mmu_update(&hook, 1, NULL));
	}
}

/* Maps fresh pages, cleared and writable. */
static void map_fresh(struct layout *l, u32 va, u32 pages)
{
	for (u32 i = 0; i < pages; i++) {
		window_map(va + i * PAGE_SIZE, take_mfn(l), true);
		memset((void *)(va + i * PAGE_SIZE), 0, PAGE_SIZE);
	}
}

/* Maps fresh pages read-only that have a copy of these bytes, and zeros behind them. */
static void map_copy(struct layout *l, u32 va, u32 pages, const void *from, u32 bytes)
{
	for (u32 i = 0; i < pages; i++) {
		u32 mfn = take_mfn(l), at = i * PAGE_SIZE;
		u32 part = bytes <= at ? 0 : bytes - at < PAGE_SIZE ? bytes - at : PAGE_SIZE;

		window_map(va + at, mfn, true);
		memset((void *)(va + at), 0, PAGE_SIZE);
		memcpy((void *)(va + at), (const u8 *)from + at, part);
		window_map(va + at, mfn, false);
	}
}

/* What the image leaves of its place is one page of zeros, again and again: whoever
 * looks there finds memory. */
static void map_text(struct layout *l)
{
	u32 pages = rom_pages(), rest = take_mfn(l);

	map_copy(l, WIN_TEXT, pages, entry_rom, entry_rom_size);
	clear_frame(l, rest);
	for (; pages < WIN_TEXT_PAGES; pages++)
		window_map(WIN_TEXT + pages * PAGE_SIZE, rest, false);
}

static void map_shared(struct layout *l, struct start *start)
{
	const struct start_info *si = l->si;

	window_map(WIN_SHARED, si->shared_info >> 12, true);
	start->dom0 = si->flags & SIF_INITDOMAIN;
	if (l->console.port)
		window_map(WIN_CONSOLE, l->mfn_list[l->console.pfn], true);
	if (l->store.port)
		window_map(WIN_STORE, l->mfn_list[l->store.pfn], true);
	start->console_evtchn = l->console.port;
	start->store_evtchn = l->store.port;
}

static void map_tables(struct layout *l, struct start *start)
{
	u32 pages = l->reserve_first + 64; /* more than the guest has frames, the hole included */

	map_fresh(l, WIN_GMFN, pages / 1024 + 1);
	map_fresh(l, WIN_HEADS, pages / 2048 + 1);
	memory_assign(l, (u32 *)WIN_GMFN);
	frames_complete(l->guest_pages);
	start->guest_pages = l->guest_pages;
}

static void note_pool(struct layout *l, struct start_pv *start)
{
	start->pool_pages = l->pool_pages;
	start->pool_first_pfn = l->reserve_next;
	for (u32 i = 0; i < l->pool_pages; i++)
		start->pool_mfn[i] = take_mfn(l);
}

void window_make(struct layout *l, struct start *start)
{
	u32 l1[WINDOW_L1S], vcpu;
	const struct start_info *si = l->si;

	make_l1_pages(l, l1);
	map_text(l);
	map_copy(l, WIN_HYPERCALL, 1, hypercall_page, PAGE_SIZE);
	vcpu = l->reserve_next;
	map_fresh(l, WIN_VCPU, 4);
	map_fresh(l, WIN_FRAME_TOP - PAGE_SIZE, 1);
	map_fresh(l, WIN_STACK, WIN_STACK_PAGES);
	map_fresh(l, WIN_RUN, 1);
	map_fresh(l, WIN_VCPU_BINDING, WIN_VCPU_BINDING_PAGES);
	map_fresh(l, WIN_MONITOR, WIN_MONITOR_PAGES + WIN_BINDING_PAGES);
	for (u32 i = 0; i < WIN_DISKS_PAGES; i++)
		start->disk_frame[i] = l->mfn_list[l->reserve_next + i];
	map_fresh(l, WIN_DISKS, WIN_DISKS_PAGES);
	start->vcpu_info_frame = l->mfn_list[vcpu + (WIN_VCPU_INFO - WIN_VCPU) / PAGE_SIZE];
	memcpy(PV->start.window_l1, l1, sizeof(l1));
	map_shared(l, start);
	map_tables(l, start);
	note_pool(l, &PV->start);
	PV->start.bootstrap_root = l->mfn_list[(si->pt_base - VIRT_BASE) >> 12];
}
