/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page tables, announced as Linux 2.6.32 announces them.
 *
 * What a VMI ROM sees, in its order:
 *   a table       AllocatePage(PT) while it is zero, then SetPxE(PD) links it
 *   a new space   PAE: memcpy of slot 3, AllocatePage(PD|CLONE) of the top
 *                 page, AllocatePage(PD) and SetPxE(PDP) of three directories;
 *                 2-level: memcpy of the kernel half, AllocatePage(PD|CLONE)
 *   an entry      SetPxE, with CURRENT_AS and the address in the loaded space;
 *                 or a native write and UpdatePxE
 *   the end       entries cleared natively and silently, SetPxE(PD, 0) and
 *                 ReleasePage of each table, slots of the top page cleared
 *                 natively, ReleasePage of directories and of the top page
 */
#include "mm.h"

extern pte_t swapper_pg_dir[];

struct mm init_mm = {.pgd = swapper_pg_dir};
struct mm *current_mm = &init_mm;
const u32 *pte_p2m, *pte_m2p;

#define L1_FLAGS (PAGE_L1_FLAG | ALLOC_FORMAT | ALLOC_ZEROED)
#define L2_FLAGS (PAGE_L2_FLAG | ALLOC_FORMAT | ALLOC_ZEROED)
#define KERNEL_SLOT 3u /* PAE */
#define KERNEL_PDE 768u

static u32 pfn_of(const void *p)
{
	return virt_to_phys(p) >> PAGE_SHIFT;
}

pte_t pte_make(u32 pfn, u64 bits)
{
	if (!nx_enabled)
		bits &= ~(1ull << 63);
	if (pte_p2m)
		pfn = pte_p2m[pfn];
	return (pte_t)((u64)pfn << PAGE_SHIFT | bits);
}

u32 pte_pfn(pte_t pte)
{
	u32 frame = (u32)(pte >> PAGE_SHIFT) & 0xfffff;

	return pte_m2p && pte & PTE_P ? pte_m2p[frame] : frame;
}

pte_t *pmd_of(struct mm *mm, u32 va)
{
#ifdef PAE
	pte_t top = mm->pgd[va >> 30];

	if (!(top & PTE_P))
		return NULL;
	return (pte_t *)page_address(pte_pfn(top)) + (va >> PD_SHIFT) % PT_ENTRIES;
#else
	return &mm->pgd[va >> PD_SHIFT];
#endif
}

pte_t *pte_of(struct mm *mm, u32 va)
{
	pte_t *pmd = pmd_of(mm, va);

	if (!pmd || !(*pmd & PTE_P))
		return NULL;
	return (pte_t *)page_address(pte_pfn(*pmd)) + (va >> PAGE_SHIFT) % PT_ENTRIES;
}

pte_t *pte_alloc(struct mm *mm, u32 va)
{
	pte_t *pmd = pmd_of(mm, va);

	if (!pmd)
		died("no page directory");
	if (!(*pmd & PTE_P)) {
		u32 pfn = page_alloc_zeroed();

		ops.allocate_page(pfn, L1_FLAGS, 0, 0, 0);
		ops.set_pte(pte_make(pfn, PTE_TABLE), pmd, PAGE_L2_FLAG);
	}
	return pte_of(mm, va);
}

static u32 address_flags(struct mm *mm, u32 va)
{
	if (mm == current_mm || mm == &init_mm)
		return PAGE_CURRENT_AS | (va & ~(PAGE_SIZE - 1));
	return 0;
}

void pte_set(struct mm *mm, u32 va, pte_t *ptep, pte_t value)
{
	ops.set_pte(value, ptep, PAGE_L1_FLAG | address_flags(mm, va));
}

/* After a native write.  `defer` only where the caller flushes the address
 * next. */
void pte_updated(struct mm *mm, u32 va, pte_t *ptep, u32 defer)
{
	u32 flags = address_flags(mm, va);

	ops.update_pte(ptep, PAGE_L1_FLAG | flags | (flags ? defer : 0));
}

pte_t pte_clear_native(pte_t *ptep)
{
	volatile u32 *half = (volatile u32 *)ptep;
	u32 low = 0;
	pte_t old;

	asm volatile("xchg %0, %1" : "+r"(low), "+m"(half[0])::"memory");
	old = low;
#ifdef PAE
	old |= (pte_t)half[1] << 32;
	half[1] = 0;
#endif
	return old;
}

void pte_clear_flush(struct mm *mm, u32 va, pte_t *ptep)
{
	pte_clear_native(ptep);
	pte_updated(mm, va, ptep, 0);
	ops.inval_page(va);
}

