/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's directories behind a root.
 *
 * Kept true:
 *  - root.table[] has what the guest's PDPTEs said at the last load; of a 2-level guest all
 *    four are its one directory.
 *  - A frame's head in WIN_HEADS has HEAD_DIRECTORY if and only if some root has the frame
 *    in table[].
 *  - What is hooked at an L2 index shadows the table to which the guest's directory entry
 *    led when it was last announced or loaded.
 */
#include "paging.h"

static struct shadow *const s = &PV->shadow;

/* The place in directory_owner[] for that directory; another may have it. */
static struct directory_owner *owner_of(u32 gpfn)
{
	return &s->directory_owner[gpfn % ARRAY_SIZE(s->directory_owner)];
}

/* The root that has the directory, if no other root has it and that is known; else NULL. */
static struct root *owning_root(u32 gpfn)
{
	return owner_of(gpfn)->gpfn == gpfn ? &s->roots[owner_of(gpfn)->root] : NULL;
}

/* Detaches the POOL_L1 that is hooked at l2i if it shadows something else than what pde, the
 * guest's directory entry there, leads to.  It is detached if A is clear, too: the next
 * access must fault to set it. */
static void resync(struct root *r, u32 l2i, struct entry pde)
{
	u32 page = root_l1(r, l2i), want = GPFN_NONE;

	if ((pde.low & (PTE_P | PTE_A | PTE_PSE)) == (PTE_P | PTE_A))
		want = entry_frame(pde);
	if (s->pool[page].gpfn != want ||
	    (want != GPFN_NONE && !entry_same(s->pool[page].pde, entry_key(pde))) ||
	    (want == GPFN_NONE && pool_l1_is_dirty(page)))
		root_detach(r, l2i);
}

void root_resync(struct vcpu *v, struct root *r, u32 l3i)
{
	bool wide = guest_is_wide(v);
	u8 *directory =
		r->table[l3i] == GPFN_NONE ? NULL : guest_page(r->table[l3i], PAGE_DIRECTORY);

	for (u32 word = l3i * 16; word < l3i * 16 + 16; word++)
		for (u32 bits = r->hooked[word]; bits; bits &= bits - 1) {
			u32 l2i = word * 32 + (u32)__builtin_ctz(bits);
			struct entry pde = {0};

			if (directory)
				pde = entry_read(directory_entry(directory, l2i << 21, wide), wide);
			resync(r, l2i, pde);
		}
}

void root_directory_changed(u32 gpfn, const u32 *entry, bool wide)
{
	u32 index = ((uintptr_t)entry & (PAGE_SIZE - 1)) / (wide ? 8 : 4);
	struct entry pde =
		entry_read((const u8 *)entry - ((uintptr_t)entry & (wide ? 7 : 3)), wide);
	struct root *r = owning_root(gpfn), *end = r ? r + 1 : s->roots + s->root_limit;

	for (r = r ? r : s->roots; r < end && r->made; r++)
		for (u32 l3i = 0; l3i < 4; l3i++) {
			u32 l2i = wide ? l3i * 512 + index : index * 2;

			if (r->table[l3i] != gpfn || l2i >> 9 != l3i)
				continue;
			if (is_hooked(r, l2i))
				resync(r, l2i, pde);
			if (!wide && is_hooked(r, l2i + 1))
				resync(r, l2i + 1, pde);
		}
}

void root_forget_table(struct root *r, u32 l3i)
{
	r->table[l3i] = GPFN_NONE;
	r->pdptes_cached = false;
}

/* Has the root the frame as a directory? */
static bool has_directory(const struct root *r, u32 gpfn)
{
	return r->table[0] == gpfn || r->table[1] == gpfn || r->table[2] == gpfn ||
	       r->table[3] == gpfn;
}

/* Has any root the frame as a directory? */
static bool is_directory(u32 gpfn)
{
	const struct root *only = owning_root(gpfn);

	if (only)
		return has_directory(only, gpfn);
	for (const struct root *r = s->roots; r < s->roots + s->root_limit && r->made; r++)
		if (has_directory(r, gpfn))
			return true;
	return false;
}

void root_set_table(struct root *r, u32 l3i, u32 gpfn)
{
	u32 old = r->table[l3i];

	r->table[l3i] = gpfn;
	fill_cache_forget();
	if (old != GPFN_NONE && !is_directory(old))
		HEADS[old] &= (u16)~HEAD_DIRECTORY;
	if (gpfn == GPFN_NONE)
		return;
	if (!(HEADS[gpfn] & HEAD_DIRECTORY))
		*owner_of(gpfn) = (struct directory_owner){gpfn, (u32)(r - s->roots)};
	else if (owning_root(gpfn) != r)
		owner_of(gpfn)->gpfn = GPFN_NONE;
	HEADS[gpfn] |= HEAD_DIRECTORY;
}

/* Takes one PDPTE, or CR3 of a 2-level guest, into the root. */
static void load_table(struct vcpu *v, struct root *r, u32 l3i, struct entry e)
{
	u32 gpfn = e.low & PTE_P ? entry_frame(e) : GPFN_NONE;

	if (!has_memory(gpfn))
		gpfn = GPFN_NONE;
	if (r->table[l3i] != gpfn) {
		root_set_table(r, l3i, gpfn);
		if (v->paravirtual)
			root_resync(v, r, l3i);
	}
	r->pdpte[l3i] = e.low;
	r->directory[l3i] = linear_address(gpfn);
	if ((e.low & PTE_P) && !r->directory[l3i])
		r->pdptes_cached = false;
}

void root_load_tables(struct vcpu *v, struct root *r)
{
	const u32 *p = (const u32 *)((u8 *)guest_page(v->cr3 >> PAGE_SHIFT, PAGE_TOP) +
				     (v->cr3 & (PAGE_SIZE - 1) & ~31u));
	bool wide = guest_is_wide(v);
	struct entry narrow = {(v->cr3 & ~(PAGE_SIZE - 1)) | PTE_P, 0};

	if (!r->pdptes_cached ||
	    (wide ? p[0] != r->pdpte[0] || p[2] != r->pdpte[1] || p[4] != r->pdpte[2] ||
			     p[6] != r->pdpte[3] || (p[1] | p[3] | p[5] | p[7])
		  : narrow.low != r->pdpte[0])) {
		r->pdptes_cached = true;
		for (u32 l3i = 0; l3i < 4; l3i++)
			load_table(v, r, l3i, wide ? entry_read(p + l3i * 2, true) : narrow);
	}
	for (u32 l3i = 0; l3i < 4; l3i++)
		v->directory[l3i] = r->directory[l3i];
}
