/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shadow MMU.
 *
 * A VMI guest reads and writes its page tables as ordinary memory, with
 * guest-physical frame numbers in them; Xen wants tables of its own typing,
 * with machine frames.  So the guest's tables stay what they are, and beside
 * them the ROM keeps shadow tables that Xen loads.
 *
 * The shadow is a cache.  An entry may be missing at any time: the page fault
 * finds it in the guest's tables and fills it (shadow_fault).  Eviction,
 * adoption of live tables at Init, changes that nobody announced and a new
 * address space are therefore all the same: something is missing for a while.
 *
 * What is kept true:
 *
 *  1. A shadow entry never allows more than the guest's entry at the time of
 *     the guest's last announcement or flush for it.  Announcements weaken or
 *     clear what is shadowed (shadow_entry_changed); only one that says where
 *     in the current space the entry will be used fills it.
 *  2. Accessed and dirty are the guest's: an entry whose A is clear is not
 *     shadowed, one whose D is clear is shadowed read-only, and the fault
 *     that follows sets the bit.
 *  3. What may be a kernel stack stays there and writable once it has been
 *     touched, or Xen kills the domain when it pushes a frame: the guest's
 *     linear mapping of RAM is hooked, 2 MB at a time, in every root from
 *     one-to-one L1 pages (POOL_PHYS) that never change.  Protections that the
 *     guest sets inside it afterwards are not enforced.
 *  4. Frames without memory behind them are never shadowed.
 *  5. vcpu.tlb_stale is set whenever an entry became weaker and Xen has not
 *     flushed since; then the guest's own flush calls become hypercalls.
 *
 * Before Init the guest's kernel runs at CPL 3: entries are user entries
 * whatever the guest wrote, there is one root, and it behaves like a TLB:
 * what INVLPG or a CR3 load would drop is dropped.  A guest mapping that is
 * RAM one to one, 2 MB of it, is hooked whole.
 *
 * pool.c has the pages, roots.c the address spaces, walk.c the guest's tables.
 */
#include "paging.h"

static struct shadow *const s = &MON->shadow;

void shadow_start(void)
{
	pool_start();
	root_start();
}

/* The L1 page in which the entry for va belongs, hooked.  Of large pages, whose
 * L1s belong to no table, none is shared. */
static u32 hook_l1(struct root *r, u32 l2i, const struct walk *w)
{
	struct entry key = entry_key(w->pde);
	u32 page = root_l1(r, l2i), table = w->table, other;

	if (page != SHADOW_NONE && s->pool[page].kind == POOL_L1 && table == GPFN_NONE &&
	    s->pool[page].gpfn == GPFN_NONE && entry_same(s->pool[page].pde, key) &&
	    s->pool[page].hooks == 1)
		return page;
	other = pool_l1_find(table, l2i, key);
	if (page != SHADOW_NONE && other == SHADOW_NONE && s->pool[page].kind == POOL_L1 &&
	    s->pool[page].hooks == 1) {
		COUNT(shadow_miss);
		pool_l1_empty(page);
		pool_l1_relink(page, table, key);
		return page;
	}
	if (page != SHADOW_NONE) {
		root_unhook(r, l2i);
		if (s->pool[page].kind == POOL_L1 && s->pool[page].hooks == 0)
			pool_l1_free(page);
	}
	if (other == SHADOW_NONE) {
		COUNT(shadow_miss);
		other = pool_l1_take(table, l2i, key);
	} else {
		COUNT(shadow_hit);
	}
	root_hook(r, l2i, other, true);
	return other;
}

/* An entry of the L1 page gets a value, that for va. */
static void note_written(u32 page, gva_t va)
{
	s->pool[page].groups[va >> 20 & 1] |= 1u << (va >> 15 & 31);
}

/* Writes the entry for va, which is old until now, in the L1 hooked there. */
static void write_entry(u32 page, gva_t va, u64 old, u64 spte)
{
	int err;

	note_written(page, va);
	err = mmu_write_va(va, spte, old & PTE_P ? MMU_FLUSH_PAGE : MMU_FLUSH_NONE);
	if (err)
		guest_die("Xen refused the mapping of %08x (error %d)", va, err);
}

