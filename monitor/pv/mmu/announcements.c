/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Announcements: what the guest says of its page tables and of the TLB.
 *
 * Kept true: after an announcement no shadow entry allows more than the guest's tables do.
 * What the guest takes away is taken away at once or, in lazy mode, queued.  What it gives
 * waits for the page fault, but for what it is about to use (fill_cache.c).
 */
#include "paging.h"

static struct shadow *const s = &PV->shadow;

/* Weakens the shadow's entry index of that page, which is old now, to what the guest's entry
 * pte allows.  A queued change is not in the page yet, so we may start from the old entry
 * again: that is right, for each result obeys the guest's present entry. */
static always_inline void weaken(u32 page, u32 index, struct entry old, struct entry pte)
{
	struct vcpu *const v = VCPU;
	u32 frame = entry_frame(pte), low = old.low, high = old.high;

	if (!(pte.low & PTE_P) || !(pte.low & PTE_A) || !has_memory(frame) ||
	    (entry_nx(pte) && !guest_has_nx(v)) ||
	    GMFN[frame] != (old.low >> PAGE_SHIFT | (old.high & 0xFFFFF) << 20)) {
		low = high = 0;
	} else {
		if (!(pte.low & PTE_RW) || !(pte.low & PTE_D))
			low &= ~(u32)(PTE_RW | PTE_D);
		if (!(pte.low & PTE_US) && v->paravirtual)
			low &= ~(u32)PTE_US;
		if (entry_nx(pte))
			high |= 1u << 31;
		if (low == old.low && high == old.high)
			return;
	}
	COUNT(shadow_weakened);
	queue_write(page, index, low, high);
	v->tlb_stale = true;
}

/* The guest has written an entry of a table with that head of WIN_HEADS.  A table of 1024
 * entries has two shadows, each of one half. */
static always_inline void table_changed(u32 head, const u32 *entry, bool wide)
{
	u32 index = ((uintptr_t)entry & (PAGE_SIZE - 1)) / (wide ? 8 : 4);
	struct entry pte =
		entry_read((const u8 *)entry - ((uintptr_t)entry & (wide ? 7 : 3)), wide);

	for (u32 at = head & ~HEAD_DIRECTORY; at != SHADOW_NONE; at = s->pool[at].next)
		if (wide || index >> 9 == (s->pool[at].l2i & 1u)) {
			struct entry old;

			if (fill_is_queued(at, index & 511))
				queue_flush();
			old = entry_read(&pool_table(at)[index & 511], true);
			if (old.low & PTE_P)
				weaken(at, index & 511, old, pte);
		}
}

void shadow_entry_changed(u32 gpfn, const u32 *entry)
{
	u32 head = HEADS[gpfn];

	if (head == SHADOW_NONE)
		return;
	if (guest_is_wide(VCPU))
		table_changed(head, entry, true);
	else
		table_changed(head, entry, false);
	if (head & HEAD_DIRECTORY)
		root_directory_changed(gpfn, entry, guest_is_wide(VCPU));
	if (!VCPU->lazy)
		queue_flush();
}

/* All shadows of the guest table become idle. */
static void make_shadows_idle(u32 gpfn)
{
	u32 at;

	queue_flush();
	while ((at = HEADS[gpfn] & ~HEAD_DIRECTORY) != SHADOW_NONE) {
		pool_l1_empty(at);
		pool_l1_relink(at, GPFN_NONE, (struct entry){0});
	}
}

/* Other roots that had it as a directory or top table forget that; the processor goes on
 * to use what is loaded, so the current root keeps it. */
void shadow_release_table(u32 gpfn)
{
	u16 head = SHADOW_NONE;

	make_shadows_idle(gpfn);
	if (!(HEADS[gpfn] & HEAD_DIRECTORY))
		return;
	for (u32 i = 0; i < s->root_limit && s->roots[i].made; i++) {
		struct root *r = &s->roots[i];

		for (u32 l3i = 0; l3i < 4; l3i++) {
			if (r->table[l3i] != gpfn)
				continue;
			if (i == SHADOW_CPU->current) {
				head |= HEAD_DIRECTORY;
				continue;
			}
			root_forget_table(r, l3i);
			root_resync(VCPU, r, l3i);
		}
		if (r->live && r->key >> 12 == gpfn && i != SHADOW_CPU->current)
			r->live = false;
	}
	HEADS[gpfn] = head;
}

