/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shadow MMU: page faults, and Init.  This is the essay on the whole room.
 *
 * A VMI guest reads and writes its page tables as ordinary memory, with guest-physical
 * frame numbers in them; Xen wants tables of its own typing, with machine frames.  So the
 * guest's tables stay what they are, and beside them the ROM keeps shadow tables, which
 * Xen loads.
 *
 * The shadow is a cache.  An entry may be missing at any time: the page fault finds it in
 * the guest's tables and fills it (shadow_fault).  Eviction, adoption of live tables at
 * Init, changes that nobody announced and a new address space are therefore all the same:
 * something is missing for a while.
 *
 * Words.  An L1 is a page of Xen's that maps 2 MB; it is *hooked* in a *root*, which is an
 * address space of Xen's, by an entry of one of the root's four L2 pages.  The *pool* is
 * where all these pages come from.  A POOL_L1 shadows one guest table (or large page); it
 * is *idle* when it is hooked, empty, and shadows none.  A *chunk* is 2 MB of
 * guest-physical memory, and has an L1 that maps it one to one.  An *announcement* is a
 * call by which the guest says what it has done, or will do, with its tables.
 *
 * What is kept true:
 *
 *  1. A shadow entry never allows more than the guest's entry allowed at the guest's last
 *     announcement or flush for it.  Announcements weaken or clear what is shadowed
 *     (shadow_entry_changed); only one that says where in the current space the entry will
 *     be used fills it (shadow_entry_wanted).
 *  2. Accessed and dirty are the guest's: an entry whose A is clear is not shadowed, and
 *     one whose D is clear is shadowed read-only, so that the next access faults and the
 *     bit can be set in the guest's table.
 *  3. What may be a kernel stack stays mapped and writable once it has been touched, for
 *     Xen kills a domain when it cannot push a frame: the guest's linear mapping of RAM is
 *     hooked in every root, chunk by chunk, from one-to-one pages (POOL_ONE_TO_ONE), which
 *     never change.  So protections that the guest sets in it afterwards are not enforced.
 *  4. A frame without memory is never shadowed.
 *  5. vcpu.tlb_stale is set whenever an entry became weaker, or its L1 was unhooked, and
 *     Xen has not been told to flush since.  Only then the guest's own flushes become
 *     hypercalls.  Xen promises no flush that it is not told to make, so where the guest
 *     need not ask for one we do (hooks.c).
 *
 * Before Init the guest's kernel runs at CPL 3: entries are user entries whatever the guest
 * wrote.  There is one root, and it behaves like a TLB: what INVLPG or a load of CR3 would
 * drop is dropped.  Where the guest maps a whole chunk, its one-to-one page is hooked.
 *
 * What can go wrong: the pool runs out, and the clock takes a page from whoever has it; or
 * Xen refuses something, and then there is another way, or the domain ends with a report.
 * Every function that asks Xen says which.
 *
 * In which order to read:
 *
 *   shadow.h         the data, and what others call
 *   shadow.c         here: a fault's way, from the guest's tables to a shadow entry
 *   paging.h         what these files have of each other
 *   walk.c           the guest's tables, read as a processor does
 *   pool.c           pages: taken, emptied, evicted
 *   hooks.c          which pages stand in a root, and the TLB's part in that
 *   directories.c    which directories of the guest's a root has
 *   roots.c          address spaces: made, loaded, replaced
 *   announcements.c  what the guest says of its tables
 *   queue.c          writes on their way to Xen
 *   fill_cache.c     entries that the guest is about to use, filled without a fault
 *   guard.c          before Init only: descriptor tables, which are not written to unseen
 *
 * Assembly has two short cuts past all this: FAULT_FROM_USER in entry/pv/traps.asm gives
 * the guest a fault that its own tables demand, and SetPxELong_cached in entry/pv/vmi.asm is
 * the common case of fill_cache.c.  What must be true at any time is checked by
 * tests/unit/shadow_order.c, while test_shadow plays random guests on a machine with Xen's
 * rules and a TLB (tests/unit/machine.c) against a model of a processor (shadow_model.h).
 */
#include "paging.h"
#include "monitor/life.h"

static struct shadow *const s = &PV->shadow;

void shadow_start(void)
{
	pool_start();
	root_start();
}

/* The L1 in which the entry for the walk's address belongs; it is hooked at l2i.  An L1 of
 * a large page is never shared between roots: it shadows no table by which another root
 * could find it. */
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

/* The shadow's entry for va becomes spte.  If it is that already, the same fault comes again:
 * the guest ends when that goes on. */
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

/* The shadow's entry for what the walk has found; write: the guest may write there now, and
 * its D is set. */
static u64 shadow_entry(const struct vcpu *v, const struct walk *w, bool write)
{
	u32 mfn = GMFN[w->frame], bits = PTE_P | PTE_A;

	if (write || (w->rw && (w->pte.low & PTE_D)))
		bits |= PTE_RW | PTE_D;
	/* If only the kernel may write there, because CR0.WP is clear, the entry is
	 * writable, and so must not be user mode's. */
	if ((w->us && (w->rw || !write)) || !v->paravirtual)
		bits |= PTE_US;
	return (u64)(mfn >> 20 | (u32)w->nx << 31) << 32 | (mfn << PAGE_SHIFT | bits);
}

/* Before Init: hooks the one-to-one page at l2i, instead of what is there. */
static void hook_one_to_one(u32 l2i, u32 page)
{
	u32 old = root_l1(root_current(), l2i);

	if (old == page) /* guard_open() has made its entry writable */
		return;
	COUNT(fault_linear);
	if (old != SHADOW_NONE) {
		root_unhook(root_current(), l2i);
		if (s->pool[old].kind == POOL_L1)
			pool_l1_free(old);
	}
	root_hook(root_current(), l2i, page, true);
}

/* Paging is off: va is a guest-physical address. */
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

/* Before Init: fills what the guest's own tables permit. */
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
			/* The guest's tables permit it: a page of user mode's inside
			 * the linear mapping, which stays the kernel's. */
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

void shadow_keep_stack(struct vcpu *v)
{
	u32 error;
	u64 gpa;

	shadow_fault(v, v->call_esp, PF_W, true, &error, &gpa);
}

/* Fills the page of the guest's stack at va, or ends the guest. */
static void must_fill(struct vcpu *v, gva_t va)
{
	u32 error;
	u64 gpa;

	if (shadow_fault(v, va, PF_W, true, &error, &gpa) != SPACE_FILLED)
		guest_die("the guest's stack at %08x is not mapped at Init", va);
}

void shadow_adopt(struct vcpu *v)
{
	struct root *r = root_current();
	u32 error;
	u64 gpa;

	root_drop_all(r);
	r->live = true;
	r->key = v->cr3 & ~31u;
	must_fill(v, v->r.gpr[GPR_ESP] - 4);
	/* The stack may grow before the linear mapping is known. */
	shadow_fault(v, v->r.gpr[GPR_ESP] - 4 - PAGE_SIZE, PF_W, true, &error, &gpa);
	tlb_flush();
}
