/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shadow MMU: page tables that Xen accepts, kept as a cache of the guest's own,
 * which stay ordinary guest memory.  The essay is at the head of shadow.c.
 *
 * Here is its data, and what the rest of the PV binding calls.  What its files call of
 * each other is in paging.h.
 */
#ifndef VMIXEN_SHADOW_H
#define VMIXEN_SHADOW_H

#include "base.h"
#include "layout.h"
#include "monitor/binding.h"
#include "monitor/vcpu.h"

#define SHADOW_ROOTS 96
#define SHADOW_NONE 0x7FFFu   /* in place of a pool page's number: there is none */
#define GPFN_NONE 0xFFFFFFFFu /* in place of a guest frame's number: there is none */
#define GMFN_NONE 0xFFFFFFFFu /* in WIN_GMFN: this guest frame has no memory */
#define LINEAR_MAPPINGS 4     /* numbers that SetLinearMapping may name */

/* WIN_HEADS has for each guest frame the first pool page that shadows it as a table, or
 * SHADOW_NONE; pool_page.next leads to the others.  Besides: */
#define HEAD_DIRECTORY 0x8000u /* flag: some root has the frame as a directory */
#define HEAD_NO_MEMORY 0xFFFFu /* the frame has no memory, so it cannot be a table */

enum pool_kind {
	POOL_RAW,	 /* Xen has no type for it, and it may hold anything */
	POOL_FREE,	 /* a pinned, empty L1 that is hooked nowhere */
	POOL_L1,	 /* a shadow of one guest table (or large page) at one L2 index */
	POOL_ONE_TO_ONE, /* maps a chunk, which is 2 MB of guest-physical memory */
	POOL_ROOT,	 /* an L3, an L2, or another frame that Xen has typed */
	POOL_LOST,	 /* Xen has refused it for what it was to be: never used again */
};

/* A page table entry of either format; the high word of a 2-level one is 0. */
struct entry {
	u32 low, high;
};

/* A write of an entry that Xen has not been asked for yet: struct mmu_update in words. */
struct queued {
	u64 ptr; /* machine address of the entry */
	u32 low, high;
};

/* Why a page of guest memory is looked at.  Each use has map slots of its own, so pages
 * of two uses can be looked at together (guest_page() in paging.h). */
enum page_use {
	PAGE_TOP,	/* CR3 names it */
	PAGE_DIRECTORY, /* a walk goes through it, or a root is compared with it */
	PAGE_TABLE,	/* a walk ends in it */
	PAGE_ENTRY,	/* the guest calls with a pointer to an entry in it */
	PAGE_USES
};

/* fill_cache.at: no table is cached.  No pointer equals it once the bits of the entry's
 * place in its page are cleared, for bit 3 is one of them. */
#define NO_CACHED_TABLE 8u
#define NO_ONLY_ROOT 0xFFu /* pool_page.only_root: hooked in no root, or several */

/* What is known of a page of the pool. */
struct pool_page {
	u32 gpfn;	     /* POOL_L1: the guest table that it shadows, or GPFN_NONE */
	struct entry pde;    /* POOL_L1: entry_key() of the directory entry that leads to it */
	u32 dirty_groups[2]; /* POOL_L1: a bit for 8 entries; bit clear: they are empty */
	u16 l2i;	     /* POOL_L1: the one L2 index (va >> 21) at which it may be hooked */
	u16 next;     /* POOL_L1: next shadow of the same guest table; POOL_FREE: next free */
	u16 hooks;    /* in how many roots it is hooked */
	u8 only_root; /* the root, if it is hooked in one alone and that is known */
	u8 kind;      /* enum pool_kind */
} __attribute__((aligned(32)));

/* One address space as Xen sees it: an L3 and its four L2 pages.  Arrays of four have an
 * element for each L3 index, that is for each GB. */
struct root {
	bool made;	    /* its pages exist and are pinned */
	bool live;	    /* a guest address space has it: key is meant */
	u32 key;	    /* CR3 of that space: guest-physical address of its top table */
	u32 table[4];	    /* gpfn of the guest's directory there, or GPFN_NONE;
			     * of a 2-level guest four times the same */
	bool pdptes_cached; /* table[] and directory[] hold while the PDPTEs are pdpte[] */
	u32 pdpte[4];	    /* low words; of a 2-level guest, four times its CR3, with P */
	u32 directory[4];   /* what vcpu.directory is while this root is loaded */
	u32 last_load;	    /* shadow.loads at its last load: the least is replaced first */
	u16 l3, l2[4];	    /* pool pages */
	u32 hooked[64];	    /* a bit for each L2 index: a POOL_L1 is hooked there */
};

