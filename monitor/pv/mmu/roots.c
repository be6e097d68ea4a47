/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Roots: the address spaces that Xen loads, each an L3 with four L2 pages of its own.
 * hooks.c has what is hooked in them, directories.c what the guest's directories say.
 *
 * Kept true: a root is pinned once and stays so, for to unpin one costs 100,000
 * instructions; another address space of the guest's gets it under another key.  Roots are
 * made in the order of their numbers: none behind one that is not made is made.
 */
#include "paging.h"
#include "monitor/life.h"

static struct shadow *const s = &PV->shadow;

/* What every root has behind that L3 index: the window, and what is hooked of the guest's
 * linear mapping. */
static void fill_l2(u64 *l2, u32 l3i)
{
	for (u32 i = 0; i < 512; i++) {
		u32 l2i = l3i * 512 + i, chunk;

		if (l2i >= WINDOW_L2 && l2i < WINDOW_L2 + WINDOW_L1S)
			l2[i] = (u64)PV->start.window_l1[l2i - WINDOW_L2] << 12 | L2_FLAGS;
		else if (linear_covers(l2i, &chunk) && linear_is_hooked(chunk))
			l2[i] = (u64)pool_mfn(s->one_to_one_first + chunk) << 12 | L2_FLAGS;
	}
}

#define TRIES 3u /* pages that are tried, where Xen refuses one */

static bool fill_l2_page(u32 page, u32 l3i)
{
	u64 *l2 = pool_open(page);

	if (l2)
		fill_l2(l2, l3i);
	return l2 && pool_close() && pool_show(page);
}

static bool fill_l3_page(u32 page, const struct root *r)
{
	u64 *l3 = pool_open(page);

	for (u32 l3i = 0; l3 && l3i < 4; l3i++)
		l3[l3i] = (u64)pool_mfn(r->l2[l3i]) << 12 | PTE_P;
	return l3 && pool_close() && xen_did(mmu_pin_l3(pool_mfn(page)));
}

/* Makes the root's L2 page behind that L3 index or, with 4, its L3 page. */
static bool make_page(struct root *r, u32 l3i)
{
	u16 *page = l3i < 4 ? &r->l2[l3i] : &r->l3;

	for (u32 tries = 0; tries < TRIES; tries++) {
		*page = (u16)pool_take_raw();
		s->pool[*page].kind = POOL_ROOT;
		if (l3i < 4 ? fill_l2_page(*page, l3i) : fill_l3_page(*page, r))
			return true;
		pool_lose(*page);
	}
	return false;
}

/* Makes and pins the root, without a guest address space.  false: Xen refuses, and what pages
 * it has are lost. */
static bool make_root(struct root *r)
{
	*r = (struct root){0};
	for (u32 l3i = 0; l3i < 4; l3i++)
		root_forget_table(r, l3i);
	r->made = true;
	for (u32 i = 0; r->made && i < 5; i++)
		r->made = make_page(r, i);
	COUNT(root_made);
	return r->made;
}

/* Makes and pins the one-to-one pages. */
static void make_one_to_one(void)
{
	s->one_to_one_count = (s->guest_pages + 511) / 512;
	s->one_to_one_first = s->pool_fresh;
	for (u32 n = 0; n < s->one_to_one_count; n++) {
		u32 page = pool_take_raw();
		u64 *l1 = pool_open(page);

		for (u32 i = 0; l1 && i < 512; i++) {
			u32 gpfn = n * 512 + i;

			if (gpfn < s->guest_pages && GMFN[gpfn] != GMFN_NONE)
				l1[i] = (u64)GMFN[gpfn] << 12 | L2_FLAGS | PTE_US;
		}
		s->pool[page].kind = POOL_ONE_TO_ONE;
		if (!l1 || !pool_close() || !xen_did(mmu_pin_l1(pool_mfn(page))))
			xen_must(s->xen_error, NEED_ONE_TO_ONE);
	}
}

/* Paging is off: hooks every chunk at its guest-physical address. */
static void map_identity(struct root *r)
{
	for (u32 i = 0; i < s->one_to_one_count && i < WINDOW_L2; i++)
		queue_write(r->l2[i >> 9], i & 511,
			    pool_mfn(s->one_to_one_first + i) << 12 | (u32)(L2_FLAGS | PTE_US),
			    pool_mfn(s->one_to_one_first + i) >> 20);
	queue_flush();
}

