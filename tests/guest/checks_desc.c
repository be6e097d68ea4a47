/* SPDX-License-Identifier: GPL-2.0-only */
/* GDT, LDT, IDT and TSS through the operations, with selectors loaded. */
#include "checks.h"
#include "trap.h"

static u32 word_a = 0xaaaa0001, word_b = 0xbbbb0002;

static void set_tls(const u32 *word)
{
	struct descriptor d = segment((u32)word, 0xfffff, SEG_DATA3);

	ops.write_gdt(gdt_table, GDT_TLS, d.lo, d.hi);
}

static void check_tables(void)
{
	struct desc_ptr gdt = {0}, idt = {0};

	ops.get_gdt(&gdt);
	ops.get_idt(&idt);
	check_eq("GetGDT: base", (u32)gdt_table, gdt.base);
	check_eq("GetGDT: limit", 255, gdt.limit);
	check_eq("GetIDT: base", (u32)idt_table, idt.base);
	check_eq("GetIDT: limit", 2047, idt.limit);
	check_eq("GetTR", SEL_TSS, ops.get_tr() & ~3u);
	check_eq("GetLDT: none", 0, ops.get_ldt());
}

static void check_tls(void)
{
	struct descriptor d = segment((u32)&word_b, 0xfffff, SEG_DATA3);

	set_tls(&word_a);
	load_gs(SEL_TLS);
	check_eq("WriteGDTEntry: a data segment's base", word_a, read_gs0());
	set_tls(&word_b);
	load_gs(SEL_TLS);
	check_eq("WriteGDTEntry: changed while it is loaded", word_b, read_gs0());
	check_eq("WriteGDTEntry: low word in the guest's table", d.lo, gdt_table[GDT_TLS].lo);
	check_eq("WriteGDTEntry: high word in the guest's table, but for A", d.hi & ~0x100u,
		 gdt_table[GDT_TLS].hi & ~0x100u);
	load_gs(0);
	ops.write_gdt(gdt_table, GDT_TLS, 0, 0);
}

/* The per-CPU segment moves as Linux's switch_to_new_gdt moves it. */
static void check_percpu(void)
{
	struct descriptor old = gdt_table[GDT_PERCPU];
	struct descriptor d = segment((u32)&word_a, 0xfffff, 0x92);
	struct desc_ptr gdt = {255, (u32)gdt_table};

	ops.write_gdt(gdt_table, GDT_PERCPU, d.lo, d.hi);
	ops.set_gdt(&gdt);
	asm volatile("mov %0, %%fs" ::"r"(SEL_PERCPU));
	check_eq("SetGDT: FS gets a new base", word_a, read_fs0());
	ops.write_gdt(gdt_table, GDT_PERCPU, old.lo, old.hi);
	ops.set_gdt(&gdt);
	asm volatile("mov %0, %%fs" ::"r"(SEL_PERCPU));
	check_eq("SetGDT: FS gets its old base", 0x50435055, read_fs0());
}

static bool loadable(u32 selector)
{
	u32 rights;
	bool ok;

	asm volatile("lar %2, %0" : "=r"(rights), "=@ccz"(ok) : "r"(selector));
	return ok;
}

#define SPARE (GDT_SPARE * 8)

/* A processor keeps a descriptor in the register, whatever becomes of the table. */
static void check_kept(void)
{
	struct descriptor d = segment(0, 0xfffff, 0x92);
	u32 es, fs;

	ops.write_gdt(gdt_table, GDT_SPARE, d.lo, d.hi);
	asm volatile("mov %0, %%es" ::"r"(SPARE));
	ops.write_gdt(gdt_table, GDT_SPARE, 0, 0);
	inb(0x80); /* a hypervisor loads registers anew when it has emulated that */
	asm volatile("mov %%es, %0; mov %1, %%es" : "=&r"(es) : "r"(SEL_USER_DS));
	check_eq("segment in ES goes on when its descriptor is taken away", SPARE, es & 0xffff);
	ops.write_gdt(gdt_table, GDT_SPARE, d.lo, d.hi);
	asm volatile("mov %0, %%fs" ::"r"(SPARE));
	ops.write_gdt(gdt_table, GDT_SPARE, 0, 0);
	inb(0x80);
	asm volatile("mov %%fs, %0; mov %1, %%fs" : "=&r"(fs) : "r"(SEL_PERCPU));
	check_eq("segment in FS goes on when its descriptor is taken away", SPARE, fs & 0xffff);
	ops.write_gdt(gdt_table, GDT_TLS, d.lo, d.hi);
	check("segment that is not loaded any more is gone", !loadable(SPARE));
	ops.write_gdt(gdt_table, GDT_TLS, 0, 0);
}

/* Entry 0x20000005 is entry 5: addresses have 32 bits. */
static void check_index(void)
{
	struct descriptor d = segment((u32)&word_a, 0xfffff, SEG_DATA3);

	ops.write_gdt(gdt_table, 0x20000000 + GDT_SPARE, d.lo, d.hi);
	load_gs(GDT_SPARE * 8 + 3);
	check_eq("WriteGDTEntry: an index that wraps", word_a, read_gs0());
	load_gs(0);
	ops.write_gdt(gdt_table, GDT_SPARE, 0, 0);
}

