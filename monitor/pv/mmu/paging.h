/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the shadow MMU have of each other, file by file; shadow.c tells in
 * which order to read them.
 *
 * A page fault and a Set of the guest's go through what is inline here some dozens of
 * times a page.  Entries are taken apart into words: the high word of a PAE entry has NX
 * and, for memory above 4 GB, which no guest has, bits of the frame.
 *
 * va is a guest-virtual address; gpfn a guest frame; mfn a machine frame; page a page of
 * the pool, by its number; l2i an L2 index (va >> 21, 0 to 2047); l3i an L3 index (0 to 3);
 * wide: the guest's tables are PAE's, with entries of 8 bytes.
 *
 * Functions without a result do what they say, or end the domain with a report where Xen
 * refuses it (xen_must() in monitor/life.h).
 */
#ifndef VMIXEN_PAGING_H
#define VMIXEN_PAGING_H

#include "block.h"
#include "xenbind/mmu.h"
#include "monitor/monitor.h"

#define SHADOW (&PV->shadow)
#define L2I(va) ((va) >> 21)

/* Does the guest have PAE? */
static inline bool guest_is_wide(const struct vcpu *v)
{
	return v->cr4 & CR4_PAE;
}

/* Does NX mean something to the guest?  Only then a fetch is told in its error codes. */
static inline bool guest_has_nx(const struct vcpu *v)
{
	return guest_is_wide(v) && (v->efer & EFER_NXE);
}

/* The guest's or the shadow's entry at that place. */
static inline struct entry entry_read(const volatile void *at, bool wide)
{
	const volatile u32 *word = at;

	return (struct entry){word[0], wide ? word[1] : 0};
}

/* The frame that the entry names; GPFN_NONE if it lies above 4 GB. */
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

/* What a shadow of a table depends on of the directory entry that leads to it: the table,
 * and what the entry allows. */
static inline struct entry entry_key(struct entry pde)
{
	return (struct entry){pde.low & KEY_LOW, pde.high & KEY_HIGH};
}

/* Does the guest have memory there?  gpfn may be anything. */
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

/* Where the guest frame is in the hooked linear mapping; 0 if nowhere.  All frames of a
 * hooked chunk are there, even if the guest has announced only some of them. */
static inline gva_t linear_address(u32 gpfn)
{
	return gpfn < SHADOW->guest_pages && linear_is_hooked(gpfn >> 9) && GMFN[gpfn] != GMFN_NONE
		       ? SHADOW->linear_base + gpfn * PAGE_SIZE
		       : 0;
}

/* pool.c.  As guest_page(), but always in a map slot. */
void *guest_slot(u32 gpfn, enum page_use use);

/*
 * Where the monitor can read and write the guest's page: in the linear mapping or else in
 * a map slot.  NULL if the frame has no memory.
 *
 * The pointer is good until guest_page() is called again for the same use, and not longer,
 * for many pages share a map slot; calls for other uses leave it alone.  So whoever needs
 * two pages at a time needs two uses.  (Unit tests take a map slot away as soon as its use
 * gets another: slot_lent() in tests/unit/machine.c.)
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

/* Has Xen done what returned err?  If not, the error is noted in xen_error, and the caller
 * has another way or ends the domain with it. */
static inline bool xen_did(int err)
{
	if (!err)
		return true;
	SHADOW->xen_error = err;
	COUNT(shadow_refused);
	return false;
}

/* What a walk of the guest's tables finds.  If reserved is set, present is not; if present
 * is not set, what stands below it means nothing, but for pde and pde_at if a directory
 * was there. */
struct walk {
	bool reserved;	 /* NX is set, and the guest has no NX */
	bool present;	 /* all levels are */
	bool rw, us, nx; /* what all levels together allow, or forbid */
	u32 table;	 /* gpfn of the table that holds pte; GPFN_NONE if the page is large */
	u32 frame;	 /* gpfn of the page */
	struct entry pde, pte; /* of a large page both are its directory entry */
	u32 *pde_at, *pte_at;  /* where they stand, as guest_page() has it */
};

/* The error code that the guest sees for the processor's error, but for PF_P and PF_RSVD. */
static inline u32 fault_code(const struct vcpu *v, u32 error, bool kernel)
{
	return (error & (PF_W | (guest_has_nx(v) ? PF_I : 0))) | (kernel ? 0 : PF_U);
}

/* Do the guest's own tables permit an access, with the rights of ring 0 if kernel is set?
 * error: PF_W and PF_I of the processor's error code.  *code is the error code for the
 * guest if they do not. */
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

/* --- walk.c ------------------------------------------------------------------------------ */

/* The page of the guest's directory that has the entry for va (guest_page(),
 * PAGE_DIRECTORY); NULL if there is none.  Paging is on. */
