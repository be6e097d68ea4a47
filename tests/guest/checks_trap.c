/* SPDX-License-Identifier: GPL-2.0-only */
/* Exceptions that the kernel itself meets: vector, error code, frame. */
#include "checks.h"
#include "mm.h"
#include "trap.h"
#include "proc.h"

/* Use of a null selector is not here: TCG does not check it. */

extern char boot_stack_top[];

/* The place of the last faulting instruction below. */
static u32 site;

static void check_frame(const char *name, u32 vector, u32 error)
{
	check_subject(name);
	check_eq("vector", vector, seen.vector);
	check_eq("error code", error, seen.error);
	check_eq("EIP", site, seen.eip);
	check_eq("CS", SEL_KERNEL_CS | kernel_rpl, seen.cs);
	check_eq("IF in the frame", irq_flags(), seen.eflags & EFLAGS_IF);
	check_subject(NULL);
}

#define FAULT(insn, ...) asm volatile("movl $1f, %0\n\t" TRY("1: " insn) : "=m"(site) : __VA_ARGS__)

static void check_simple(void)
{
	u32 count = seen.count;

	FAULT("divl %%ecx", "a"(1), "d"(0), "c"(0));
	check_frame("#DE", V_DE, 0);
	FAULT("ud2", "a"(0));
	check_frame("#UD", V_UD, 0);
	check_eq("trap: as many as there were faults", 2, seen.count - count);
	/* a trap, not a fault: EIP is behind it */
	asm volatile("movl $1f, %0\n\tint3\n" TRY("1:") : "=m"(site));
	check_frame("#BP", V_BP, 0);
}

static void check_gp(void)
{
	/* beyond the GDT's limit */
	FAULT("mov %%eax, %%gs", "a"(0x2f8));
	check_frame("#GP, selector beyond the GDT", V_GP, 0x2f8);
	/* a present system descriptor is no data segment */
	FAULT("mov %%eax, %%gs", "a"(SEL_TSS));
	check_frame("#GP, TSS selector in GS", V_GP, SEL_TSS);
	ops.write_gdt(gdt_table, GDT_TLS, 0x0000ffff, 0x00cf7200); /* not present */
	FAULT("mov %%eax, %%gs", "a"(SEL_TLS));
	check_frame("#NP, a descriptor that is not present", V_NP, SEL_TLS & ~3);
	ops.write_gdt(gdt_table, GDT_TLS, 0, 0);
	load_gs(0);
}

/* SS and CS by instructions that a hypervisor may have to carry out. */
static void check_stack_and_code(void)
{
	ops.write_gdt(gdt_table, GDT_SPARE, 0x0000ffff, 0x00cf1200); /* not present */
	FAULT("mov %%eax, %%ss", "a"(0x2f8));
	check_frame("#GP, SS beyond the GDT", V_GP, 0x2f8);
	FAULT("mov %%eax, %%ss", "a"(0));
	check_frame("#GP, SS null", V_GP, 0);
	FAULT("mov %%eax, %%ss", "a"(SEL_KERNEL_CS));
	check_frame("#GP, SS with code", V_GP, SEL_KERNEL_CS);
	FAULT("mov %%eax, %%ss", "a"(SEL_USER_DS));
	check_frame("#GP, SS with data of user mode", V_GP, SEL_USER_DS & ~3);
	FAULT("mov %%eax, %%ss", "a"(GDT_SPARE * 8));
	check_frame("#SS, a descriptor that is not present", V_SS, GDT_SPARE * 8);
	FAULT("ljmp $0x2f8, $0", "a"(0));
	check_frame("#GP, a far jump beyond the GDT", V_GP, 0x2f8);
	FAULT("ljmp $0x68, $0", "a"(0));
	check_frame("#GP, a far jump into data", V_GP, SEL_KERNEL_DS);
	FAULT("ljmp $0, $0", "a"(0));
	check_frame("#GP, a far jump to a null selector", V_GP, 0);
	ops.write_gdt(gdt_table, GDT_SPARE, 0x0000ffff, 0x00cf1a00);
	FAULT("ljmp $0xe0, $0", "a"(0));
	check_frame("#NP, a far jump to code that is not present", V_NP, GDT_SPARE * 8);
	ops.write_gdt(gdt_table, GDT_SPARE, 0, 0);
}

