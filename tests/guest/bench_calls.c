/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One operation of `ops` or of patch.c a row.  A figure has the call, its
 * return and the loading of its arguments in it; names are the VMI calls'.
 */
#include "bench.h"
#include "irq.h"
#include "mm.h"
#include "proc.h"

#define LOOP(name, body)                                                                           \
	static u32 name(u32 ops_)                                                                  \
	{                                                                                          \
		return BENCH_LOOP(ops_, body);                                                     \
	}

LOOP(enable, irq_enable())
LOOP(disable, irq_disable())
LOOP(get_mask, irq_flags())
LOOP(set_mask, irq_restore(EFLAGS_IF))

/* To the next instruction, in the kernel; three pushes and a jump are ours. */
LOOP(iret, asm volatile("pushl $0x202\n\tpushl %%cs\n\tpushl $1f\n\tjmp irq_return\n1:" ::
				: "memory", "cc"))

LOOP(read_tsc, ops.rdtsc())
LOOP(cycles_real, ops.cycle_counter(COUNTER_REAL))
LOOP(cycles_available, ops.cycle_counter(COUNTER_AVAILABLE))
LOOP(frequency, ops.cycle_frequency())
LOOP(wallclock, ops.wallclock())
LOOP(get_cr0, ops.get_cr0())
LOOP(get_cr2, ops.get_cr2())
LOOP(get_cr3, ops.get_cr3())
LOOP(clear_ts, ops.clts())
LOOP(iopl, ops.set_iopl(0))
LOOP(stack, ops.kernel_stack(SEL_KERNEL_DS, current->stack_top))
LOOP(gdt_same, ops.write_gdt(gdt_table, GDT_TLS, 0, 0))
LOOP(gdt_other, ops.write_gdt(gdt_table, GDT_TLS, 0x0000ffff, (i & 1) << 16 | 0xcff200))
LOOP(lazy, (ops.lazy_mode(LAZY_MMU), ops.lazy_mode(LAZY_NONE)))
LOOP(flush, ops.flush_tlb(FLUSH_TLB))
LOOP(inval_clean, ops.inval_page(VMALLOC_START))
LOOP(port, inb(0x21))
LOOP(delay, ops.io_delay())

static u32 cpuid(u32 count)
{
	u32 r[4];

	return BENCH_LOOP(count, (r[0] = 0, r[2] = 0, ops.cpuid(r)));
}

static u32 alarm(u32 count)
{
	u64 far = ops.cycle_counter(COUNTER_AVAILABLE) + cycles_ms(10000);

	return BENCH_LOOP(count, ops.set_alarm(COUNTER_AVAILABLE, far + i, 0);
			  ops.cancel_alarm(COUNTER_AVAILABLE));
}

/* --- page tables ------------------------------------------------------------------ */

#define FIRST VMALLOC_START
#define AT(i) (FIRST + ((i) % 512u) * PAGE_SIZE)

static u32 frames[2];

static void map_area(void)
{
	if (!frames[0]) {
		frames[0] = page_alloc_zeroed();
		frames[1] = page_alloc_zeroed();
	}
	for (u32 i = 0; i < 512; i++)
		map_kernel(AT(i), frames[0], PTE_KERNEL);
}

static void unmap_area(void)
{
	for (u32 i = 0; i < 512; i++)
		pte_set(&init_mm, AT(i), pte_of(&init_mm, AT(i)), 0);
	ops.flush_tlb(FLUSH_GLOBAL);
}

/* The area's table goes, and with it what the hypervisor keeps for it. */
static void drop_area(void)
{
	pte_t *pmd = pmd_of(&init_mm, FIRST);
	u32 pfn = pte_pfn(*pmd);

	unmap_area();
	pt_free(&init_mm, FIRST);
	ops.flush_tlb(FLUSH_GLOBAL);
	page_put(pfn);
}

static u32 set_all(u32 count)
{
	pte_t *first = pte_alloc(&init_mm, FIRST), value = pte_make(frames[0], PTE_KERNEL);

	return BENCH_LOOP(count,
			  ops.set_pte(value, first + i, PAGE_L1_FLAG | PAGE_CURRENT_AS | AT(i)));
}

/* In the loaded space, with the address, but nothing there was ever touched. */
static u32 set_unused(u32 count)
{
	u32 t;

	map_area();
	drop_area();
	t = set_all(count);
	drop_area();
	return t;
}

static void touch_area(void)
{
	for (u32 i = 0; i < 512; i++)
		*(volatile u32 *)AT(i);
}

/* Every page of the area was in use, and is unmapped now. */
static u32 set_used(u32 count)
{
	u32 t;

	map_area();
	touch_area();
	unmap_area();
	t = set_all(count);
	unmap_area();
	return t;
}

static u32 set_used_lazy(u32 count)
{
	u32 t;

	map_area();
	touch_area();
	unmap_area();
	ops.lazy_mode(LAZY_MMU);
	t = set_all(count);
	ops.lazy_mode(LAZY_NONE);
	unmap_area();
	return t;
}