/* What of the shadow is one virtual CPU's: the root that it has loaded, what is on its way
 * to Xen, and what it has mapped or found last. */
struct shadow_vcpu {
	u32 current;   /* number of the loaded root */
	bool unhooked; /* the current root has lost a hook that the TLB may have yet */
	/* What else SetLinearMapping has said, by its number: at va are so many pages of
	 * tables for the moment, from guest frame gpfn on (HIGHPTE). */
	struct {
		u32 va, pages, gpfn;
	} highpte[LINEAR_MAPPINGS];
	u32 queued;	/* writes in queue[] */
	u32 queue_last; /* the entry that the last of them is for: page << 9 | index */
	struct queued queue[512];
	/* page: the only POOL_L1 of which queued writes fill entries (SHADOW_NONE: none
	 * do); last: the highest index of such an entry. */
	struct {
		u32 page, last;
	} fills;
	/* Where the entry belongs that the guest has announced last as one that it is
	 * about to use: the table and its only shadow (fill_cache.c). */
	struct {
		u32 gpfn, page;	   /* the table, GPFN_NONE: nothing is cached; its POOL_L1 */
		u32 flags;	   /* of an Update of its entries: CURRENT_AS_PT, and which 2 MB */
		gva_t at;	   /* the table in the linear mapping, or NO_CACHED_TABLE */
		gva_t long_at;	   /* the same if its entries are PAE's, else NO_CACHED_TABLE */
		gva_t l1;	   /* the POOL_L1 as pool_table() has it */
		u32 *dirty_groups; /* the POOL_L1's */
		u32 bad_high;	   /* bits that no valid entry's high word has */
		const u32 *pde_at; /* where the guest's directory leads to the table, */
		struct entry pde;  /* and by which entry */
	} fill_cache;
	u32 slot_gpfn[WIN_SLOT_COUNT]; /* the guest frame in each map slot, or GPFN_NONE */
};

/* What of it is the domain's. */
struct shadow {
	u32 guest_pages; /* frames of the guest in WIN_GMFN */
	u32 pool_pages;	 /* pages of the pool */
	u32 pool_fresh;	 /* the first of them that was never used; all behind it neither */
	u32 free;	 /* the first POOL_FREE page */
	u32 hand;	 /* clock hand: the page at which eviction looks first */
	u32 loads;	 /* of roots, counted */
	u32 root_limit;	 /* roots that this domain's pool allows */
	/* By a hash of the key: the root that was last found by such a key. */
	u8 root_hint[64];
	/* By a hash of gpfn: the directory gpfn is in that root and in no other. */
	struct directory_owner {
		u32 gpfn, root;
	} directory_owner[64];
	bool paging_on;	      /* the guest has paging on */
	u32 one_to_one_first; /* the pool page of chunk 0; those of the others follow */
	u32 one_to_one_count; /* chunks */
	/* The guest's linear mapping of low memory (SetLinearMapping 0) as it has
	 * announced it, and a bit for each chunk that is hooked there in every root. */
	u32 linear_base, linear_pages;
	u32 linear_hooked[64];
	int xen_error; /* Xen's errno when it last refused something */
	struct root roots[SHADOW_ROOTS];
	struct pool_page pool[WIN_POOL_MAX];
};

/* All functions here end the domain, with a report, where Xen refuses what cannot be done
 * without. */

/* Start of day: makes the first root and the one-to-one pages, leaves Xen's bootstrap
 * tables, and maps guest-physical memory at itself (paging is off). */
void shadow_start(void);

/* A page fault of the guest at va; error: the processor's error code; kernel: the access
 * has the rights of what the guest takes for ring 0.
 *   SPACE_FILLED  the shadow allows the access now: it is to be tried again
 *   SPACE_OPENED  the same, before Init, of a guarded frame (guard.h): in a step
 *   SPACE_FAULT   the guest's own tables refuse it: *guest_error is the code for it
 *   SPACE_MMIO    the frame has no memory: *gpa is the guest-physical address
 * A fault that comes again and again though the shadow allows the access ends the guest. */
