/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the ABI and Linux expect of page table updates, rule by rule: when
 * deferred and queued ones must count, what an announcement says and what it
 * does not, tables at addresses of the moment.  A check's first words name
 * its rule in tests/conformance.
 */
#include "checks.h"
#include "mm.h"
#include "rom.h"
#include "trap.h"

#define VA (VMALLOC_START + 0x1800000)
#define KMAP (VMALLOC_START + 0x1400000)
#define KMAP2 (KMAP + PAGE_SIZE)
#define UVA 0x20000000u
#define MANY 700u /* more than any queue holds, and two tables of PAE */
#define USER_BITS (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)

static u32 frame, other;

static u32 mark(u32 pfn)
{
	return *(volatile u32 *)page_address(pfn);
}

static u32 value_at(u32 va)
{
	u32 v = 0;

	return try_read(va, &v) == TRY_OK ? v : ~0u;
}

static pte_t *used(u32 va, u32 pfn, u64 bits)
{
	map_kernel(va, pfn, bits);
	ops.inval_page(va);
	if (bits & PTE_RW)
		*(volatile u32 *)va = mark(pfn);
	else
		(void)*(volatile u32 *)va;
	return pte_of(&init_mm, va);
}

/* A native write, announced as one that may wait for the next flush. */
static void defer(pte_t *ptep, u32 va, u32 pfn, u64 bits)
{
	native_ops.set_pte(pte_make(pfn, bits), ptep, 0);
	ops.update_pte(ptep, PAGE_L1_FLAG | PAGE_CURRENT_AS | PAGE_DEFER | va);
}

/* Each event that must flush, once where an update may count at once, and once in
 * lazy mode, where it waits. */
static void check_deferred_in(u32 mode)
{
	pte_t *ptep = used(VA, frame, PTE_KERNEL & ~PTE_RW);
	u32 count = seen.count;

	check_subject(mode == LAZY_NONE ? "deferred" : "deferred, in lazy mode");
	ops.lazy_mode(mode);
	defer(ptep, VA, frame, PTE_KERNEL);
	try_write(VA, mark(frame));
	check_eq("a page fault flushes, the kernel does not see it", count, seen.count);
	defer(ptep, VA, other, PTE_KERNEL);
	ops.inval_page(VA);
	check_eq("InvalPage flushes", mark(other), value_at(VA));
	defer(ptep, VA, frame, PTE_KERNEL);
	ops.flush_tlb(FLUSH_TLB);
	check_eq("FlushTLB flushes", mark(frame), value_at(VA));
	defer(ptep, VA, other, PTE_KERNEL & ~PTE_G);
	ops.set_cr3(ops.get_cr3());
	check_eq("SetCR3 flushes", mark(other), value_at(VA));
	defer(ptep, VA, other, PTE_KERNEL & ~PTE_RW);
	ops.inval_page(VA);
	check_eq("what became read-only is after InvalPage", V_PF, try_write(VA, 1));
	ops.lazy_mode(LAZY_NONE);
	check_subject(NULL);
	unmap_kernel(VA);
}

static void check_deferred(void)
{
	check_deferred_in(LAZY_NONE);
	check_deferred_in(LAZY_MMU);
}

/* An entry that has been used, so that it is shadowed, and is not in the TLB: what
 * is read next is what the shadow has of it, with no flush of anybody's. */
static pte_t *used_and_cold(void)
{
	pte_t *ptep = used(VA, frame, PTE_KERNEL & ~PTE_G);

	mm_switch_and_back();
	return ptep;
}

