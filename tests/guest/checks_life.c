/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The domain is saved, restored or migrated in the midst of things, which a kernel must not
 * notice.  With "life" on the command line only: each wait here says where the guest is, and
 * ends with a byte typed, which the host types when it is done.  Where nobody does anything
 * but type, as on a bare machine, the checks pass as well.
 */
#include "checks.h"
#include "irq.h"
#include "mm.h"
#include "proc.h"
#include "trap.h"

extern const u8 user_blob[];

#define VA (VMALLOC_START + 0xA00000) /* a table of its own */
#define BATCH 20u
#define PATTERN_PAGES 64u
#define DR7_WRITE_DR0 0xd0001u /* DR0: four bytes, writes */
#define SELECTOR 0x0f	       /* entry 1 of the LDT, RPL 3 */
#define SLACK_MS 1000u	       /* between two reads of a clock: the host may be busy */
#define S_PER_DAY 86400u

/* --- waiting --------------------------------------------------------------------------- */

static void announce(const char *where)
{
	while (console_getc() >= 0)
		;
	printk("guest: waits %s\n", where);
}

static bool typed(void)
{
	return console_getc() >= 0;
}

/* --- what may not have changed ----------------------------------------------------------- */

static struct {
	u64 real, available, stolen, tsc, epoch;
	u32 cpuid[4], cr0, cr3, cr4, tr, ldt;
	struct desc_ptr gdt, idt;
} before;

static u32 frames[PATTERN_PAGES];

static void write_pattern(void)
{
	for (u32 i = 0; i < PATTERN_PAGES; i++) {
		u32 *page = page_address(frames[i]);

		for (u32 n = 0; n < PAGE_SIZE / 4; n++)
			page[n] = (i << 16 | n) * 0x9E3779B1u;
	}
}

static u32 wrong_words(void)
{
	u32 wrong = 0;

	for (u32 i = 0; i < PATTERN_PAGES; i++) {
		const u32 *page = page_address(frames[i]);

		for (u32 n = 0; n < PAGE_SIZE / 4; n++)
			wrong += page[n] != (i << 16 | n) * 0x9E3779B1u;
	}
	return wrong;
}

static void note(void)
{
	before.cpuid[0] = 1;
	before.cpuid[2] = 0;
	native_cpuid(before.cpuid);
	before.cr0 = ops.get_cr0();
	before.cr3 = ops.get_cr3();
	before.cr4 = ops.get_cr4();
	before.tr = ops.get_tr();
	before.ldt = ops.get_ldt();
	ops.get_gdt(&before.gdt);
	ops.get_idt(&before.idt);
	before.epoch = ops.wallclock();
	before.stolen = ops.cycle_counter(COUNTER_STOLEN);
	before.available = ops.cycle_counter(COUNTER_AVAILABLE);
	before.tsc = ops.rdtsc();
	before.real = ops.cycle_counter(COUNTER_REAL);
}

static void check_clocks(void)
{
	u64 real = ops.cycle_counter(COUNTER_REAL), tsc = ops.rdtsc();
	u64 available = ops.cycle_counter(COUNTER_AVAILABLE), slack = cycles_ms(SLACK_MS);
	u64 stolen = ops.cycle_counter(COUNTER_STOLEN), epoch = ops.wallclock();
	u64 away = real - before.real, sum = available - before.available + stolen - before.stolen;

	check("real time has not gone back", real >= before.real);
	check("available time has not gone back", available >= before.available);
	check("stolen time has not gone back", stolen >= before.stolen);
	check("the TSC has not gone back", tsc >= before.tsc);
	check("the date has not gone back", epoch >= before.epoch);
	check("real time is the other two together", sum + slack >= away && away + slack >= sum);
	check("the TSC and real time agree",
	      tsc - before.tsc + slack >= away && away + slack >= tsc - before.tsc);
	check("no more time has passed than a host takes", away < cycles_ms(1000) * S_PER_DAY);
}

static void check_processor(void)
{
	struct desc_ptr gdt = {0}, idt = {0};
	u32 r[4] = {1, 0, 0, 0};

	native_cpuid(r);
	check_eq("CPUID says the same", 0, memcmp(r, before.cpuid, sizeof(r)));
	ops.get_gdt(&gdt);
	ops.get_idt(&idt);
	check_eq("CR0, but for TS", before.cr0 & ~CR0_TS, ops.get_cr0() & ~CR0_TS);
	check_eq("CR3", before.cr3, ops.get_cr3());
	check_eq("CR4", before.cr4, ops.get_cr4());
	check_eq("TR", before.tr, ops.get_tr());
	check_eq("the GDT", before.gdt.base, gdt.base);
	check_eq("the IDT", before.idt.base, idt.base);
	check_eq("memory is what it was, words", 0, wrong_words());
	check_eq("a fault is one", V_PF, try_read(0, NULL));
}

/* --- one wait after another -------------------------------------------------------------- */

void checks_life_boot(void)
{
	if (!option("life"))
		return;
	check_subject("life before Init");
	before.cpuid[0] = 1;
	native_cpuid(before.cpuid);
	before.tsc = rdtsc();
	announce("before Init");
	while (!typed())
		;
	check("the guest goes on", true);
	check("the TSC has not gone back", rdtsc() >= before.tsc);
	check_subject(NULL);
}

static u32 word_a = 0xaaaa0001;
static volatile u32 watched;
static u64 number = 0x3FF3C0CA428C59FBull; /* 1.2345678... */

