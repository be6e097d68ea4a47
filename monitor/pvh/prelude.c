/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Before Init the guest's kernel runs in ring 1 and must not find that out.  One thing
 * would show it without a trap: RPL 1 in CS.  Linux 2.6.21 asks for it first of all, by
 * "mov eax, cs; test eax, 3; jnz"; in another ring than 0 it wants an interface that VMI
 * is not.  Hardware breakpoints stand at the addresses where a kernel begins once it is
 * unpacked.  If it begins with these instructions, they are skipped with the answer of a
 * bare machine.  The interrupt flag needs no such care: it is clear until Init, and the
 * kernel sees it clear.
 */
#include "cpu_pvh.h"
#include "monitor/binding.h"
#include "monitor/cpu/access.h"
#include "lib/mem.h"

#define DR7_EXECUTE_2_3 0x50u

/* Where kernels begin: Linux's default CONFIG_PHYSICAL_START, and that of some
 * distributions. */
static const u32 beginnings[] = {0x100000, 0x400000};

void prelude_start(void)
{
	control_set_dr(VCPU, 2, beginnings[0]);
	control_set_dr(VCPU, 3, beginnings[1]);
	control_set_dr(VCPU, 7, DR7_EXECUTE_2_3);
}

bool prelude_breakpoint(struct vcpu *v)
{
	static const u8 asks[] = {0x8C, 0xC8, 0xA9, 3, 0, 0, 0, 0x0F, 0x85};
	u8 code[sizeof(asks)];
	struct regs *r = &v->r;
	struct access_fault f;

	if (v->paravirtual || (r->eip != beginnings[0] && r->eip != beginnings[1]))
		return false;
	if (!guest_read(v, r->eip, code, sizeof(code), &f) &&
	    memcmp(code, asks, sizeof(asks)) == 0) {
		r->gpr[GPR_EAX] = r->cs & ~3u;
		r->eip += sizeof(asks) + 4;
	} else {
		r->eflags |= EFLAGS_RF;
	}
	return true;
}

void prelude_cli(struct vcpu *v, gva_t va)
{
	(void)va;
	v->vif = 0;
}

void prelude_lgdt(struct vcpu *v)
{
	(void)v;
}

void prelude_lidt(struct vcpu *v)
{
	(void)v;
}

void prelude_end(struct vcpu *v)
{
	for (u32 reg = 0; reg < 4; reg++)
		control_set_dr(v, reg, 0);
	control_set_dr(v, 7, 0);
	control_debug_forget();
}
