/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * User address spaces: regions, demand zero, fork with copy on write, end.
 * The order of native writes, announcements and flushes is Linux 2.6.32's
 * (do_wp_page, copy_page_range, unmap_vmas, free_pgtables).
 */
#include "mm.h"

#define TABLE_SPAN (1u << PD_SHIFT)

void mm_add(struct mm *mm, u32 start, u32 end, bool write, bool exec)
{
	if (mm->vmas == MM_VMAS)
		died("too many regions");
	mm->vma[mm->vmas++] = (struct vma){start, end, write, exec};
}

static const struct vma *vma_of(struct mm *mm, u32 va)
{
	for (u32 i = 0; i < mm->vmas; i++) {
		if (va >= mm->vma[i].start && va < mm->vma[i].end)
			return &mm->vma[i];
	}
	return NULL;
}

static u64 vma_bits(const struct vma *v)
{
	u64 bits = PTE_P | PTE_US | PTE_A;

	if (v->write)
		bits |= PTE_RW;
	if (!v->exec)
		bits |= PTE_NX;
	return bits;
}

/* ptep_set_access_flags: a native write, a deferred announcement, a flush. */
static void make_writable(struct mm *mm, u32 va, pte_t *ptep)
{
	*(volatile u32 *)ptep |= PTE_RW | PTE_A | PTE_D;
	pte_updated(mm, va, ptep, PAGE_DEFER);
	ops.inval_page(va);
}

static void copy_on_write(struct mm *mm, const struct vma *v, u32 va, pte_t *ptep)
{
	u32 old = pte_pfn(*ptep), new;

	if (page_refs(old) == 1) {
		make_writable(mm, va, ptep);
		return;
	}
	new = page_alloc();
	memcpy(page_address(new), page_address(old), PAGE_SIZE);
	pte_clear_flush(mm, va, ptep);
	pte_set(mm, va, ptep, pte_make(new, vma_bits(v) | PTE_D));
	page_put(old);
}

/* Returns whether the access may be tried again. */
bool mm_fault(struct mm *mm, u32 va, u32 error)
{
	const struct vma *v = vma_of(mm, va);
	pte_t *ptep;

	if (!v || (error & PF_WRITE && !v->write) || (error & PF_FETCH && !v->exec))
		return false;
	va &= ~(PAGE_SIZE - 1);
	ptep = pte_alloc(mm, va);
	if (!(*ptep & PTE_P)) {
		u64 dirty = error & PF_WRITE ? PTE_D : 0;

		pte_set(mm, va, ptep, pte_make(page_alloc_zeroed(), vma_bits(v) | dirty));
		return true;
	}
	if (error & PF_WRITE)
		copy_on_write(mm, v, va, ptep);
	return true;
}

/* One region of one table's span, in lazy mode as copy_pte_range: the table
 * comes first, because what is written in lazy mode may not be read. */
static void fork_range(struct mm *to, struct mm *from, u32 va, u32 end)
{
	if (!pte_of(from, va))
		return;
	pte_alloc(to, va);
	ops.lazy_mode(LAZY_MMU);
	for (; va < end; va += PAGE_SIZE) {
		pte_t *src = pte_of(from, va);

		if (!(*src & PTE_P))
			continue;
		if (*src & PTE_RW) {
			asm volatile("lock; andl %1, %0"
				     : "+m"(*(volatile u32 *)src)
				     : "ri"(~PTE_RW)
				     : "memory", "cc");
			pte_updated(from, va, src, 0);
		}
		page_get(pte_pfn(*src));
		pte_set(to, va, pte_of(to, va), *src & ~(pte_t)PTE_D);
	}
	ops.lazy_mode(LAZY_NONE);
}

void mm_fork(struct mm *to, struct mm *from)
{
	mm_alloc_tables(to);
	for (u32 i = 0; i < from->vmas; i++) {
		const struct vma *v = &from->vma[i];

		to->vma[to->vmas++] = *v;
		for (u32 va = v->start; va < v->end;) {
			u32 end = (va | (TABLE_SPAN - 1)) + 1;

			if (end > v->end)
				end = v->end;
			fork_range(to, from, va, end);
			va = end;
		}
	}
	ops.flush_tlb(FLUSH_TLB);
}

/* Frames that go back after the flush (Linux's mmu_gather). */
static struct {
	u32 count;
	u32 pfn[64];
} gather;

static void gather_flush(void)
{
	ops.flush_tlb(FLUSH_TLB);
	while (gather.count)
		page_put(gather.pfn[--gather.count]);
}

static void gather_add(u32 pfn)
{
	if (gather.count == ARRAY_SIZE(gather.pfn))
		gather_flush();
	gather.pfn[gather.count++] = pfn;
}

void mm_teardown(struct mm *mm)
{
	ops.space_ends(virt_to_phys(mm->pgd));
	ops.lazy_mode(LAZY_MMU);
	for (u32 i = 0; i < mm->vmas; i++) {
		for (u32 va = mm->vma[i].start; va < mm->vma[i].end; va += PAGE_SIZE) {
			pte_t *ptep = pte_of(mm, va), old;

			if (!ptep || !(*ptep & PTE_P))
				continue;
			old = pte_clear_native(ptep); /* silently: full teardown */
			gather_add(pte_pfn(old));
		}
	}
	ops.lazy_mode(LAZY_NONE);
	for (u32 va = 0; va < PAGE_OFFSET; va += TABLE_SPAN) {
		pte_t *pmd = pmd_of(mm, va);
		u32 pfn = pte_pfn(*pmd);

		if (!(*pmd & PTE_P))
			continue;
		pt_free(mm, va);
		gather_add(pfn);
	}
	gather_flush();
	mm->vmas = 0;
}

static void *page_of(struct mm *mm, u32 va)
{
	pte_t *ptep = pte_of(mm, va);

	if (!ptep || !(*ptep & PTE_P)) {
		const struct vma *v = vma_of(mm, va);

		if (!v)
			died("no region at that address");
		ptep = pte_alloc(mm, va);
		pte_set(mm, va & ~(PAGE_SIZE - 1), ptep,
			pte_make(page_alloc_zeroed(), vma_bits(v)));
	}
	return page_address(pte_pfn(*ptep));
}

void mm_poke(struct mm *mm, u32 va, const void *from, u32 size)
{
	const u8 *p = from;

	while (size) {
		u32 offset = va % PAGE_SIZE, part = PAGE_SIZE - offset;

		if (part > size)
			part = size;
		memcpy((u8 *)page_of(mm, va) + offset, p, part);
		va += part;
		p += part;
		size -= part;
	}
}

u32 mm_peek(struct mm *mm, u32 va)
{
	return *(u32 *)((u8 *)page_of(mm, va) + va % PAGE_SIZE);
}
