/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shadow pool: frames that the guest never sees and that Xen may type as
 * page tables.
 *
 * Kept true:
 *  - No writable mapping of a pool page exists once it is typed: contents are
 *    written through the one page at WIN_TEMP, which is closed first, and read
 *    through the read-only mapping at WIN_POOL.
 *  - A POOL_FREE or POOL_L1 page is pinned as an L1; validating costs 10,000
 *    instructions, so that is given up only to write many of its entries at once
 *    (queue.c).  POOL_FREE pages are empty.
 *  - pool_page.dirty_groups has a bit for every 8 entries of a POOL_L1 that were written.
 *
 * Running out is no failure: the clock takes an L1 away from whoever has it,
 * and a fault brings its entries back.
 */
#include "paging.h"
#include "monitor/life.h"
#include "lib/mem.h"

static struct shadow *const s = &PV->shadow;

void pool_start(void)
{
	s->pool_pages = PV->start.pool_pages;
	s->pool_fresh = 0;
	s->free = SHADOW_NONE;
	queue_start();
	fill_cache_forget();
	for (u32 i = 0; i < WIN_SLOT_COUNT; i++)
		SHADOW_CPU->slot_gpfn[i] = GPFN_NONE;
}

/* Maps an untyped page writable, until pool_close().  NULL if Xen refuses. */
void *pool_edit(u32 page)
{
	u64 pte = (u64)pool_mfn(page) << 12 | PTE_P | PTE_RW | PTE_A | PTE_D;

	return xen_did(mmu_map(WIN_TEMP, pte)) ? (void *)(uintptr_t)WIN_TEMP : NULL;
}

/* The same, and clears it. */
void *pool_open(u32 page)
{
	void *at = pool_edit(page);

	return at ? memset(at, 0, PAGE_SIZE) : NULL;
}

/* false: Xen refuses, and will not take the page for a table. */
bool pool_close(void)
{
	return xen_did(mmu_map(WIN_TEMP, 0));
}

/* Maps the page where pool_table() has it.  false if Xen refuses. */
bool pool_show(u32 page)
{
	return xen_did(
		mmu_map(WIN_POOL + page * PAGE_SIZE, (u64)pool_mfn(page) << 12 | PTE_P | PTE_A));
}

static void unlink_head(u32 page)
{
	struct pool_page *p = &s->pool[page];
	u32 flag, at;

	if (p->gpfn == GPFN_NONE)
		return;
	flag = HEADS[p->gpfn] & HEAD_DIRECTORY;
	at = HEADS[p->gpfn] & ~HEAD_DIRECTORY;
	if (at == page) {
		HEADS[p->gpfn] = (u16)(p->next | flag);
	} else {
		while (s->pool[at].next != page)
			at = s->pool[at].next;
		s->pool[at].next = p->next;
	}
	p->gpfn = GPFN_NONE;
	p->next = SHADOW_NONE;
}

/* The page shadows another guest table from now on; it must be empty. */
void pool_l1_relink(u32 page, u32 gpfn, struct entry key)
{
	struct pool_page *p = &s->pool[page];

	fill_cache_forget();
	unlink_head(page);
	p->pde = key;
	if (gpfn == GPFN_NONE)
		return;
	p->gpfn = gpfn;
	p->next = HEADS[gpfn] & ~HEAD_DIRECTORY;
	HEADS[gpfn] = (u16)(page | (HEADS[gpfn] & HEAD_DIRECTORY));
}

/* A page that Xen refuses, and that is hooked nowhere, stays unused. */
void pool_lose(u32 page)
{
	fill_cache_forget();
	if (s->pool[page].kind == POOL_L1)
		unlink_head(page);
	s->pool[page].kind = POOL_LOST;
}

/* The one entry that a fault or a Set waits for cannot be left out. */
noreturn void regparm3 pool_l1_refused(gva_t va, int err)
{
	domain_die("Xen refused to map %08x (error %d): the domain cannot go on", va, err);
}

/* Xen has refused the short way of writing the entry for va. */
void pool_l1_write_again(u32 page, gva_t va, u64 spte)
{
	if (!xen_did(mmu_write_one(entry_address(page, va >> PAGE_SHIFT & 511), spte)))
		pool_l1_refused(va, s->xen_error);
	VCPU->tlb_stale = true;
}

/* Clears every entry; the page stays hooked where it is. */
void pool_l1_empty(u32 page)
{
	const volatile u64 *table = pool_table(page);

	queue_flush();
	if (!pool_l1_written(page))
		return;
	for (u32 half = 0; half < 2; half++)
		for (u32 bits = s->pool[page].dirty_groups[half]; bits; bits &= bits - 1) {
			u32 first = (half * 32 + (u32)__builtin_ctz(bits)) * 8;

			for (u32 i = first; i < first + 8; i++)
				if (*(const volatile u32 *)&table[i] & PTE_P)
					queue_write(page, i, 0, 0);
		}
	queue_flush();
	s->pool[page].dirty_groups[0] = s->pool[page].dirty_groups[1] = 0;
	COUNT(shadow_emptied);
	VCPU->tlb_stale = true;
}

