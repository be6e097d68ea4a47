/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entries of the kernel's own space, in the VMALLOC range: what the guest's
 * tables say is what its accesses meet, and its tables show A and D as a
 * processor would set them.
 */
#include "checks.h"
#include "mm.h"
#include "trap.h"

#define VA VMALLOC_START
#define BATCH 64u

static u32 frame, other;

static pte_t *ptep_of(u32 va)
{
	return pte_of(&init_mm, va);
}

static volatile u32 *word(u32 pfn)
{
	return page_address(pfn);
}

static void set(u32 va, u32 pfn, u64 bits)
{
	map_kernel(va, pfn, bits);
	ops.inval_page(va);
}

static void check_map(void)
{
	u32 v;

	check_eq("pte: an absent page faults", V_PF, try_read(VA, &v));
	check_eq("pte: error code, absent, read", 0, seen.error);
	check_eq("pte: an absent page faults on write", V_PF, try_write(VA + 8, 1));
	check_eq("pte: error code, absent, write", PF_WRITE, seen.error);
	check_eq("pte: CR2", VA + 8, seen.cr2);
	map_kernel(VA, frame, PTE_KERNEL);
	check_eq("pte: the table shows what was set", (u32)pte_make(frame, PTE_KERNEL),
		 (u32)*ptep_of(VA));
	*(volatile u32 *)VA = 0x01020304;
	check_eq("pte: a mapped page is written", 0x01020304, *word(frame));
	*word(frame) = 0x05060708;
	check_eq("pte: a mapped page is read", 0x05060708, *(volatile u32 *)VA);
	*word(other) = 0x0badcafe;
	set(VA, other, PTE_KERNEL);
	check_eq("pte: mapped anew, the other frame shows", 0x0badcafe, *(volatile u32 *)VA);
	set(VA + PAGE_SIZE, other, PTE_KERNEL);
	*(volatile u32 *)(VA + PAGE_SIZE) = 0x11223344;
	check_eq("pte: two addresses of one frame", 0x11223344, *(volatile u32 *)VA);
	unmap_kernel(VA + PAGE_SIZE);
	unmap_kernel(VA);
	check_eq("pte: unmapped, it faults again", V_PF, try_read(VA, &v));
	check_eq("pte: error code after unmapping", 0, seen.error);
}

static u32 hook_calls;

static bool make_writable(struct regs *r, u32 cr2)
{
	pte_t *ptep = ptep_of(VA);

	if (cr2 >> PAGE_SHIFT != VA >> PAGE_SHIFT || !(r->error & PF_WRITE))
		return false;
	hook_calls++;
	*(volatile u32 *)ptep |= PTE_RW;
	pte_updated(&init_mm, VA, ptep, PAGE_DEFER);
	ops.inval_page(VA);
	return true;
}

static void check_protection(void)
{
	u32 v;

	set(VA, frame, PTE_KERNEL & ~PTE_RW);
	*word(frame) = 0x55;
	check_eq("read-only: a read goes through", TRY_OK, try_read(VA, &v));
	check_eq("read-only: value", 0x55, v);
	check_eq("read-only: a write faults", V_PF, try_write(VA, 0x66));
	check_eq("read-only: error code", PF_PRESENT | PF_WRITE, seen.error);
	check_eq("read-only: nothing was written", 0x55, *word(frame));
	hook_calls = 0;
	page_fault_hook = make_writable;
	check_eq("read-only: the handler makes it writable", TRY_OK, try_write(VA, 0x77));
	check_eq("read-only: one fault for that", 1, hook_calls);
	page_fault_hook = NULL;
	check_eq("read-only: the write came through", 0x77, *word(frame));
	set(VA, frame, PTE_KERNEL & ~PTE_RW);
	check_eq("read-only again after it was written: a write faults", V_PF, try_write(VA, 1));
	unmap_kernel(VA);
}

static void clear_bits(u32 bits)
{
	pte_t *ptep = ptep_of(VA);

	*(volatile u32 *)ptep &= ~bits;
	pte_updated(&init_mm, VA, ptep, PAGE_DEFER);
	ops.inval_page(VA);
}