u8 *walk_directory(const struct vcpu *v, gva_t va);
/* Walks the guest's tables to va; nothing changes.  Paging is on. */
void walk_guest(struct vcpu *v, gva_t va, struct walk *w);
/* Sets A and, if write is set, D in the guest's entries of a walk that is present, and in
 * *w. */
void walk_mark(struct walk *w, bool write);
/* w is the walk to some address behind the L2 index l2i.  Does the guest map all 2 MB there,
 * writable and executable, to one chunk?  Then *chunk is its number. */
bool walk_is_one_to_one(struct vcpu *v, const struct walk *w, u32 l2i, u32 *chunk);

/* Where the entry for va stands in a page of a directory. */
static inline u8 *directory_entry(u8 *directory, gva_t va, bool wide)
{
	return directory + (wide ? (va >> 21 & 511) * 8 : (va >> 22) * 4);
}

/* --- pool.c ------------------------------------------------------------------------------- */

/* Start of day, before everything else here. */
void pool_start(void);
/* Maps a page without a type writable until pool_close(), one at a time.  Returns where, or
 * NULL if Xen refuses. */
void *pool_edit(u32 page);
/* The same, and fills it with zeros. */
void *pool_open(u32 page);
/* Ends that.  false: Xen refuses, so the page cannot become a table. */
bool pool_close(void);
/* Maps the page read-only where pool_table() has it.  false if Xen refuses. */
bool pool_show(u32 page);
/* Xen has refused the page, which is hooked nowhere: it is not used again (POOL_LOST). */
void pool_lose(u32 page);
/* Takes a page without a type (POOL_RAW) for a root or a descriptor table. */
u32 pool_take_raw(void);
/* Takes an empty POOL_L1, hooked nowhere, to shadow the guest table gpfn (GPFN_NONE: a
 * large page) at l2i, under a directory entry with that entry_key(). */
u32 pool_l1_take(u32 gpfn, u32 l2i, struct entry key);
/* The POOL_L1, which is empty, shadows another table at the same l2i; GPFN_NONE with a key
 * of 0: none, it is idle. */
void pool_l1_relink(u32 page, u32 gpfn, struct entry key);
/* Clears all entries of a POOL_L1 and sends the queue; the page stays where it is hooked. */
void pool_l1_empty(u32 page);
/* A POOL_L1 that is hooked nowhere becomes a POOL_FREE page. */
void pool_l1_free(u32 page);

/* --- queue.c ------------------------------------------------------------------------------ */

/* The machine address of an entry (0 to 511) of a page of the pool. */
u64 entry_address(u32 table, u32 index);
/* Start of day: the queue is empty. */
void queue_start(void);
/* The entry of that page of the pool is to become high:low, at the latest when the queue is
 * sent.  A write to the entry that was queued last replaces that one. */
void queue_write(u32 table, u32 index, u32 low, u32 high);
/* Makes the queued writes; afterwards the queue is empty.  An entry that Xen refuses is
 * clear then. */
void queue_send(void);

/* The same, and nothing if none are queued. */
static inline void queue_flush(void)
{
	if (SHADOW_CPU->queued)
		queue_send();
}

/* The machine frame of a page of the pool, and the page that has such a machine frame. */
static inline u32 pool_mfn(u32 page)
{
	return PV->start.pool_mfn[page];
}

static inline u32 pool_of_mfn(u32 mfn)
{
	return mmu_mfn_to_pfn(mfn) - PV->start.pool_first_pfn;
}

/* The page as Xen and the processor see it, to be read; what is queued is not in it yet. */
static inline const volatile u64 *pool_table(u32 page)
{
	return (const volatile u64 *)(uintptr_t)(WIN_POOL + page * PAGE_SIZE);
}

/* May a fill of this entry of a POOL_L1 still be queued? */
static inline bool fill_is_queued(u32 page, u32 index)
{
	return SHADOW_CPU->fills.page == page && index <= SHADOW_CPU->fills.last;
}

/* May any entry of the POOL_L1 not be empty? */
static inline bool pool_l1_is_dirty(u32 page)
{
	return SHADOW->pool[page].dirty_groups[0] | SHADOW->pool[page].dirty_groups[1];
}

/* Notes that the POOL_L1's entry for va may not be empty any more. */
static always_inline void pool_l1_mark_dirty(u32 page, gva_t va)
{
	__asm__("btsl %1, %0" : "+m"(SHADOW->pool[page].dirty_groups) : "r"(va >> 15 & 63) : "cc");
}

/* Xen has refused the short way of the function below: takes the long one. */
void pool_l1_write_again(u32 page, gva_t va, u64 spte);

/* Writes the entry for va in the POOL_L1 that the current root has hooked there.  old_low:
 * the entry's present low word.  Nothing is queued. */
