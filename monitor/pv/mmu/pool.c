/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shadow pool: frames that the guest never sees, and that Xen may type as page tables.
 *
 * Kept true:
 *  - A page that is typed has no writable mapping: its contents were written through the
 *    one page at WIN_TEMP, which is closed before, and are read through the read-only
 *    mapping at WIN_POOL.
 *  - POOL_FREE and POOL_L1 pages are pinned as L1s.  To validate one costs 10,000
 *    instructions, so the pin is given up only where many entries are written at once
 *    (queue.c), or for a root.
 *  - POOL_FREE pages are empty.
 *  - Where a bit of pool_page.dirty_groups is clear, those 8 entries of the POOL_L1 are
 *    empty, and no fill of one is queued.
 *
 * That the pool runs out is no failure: the clock takes an L1 away from whoever has it, and
 * faults bring its entries back.
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

void *pool_edit(u32 page)
{
	u64 pte = (u64)pool_mfn(page) << 12 | PTE_P | PTE_RW | PTE_A | PTE_D;

	return xen_did(mmu_map(WIN_TEMP, pte)) ? (void *)(uintptr_t)WIN_TEMP : NULL;
}

void *pool_open(u32 page)
{
	void *at = pool_edit(page);

	return at ? memset(at, 0, PAGE_SIZE) : NULL;
}

bool pool_close(void)
{
	return xen_did(mmu_map(WIN_TEMP, 0));
}

bool pool_show(u32 page)
{
	return xen_did(
		mmu_map(WIN_POOL + page * PAGE_SIZE, (u64)pool_mfn(page) << 12 | PTE_P | PTE_A));
}

/* Takes a POOL_L1 out of the chain of its guest table, if it has one. */
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

void pool_lose(u32 page)
{
	fill_cache_forget();
	if (s->pool[page].kind == POOL_L1)
		unlink_head(page);
	s->pool[page].kind = POOL_LOST;
}

/* Ends the domain: the entry that a fault or a Set waits for cannot be left out.  Also called by
 * SetPxELong_cached in entry/pv/vmi.asm. */
noreturn void regparm3 pool_l1_refused(gva_t va, int err)
{
	domain_die("Xen refused to map %08x (error %d): the domain cannot go on", va, err);
}

void pool_l1_write_again(u32 page, gva_t va, u64 spte)
{
	if (!xen_did(mmu_write_one(entry_address(page, va >> PAGE_SHIFT & 511), spte)))
		pool_l1_refused(va, s->xen_error);
	VCPU->tlb_stale = true;
}

void pool_l1_empty(u32 page)
{
	const volatile u64 *table = pool_table(page);

	queue_flush();
	if (!pool_l1_is_dirty(page))
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

/* The next L1 at which the clock's hand points, or an idle one a little ahead of it, which
 * nobody misses; SHADOW_NONE if there is no L1. */
static u32 victim(void)
{
	u32 found = SHADOW_NONE, looked = 0;

	for (u32 i = 0; i < s->pool_pages && looked < LOOK_AHEAD; i++) {
		u32 page = (s->hand + i) % s->pool_pages;

		if (s->pool[page].kind != POOL_L1)
			continue;
		if (s->pool[page].gpfn == GPFN_NONE && !pool_l1_is_dirty(page))
			return page;
		if (found == SHADOW_NONE)
			found = page;
		looked++;
	}
	return found;
}

/* Makes a POOL_L1 free.  It gets no second chance if it was used lately: an entry comes back by
 * one fault, and to note its use would cost more. */
static void evict(void)
{
	u32 page = victim();

	if (page == SHADOW_NONE) {
		xen_must(s->xen_error, NEED_TABLE); /* the reason, if it has refused pages */
		domain_die("the shadow pool has no page left: give the domain more memory");
	}
	s->hand = (page + 1) % s->pool_pages;
	root_unhook_everywhere(page);
	pool_l1_free(page);
	COUNT(shadow_evicted);
}

/* Takes a POOL_FREE page; the TLB has nothing of it (hooks.c). */
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

/* Takes a POOL_FREE page, or one that was never used and is an empty L1 now. */
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

/* Map slots of each use. */
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
		u->tables += p->kind == POOL_L1 && (p->gpfn != GPFN_NONE || pool_l1_is_dirty(i));
		u->orphans += p->kind == POOL_L1 && p->gpfn == GPFN_NONE && !pool_l1_is_dirty(i);
		u->linear += p->kind == POOL_ONE_TO_ONE;
		u->roots += p->kind == POOL_ROOT;
	}
}