static u32 ad(void)
{
	return *(volatile u32 *)ptep_of(VA) & (PTE_A | PTE_D);
}

static void check_accessed_dirty(void)
{
	volatile u32 *p = (volatile u32 *)VA;

	set(VA, frame, PTE_P | PTE_RW);
	check_eq("A, D: clear before any access", 0, ad());
	(void)*p;
	check_eq("A, D: a read sets A", PTE_A, ad());
	*p = 1;
	check_eq("A, D: a write sets D", PTE_A | PTE_D, ad());
	clear_bits(PTE_D);
	(void)*p;
	check_eq("A, D: a read leaves a cleared D", PTE_A, ad());
	*p = 2;
	check_eq("A, D: a write sets D again", PTE_A | PTE_D, ad());
	clear_bits(PTE_A);
	check_eq("A, D: A stays clear without an access", PTE_D, ad());
	(void)*p;
	check_eq("A, D: a read sets A again", PTE_A | PTE_D, ad());
	clear_bits(PTE_A | PTE_D);
	*p = 3;
	check_eq("A, D: a write sets both", PTE_A | PTE_D, ad());
	check_eq("A, D: the data are there", 3, *word(frame));
	unmap_kernel(VA);
}

#ifdef PAE
static void check_nx(void)
{
	if (!nx_enabled) {
		printk("info: no NX\n");
		return;
	}
	*(volatile u8 *)page_address(frame) = 0xc3; /* ret */
	set(VA, frame, PTE_KERNEL);
	check_eq("NX: code runs without it", TRY_OK, try_call(VA));
	set(VA, frame, PTE_KERNEL | PTE_NX);
	check_eq("NX: execution faults", V_PF, try_call(VA));
	check_eq("NX: error code", PF_PRESENT | PF_FETCH, seen.error);
	check_eq("NX: EIP", VA, seen.eip);
	check_eq("NX: a read goes through", TRY_OK, try_read(VA, NULL));
	check_eq("NX: bit 63 in the guest's table", 0x80000000, (u32)(*ptep_of(VA) >> 32));
	set(VA, frame, PTE_KERNEL);
	check_eq("NX: taken away, code runs again", TRY_OK, try_call(VA));
	unmap_kernel(VA);
}

/* A 2 MB page over frames that the linear mapping shows too. */
static void check_large(void)
{
	u32 va = VA + 0x400000, pa = 0x400000;
	pte_t *pmd = pmd_of(&init_mm, va);

	ops.set_pte(pte_make(pa >> PAGE_SHIFT, PTE_KERNEL | 0x80), pmd, PAGE_L2_FLAG);
	check("large page: shows what the linear mapping shows",
	      !memcmp((void *)(va + 0x1000), phys_to_virt(pa + 0x1000), 64) &&
		      !memcmp((void *)(va + 0x1ff000), phys_to_virt(pa + 0x1ff000), 64));
	ops.set_pte(0, pmd, PAGE_L2_FLAG);
	ops.flush_tlb(FLUSH_GLOBAL);
	check_eq("large page: gone, it faults", V_PF, try_read(va, NULL));
}
#endif

static void check_lazy(void)
{
	u32 bad = 0, i;

	pte_alloc(&init_mm, VA);
	ops.lazy_mode(LAZY_MMU);
	for (i = 0; i < BATCH; i++)
		map_kernel(VA + i * PAGE_SIZE, i % 2 ? frame : other, PTE_KERNEL);
	ops.lazy_mode(LAZY_NONE);
	*word(frame) = 1;
	*word(other) = 0;
	for (i = 0; i < BATCH; i++)
		bad += *(volatile u32 *)(VA + i * PAGE_SIZE) != i % 2;
	check_eq("lazy mode: a batch of entries is there after it", 0, bad);
	ops.lazy_mode(LAZY_MMU);
	for (i = 0; i < BATCH; i++)
		pte_set(&init_mm, VA + i * PAGE_SIZE, ptep_of(VA + i * PAGE_SIZE), 0);
	ops.lazy_mode(LAZY_NONE);
	ops.flush_tlb(FLUSH_GLOBAL);
	for (i = 0; i < BATCH; i++)
		bad += try_read(VA + i * PAGE_SIZE, NULL) != V_PF;
	check_eq("lazy mode: a batch of entries is gone after it", 0, bad);
	ops.lazy_mode(LAZY_MMU);
	map_kernel(VA, frame, PTE_KERNEL);
	ops.inval_page(VA);
	check_eq("lazy mode: InvalPage flushes", TRY_OK, try_read(VA, NULL));
	ops.lazy_mode(LAZY_NONE);
	ops.set_pte(pte_make(other, PTE_KERNEL), ptep_of(VA),
		    PAGE_L1_FLAG | PAGE_CURRENT_AS | PAGE_DEFER | VA);
	ops.flush_tlb(FLUSH_GLOBAL);
	check_eq("DEFER: FlushTLB flushes", 0, *(volatile u32 *)VA);
	unmap_kernel(VA);
}