/* Of a mapping that is in use, to another frame, and the flush of its page. */
static u32 set_live(u32 count)
{
	pte_t *first, value;
	u32 t;

	map_area();
	touch_area();
	first = pte_of(&init_mm, FIRST);
	value = pte_make(frames[1], PTE_KERNEL);
	t = BENCH_LOOP(count, ops.set_pte(value, first + i, PAGE_L1_FLAG | PAGE_CURRENT_AS | AT(i));
		       ops.inval_page(AT(i)));
	unmap_area();
	return t;
}

/* Of a table that no space uses: what a fork writes into its child. */
static pte_t *idle_table(void)
{
	static u32 pfn;

	if (!pfn) {
		pfn = page_alloc_zeroed();
		ops.allocate_page(pfn, PAGE_L1_FLAG | ALLOC_FORMAT | ALLOC_ZEROED, 0, 0, 0);
	}
	return page_address(pfn);
}

static u32 set_idle_lazy(u32 count)
{
	pte_t *table = idle_table(), value;
	u32 t;

	map_area();
	value = pte_make(frames[0], PTE_KERNEL);
	ops.lazy_mode(LAZY_MMU);
	t = BENCH_LOOP(count, ops.set_pte(value, table + i, PAGE_L1_FLAG));
	ops.lazy_mode(LAZY_NONE);
	unmap_area();
	return t;
}

static u32 clear_live(u32 count)
{
	pte_t *first;
	u32 t;

	map_area();
	touch_area();
	first = pte_of(&init_mm, FIRST);
	t = BENCH_LOOP(count, pte_clear_native(first + i);
		       ops.update_pte(first + i, PAGE_L1_FLAG | PAGE_CURRENT_AS | AT(i)));
	unmap_area();
	return t;
}

static u32 first_touch(u32 count)
{
	u32 t;

	map_area();
	drop_area();
	map_area();
	t = BENCH_LOOP(count, *(volatile u32 *)AT(i));
	drop_area();
	return t;
}

static u32 allocate_release(u32 count)
{
	u32 pfn = page_alloc_zeroed(), flags = PAGE_L1_FLAG | ALLOC_FORMAT | ALLOC_ZEROED, t;

	t = BENCH_LOOP(count, ops.allocate_page(pfn, flags, 0, 0, 0); ops.release_page(pfn, flags));
	page_put(pfn);
	return t;
}

/* --- roots -------------------------------------------------------------------------- */

static u32 cr3_same(u32 count)
{
	u32 root = virt_to_phys(init_mm.pgd);

	return BENCH_LOOP(count, ops.set_cr3(root));
}

static u32 cr3_other(u32 count)
{
	struct mm mm = {0};
	struct mm *pair[2] = {&mm, &init_mm};
	u32 t;

	mm_alloc_tables(&mm);
	t = BENCH_LOOP(count, mm_switch(pair[i & 1]));
	mm_switch(&init_mm);
	mm_free_tables(&mm);
	return t;
}

/* Made, loaded, left and freed: what a process needs of it at least. */
static u32 cr3_new(u32 count)
{
	return BENCH_LOOP(count, {
		struct mm mm = {0};

		mm_alloc_tables(&mm);
		mm_switch(&mm);
		mm_switch(&init_mm);
		mm_free_tables(&mm);
	});
}

const struct bench bench_calls[] = {
	{"EnableInterrupts", 1000, enable},
	{"DisableInterrupts", 1000, disable},
	{"GetInterruptMask", 1000, get_mask},
	{"SetInterruptMask", 1000, set_mask},
	{"IRET in the kernel", 1000, iret},
	{"RDTSC", 1000, read_tsc},
	{"GetCycleCounter, real", 1000, cycles_real},
	{"GetCycleCounter, available", 1000, cycles_available},
	{"GetCycleFrequency", 1000, frequency},
	{"GetWallclockTime", 1000, wallclock},
	{"SetAlarm, CancelAlarm", 500, alarm},
	{"CPUID", 500, cpuid},
	{"GetCR0", 1000, get_cr0},
	{"GetCR2", 1000, get_cr2},
	{"GetCR3", 1000, get_cr3},
	{"CLTS", 500, clear_ts},
	{"SetIOPLMask", 500, iopl},
	{"UpdateKernelStack", 500, stack},
	{"WriteGDTEntry, same", 500, gdt_same},
	{"WriteGDTEntry, other", 500, gdt_other},
	{"IODelay", 1000, delay},
	{"port read", 500, port},
	{"SetLazyMode, on and off", 500, lazy},
	{"FlushTLB", 500, flush},
	{"InvalPage", 500, inval_clean},
	{"SetPxE, table in no space, lazy", 512, set_idle_lazy},
	{"SetPxE, pages never touched", 512, set_unused},
	{"SetPxE, pages touched before", 512, set_used},
	{"SetPxE, pages touched before, lazy", 512, set_used_lazy},
	{"SetPxE of a live mapping, InvalPage", 512, set_live},
	{"clear of a live mapping, UpdatePxE", 512, clear_live},
	{"first touch of a kernel mapping", 512, first_touch},
	{"AllocatePage, ReleasePage", 200, allocate_release},
	{"SetCR3, same root", 200, cr3_same},
	{"SetCR3, other root", 200, cr3_other},
	{"address space made, loaded, freed", 50, cr3_new},
	{0},
};
