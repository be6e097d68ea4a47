/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls for page tables, the TLB and frames; see checks_each.h.
 *
 * An entry is changed from each_frame to each_other, and the memory behind it
 * is read: the two begin with words of their own.  Every test leaves VA
 * unmapped.
 */
#include "checks_each.h"
#include "mm.h"
#include "rom.h"
#include "trap.h"

#define VA VMALLOC_START
#define KMAP (VMALLOC_START + 0x800000)
#define NATIVE_LEVEL PAGE_L1_FLAG

static u32 mark(u32 pfn)
{
	return *(volatile u32 *)page_address(pfn);
}

static bool shows(u32 va, u32 pfn)
{
	u32 v = 0;

	return try_read(va, &v) == TRY_OK && v == mark(pfn);
}

static bool faults(u32 va)
{
	return try_read(va, NULL) == V_PF;
}

/* An entry in use, and its address. */
static u32 used_entry(void)
{
	map_kernel(VA, each_frame, PTE_KERNEL);
	ops.inval_page(VA);
	(void)*(volatile u32 *)VA;
	return (u32)pte_of(&init_mm, VA);
}

/* Its neighbour, too, with 2-level tables. */
static u32 used_pair(void)
{
	u32 ptep = used_entry();

	if (sizeof(pte_t) == 4) {
		map_kernel(VA + PAGE_SIZE, each_frame, PTE_KERNEL);
		(void)*(volatile u32 *)(VA + PAGE_SIZE);
	}
	return ptep;
}

static bool cleaned(bool ok)
{
	unmap_kernel(VA);
	return ok && faults(VA);
}

static bool set_then_shows(u32 ptep, void (*set)(u32 ptep, u32 pfn))
{
	set(ptep, each_other);
	ops.inval_page(VA);
	return cleaned(shows(VA, each_other) && pte_pfn(*(pte_t *)ptep) == each_other);
}

static void set_pxe(u32 ptep, u32 pfn)
{
	call(pfn << PAGE_SHIFT | PTE_KERNEL, ptep, NATIVE_LEVEL | PAGE_CURRENT_AS | VA);
}

static void set_pxe_plain(u32 ptep, u32 pfn)
{
	call(ptep, pfn << PAGE_SHIFT | PTE_KERNEL);
}

/* With 2-level tables it sets two neighbours, as 2.6.24 does before PAE. */
static void set_pxe_long(u32 ptep, u32 pfn)
{
	u32 bits = pfn << PAGE_SHIFT | PTE_KERNEL;

	stack_arguments(NATIVE_LEVEL, 0);
	call(bits, sizeof(pte_t) == 8 ? 0 : bits, ptep);
}

static bool second_shows(u32 ptep)
{
	bool ok;

	ops.flush_tlb(FLUSH_GLOBAL);
	ok = sizeof(pte_t) == 8 || shows(VA + PAGE_SIZE, each_other);
	if (sizeof(pte_t) == 4)
		unmap_kernel(VA + PAGE_SIZE);
	(void)ptep;
	return ok;
}

static bool t_set_pxe(void)
{
	return set_then_shows(used_entry(), set_pxe);
}

static bool t_set_pxe_plain(void)
{
	return set_then_shows(used_entry(), set_pxe_plain);
}

static bool t_set_pxe_long(void)
{
	u32 ptep = used_pair();

	return set_then_shows(ptep, set_pxe_long) && second_shows(ptep);
}

static bool t_get_pxe(void)
{
	u32 ptep = used_entry();

	call(ptep);
	return cleaned(out[OUT_EAX] == *(u32 *)ptep);
}

static bool t_get_pxe_long(void)
{
	u32 ptep = used_entry();

	call(ptep);
	return cleaned(out64() == *(u64 *)ptep);
}

static bool t_swap_pxe(void)
{
	u32 ptep = used_entry(), old = *(u32 *)ptep;
	bool ok = set_then_shows(ptep, set_pxe_plain);

	return ok && out[OUT_EAX] == old;
}

static bool t_swap_pxe_long(void)
{
	u32 ptep = used_pair();
	u64 old = *(u64 *)ptep;
	bool ok = set_then_shows(ptep, set_pxe_long) && second_shows(ptep);

	return ok && out64() == old;
}

