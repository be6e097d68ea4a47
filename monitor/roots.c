/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Roots: the address spaces that Xen loads, each an L3 with four L2 pages of
 * its own.
 *
 * Kept true:
 *  - A root is pinned once and for good; unpinning one costs 100,000
 *    instructions.  For another guest address space it gets a new key.
 *  - Every root has the ROM's window and the guest's linear mapping hooked,
 *    always: what may be a kernel stack never misses.
 *  - root.hooked has a bit for exactly those L2 slots that hold a POOL_L1.
 *    A hooked POOL_L1 may be empty and belong to no guest table (an orphan):
 *    it waits for the next table at the same slot, because touching an L2
 *    entry flushes the TLB.
 *  - root.table[] holds what the guest's PDPTEs said at the last load; for a
 *    2-level guest all four are the page directory.
 */
#include "mem.h"
#include "paging.h"

static struct shadow *const s = &MON->shadow;

#define L2_FLAGS (PTE_P | PTE_RW | PTE_A | PTE_D)

static void write_l2(struct root *r, u32 l2i, u64 value)
{
	queue_flush();
	queue_write(r->l2[l2i >> 9], l2i & 511, (u32)value, (u32)(value >> 32));
	queue_flush();
}

/* Hooks a POOL_L1 or POOL_PHYS page.  A POOL_L1's entries say themselves who
 * may use them; for a POOL_PHYS user decides. */
void root_hook(struct root *r, u32 l2i, u32 page, bool user)
{
	target_forget();
	write_l2(r, l2i, (u64)pool_mfn(page) << 12 | L2_FLAGS | (user ? PTE_US : 0));
	COUNT(shadow_hooked);
	if (s->pool[page].kind == POOL_L1) {
		r->hooked[l2i >> 5] |= 1u << (l2i & 31);
		s->pool[page].home = s->pool[page].hooks++ ? NO_HOME : (u8)(r - s->roots);
	}
}

void root_unhook(struct root *r, u32 l2i)
{
	u32 page = root_l1(r, l2i);

	if (page == SHADOW_NONE)
		return;
	target_forget();
	write_l2(r, l2i, 0);
	if (s->pool[page].kind == POOL_L1) {
		r->hooked[l2i >> 5] &= ~(1u << (l2i & 31));
		s->pool[page].hooks--;
		s->pool[page].home = NO_HOME;
	}
}

/* Where it is noted that a directory belongs to one root, if it is. */
static struct owner *owner(u32 gpfn)
{
	return &s->owner[gpfn % ARRAY_SIZE(s->owner)];
}

/* The only root that has the directory, NULL if that is not known. */
static struct root *only_root(u32 gpfn)
{
	return owner(gpfn)->gpfn == gpfn ? &s->roots[owner(gpfn)->root] : NULL;
}