/* The one-to-one pages come last: they map the boot area writable, and so Xen's bootstrap
 * tables, which must not be tables any more by then. */
void root_start(void)
{
	s->guest_pages = MON->start.guest_pages;
	s->root_limit = s->pool_pages / 24;
	if (s->root_limit > SHADOW_ROOTS)
		s->root_limit = SHADOW_ROOTS;
	for (u32 i = 0; i < ARRAY_SIZE(s->directory_owner); i++)
		s->directory_owner[i].gpfn = GPFN_NONE;
	if (!make_root(&s->roots[0]))
		xen_must(s->xen_error, NEED_ROOT);
	xen_must(mmu_load(pool_mfn(s->roots[0].l3)), NEED_LOAD);
	xen_must(mmu_unpin(PV->start.bootstrap_root), NEED_BOOTSTRAP);
	make_one_to_one();
	map_identity(&s->roots[0]);
}

/* The root of the address space with that key; NULL if it has none. */
static struct root *find_root(u32 key)
{
	u8 *hint = &s->root_hint[(key >> 5 ^ key >> 12) % ARRAY_SIZE(s->root_hint)];
	struct root *r = &s->roots[*hint];

	if (r->live && r->key == key)
		return r;
	for (u32 i = 0; i < s->root_limit; i++) {
		r = &s->roots[i];
		if (r->live && r->key == key) {
			*hint = (u8)i;
			return r;
		}
	}
	return NULL;
}

/* The best root for a new address space: one without a space, if possible one that is made,
 * else the one that was loaded least recently.  NULL if there is only the current one. */
static struct root *best_root(void)
{
	struct root *best = NULL;

	for (u32 i = 0; i < s->root_limit; i++) {
		struct root *r = &s->roots[i];

		if (i == SHADOW_CPU->current && r->live)
			continue;
		if (!best || (!r->live && best->live) ||
		    (r->live == best->live && r->made && !best->made) ||
		    (r->live == best->live && r->made == best->made &&
		     r->last_load < best->last_load))
			best = r;
		if (!r->made)
			break; /* no root behind it is made either */
	}
	return best;
}

/* The same, made.  If Xen refuses to make another, the roots that there are must do; it may be
 * the current one then. */
static struct root *take_root(void)
{
	struct root *best;

	COUNT(root_miss);
	while ((best = best_root()) && !best->made && !make_root(best))
		s->root_limit = (u32)(best - s->roots);
	return best ? best : root_current();
}

bool shadow_load(struct vcpu *v)
{
	struct root *r = root_current();
	u32 key = v->cr3 & ~31u;

	if (s->paging_on && !has_memory(v->cr3 >> PAGE_SHIFT))
		return false;
	queue_flush();
	if (!v->paravirtual) {
		root_drop_all(r);
		s->paging_on = v->cr0 & CR0_PG;
		if (s->paging_on)
			root_load_tables(v, r);
		else
			map_identity(r);
		if (v->tlb_stale)
			tlb_flush();
		return true;
	}
	COUNT(root_load);
	r = find_root(key);
	if (!r)
		r = take_root();
	r->last_load = ++s->loads;
	r->live = true;
	r->key = key;
	root_load_tables(v, r);
	if (r == root_current()) {
		shadow_flush_tlb(v);
		return true;
	}
	SHADOW_CPU->current = (u32)(r - s->roots);
	fill_cache_forget();
	xen_must(mmu_load(pool_mfn(r->l3)), NEED_LOAD);
	tlb_is_empty();
	return true;
}

void shadow_mode_changed(struct vcpu *v)
{
	queue_flush();
	if (!v->paravirtual) {
		shadow_load(v);
		return;
	}
	for (u32 i = 0; i < s->root_limit && s->roots[i].made; i++) {
		struct root *r = &s->roots[i];

		for (u32 l2i = 0; l2i < WINDOW_L2; l2i++)
			if (is_hooked(r, l2i)) {
				u32 page = root_l1(r, l2i);

				root_unhook(r, l2i);
				if (!s->pool[page].hooks)
					pool_l1_free(page);
			}
		for (u32 l3i = 0; l3i < 4; l3i++)
			root_set_table(r, l3i, GPFN_NONE);
		r->pdptes_cached = r->live = false;
	}
	shadow_load(v);
}