void pool_l1_free(u32 page)
{
	struct pool_page *p = &s->pool[page];

	ASSERT(p->hooks == 0);
	fill_cache_forget();
	pool_l1_empty(page);
	unlink_head(page);
	p->kind = POOL_FREE;
	p->next = (u16)s->free;
	s->free = page;
}

#define LOOK_AHEAD 64u

/* The next L1 of the clock, or an idle L1 a little ahead of it, which nobody
 * misses; SHADOW_NONE if there is no L1. */
static u32 victim(void)
{
	u32 found = SHADOW_NONE, looked = 0;

	for (u32 i = 0; i < s->pool_pages && looked < LOOK_AHEAD; i++) {
		u32 page = (s->hand + i) % s->pool_pages;

		if (s->pool[page].kind != POOL_L1)
			continue;
		if (s->pool[page].gpfn == GPFN_NONE && !pool_l1_written(page))
			return page;
		if (found == SHADOW_NONE)
			found = page;
		looked++;
	}
	return found;
}

/* Second chance is not worth its bookkeeping: entries come back one fault each. */
static void evict(void)
{
	u32 page = victim();

	if (page == SHADOW_NONE) {
		xen_must(s->xen_error, NEED_TABLE); /* if it has refused pages */
		domain_die("the shadow pool has no page left: give the domain more memory");
	}
	s->hand = (page + 1) % s->pool_pages;
	root_unhook_everywhere(page);
	pool_l1_free(page);
	COUNT(shadow_evicted);
}

/* A POOL_FREE page, of which the TLB knows nothing (hooks.c). */
static u32 take_free(void)
{
	u32 page;

	if (s->free == SHADOW_NONE)
		evict();
	page = s->free;
	s->free = s->pool[page].next;
	if (SHADOW_CPU->unhooked)
		tlb_flush();
	return page;
}

/* A page that nothing has typed, for a root or a descriptor table. */
u32 pool_take_raw(void)
{
	u32 page;

	if (s->pool_fresh < s->pool_pages)
		return s->pool_fresh++;
	while (!xen_did(mmu_unpin(pool_mfn(page = take_free()))))
		pool_lose(page);
	s->pool[page].kind = POOL_RAW;
	return page;
}

/* Makes a page that was never used an empty L1.  false if Xen refuses. */
static bool make_l1(u32 page)
{
	return pool_open(page) && pool_close() && pool_show(page) &&
	       xen_did(mmu_pin_l1(pool_mfn(page)));
}

static u32 take_free_l1(void)
{
	while (s->free == SHADOW_NONE && s->pool_fresh < s->pool_pages) {
		u32 page = s->pool_fresh++;

		if (make_l1(page))
			return page;
		pool_lose(page);
	}
	return take_free();
}

/* An empty L1 for that guest table at that L2 index; not hooked yet. */
u32 pool_l1_take(u32 gpfn, u32 l2i, struct entry key)
{
	u32 page = take_free_l1();
	struct pool_page *p = &s->pool[page];

	p->kind = POOL_L1;
	p->l2i = (u16)l2i;
	p->hooks = 0;
	p->only_root = NO_ONLY_ROOT;
	p->dirty_groups[0] = p->dirty_groups[1] = 0;
	p->gpfn = GPFN_NONE;
	p->next = SHADOW_NONE;
	pool_l1_relink(page, gpfn, key);
	return page;
}

u32 shadow_frame(gva_t va)
{
	u32 page = pool_take_raw();

	s->pool[page].kind = POOL_ROOT;
	if (!pool_open(page) || !pool_close() ||
	    !xen_did(mmu_map(va, (u64)pool_mfn(page) << 12 | PTE_P | PTE_A)))
		xen_must(s->xen_error, NEED_FRAME);
	return pool_mfn(page);
}

#define USE_SLOTS (WIN_SLOT_COUNT / PAGE_USES)

void *guest_slot(u32 gpfn, enum page_use use)
{
	u32 slot = use * USE_SLOTS + gpfn % USE_SLOTS;
	uintptr_t va = WIN_SLOTS + slot * PAGE_SIZE;

	if (!has_memory(gpfn))
		return NULL;
	if (SHADOW_CPU->slot_gpfn[slot] != gpfn) {
		xen_must(mmu_map((gva_t)va, (u64)GMFN[gpfn] << 12 | PTE_P | PTE_RW | PTE_A | PTE_D),
			 NEED_SLOT);
		SHADOW_CPU->slot_gpfn[slot] = gpfn;
	}
	slot_lent(use, (gva_t)va);
	return (void *)va;
}

void pool_count(struct pool_use *u)
{
	*u = (struct pool_use){.size = s->pool_pages, .fresh = s->pool_pages - s->pool_fresh};
	for (u32 i = 0; i < s->pool_fresh; i++) {
		const struct pool_page *p = &s->pool[i];

		u->free += p->kind == POOL_FREE;
		u->tables += p->kind == POOL_L1 && (p->gpfn != GPFN_NONE || pool_l1_written(i));
		u->orphans += p->kind == POOL_L1 && p->gpfn == GPFN_NONE && !pool_l1_written(i);
		u->linear += p->kind == POOL_ONE_TO_ONE;
		u->roots += p->kind == POOL_ROOT;
	}
}