static bool is_hooked(const struct root *r, u32 l2i)
{
	return r->hooked[l2i >> 5] >> (l2i & 31) & 1;
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

/* The guest table behind l2i is another one now, or none. */
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

/* Detaches the POOL_L1 that is hooked at l2i if it differs from what the guest's
 * directory has there now; if the accessed bit is clear, too, so that a fault sets
 * it. */
static void resync(struct root *r, u32 l2i, struct entry pde)
{
	u32 page = root_l1(r, l2i), want = GPFN_NONE;

	if ((pde.low & (PTE_P | PTE_A | PTE_PSE)) == (PTE_P | PTE_A))
		want = entry_frame(pde);
	if (s->pool[page].gpfn != want ||
	    (want != GPFN_NONE && !entry_same(s->pool[page].pde, entry_key(pde))) ||
	    (want == GPFN_NONE && pool_l1_written(page)))
		root_detach(r, l2i);
}

/* The same for all of an L3 slot. */
void root_resync(struct vcpu *v, struct root *r, u32 slot)
{
	bool wide = guest_is_wide(v);
	u8 *directory =
		r->table[slot] == GPFN_NONE ? NULL : guest_page(r->table[slot], PAGE_DIRECTORY);

	for (u32 word = slot * 16; word < slot * 16 + 16; word++)
		for (u32 bits = r->hooked[word]; bits; bits &= bits - 1) {
			u32 l2i = word * 32 + (u32)__builtin_ctz(bits);
			struct entry pde = {0};

			if (directory)
				pde = entry_read(directory_entry(directory, l2i << 21, wide), wide);
			resync(r, l2i, pde);
		}
}

/* An entry of the guest's directory gpfn has changed: it stands at this place of
 * the page, and is of 8 bytes or, in a 2-level one, 4. */
void root_directory_changed(u32 gpfn, const u32 *entry, bool wide)
{
	u32 index = ((uintptr_t)entry & (PAGE_SIZE - 1)) / (wide ? 8 : 4);
	struct entry pde =
		entry_read((const u8 *)entry - ((uintptr_t)entry & (wide ? 7 : 3)), wide);
	struct root *r = only_root(gpfn), *end = r ? r + 1 : s->roots + s->root_limit;

	for (r = r ? r : s->roots; r < end && r->made; r++)
		for (u32 slot = 0; slot < 4; slot++) {
			u32 l2i = wide ? slot * 512 + index : index * 2;

			if (r->table[slot] != gpfn || l2i >> 9 != slot)
				continue;
			if (is_hooked(r, l2i))
				resync(r, l2i, pde);
			if (!wide && is_hooked(r, l2i + 1))
				resync(r, l2i + 1, pde);
		}
}

/* Is l2i part of what the guest announced as its linear mapping of RAM? */
bool linear_slot(u32 l2i, u32 *phys)
{
	u32 index = l2i - L2I(s->linear_base);

	if (!s->linear_pages || l2i < L2I(s->linear_base) || index * 512 >= s->linear_pages)
		return false;
	*phys = index;
	return true;
}

/* Hooks 2 MB of the linear mapping in every root, those to come included. */
void linear_hook(u32 l2i, u32 phys)
{
	s->linear_hooked[phys >> 5] |= 1u << (phys & 31);
	for (u32 i = 0; i < s->root_limit && s->roots[i].made; i++) {
		struct root *r = &s->roots[i];
		u32 page = SHADOW_NONE;

		if (is_hooked(r, l2i)) {
			/* Replaced at once: the kernel's stack may be in it. */
			page = root_l1(r, l2i);
			r->hooked[l2i >> 5] &= ~(1u << (l2i & 31));
			s->pool[page].hooks--;
			s->pool[page].home = NO_HOME;
		}
		root_hook(r, l2i, s->phys_first + phys, false);
		if (page != SHADOW_NONE && !s->pool[page].hooks)
			pool_l1_free(page);
	}
}

static void fill_l2(u64 *l2, u32 slot)
{
	for (u32 i = 0; i < 512; i++) {
		u32 l2i = slot * 512 + i, phys;

		if (l2i >= WINDOW_L2 && l2i < WINDOW_L2 + WINDOW_L1S)
			l2[i] = (u64)MON->start.window_l1[l2i - WINDOW_L2] << 12 | L2_FLAGS;
		else if (linear_slot(l2i, &phys) && linear_is_hooked(phys))
			l2[i] = (u64)pool_mfn(s->phys_first + phys) << 12 | L2_FLAGS;
	}
}

/* The next load looks again. */
void root_forget_table(struct root *r, u32 slot)
{
	r->table[slot] = GPFN_NONE;
	r->settled = false;
}

static void make_root(struct root *r)
{
	u64 *l3;

	*r = (struct root){.made = true};
	COUNT(root_made);
	for (u32 slot = 0; slot < 4; slot++) {
		root_forget_table(r, slot);
		r->l2[slot] = (u16)pool_take_raw();
		s->pool[r->l2[slot]].kind = POOL_ROOT;
		fill_l2(pool_open(r->l2[slot]), slot);
		pool_close();
	}
	r->l3 = (u16)pool_take_raw();
	s->pool[r->l3].kind = POOL_ROOT;
	l3 = pool_open(r->l3);
	for (u32 slot = 0; slot < 4; slot++)
		l3[slot] = (u64)pool_mfn(r->l2[slot]) << 12 | PTE_P;
	pool_close();
	for (u32 slot = 0; slot < 4; slot++)
		ASSERT(mmu_write_va(WIN_POOL + r->l2[slot] * PAGE_SIZE,
				    (u64)pool_mfn(r->l2[slot]) << 12 | PTE_P | PTE_A,
				    MMU_FLUSH_PAGE) == 0);
	ASSERT(mmu_pin_l3(pool_mfn(r->l3)) == 0);
}

/* POOL_PHYS: one L1 for every 2 MB of guest-physical memory. */
static void make_phys(void)
{
	s->phys_count = (s->guest_pages + 511) / 512;
	s->phys_first = s->pool_fresh;
	for (u32 n = 0; n < s->phys_count; n++) {
		u32 page = pool_take_raw();
		u64 *l1 = pool_open(page);

		for (u32 i = 0; i < 512; i++) {
			u32 gpfn = n * 512 + i;

			if (gpfn < s->guest_pages && GMFN[gpfn] != GMFN_NONE)
				l1[i] = (u64)GMFN[gpfn] << 12 | L2_FLAGS | PTE_US;
		}
		pool_close();
		s->pool[page].kind = POOL_PHYS;
		ASSERT(mmu_pin_l1(pool_mfn(page)) == 0);
	}
}

static void map_identity(struct root *r)
{
	for (u32 i = 0; i < s->phys_count && i < WINDOW_L2; i++)
		queue_write(r->l2[i >> 9], i & 511,
			    pool_mfn(s->phys_first + i) << 12 | (u32)(L2_FLAGS | PTE_US),
			    pool_mfn(s->phys_first + i) >> 20);
	queue_flush();
}

/* The bootstrap tables must go before the one-to-one pages can be typed: they
 * map the frames of the boot area writable. */
void root_start(void)
{
	s->guest_pages = MON->start.guest_pages;
	s->root_limit = s->pool_pages / 24;
	if (s->root_limit > SHADOW_ROOTS)
		s->root_limit = SHADOW_ROOTS;
	for (u32 i = 0; i < ARRAY_SIZE(s->owner); i++)
		s->owner[i].gpfn = GPFN_NONE;
	make_root(&s->roots[0]);
	ASSERT(mmu_load(pool_mfn(s->roots[0].l3)) == 0);
	ASSERT(mmu_unpin(MON->start.bootstrap_root) == 0);
	make_phys();
	map_identity(&s->roots[0]);
}

/* Takes away everything but the window; before Init there is one root. */
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

static bool has_directory(const struct root *r, u32 gpfn)
{
	return r->table[0] == gpfn || r->table[1] == gpfn || r->table[2] == gpfn ||
	       r->table[3] == gpfn;
}

/* Is the page a directory of some root still? */
static bool is_directory(u32 gpfn)
{
	const struct root *only = only_root(gpfn);

	if (only)
		return has_directory(only, gpfn);
	for (const struct root *r = s->roots; r < s->roots + s->root_limit && r->made; r++)
		if (has_directory(r, gpfn))
			return true;
	return false;
}

static void set_table(struct root *r, u32 slot, u32 gpfn)
{
	u32 old = r->table[slot];

	r->table[slot] = gpfn;
	target_forget();
	if (old != GPFN_NONE && !is_directory(old))
		HEADS[old] &= (u16)~HEAD_DIRECTORY;
	if (gpfn == GPFN_NONE)
		return;
	if (!(HEADS[gpfn] & HEAD_DIRECTORY))
		*owner(gpfn) = (struct owner){gpfn, (u32)(r - s->roots)};
	else if (only_root(gpfn) != r)
		owner(gpfn)->gpfn = GPFN_NONE;
	HEADS[gpfn] |= HEAD_DIRECTORY;
}

/* One PDPTE, or CR3 of a 2-level guest. */
static void load_table(struct vcpu *v, struct root *r, u32 slot, struct entry e)
{
	u32 gpfn = e.low & PTE_P ? entry_frame(e) : GPFN_NONE;

	if (!has_memory(gpfn))
		gpfn = GPFN_NONE;
	if (r->table[slot] != gpfn) {
		set_table(r, slot, gpfn);
		if (v->paravirtual)
			root_resync(v, r, slot);
	}
	r->pdpte[slot] = e.low;
	r->directory[slot] = linear_address(gpfn);
	if ((e.low & PTE_P) && !r->directory[slot])
		r->settled = false;
}

/* Takes the guest's PDPTEs (or its directory) into the root, which is the
 * current one or about to be. */
void root_load_tables(struct vcpu *v, struct root *r)
{
	const u32 *p = (const u32 *)((u8 *)guest_page(v->cr3 >> PAGE_SHIFT, PAGE_TOP) +
				     (v->cr3 & (PAGE_SIZE - 1) & ~31u));
	bool wide = guest_is_wide(v);
	struct entry narrow = {(v->cr3 & ~(PAGE_SIZE - 1)) | PTE_P, 0};

	if (!r->settled ||
	    (wide ? p[0] != r->pdpte[0] || p[2] != r->pdpte[1] || p[4] != r->pdpte[2] ||
			     p[6] != r->pdpte[3] || (p[1] | p[3] | p[5] | p[7])
		  : narrow.low != r->pdpte[0])) {
		r->settled = true;
		for (u32 slot = 0; slot < 4; slot++)
			load_table(v, r, slot, wide ? entry_read(p + slot * 2, true) : narrow);
	}
	for (u32 slot = 0; slot < 4; slot++)
		v->directory[slot] = r->directory[slot];
}

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

/* A root for a new address space: a dead one, one not made yet, or the one
 * that was not loaded for the longest time. */
static struct root *take_root(void)
{
	struct root *best = NULL;

	COUNT(root_miss);
	for (u32 i = 0; i < s->root_limit; i++) {
		struct root *r = &s->roots[i];

		if (i == s->current && r->live)
			continue;
		if (!best || (!r->live && best->live) ||
		    (r->live == best->live && r->made && !best->made) ||
		    (r->live == best->live && r->made == best->made && r->used < best->used))
			best = r;
		if (!r->made)
			break; /* no root behind it is made either */
	}
	ASSERT(best);
	if (!best->made)
		make_root(best);
	return best;
}

bool shadow_load(struct vcpu *v)
{
	struct root *r = root_current();
	u32 key = v->cr3 & ~31u;

	if (s->on && !has_memory(v->cr3 >> PAGE_SHIFT))
		return false;
	queue_flush();
	if (!v->paravirtual) {
		root_drop_all(r);
		s->on = v->cr0 & CR0_PG;
		if (s->on)
			root_load_tables(v, r);
		else
			map_identity(r);
		return true;
	}
	COUNT(root_load);
	r = find_root(key);
	if (!r)
		r = take_root();
	r->used = ++s->clock;
	r->live = true;
	r->key = key;
	root_load_tables(v, r);
	if (r == root_current()) {
		shadow_flush_tlb(v);
		return true;
	}
	s->current = (u32)(r - s->roots);
	target_forget();
	ASSERT(mmu_load(pool_mfn(r->l3)) == 0);
	v->tlb_stale = false;
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
		for (u32 slot = 0; slot < 4; slot++)
			set_table(r, slot, GPFN_NONE);
		r->settled = r->live = false;
	}
	shadow_load(v);
}
