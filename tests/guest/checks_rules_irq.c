/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the ABI and Linux expect of interrupts, alarms, debug registers, LDT,
 * I/O privileges and returns, rule by rule.  A check's first words name its
 * rule in tests/conformance.
 */
#include "checks.h"
#include "irq.h"
#include "mm.h"
#include "proc.h"
#include "rom.h"
#include "trap.h"

#define APIC_WINDOW (VMALLOC_START + 0x900000)
#define APIC_FRAME 0xfee00u
#define DR7_WRITE_DR0 0xd0001u /* DR0: four bytes, writes */

/* --- the local APIC and alarms wired to it -------------------------------------- */

static void lvtt_on(u32 vector)
{
	ops.apic_write(APIC_SVR, APIC_SVR_ON);
	ops.apic_write(APIC_TPR, 0);
	ops.apic_write(APIC_LVTT, vector);
}

static void lvtt_alarm(u32 ms)
{
	ops.set_alarm(COUNTER_REAL | ALARM_LVTT, ops.cycle_counter(COUNTER_REAL) + cycles_ms(ms),
		      0);
}

static void check_lvtt(void)
{
	u32 before, other, irq0 = ticks;

	lvtt_on(V_LVTT);
	irq_enable();
	before = apic_ticks[0];
	lvtt_alarm(2);
	wait_ticks(&apic_ticks[0], before, 1);
	check_eq("LVTT: the alarm comes with its vector", before + 1, apic_ticks[0]);
	check_eq("LVTT: and not on IRQ 0", irq0, ticks);
	before = apic_ticks[0];
	other = apic_ticks[1];
	ops.apic_write(APIC_LVTT, V_LVTT_OTHER);
	lvtt_alarm(2);
	wait_ticks(&apic_ticks[1], other, 1);
	check_eq("LVTT: another vector is read from the register", other + 1, apic_ticks[1]);
	check_eq("LVTT: nothing by the old one", before, apic_ticks[0]);

	ops.apic_write(APIC_LVTT, APIC_MASKED | V_LVTT);
	lvtt_alarm(2);
	spin_ms(DUE_MS);
	ops.cancel_alarm(COUNTER_REAL); /* if it is late */
	check_eq("LVTT: masked, nothing comes", before, apic_ticks[0]);
	ops.apic_write(APIC_LVTT, V_LVTT);
	spin_ms(5);
	check_eq("LVTT: nor when it is unmasked later", before, apic_ticks[0]);

	ops.set_alarm(COUNTER_AVAILABLE | ALARM_LVTT | ALARM_PERIODIC,
		      ops.cycle_counter(COUNTER_AVAILABLE), cycles_ms(5));
	wait_ticks(&apic_ticks[0], before, 4);
	check_range("LVTT: periodic", 4, 1000, apic_ticks[0] - before);
	check_eq("LVTT: CancelAlarm finds it", 1, ops.cancel_alarm(COUNTER_AVAILABLE) & 0xff);

	irq_disable();
	before = apic_ticks[0];
	lvtt_alarm(2);
	while (apic_ticks[0] == before)
		ops.halt();
	check_eq("LVTT: wakes a halted processor", before + 1, apic_ticks[0]);
	irq_disable();
	before = apic_ticks[0];
	lvtt_alarm(2);
	wait_apic_request(V_LVTT);
	check_eq("LVTT: waits while interrupts are off", before, apic_ticks[0]);
	irq_enable();
	asm volatile("nop");
	check_eq("LVTT: and comes when they are on", before + 1, apic_ticks[0]);
	irq_disable();
}

/* With every line of the 8259 masked, as Linux halts for good, the local APIC can
 * still wake the processor. */
static void check_apic_wakes(void)
{
	u32 alarms = apic_ticks[0], own = apic_ticks[1];

	lvtt_on(APIC_MASKED | V_LVTT);
	outb(0xff, 0x21);
	ops.apic_write(APIC_ICR_HIGH, 0);
	ops.apic_write(APIC_ICR, V_LVTT_OTHER);
	ops.halt();
	irq_disable();
	check_eq("Halt: ended by an interrupt to itself, all else masked", own + 1, apic_ticks[1]);
	lvtt_on(V_LVTT);
	lvtt_alarm(100); /* far enough that the processor halts before it, however busy */
	ops.halt();
	irq_disable();
	check_eq("Halt: ended by an alarm of LVTT, the 8259 masked", alarms + 1, apic_ticks[0]);
	outb(0xfe, 0x21);
}