/* The table's frame stays allocated: the caller frees it after its flush. */
void pt_free(struct mm *mm, u32 va)
{
	pte_t *pmd = pmd_of(mm, va);
	u32 pfn = pte_pfn(*pmd);

	ops.set_pte(0, pmd, PAGE_L2_FLAG);
	ops.release_page(pfn, PAGE_L1_FLAG | ALLOC_FORMAT | ALLOC_ZEROED);
}

void mm_alloc_tables(struct mm *mm)
{
	u32 top = page_alloc_zeroed();

	mm->pgd = page_address(top);
	mm->vmas = 0;
#ifdef PAE
	mm->pgd[KERNEL_SLOT] = init_mm.pgd[KERNEL_SLOT];
	ops.allocate_page(top, L2_FLAGS | ALLOC_CLONE, pfn_of(init_mm.pgd), KERNEL_SLOT, 1);
	for (u32 i = 0; i < KERNEL_SLOT; i++) {
		u32 pd = page_alloc_zeroed();

		ops.allocate_page(pd, L2_FLAGS, 0, 0, 0);
		ops.set_pte(pte_make(pd, PTE_P), &mm->pgd[i], PAGE_PDP_FLAG);
	}
#else
	memcpy(mm->pgd + KERNEL_PDE, init_mm.pgd + KERNEL_PDE,
	       (PT_ENTRIES - KERNEL_PDE) * sizeof(pte_t));
	ops.allocate_page(top, L2_FLAGS | ALLOC_CLONE, pfn_of(init_mm.pgd), KERNEL_PDE,
			  PT_ENTRIES - KERNEL_PDE);
#endif
}

void mm_free_tables(struct mm *mm)
{
	ops.space_ends(virt_to_phys(mm->pgd));
#ifdef PAE
	for (u32 i = 0; i < KERNEL_SLOT; i++) {
		u32 pd = pte_pfn(mm->pgd[i]);

		mm->pgd[i] = 0;
		ops.release_page(pd, L2_FLAGS);
		page_put(pd);
	}
#endif
	ops.release_page(pfn_of(mm->pgd), L2_FLAGS);
	page_put(pfn_of(mm->pgd));
	mm->pgd = NULL;
}

void mm_switch(struct mm *mm)
{
	if (mm == current_mm)
		return;
	current_mm = mm;
	ops.set_cr3(virt_to_phys(mm->pgd));
}

void mm_switch_and_back(void)
{
	struct mm *here = current_mm, away;

	mm_alloc_tables(&away);
	mm_switch(&away);
	mm_switch(here);
	mm_free_tables(&away);
}

void map_kernel(u32 va, u32 pfn, u64 bits)
{
	pte_set(&init_mm, va, pte_alloc(&init_mm, va), pte_make(pfn, bits));
}

void unmap_kernel(u32 va)
{
	pte_t *ptep = pte_of(&init_mm, va);

	pte_clear_native(ptep);
	pte_updated(&init_mm, va, ptep, 0);
	ops.flush_tlb(FLUSH_GLOBAL);
}

/* What the boot tables left out, as kernel_physical_mapping_init does. */
void linear_map_rest(void)
{
	for (u32 pfn = BOOT_MAP >> PAGE_SHIFT; pfn < lowmem_pages(); pfn++) {
		u32 va = (u32)page_address(pfn);

		ops.set_pte(pte_make(pfn, PTE_KERNEL), pte_alloc(&init_mm, va), PAGE_L1_FLAG);
	}
	ops.flush_tlb(FLUSH_GLOBAL);
}

/* The identity mapping goes; PAE leaves present slots that show an empty
 * page, never announced. */
void zap_low_mappings(void)
{
#ifdef PAE
	u32 empty = page_alloc_zeroed();

	for (u32 i = 0; i < KERNEL_SLOT; i++)
		ops.set_pte(pte_make(empty, PTE_P), &init_mm.pgd[i], PAGE_PDP_FLAG);
#else
	for (u32 i = 0; i < KERNEL_PDE; i++) {
		if (init_mm.pgd[i])
			ops.set_pte(0, &init_mm.pgd[i], PAGE_L2_FLAG);
	}
#endif
	ops.flush_tlb(FLUSH_TLB);
}

/* A kernel table that was hooked into init_mm after this space was made
 * (2-level only: PAE shares the directory). */
bool vmalloc_sync(u32 va)
{
	pte_t *from = pmd_of(&init_mm, va), *to = pmd_of(current_mm, va);

	if (va < VMALLOC_START || from == to || !(*from & PTE_P) || (*to & PTE_P))
		return false;
	ops.set_pte(*from, to, PAGE_L2_FLAG);
	return true;
}