static void fill(struct vcpu *v, gva_t va, const struct walk *w, u64 spte)
{
	struct root *r = root_current();
	u32 page = pool_l1_find(w->table, L2I(va), entry_key(w->pde));
	u64 old;

	if (page == SHADOW_NONE || root_l1_mfn(r, L2I(va)) != pool_mfn(page))
		page = hook_l1(r, L2I(va), w);
	old = pool_table(page)[va >> 12 & 511];
	write_entry(page, va, old, spte);
	if (old == spte && va == v->last_fault_va && ++v->last_fault_count > 1000)
		guest_die("page fault at %08x that no mapping cures", va);
	if (va != v->last_fault_va)
		v->last_fault_count = 0;
	v->last_fault_va = va;
}

/* What the guest sees of the hardware's error code, but for PF_P. */
static u32 fault_code(const struct vcpu *v, u32 error, bool kernel)
{
	return (error & (PF_W | (guest_has_nx(v) ? PF_I : 0))) | (kernel ? 0 : PF_U);
}

/* What the guest's own tables say to an access; the error code if they refuse. */
static bool permitted(const struct vcpu *v, const struct walk *w, u32 error, bool kernel, u32 *code)
{
	bool write = error & PF_W, fetch = error & PF_I;

	*code = fault_code(v, error, kernel);
	if (!w->present)
		return false;
	*code |= PF_P;
	if (!kernel && !w->us)
		return false;
	if (write && !w->rw && (!kernel || (v->cr0 & CR0_WP)))
		return false;
	return !(fetch && w->nx);
}

static u64 shadow_entry(const struct vcpu *v, const struct walk *w, bool write)
{
	u32 mfn = GMFN[w->frame], bits = PTE_P | PTE_A;

	if (write || (w->rw && (w->pte.low & PTE_D)))
		bits |= PTE_RW | PTE_D;
	/* A write that only the kernel with CR0.WP clear may do is no user's. */
	if ((w->us && (w->rw || !write)) || !v->paravirtual)
		bits |= PTE_US;
	return (u64)(mfn >> 20 | (u32)w->nx << 31) << 32 | (mfn << PAGE_SHIFT | bits);
}

/* Paging off: everything with memory behind it is mapped already. */
static enum shadow_result fault_identity(gva_t va, u64 *gpa)
{
	u32 l2i = L2I(va);

	*gpa = va;
	if (!has_memory(va >> PAGE_SHIFT))
		return SHADOW_MMIO;
	COUNT(fault_linear);
	root_hook(root_current(), l2i, s->phys_first + l2i, true);
	return SHADOW_FILLED;
}

enum shadow_result shadow_fault(struct vcpu *v, gva_t va, u32 error, bool kernel, u32 *guest_error,
				u64 *gpa)
{
	struct walk w;
	u32 l2i = L2I(va), phys;

	shadow_flush_queue();
	if (!s->on && va < WINDOW_BASE)
		return fault_identity(va, gpa);
	if (va >= WINDOW_BASE) {
		*guest_error = fault_code(v, error, kernel);
		return SHADOW_FAULT;
	}
	walk_guest(v, va, &w);
	if (!permitted(v, &w, error, kernel, guest_error))
		return SHADOW_FAULT;
	walk_mark(&w, error & PF_W);
	if (!has_memory(w.frame)) {
		*gpa = ((u64)w.frame << PAGE_SHIFT) + (va & (PAGE_SIZE - 1));
		return SHADOW_MMIO;
	}
	if (v->paravirtual && linear_slot(l2i, &phys)) {
		if (linear_is_hooked(phys)) {
			/* User pages inside the linear mapping are not offered. */
			*guest_error |= PF_P;
			return SHADOW_FAULT;
		}
		if (kernel && w.rw && w.frame == (va - s->linear_base) >> PAGE_SHIFT) {
			COUNT(fault_linear);
			linear_hook(l2i, phys);
			return SHADOW_FILLED;
		}
	}
	if (!v->paravirtual && walk_is_linear(v, &w, l2i, &phys)) {
		u32 page = root_l1(root_current(), l2i);

		if (page != SHADOW_NONE) {
			root_unhook(root_current(), l2i);
			if (s->pool[page].kind == POOL_L1)
				pool_l1_free(page);
		}
		COUNT(fault_linear);
		root_hook(root_current(), l2i, s->phys_first + phys, true);
		return SHADOW_FILLED;
	}
	COUNT(fault_hidden);
	fill(v, va, &w, shadow_entry(v, &w, error & PF_W));
	return SHADOW_FILLED;
}

