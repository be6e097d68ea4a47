/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interrupt flag before Init.
 *
 * At CPL 3 pushf always shows IF set and popf leaves it alone, both silently,
 * so a kernel that saves and restores its flags believes interrupts to be on
 * from the start.  A VMI kernel has the two operations once, as functions
 * next to the one that is only "cli; ret".  When that cli traps, its
 * neighbourhood is searched for "pushf; pop eax" and "push eax; popf", and
 * hardware breakpoints are set on them: no byte of the guest is changed.  A
 * kernel that is built otherwise loses nothing but a line in its log.
 */
#include "monitor.h"
#include "hypercall.h"

#define NEIGHBOURHOOD 256u
#define DR7_EXECUTE_0_1 0x5u /* DR0 and DR1, local, on execution */

static gva_t find(const u8 *code, u32 bytes, gva_t base, u8 first, u8 second)
{
	for (u32 i = 0; i + 1 < bytes; i++)
		if (code[i] == first && code[i + 1] == second)
			return base + i;
	return 0;
}

/* A cli at va has trapped. */
void flags_cli(struct vcpu *v, gva_t va)
{
	u8 code[2 * NEIGHBOURHOOD];
	gva_t base = va - NEIGHBOURHOOD;
	struct access_fault f;

	v->vif = false;
	if (v->flags_save || guest_read(v, va, code, 2, &f) || code[1] != 0xC3)
		return;
	if (guest_read(v, base, code, sizeof(code), &f))
		return;
	v->flags_save = find(code, sizeof(code), base, 0x9C, 0x58);
	v->flags_restore = find(code, sizeof(code), base, 0x50, 0x9D);
	if (!v->flags_save || !v->flags_restore)
		return;
	xen_set_debugreg(0, v->flags_save);
	xen_set_debugreg(1, v->flags_restore);
	xen_set_debugreg(7, DR7_EXECUTE_0_1);
}

/* Carries out what a breakpoint stopped; false if it was none of ours. */
bool flags_breakpoint(struct vcpu *v)
{
	const u32 status = 0xCD5; /* CF PF AF ZF SF DF OF */
	struct regs *r = &v->r;

	if (v->paravirtual || !v->flags_save)
		return false;
	if (r->eip == v->flags_save) {
		r->gpr[GPR_EAX] = (r->eflags & ~EFLAGS_IF) | (v->vif ? EFLAGS_IF : 0);
	} else if (r->eip == v->flags_restore) {
		v->vif = r->gpr[GPR_EAX] & EFLAGS_IF;
		r->eflags = (r->eflags & ~status) | (r->gpr[GPR_EAX] & status);
	} else {
		return false;
	}
	r->eip += 2;
	return true;
}

/* Init: the debug registers are the guest's. */
void flags_end(struct vcpu *v)
{
	if (v->flags_save) {
		xen_set_debugreg(7, 0);
		control_debug_forget();
	}
	v->flags_save = 0;
}