static void check_ldt(void)
{
	static struct descriptor ldt[8] __attribute__((aligned(4096)));
	struct descriptor a = segment((u32)&word_a, 0xfffff, SEG_DATA3);
	struct descriptor b = segment((u32)&word_b, 0xfffff, SEG_DATA3);
	struct descriptor d = segment((u32)ldt, sizeof(ldt) - 1, 0x82);

	d.hi &= ~0xc00000u;
	ops.write_ldt(ldt, 1, a.lo, a.hi);
	ops.write_gdt(gdt_table, GDT_LDT, d.lo, d.hi);
	ops.set_ldt(SEL_LDT);
	check_eq("SetLDT, GetLDT", SEL_LDT, ops.get_ldt() & ~3u);
	load_gs(0x0f);
	check_eq("WriteLDTEntry: before SetLDT", word_a, read_gs0());
	load_gs(0);
	ops.write_ldt(ldt, 1, b.lo, b.hi);
	ops.write_ldt(ldt, 7, a.lo, a.hi);
	load_gs(0x0f);
	check_eq("WriteLDTEntry: into the live LDT", word_b, read_gs0());
	load_gs(0x3f);
	check_eq("WriteLDTEntry: last entry", word_a, read_gs0());
	check_eq("WriteLDTEntry: in the guest's table", b.lo, ldt[1].lo);
	load_gs(0);
	ops.write_gdt(gdt_table, GDT_LDT, 0, 0);
	ops.set_ldt(0);
	check_eq("SetLDT 0", 0, ops.get_ldt());
}

static void divide_by_zero(void)
{
	asm volatile(TRY("1: divl %0")::"r"(0), "a"(1), "d"(0));
}

static void write_gate(u32 vector, u32 type)
{
	u32 handler = (idt_table[vector].lo & 0xffff) | (idt_table[vector].hi & 0xffff0000);
	struct descriptor d = gate((void *)handler, type);

	ops.write_idt(idt_table, vector, d.lo, d.hi);
}

static void check_gate_types(void)
{
	irq_enable();
	write_gate(V_DE, GATE_TRAP);
	divide_by_zero();
	check_eq("WriteIDTEntry: a trap gate leaves interrupts on", EFLAGS_IF, seen.irqs_on);
	check_eq("trap gate: EFLAGS.IF in the frame", EFLAGS_IF, seen.eflags & EFLAGS_IF);
	check_eq("trap gate: interrupts are on after the return", EFLAGS_IF, irq_flags());
	write_gate(V_DE, GATE_INTR);
	divide_by_zero();
	check_eq("WriteIDTEntry: an interrupt gate turns them off", 0, seen.irqs_on);
	check_eq("interrupt gate: EFLAGS.IF in the frame", EFLAGS_IF, seen.eflags & EFLAGS_IF);
	check_eq("interrupt gate: interrupts are on after the return", EFLAGS_IF, irq_flags());
	irq_disable();
	write_gate(V_DE, GATE_TRAP);
	divide_by_zero();
	check_eq("trap gate with interrupts off: IF in the frame", 0, seen.eflags & EFLAGS_IF);
	check_eq("trap gate with interrupts off: in the handler", 0, seen.irqs_on);
	check_eq("trap gate with interrupts off: after the return", 0, irq_flags());
	write_gate(V_DE, GATE_INTR);
	check_eq("WriteIDTEntry: in the guest's table", GATE_INTR, idt_table[V_DE].hi & 0xffff);
}

/* INT n through gates that lead nowhere: the fault is at the INT. */
static void check_bad_gates(void)
{
	static const struct {
		const char *name;
		u32 selector, type, vector, error;
	} bad[] = {
		{"INT n, a gate that is not present", SEL_KERNEL_CS, 0x0e00, V_NP, V_OPEN * 8 + 2},
		{"INT n, no gate", SEL_KERNEL_CS, 0x8000, V_GP, V_OPEN * 8 + 2},
		{"INT n, a gate to no descriptor", GDT_SPARE * 8, 0x8e00, V_GP, GDT_SPARE * 8},
		{"INT n, a gate to data", SEL_KERNEL_DS, 0x8e00, V_GP, SEL_KERNEL_DS},
		{"INT n, a gate to a null selector", 0, 0x8e00, V_GP, 0},
	};
	struct descriptor usual = idt_table[V_OPEN];
	u32 site;

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		u32 count = seen.count;

		ops.write_idt(idt_table, V_OPEN, bad[i].selector << 16 | (usual.lo & 0xffff),
			      (usual.hi & 0xffff0000) | bad[i].type);
		asm volatile("movl $1f, %0\n\t" TRY("1: int $0x50") : "=m"(site));
		check_subject(bad[i].name);
		check_eq("one fault", 1, seen.count - count);
		check_eq("vector", bad[i].vector, seen.vector);
		check_eq("error code", bad[i].error, seen.error);
		check_eq("EIP", site, seen.eip);
		check_subject(NULL);
	}
	ops.write_idt(idt_table, V_OPEN, usual.lo, usual.hi);
}

void checks_desc(void)
{
	check_tables();
	check_tls();
	check_percpu();
	check_kept();
	check_index();
	check_ldt();
	check_gate_types();
	check_bad_gates();
}