static void check_apic(void)
{
	u32 before = apic_ticks[0];

	ops.apic_write(APIC_TPR, 0x50);
	irq_enable();
	lvtt_alarm(2);
	wait_apic_request(V_LVTT);
	check_eq("APIC: TPR holds a lower class back", before, apic_ticks[0]);
	ops.apic_write(APIC_TPR, 0);
	asm volatile("nop");
	check_eq("APIC: and lets it come when it is lowered", before + 1, apic_ticks[0]);
	check_eq("APIC: nothing is in service after the EOI", 0, ops.apic_read(APIC_ISR + 0x20));
	before = apic_ticks[1];
	ops.apic_write(APIC_ICR_HIGH, 0);
	ops.apic_write(APIC_ICR, V_LVTT_OTHER);
	asm volatile("nop");
	check_eq("APIC: an interrupt to itself by ICR", before + 1, apic_ticks[1]);
	ops.apic_write(APIC_SVR, APIC_SVR_OFF);
	before = apic_ticks[0];
	lvtt_alarm(2);
	spin_ms(DUE_MS);
	ops.cancel_alarm(COUNTER_REAL);
	check_eq("APIC: disabled, nothing comes", before, apic_ticks[0]);
	irq_disable();
	apic_as_found();
}

/* A kernel reads and sends by loads and stores, too: they see the same APIC. */
static void check_apic_memory(void)
{
	volatile u32 *apic = (volatile u32 *)APIC_WINDOW;
	u32 before = apic_ticks[1], value = 0x20;

	map_kernel(APIC_WINDOW, APIC_FRAME, PTE_KERNEL);
	ops.inval_page(APIC_WINDOW);
	ops.apic_write(APIC_SVR, APIC_SVR_ON);
	check_eq("APIC: its version by a load", ops.apic_read(APIC_VERSION),
		 apic[APIC_VERSION / 4]);
	apic[APIC_TPR / 4] = 0x30;
	check_eq("APIC: a store is a write", 0x30, ops.apic_read(APIC_TPR));
	asm volatile("xchg %0, %1" : "+r"(value), "+m"(apic[APIC_TPR / 4]));
	check_eq("APIC: XCHG reads", 0x30, value);
	check_eq("APIC: and writes", 0x20, ops.apic_read(APIC_TPR));
	check("APIC: a bit is tested where it is", apic[APIC_TPR / 4] & 0x20);
	apic[APIC_TPR / 4] = 0;
	irq_enable();
	apic[APIC_ICR_HIGH / 4] = 0;
	apic[APIC_ICR / 4] = V_LVTT_OTHER;
	asm volatile("nop");
	check_eq("APIC: an interrupt to itself by a store", before + 1, apic_ticks[1]);
	check_eq("APIC: that is sent", 0, apic[APIC_ICR / 4] & APIC_ICR_BUSY);
	irq_disable();
	apic_as_found();
	unmap_kernel(APIC_WINDOW);
}

/* --- nesting ---------------------------------------------------------------------- */

static u32 nested_seen;

/* In the handler of IRQ 0: interrupts on, until the APIC's has come in. */
static void nest(void)
{
	u32 before = apic_ticks[0];

	irq_hook = NULL;
	ops.apic_write(APIC_ICR, V_LVTT);
	irq_enable();
	asm volatile("nop");
	nested_seen = apic_ticks[0] - before;
	irq_disable();
}

static void check_nested(void)
{
	u32 before;

	if (ops.apic_write) {
		lvtt_on(V_LVTT);
		before = ticks;
		irq_hook = nest;
		irq_enable();
		alarm_in(COUNTER_REAL, 2);
		wait_ticks(&ticks, before, 1);
		check_eq("nested: an interrupt within a handler that allows it", 1, nested_seen);
		check_eq("nested: the outer one was one", before + 1, ticks);
		irq_hook = NULL;
		irq_disable();
		apic_as_found();
	}
	check_eq("nested: interrupts are as they were", 0, irq_flags());
}

/* --- the flag and instructions that stay native ----------------------------------- */

static void check_native_flag(void)
{
	u32 flags;

	irq_enable();
	asm volatile("cli" ::: "memory");
	check_eq("native cli: interrupts are off", 0, irq_flags());
	asm volatile("sti; nop" ::: "memory");
	check_eq("native sti: interrupts are on", EFLAGS_IF, irq_flags());
	irq_disable();
	if (!on_vmi || !under_hypervisor())
		return;
	/* the scheduler's context switch: IF of popf means nothing in ring 1 */
	asm volatile("pushf; pop %0" : "=r"(flags));
	asm volatile("push %0; popf" ::"r"(flags | EFLAGS_IF | 0x3000) : "cc", "memory");
	check_eq("native popf: leaves the flag alone", 0, irq_flags());
	irq_enable();
	asm volatile("push %0; popf" ::"r"(flags & ~EFLAGS_IF) : "cc", "memory");
	check_eq("native popf: leaves it alone when it is on", EFLAGS_IF, irq_flags());
	irq_disable();
}

/* --- debug registers ---------------------------------------------------------------- */

static volatile u32 watched;