static always_inline void pool_l1_write(u32 page, gva_t va, u32 old_low, u64 spte)
{
	pool_l1_mark_dirty(page, va);
	if (mmu_write_va(va, spte, old_low & (u32)PTE_P ? MMU_FLUSH_PAGE : MMU_FLUSH_NONE))
		pool_l1_write_again(page, va, spte);
}

/* The POOL_L1 that shadows the guest table gpfn at l2i under a directory entry with that
 * key; SHADOW_NONE if there is none.  gpfn has memory or is GPFN_NONE. */
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

/* --- fill_cache.c ------------------------------------------------------------------------- */

/* What the fill cache says may not be true any more: it becomes empty. */
static inline void fill_cache_forget(void)
{
	SHADOW_CPU->fill_cache.gpfn = GPFN_NONE;
	SHADOW_CPU->fill_cache.at = SHADOW_CPU->fill_cache.long_at = NO_CACHED_TABLE;
}

/* --- hooks.c ------------------------------------------------------------------------------ */

/* Flushes the TLB of this vCPU. */
void tlb_flush(void);
/* Hooks a POOL_L1 or a one-to-one page at l2i, in place of whatever is there, for which
 * the caller accounts.  user: user mode may use it; it is set for each POOL_L1, whose
 * entries say that themselves. */
void root_hook(struct root *r, u32 l2i, u32 page, bool user);
/* Unhooks what is hooked at l2i, if anything is.  The page stays what it is. */
void root_unhook(struct root *r, u32 l2i);
/* Unhooks a POOL_L1 in all roots. */
void root_unhook_everywhere(u32 page);
/* The guest's directory leads to another table at l2i now, or to none: a POOL_L1 there that
 * other roots have hooked too is unhooked, one that they have not becomes idle. */
void root_detach(struct root *r, u32 l2i);
/* A POOL_L1 was unhooked in its only root for a while, and Xen refuses to hook it again. */
void root_hook_lost(u32 page);
/* Before Init: unhooks everything but the window, and frees the POOL_L1s. */
void root_drop_all(struct root *r);
/* Does l2i belong to what the guest has announced as its linear mapping?  Then *chunk is
 * the chunk that is to be there. */
bool linear_covers(u32 l2i, u32 *chunk);
/* Hooks the chunk at l2i, where linear_covers() says, in every root; in those to come, too.
 * The TLB has nothing else for there afterwards. */
void linear_hook(u32 l2i, u32 chunk);

/* The flags of an L2 entry that the kernel alone may use. */
#define L2_FLAGS (PTE_P | PTE_RW | PTE_A | PTE_D)

/* --- directories.c ------------------------------------------------------------------------ */

/* Detaches each POOL_L1 behind l3i that does not shadow what the directory in r->table[l3i]
 * says now. */
void root_resync(struct vcpu *v, struct root *r, u32 l3i);
/* The guest has written the entry at this address, of which only the place in its page
 * matters, of its directory gpfn: the same for what is hooked by that entry, in each root
 * that has the directory. */
void root_directory_changed(u32 gpfn, const u32 *entry, bool wide);
/* r->table[l3i] becomes gpfn, or GPFN_NONE.  What is hooked behind it stays. */
void root_set_table(struct root *r, u32 l3i, u32 gpfn);
/* The same with GPFN_NONE where the caller, or nobody, cares for HEADS: the next load reads
 * the guest's PDPTEs again. */
void root_forget_table(struct root *r, u32 l3i);
/* Takes the guest's PDPTEs (of a 2-level guest its CR3) into a root, which is the current
 * one or becomes it next.  CR3 names memory. */
void root_load_tables(struct vcpu *v, struct root *r);

/* --- roots.c ------------------------------------------------------------------------------ */

/* Start of day, behind pool_start(): see shadow_start(). */
void root_start(void);

/* The root that is loaded. */
static inline struct root *root_current(void)
{
	return &SHADOW->roots[SHADOW_CPU->current];
}

/* The TLB has nothing old: it was flushed, or another root was loaded. */
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

/* The machine frame of the L1 that is hooked at l2i, or 0. */
static inline u32 root_l1_mfn(const struct root *r, u32 l2i)
{
	struct entry e = entry_read(&pool_table(r->l2[l2i >> 9])[l2i & 511], true);

	return e.low & (u32)PTE_P ? e.low >> PAGE_SHIFT | e.high << 20 : 0;
}

/* The page of the pool that is hooked at l2i, or SHADOW_NONE.  Not for the window's. */
static inline u32 root_l1(const struct root *r, u32 l2i)
{
	u32 mfn = root_l1_mfn(r, l2i);

	return mfn ? pool_of_mfn(mfn) : SHADOW_NONE;
}

#endif
