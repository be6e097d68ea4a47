/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptor tables.  Before Init the IDT is filled natively, as Linux does;
 * after it everything is written again through the operations, in the order
 * of Linux's cpu_init and trap_init.
 */
#include "ops.h"
#include "trap.h"

extern void *const trap_entries[256];
extern void df_entry(void);
extern char boot_stack_top[];

struct tss tss;
u32 kernel_rpl;
static struct tss df_tss;
static u8 df_stack[2048];

struct descriptor segment(u32 base, u32 limit_pages, u32 access)
{
	/* 32-bit, limit in pages */
	return (struct descriptor){
		.lo = (base & 0xffff) << 16 | (limit_pages & 0xffff),
		.hi = (base & 0xff000000) | 0xc00000 | (limit_pages & 0xf0000) | access << 8 |
		      (base >> 16 & 0xff),
	};
}

/* TSS or LDT: limit in bytes. */
static struct descriptor system_desc(const void *base, u32 limit, u32 access)
{
	struct descriptor d = segment((u32)base, limit, access);

	d.hi &= ~0xc00000u;
	return d;
}

struct descriptor gate(void *handler, u32 type)
{
	return (struct descriptor){
		.lo = SEL_KERNEL_CS << 16 | ((u32)handler & 0xffff),
		.hi = ((u32)handler & 0xffff0000) | type,
	};
}

/* As Linux: interrupt gates; user mode may use 3, 4 and the system call,
 * which is a trap gate. */
u32 idt_gate_type(u32 v)
{
	if (v == V_SYSCALL)
		return GATE_TRAP | GATE_DPL3;
	if (v == V_BP || v == V_OF || v == V_OPEN)
		return GATE_INTR | GATE_DPL3;
	return GATE_INTR;
}

void idt_fill_native(void)
{
	for (u32 v = 0; v < 256; v++)
		idt_table[v] = gate(trap_entries[v], idt_gate_type(v));
}

static void write_gdt(u32 index, struct descriptor d)
{
	ops.write_gdt(gdt_table, index, d.lo, d.hi);
}

static void df_init(void)
{
	static const struct descriptor task_gate = {SEL_DF_TSS << 16, 0x8500};

	df_tss = (struct tss){
		.eip = (u32)df_entry,
		.cs = SEL_KERNEL_CS,
		.ss = SEL_KERNEL_DS,
		.ds = SEL_USER_DS,
		.es = SEL_USER_DS,
		.fs = SEL_PERCPU,
		.eflags = 2,
		.esp = (u32)(df_stack + sizeof(df_stack)),
		.cr3 = ops.get_cr3(),
		.ss0 = SEL_KERNEL_DS,
		.esp0 = (u32)(df_stack + sizeof(df_stack)),
		.io_base = sizeof(struct tss),
	};
	write_gdt(GDT_DF_TSS, system_desc(&df_tss, sizeof(df_tss) - 1, 0x89));
	ops.write_idt(idt_table, V_DF, task_gate.lo, task_gate.hi);
}

void desc_init(void)
{
	struct desc_ptr gdt = {255, (u32)gdt_table}, idt = {2047, (u32)idt_table};

	for (u32 v = 0; v < 256; v++) {
		struct descriptor d = gate(trap_entries[v], idt_gate_type(v));

		ops.write_idt(idt_table, v, d.lo, d.hi);
	}
	ops.set_idt(&idt);
	ops.set_gdt(&gdt);
	asm volatile("mov %0, %%fs" ::"r"(SEL_PERCPU));
	tss.io_base = sizeof(tss);
	ops.kernel_stack(SEL_KERNEL_DS, (u32)boot_stack_top);
	write_gdt(GDT_TSS, system_desc(&tss, sizeof(tss) - 1, 0x89));
	ops.set_tr(SEL_TSS);
	write_gdt(GDT_LDT, (struct descriptor){0, 0});
	ops.set_ldt(0);
	df_init();
	for (u32 i = 0; i < 4; i++)
		ops.set_dr(i, 0);
	ops.set_dr(6, 0);
	ops.set_dr(7, 0);
}
