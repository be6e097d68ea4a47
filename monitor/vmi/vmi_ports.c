/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMI calls on ports.  They have the registers of the instructions, and the stubs in
 * vmi.asm keep all others.  Their numbers are in API 3.0, their contract is nowhere.
 */
#include "monitor/cpu/segment.h"
#include "monitor/emul/emul.h"
#include "monitor/io/events.h"
#include "monitor/life.h"
#include "xenbind/hypercall.h"

/* The caller's registers, as the stub has pushed them on the monitor's stack. */
struct port_call {
	u32 edi, esi, ebp, esp, ebx, edx, ecx, eax;
	u32 eflags;
};

void regparm3 port_register(struct port_call *c, u32 size, u32 in)
{
	u16 port = (u16)c->edx;
	u32 mask = size == 4 ? ~0u : (1u << size * 8) - 1;

	if (in)
		c->eax = (c->eax & ~mask) | (port_in(VCPU, port, size) & mask);
	else
		port_out(VCPU, port, size, c->eax & mask);
}

/* INS or OUTS with a REP prefix, in the kernel's segments.  It may stop before the end:
 * ECX says how many elements are left, and the stub calls again. */
void regparm3 port_string(struct port_call *c, u32 size, u32 in)
{
	const struct insn insn = {
		.op = in ? INSN_INS : INSN_OUTS, .size = (u8)size, .rep = true, .seg = SEG_DS};
	struct access_fault f;
	struct regs *r = &VCPU->r;

	r->gpr[GPR_ECX] = c->ecx;
	r->gpr[GPR_EDX] = c->edx;
	r->gpr[GPR_ESI] = c->esi;
	r->gpr[GPR_EDI] = c->edi;
	r->eflags = c->eflags & ~EFLAGS_TF;
	r->cs = FLAT_RING1_CS;
	r->ds = cpu_selector(SEG_DS);
	r->es = cpu_selector(SEG_ES);
	if (string_run(VCPU, &insn, &f) == EMUL_FAULT)
		guest_die("VMI call with a pointer to unmapped memory, %08x", f.va);
	c->ecx = r->gpr[GPR_ECX];
	c->esi = r->gpr[GPR_ESI];
	c->edi = r->gpr[GPR_EDI];
}
