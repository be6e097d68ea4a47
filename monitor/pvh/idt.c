/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The processor's IDT in the PVH binding.  It has the guest's own gates where the
 * processor may go through them by itself, and elsewhere gates into ring 0.  From
 * virtual-8086 mode every gate must lead to ring 0, so there is a second table for it.
 */
#include "cpu_pvh.h"
#include "pvh.h"
#include "monitor/binding.h"
#include "monitor/cpu/gate.h"

extern const u32 trap_table, quick_table[VEC_COUNT], exception_code_offset[2];

/* Vectors that stay the monitor's after Init: those that the emulator and our own irets
 * need, and #DB, because the guest may watch addresses that the monitor reads.  (What
 * redirect.c executes runs in ring 0 and so never goes through the guest's gates.) */
#define KEPT                                                                                       \
	(1u << EXC_DB | 1u << EXC_NMI | 1u << EXC_DF | 1u << EXC_NP | 1u << EXC_SS | 1u << EXC_GP)

#define INTERRUPT_GATE 0x8Eu
#define TRAP_GATE 0x8Fu
#define DPL(n) ((u32)(n) << 5)

/* type: INTERRUPT_GATE or TRAP_GATE, with a DPL. */
static void write_gate(u32 idt, u32 vector, u16 cs, u32 offset, u32 type)
{
	volatile u32 *gate = (volatile u32 *)idt + vector * 2;

	gate[1] = 0;
	gate[0] = (offset & 0xFFFF) | (u32)cs << 16;
	gate[1] = (offset & 0xFFFF0000) | type << 8;
}

/* Writes the processor's gate for a vector at which the guest's IDT has *g. */
static void make_gate(struct vcpu *v, u32 vector, const struct gate *g)
{
	bool usable = v->paravirtual && g->usable, interrupt = g->type == GATE_INTERRUPT;

	if (vector >= VEC_FIRST && vector < VEC_FIRST + VEC_COUNT) {
		write_gate(WIN_IDT, vector, OWN_CS0, WIN_TEXT + quick_table[vector - VEC_FIRST],
			   INTERRUPT_GATE | DPL(vector == VEC_EVENT ? 0 : 1));
	} else if (!usable || (vector < 32 && (KEPT >> vector & 1)) ||
		   (vector >= 32 && interrupt)) {
		write_gate(WIN_IDT, vector, OWN_CS0, WIN_TEXT + trap_table + vector * 16,
			   INTERRUPT_GATE | DPL(usable && vector >= 32 ? g->dpl : 0));
	} else if (vector < 32) {
		v->handler[vector] = g->eip;
		write_gate(WIN_IDT, vector, g->cs,
			   WIN_TEXT + exception_code_offset[0] + (vector * 2 + interrupt) * 64,
			   TRAP_GATE | DPL(g->dpl));
	} else {
		write_gate(WIN_IDT, vector, g->cs, g->eip, TRAP_GATE | DPL(g->dpl));
	}
}

void idt_entry(struct vcpu *v, u32 vector, u64 raw)
{
	struct gate g = gate_decode(v, raw);

	if (vector < 256)
		make_gate(v, vector, &g);
}

void idt_load(struct vcpu *v, u16 limit, u32 base)
{
	v->idtr = (struct table_reg){limit, base};
	for (u32 i = 0; i < 256; i++) {
		struct gate g = idt_gate(v, i);

		make_gate(v, i, &g);
	}
}

#define IDT_LIMIT 2047

void idt_start(void)
{
	for (u32 i = 0; i < 256; i++)
		write_gate(WIN_IDT_V86, i, OWN_CS0, WIN_TEXT + trap_table + i * 16,
			   INTERRUPT_GATE | DPL(i == EXC_BP || i == EXC_BP + 1 ? 3 : 0));
	write_gate(WIN_IDT_V86, VEC_EVENT, OWN_CS0, WIN_TEXT + quick_table[0], INTERRUPT_GATE);
	cpu_lidt(WIN_IDT, IDT_LIMIT);
}

void idt_use_v86(struct vcpu *v, bool v86)
{
	if (v->v86_idt == v86)
		return;
	v->v86_idt = v86;
	cpu_lidt(v86 ? WIN_IDT_V86 : WIN_IDT, IDT_LIMIT);
}
