/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What user mode, and a kernel's returns to it, can ask of the processor itself:
 * where a ROM lets it use the guest's tables, none of this reaches the ROM.
 * Each ends in a fault that the kernel sees, at the place where hardware has it.
 */
#include "checks.h"
#include "irq.h"
#include "mm.h"
#include "rom.h"
#include "trap.h"

#define CODE_VA 0x30000000u
#define V86_SEGMENT 0x1000u /* at address V86_SEGMENT * 16 */
#define V86_VA (V86_SEGMENT * 16)
#define NOWHERE 0x1000u	      /* an address of user mode at which there is nothing */
#define OWN_SELECTORS 0xe000u /* a hypervisor has its own from here on */
#define SELECTORS 0x200u
#define ALL_SELECTORS 0x10000u

extern char boot_stack_top[];

static struct mm space;
static u8 *code;

/* A fault of user mode ends the return to it. */
static bool back(struct regs *r)
{
	if (!from_user(r) || !iret_resume_esp)
		return false;
	r->cs = SEL_KERNEL_CS | kernel_rpl;
	r->eip = (u32)iret_caught;
	r->eax = r->vector;
	r->eflags = 2;
	r->ds = r->es = SEL_USER_DS;
	r->fs = SEL_PERCPU;
	r->gs = 0;
	return true;
}

static void map_user(u32 va, u32 pfn)
{
	pte_set(&space, va, pte_alloc(&space, va), pte_make(pfn, PTE_P | PTE_RW | PTE_US));
}

static void unmap_user(u32 va)
{
	u32 table = pte_pfn(*pmd_of(&space, va));

	pte_clear_native(pte_of(&space, va));
	pt_free(&space, va);
	page_put(table);
}

/* As one that was made before any was loaded.  (PAE: the directory is every space's.) */
static void forget_rom(void)
{
#ifndef PAE
	if (in_own_domain())
		*(volatile pte_t *)pmd_of(&space, rom_virtual_top()) = 0;
#endif
}

/* An emulated 64-bit processor (QEMU's before 8.1) tells Xen of vector 2 n when INT n is
 * refused, and Xen goes through that gate if it is open. */
static bool is_mistaken(u32 v)
{
	bool opens = idt_gate_type(2 * v & 0xff) & GATE_DPL3;

	return on_vmi && !in_own_domain() && opens;
}

/* INT n is refused but through the gates that are open to user mode. */
static void check_int(void)
{
	u32 wrong = 0, last = 0;

	for (u32 v = 0; v < 256; v++) {
		bool open = idt_gate_type(v) & GATE_DPL3;
		u32 error = open ? 0 : v * 8 + 2, count = seen.count;

		if (v == V_SYSCALL || is_mistaken(v))
			continue;
		code[0] = 0xcd;
		code[1] = (u8)v;
		iret_with_frame((u32[9]){CODE_VA, SEL_USER_CS, EFLAGS_IF | 2, CODE_VA + 0x800,
					 SEL_USER_DS});
		irq_disable();
		if (seen.count != count + 1 || seen.vector != (open ? v : V_GP) ||
		    seen.error != error || seen.eip != CODE_VA + (open ? 2 : 0)) {
			wrong++;
			last = v;
		}
	}
	if (wrong)
		printk("info: the last was INT 0x%x\n", last);
	check_eq("hostile: INT of each vector from user mode, answered wrongly", 0, wrong);
}

/* CS may have become one of the hypervisor's, at our privilege. */
static void reload_cs(void)
{
	asm volatile("push %0\n\tpush $1f\n\tlret\n1:" ::"r"(SEL_KERNEL_CS | kernel_rpl)
		     : "memory");
}

static u32 return_to(u32 cs, u32 ss)
{
	u32 eip = (cs & 3) == 3 ? NOWHERE : (u32)iret_caught;

	iret_with_frame((u32[9]){eip, cs, 2, NOWHERE, ss});
	reload_cs();
	irq_disable();
	return 1;
}

