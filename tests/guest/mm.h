/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory: frames (page.c), page tables (pagetable.c), address spaces with
 * their regions, demand zero and copy on write (mm.c).
 *
 * Low memory is mapped linearly at PAGE_OFFSET, at most LOWMEM_MAX of it; the
 * boot page tables map BOOT_MAP of it.  VMALLOC is for mappings that all
 * address spaces share; FIXMAP is one page right below virtual_top.
 */
#ifndef GUEST_MM_H
#define GUEST_MM_H

#include "ops.h"

#define PAGE_OFFSET 0xc0000000u
#define BOOT_MAP 0x01000000u
#define LOWMEM_MAX 0x2bc00000u /* 700 MB */
#define VMALLOC_START 0xf0000000u
#define VMALLOC_END 0xf2000000u
#define MAXMEM (VMALLOC_START - PAGE_OFFSET) /* as Linux: more than there is */

static inline void *phys_to_virt(u32 pa)
{
	return (void *)(pa + PAGE_OFFSET);
}

static inline u32 virt_to_phys(const void *p)
{
	return (u32)p - PAGE_OFFSET;
}

/* page.c: frames below LOWMEM_MAX, with a reference count */
void page_init(u32 first); /* frames of the boot mapping, from that address on */
void page_init_rest(void); /* all others, once they are mapped */
u32 page_alloc(void);	   /* pfn, one reference; dies when empty */
u32 page_alloc_zeroed(void);
void page_get(u32 pfn);
void page_put(u32 pfn);
u32 page_refs(u32 pfn);
u32 page_free_count(void);
u32 lowmem_pages(void);			     /* end of low memory, in frames */
void each_last_frame(void (*look)(u32 pfn)); /* of each range of RAM in the E820 map */
static inline void *page_address(u32 pfn)
{
	return phys_to_virt(pfn << PAGE_SHIFT);
}

struct vma {
	u32 start, end;
	bool write, exec;
};

#define MM_VMAS 6
struct mm {
	pte_t *pgd;
	struct vma vma[MM_VMAS];
	u32 vmas;
};

extern struct mm init_mm;
extern struct mm *current_mm;
extern u32 nx_enabled; /* head.asm */

/* pagetable.c: entries hold frames of the machine where these are set (xen/) */
extern const u32 *pte_p2m, *pte_m2p;
pte_t pte_make(u32 pfn, u64 bits);
u32 pte_pfn(pte_t pte);
pte_t *pmd_of(struct mm *mm, u32 va); /* NULL without a directory */
pte_t *pte_of(struct mm *mm, u32 va); /* NULL without a table */
pte_t *pte_alloc(struct mm *mm, u32 va);
void pte_set(struct mm *mm, u32 va, pte_t *ptep, pte_t value);
void pte_updated(struct mm *mm, u32 va, pte_t *ptep, u32 defer);
pte_t pte_clear_native(pte_t *ptep); /* what was there */
void pte_clear_flush(struct mm *mm, u32 va, pte_t *ptep);
void pt_free(struct mm *mm, u32 va); /* unhook and release one table */
void mm_alloc_tables(struct mm *mm);
void mm_free_tables(struct mm *mm); /* must not be loaded */
void mm_switch(struct mm *mm);
void mm_switch_and_back(void);		    /* no TLB holds what is not global */
void map_kernel(u32 va, u32 pfn, u64 bits); /* in init_mm, seen by all */
void unmap_kernel(u32 va);
void linear_map_rest(void);
void zap_low_mappings(void);
bool vmalloc_sync(u32 va);

/* mm.c */
void mm_add(struct mm *mm, u32 start, u32 end, bool write, bool exec);
bool mm_fault(struct mm *mm, u32 va, u32 error);
void mm_fork(struct mm *to, struct mm *from);
void mm_teardown(struct mm *mm); /* user part; may be loaded */
/* Copies into a user page, making it present first. */
void mm_poke(struct mm *mm, u32 va, const void *from, u32 size);
u32 mm_peek(struct mm *mm, u32 va);

#endif