enum space_result shadow_fault(struct vcpu *v, gva_t va, u32 error, bool kernel, u32 *guest_error,
			       u64 *gpa);

/* The guest's CR3, CR0.PG or CR4.PAE has changed in *v: its address space is loaded.
 * false: paging is on and CR3 names no memory; then nothing has been done. */
bool shadow_load(struct vcpu *v);
/* CR4.PAE, CR4.PSE or EFER.NXE has changed in *v: every shadow is given up. */
void shadow_mode_changed(struct vcpu *v);
/* Init has succeeded (v->paravirtual): the current space gets entries with the guest's own
 * privileges.  Its stack is mapped; the domain ends if the guest's tables do not map it. */
void shadow_adopt(struct vcpu *v);

/* --- announcements: announcements.c, fill_cache.c --------------------------------------- */

/* gpfn is a guest frame that has memory; entry points into this page where the monitor
 * can read it (guest_page()), at the low word or, of PAE, either word. */

/* The guest has written the entry: its shadows are weakened to what it allows now, at once
 * or, in lazy mode, with the queue. */
void shadow_entry_changed(u32 gpfn, const u32 *entry);
/* The same, and the guest is about to use it at va in the current space: it is filled
 * there if that takes one hypercall or none. */
void shadow_entry_wanted(u32 gpfn, const u32 *entry, gva_t va);
/* The frame is no table any more: its shadows become idle L1s, and roots but the current
 * one forget it. */
void shadow_release_table(u32 gpfn);
/* The frame has become a table, or all of it may have changed: its shadows become idle
 * L1s, and what roots have hooked by it as a directory is compared with it. */
void shadow_reread_table(u32 gpfn);
/* The guest flushes the TLB, as by a load of the same CR3. */
void shadow_flush_tlb(struct vcpu *v);
/* Fills the page of the stack on which the guest calls, if the guest's tables map it: in
 * its linear mapping it is hooked from now on, and cannot be dropped. */
void shadow_keep_stack(struct vcpu *v);
/* SetLinearMapping: the guest has so many pages, from guest frame gpfn on, at va.
 * number: which of its mappings, below LINEAR_MAPPINGS. */
void shadow_set_linear(struct vcpu *v, u32 number, u32 va, u32 pages, u32 gpfn);
/* The guest frame, which has memory, in which the entry lies that the guest has at ptep;
 * GPFN_NONE if there is none. */
u32 shadow_ptep_gpfn(struct vcpu *v, gva_t ptep);

/* --- frames ----------------------------------------------------------------------------- */

/* By guest frame: its machine frame or GMFN_NONE; its shadows (HEAD_DIRECTORY above). */
#define GMFN ((u32 *)(uintptr_t)WIN_GMFN)
#define HEADS ((u16 *)(uintptr_t)WIN_HEADS)

/* Fills HEADS, and GMFN from guest_pages on, to the end of the page of each that has the
 * guest's last frame.  So whoever knows that a chunk is hooked may look up each of its
 * frames in both, without asking whether it is below guest_pages: the first is, and a
 * chunk's frames are in one page of either table. */
static inline void frames_complete(u32 guest_pages)
{
	_Static_assert(PAGE_SIZE / sizeof(GMFN[0]) % 512 == 0 &&
			       PAGE_SIZE / sizeof(HEADS[0]) % 512 == 0,
		       "a chunk's frames are in one page of each table");
	u32 i = guest_pages;

	for (; i % (PAGE_SIZE / sizeof(GMFN[0])); i++)
		GMFN[i] = GMFN_NONE;
	for (i = 0; i < guest_pages || i % (PAGE_SIZE / sizeof(HEADS[0])); i++)
		HEADS[i] = i < guest_pages && GMFN[i] != GMFN_NONE ? SHADOW_NONE : HEAD_NO_MEMORY;
}

/* Takes a page of the pool for a descriptor table: it is zeroed, and mapped read-only at
 * va, where the ROM's window has room for it.  Returns its machine frame. */
u32 shadow_frame(gva_t va);

#endif
