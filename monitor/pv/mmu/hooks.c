/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hooks: which L1s stand in the L2 pages of a root.
 *
 * Kept true:
 *  - root.hooked has a bit for each L2 index that holds a POOL_L1, and for no other;
 *    pool_page.hooks counts them.
 *  - A hooked POOL_L1 may be idle: empty, and of no guest table.  It waits for the next
 *    table at the same L2 index, because to change an L2 entry takes a flush of the TLB.
 *  - Every root has the ROM's window and what is hooked of the guest's linear mapping, at
 *    all times: what may be a kernel stack never misses.
 *  - Whoever takes a hook away accounts for the TLB.  Xen promises no flush for the write
 *    of an L2 entry, and a processor may keep that entry as well as what it has found
 *    through it.  So a page that has lost a hook in the current root gets no other use
 *    before a flush (shadow.unhooked, asked where pages are taken), and what it mapped
 *    counts as an entry that became weaker (vcpu.tlb_stale).  Other roots are in no TLB,
 *    for to load one flushes it.
 */
#include "paging.h"
#include "monitor/life.h"

static struct shadow *const s = &PV->shadow;

void tlb_flush(void)
{
	xen_must(mmu_flush_tlb(), NEED_TLB_FLUSH);
	tlb_is_empty();
}

/* Accounts for the page, which has lost its hook at l2i in the root. */
static void unhooked(struct root *r, u32 l2i, u32 page)
{
	fill_cache_forget();
	if (s->pool[page].kind == POOL_L1) {
		r->hooked[l2i >> 5] &= ~(1u << (l2i & 31));
		s->pool[page].hooks--;
		s->pool[page].only_root = NO_ONLY_ROOT;
	}
	if (r != root_current())
		return;
	SHADOW_CPU->unhooked = true;
	if (s->pool[page].kind != POOL_L1 || pool_l1_is_dirty(page))
		VCPU->tlb_stale = true;
}

/* Writes the L2 entry; what is queued goes first. */
static void write_l2(struct root *r, u32 l2i, u64 value)
{
	queue_flush();
	xen_must(mmu_write_one(entry_address(r->l2[l2i >> 9], l2i & 511), value),
		 value ? NEED_HOOK : NEED_UNHOOK);
}

void root_hook(struct root *r, u32 l2i, u32 page, bool user)
{
	fill_cache_forget();
	write_l2(r, l2i, (u64)pool_mfn(page) << 12 | L2_FLAGS | (user ? PTE_US : 0));
	COUNT(shadow_hooked);
	if (s->pool[page].kind == POOL_L1) {
		r->hooked[l2i >> 5] |= 1u << (l2i & 31);
		s->pool[page].only_root = s->pool[page].hooks++ ? NO_ONLY_ROOT : (u8)(r - s->roots);
	}
}

void root_unhook(struct root *r, u32 l2i)
{
	u32 page = root_l1(r, l2i);

	if (page == SHADOW_NONE)
		return;
	write_l2(r, l2i, 0);
	unhooked(r, l2i, page);
}

void root_hook_lost(u32 page)
{
	unhooked(&s->roots[s->pool[page].only_root], s->pool[page].l2i, page);
}

void root_unhook_everywhere(u32 page)
{
	u32 l2i = s->pool[page].l2i;

	for (u32 i = 0; i < s->root_limit && s->pool[page].hooks; i++) {
		struct root *r = &s->roots[i];

		if (r->made && is_hooked(r, l2i) && root_l1(r, l2i) == page)
			root_unhook(r, l2i);
	}
}

void root_detach(struct root *r, u32 l2i)
{
	u32 page = root_l1(r, l2i);

	if (page == SHADOW_NONE || s->pool[page].kind != POOL_L1)
		return;
	if (s->pool[page].hooks > 1) {
		root_unhook(r, l2i);
		return;
	}
	pool_l1_empty(page);
	pool_l1_relink(page, GPFN_NONE, (struct entry){0});
}

void root_drop_all(struct root *r)
{
	for (u32 l2i = 0; l2i < WINDOW_L2; l2i++) {
		u32 page = root_l1(r, l2i);

		if (page == SHADOW_NONE)
			continue;
		root_unhook(r, l2i);
		if (s->pool[page].kind == POOL_L1)
			pool_l1_free(page);
	}
}

bool linear_covers(u32 l2i, u32 *chunk)
{
	u32 index = l2i - L2I(s->linear_base);

	if (!s->linear_pages || l2i < L2I(s->linear_base) || index * 512 >= s->linear_pages)
		return false;
	*chunk = index;
	return true;
}

/* The TLB is flushed if it may have what was there before: Xen may push a frame on a stack
 * in the chunk next, and takes a fault of that for the guest's. */
void linear_hook(u32 l2i, u32 chunk)
{
	s->linear_hooked[chunk >> 5] |= 1u << (chunk & 31);
	for (u32 i = 0; i < s->root_limit && s->roots[i].made; i++) {
		struct root *r = &s->roots[i];
		u32 page = is_hooked(r, l2i) ? root_l1(r, l2i) : SHADOW_NONE;

		/* Replaced in one write: the kernel's stack may be in it. */
		root_hook(r, l2i, s->one_to_one_first + chunk, false);
		if (page == SHADOW_NONE)
			continue;
		unhooked(r, l2i, page);
		if (!s->pool[page].hooks)
			pool_l1_free(page);
	}
	if (SHADOW_CPU->unhooked)
		tlb_flush();
}