/* Both selectors of a return; how many have come back. */
static u32 return_to_each(u32 from, u32 count)
{
	u32 came = 0;

	for (u32 i = from; i < from + count; i++) {
		came += return_to(i, SEL_USER_DS);
		came += return_to(SEL_USER_CS, i);
	}
	return came;
}

/* Where a return that faults costs hypercalls, not all of them are tried. */
static void check_selectors(void)
{
	if (in_own_domain()) {
		check_eq("hostile: a return to each selector comes back", ALL_SELECTORS * 2,
			 return_to_each(0, ALL_SELECTORS));
		return;
	}
	check_eq("hostile: a return to each selector comes back", SELECTORS * 4,
		 return_to_each(0, SELECTORS) + return_to_each(OWN_SELECTORS, SELECTORS));
}

static u32 run_v86(u32 flags)
{
	const u32 data = 0x8000; /* a segment without memory */
	u32 vector = iret_with_frame((u32[9]){0, V86_SEGMENT, EFLAGS_VM | EFLAGS_IF | 2 | flags,
					      0x800, V86_SEGMENT, data, data, data, data});

	irq_disable();
	return vector;
}

/* IOPL is 0, so INT n itself is refused. */
static void check_v86_int(void)
{
	u32 wrong = 0;

	for (u32 v = 0; v < 256; v++) {
		code[0] = 0xcd;
		code[1] = (u8)v;
		wrong += run_v86(0) != V_GP || seen.error || seen.eip;
	}
	check_eq("hostile: INT of each vector in virtual-8086 mode, answered wrongly", 0, wrong);
}

/* The #DB behind the first instruction. */
static void check_v86_step(void)
{
	code[0] = code[1] = 0x90;
	check_eq("hostile: a single step in virtual-8086 mode", V_DB, run_v86(EFLAGS_TF));
	check_eq("hostile: is behind its instruction", 1, seen.eip);
}

/* Virtual-8086 mode is left by its faults, with the frame that says so. */
static void check_v86(void)
{
	static const struct {
		const char *name;
		u8 bytes[8];
		u32 vector, error, at;
	} faults[] = {
		{"hostile: HLT in virtual-8086 mode", {0xf4}, V_GP, 0, 0},
		{"hostile: CLI there", {0xfa}, V_GP, 0, 0},
		{"hostile: INT n there", {0xcd, 0x21}, V_GP, 0, 0},
		{"hostile: INT of a vector of the ROM's there", {0xcd, 0xf1}, V_GP, 0, 0},
		{"hostile: INT3 there", {0xcc}, V_BP, 0, 1},
		{"hostile: PUSHF there", {0x9c}, V_GP, 0, 0},
		{"hostile: IN there", {0xe4, 0x80}, V_GP, 0, 0},
		{"hostile: UD2 there", {0x0f, 0x0b}, V_UD, 0, 0},
		{"hostile: a division there", {0x31, 0xc9, 0xf7, 0xf1}, V_DE, 0, 2},
		{"hostile: LGDT there", {0x0f, 0x01, 0x16, 0, 0}, V_GP, 0, 0},
		{"hostile: MOV of CR0 there", {0x0f, 0x20, 0xc0}, V_GP, 0, 0},
		{"hostile: STI there", {0xfb}, V_GP, 0, 0},
		{"hostile: POPF there", {0x9d}, V_GP, 0, 0},
		{"hostile: IRET there", {0xcf}, V_GP, 0, 0},
		{"hostile: OUT there", {0xe6, 0x80}, V_GP, 0, 0},
		{"hostile: INSB there", {0x6c}, V_GP, 0, 0},
		{"hostile: INTO there", {0xb0, 0x7f, 0x04, 0x01, 0xce}, V_OF, 0, 5},
		{"hostile: BOUND there", {0xb8, 1, 0, 0x2e, 0x62, 0x06, 0x80, 0}, V_BR, 0, 3},
		{"hostile: LAR there", {0x0f, 0x02, 0xc0}, V_UD, 0, 0},
		{"hostile: LLDT there", {0x0f, 0x00, 0xd0}, V_UD, 0, 0},
		{"hostile: MOV to DR0 there", {0x0f, 0x23, 0xc0}, V_GP, 0, 0},
		{"hostile: RDMSR there", {0x0f, 0x32}, V_GP, 0, 0},
		{"hostile: LOCK before what has none there", {0xf0, 0x90}, V_UD, 0, 0},
		{"hostile: a read of nothing there", {0xa1, 0, 0}, V_PF, PF_USER, 0},
		{"hostile: a write to the kernel's last byte",
		 {0xa2, 0xff, 0xff},
		 V_PF,
		 PF_USER | PF_WRITE,
		 0},
	};

	for (u32 i = 0; i < ARRAY_SIZE(faults); i++) {
		u32 count = seen.count;

		for (u32 k = 0; k < sizeof(faults[i].bytes); k++)
			code[k] = faults[i].bytes[k];
		check_subject(faults[i].name);
		check_eq("vector", faults[i].vector, run_v86(0));
		check_eq("error code", faults[i].error, seen.error);
		check_eq("IP", faults[i].at, seen.eip);
		check_eq("CS", V86_SEGMENT, seen.cs);
		check_eq("VM and IF in the frame", EFLAGS_VM | EFLAGS_IF,
			 seen.eflags & (EFLAGS_VM | EFLAGS_IF));
		check_eq("one fault", 1, seen.count - count);
		check_subject(NULL);
	}
}

