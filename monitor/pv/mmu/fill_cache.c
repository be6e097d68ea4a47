/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fill cache: entries that the guest is about to use.
 *
 * A Set, or an Update, that names the entry's address in the current space is made because
 * the guest uses it next.  If the L1 for it is hooked, the shadow is filled at once, which
 * saves a fault.
 *
 * To find out where an entry belongs takes longer than to fill it, and a guest fills a table
 * for some time.  So the place is remembered: SHADOW_CPU->fill_cache is a guest table, the one
 * POOL_L1 that shadows it, and what the guest's directory said when that was found.
 *
 * Kept true: while a table is cached, that POOL_L1 is its only shadow for those 2 MB, and is
 * hooked in the current root and in no other.  Whoever changes that calls
 * fill_cache_forget().  The guest's directory entry is compared each time, for the guest may
 * have changed it and not announced that.
 */
#include "paging.h"
#include "monitor/vmi/vmi.h"

static struct shadow *const s = &PV->shadow;

/* The POOL_L1 that shadows at l2i the guest table with that head of WIN_HEADS, if it is the
 * only one that does; else SHADOW_NONE. */
static u32 only_shadow(u32 head, u32 l2i, bool wide)
{
	u32 next = s->pool[head].next;

	/* A table of 1024 entries has a shadow for its other half, too. */
	if (!wide && next != SHADOW_NONE) {
		if (s->pool[head].l2i == (l2i ^ 1)) {
			head = next;
			next = s->pool[head].next;
		} else if (s->pool[next].l2i == (l2i ^ 1)) {
			next = s->pool[next].next;
		}
	}
	return next == SHADOW_NONE && s->pool[head].l2i == l2i ? head : SHADOW_NONE;
}

/* Caches the guest's table gpfn, which has va's entry; false if it cannot be. */
static bool fill_cache_find(u32 gpfn, gva_t va, bool wide)
{
	struct vcpu *const v = VCPU;
	u32 head = HEADS[gpfn], page;
	u8 *directory = (u8 *)(uintptr_t)v->directory[va >> 30];
	gva_t at = linear_address(gpfn);
	struct entry pde;

	if (head == SHADOW_NONE || (head & HEAD_DIRECTORY) || !directory || !v->paravirtual ||
	    va >= WINDOW_BASE)
		return false;
	page = only_shadow(head, L2I(va), wide);
	if (page == SHADOW_NONE || s->pool[page].only_root != SHADOW_CPU->current)
		return false;
	directory = directory_entry(directory, va, wide);
	pde = entry_read(directory, wide);
	if (!entry_same(entry_key(pde), s->pool[page].pde) || (entry_nx(pde) && !guest_has_nx(v)))
		return false;
	SHADOW_CPU->fill_cache.gpfn = gpfn;
	SHADOW_CPU->fill_cache.at = at ? at : NO_CACHED_TABLE;
	SHADOW_CPU->fill_cache.long_at = wide ? SHADOW_CPU->fill_cache.at : NO_CACHED_TABLE;
	SHADOW_CPU->fill_cache.flags = L2I(va) << 21 | CURRENT_AS_PT;
	SHADOW_CPU->fill_cache.page = page;
	SHADOW_CPU->fill_cache.l1 = WIN_POOL + page * PAGE_SIZE;
	SHADOW_CPU->fill_cache.dirty_groups = s->pool[page].dirty_groups;
	SHADOW_CPU->fill_cache.bad_high = guest_has_nx(v) ? 0x000FFFFFu : 0x800FFFFFu;
	SHADOW_CPU->fill_cache.pde_at = (const u32 *)directory;
	SHADOW_CPU->fill_cache.pde = pde;
	return true;
}

/* flags: a call's, with the address.  Does the cached POOL_L1 map that address in the current
 * space, and does the guest's directory lead to the table as it did? */
static always_inline bool fill_cache_covers(u32 flags, bool wide)
{
	return !((SHADOW_CPU->fill_cache.flags ^ flags) & (0xFFE00000u | CURRENT_AS_PT)) &&
	       entry_same(entry_read(SHADOW_CPU->fill_cache.pde_at, wide),
			  SHADOW_CPU->fill_cache.pde);
}

/* Is that the place, in whatever table, of the entry for va? */
static always_inline bool entry_is_for(const u32 *entry, gva_t va, bool wide)
{
	return !(((uintptr_t)entry ^ (wide ? va >> 9 : va >> 10)) & (wide ? 0xFF8 : 0xFFC));
}

/* May the entry be shadowed, as far as its low word tells?  With A clear we must fault, to set
 * A. */
static always_inline bool can_be_filled(struct entry pte)
{
	return (pte.low & (PTE_P | PTE_A)) == (PTE_P | PTE_A) && has_memory(pte.low >> PAGE_SHIFT);
}

/* Queues a fill: a write that may allow more than the shadow's entry does now.  All that are
 * queued are of one POOL_L1 (shadow.fills). */