static void check_debug(void)
{
	u32 before;

	db_watched = true;
	ops.set_dr(6, 0);
	ops.set_dr(0, (u32)&watched);
	ops.set_dr(7, DR7_WRITE_DR0);
	before = db_count;
	watched = 1;
	check_eq("DR: a watched write traps", before + 1, db_count);
	check_eq("DR: DR6 says which", 1, db_dr6 & 0xf);
	(void)watched;
	check_eq("DR: a read does not", before + 1, db_count);
	check_eq("DR: DR7 reads back", DR7_WRITE_DR0, ops.get_dr(7) & 0xf0003);
	ops.set_dr(7, 0);
	watched = 2;
	check_eq("DR: none after DR7 is cleared", before + 1, db_count);
	ops.set_dr(0, 0);
	ops.set_dr(6, 1); /* as left by a breakpoint that nobody asked about */
	before = db_count;
	asm volatile("pushf; pushf; orl $0x100, (%%esp); popf; popf" ::: "memory", "cc");
	check_eq("DR: one step traps once", before + 1, db_count);
	check_eq("DR: DR6 tells of the step alone", 0x4000, db_dr6 & 0x400f);
	db_watched = false;
}

/* --- processes ------------------------------------------------------------------------- */

static void check_ldt(void)
{
	struct proc *p, *q, *r;

	irq_enable();
	tick_start();
	p = proc_spawn(PROG_LDT, 0x1d71);
	q = proc_spawn(PROG_LDT, 0x1d72);
	r = proc_spawn(PROG_TLS, 0x7777);
	check_eq("LDT: the first process has its own", 0, proc_wait(p->pid));
	check_eq("LDT: so has the second", 0, proc_wait(q->pid));
	check_eq("LDT: one without is not disturbed", 0, proc_wait(r->pid));
	tick_stop();
	irq_disable();
	check_eq("LDT: none is left to the kernel", 0, ops.get_ldt() & 0xfffc);
}

static void check_iopl(void)
{
	if (!on_vmi || !under_hypervisor())
		return; /* IOPL is in the EFLAGS of each process there */
	irq_enable();
	ops.set_iopl(0x3000);
	check_eq("IOPL: with 3 user mode reads a port", 1, proc_run(PROG_FAULT, FAULT_IN));
	check_eq("IOPL: and writes one", 1, proc_run(PROG_FAULT, FAULT_OUT));
	ops.set_iopl(0);
	check_eq("IOPL: with 0 it does not", STATUS_KILLED | V_GP, proc_run(PROG_FAULT, FAULT_IN));
	irq_disable();
}

/* --- IRET within the kernel, an event pending -------------------------------------------- */

static void check_iret_pending(void)
{
	u64 reloc;
	u32 before = ticks;

	if (!on_vmi || !under_hypervisor())
		return;
	reloc = rom_get_reloc(VMI_IRET);
	if ((u8)(reloc >> 32) != RELOC_CALL)
		return;
	irq_disable();
	alarm_in(COUNTER_REAL, 2);
	wait_request();
	vmi_call.fn = (u32)reloc;
	vmi_call.stack[0] = (u32)vmi_call_landing;
	vmi_call.stack[1] = SEL_KERNEL_CS | kernel_rpl;
	vmi_call.stack[2] = 2;
	vmi_call_run();
	check_eq("IRET: with IF off a pending event goes on waiting", before, ticks);
	vmi_call.stack[2] = EFLAGS_IF | 2;
	vmi_call.in[OUT_EBX] = 0x1b1b1b1b;
	vmi_call_run();
	check_eq("IRET: with IF on it is delivered", before + 1, ticks);
	check_eq("IRET: registers are kept over it", 0x1b1b1b1b, vmi_call.out[OUT_EBX]);
	check_eq("IRET: interrupts are on", EFLAGS_IF, irq_flags());
	irq_disable();
}

static void check_second_init(void)
{
	u32 cr3 = ops.get_cr3();

	if (!on_vmi || !under_hypervisor())
		return;
	check("Init: a second one fails", rom_init(rom_init_entry()) != 0);
	check_eq("Init: and changes nothing", cr3, ops.get_cr3());
	check_eq("Init: nor the ring", kernel_rpl, read_cs() & 3);
	check_eq("Init: nor the interrupt flag", 0, irq_flags());
}

void checks_rules_irq(void)
{
	if (on_vmi && under_hypervisor()) /* the 8254 has one, and no more than 50 ms */
		rules_alarm();
	if (ops.apic_write) {
		check_lvtt();
		check_apic_wakes();
		check_apic();
		check_apic_memory();
	}
	check_nested();
	check_native_flag();
	check_debug();
	check_ldt();
	check_iopl();
	check_iret_pending();
	check_second_init();
	check_eq("interrupts: none on lines that nobody uses", 0, irqs_spurious);
}