/* Contents that only the guest understands, and writes without a notice. */
static void check_contents(void)
{
	pte_t *ptep = pte_alloc(&init_mm, VA);
	u32 v = 0;

	ops.set_pte((pte_t)0xabcde6f0u, ptep, PAGE_L1_FLAG);
	check_eq("swap entry: kept as it is", 0xabcde6f0, (u32)*ptep);
	check_eq("swap entry: faults as absent", V_PF, try_read(VA, NULL));
	check_eq("swap entry: error code", 0, seen.error);
	check_eq("swap entry: kept after the fault", 0xabcde6f0, (u32)*ptep);
	ops.set_pte(0, ptep, PAGE_L1_FLAG);
	*word(frame) = 0x1dea;
	native_ops.set_pte(pte_make(frame, PTE_KERNEL), ptep, 0);
	check_eq("unannounced: absent to present", TRY_OK, try_read(VA, &v));
	check_eq("unannounced: value", 0x1dea, v);
	unmap_kernel(VA);
}

/* What a call writes for the guest may lie in two pages, the second not yet used. */
static void check_straddling(void)
{
	struct desc_ptr *at = (void *)(VA + PAGE_SIZE - 3), got = {0};

	set(VA, frame, PTE_KERNEL);
	*(volatile u8 *)VA = 0;
	native_ops.set_pte(pte_make(other, PTE_KERNEL), pte_alloc(&init_mm, VA + PAGE_SIZE), 0);
	ops.get_gdt(at);
	memcpy(&got, at, sizeof(got));
	check_eq("GetGDT into two pages", (u32)gdt_table, got.base);
	unmap_kernel(VA);
	unmap_kernel(VA + PAGE_SIZE);
}

/* A table is released, its frame is data, then a table again. */
static void check_table_reuse(void)
{
	u32 va = VA + 0x800000, table, bad = 0;
	volatile u32 *p;

	set(va, frame, PTE_KERNEL);
	table = pte_pfn(*pmd_of(&init_mm, va));
	unmap_kernel(va);
	pt_free(&init_mm, va);
	ops.flush_tlb(FLUSH_GLOBAL);
	p = page_address(table);
	for (u32 i = 0; i < PAGE_SIZE / 4; i++)
		p[i] = i << 12 | PTE_P | PTE_RW; /* looks like entries */
	check_eq("table released: its range faults", V_PF, try_read(va, NULL));
	check_eq("table released: error code", 0, seen.error);
	for (u32 i = 0; i < PAGE_SIZE / 4; i++)
		bad += p[i] != (i << 12 | PTE_P | PTE_RW);
	check_eq("table released: its frame is plain memory", 0, bad);
	page_put(table);
	set(va, other, PTE_KERNEL);
	check_eq("table reused: the same frame", table, pte_pfn(*pmd_of(&init_mm, va)));
	*word(other) = 0x7ab1e;
	check_eq("table reused: maps", 0x7ab1e, *(volatile u32 *)va);
	unmap_kernel(va);
}

void checks_pte(void)
{
	frame = page_alloc_zeroed();
	other = page_alloc_zeroed();
	check_map();
	check_protection();
	check_accessed_dirty();
#ifdef PAE
	check_nx();
	check_large();
#endif
	check_lazy();
	check_contents();
	check_straddling();
	check_table_reuse();
	page_put(frame);
	page_put(other);
}