/* Whatever waits counts when lazy mode is left: nothing else is called here. */
static void check_lazy_ends(void)
{
	pte_t *ptep = used_and_cold();

	ops.lazy_mode(LAZY_MMU);
	pte_set(&init_mm, VA, ptep, pte_make(other, PTE_KERNEL));
	ops.lazy_mode(LAZY_NONE);
	check_eq("lazy: its end alone makes another frame count", mark(other), value_at(VA));
	unmap_kernel(VA);
	ptep = used_and_cold();
	ops.lazy_mode(LAZY_MMU);
	pte_set(&init_mm, VA, ptep, pte_make(frame, PTE_KERNEL & ~PTE_RW));
	ops.lazy_mode(LAZY_NONE);
	check_eq("lazy: its end alone makes a protection count", V_PF, try_write(VA, 1));
	unmap_kernel(VA);
	ptep = used_and_cold();
	ops.lazy_mode(LAZY_MMU);
	native_ops.set_pte(pte_make(other, PTE_KERNEL), ptep, 0);
	pte_updated(&init_mm, VA, ptep, 0);
	ops.lazy_mode(LAZY_NONE);
	check_eq("lazy: its end alone makes an announced frame count", mark(other), value_at(VA));
	unmap_kernel(VA);
	ptep = used_and_cold();
	ops.lazy_mode(LAZY_MMU);
	pte_set(&init_mm, VA, ptep, 0);
	ops.lazy_mode(LAZY_NONE);
	check_eq("lazy: its end alone makes a removal count", V_PF, try_read(VA, NULL));
	unmap_kernel(VA);
}

static void check_lazy(void)
{
	pte_t *ptep = used(VA, frame, PTE_KERNEL);

	ops.lazy_mode(LAZY_MMU);
	pte_set(&init_mm, VA, ptep, pte_make(frame, PTE_KERNEL & ~PTE_RW));
	ops.inval_page(VA);
	check_eq("lazy: InvalPage makes a queued protection count", V_PF, try_write(VA, 1));
	pte_set(&init_mm, VA, ptep, pte_make(other, PTE_KERNEL));
	ops.flush_tlb(FLUSH_GLOBAL);
	check_eq("lazy: FlushTLB makes a queued entry count", mark(other), value_at(VA));
	pte_set(&init_mm, VA, ptep, pte_make(frame, PTE_KERNEL & ~PTE_G));
	ops.set_cr3(ops.get_cr3());
	check_eq("lazy: SetCR3 makes a queued entry count", mark(frame), value_at(VA));
	pte_set(&init_mm, VA, ptep, 0);
	try_read(VA + PAGE_SIZE, NULL); /* any fault */
	ops.lazy_mode(LAZY_NONE);
	ops.inval_page(VA);
	check_eq("lazy: a removed entry is gone after it", V_PF, try_read(VA, NULL));
	ops.lazy_mode(LAZY_MMU);
	pte_set(&init_mm, VA, ptep, pte_make(other, PTE_KERNEL));
	check_eq("lazy: an access to a queued entry works", mark(other), value_at(VA));
	ops.lazy_mode(LAZY_NONE);
	*(volatile u32 *)VA = mark(other);
	ops.lazy_mode(LAZY_MMU);
	*(volatile u32 *)ptep &= ~PTE_D;
	pte_updated(&init_mm, VA, ptep, 0);
	ops.lazy_mode(LAZY_NONE);
	ops.flush_tlb(FLUSH_GLOBAL);
	*(volatile u32 *)VA = mark(other);
	check_eq("lazy: a write sets D again", PTE_D, *(volatile u32 *)ptep & PTE_D);
	unmap_kernel(VA);
}

/* Entries become read-only in one batch, as fork's write protection. */
static void check_many(void)
{
	u32 bad = 0;

	for (u32 i = 0; i < MANY; i++)
		used(VA + i * PAGE_SIZE, frame, PTE_KERNEL);
	ops.lazy_mode(LAZY_MMU);
	for (u32 i = 0; i < MANY; i++) {
		pte_t *ptep = pte_of(&init_mm, VA + i * PAGE_SIZE);

		*(volatile u32 *)ptep &= ~PTE_RW;
		pte_updated(&init_mm, VA + i * PAGE_SIZE, ptep, 0);
	}
	ops.lazy_mode(LAZY_NONE);
	ops.flush_tlb(FLUSH_GLOBAL);
	for (u32 i = 0; i < MANY; i++)
		bad += try_write(VA + i * PAGE_SIZE, 1) != V_PF;
	check_eq("lazy: a long batch of protections counts, every one", 0, bad);
	ops.lazy_mode(LAZY_MMU);
	for (u32 i = 0; i < MANY; i++)
		pte_set(&init_mm, VA + i * PAGE_SIZE, pte_of(&init_mm, VA + i * PAGE_SIZE),
			i % 8 ? 0 : pte_make(other, PTE_KERNEL));
	ops.lazy_mode(LAZY_NONE);
	ops.flush_tlb(FLUSH_GLOBAL);
	for (u32 i = bad = 0; i < MANY; i++)
		bad += i % 8 ? try_read(VA + i * PAGE_SIZE, NULL) != V_PF
			     : value_at(VA + i * PAGE_SIZE) != mark(other);
	check_eq("lazy: a long batch of removals and other frames counts, every one", 0, bad);
	for (u32 i = 0; i < MANY; i++)
		pte_clear_flush(&init_mm, VA + i * PAGE_SIZE, pte_of(&init_mm, VA + i * PAGE_SIZE));
}

