/* SPDX-License-Identifier: GPL-2.0-only */
/* Several address spaces: SetCR3, what they share, what they do not. */
#include "checks.h"
#include "mm.h"
#include "trap.h"

#define UVA 0x10000000u
#define SPACES 112u	 /* more than the 96 that vmixen keeps roots for */
#define SPACE_FRAMES 16u /* more than what one takes, with what shadows it */
#define USER_BITS (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)

static struct mm a, b, c;

static void set(struct mm *mm, u32 va, u32 pfn, u64 bits)
{
	pte_set(mm, va, pte_alloc(mm, va), pte_make(pfn, bits));
}

static u32 marked(u32 value)
{
	u32 pfn = page_alloc_zeroed();

	*(volatile u32 *)page_address(pfn) = value;
	return pfn;
}

/* Frees the table and what it maps at one address. */
static void drop(struct mm *mm, u32 va)
{
	u32 table = pte_pfn(*pmd_of(mm, va)), pfn = pte_pfn(*pte_of(mm, va));

	pte_clear_native(pte_of(mm, va));
	pt_free(mm, va);
	ops.flush_tlb(FLUSH_TLB);
	page_put(pfn);
	page_put(table);
}

static u32 read_in(struct mm *mm, u32 va)
{
	u32 v = 0, result;

	mm_switch(mm);
	result = try_read(va, &v);
	return result == TRY_OK ? v : result;
}

#define LAST_VA (VMALLOC_START + 0x1400000)

static u32 no_memory;

/* What the frame held stays. */
static void look_at_last(u32 pfn)
{
	volatile u32 *word = (volatile u32 *)LAST_VA;
	u32 was;

	printk("info: RAM up to frame %x\n", pfn);
#ifndef PAE
	if (pfn >> 20)
		return;
#endif
	map_kernel(LAST_VA, pfn, PTE_KERNEL);
	was = *word;
	*word = ~was;
	no_memory += *word != ~was;
	*word = was;
	no_memory += *word != was;
	unmap_kernel(LAST_VA);
}

static void check_ranges(void)
{
	each_last_frame(look_at_last);
	check_eq("space: each range of the E820 map ends with memory", 0, no_memory);
}

static void check_private(void)
{
	set(&a, UVA, marked(0xa), USER_BITS);
	set(&b, UVA, marked(0xb), USER_BITS);
	check_eq("space: first", 0xa, read_in(&a, UVA));
	check_eq("space: GetCR3 of the first", virt_to_phys(a.pgd), ops.get_cr3());
	check_eq("space: second, same address", 0xb, read_in(&b, UVA));
	check_eq("space: GetCR3 of the second", virt_to_phys(b.pgd), ops.get_cr3());
	check_eq("space: third has nothing there", V_PF, read_in(&c, UVA));
	check_eq("space: first once more", 0xa, read_in(&a, UVA));
	*(volatile u32 *)UVA = 0xaa;
	check_eq("space: a write in the first does not show in the second", 0xb, read_in(&b, UVA));
	check_eq("space: it stays in the first", 0xaa, read_in(&a, UVA));
	check_eq("space: the kernel's own has nothing there", V_PF, read_in(&init_mm, UVA));
}

/* Entries of a space that is not loaded. */
static void check_remote(void)
{
	u32 new = marked(0xb2), old = pte_pfn(*pte_of(&b, UVA));

	read_in(&b, UVA);
	mm_switch(&a);
	set(&b, UVA, new, USER_BITS);
	check_eq("space: an entry changed while another is loaded", 0xb2, read_in(&b, UVA));
	mm_switch(&a);
	set(&b, UVA, new, USER_BITS & ~PTE_RW);
	mm_switch(&b);
	check_eq("space: made read-only while another is loaded", V_PF, try_write(UVA, 1));
	check_eq("space: error code of that", PF_PRESENT | PF_WRITE, seen.error);
	mm_switch(&a);
	native_ops.set_pte(pte_make(old, USER_BITS), pte_of(&b, UVA), 0);
	pte_updated(&b, UVA, pte_of(&b, UVA), 0);
	check_eq("space: UpdatePxE while another is loaded", 0xb, read_in(&b, UVA));
	page_put(new);
}

/* A kernel mapping whose table is younger than the spaces. */
static void check_shared(void)
{
	u32 va = VMALLOC_START + 0x1000000, pfn = marked(0x5afe);

	mm_switch(&a);
	map_kernel(va, pfn, PTE_KERNEL);
	check_eq("shared: in the space that is loaded", 0x5afe, read_in(&a, va));
	check_eq("shared: in another", 0x5afe, read_in(&b, va));
	check_eq("shared: in the kernel's own", 0x5afe, read_in(&init_mm, va));
	mm_switch(&c);
	*(volatile u32 *)va = 0x5aff;
	check_eq("shared: written in a third", 0x5aff, read_in(&a, va));
	mm_switch(&a);
	unmap_kernel(va);
	check_eq("shared: unmapped, here", V_PF, read_in(&a, va));
	check_eq("shared: unmapped, in another", V_PF, read_in(&b, va));
	page_put(pfn);
}

