/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the shadow MMU share (the list is in shadow.c); counters.c
 * reads it.
 *
 * A page fault and a Set of the guest's go through what is inline here some
 * dozens of times a page.  Entries are taken apart into words: the high one of
 * a PAE entry holds only NX and, for memory above 4 GB, which no guest has,
 * frame bits.
 */
#ifndef VMIXEN_PAGING_H
#define VMIXEN_PAGING_H

#include "block.h"
#include "xenbind/mmu.h"
#include "monitor/monitor.h"

#define SHADOW (&PV->shadow)
#define L2I(va) ((va) >> 21)

static inline bool guest_is_wide(const struct vcpu *v)
{
	return v->cr4 & CR4_PAE;
}

/* May the guest forbid to execute?  Only then its faults tell of fetches. */
static inline bool guest_has_nx(const struct vcpu *v)
{
	return guest_is_wide(v) && (v->efer & EFER_NXE);
}

static inline struct entry entry_read(const volatile void *at, bool wide)
{
	const volatile u32 *word = at;

	return (struct entry){word[0], wide ? word[1] : 0};
}

/* GPFN_NONE for what lies above 4 GB. */
static inline u32 entry_frame(struct entry e)
{
	return e.high & 0xFFFFF ? GPFN_NONE : e.low >> PAGE_SHIFT;
}

static inline bool entry_nx(struct entry e)
{
	return e.high >> 31;
}

static inline bool entry_same(struct entry a, struct entry b)
{
	return a.low == b.low && a.high == b.high;
}

#define KEY_LOW ((u32)(PTE_P | PTE_RW | PTE_US | PTE_A | PTE_PSE) | ~(PAGE_SIZE - 1u))
#define KEY_HIGH 0x800FFFFFu

/* Of a directory entry what a shadow of its table depends on. */
static inline struct entry entry_key(struct entry pde)
{
	return (struct entry){pde.low & KEY_LOW, pde.high & KEY_HIGH};
}

static inline bool has_memory(u32 gpfn)
{
	return gpfn < SHADOW->guest_pages && GMFN[gpfn] != GMFN_NONE;
}

/* A chunk is 2 MB of guest-physical memory that begin at a multiple of 2 MB; it is named
 * by its number.  Is it hooked in every root, as a part of the guest's linear mapping? */
static inline bool linear_is_hooked(u32 chunk)
{
	return SHADOW->linear_hooked[chunk >> 5] >> (chunk & 31) & 1;
}

/* Where the hooked linear mapping has the guest's frame, 0 if nowhere.  What is hooked
 * is 2 MB, whatever the guest has announced of them: all their frames are there. */
static inline gva_t linear_address(u32 gpfn)
{
	return gpfn < SHADOW->guest_pages && linear_is_hooked(gpfn >> 9) && GMFN[gpfn] != GMFN_NONE
		       ? SHADOW->linear_base + gpfn * PAGE_SIZE
		       : 0;
}

void *guest_slot(u32 gpfn, enum page_use use);

/*
 * A page of guest memory, in the linear mapping or else in a map slot.  NULL where
 * the guest has no memory.
 *
 * The pointer is good until guest_page() is called for the same use again, and not
 * longer, for slots are shared by many pages; calls for other uses leave it alone.
 * Who has two pages at a time needs two uses.  (Unit tests take a slot away as soon
 * as its use gets another: slot_lent() in tests/unit/machine.c.)
 */
static inline void *guest_page(u32 gpfn, enum page_use use)
{
	gva_t at = linear_address(gpfn);

	return at ? (void *)(uintptr_t)at : guest_slot(gpfn, use);
}

#ifdef VMIXEN_HOSTED
void slot_lent(enum page_use use, gva_t at);
#else
static inline void slot_lent(enum page_use use, gva_t at)
{
	(void)use;
	(void)at;
}
#endif

/* Did Xen do it?  If not there is another way, or domain_die() says s->xen_error. */
static inline bool xen_did(int err)
{
	if (!err)
		return true;
	SHADOW->xen_error = err;
	COUNT(shadow_refused);
	return false;
}

/* What a walk of the guest's tables finds. */
struct walk {
	bool reserved;	 /* a bit is set that this guest has not: never present */
	bool present;	 /* else nothing below is said */
	bool rw, us, nx; /* of all levels together */
	u32 table;	 /* gpfn of the table that holds pte; GPFN_NONE if the page is large */
	u32 frame;	 /* gpfn of the page */
	struct entry pde, pte; /* pte: of a large page its directory entry */
	u32 *pde_at, *pte_at;
};

/* What the guest sees of the hardware's error code, but for PF_P. */
static inline u32 fault_code(const struct vcpu *v, u32 error, bool kernel)
{
	return (error & (PF_W | (guest_has_nx(v) ? PF_I : 0))) | (kernel ? 0 : PF_U);
}

/* What the guest's own tables say to an access; the error code if they refuse. */
static inline bool permitted(const struct vcpu *v, const struct walk *w, u32 error, bool kernel,
			     u32 *code)
{
	bool write = error & PF_W, fetch = error & PF_I;

	*code = fault_code(v, error, kernel);
	if (w->reserved)
		*code |= PF_P | PF_RSVD;
	if (!w->present)
		return false;
	*code |= PF_P;
	if (!kernel && !w->us)
		return false;
	if (write && !w->rw && (!kernel || (v->cr0 & CR0_WP)))
		return false;
	return !(fetch && w->nx);
}

/* walk.c */
u8 *walk_directory(const struct vcpu *v, gva_t va);
void walk_guest(struct vcpu *v, gva_t va, struct walk *w);
void walk_mark(struct walk *w, bool write);
bool walk_is_one_to_one(struct vcpu *v, const struct walk *w, u32 l2i, u32 *chunk);