/* A guest that names every table through slot 0, where others have all of low
 * memory, or through slot 3. */
static void check_other_slots(u32 table, u32 offset)
{
	for (u32 slot = 0; slot < 4; slot += 3) {
		ops.set_linear_mapping(slot, KMAP, 1, table);
		ops.set_pte(pte_make(frame, PTE_KERNEL), (pte_t *)(KMAP + offset), PAGE_L1_FLAG);
		ops.inval_page(VA);
		check_eq(slot ? "SetLinearMapping: slot 3 shows a table"
			      : "SetLinearMapping: slot 0 shows a table",
			 mark(frame), value_at(VA));
		ops.set_linear_mapping(slot, 0, 0, 0);
		ops.set_pte(pte_make(other, PTE_KERNEL),
			    (pte_t *)((u32)page_address(table) + offset), PAGE_L1_FLAG);
		ops.inval_page(VA);
		check_eq(slot ? "SetLinearMapping: low memory is where it was, after slot 3"
			      : "SetLinearMapping: low memory is where it was, after slot 0",
			 mark(other), value_at(VA));
	}
}

/* Tables in high memory: named by where they are mapped at the moment. */
static void check_highpte(void)
{
	u32 first = pte_pfn(*pmd_of(&init_mm, VA)), second, offset;
	pte_t *ptep = used(VA, frame, PTE_KERNEL), *ptep2;

	ptep2 = used(VA + 0x400000, frame, PTE_KERNEL);
	second = pte_pfn(*pmd_of(&init_mm, VA + 0x400000));
	map_kernel(KMAP, first, PTE_KERNEL);
	map_kernel(KMAP2, second, PTE_KERNEL);
	ops.inval_page(KMAP);
	ops.inval_page(KMAP2);
	ops.set_linear_mapping(1, KMAP, 1, first);
	ops.set_linear_mapping(2, KMAP2, 1, second);
	offset = (u32)ptep % PAGE_SIZE;
	ops.set_pte(pte_make(other, PTE_KERNEL), (pte_t *)(KMAP + offset), PAGE_L1_FLAG);
	ops.inval_page(VA);
	check_eq("HIGHPTE: an entry set through slot 1", mark(other), value_at(VA));
	check_other_slots(first, offset);
	offset = (u32)ptep2 % PAGE_SIZE;
	ops.set_pte(pte_make(other, PTE_KERNEL & ~PTE_RW), (pte_t *)(KMAP2 + offset), PAGE_L1_FLAG);
	ops.inval_page(VA + 0x400000);
	check_eq("HIGHPTE: an entry set through slot 2", V_PF, try_write(VA + 0x400000, 1));
	check_eq("HIGHPTE: the table shows it", (u32)pte_make(other, PTE_KERNEL & ~PTE_RW),
		 (u32)*ptep2);
	/* the address shows another table now */
	map_kernel(KMAP, second, PTE_KERNEL);
	ops.inval_page(KMAP);
	ops.set_linear_mapping(1, KMAP, 1, second);
	ops.set_pte(0, (pte_t *)(KMAP + offset), PAGE_L1_FLAG);
	ops.inval_page(VA + 0x400000);
	check_eq("HIGHPTE: slot 1 moved to another table", V_PF, try_read(VA + 0x400000, NULL));
	check_eq("HIGHPTE: its old table is as it was", mark(other), value_at(VA));
#ifdef PAE
	ops.set_pte((pte_t)0x8765432100000000ull, (pte_t *)(KMAP + offset), PAGE_L1_FLAG);
	check_eq("HIGHPTE: the high half of an entry", 0x87654321, (u32)(*ptep2 >> 32));
	ops.set_pte(0, (pte_t *)(KMAP + offset), PAGE_L1_FLAG);
#endif
	unmap_kernel(KMAP);
	unmap_kernel(KMAP2);
	unmap_kernel(VA);
}