/* A changed entry is used after a load of the same CR3. */
static void check_reload(void)
{
	u32 new = marked(0xa3), old = pte_pfn(*pte_of(&a, UVA));

	mm_switch(&a);
	(void)*(volatile u32 *)UVA;
	native_ops.set_pte(pte_make(new, USER_BITS), pte_of(&a, UVA), 0);
	pte_updated(&a, UVA, pte_of(&a, UVA), 0);
	ops.set_cr3(virt_to_phys(a.pgd));
	check_eq("SetCR3: loading the same flushes", 0xa3, *(volatile u32 *)UVA);
	set(&a, UVA, old, USER_BITS);
	ops.flush_tlb(FLUSH_TLB);
	check_eq("FlushTLB: the old frame again", 0xaa, *(volatile u32 *)UVA);
	page_put(new);
}

static void clear_in(struct mm *mm, u32 va)
{
	pte_set(mm, va, pte_of(mm, va), 0);
	ops.inval_page(va);
}

/* Sets that say where the entry is about to be used.  One that was not present
 * needs no flush. */
static void check_in_use(void)
{
	u32 pfn = pte_pfn(*pte_of(&a, UVA));
	pte_t *ptep = pte_of(&a, UVA);

	mm_switch(&a);
	*(volatile u32 *)UVA = 0xaa;
	clear_in(&a, UVA);
	check_eq("SetPxE in use, cleared: nothing is there", V_PF, try_read(UVA, NULL));
	pte_set(&a, UVA, ptep, pte_make(pfn, USER_BITS & ~PTE_D));
	check_eq("SetPxE in use, clean: it is read", 0xaa, *(volatile u32 *)UVA);
	check_eq("SetPxE in use, clean: D is clear", 0, *(volatile u32 *)ptep & PTE_D);
	*(volatile u32 *)UVA = 0xaa;
	check_eq("SetPxE in use, clean: a write sets D", PTE_D, *(volatile u32 *)ptep & PTE_D);
	clear_in(&a, UVA);
	pte_set(&a, UVA, ptep, pte_make(pfn, USER_BITS & ~PTE_RW));
	check_eq("SetPxE in use, read-only: no write", V_PF, try_write(UVA, 1));
	clear_in(&a, UVA);
	pte_set(&a, UVA, ptep, pte_make(pfn, USER_BITS & ~PTE_A));
	check_eq("SetPxE in use, old: A is clear", 0, *(volatile u32 *)ptep & PTE_A);
	(void)*(volatile u32 *)UVA;
	check_eq("SetPxE in use, old: a read sets A", PTE_A, *(volatile u32 *)ptep & PTE_A);
	clear_in(&a, UVA);
	pte_set(&a, UVA, ptep, pte_make(pfn, USER_BITS));
	check_eq("SetPxE in use: back again", 0xaa, *(volatile u32 *)UVA);
	check_eq("SetPxE in use: the second space is as it was", 0xb, read_in(&b, UVA));
	ops.set_pte(pte_make(pfn, USER_BITS & ~PTE_RW), ptep, PAGE_L1_FLAG | PAGE_CURRENT_AS | UVA);
	check_eq("SetPxE in use, of another space: nothing changes here", 0xb,
		 *(volatile u32 *)UVA);
	mm_switch(&a);
	pte_set(&a, UVA, ptep, pte_make(pfn, USER_BITS));
}

#ifdef PAE
/* Both ways of a Set have the high word: of a space that is loaded, and not. */
static void check_nx(void)
{
	u32 pfn = marked(0xc3); /* ret */
	pte_t *in_a = pte_of(&a, UVA), *in_b = pte_of(&b, UVA), old_a = *in_a, old_b = *in_b;

	if (!nx_enabled)
		return;
	mm_switch(&a);
	pte_set(&a, UVA, in_a, pte_make(pfn, USER_BITS));
	pte_clear_flush(&a, UVA, in_a);
	pte_set(&a, UVA, in_a, pte_make(pfn, USER_BITS));
	check_eq("SetPxE in use: code runs", TRY_OK, try_call(UVA));
	pte_clear_flush(&a, UVA, in_a);
	pte_set(&a, UVA, in_a, pte_make(pfn, USER_BITS | PTE_NX));
	check_eq("SetPxE in use, NX: code does not", V_PF, try_call(UVA));
	pte_set(&b, UVA, in_b, pte_make(pfn, USER_BITS | PTE_NX));
	pte_clear_flush(&a, UVA, in_a);
	pte_set(&a, UVA, in_a, old_a);
	mm_switch(&b);
	check_eq("space: NX set while another is loaded", V_PF, try_call(UVA));
	pte_clear_flush(&b, UVA, in_b);
	pte_set(&b, UVA, in_b, old_b);
	mm_switch(&a);
	page_put(pfn);
}
#endif

