/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shadow MMU: page tables that Xen accepts, kept as a cache of the
 * guest's own, which stay ordinary guest memory.  shadow.c holds the essay.
 */
#ifndef VMIXEN_SHADOW_H
#define VMIXEN_SHADOW_H

#include "base.h"
#include "layout.h"
#include "monitor/binding.h"
#include "monitor/vcpu.h"

#define SHADOW_ROOTS 96
#define SHADOW_NONE 0x7FFFu    /* no pool page */
#define HEAD_DIRECTORY 0x8000u /* in WIN_HEADS: a directory of some root, and only then */
#define HEAD_NO_MEMORY 0xFFFFu /* in WIN_HEADS: no guest table can be here */
#define GPFN_NONE 0xFFFFFFFFu
#define GMFN_NONE 0xFFFFFFFFu /* in WIN_GMFN: no memory at this guest frame */
#define LINEAR_MAPPINGS 4     /* of SetLinearMapping */

enum pool_kind {
	POOL_RAW,	 /* untouched: may hold anything, not mapped */
	POOL_FREE,	 /* a pinned, empty L1 that is hooked nowhere */
	POOL_L1,	 /* a shadow of one guest table (or large page) at one L2 index */
	POOL_ONE_TO_ONE, /* 2 MB of guest-physical memory, one to one */
	POOL_ROOT,	 /* an L3, an L2, or another frame that Xen has typed */
	POOL_LOST,	 /* Xen has refused to take it for what it was to be: not used any more */
};

/* A page table entry of either format; of a 2-level table high is 0. */
struct entry {
	u32 low, high;
};

/* A write of a table on its way to Xen: struct mmu_update in words. */
struct queued {
	u64 ptr; /* machine address of the entry */
	u32 low, high;
};

/* What a page of guest memory is looked at as: each use has map slots of its own
 * (guest_page() in paging.h). */
enum page_use {
	PAGE_TOP,	/* what CR3 names */
	PAGE_DIRECTORY, /* in a walk, or when a root is held against it */
	PAGE_TABLE,	/* in a walk */
	PAGE_ENTRY,	/* where a call of the guest's points to */
	PAGE_USES
};

#define NO_CACHED_TABLE 8u /* fill_cache.at: no entry lies in a table that begins there */
#define NO_ONLY_ROOT 0xFFu /* pool_page.only_root */

/* What is known of a page of the pool. */
struct pool_page {
	u32 gpfn;	     /* POOL_L1: the guest table shadowed, GPFN_NONE if none */
	struct entry pde;    /* POOL_L1: entry_key() of the directory entry that leads to it */
	u32 dirty_groups[2]; /* POOL_L1: bit per 8 entries; clear: they are known to be clear */
	u16 l2i;	     /* POOL_L1: the one L2 index (va >> 21) where it may be hooked */
	u16 next;     /* POOL_L1: next shadow of the same guest table; POOL_FREE: next free */
	u16 hooks;    /* roots in which it is hooked */
	u8 only_root; /* the one root, if that is known; else NO_ONLY_ROOT */
	u8 kind;      /* enum pool_kind */
} __attribute__((aligned(32)));

/* One address space as Xen sees it: an L3 and its four L2 pages. */
struct root {
	bool made;	    /* its pages exist and are pinned */
	bool live;	    /* key is the CR3 of a living guest address space */
	u32 key;	    /* guest-physical address of the guest's top table */
	u32 table[4];	    /* gpfn of the guest's directory behind each L3 index, or GPFN_NONE */
	bool pdptes_cached; /* what follows holds unless a low word has changed */
	u32 pdpte[4];	    /* low words of the entries that said so */
	u32 directory[4];   /* vcpu.directory while it is loaded */
	u32 used;	    /* clock of the last load, for replacement */
	u16 l3, l2[4];	    /* pool pages */
	u32 hooked[64];	    /* bit per L2 index: a POOL_L1 is hooked there */
};

/* What of it is one virtual CPU's: what is loaded, what is on its way to Xen, and what
 * it has mapped or found last. */
struct shadow_vcpu {
	u32 current;   /* index in roots[] */
	bool unhooked; /* a hook of the current root is gone and the TLB may have it yet */
	/* By number: where pages of tables are mapped for the moment (HIGHPTE). */
	struct {
		u32 va, pages, gpfn;
	} highpte[LINEAR_MAPPINGS];
	u32 queued;
	u32 queue_last; /* the entry that was queued last, as queue.c names it */
	struct queued queue[512];
	/* Queued writes that fill an entry are all of this POOL_L1 (SHADOW_NONE: there
	 * are none), and of no entry behind last. */
	struct {
		u32 page, last;
	} fills;
	/* Where an entry was filled last that the guest wanted to use (fill_cache.c). */
	struct {
		u32 gpfn, page; /* gpfn: GPFN_NONE if that is forgotten */
		u32 flags; /* of an Update of its entries: CURRENT_AS_PT, and where its 2 MB are */
		gva_t at;  /* the table in the linear mapping; NO_CACHED_TABLE: not there */
		gva_t long_at; /* the same of a table of PAE; NO_CACHED_TABLE: it is none */
		gva_t l1;      /* the L1 as pool_table() has it, and its pool_page.dirty_groups */
		u32 *dirty_groups;
		u32 bad_high; /* bits that no entry's high word has */
		const u32 *pde_at;
		struct entry pde;
	} fill_cache;
	u32 slot_gpfn[WIN_SLOT_COUNT]; /* what each map slot shows, GPFN_NONE if nothing */
};

