/* SPDX-License-Identifier: GPL-2.0-only */
/* The interrupt flag (calls 29-32) and alarms on IRQ 0. */
#include "checks.h"
#include "irq.h"
#include "mm.h"
#include "rom.h"
#include "trap.h"

extern char boot_stack_top[];

/* The ROM's entry for a call, 0 natively. */
static void *entry(u32 call)
{
	u64 reloc = on_vmi ? rom_get_reloc(call) : 0;

	return (u8)(reloc >> 32) == RELOC_CALL ? (void *)(u32)reloc : NULL;
}

static void check_kept(const char *name, u32 call, u32 eax, u32 eax_after)
{
	u32 out[8];

	if (!entry(call))
		return;
	call_inline(entry(call), eax, out);
	check(name, out[OUT_EDX] == KEEP_EDX && out[OUT_ECX] == KEEP_ECX &&
			    out[OUT_EBX] == KEEP_EBX && out[OUT_ESI] == KEEP_ESI &&
			    out[OUT_EDI] == KEEP_EDI && out[OUT_EBP] == KEEP_EBP && !out[OUT_ESP]);
	if (call == VMI_GetInterruptMask)
		out[OUT_EAX] &= EFLAGS_IF; /* only this bit counts */
	check_eq(name, eax_after, out[OUT_EAX]);
}

void checks_irqflag(void)
{
	irq_disable();
	check_eq("flag: off after DisableInterrupts", 0, irq_flags());
	irq_enable();
	check_eq("flag: on after EnableInterrupts", EFLAGS_IF, irq_flags());
	irq_restore(0);
	check_eq("flag: off after SetInterruptMask 0", 0, irq_flags());
	irq_restore(0x46); /* what pushf answers */
	check_eq("flag: only 0x200 counts", 0, irq_flags());
	irq_restore(EFLAGS_IF);
	check_eq("flag: on after SetInterruptMask 0x200", EFLAGS_IF, irq_flags());
	check_eq("flag: saved", EFLAGS_IF, irq_save());
	check_eq("flag: off after the save", 0, irq_flags());

	check_kept("EnableInterrupts keeps every register", VMI_EnableInterrupts, 0x1234, 0x1234);
	check_kept("DisableInterrupts keeps every register", VMI_DisableInterrupts, 0x1234, 0x1234);
	check_kept("GetInterruptMask (off) keeps all but EAX", VMI_GetInterruptMask, 0x1234, 0);
	check_kept("SetInterruptMask (on) keeps every register", VMI_SetInterruptMask, EFLAGS_IF,
		   EFLAGS_IF);
	check_kept("GetInterruptMask (on) keeps all but EAX", VMI_GetInterruptMask, 0x1234,
		   EFLAGS_IF);
	check_kept("SetInterruptMask (off) keeps every register", VMI_SetInterruptMask, 0, 0);
	check_eq("flag: off at the end", 0, irq_flags());
}

/* An alarm comes while interrupts are off and is delivered by `unmask`. */
static void check_pending(const char *name, void (*unmask)(void))
{
	u32 before;

	irq_disable();
	before = ticks;
	alarm_in(COUNTER_REAL, 2);
	wait_request();
	check_eq("pending: nothing is delivered while interrupts are off", before, ticks);
	unmask();
	asm volatile("nop; nop");
	check_eq(name, before + 1, ticks);
	spin_ms(5);
	check_eq("one-shot alarm: fires once", before + 1, ticks);
	irq_disable();
}

static void by_enable(void)
{
	irq_enable();
}

static void by_restore(void)
{
	irq_restore(EFLAGS_IF);
}

static void by_halt(void)
{
	ops.halt();
}

/* A return that cannot be made while an interrupt waits for its IF: hardware
 * faults first, a ROM may take the interrupt first, as if it came from the
 * frame's context.  Either way there is one fault and the interrupt comes;
 * masked at the 8259, it wakes the ROM but not the guest. */