static bool t_deactivate(void)
{
	u32 ptep = used_entry();
	u64 old = *(u64 *)ptep;

	call(ptep);
	ops.inval_page(VA);
	return cleaned(out64() == old && *(u64 *)ptep == 0 && faults(VA));
}

/* Bit 1 is RW, bit 9 the guest's own. */
static bool t_clear_bit(void)
{
	u32 ptep = used_entry();
	bool was, was_not;

	*(volatile u32 *)VA = mark(each_frame);
	call(ptep, 1);
	was = out[OUT_EAX];
	ops.inval_page(VA);
	was &= try_write(VA, 0) == V_PF && shows(VA, each_frame);
	call(ptep, 9);
	was_not = !out[OUT_EAX];
	return cleaned(was && was_not && !(*(u32 *)ptep & 0x202));
}

static bool t_set_bit(void)
{
	u32 ptep = used_entry();
	bool was, was_not;

	call(ptep, 9);
	was_not = !out[OUT_EAX];
	call(ptep, 9);
	was = out[OUT_EAX];
	return cleaned(was && was_not && (*(u32 *)ptep & 0x200) && shows(VA, each_frame));
}

static bool t_update(void)
{
	u32 ptep = used_entry();

	native_ops.set_pte(pte_make(each_other, PTE_KERNEL), (pte_t *)ptep, 0);
	call(ptep, NATIVE_LEVEL | PAGE_CURRENT_AS | VA);
	ops.inval_page(VA);
	return cleaned(shows(VA, each_other));
}

/* A new table with entries in it is hooked in. */
static bool t_allocate(void)
{
	u32 va = VA + 0x400000, table = page_alloc_zeroed();
	pte_t *pmd = pmd_of(&init_mm, va), *pte = page_address(table);
	bool ok;

	pte[(va >> PAGE_SHIFT) % PT_ENTRIES] = pte_make(each_frame, PTE_KERNEL);
	stack_arguments(0, 0);
	call(table, NATIVE_LEVEL | ALLOC_FORMAT, 0);
	ops.set_pte(pte_make(table, PTE_TABLE), pmd, PAGE_L2_FLAG);
	ok = shows(va, each_frame);
	pt_free(&init_mm, va);
	ops.flush_tlb(FLUSH_GLOBAL);
	page_put(table);
	return ok && faults(va);
}

/* Released with an entry in it; what is written then is data. */
static bool t_release(void)
{
	u32 va = VA + 0x400000, table;
	pte_t *pmd = pmd_of(&init_mm, va);
	volatile u32 *word;
	bool ok;

	map_kernel(va, each_frame, PTE_KERNEL);
	ok = shows(va, each_frame);
	table = pte_pfn(*pmd);
	ops.set_pte(0, pmd, PAGE_L2_FLAG);
	call(table, NATIVE_LEVEL | ALLOC_FORMAT);
	ops.flush_tlb(FLUSH_GLOBAL);
	word = page_address(table);
	*word = 0x0da7a0da;
	ok &= *word == 0x0da7a0da && faults(va);
	page_put(table);
	return ok;
}

/* A deferred change counts from the call on. */
static bool deferred(void (*flush)(void))
{
	u32 ptep = used_entry();

	native_ops.set_pte(pte_make(each_other, PTE_KERNEL), (pte_t *)ptep, 0);
	ops.update_pte((pte_t *)ptep, NATIVE_LEVEL | PAGE_CURRENT_AS | PAGE_DEFER | VA);
	flush();
	return cleaned(shows(VA, each_other));
}

static void inval(void)
{
	call(VA);
}

static void flush(void)
{
	call(FLUSH_TLB);
}

static void flush_deferred(void)
{
	call(0xc0);
	ops.inval_page(VA); /* it flushes updates, not the TLB */
}

static bool t_inval(void)
{
	return deferred(inval);
}

static bool t_flush(void)
{
	return deferred(flush);
}

static bool t_flush_deferred(void)
{
	return deferred(flush_deferred) && !out[OUT_EAX];
}

/* The TLB does not hold the entry, so that leaving lazy mode alone is what makes
 * another one count. */
static bool t_lazy(void)
{
	u32 ptep = used_entry();

	pte_set(&init_mm, VA, (pte_t *)ptep, pte_make(each_frame, PTE_KERNEL & ~PTE_G));
	(void)*(volatile u32 *)VA;
	mm_switch_and_back();
	call(LAZY_MMU);
	pte_set(&init_mm, VA, (pte_t *)ptep, pte_make(each_other, PTE_KERNEL));
	call(LAZY_NONE);
	return cleaned(shows(VA, each_other));
}