/* Announced as empty though it is not: the kernel's first directory. */
static void check_zeroed(void)
{
	u32 va = VA + 0x400000, table = pte_pfn(*pmd_of(&init_mm, va));
	pte_t *pmd = pmd_of(&init_mm, va), *ptes = page_address(table);

	ops.set_pte(0, pmd, PAGE_L2_FLAG);
	ops.release_page(table, PAGE_L1_FLAG | ALLOC_FORMAT);
	ops.flush_tlb(FLUSH_GLOBAL);
	ptes[(va >> PAGE_SHIFT) % PT_ENTRIES] = pte_make(frame, PTE_KERNEL);
	ops.allocate_page(table, PAGE_L1_FLAG | ALLOC_FORMAT | ALLOC_ZEROED, 0, 0, 0);
	ops.set_pte(pte_make(table, PTE_TABLE), pmd, PAGE_L2_FLAG);
	check_eq("announcement: ZEROED of a table that holds an entry", mark(frame), value_at(va));
	/* announced once more, after silent changes */
	ptes[(va >> PAGE_SHIFT) % PT_ENTRIES] = pte_make(other, PTE_KERNEL);
	ops.allocate_page(table, PAGE_L1_FLAG | ALLOC_FORMAT, 0, 0, 0);
	ops.flush_tlb(FLUSH_GLOBAL);
	check_eq("announcement: AllocatePage reads the page again", mark(other), value_at(va));
	memset(ptes, 0, PAGE_SIZE);
	ops.allocate_page(table, PAGE_L1_FLAG | ALLOC_FORMAT, 0, 0, 0);
	ops.flush_tlb(FLUSH_GLOBAL);
	check_eq("announcement: and what is gone from it is gone", V_PF, try_read(va, NULL));
	/* a directory entry with the flag of a table's */
	ptes[(va >> PAGE_SHIFT) % PT_ENTRIES] = pte_make(frame, PTE_KERNEL);
	ops.set_pte(pte_make(table, PTE_TABLE), pmd, PAGE_L1_FLAG);
	check_eq("announcement: SetPxE of a directory entry with the flag PT", mark(frame),
		 value_at(va));
	ops.set_pte(0, pmd, PAGE_L1_FLAG);
	ops.flush_tlb(FLUSH_GLOBAL);
	check_eq("announcement: the same, cleared", V_PF, try_read(va, NULL));
	ops.release_page(table, PAGE_L1_FLAG | ALLOC_FORMAT);
	page_put(table);
}

/* As a kernel scrolls a text screen that is not there. */
static void check_no_memory(void)
{
	u32 from = KMAP + 160, to = KMAP, count = 960;

	map_kernel(KMAP, 0xb8, PTE_KERNEL);
	ops.inval_page(KMAP);
	asm volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(count)::"memory");
	check_eq("no memory: a string move within it ends", 0, count);
	check_eq("no memory: its source", KMAP + 4000, from);
	check_eq("no memory: its destination", KMAP + 3840, to);
	unmap_kernel(KMAP);
}

/* Directory rights hold for every entry below. */
static void check_directory_rights(void)
{
	pte_t *pmd = pmd_of(&init_mm, VA), usual = *pmd;

	used(VA, frame, PTE_KERNEL);
	ops.set_pte(usual & ~(pte_t)PTE_RW, pmd, PAGE_L2_FLAG);
	ops.flush_tlb(FLUSH_GLOBAL);
	check_eq("directory: read-only there is read-only below", V_PF, try_write(VA, 1));
	check_eq("directory: a read still goes through", mark(frame), value_at(VA));
	ops.set_pte(usual, pmd, PAGE_L2_FLAG);
	ops.flush_tlb(FLUSH_GLOBAL);
	check_eq("directory: writable again", TRY_OK, try_write(VA, mark(frame)));
	unmap_kernel(VA);
}

