/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random and boundary arguments to every call in every order.
 *
 *   fuzz=SEED calls=N   N calls, reproducible; then the kernel must be whole
 *   wild                pointers and values that a guest cannot survive, too
 *
 * A call is made by any way that there is to it, with interrupts on or off.
 * Without `wild` the arguments are bad in every way in which a guest can be
 * bad and go on: whatever is asked for, the call returns, or a fault comes
 * where the guest can catch it; then what the guest needs is set right again
 * by the same calls.  With `wild` the domain may end, but with a report.
 *
 * Kept true: memory that a call may write to is `own.page` or a table of ours;
 * what an entry of those tables maps is written to only if it is `own.page`.
 */
#include "checks.h"
#include "fuzz.h"
#include "fuzz_own.h"
#include "irq.h"
#include "proc.h"
#include "trap.h"
#include "image.h"

#define HEALTH 512u /* calls between two looks at everything */

extern char boot_stack_top[];

struct fuzz_own own;
static u32 rom_sum, window_sum;

/* --- between the calls --------------------------------------------------------------------- */

static bool writable_page(u32 va)
{
	pte_t pte = *pte_of(&init_mm, va);

	return pte >> PAGE_SHIFT == own.page;
}

/* Uses what the entries say now. */
static void touch(void)
{
	u32 va = REGION + below(PT_ENTRIES) * PAGE_SIZE;

	if (pte_pfn(*pmd_of(&init_mm, REGION)) != own.table)
		return;
	try_read(va, NULL);
	if (writable_page(va))
		try_write(va, rnd());
	if (current_mm == &init_mm)
		try_read(UVA + below(PT_ENTRIES) * PAGE_SIZE, NULL);
}

static u32 sum(const u32 *p, u32 words)
{
	u32 s = 0x811c9dc5;

	for (u32 i = 0; i < words; i++)
		s = (s ^ p[i]) * 0x01000193;
	return s;
}

static u32 image_sum(void)
{
	u32 at = (u32)rom_found();

	return sum((const u32 *)at, rom_found()->length * ROM_UNIT / 4);
}

static u32 the_window_sum(void)
{
	return sum((const u32 *)rom_virtual_top(), rom_image_bytes() / 4);
}

static void make_whole(void)
{
	irq_disable();
	ops.lazy_mode(LAZY_NONE);
	ops.cancel_alarm(COUNTER_REAL);
	ops.cancel_alarm(COUNTER_AVAILABLE);
	apic_as_found();
	for (u32 i = 0; i < 16; i++)
		ops.apic_write(APIC_EOI, 0);
	ops.apic_write(APIC_TPR, 0);
	for (u32 slot = 1; slot < 4; slot++)
		ops.set_linear_mapping(slot, 0, 0, 0);
	ops.set_ldt(0);
	ops.set_tr(SEL_TSS);
	ops.set_iopl(0);
	ops.set_cr0(own.cr0);
	ops.set_cr3(virt_to_phys(init_mm.pgd));
	ops.flush_tlb(FLUSH_GLOBAL);
	pic_init();
	irq_enable(); /* what waits comes now */
	asm volatile("nop");
	irq_disable();
}

static void check_whole(void)
{
	u32 bad = (image_sum() != rom_sum) + (the_window_sum() != window_sum) * 2;

	if (!bad)
		return;
	printk("info: after %s\n", call_table[own.last_row].name);
	check_eq("fuzz: neither the image nor the window's code has changed", 0, bad);
	finish();
}

/* An interrupt that nobody asked for, or a fault of user mode. */
static bool stray(struct regs *r)
{
	if (from_user(r) && r->vector < 32 && iret_resume_esp) {
		r->cs = SEL_KERNEL_CS | kernel_rpl;
		r->eip = (u32)iret_caught;
		r->eax = r->vector;
		r->eflags = 2;
		r->ds = r->es = SEL_USER_DS;
		r->fs = SEL_PERCPU;
		r->gs = 0;
		return true;
	}
	if (r->vector < 32 || r->vector == V_SYSCALL)
		return false;
	outb(0x20, 0x20);
	ops.apic_write(APIC_EOI, 0);
	return true;
}

static void prepare(void)
{
	struct descriptor d = segment((u32)own.ldt, sizeof(own.ldt) - 1, 0x82);

	own.cr0 = ops.get_cr0();
	own.cr4 = ops.get_cr4();
	own.page = page_alloc_zeroed();
	map_kernel(REGION, own.page, PTE_KERNEL);
	own.table = pte_pfn(*pmd_of(&init_mm, REGION));
	mm_alloc_tables(&own.space);
	pte_set(&own.space, UVA, pte_alloc(&own.space, UVA),
		pte_make(own.page, PTE_P | PTE_RW | PTE_US));
	own.user_table = pte_pfn(*pmd_of(&own.space, UVA));
	ops.write_gdt(gdt_table, GDT_LDT, d.lo, d.hi & ~0xc00000u);
	rom_sum = image_sum();
	window_sum = the_window_sum();
	own.user_stack = (u32)page_address(page_alloc()) + PAGE_SIZE;
	ops.kernel_stack(SEL_KERNEL_DS, own.user_stack);
	db_watched = true;
	stray_hook = stray;
	set_sysenter_cs(SEL_KERNEL_CS);
}

static void one_call(void)
{
	u32 i = below(FUZZ_FAMILIES);

	vmi_call.in[OUT_EBX] = KEEP_EBX;
	vmi_call.in[OUT_ESI] = KEEP_ESI;
	vmi_call.in[OUT_EDI] = KEEP_EDI;
	vmi_call.in[OUT_EBP] = KEEP_EBP;
	irq_restore(one_in(2) ? EFLAGS_IF : 0);
	fuzz_families[i].run(fuzz_families[i].row);
	touch();
	if (one_in(16))
		make_whole();
}

void fuzz(void)
{
	u32 seed = option_number("fuzz", 1), calls = option_number("calls", 5000);

	if (!on_vmi || !under_hypervisor())
		return;
	own.wild = option("wild");
	own.state = seed * 2654435761u | 1;
	printk("fuzz: seed %u, %u calls%s\n", seed, calls, own.wild ? ", wild" : "");
	prepare();
	for (u32 left = calls; left; left--) {
		one_call();
		if (!(left % HEALTH)) {
			make_whole();
			check_whole();
		}
	}
	make_whole();
	check_whole();
	stray_hook = NULL;
	db_watched = false;
	ops.kernel_stack(SEL_KERNEL_DS, (u32)boot_stack_top);
	check_eq("fuzz: the kernel is whole, processes run", 42, proc_run(PROG_HELLO, 0));
}