/* What a lazy Set in use has said of an entry may be changed before it counts. */
static void check_in_use_lazy(void)
{
	u32 pfn = pte_pfn(*pte_of(&a, UVA)), new = marked(0xa4);
	pte_t *ptep = pte_of(&a, UVA);

	mm_switch(&a);
	clear_in(&a, UVA);
	ops.lazy_mode(LAZY_MMU);
	pte_set(&a, UVA, ptep, pte_make(pfn, USER_BITS));
	pte_set(&a, UVA, ptep, 0);
	ops.lazy_mode(LAZY_NONE);
	ops.flush_tlb(FLUSH_TLB);
	check_eq("SetPxE in use, lazy: cleared again", V_PF, try_read(UVA, NULL));
	pte_set(&a, UVA, ptep, pte_make(pfn, USER_BITS));
	(void)*(volatile u32 *)UVA;
	ops.lazy_mode(LAZY_MMU);
	pte_set(&a, UVA, ptep, pte_make(new, USER_BITS));
	ops.set_pte(pte_make(pfn, USER_BITS), ptep, PAGE_L1_FLAG);
	ops.lazy_mode(LAZY_NONE);
	ops.flush_tlb(FLUSH_TLB);
	check_eq("SetPxE in use, lazy: the old frame again", 0xaa, *(volatile u32 *)UVA);
	page_put(new);
}

#ifdef PAE
/* PDPTEs written natively count from the next SetCR3 on. */
static void check_pdpte(void)
{
	pte_t saved = a.pgd[0];

	mm_switch(&a);
	native_ops.set_pte(b.pgd[0], &a.pgd[0], 0);
	ops.set_cr3(virt_to_phys(a.pgd));
	check_eq("SetCR3: PDPTEs are read again", 0xb, *(volatile u32 *)UVA);
	native_ops.set_pte(saved, &a.pgd[0], 0);
	ops.set_cr3(virt_to_phys(a.pgd));
	check_eq("SetCR3: and back", 0xaa, *(volatile u32 *)UVA);
}
#endif

/* More spaces than a cache of roots may hold; then their frames are data. */
static void check_many(void)
{
	static struct mm mm[SPACES];
	u32 bad = 0, start = page_free_count(), spaces = start / SPACE_FRAMES;

	if (spaces > SPACES)
		spaces = SPACES;

	for (u32 i = 0; i < spaces; i++) {
		mm_alloc_tables(&mm[i]);
		set(&mm[i], UVA + i * 0x400000, marked(i), USER_BITS);
		set(&mm[i], 0xb0000000, marked(~i), USER_BITS);
	}
	for (u32 round = 0; round < 3; round++) {
		for (u32 i = 0; i < spaces; i++) {
			bad += read_in(&mm[i], UVA + i * 0x400000) != i;
			bad += read_in(&mm[i], 0xb0000000) != ~i;
			bad += read_in(&mm[i], UVA + (i + 1) % spaces * 0x400000) != V_PF;
		}
	}
	check_eq("many spaces: each shows its own pages", 0, bad);
	mm_switch(&init_mm);
	for (u32 i = 0; i < spaces; i++) {
		drop(&mm[i], UVA + i * 0x400000);
		drop(&mm[i], 0xb0000000);
		mm_free_tables(&mm[i]);
	}
	check_eq("many spaces: every frame came back", start, page_free_count());
}

/* Frames that were tables hold data now; nobody may write to them. */
static void check_frames_are_data(void)
{
	enum { FRAMES = 96 };
	static u32 pfn[FRAMES];
	u32 bad = 0;

	for (u32 i = 0; i < FRAMES; i++) {
		volatile u32 *p;

		pfn[i] = page_alloc();
		p = page_address(pfn[i]);
		for (u32 j = 0; j < PAGE_SIZE / 4; j++)
			p[j] = (j * 7 + i) << 12 | PTE_P | PTE_RW | PTE_US;
	}
	mm_switch(&a);
	(void)read_in(&b, UVA);
	mm_switch(&init_mm);
	for (u32 i = 0; i < FRAMES; i++) {
		volatile u32 *p = page_address(pfn[i]);

		for (u32 j = 0; j < PAGE_SIZE / 4; j++)
			bad += p[j] != ((j * 7 + i) << 12 | PTE_P | PTE_RW | PTE_US);
		page_put(pfn[i]);
	}
	check_eq("freed tables: their frames keep data", 0, bad);
}

void checks_space(void)
{
	u32 start;

	check_ranges();
	start = page_free_count();
	mm_alloc_tables(&a);
	mm_alloc_tables(&b);
	mm_alloc_tables(&c);
	check_private();
	check_remote();
	check_shared();
	check_reload();
	check_in_use();
	check_in_use_lazy();
#ifdef PAE
	check_nx();
#endif
#ifdef PAE
	check_pdpte();
#endif
	check_many();
	check_frames_are_data();
	mm_switch(&init_mm);
	drop(&a, UVA);
	drop(&b, UVA);
	mm_free_tables(&a);
	mm_free_tables(&b);
	mm_free_tables(&c);
	/* the table of check_shared stays in init_mm */
	check_eq("space: every frame came back", start - 1, page_free_count());
}