/* What is the domain's. */
struct shadow {
	u32 guest_pages;	    /* frames in WIN_GMFN */
	u32 pool_pages, pool_fresh; /* fresh: first page never used */
	u32 free;		    /* head of the POOL_FREE list */
	u32 hand;		    /* clock hand for eviction */
	u32 clock;
	u32 root_limit;	  /* roots that this domain's pool allows */
	u8 root_hint[64]; /* by hash of key: where in roots[] it was last */
	/* By hash of gpfn: a directory that this root has and no other. */
	struct directory_owner {
		u32 gpfn, root;
	} directory_owner[64];
	bool paging_on;	      /* the guest has paging on */
	u32 one_to_one_first; /* pool index of the first POOL_ONE_TO_ONE */
	u32 one_to_one_count;
	/* The guest's linear mapping of low memory (SetLinearMapping 0) as it has
	 * announced it, and a bit for each 2 MB of it that is hooked everywhere. */
	u32 linear_base, linear_pages;
	u32 linear_hooked[64];
	int xen_error; /* what Xen has said last when it refused something */
	struct root roots[SHADOW_ROOTS];
	struct pool_page pool[WIN_POOL_MAX];
};

/* Start of day: makes the first root and the one-to-one L1 pages, leaves Xen's
 * bootstrap tables, and gives an identity mapping of guest-physical memory. */
void shadow_start(void);

/* A page fault of the guest at va with the hardware's error code.  kernel:
 * what the guest takes for ring 0.  Fills *error and *gpa as the result says. */
enum space_result shadow_fault(struct vcpu *v, gva_t va, u32 error, bool kernel, u32 *guest_error,
			       u64 *gpa);

/* The guest's CR3, CR0.PG or CR4.PAE changed.  false: cr3 names no memory. */
bool shadow_load(struct vcpu *v);
/* CR4.PAE, CR4.PSE or EFER.NXE changed: every shadow is void. */
void shadow_mode_changed(struct vcpu *v);
/* Init succeeded: user and supervisor become the guest's, stack and code are filled. */
void shadow_adopt(struct vcpu *v);

/* Announcements; see vmi_mmu.c.  entry: where it can be read, in guest frame gpfn. */
void shadow_entry_changed(u32 gpfn, const u32 *entry);
void shadow_entry_wanted(u32 gpfn, const u32 *entry, gva_t va);
void shadow_release_table(u32 gpfn);
void shadow_reread_table(u32 gpfn);
void shadow_flush_tlb(struct vcpu *v);
void shadow_keep_stack(struct vcpu *v);
void shadow_set_linear(struct vcpu *v, u32 number, u32 va, u32 pages, u32 gpfn);
u32 shadow_ptep_gpfn(struct vcpu *v, gva_t ptep);

#define GMFN ((u32 *)(uintptr_t)WIN_GMFN)
#define HEADS ((u16 *)(uintptr_t)WIN_HEADS)

/* Fills WIN_HEADS, and WIN_GMFN from guest_pages on, to the ends of the pages in
 * which the guest's last frame is.  Who has found 2 MB of the linear mapping hooked
 * may therefore look every frame of them up in both without a bound: the first of
 * them is the guest's, and no 2 MB lie in two pages of either table. */
static inline void frames_complete(u32 guest_pages)
{
	_Static_assert(PAGE_SIZE / sizeof(GMFN[0]) % 512 == 0 &&
			       PAGE_SIZE / sizeof(HEADS[0]) % 512 == 0,
		       "2 MB of frames are in one page of each table");
	u32 i = guest_pages;

	for (; i % (PAGE_SIZE / sizeof(GMFN[0])); i++)
		GMFN[i] = GMFN_NONE;
	for (i = 0; i < guest_pages || i % (PAGE_SIZE / sizeof(HEADS[0])); i++)
		HEADS[i] = i < guest_pages && GMFN[i] != GMFN_NONE ? SHADOW_NONE : HEAD_NO_MEMORY;
}

/* A zeroed frame that Xen may type (GDT, LDT), mapped read-only at va; its mfn. */
u32 shadow_frame(gva_t va);

#endif
