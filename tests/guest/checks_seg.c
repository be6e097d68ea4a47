/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors that belong to a process: each finds its own and nobody else's,
 * and none of them, whatever it says, is of use to a process or in the way of
 * the others.
 */
#include "checks.h"
#include "irq.h"
#include "proc.h"
#include "trap.h"

#define LDT_SELECTOR 0x0f /* entry 1, RPL 3 */
#define OTHER_ENTRY 0x17

static u32 spawn(enum segment_kind kind, u32 argument)
{
	return proc_spawn(PROG_SEGMENT, (u32)kind << 16 | argument)->pid;
}

/* One process has the segment in GS while the other looks for it. */
static void check_another_ones(const char *name, u32 selector)
{
	u32 a = spawn(SEGMENT_HOLD, selector), b = spawn(SEGMENT_TAKE, selector);
	u32 status = proc_wait(b);

	check_subject(name);
	check_eq("another process does not find it", STATUS_KILLED | V_GP, status);
	check_eq("its error code", selector & ~3u, seen.error);
	check_eq("its owner has it over switches", 0, proc_wait(a));
	check_subject(NULL);
}

static void check_cleared(const char *name, u32 selector)
{
	u32 a = spawn(SEGMENT_CLEARED, selector), b = proc_spawn(PROG_YIELD, 10)->pid;

	check_subject(name);
	check_eq("taken away while it is loaded", 0, proc_wait(a));
	proc_wait(b);
	check_subject(NULL);
}

/* Two that have an LDT each, and not the same entry in it. */
static void check_two_tables(void)
{
	u32 a = spawn(SEGMENT_HOLD, LDT_SELECTOR), b = spawn(SEGMENT_HOLD, OTHER_ENTRY);
	u32 c = spawn(SEGMENT_HOLD, SEL_TLS), d = spawn(SEGMENT_TAKE, OTHER_ENTRY);

	check_eq("LDT and TLS at once: the first", 0, proc_wait(a));
	check_eq("LDT and TLS at once: the second", 0, proc_wait(b));
	check_eq("LDT and TLS at once: the third", 0, proc_wait(c));
	check_eq("LDT and TLS at once: one without", STATUS_KILLED | V_GP, proc_wait(d));
}

/* Descriptors that no process should have, and the exception that loading them into
 * GS causes; 0: none. */
static const struct {
	const char *name;
	struct descriptor d;
	u32 vector;
} cases[] = {
	{"a TSS", {0x00000067, 0x0000e900}, V_GP},
	{"an LDT", {0x0000ffff, 0x0000e200}, V_GP},
	{"a call gate", {0x00600000, 0xc010ec00}, V_GP},
	{"a 16-bit call gate", {0x00600000, 0x0010e400}, V_GP},
	{"a task gate", {0x00f80000, 0x0000e500}, V_GP},
	{"an interrupt gate", {0x00600000, 0xc010ee00}, V_GP},
	{"system type 0", {0x12345678, 0x9abce000}, V_GP},
	{"data of ring 0", {0x0000ffff, 0x00cf9200}, V_GP},
	{"data of ring 1", {0x0000ffff, 0x00cfb200}, V_GP},
	{"data of ring 2", {0x0000ffff, 0x00cfd200}, V_GP},
	{"code that cannot be read", {0x0000ffff, 0x00cff800}, V_GP},
	{"conforming code of ring 0", {0x0000ffff, 0x00cf9e00}, 0},
	{"conforming code of ring 3", {0x0000ffff, 0x00cffe00}, 0},
	{"code with the L bit", {0x0000ffff, 0x00affa00}, 0},
	{"data with the L bit", {0x0000ffff, 0x00eff200}, 0},
	{"data that grows down", {0x0000ffff, 0x00cff600}, 0},
	{"data that cannot be written", {0x0000ffff, 0x00cff000}, 0},
	{"16-bit data", {0x0000ffff, 0x000ff200}, 0},
	{"data from the kernel on", {0x0000ffff, 0xc0cff200}, 0},
	{"data around the last byte", {0xffffffff, 0xffcff2ff}, 0},
	{"data of one byte", {0x00000000, 0x0040f200}, 0},
	{"absent data", {0x0000ffff, 0x00cf7200}, V_NP},
	{"absent code", {0x0000ffff, 0x00cf7a00}, V_NP},
	{"an absent call gate", {0x00600000, 0xc0106c00}, V_GP},
	{"an absent TSS", {0x00000067, 0x00006900}, V_GP},
	{"nothing", {0, 0}, V_GP},
};

struct descriptor segment_case(u32 number)
{
	return cases[number % ARRAY_SIZE(cases)].d;
}

static void check_cases(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		u32 expected = cases[i].vector ? STATUS_KILLED | cases[i].vector : 0;
		u32 a = spawn(SEGMENT_LOAD, i), b = proc_spawn(PROG_YIELD, 3)->pid;

		check_subject("segment that no process should have");
		check_eq(cases[i].name, expected, proc_wait(a));
		check_subject(NULL);
		proc_wait(b);
	}
}

/* The kernel saves GS when the LDT is not the process's any more; the host may have
 * let others run in between.  It prints, so that they have something to do. */
static void check_lent(void)
{
	static struct descriptor ldt[2];
	struct descriptor d = segment((u32)ldt, sizeof(ldt) - 1, 0x82);
	struct descriptor data = segment(0, 0xfffff, SEG_DATA3);
	u32 lost = 0, fs = 0, faults = 0;

	ops.write_ldt(ldt, 1, data.lo, data.hi);
	ops.write_gdt(gdt_table, GDT_LDT, d.lo, d.hi & ~0xc00000u);
	ops.set_ldt(SEL_LDT);
	load_gs(LDT_SELECTOR);
	ops.set_ldt(0);
	for (u32 i = 0; i < 10; i++) {
		printk("info: round %u\n", i);
		ops.halt();
		lost += read_gs() != LDT_SELECTOR;
		spin_ms(5);
		lost += read_gs() != LDT_SELECTOR;
		fs += read_fs0() != 0x50435055;
		for (u32 k = 0; k < 2000; k++) /* Xen may switch between a fault and its handler */
			faults += try_read(0, NULL) == V_PF;
	}
	check_eq("LDT: GS keeps its selector when the table is gone", 0, lost);
	check_eq("LDT: FS is the kernel's all the time", 0, fs);
	check_eq("LDT: every fault is told where it was", 20000, faults);
	load_gs(0);
}

void checks_seg(void)
{
	irq_enable();
	tick_start();
	check_another_ones("segment of TLS", SEL_TLS);
	check_another_ones("segment of an LDT", LDT_SELECTOR);
	check_cleared("segment of TLS", SEL_TLS);
	check_cleared("segment of an LDT", LDT_SELECTOR);
	check_two_tables();
	check_cases();
	check_lent();
	check_eq("segments: the kernel goes on", 42, proc_run(PROG_HELLO, 0));
	tick_stop();
	irq_disable();
}