/* One shadow entry, which is old, against the guest's entry that stands behind
 * it.  While changes are queued the old shadow entry may be seen twice: what is
 * made of it is each time allowed by the guest's present entry. */
static void weaken(struct vcpu *v, u32 page, u32 index, struct entry old, struct entry pte)
{
	u32 frame = entry_frame(pte), low = old.low, high = old.high;

	if (!(pte.low & PTE_P) || !(pte.low & PTE_A) || !has_memory(frame) ||
	    GMFN[frame] != (old.low >> PAGE_SHIFT | (old.high & 0xFFFFF) << 20)) {
		low = high = 0;
	} else {
		if (!(pte.low & PTE_RW) || !(pte.low & PTE_D))
			low &= ~(u32)(PTE_RW | PTE_D);
		if (!(pte.low & PTE_US) && v->paravirtual)
			low &= ~(u32)PTE_US;
		if (entry_nx(pte) && guest_has_nx(v))
			high |= 1u << 31;
		if (low == old.low && high == old.high)
			return;
	}
	COUNT(shadow_weakened);
	queue_write(page, index, (u64)high << 32 | low);
	v->tlb_stale = true;
}

static void directory_changed(struct vcpu *v, u32 gpfn, u32 offset)
{
	bool pae = v->cr4 & CR4_PAE;

	for (u32 i = 0; i < s->root_limit && s->roots[i].made; i++) {
		struct root *r = &s->roots[i];

		for (u32 slot = 0; slot < 4; slot++) {
			if (r->table[slot] != gpfn)
				continue;
			if (pae || offset >> 10 == slot)
				root_resync(v, r, slot);
		}
	}
}

static always_inline void table_changed(struct vcpu *v, u32 gpfn, u32 head, u32 offset, bool wide)
{
	u32 index = wide ? offset / 8 : offset / 4;
	const u8 *page = shadow_page(s, gpfn);
	struct entry pte = entry_read(page + index * (wide ? 8 : 4), wide);

	for (u32 at = head & ~HEAD_DIRECTORY; at != SHADOW_NONE; at = s->pool[at].next)
		if (wide || index >> 9 == (s->pool[at].l2i & 1u)) {
			struct entry old = entry_read(&pool_table(at)[index & 511], true);

			if (old.low & PTE_P)
				weaken(v, at, index & 511, old, pte);
		}
}

/* The guest has written the entry at offset of its page gpfn. */
void shadow_entry_changed(struct vcpu *v, u32 gpfn, u32 offset)
{
	u32 head = HEADS[gpfn];

	if (head == SHADOW_NONE)
		return;
	if (guest_is_wide(v))
		table_changed(v, gpfn, head, offset, true);
	else
		table_changed(v, gpfn, head, offset, false);
	if (head & HEAD_DIRECTORY)
		directory_changed(v, gpfn, offset);
	if (!v->lazy)
		shadow_flush_queue();
}

/* The shadow of the guest table with that head which may be hooked at l2i; it is
 * the only one that has entries for there, or SHADOW_NONE is returned. */