static void queue_fill(u32 page, gva_t va, u32 low, u32 high)
{
	u32 index = va >> PAGE_SHIFT & 511;

	if (SHADOW_CPU->fills.page != page)
		queue_flush();
	queue_write(page, index, low, high);
	if (SHADOW_CPU->fills.page != page || SHADOW_CPU->fills.last < index)
		SHADOW_CPU->fills.last = index;
	SHADOW_CPU->fills.page = page;
	pool_l1_mark_dirty(page, va);
	VCPU->tlb_stale = true;
	if (!VCPU->lazy)
		queue_flush();
}

/* Fills the cached POOL_L1's entry for va from the guest's, with one hypercall or, in lazy
 * mode, none.  false: that entry cannot be shadowed, or only by a fault. */
static always_inline bool fill_cache_fill(struct entry pte, gva_t va, bool wide)
{
	u32 pde = SHADOW_CPU->fill_cache.pde.low, page = SHADOW_CPU->fill_cache.page, mfn, low,
	    high;
	struct entry old;

	if (!can_be_filled(pte) || (wide && (pte.high & SHADOW_CPU->fill_cache.bad_high)))
		return false;
	mfn = GMFN[pte.low >> PAGE_SHIFT];
	low = mfn << PAGE_SHIFT | PTE_P | PTE_A | PTE_D |
	      (pde & pte.low & (PTE_US | (pte.low & PTE_D) / (PTE_D / PTE_RW)));
	high = mfn >> 20;
	if (wide)
		high |= (SHADOW_CPU->fill_cache.pde.high | pte.high) & 1u << 31;
	COUNT(shadow_wanted);
	if (VCPU->lazy || SHADOW_CPU->queued) {
		queue_fill(page, va, low, high);
		return true;
	}
	old = entry_read(&pool_table(page)[va >> PAGE_SHIFT & 511], true);
	if (old.low != low || old.high != high)
		pool_l1_write(page, va, old.low, (u64)high << 32 | low);
	return true;
}

/* Fills the entry for va, if the fill cache can have its table; false: the shadow is as it was. */
static always_inline bool fill_wanted(u32 gpfn, const u32 *entry, gva_t va, bool wide)
{
	struct entry pte = entry_read(entry, wide);

	return can_be_filled(pte) && entry_is_for(entry, va, wide) &&
	       ((SHADOW_CPU->fill_cache.gpfn == gpfn &&
		 fill_cache_covers(va | CURRENT_AS_PT, wide)) ||
		fill_cache_find(gpfn, va, wide)) &&
	       fill_cache_fill(pte, va, wide);
}

void shadow_entry_wanted(u32 gpfn, const u32 *entry, gva_t va)
{
	if (!(guest_is_wide(VCPU) ? fill_wanted(gpfn, entry, va, true)
				  : fill_wanted(gpfn, entry, va, false)))
		shadow_entry_changed(gpfn, entry);
}

/* Does the fill cache describe exactly this entry, and the use of it that flags tell? */
static always_inline bool fill_cache_describes(const u32 *entry, u32 flags, bool wide)
{
	return ((uintptr_t)entry & ~(uintptr_t)(wide ? 0xFF8 : 0xFFC)) ==
		       SHADOW_CPU->fill_cache.at &&
	       entry_is_for(entry, flags, wide) && fill_cache_covers(flags, wide);
}

/* The guest frame that the linear mapping has there. */
static u32 linear_frame(const u32 *entry)
{
	return ((gva_t)(uintptr_t)entry - s->linear_base) >> PAGE_SHIFT;
}

/* What SetPxELong and SetPxE do, void regparm3 from entry/pv/vmi.asm, when the entry lies in
 * the linear mapping, aligned, and in the table that was cached when the short cut looked;
 * interrupts were on then, so another may be cached now.  The common case of the first is in
 * assembly, too: SetPxELong_cached.  high, low, pte: the entry's value; flags: of the call.
 * SetPxELong has them on the stack. */
void regparm3 fill_cache_SetPxELong(u32 low, u32 high, u32 *entry)
{
	u32 flags = stack_argument(0);

	((volatile u32 *)entry)[1] = high;
	((volatile u32 *)entry)[0] = low;
	if (!guest_is_wide(VCPU) || !fill_cache_describes(entry, flags, true) ||
	    !fill_cache_fill((struct entry){low, high}, flags & ~(PAGE_SIZE - 1), true))
		vmi_SetPxELong_stored(linear_frame(entry), entry, flags);
}

void regparm3 fill_cache_SetPxE(u32 pte, u32 *entry, u32 flags)
{
	*(volatile u32 *)entry = pte;
	if (guest_is_wide(VCPU) || !fill_cache_describes(entry, flags, false) ||
	    !fill_cache_fill((struct entry){pte, 0}, flags & ~(PAGE_SIZE - 1), false))
		vmi_SetPxE_stored(linear_frame(entry), entry, flags);
}