/* Nothing but ports leads to the monitor.  An LDT, a watched word, a number in the FPU. */
static void check_interrupts_off(void)
{
	static struct descriptor ldt[8] __attribute__((aligned(4096)));
	struct descriptor a = segment((u32)&word_a, 0xfffff, SEG_DATA3);
	struct descriptor d = segment((u32)ldt, sizeof(ldt) - 1, 0x82);
	u32 traps;
	u64 out;

	check_subject("life with interrupts off");
	d.hi &= ~0xc00000u;
	ops.write_ldt(ldt, 1, a.lo, a.hi);
	ops.write_gdt(gdt_table, GDT_LDT, d.lo, d.hi);
	ops.set_ldt(SEL_LDT);
	load_gs(SELECTOR);
	db_watched = true;
	ops.set_dr(6, 0);
	ops.set_dr(0, (u32)&watched);
	ops.set_dr(7, DR7_WRITE_DR0);
	ops.clts();
	asm volatile("fninit\n\tfldl %0" ::"m"(number));
	note();
	announce("with interrupts off");
	while (!typed())
		;
	asm volatile("fstpl %0" : "=m"(out));
	check_clocks();
	check_processor();
	check("the FPU holds its number", out == number);
	check_eq("the LDT", before.ldt, ops.get_ldt());
	check_eq("a segment of it is still loaded", word_a, read_gs0());
	load_gs(0);
	load_gs(SELECTOR);
	check_eq("it can be loaded again", word_a, read_gs0());
	load_gs(0);
	traps = db_count;
	watched = 1;
	check_eq("the watched word traps", traps + 1, db_count);
	check_eq("DR7 reads back", DR7_WRITE_DR0, ops.get_dr(7) & 0xf0003);
	ops.set_dr(7, 0);
	ops.set_dr(0, 0);
	ops.write_gdt(gdt_table, GDT_LDT, 0, 0);
	ops.set_ldt(0);
	check_subject(NULL);
}

/* The guest halts, and its tick wakes it up. */
static void check_halted(void)
{
	u32 flags, start;
	u64 half;

	check_subject("life halted");
	irq_enable();
	tick_start();
	note();
	announce("halted");
	do {
		ops.halt();
		flags = irq_save();
		half = ops.cycle_counter(COUNTER_AVAILABLE);
		irq_restore(flags);
	} while (!typed());
	check("available time goes on", half >= before.available);
	check_clocks();
	start = ticks;
	wait_ticks(&ticks, start, 3);
	check_range("the tick goes on", start + 3, start + 1000, ticks);
	tick_stop();
	irq_disable();
	check_processor();
	check_subject(NULL);
}

/* An alarm of real time that is far away, as a kernel without ticks has it: the absence counts. */
static void check_alarm(void)
{
	u32 start;

	check_subject("life with an alarm");
	irq_enable();
	start = ticks;
	ops.set_alarm(COUNTER_REAL, ops.cycle_counter(COUNTER_REAL) + cycles_ms(3600000), 0);
	note();
	announce("with an alarm armed");
	while (!typed())
		;
	check_eq("it has not come too early", start, ticks);
	check_eq("it was armed", 1, ops.cancel_alarm(COUNTER_REAL));
	alarm_in(COUNTER_REAL, 2);
	wait_ticks(&ticks, start, 1);
	check_eq("the next one comes", start + 1, ticks);
	irq_disable();
	check_clocks();
	check_subject(NULL);
}

/* Entries that the monitor may have queued. */
static void check_lazy(void)
{
	u32 bad = 0;

	check_subject("life in lazy mode");
	pte_alloc(&init_mm, VA);
	ops.lazy_mode(LAZY_MMU);
	for (u32 i = 0; i < BATCH; i++)
		map_kernel(VA + i * PAGE_SIZE, frames[i], PTE_KERNEL);
	note();
	announce("in lazy mode");
	while (!typed())
		;
	ops.lazy_mode(LAZY_NONE);
	for (u32 i = 0; i < BATCH; i++)
		bad += *(volatile u32 *)(VA + i * PAGE_SIZE) != (i << 16) * 0x9E3779B1u;
	check_eq("the entries are there, wrong ones", 0, bad);
	for (u32 i = 0; i < BATCH; i++)
		unmap_kernel(VA + i * PAGE_SIZE);
	pt_free(&init_mm, VA);
	check_processor();
	check_subject(NULL);
}

/* A process counts in ring 3, and the kernel looks at the console between. */
static void check_user(void)
{
	u32 counter = ((const struct blob *)user_blob)->spin_counter, count;
	struct proc *p;

	check_subject("life in user mode");
	irq_enable();
	tick_start();
	p = proc_spawn(PROG_SPIN, 0);
	note();
	announce("in user mode");
	while (!typed())
		schedule();
	count = mm_peek(p->mm, counter);
	for (u32 i = 0; i < 10; i++)
		schedule();
	check("the process counts on", mm_peek(p->mm, counter) > count);
	p->kill = true;
	check_eq("it ends", STATUS_KILLED, proc_wait(p->pid));
	check_eq("another one runs", 0, proc_run(PROG_COW, 0));
	check_eq("and one with an LDT", 0, proc_run(PROG_LDT, 0));
	tick_stop();
	irq_disable();
	check_clocks();
	check_processor();
	check_subject(NULL);
}

void checks_life(void)
{
	if (!option("life"))
		return;
	for (u32 i = 0; i < PATTERN_PAGES; i++)
		frames[i] = page_alloc();
	write_pattern();
	check_halted();
	check_alarm();
	check_interrupts_off();
	check_lazy();
	check_user();
	for (u32 i = 0; i < PATTERN_PAGES; i++)
		page_put(frames[i]);
}
