/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What ring 3 does that a hypervisor's ROM carries out for it: accesses to frames
 * without memory, ports, single steps over both.  On a bare machine IOPL is each
 * process's own and frames without memory are the machine's matter.
 */
#include "checks.h"
#include "irq.h"
#include "mm.h"
#include "proc.h"
#include "rom.h"
#include "trap.h"

static void check_nowhere(void)
{
	static const char *const names[NOWHERE_GOOD] = {
		[NOWHERE_ARITHMETIC] = "nowhere: arithmetic on it, with its flags",
		[NOWHERE_BITS] = "nowhere: bits, exchanges and moves",
		[NOWHERE_STRINGS] = "nowhere: string instructions",
		[NOWHERE_X87] = "nowhere: loads and stores of the x87",
		[NOWHERE_MMX] = "nowhere: MMX",
		[NOWHERE_SSE] = "nowhere: SSE and SSE2",
	};
	u32 free = page_free_count();

	for (u32 i = 0; i < NOWHERE_GOOD; i++)
		check_eq(names[i], 0, proc_run(PROG_NOWHERE, i));
	check_eq("nowhere: a copy of two pages, and over their end", STATUS_KILLED | V_PF,
		 proc_run(PROG_NOWHERE, NOWHERE_COPY));
	check_eq("nowhere: the fault is of the page behind", USER_NOWHERE + 2 * PAGE_SIZE,
		 seen.cr2);
	check_eq("nowhere: a write of user mode that found nothing", PF_USER | PF_WRITE,
		 seen.error);
	check_eq("nowhere: every frame came back", free, page_free_count());
}

static void check_kernel_word(void)
{
	volatile u32 *word = (volatile u32 *)KERNEL_WORD;
	u32 old = *word;

	*word = 0x12345678;
	check_eq("nowhere: a string move from there into the kernel", STATUS_KILLED | V_PF,
		 proc_run(PROG_NOWHERE, NOWHERE_TO_KERNEL));
	check_eq("nowhere: it has moved nothing", 0x12345678, *word);
	check_eq("nowhere: CR2 is the kernel's word", KERNEL_WORD, seen.cr2);
	check_eq("nowhere: error code", PF_USER | PF_WRITE | PF_PRESENT, seen.error);
	*word = old;
}

/* An exception of the instruction's own is the program's, where it stands. */
static void check_exception(void)
{
	check_eq("nowhere: a division by it that overflows", STATUS_KILLED | V_DE,
		 proc_run(PROG_NOWHERE, NOWHERE_DIVIDE));
	check("nowhere: the division is in the program",
	      seen.eip >= USER_BASE && seen.eip < USER_BASE + 0x100000);
	check_eq("nowhere: its CS", SEL_USER_CS, seen.cs);
}

static void check_step(const char *name, u32 kind, u32 least, u32 most)
{
	u32 before = db_count;

	check_subject(name);
	check_eq("the program ends", 0, proc_run(PROG_STEP, kind));
	check_range("traps", least, most, db_count - before);
	check_eq("DR6 tells of a step", 0x4000, db_dr6 & 0x400f);
	check_subject(NULL);
}

static void check_steps(void)
{
	db_watched = true;
	check_step("step: over nop", STEP_NOP, 3, 3);
	check_step("step: over in", STEP_IN, 3, 3);
	check_step("step: over cli", STEP_CLI, 3, 3);
	check_step("step: over a load from nowhere", STEP_NOWHERE, 3, 3);
	/* In a PVH domain QEMU 10 steps once more over the REP when ECX has become 0. */
	check_step("step: over three elements of a string", STEP_STRING, 5, 6);
	db_watched = false;
}

/* Longer than a ROM may hold interrupts up: it comes back, and goes on. */
static void check_long_string(void)
{
	u32 pfn = page_alloc_zeroed(), bytes = 3000;
	u8 *page = page_address(pfn);
	u64 reloc = rom_get_reloc(VMI_INSB);

	if ((u8)(reloc >> 32) == RELOC_CALL) {
		vmi_call.fn = (u32)reloc;
		vmi_call.in[OUT_EAX] = 0x1a1a1a1a;
		vmi_call.in[OUT_EDX] = 0xa1;
		vmi_call.in[OUT_ECX] = bytes;
		vmi_call.in[OUT_EDI] = (u32)page;
		vmi_call_run();
		check_eq("INSB: a long one ends", 0, vmi_call.out[OUT_ECX]);
		check_eq("INSB: behind its last byte", (u32)page + bytes, vmi_call.out[OUT_EDI]);
		check_eq("INSB: EAX is kept", 0x1a1a1a1a, vmi_call.out[OUT_EAX]);
		check("INSB: that is from the port", page[bytes - 1] == inb(0xa1));
		check_eq("INSB: and no more", 0, page[bytes]);
	}
	page_put(pfn);
}

void checks_emul(void)
{
	if (!on_vmi || !under_hypervisor())
		return;
	irq_enable();
	tick_start();
	if (!in_own_domain()) { /* there Xen answers where no memory is */
		check_nowhere();
		check_kernel_word();
	}
	check_exception();
	ops.set_iopl(0x3000);
	check_steps();
	check_eq("IOPL 3: cli does no harm", 1, proc_run(PROG_FAULT, FAULT_CLI));
	check_eq("IOPL 3: nor does sti", 1, proc_run(PROG_FAULT, FAULT_STI));
	check_eq("IOPL 3: code of 16 bits, INSB to DI", 0, proc_run(PROG_CODE16, 0));
	ops.set_iopl(0);
	check_long_string();
	check_eq("emul: the kernel goes on", 42, proc_run(PROG_HELLO, 0));
	tick_stop();
	irq_disable();
}