static void check_pf(void)
{
	u32 va = 0x12345678;

	FAULT("mov (%%eax), %%ecx", "a"(va));
	check_frame("#PF, read", V_PF, 0);
	check_eq("#PF: CR2 of a read", va, seen.cr2);
	va = 0xefabcdec;
	FAULT("mov %%ecx, (%%eax)", "a"(va));
	check_frame("#PF, write", V_PF, PF_WRITE);
	check_eq("#PF: CR2 of a write", va, seen.cr2);
	check_eq("#PF: GetCR2 after it", va, ops.get_cr2());
	irq_enable();
	FAULT("mov (%%eax), %%ecx", "a"(va));
	check_frame("#PF with interrupts on", V_PF, 0);
	check_eq("#PF: interrupts are on after it", EFLAGS_IF, irq_flags());
	irq_disable();
}

/* A handler that makes way for another process, as one does that has to
 * allocate memory first, and one that sets TS again. */
static void switch_away(void)
{
	ops.kernel_stack(SEL_KERNEL_DS, (u32)boot_stack_top);
	asm volatile("fnop");
}

static void set_ts(void)
{
	ops.set_cr0(ops.get_cr0() | CR0_TS);
	asm volatile("fnop");
}

static void check_nm_in_handler(const char *name, void (*hook)(void))
{
	u32 count = nm_count;

	ops.set_cr0(ops.get_cr0() | CR0_TS);
	nm_hook = hook;
	asm volatile("fnop");
	check_eq(name, count + 2, nm_count);
	asm volatile("fnop");
	check_eq("#NM: none after both handlers", count + 2, nm_count);
}

static void clear_em(void)
{
	ops.set_cr0(ops.get_cr0() & ~CR0_EM);
}

/* A kernel may switch the FPU off by EM instead of TS. */
static void check_em(void)
{
	u32 count = nm_count;

	ops.clts();
	ops.set_cr0(ops.get_cr0() | CR0_EM);
	check_eq("SetCR0: EM reads back", CR0_EM, ops.get_cr0() & CR0_EM);
	nm_hook = clear_em;
	asm volatile("fnop");
	nm_hook = NULL;
	clear_em();
	check_eq("#NM: one when EM is set", count + 1, nm_count);
	asm volatile("fnop");
	check_eq("#NM: none after EM is clear", count + 1, nm_count);
}

static void check_nm(void)
{
	u32 count = nm_count;

	ops.clts();
	asm volatile("fnop");
	check_eq("#NM: none while TS is clear", count, nm_count);
	ops.set_cr0(ops.get_cr0() | CR0_TS);
	check_eq("SetCR0: TS reads back", CR0_TS, ops.get_cr0() & CR0_TS);
	asm volatile("fnop");
	check_eq("#NM: one when TS is set", count + 1, nm_count);
	check_eq("#NM: TS still reads set in the handler", CR0_TS, nm_cr0 & CR0_TS);
	check_eq("CLTS: TS reads clear", 0, ops.get_cr0() & CR0_TS);
	asm volatile("fnop");
	check_eq("#NM: none after CLTS", count + 1, nm_count);
	ops.set_cr0(ops.get_cr0() | CR0_TS);
	ops.set_cr0(ops.get_cr0() & ~CR0_TS);
	asm volatile("fnop");
	check_eq("#NM: none after SetCR0 without TS", count + 1, nm_count);
	check_nm_in_handler("#NM: TS stays set when the handler switches stacks", switch_away);
	check_nm_in_handler("#NM: TS stays set when the handler sets it", set_ts);
	check_em();
}

/* IRET's own faults are reported at the guest's return site.  With IF in the
 * frame a ROM may take a pending interrupt first, as if it came from the
 * frame's context: it gets a stack of its own. */
static void check_iret(void)
{
	static const struct {
		const char *name;
		u32 frame[9];
		u32 error;
	} bad[] = {
		{"iret to a CS beyond the GDT", {0x1000, 0x2fb, 0x202, 0x1000, 0x7b}, 0x2f8},
		{"iret to a data segment", {0x1000, 0x7b, 0x202, 0x1000, 0x7b}, 0x78},
		{"iret with a bad SS", {0x1000, 0x73, 0x202, 0x1000, 0x2fb}, 0x2f8},
		{"iret with a bad SS and IF off", {0x1000, 0x73, 0x002, 0x1000, 0x2fb}, 0x2f8},
	};
	u32 stack = page_alloc();

	ops.kernel_stack(SEL_KERNEL_DS, (u32)page_address(stack) + PAGE_SIZE);
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		u32 count = seen.count;

		check_subject(bad[i].name);
		check_eq("vector", V_GP, iret_with_frame(bad[i].frame));
		check_eq("error code", bad[i].error, seen.error);
		check_eq("EIP is the return site", (u32)irq_return, seen.eip);
		check_eq("ESP is at the frame", iret_frame_esp, seen.esp);
		check_eq("CS", SEL_KERNEL_CS | kernel_rpl, seen.cs);
		check_eq("one fault", 1, seen.count - count);
		check_subject(NULL);
		irq_disable();
	}
	ops.kernel_stack(SEL_KERNEL_DS, (u32)boot_stack_top);
	page_put(stack);
}