/* 2.6.24 with PAE never announces its top-level pages. */
static void check_unannounced_top(void)
{
	static struct mm mm;
	u32 top, table;

	mm_alloc_tables(&mm);
	top = page_alloc();
	memcpy(page_address(top), mm.pgd, PAGE_SIZE);
	pte_set(&mm, UVA, pte_alloc(&mm, UVA), pte_make(frame, USER_BITS));
	memcpy(page_address(top), mm.pgd, PAGE_SIZE);
	current_mm = &mm;
	ops.set_cr3(top << PAGE_SHIFT);
	check_eq("top level: a page that was never announced is loaded", mark(frame),
		 value_at(UVA));
	check_eq("top level: GetCR3", top << PAGE_SHIFT, ops.get_cr3());
	mm_switch(&init_mm);
	table = pte_pfn(*pmd_of(&mm, UVA));
	pte_clear_native(pte_of(&mm, UVA));
	pt_free(&mm, UVA);
	page_put(table);
	mm_free_tables(&mm);
	page_put(top);
}

/* Kernel entries copied into a new space count there. */
static void check_clone(void)
{
	static struct mm mm;
	u32 got;

	used(VA, frame, PTE_KERNEL);
	mm_alloc_tables(&mm);
	mm_switch(&mm);
	got = value_at(VA);
	mm_switch(&init_mm);
	check_eq("CLONE: what the range held is in the new space", mark(frame), got);
	/* a queued protection of what all spaces share, and another space */
	ops.lazy_mode(LAZY_MMU);
	pte_set(&init_mm, VA, pte_of(&init_mm, VA),
		pte_make(frame, PTE_KERNEL & ~(PTE_RW | PTE_G)));
	mm_switch(&mm);
	got = try_write(VA, mark(frame));
	ops.lazy_mode(LAZY_NONE);
	mm_switch(&init_mm);
	check_eq("lazy: SetCR3 of another space makes a queued protection count", V_PF, got);
	mm_free_tables(&mm);
	unmap_kernel(VA);
}

/* do_wp_page: a new frame replaces a shared one under the same address. */
static void check_replace(void)
{
	pte_t *ptep = used(VA, frame, PTE_KERNEL);
	u32 bad = 0;

	for (u32 i = 0; i < 20; i++) {
		pte_clear_flush(&init_mm, VA, ptep);
		pte_set(&init_mm, VA, ptep, pte_make(i % 2 ? frame : other, PTE_KERNEL));
		bad += value_at(VA) != mark(i % 2 ? frame : other);
	}
	check_eq("replaced: clear, flush and set, with no flush after", 0, bad);
	unmap_kernel(VA);
}

/* The processor honours its own WP: Linux tests it at boot. */
static void check_write_protect(void)
{
	used(VA, frame, PTE_P | PTE_US | PTE_A);
	check_eq("CR0.WP: the kernel meets read-only user pages", V_PF, try_write(VA, 1));
	check_eq("CR0.WP: error code", PF_PRESENT | PF_WRITE, seen.error);
	unmap_kernel(VA);
}

void checks_rules_mmu(void)
{
	frame = page_alloc_zeroed();
	other = page_alloc_zeroed();
	*(u32 *)page_address(frame) = 0x0f0f0001;
	*(u32 *)page_address(other) = 0x0f0f0002;
	check_deferred();
	check_lazy();
	check_lazy_ends();
	check_many();
	check_highpte();
	check_no_memory();
	check_zeroed();
	check_directory_rights();
	check_unannounced_top();
	check_clone();
	check_replace();
	rules_user_bit(frame);
	check_write_protect();
	check_eq("frames: no check wrote where it should not", 0x0f0f0001, mark(frame));
	page_put(frame);
	page_put(other);
}
