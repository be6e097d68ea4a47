/* SPDX-License-Identifier: GPL-2.0-only */
/* See iret.h. */
#include "iret.h"
#include "access.h"
#include "inject.h"
#include "monitor/binding.h"
#include "monitor/life.h"

#define CALL_NEAR 0xE8

/* The address at which the guest called IRET.  get_reloc asks for a near call, which is 5
 * bytes long; of any other call only the address behind it is known, and that is taken. */
static gva_t iret_call(struct vcpu *v)
{
	struct access_fault f;
	gva_t call = v->iret_site - 5;
	u8 opcode;

	return guest_read(v, call, &opcode, 1, &f) || opcode != CALL_NEAR ? v->iret_site : call;
}

void iret_report(struct vcpu *v)
{
	struct regs *r = &v->r;

	if (!v->iret_site)
		guest_die("return to a context that cannot be entered");
	r->eip = iret_call(v);
	r->cs = (r->cs & 0xFFFC) | v->kernel_rpl;
	r->eflags &= ~EFLAGS_IF;
	inject_exception(v, r->vector & VECTOR_NUMBER, true, r->error);
}
