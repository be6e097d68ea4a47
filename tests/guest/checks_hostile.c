/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a kernel should not do and a hypervisor must survive: the guest goes on
 * as on hardware.  Only under a hypervisor's ROM.
 */
#include "checks.h"
#include "irq.h"
#include "mm.h"
#include "proc.h"
#include "rom.h"
#include "trap.h"

#define DR7_WATCH_DR0 0x30001u /* DR0: one byte, reads and writes */

static bool loadable(u32 selector)
{
	u32 rights;
	bool ok;

	asm volatile("lar %2, %0" : "=r"(rights), "=@ccz"(ok) : "r"(selector));
	return ok;
}

/* It is due again whenever it has been dealt with. */
static void check_alarm_of_one_cycle(void)
{
	irq_disable();
	ops.set_alarm(ALARM_PERIODIC, 0, 1);
	check("hostile: an alarm every cycle leaves time to cancel it", ops.cancel_alarm(0) != 0);
	irq_enable();
}

/* Bit 53 means nothing to a 32-bit CPU. */
static void check_long_mode_bit(void)
{
	ops.write_gdt(gdt_table, GDT_SPARE, 0x0000FFFF, 0x00EF9A00);
	check("hostile: a code segment with the L bit is loadable", loadable(GDT_SPARE * 8));
	ops.write_gdt(gdt_table, GDT_SPARE, 0, 0);
	check("hostile: a cleared descriptor is not", !loadable(GDT_SPARE * 8));
}

static void check_direction_flag(void)
{
	struct desc_ptr gdt = {255, (u32)gdt_table};

	asm volatile("std" ::: "cc");
	ops.set_gdt(&gdt);
	asm volatile("cld" ::: "cc");
	check("SetGDT: the right table with DF set", loadable(SEL_KERNEL_DS));
}

/* Whoever emulates the instruction reads the watched byte, the guest does not. */
static void check_watched_instruction(void)
{
	extern char watched_in[];
	u8 value;

	ops.set_dr(0, (u32)watched_in);
	ops.set_dr(7, DR7_WATCH_DR0);
	asm volatile(".globl watched_in\nwatched_in: inb $0x80, %%al" : "=a"(value));
	ops.set_dr(7, 0);
	ops.set_dr(0, 0);
	check_eq("hostile: a watched byte that is executed is not accessed", 0,
		 ops.get_dr(7) & 0xFF);
}

static struct {
	u32 result, esp_before, esp_after;
} stepped;

/* The handler of #DB makes calls, too.  What comes back from here may not come back to
 * the next line. */
static __attribute__((noinline)) void step_through_call(void)
{
	asm volatile("mov %%esp, %1\n\tpushf\n\tpushf\n\torl $0x100, (%%esp)\n\tpopf\n\t"
		     "call *%3\n\tpopf\n\tmov %%esp, %2"
		     : "=a"(stepped.result), "=m"(stepped.esp_before), "=m"(stepped.esp_after)
		     : "m"(ops.get_tr)
		     : "ecx", "edx", "memory", "cc");
}

static void check_stepped_call(void)
{
	u32 before = db_count;

	db_watched = true;
	step_through_call();
	db_watched = false;
	check_eq("hostile: a call that is stepped through gives its result", SEL_TSS,
		 stepped.result & ~3u);
	check_eq("hostile: and keeps the stack", stepped.esp_before, stepped.esp_after);
	check("hostile: the steps to it are seen", db_count != before);
}

#define EDGE (VMALLOC_START + 0x1000000) /* a page with none behind it */

static u32 edge_faults;

static bool map_behind_edge(struct regs *r, u32 cr2)
{
	if (from_user(r) || cr2 - (EDGE + PAGE_SIZE) >= 8)
		return false;
	edge_faults++;
	map_kernel(EDGE + PAGE_SIZE, page_alloc_zeroed(), PTE_KERNEL);
	return true;
}

/* On a stack that ends with the call's return address: its arguments are behind.  What
 * is left of that stack. */
static u32 call_at_edge(u32 fn, u32 eax, u32 edx, u32 ecx)
{
	asm volatile("mov %%esp, %%esi; mov %%edi, %%esp; call *%%ebx; mov %%esp, %%ebx; "
		     "mov %%esi, %%esp; sub %%edi, %%ebx"
		     : "+a"(eax), "+d"(edx), "+c"(ecx), "+b"(fn)
		     : "D"(EDGE + PAGE_SIZE)
		     : "esi", "memory", "cc");
	return fn;
}

static void check_edge(const char *name, u32 fn, u32 eax, u32 edx, u32 ecx)
{
	u32 before = edge_faults, esp;

	printk("info: %s\n", name);
	page_fault_hook = map_behind_edge;
	esp = call_at_edge(fn, eax, edx, ecx);
	page_fault_hook = NULL;
	check_eq(
		"hostile: a call whose arguments' page is not there is a page fault, and can go on",
		before + 1, edge_faults);
	check_eq("hostile: and keeps the stack", 0, esp);
	unmap_kernel(EDGE + PAGE_SIZE);
}

static void check_stack_at_edge(void)
{
	const struct descriptor d = segment(0, 0xfffff, 0x92);

	map_kernel(EDGE, page_alloc_zeroed(), PTE_KERNEL);
	*(volatile u32 *)EDGE = 0;
	check_edge("WriteGDTEntry", (u32)ops.write_gdt, (u32)gdt_table, GDT_SPARE, d.lo);
	check_edge("SetAlarm", (u32)ops.set_alarm, 0, ~0u, ~0u);
	ops.cancel_alarm(0);
	ops.write_gdt(gdt_table, GDT_SPARE, 0, 0);
	unmap_kernel(EDGE);
}

/* A process that faults in lazy mode: its first fault leaves a change that waits. */
static u32 queue_faults, queue_seen;

static bool change_and_try_again(struct regs *r, u32 cr2)
{
	struct mm *mm = current_mm;

	if (!from_user(r) || cr2 >= PAGE_SIZE)
		return false;
	if (queue_faults++) {
		page_fault_hook = NULL;
		queue_seen = try_read(EDGE, NULL);
		ops.lazy_mode(LAZY_NONE);
		return false;
	}
	(void)*(volatile u32 *)EDGE; /* in this space, too, but no TLB keeps it */
	mm_switch(&init_mm);
	mm_switch(mm);
	ops.lazy_mode(LAZY_MMU);
	pte_set(&init_mm, EDGE, pte_of(&init_mm, EDGE), 0);
	return true;
}

static void check_fault_in_lazy_mode(void)
{
	u32 pfn = page_alloc_zeroed();

	map_kernel(EDGE, pfn, PTE_KERNEL & ~PTE_G);
	*(volatile u32 *)EDGE = 0;
	queue_faults = 0;
	page_fault_hook = change_and_try_again;
	check_eq("hostile: a process that faults in lazy mode ends", STATUS_KILLED | V_PF,
		 proc_run(PROG_FAULT, FAULT_READ_NULL));
	page_fault_hook = NULL;
	check_eq("hostile: and what waited counts in its fault's handler", V_PF, queue_seen);
	unmap_kernel(EDGE);
	page_put(pfn);
}

void checks_hostile(void)
{
	if (!on_vmi || option("nullrom"))
		return;
	check_alarm_of_one_cycle();
	check_long_mode_bit();
	check_direction_flag();
	check_watched_instruction();
	check_stepped_call();
	check_stack_at_edge();
	check_fault_in_lazy_mode();
	checks_own();
}
