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
 *     one-to-one L1 pages (POOL_ONE_TO_ONE) that never change.  Protections that the
 *     guest sets inside it afterwards are not enforced.
 *  4. Frames without memory behind them are never shadowed.
 *  5. vcpu.tlb_stale is set whenever an entry became weaker, or what it stands in is
 *     not hooked any more, and Xen was not told to flush since; then the guest's own
 *     flush calls become hypercalls.  Xen promises no flush that it is not told to
 *     make: where the guest need not ask for one we do (hooks.c).
 *
 * Before Init the guest's kernel runs at CPL 3: entries are user entries
 * whatever the guest wrote, there is one root, and it behaves like a TLB:
 * what INVLPG or a CR3 load would drop is dropped.  A guest mapping that is
 * RAM one to one, 2 MB of it, is hooked whole.
 *
 * Here are page faults and Init.  What the guest announces is in announcements.c and
 * fill_cache.c, its tables are read in walk.c; the pages are pool.c's, the spaces roots.c's,
 * what stands in them hooks.c's, the guest's directories behind them directories.c's;
 * queue.c has what Xen is told.
 */
#include "paging.h"
#include "monitor/life.h"

static struct shadow *const s = &PV->shadow;

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

static void fill(struct vcpu *v, gva_t va, const struct walk *w, u64 spte)
{
	struct root *r = root_current();
	u32 page = pool_l1_find(w->table, L2I(va), entry_key(w->pde));
	u64 old;

	if (page == SHADOW_NONE || root_l1_mfn(r, L2I(va)) != pool_mfn(page))
		page = hook_l1(r, L2I(va), w);
	old = pool_table(page)[va >> 12 & 511];
	pool_l1_write(page, va, (u32)old, spte);
	if (old == spte && va == v->last_fault_va && ++v->last_fault_count > 1000)
		guest_die("page fault at %08x that no mapping cures", va);
	if (va != v->last_fault_va)
		v->last_fault_count = 0;
	v->last_fault_va = va;
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

/* Before Init 2 MB of RAM are mapped one to one. */
static void hook_one_to_one(u32 l2i, u32 page)
{
	u32 old = root_l1(root_current(), l2i);

	if (old == page) /* guard.c has made an entry of it writable */
		return;
	COUNT(fault_linear);
	if (old != SHADOW_NONE) {
		root_unhook(root_current(), l2i);
		if (s->pool[old].kind == POOL_L1)
			pool_l1_free(old);
	}
	root_hook(root_current(), l2i, page, true);
}

/* Paging off: everything with memory behind it is mapped already. */
static enum space_result fault_identity(gva_t va, u32 error, u64 *gpa)
{
	u32 l2i = L2I(va);
	bool opened;

	*gpa = va;
	if (!has_memory(va >> PAGE_SHIFT))
		return SPACE_MMIO;
	opened = (error & PF_W) && guard_open(va, va >> PAGE_SHIFT);
	hook_one_to_one(l2i, s->one_to_one_first + l2i);
	return opened ? SPACE_OPENED : SPACE_FILLED;
}

/* What the guest's own tables permit before Init. */
static enum space_result fault_before_init(struct vcpu *v, gva_t va, const struct walk *w,
					   u32 error)
{
	bool opened = (error & PF_W) && guard_open(va, w->frame);
	u32 l2i = L2I(va), chunk;

	if (walk_is_one_to_one(v, w, l2i, &chunk)) {
		hook_one_to_one(l2i, s->one_to_one_first + chunk);
	} else {
		u64 spte = shadow_entry(v, w, error & PF_W);

		COUNT(fault_hidden);
		fill(v, va, w, guard_forbids(w->frame) ? spte & ~(PTE_RW | PTE_D) : spte);
	}
	return opened ? SPACE_OPENED : SPACE_FILLED;
}

enum space_result shadow_fault(struct vcpu *v, gva_t va, u32 error, bool kernel, u32 *guest_error,
			       u64 *gpa)
{
	struct walk w;
	u32 l2i = L2I(va), chunk;

	queue_flush();
	if (!s->paging_on && va < WINDOW_BASE)
		return fault_identity(va, error, gpa);
	if (va >= WINDOW_BASE) {
		*guest_error = fault_code(v, error, kernel);
		return SPACE_FAULT;
	}
	walk_guest(v, va, &w);
	if (!permitted(v, &w, error, kernel, guest_error))
		return SPACE_FAULT;
	walk_mark(&w, error & PF_W);
	if (!has_memory(w.frame)) {
		*gpa = ((u64)w.frame << PAGE_SHIFT) + (va & (PAGE_SIZE - 1));
		return SPACE_MMIO;
	}
	if (!v->paravirtual)
		return fault_before_init(v, va, &w, error);
	if (linear_covers(l2i, &chunk)) {
		if (linear_is_hooked(chunk)) {
			/* User pages inside the linear mapping are not offered. */
			*guest_error |= PF_P;
			return SPACE_FAULT;
		}
		if (kernel && w.rw && w.frame == (va - s->linear_base) >> PAGE_SHIFT) {
			COUNT(fault_linear);
			linear_hook(l2i, chunk);
			return SPACE_FILLED;
		}
	}
	COUNT(fault_hidden);
	fill(v, va, &w, shadow_entry(v, &w, error & PF_W));
	return SPACE_FILLED;
}

/* The stack on which the guest calls becomes part of the linear mapping that it
 * has announced: filled at Init as any page, it could be dropped (SetCR4). */
void shadow_keep_stack(struct vcpu *v)
{
	u32 error;
	u64 gpa;

	shadow_fault(v, v->call_esp, PF_W, true, &error, &gpa);
}

/* Fills the page at va for the kernel, or ends the domain. */
static void must_fill(struct vcpu *v, gva_t va)
{
	u32 error;
	u64 gpa;

	if (shadow_fault(v, va, PF_W, true, &error, &gpa) != SPACE_FILLED)
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
	tlb_flush();
}