void shadow_reread_table(u32 gpfn)
{
	make_shadows_idle(gpfn);
	if (HEADS[gpfn] & HEAD_DIRECTORY)
		for (u32 i = 0; i < s->root_limit && s->roots[i].made; i++)
			for (u32 l3i = 0; l3i < 4; l3i++)
				if (s->roots[i].table[l3i] == gpfn)
					root_resync(VCPU, &s->roots[i], l3i);
}

/* Weakens the shadow's entry for va, which is in that POOL_L1, to what the guest's tables
 * allow now. */
static void reread_entry(struct vcpu *v, gva_t va, u32 page)
{
	struct entry old = entry_read(&pool_table(page)[va >> 12 & 511], true);
	struct walk w;

	if (!(old.low & PTE_P))
		return;
	walk_guest(v, va, &w);
	if (!w.present || w.table != s->pool[page].gpfn)
		w.pte.low = 0;
	weaken(page, va >> 12 & 511, old, w.pte);
	queue_flush();
}

bool space_show_mmio(struct vcpu *v)
{
	(void)v;
	return true;
}

void space_invlpg(struct vcpu *v, gva_t va)
{
	u32 page;

	queue_flush();
	if (va >= WINDOW_BASE || !s->paging_on)
		return;
	page = root_l1(root_current(), L2I(va));
	if (page != SHADOW_NONE) {
		if (s->pool[page].kind == POOL_L1)
			reread_entry(v, va, page);
		else if (v->paravirtual)
			return; /* a one-to-one page, which never changes */
		else
			root_unhook(root_current(), L2I(va));
	}
	if (v->tlb_stale && !xen_did(mmu_invlpg(va)))
		tlb_flush();
}

void shadow_flush_tlb(struct vcpu *v)
{
	queue_flush();
	if (!v->paravirtual && s->paging_on)
		root_drop_all(root_current());
	if (v->paravirtual && guest_is_wide(v)) /* as a load of CR3 does */
		root_load_tables(v, root_current());
	if (v->tlb_stale)
		tlb_flush();
}

/* Mapping 0, if it begins with frame 0, is the kernel's linear mapping of low memory.  The
 * guest may announce more than it maps, or before it maps it; so a chunk is hooked only
 * when a fault of the kernel's finds that the guest's own tables map it so.  That is soon
 * enough, for a kernel touches a stack before it uses it as one.  Every other mapping,
 * number 0 too, says where tables are for the moment. */
void shadow_set_linear(struct vcpu *v, u32 number, u32 va, u32 pages, u32 gpfn)
{
	bool low_memory = !number && !gpfn && pages && !(va & 0x1FFFFF) && va < WINDOW_BASE;

	SHADOW_CPU->highpte[number].va = va;
	SHADOW_CPU->highpte[number].pages = low_memory ? 0 : pages;
	SHADOW_CPU->highpte[number].gpfn = gpfn;
	if (!low_memory)
		return;
	if (pages > s->guest_pages)
		pages = s->guest_pages;
	if (pages > (WINDOW_BASE - va) >> 12)
		pages = (WINDOW_BASE - va) >> 12;
	if (!s->linear_pages) { /* the first counts: every vCPU announces it */
		s->linear_base = va;
		s->linear_pages = pages;
	}
	shadow_keep_stack(v);
}

u32 shadow_ptep_gpfn(struct vcpu *v, gva_t ptep)
{
	u32 page = (ptep - s->linear_base) >> 12;
	u64 gpa;

	if (linear_address(page))
		return page;
	for (u32 i = 0; i < ARRAY_SIZE(SHADOW_CPU->highpte); i++)
		if ((ptep - SHADOW_CPU->highpte[i].va) >> 12 < SHADOW_CPU->highpte[i].pages) {
			page = SHADOW_CPU->highpte[i].gpfn +
			       ((ptep - SHADOW_CPU->highpte[i].va) >> 12);
			return has_memory(page) ? page : GPFN_NONE;
		}
	if (ptep >= WINDOW_BASE || !space_translate(v, ptep, &gpa) ||
	    !has_memory((u32)(gpa >> PAGE_SHIFT)))
		return GPFN_NONE;
	return (u32)(gpa >> PAGE_SHIFT);
}