/* vm86() lets a process choose all of this frame but VM.  A hypervisor that does
 * not have virtual-8086 mode reports it as a return that cannot be made, with the
 * frame as it was; nothing may run at EIP, in whatever ring CS then means. */
static void check_iret_v86(void)
{
	static const u32 selectors[] = {SEL_KERNEL_CS, SEL_KERNEL_CS | 1, SEL_USER_CS, 0, 0x1000};
	u32 stack = page_alloc();

	if (!under_hypervisor() || in_own_domain())
		return;
	ops.kernel_stack(SEL_KERNEL_DS, (u32)page_address(stack) + PAGE_SIZE);
	for (u32 i = 0; i < ARRAY_SIZE(selectors) * 2; i++) {
		u32 flags = EFLAGS_VM | 2 | (i & 1 ? EFLAGS_IF : 0);
		u32 frame[9] = {(u32)iret_caught, selectors[i / 2], flags,  0x1000, 0x2000,
				0x3000,		  0x4000,	    0x5000, 0x6000};
		u32 count = seen.count;

		check_eq("iret to v86: is a #GP", V_GP, iret_with_frame(frame));
		check_eq("iret to v86: error code", 0, seen.error);
		check_eq("iret to v86: EIP is the return site", (u32)irq_return, seen.eip);
		check_eq("iret to v86: ESP is at the frame", iret_frame_esp, seen.esp);
		check_eq("iret to v86: one fault", 1, seen.count - count);
		for (u32 word = 0; word < ARRAY_SIZE(frame); word++)
			check_eq("iret to v86: the frame is as it was", frame[word],
				 iret_frame_left[word]);
		irq_disable();
	}
	ops.kernel_stack(SEL_KERNEL_DS, (u32)boot_stack_top);
	page_put(stack);
}

/* SYSENTER_CS without a use for SYSEXIT.  What it leads to a processor does not look at. */
static void check_sysexit(void)
{
	static const struct {
		const char *name;
		u32 cs, error;
		bool processor;
	} bad[] = {
		{"sysexit with SYSENTER_CS null", 0, 0, true},
		{"sysexit with SYSENTER_CS null, RPL 3", 3, 0, false},
		{"sysexit to nothing", 0x2e8, 0x2f8, false},
		{"sysexit to data", SEL_KERNEL_CS - 8, SEL_KERNEL_DS, false},
		{"sysexit beyond the last selector", 0xfff8, 8, false},
	};
	bool ours = on_vmi && under_hypervisor();
	u32 stack = page_alloc();

	ops.kernel_stack(SEL_KERNEL_DS, (u32)page_address(stack) + PAGE_SIZE);
	set_sysenter_cs(SEL_KERNEL_CS);
	iret_with_frame((u32[9]){0x1000, 0x2fb, 2, 0x1000, SEL_USER_DS});
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		u32 count;

		if (!ours && !bad[i].processor)
			continue;
		set_sysenter_cs(bad[i].cs);
		count = seen.count;
		check_subject(bad[i].name);
		check_eq("vector", V_GP, sysexit_with(0x1000, 0x2000));
		check_eq("error code", bad[i].error, seen.error);
		check("EIP is its site", at_sysexit(seen.eip));
		check_eq("CS", SEL_KERNEL_CS | kernel_rpl, seen.cs);
		check_eq("one fault", 1, seen.count - count);
		check_subject(NULL);
		irq_disable();
	}
	set_sysenter_cs(SEL_KERNEL_CS);
	ops.kernel_stack(SEL_KERNEL_DS, (u32)boot_stack_top);
	page_put(stack);
}

/* From the kernel int 0x80 has a frame without ESP and SS (kernel_execve). */
static void check_kernel_int80(void)
{
	u32 result, calls = syscall_stats.kernel_calls;

	asm volatile("int $0x80" : "=a"(result) : "a"(SYS_KERNEL), "b"(40) : "memory", "cc");
	check_eq("int 0x80 from the kernel: result", 42, result);
	check_eq("int 0x80 from the kernel: once", 1, syscall_stats.kernel_calls - calls);
}

void checks_trap(void)
{
	check_simple();
	check_gp();
	check_stack_and_code();
	check_pf();
	if (!in_own_domain())
		check_nm();
	if (under_hypervisor() || !on_vmi) /* nullrom.asm's IRET faults in the ROM */
		check_iret();
	check_iret_v86();
	if (under_hypervisor() || !on_vmi)
		check_sysexit();
	check_kernel_int80();
}
