/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who gets which frame.
 *
 * Xen numbers the domain's frames 0 to nr_pages - 1 (pfn) and has put the ELF file,
 * initrd, start_info, tables and stack into the first of them, the boot area.  The last
 * frames become the ROM's own: they were never mapped, so they can be typed as page
 * tables.  All others become guest memory, in an order of our own.  The boot area goes
 * where an initrd may lie, so that the initrd need not be copied, and the addresses at
 * which a PC has no RAM (A0000 to BFFFF) get no frame.
 */
#include "entry/boot/entry.h"
#include "monitor/pv/mmu/shadow.h"

#define HOLE_FIRST 0xA0u
#define HOLE_END 0xC0u
/* In frames: the initrd ends at 256 MB at most, which is low memory to every kernel, even to
 * one that was told to have less of it (mem=, vmalloc=). */
#define BOOT_AREA_LIMIT (256u << 8)
#define KERNEL_ROOM (32u << 8) /* frames: and so much is left below a very large boot area */

static u32 pfn_of(const void *va)
{
	return ((u32)va - VIRT_BASE) >> 12;
}

static u32 max(u32 a, u32 b)
{
	return a > b ? a : b;
}

struct shared_page memory_shared(const struct start_info *si, u32 mfn, u32 port)
{
	const u32 *mfn_list = (const u32 *)si->mfn_list;

	if (port >= EVTCHN_2L_NR_CHANNELS)
		return (struct shared_page){0};
	for (u32 pfn = 0; pfn < si->nr_pages; pfn++)
		if (mfn_list[pfn] == mfn)
			return (struct shared_page){.port = port, .pfn = pfn};
	return (struct shared_page){0};
}

/* The first pfn behind all that Xen has put into the domain's memory. */
static u32 find_boot_end(const struct layout *l, const struct start_info *si)
{
	u32 here = 0, end = pfn_of(&here) + 1;

	end = max(end, pfn_of(si) + 1);
	end = max(end, pfn_of((void *)si->pt_base) + si->nr_pt_frames);
	end = max(end, pfn_of((void *)(si->mfn_list + si->nr_pages * 4)) + 1);
	if (si->mod_len)
		end = max(end, pfn_of((void *)(si->mod_start + si->mod_len - 1)) + 1);
	if (l->store.port)
		end = max(end, l->store.pfn + 1);
	if (l->console.port)
		end = max(end, l->console.pfn + 1);
	return end;
}

/* Frames of the shadow pool, by those of the domain: the one-to-one L1 pages, and 1/64 of
 * memory for all other tables. */
static u32 pool_size(u32 pages)
{
	u32 pool = max(256, pages / 64) + (pages + 511) / 512;

	return pool < WIN_POOL_MAX ? pool : WIN_POOL_MAX;
}

/* Frames that the window, its tables and the pool take of a domain.  The tables have 4 and 2
 * bytes for each guest frame, those of the hole at A0000 included. */
static u32 own_size(u32 pages, u32 pool)
{
	return WINDOW_L1S + rom_pages() + 1 + 1 + 4 + 1 + 1 + WIN_STACK_PAGES + WIN_MONITOR_PAGES +
	       WIN_BINDING_PAGES + WIN_DISKS_PAGES + WIN_VCPU_BINDING_PAGES + (pages + 64) / 1024 +
	       1 + (pages + 64) / 2048 + 1 + 2 + pool;
}

/* The size in MB of a domain that has so many frames beside the ROM's own. */
static u32 least_mb(u32 others)
{
	u32 pages = others;

	while (pages < own_size(pages, pool_size(pages)) + others)
		pages++;
	return (pages + 255) >> 8;
}

void memory_divide(struct layout *l, const struct start_info *si)
{
	u32 pages = si->nr_pages, own, boot, mapped;

	l->si = si;
	l->mfn_list = (const u32 *)si->mfn_list;
	if (!(si->flags & SIF_INITDOMAIN)) {
		l->console = memory_shared(si, si->console.domU.mfn, si->console.domU.evtchn);
		l->store = memory_shared(si, si->store_mfn, si->store_evtchn);
	}
	l->boot_end = boot = find_boot_end(l, si);
	room_of_kernel((const u8 *)payload.kernel.addr, payload.kernel.size, &l->room);
	l->pool_pages = pool_size(pages);
	own = own_size(pages, l->pool_pages);
	if (pages > GUEST_PAGES_MAX)
		fail("the domain has %u MB; more than %u MB are not supported", pages >> 8,
		     GUEST_PAGES_MAX >> 8);
	/* Xen's bootstrap tables map at least 512 KB behind the boot area, up to a multiple of
	 * 4 MB, and writable: frames there cannot be typed as page tables. */
	mapped = (boot + 128 + 1023) & ~1023u;
	if (pages < own + mapped)
		fail("the domain has %u MB, and kernel file, initrd and the ROM take more: give it "
		     "%u MB or more",
		     pages >> 8, least_mb(mapped));
	l->reserve_first = pages - own;
	l->reserve_next = l->reserve_first;
}

u32 memory_take(struct layout *l)
{
	return l->reserve_next++;
}

/* The number of guest frames that so many pages of memory make, with the hole. */
static u32 count_low(u32 pages)
{
	return pages > HOLE_FIRST ? pages + HOLE_END - HOLE_FIRST : pages;
}

/* The size in MB of a domain whose guest memory ends at this guest frame. */
static u32 domain_mb(u64 end)
{
	return least_mb((u32)end - (HOLE_END - HOLE_FIRST));
}

/* Puts the boot area as high as it may lie, but not where the kernel unpacks itself. */
static void place_boot_area(struct layout *l)
{
	const struct room *r = &l->room;
	u32 pages = l->si->nr_pages, before = l->reserve_first - l->boot_end;
	u32 memory = count_low(before) + l->boot_end;
	u32 limit = max(BOOT_AREA_LIMIT, l->boot_end + KERNEL_ROOM);

	l->boot_gpfn = room_beside(r, (memory > limit ? limit : memory) - l->boot_end, l->boot_end,
				   memory);
	if (!l->boot_gpfn)
		fail("the kernel needs %u MB from %u MB on, kernel file and initrd take %u MB and "
		     "the ROM %u MB: the domain has %u MB, give it %u MB or more",
		     (u32)((r->end - r->start + 0xFFFFF) >> 20), (u32)(r->start >> 20),
		     (l->boot_end + 255) >> 8, (pages - l->reserve_first + 255) >> 8, pages >> 8,
		     domain_mb(room_needed(r, l->boot_end)));
}

/* Xen's shared pages lie in the boot area, but must not be the guest's: frames of the ROM's
 * replace them. */
void memory_assign(struct layout *l, u32 *gmfn)
{
	u32 g = 0, pfn = l->boot_end;

	place_boot_area(l);
	for (; g < l->boot_gpfn; g++)
		gmfn[g] = g >= HOLE_FIRST && g < HOLE_END ? GMFN_NONE : l->mfn_list[pfn++];
	for (u32 i = 0; i < l->boot_end; i++)
		gmfn[g++] = l->mfn_list[i];
	while (pfn < l->reserve_first)
		gmfn[g++] = l->mfn_list[pfn++];
	l->guest_pages = g;
	if (l->store.port)
		gmfn[l->boot_gpfn + l->store.pfn] = l->mfn_list[memory_take(l)];
	if (l->console.port)
		gmfn[l->boot_gpfn + l->console.pfn] = l->mfn_list[memory_take(l)];
}