/* Where the guest's entry for va stands in that directory. */
static inline u8 *directory_entry(u8 *directory, gva_t va, bool wide)
{
	return directory + (wide ? (va >> 21 & 511) * 8 : (va >> 22) * 4);
}

/* pool.c */
void pool_start(void);
void *pool_edit(u32 page);
void *pool_open(u32 page);
bool pool_close(void);
bool pool_show(u32 page);
void pool_lose(u32 page);
u32 pool_take_raw(void);
u32 pool_l1_take(u32 gpfn, u32 l2i, struct entry key);
void pool_l1_relink(u32 page, u32 gpfn, struct entry key);
void pool_l1_empty(u32 page);
void pool_l1_free(u32 page);

/* queue.c */
u64 entry_address(u32 table, u32 index);
void queue_start(void);
void queue_write(u32 table, u32 index, u32 low, u32 high);
void queue_send(void);

static inline void queue_flush(void)
{
	if (SHADOW_CPU->queued)
		queue_send();
}

static inline u32 pool_mfn(u32 page)
{
	return PV->start.pool_mfn[page];
}

static inline u32 pool_of_mfn(u32 mfn)
{
	return mmu_mfn_to_pfn(mfn) - PV->start.pool_first_pfn;
}

/* The page as Xen and the CPU see it; written only by queue_write and the like. */
static inline const volatile u64 *pool_table(u32 page)
{
	return (const volatile u64 *)(uintptr_t)(WIN_POOL + page * PAGE_SIZE);
}

/* Has the queue perhaps more for the entry than is in the table? */
static inline bool fill_is_queued(u32 page, u32 index)
{
	return SHADOW_CPU->fills.page == page && index <= SHADOW_CPU->fills.last;
}

/* May a POOL_L1 have entries? */
static inline bool pool_l1_written(u32 page)
{
	return SHADOW->pool[page].dirty_groups[0] | SHADOW->pool[page].dirty_groups[1];
}

/* An entry of the POOL_L1 gets a value, that for va. */
static always_inline void pool_l1_note(u32 page, gva_t va)
{
	__asm__("btsl %1, %0" : "+m"(SHADOW->pool[page].dirty_groups) : "r"(va >> 15 & 63) : "cc");
}

void pool_l1_write_again(u32 page, gva_t va, u64 spte);

/* Writes the entry for va, which is old until now, in the POOL_L1 hooked there. */
static always_inline void pool_l1_write(u32 page, gva_t va, u32 old_low, u64 spte)
{
	pool_l1_note(page, va);
	if (mmu_write_va(va, spte, old_low & (u32)PTE_P ? MMU_FLUSH_PAGE : MMU_FLUSH_NONE))
		pool_l1_write_again(page, va, spte);
}

/* A shadow of that table at that L2 index, under such a directory entry. */
static inline u32 pool_l1_find(u32 gpfn, u32 l2i, struct entry key)
{
	u32 at = SHADOW_NONE;

	if (gpfn == GPFN_NONE)
		return at;
	for (at = HEADS[gpfn] & ~HEAD_DIRECTORY; at != SHADOW_NONE; at = SHADOW->pool[at].next)
		if (SHADOW->pool[at].l2i == l2i && entry_same(SHADOW->pool[at].pde, key))
			break;
	return at;
}

/* What SHADOW_CPU->fill_cache says may not be true any more. */
static inline void fill_cache_forget(void)
{
	SHADOW_CPU->fill_cache.gpfn = GPFN_NONE;
	SHADOW_CPU->fill_cache.at = SHADOW_CPU->fill_cache.long_at = NO_CACHED_TABLE;
}

/* hooks.c */
void tlb_flush(void);
void root_hook(struct root *r, u32 l2i, u32 page, bool user);
void root_unhook(struct root *r, u32 l2i);
void root_unhook_everywhere(u32 page);
void root_detach(struct root *r, u32 l2i);
void root_hook_lost(u32 page);
void root_drop_all(struct root *r);
bool linear_covers(u32 l2i, u32 *chunk);
void linear_hook(u32 l2i, u32 chunk);

#define L2_FLAGS (PTE_P | PTE_RW | PTE_A | PTE_D)

/* directories.c */
void root_resync(struct vcpu *v, struct root *r, u32 l3i);
void root_directory_changed(u32 gpfn, const u32 *entry, bool wide);
void root_set_table(struct root *r, u32 l3i, u32 gpfn);
void root_forget_table(struct root *r, u32 l3i);
void root_load_tables(struct vcpu *v, struct root *r);

/* roots.c */
void root_start(void);

static inline struct root *root_current(void)
{
	return &SHADOW->roots[SHADOW_CPU->current];
}

/* Everything was flushed, or another root loaded. */
static inline void tlb_is_empty(void)
{
	SHADOW_CPU->unhooked = false;
	VCPU->tlb_stale = false;
}

/* Is a POOL_L1 hooked there? */
static inline bool is_hooked(const struct root *r, u32 l2i)
{
	return r->hooked[l2i >> 5] >> (l2i & 31) & 1;
}

/* mfn of the L1 page hooked at l2i, or 0. */
static inline u32 root_l1_mfn(const struct root *r, u32 l2i)
{
	struct entry e = entry_read(&pool_table(r->l2[l2i >> 9])[l2i & 511], true);

	return e.low & (u32)PTE_P ? e.low >> PAGE_SHIFT | e.high << 20 : 0;
}

/* The pool page hooked at l2i, or SHADOW_NONE. */
static inline u32 root_l1(const struct root *r, u32 l2i)
{
	u32 mfn = root_l1_mfn(r, l2i);

	return mfn ? pool_of_mfn(mfn) : SHADOW_NONE;
}

#endif