/* Slot 1: a table of high memory is mapped for the moment; its entries are
 * named by that address. */
static bool t_linear(void)
{
	u32 ptep = used_entry(), table = pte_pfn(*pmd_of(&init_mm, VA));

	map_kernel(KMAP, table, PTE_KERNEL);
	ops.inval_page(KMAP);
	stack_arguments(table, 0);
	call(1, KMAP, 1);
	ops.set_pte(pte_make(each_other, PTE_KERNEL), (pte_t *)(KMAP + ptep % PAGE_SIZE),
		    PAGE_L1_FLAG | PAGE_CURRENT_AS | VA);
	ops.inval_page(VA);
	unmap_kernel(KMAP);
	return cleaned(shows(VA, each_other));
}

#define TRANSLATED 128u /* frames that are tried */

static bool for_frames(bool (*one)(u32 pa))
{
	u32 pfn[TRANSLATED];
	bool ok = true;

	for (u32 i = 0; i < TRANSLATED; i++)
		pfn[i] = page_alloc();
	for (u32 i = 0; i < TRANSLATED; i++) {
		ok &= one(pfn[i] << PAGE_SHIFT | (i * 31 % PAGE_SIZE));
		page_put(pfn[i]);
	}
	return ok;
}

/* The two calls by the address of get_reloc: what the call under test is held
 * against.  Machine frames may be the guest's own, but no two may be the same, so
 * that each leads back to where it came from. */
static u64 to_machine(u32 pa)
{
	return ((u64(*)(u32))(u32)rom_get_reloc(VMI_PhysicalToMachine))(pa);
}

static u64 to_physical(u64 ma)
{
	return ((u64(*)(u32, u32))(u32)rom_get_reloc(VMI_MachineToPhysical))((u32)ma,
									     (u32)(ma >> 32));
}

static bool machine_leads_back(u32 pa)
{
	call(pa);
	return (out64() & 0xfff) == (pa & 0xfff) && out64() != ~0ull && to_physical(out64()) == pa;
}

static bool t_to_machine(void)
{
	if (!for_frames(machine_leads_back))
		return false;
	call(0xa0000); /* no memory */
	return out64() == ~0ull;
}

static bool physical_leads_back(u32 pa)
{
	u64 machine = to_machine(pa);

	call((u32)machine, (u32)(machine >> 32));
	return out64() == pa;
}

static bool t_to_physical(void)
{
	if (!for_frames(physical_leads_back))
		return false;
	call(0, 0xff); /* far above every frame */
	return out64() == ~0ull;
}

const struct each_test each_mmu[] = {
	{ROW_SetPxE, t_set_pxe, 0},
	{ROW_SetPxEPlain, t_set_pxe_plain, 0},
	{ROW_GetPxE, t_get_pxe, 0},
	{ROW_SwapPxE, t_swap_pxe, 0},
	{ROW_SetPxELong, t_set_pxe_long, 0},
	{ROW_SetPxELongPlain, t_set_pxe_long, 0},
	{ROW_GetPxELong, t_get_pxe_long, 0},
	{ROW_SwapPxELongAtomic, t_swap_pxe_long, 0},
	{ROW_TestAndSetPxEBit, t_set_bit, 0},
	{ROW_TestAndClearPxEBit, t_clear_bit, 0},
	{ROW_UpdatePxE, t_update, 0},
	{ROW_UpdatePxELong, t_update, 0},
	{ROW_MachineToPhysical, t_to_physical, 0},
	{ROW_PhysicalToMachine, t_to_machine, 0},
	{ROW_AllocatePage, t_allocate, 0},
	{ROW_ReleasePage, t_release, 0},
	{ROW_InvalPage, t_inval, 0},
	{ROW_FlushTLB, t_flush, 0},
	{ROW_FlushDeferredCalls, t_flush_deferred, 0},
	{ROW_SetLinearMapping, t_linear, 0},
	{ROW_DeactivatePxELongAtomic, t_deactivate, 0},
	{ROW_TestAndSetPxELongBit, t_set_bit, 0},
	{ROW_TestAndClearPxELongBit, t_clear_bit, 0},
	{ROW_SetLazyMode, t_lazy, 0},
	{0, NULL, 0},
};
