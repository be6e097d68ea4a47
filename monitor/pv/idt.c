/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's IDT, and the trap table that Xen has instead of it.
 *
 * Kept true: Xen goes to a handler of the guest's only through a gate that is usable, and
 * so does the monitor (inject.c); gate_decode() decides for both.  What Xen's table does
 * not have comes to the monitor: exceptions by the monitor's own handlers, and INT n as
 * the #GP of Xen's IDT.  So a gate that Xen cannot have, or that has become usable only
 * after it was written, works all the same.
 */
#include "monitor/binding.h"
#include "monitor/cpu/gate.h"
#include "monitor/life.h"
#include "xenbind/hypercall.h"

extern const u32 trap_table[32], nm_offset;

/* Vectors that stay the monitor's after Init: those that the shadow, the emulator and our
 * own irets need; #DB, because the guest may watch addresses that the monitor reads; and
 * those that an instruction can raise which redirect.c executes. */
#define KEPT                                                                                       \
	(1u << EXC_DB | 1u << EXC_NMI | 1u << EXC_DF | 1u << EXC_NP | 1u << EXC_SS |               \
	 1u << EXC_GP | 1u << EXC_PF | 1u << EXC_DE | 1u << EXC_UD | 1u << EXC_MF | 1u << EXC_XM)

#define TRAP_MASKS 4 /* trap_info.flags: upcalls are masked; below it the gate's DPL */

/* Fills *t with Xen's trap-table entry for a vector, which leads to the guest's handler or to
 * the monitor's.  false if there is none for it. */
static bool make_trap(struct vcpu *v, u32 vector, const struct gate *g, struct trap_info *t)
{
	bool ours = vector < 32 && (!v->paravirtual || KEPT >> vector & 1);

	if (vector == EXC_PF) { /* entry/pv/traps.asm goes there itself */
		v->page_fault.cs = g->cs;
		v->page_fault.eip =
			v->paravirtual && g->usable && g->type == GATE_INTERRUPT ? g->eip : 0;
	}
	t->vector = (u8)vector;
	if (v->paravirtual && !ours && g->usable && g->eip) { /* address 0 ends Xen's list */
		t->flags = (u8)(g->dpl | (g->type == GATE_INTERRUPT ? TRAP_MASKS : 0));
		t->cs = g->cs;
		t->address = g->eip;
		if (vector == EXC_NM) {
			v->nm_handler = g->eip;
			t->address = WIN_TEXT + nm_offset;
		}
		return true;
	}
	if (vector >= 32)
		return false;
	t->flags = TRAP_MASKS;
	t->cs = FLAT_RING1_CS;
	t->address = WIN_TEXT + trap_table[vector];
	return true;
}

void idt_load(struct vcpu *v, u16 limit, u32 base)
{
	struct trap_info t[257];
	u32 n = 0;

	v->idtr = (struct table_reg){limit, base};
	for (u32 i = 0; i < 256; i++) {
		struct gate g = idt_gate(v, i);

		if (make_trap(v, i, &g, &t[n]))
			n++;
	}
	t[n] = (struct trap_info){0};
	xen_must(xen_set_trap_table(NULL), NEED_TRAPS);
	xen_must(xen_set_trap_table(t), NEED_TRAPS);
}

void idt_entry(struct vcpu *v, u32 vector, u64 raw)
{
	struct trap_info t[2] = {{0}};
	struct gate g = gate_decode(v, raw);

	if (vector >= 256)
		return;
	if (make_trap(v, vector, &g, &t[0]))
		xen_must(xen_set_trap_table(t), NEED_TRAPS);
	else /* no hypercall takes one trap away */
		idt_load(v, v->idtr.limit, v->idtr.base);
}