/* A selector whose descriptor cannot be read is not loaded. */
static void check_gone(const char *name, u32 selector)
{
	u32 count = seen.count;

	check_subject(name);
	asm volatile(TRY("1: mov %0, %%gs")::"r"(selector));
	check_eq("one fault", 1, seen.count - count);
	check_eq("vector", V_GP, seen.vector);
	check_eq("error code", selector & ~3u, seen.error);
	check_subject(NULL);
}

#define UNMAPPED (VMALLOC_END - 2 * PAGE_SIZE)

/* What is loaded stays, so the kernel lives on. */
static void check_unmapped_tables(void)
{
	struct desc_ptr nowhere = {255, UNMAPPED}, gdt = {255, (u32)gdt_table},
			idt = {2047, (u32)idt_table};

	irq_disable();
	ops.set_gdt(&nowhere);
	check_gone("hostile: a GDT where nothing is mapped", SEL_TLS);
	ops.set_gdt(&gdt);
	ops.write_gdt(gdt_table, GDT_LDT, UNMAPPED << 16 | 63,
		      (UNMAPPED & 0xff000000) | 0x8200 | (UNMAPPED >> 16 & 0xff));
	ops.set_ldt(SEL_LDT);
	check_gone("hostile: an LDT where nothing is mapped", 0x0f);
	ops.write_gdt(gdt_table, GDT_LDT, 0, 0);
	ops.set_ldt(0);
	nowhere.limit = 2047;
	ops.set_idt(&nowhere);
	ops.set_idt(&idt);
	check_eq("hostile: tables where nothing is mapped, and the right ones again", 0,
		 irq_flags());
}

void checks_own(void)
{
	u32 page = page_alloc_zeroed(), stack = page_alloc();
	struct mm *old = current_mm;

	check_unmapped_tables();
	mm_alloc_tables(&space);
	map_user(CODE_VA, page);
	map_user(V86_VA, page);
	code = page_address(page);
	forget_rom();
	mm_switch(&space);
	check_eq("hostile: SetCR3 of a directory that does not have the ROM",
		 virt_to_phys(space.pgd), ops.get_cr3());
	ops.kernel_stack(SEL_KERNEL_DS, (u32)page_address(stack) + PAGE_SIZE);
	stray_hook = back;
	check_int();
	check_selectors();
	if (in_own_domain()) {
		check_v86();
		check_v86_int();
		check_v86_step();
	}
	stray_hook = NULL;
	ops.kernel_stack(SEL_KERNEL_DS, (u32)boot_stack_top);
	mm_switch(old);
	unmap_user(CODE_VA);
	unmap_user(V86_VA);
	mm_free_tables(&space);
	page_put(page);
	page_put(stack);
}