static always_inline u32 only_shadow(u32 head, u32 l2i, bool wide)
{
	u32 next = s->pool[head].next;

	/* A 2-level table fills two slots. */
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

/* shadow_entry_wanted's common case, with one hypercall or, in lazy mode, none:
 * a page table with one shadow, which is hooked where the entry is wanted.
 * false: nothing was done. */
static always_inline bool replace(u32 head, const u32 *entry, gva_t va, bool wide)
{
	struct vcpu *v = VCPU;
	u32 page = only_shadow(head, L2I(va), wide), frame, both, low, high;
	struct entry pte, pde, old;
	u8 *directory = (u8 *)(uintptr_t)v->directory[va >> 30];
	const volatile u64 *at;

	if (page == SHADOW_NONE || s->pool[page].home != s->current || !directory ||
	    (((uintptr_t)entry ^ (wide ? va >> 9 : va >> 10)) & (wide ? 0xFF8 : 0xFFC)))
		return false;
	pde = entry_read(directory_entry(directory, va, wide), wide);
	pte = entry_read(entry, wide);
	frame = entry_frame(pte);
	if (!entry_same(entry_key(pde), s->pool[page].pde) ||
	    (pte.low & (PTE_P | PTE_A)) != (PTE_P | PTE_A) || !has_memory(frame))
		return false;
	both = pde.low & pte.low & (pte.low & PTE_D ? PTE_US | PTE_RW : PTE_US);
	low = GMFN[frame] << PAGE_SHIFT | PTE_P | PTE_A | PTE_D | both;
	high = GMFN[frame] >> 20;
	if (wide && (entry_nx(pde) || entry_nx(pte)) && guest_has_nx(v))
		high |= 1u << 31;
	at = &pool_table(page)[va >> PAGE_SHIFT & 511];
	old = entry_read(at, true);
	COUNT(shadow_wanted);
	if (v->lazy || s->queued) {
		queue_write(page, va >> PAGE_SHIFT & 511, (u64)high << 32 | low);
		note_written(page, va);
		v->tlb_stale = true;
		if (!v->lazy)
			shadow_flush_queue();
	} else if (old.low != low || old.high != high) {
		write_entry(page, va, old.low, (u64)high << 32 | low);
	}
	return true;
}

/* The guest has written an entry of the current address space that it is about
 * to use: if the L1 is hooked already it is filled at once, which saves a fault. */
void shadow_entry_wanted(struct vcpu *v, u32 gpfn, const u32 *entry, gva_t va)
{
	u32 head = HEADS[gpfn];

	if (head == SHADOW_NONE)
		return;
	if ((head & HEAD_DIRECTORY) || !v->paravirtual || va >= WINDOW_BASE ||
	    !(guest_is_wide(v) ? replace(head, entry, va, true) : replace(head, entry, va, false)))
		shadow_entry_changed(v, gpfn, (uintptr_t)entry & (PAGE_SIZE - 1));
}

/* What shadows the table becomes empty and belongs to none; it stays hooked. */
static void orphan_shadows(u32 gpfn)
{
	u32 at;

	shadow_flush_queue();
	while ((at = HEADS[gpfn] & ~HEAD_DIRECTORY) != SHADOW_NONE) {
		pool_l1_empty(at);
		pool_l1_relink(at, GPFN_NONE, (struct entry){0});
	}
}

/* The page is no table any more: what it shadowed becomes orphans, and roots
 * that had it as directory belong to nobody.  The CPU goes on to use what is
 * loaded, so the current root keeps it. */
void shadow_release_table(u32 gpfn)
{
	u16 head = SHADOW_NONE;

	orphan_shadows(gpfn);
	for (u32 i = 0; i < s->root_limit && s->roots[i].made; i++) {
		struct root *r = &s->roots[i];

		for (u32 slot = 0; slot < 4; slot++) {
			if (r->table[slot] != gpfn)
				continue;
			if (i == s->current) {
				head |= HEAD_DIRECTORY;
				continue;
			}
			root_forget_table(r, slot);
			root_resync(VCPU, r, slot);
		}
		if (r->live && r->key >> 12 == gpfn && i != s->current)
			r->live = false;
	}
	HEADS[gpfn] = head;
}

/* A page is announced as a table: whatever was known of it is void. */
void shadow_reread_table(u32 gpfn)
{
	orphan_shadows(gpfn);
	if (HEADS[gpfn] & HEAD_DIRECTORY)
		for (u32 i = 0; i < s->root_limit && s->roots[i].made; i++)
			for (u32 slot = 0; slot < 4; slot++)
				if (s->roots[i].table[slot] == gpfn)
					root_resync(VCPU, &s->roots[i], slot);
}

void shadow_invlpg(struct vcpu *v, gva_t va)
{
	u32 l2i = L2I(va), page;
	struct entry old;
	struct walk w;

	shadow_flush_queue();
	if (va >= WINDOW_BASE || !s->on)
		return;
	page = root_l1(root_current(), l2i);
	if (page == SHADOW_NONE)
		return;
	if (s->pool[page].kind == POOL_PHYS) {
		if (!v->paravirtual)
			root_unhook(root_current(), l2i);
		return;
	}
	old = entry_read(&pool_table(page)[va >> 12 & 511], true);
	if (old.low & PTE_P) {
		walk_guest(v, va, &w);
		if (!w.present || w.table != s->pool[page].gpfn)
			w.pte.low = 0;
		weaken(v, page, va >> 12 & 511, old, w.pte);
		shadow_flush_queue();
	}
	if (v->tlb_stale)
		mmu_invlpg(va);
}

void shadow_flush_tlb(struct vcpu *v)
{
	shadow_flush_queue();
	if (!v->paravirtual && s->on)
		root_drop_all(root_current());
	if (v->paravirtual && (v->cr4 & CR4_PAE)) /* a reload of CR3 reads the PDPTEs */
		root_load_tables(v, root_current());
	if (v->tlb_stale)
		mmu_flush_tlb();
	v->tlb_stale = false;
}

/* SetLinearMapping(0).  What is announced may be more than the guest maps, or
 * not mapped yet: 2 MB are hooked when a fault of the kernel finds that its own
 * tables map them so.  A kernel touches a stack before it uses it as one. */
bool shadow_set_linear(u32 va, u32 pages, u32 gpfn)
{
	if (gpfn || (va & 0x1FFFFF) || va >= WINDOW_BASE || s->linear_pages)
		return s->linear_pages && va == s->linear_base && !gpfn;
	if (pages > s->guest_pages)
		pages = s->guest_pages;
	if (pages > (WINDOW_BASE - va) >> 12)
		pages = (WINDOW_BASE - va) >> 12;
	s->linear_base = va;
	s->linear_pages = pages;
	return true;
}

/* The stack on which the guest calls becomes part of the linear mapping that it
 * has announced: filled at Init as any page, it could be dropped (SetCR4). */
void shadow_keep_stack(struct vcpu *v)
{
	u32 error;
	u64 gpa;

	shadow_fault(v, v->call_esp, PF_W, true, &error, &gpa);
}

/* The guest frame that a pointer into a page table points to, or GPFN_NONE. */
u32 shadow_ptep_gpfn(struct vcpu *v, gva_t ptep)
{
	u32 page = (ptep - s->linear_base) >> 12;
	u64 gpa;

	if (shadow_is_linear(s, page))
		return GMFN[page] == GMFN_NONE ? GPFN_NONE : page;
	for (u32 i = 1; i < ARRAY_SIZE(s->window); i++)
		if ((ptep - s->window[i].va) >> 12 < s->window[i].pages) {
			page = s->window[i].gpfn + ((ptep - s->window[i].va) >> 12);
			return has_memory(page) ? page : GPFN_NONE;
		}
	if (ptep >= WINDOW_BASE || !shadow_translate(v, ptep, &gpa) ||
	    !has_memory((u32)(gpa >> PAGE_SHIFT)))
		return GPFN_NONE;
	return (u32)(gpa >> PAGE_SHIFT);
}

/* Fills the page at va for the kernel, or ends the domain. */
static void must_fill(struct vcpu *v, gva_t va)
{
	u32 error;
	u64 gpa;

	if (shadow_fault(v, va, PF_W, true, &error, &gpa) != SHADOW_FILLED)
		guest_die("the guest's stack at %08x is not mapped at Init", va);
}

/* Init: the tables that are live are read anew with their own privileges. */
void shadow_adopt(struct vcpu *v)
{
	struct root *r = root_current();
	u32 error;
	u64 gpa;

	root_drop_all(r);
	r->live = true;
	r->key = v->cr3 & ~31u;
	must_fill(v, v->r.gpr[GPR_ESP] - 4);
	/* It may grow before the linear mapping is known. */
	shadow_fault(v, v->r.gpr[GPR_ESP] - 4 - PAGE_SIZE, PF_W, true, &error, &gpa);
	v->tlb_stale = false;
	mmu_flush_tlb();
}
