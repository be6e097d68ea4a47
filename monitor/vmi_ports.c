/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMI calls on ports: the instructions' own registers, behind the stubs of
 * entry/vmi.asm that keep all others.  API 3.0 only has numbers for them.
 */
#include "monitor.h"
#include "vmi.h"

/* What the stub has pushed on the caller's stack: PUSHFD, PUSHAD. */
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

/* As with a REP prefix. */
void regparm3 port_string(struct port_call *c, u32 size, u32 in)
{
	u32 *at = in ? &c->edi : &c->esi, step = c->eflags & EFLAGS_DF ? 0u - size : size;
	u16 port = (u16)c->edx;

	for (; c->ecx; c->ecx--, *at += step) {
		u32 value = 0;

		if (!in)
			read_argument(*at, &value, size);
		if (in)
			value = port_in(VCPU, port, size);
		else
			port_out(VCPU, port, size, value);
		if (in)
			write_argument(*at, &value, size);
	}
}