static void iret_pending(const char *name, bool masked)
{
	static const u32 frame[9] = {0x1000, 0x2fb, 0x202, 0x1000, SEL_USER_DS};
	u32 before = ticks, count = seen.count;

	check_subject(name);
	if (masked)
		outb(0xff, 0x21);
	alarm_in(COUNTER_REAL, 2);
	wait_request();
	check_eq("vector", V_GP, iret_with_frame(frame));
	irq_disable();
	check_eq("error code", 0x2f8, seen.error);
	check_eq("EIP", (u32)irq_return, seen.eip);
	check_eq("one fault", 1, seen.count - count);
	outb(0xfe, 0x21);
	irq_enable();
	wait_ticks(&ticks, before, 1);
	check_eq("the interrupt is delivered", before + 1, ticks);
	irq_disable();
	check_subject(NULL);
}

static void check_iret_pending(void)
{
	u32 stack = page_alloc();

	if (on_vmi && !under_hypervisor())
		return; /* nullrom.asm's IRET faults in the ROM */
	ops.kernel_stack(SEL_KERNEL_DS, (u32)page_address(stack) + PAGE_SIZE);
	iret_pending("iret that faults, an interrupt pending", false);
	iret_pending("iret that faults, a masked interrupt pending", true);
	ops.kernel_stack(SEL_KERNEL_DS, (u32)boot_stack_top);
	page_put(stack);
}

static void check_cancel(void)
{
	u32 before, pending = 0;

	/* On a busy host one may be due before it is cancelled; then it is not pending. */
	for (u32 i = 0; i < 10 && pending != 1; i++) {
		irq_enable();
		irq_disable();
		before = ticks;
		alarm_in(COUNTER_REAL, 20);
		pending = ops.cancel_alarm(COUNTER_REAL);
	}
	check_eq("CancelAlarm: one was pending", 1, pending);
	check_eq("CancelAlarm: none is left", 0, ops.cancel_alarm(COUNTER_REAL));
	irq_enable();
	spin_ms(40);
	check_eq("CancelAlarm: it does not fire", before, ticks);
	irq_disable();
}

static void check_past(void)
{
	u32 before = ticks;
	u64 now = ops.cycle_counter(COUNTER_REAL);

	irq_enable();
	ops.set_alarm(COUNTER_REAL, now - cycles_ms(10), 0);
	wait_ticks(&ticks, before, 1);
	spin_ms(5);
	check_eq("SetAlarm: an expiry in the past fires at once", before + 1, ticks);
	irq_disable();
}

/* Interrupts arrive in straight code and keep all registers. */
static void check_registers(void)
{
	u32 b, c, d, s, before = ticks;
	u32 di = 0x7a7a7a7a;

	tick_start();
	irq_enable();
	for (u32 i = 0; i < 100000 && ticks < before + 5; i++) {
		asm volatile("mov $20000, %%eax\n1:\tdec %%eax\n\tjnz 1b"
			     : "=b"(b), "=c"(c), "=d"(d), "=S"(s), "+D"(di)
			     : "b"(1), "c"(2), "d"(3), "S"(4)
			     : "eax", "cc");
		if (b != 1 || c != 2 || d != 3 || s != 4 || di != 0x7a7a7a7a)
			break;
	}
	irq_disable();
	tick_stop();
	check("interrupts: registers are kept",
	      b == 1 && c == 2 && d == 3 && s == 4 && di == 0x7a7a7a7a);
	check("interrupts: ticks arrive in straight code", ticks >= before + 5);
}

void checks_alarm(void)
{
	check_pending("pending: delivered by EnableInterrupts", by_enable);
	check_pending("pending: delivered by SetInterruptMask", by_restore);
	check_pending("pending: delivered by Halt", by_halt);
	check_iret_pending();
	check_cancel();
	check_past();
	check_registers();
	check_eq("interrupts: none on other lines", 0, irqs_spurious);
}
