/* SPDX-License-Identifier: GPL-2.0-only */
/* Control and debug registers, halting, and the ends that the guest asks for. */
#include "monitor.h"
#include "hypercall.h"

void control_set_cr0(struct vcpu *v, u32 value)
{
	u32 changed = v->cr0 ^ value;

	v->cr0 = value | CR0_PE;
	if (changed & CR0_PG)
		shadow_load(v);
	else if (changed & value & CR0_WP) /* what the kernel wrote to may be read-only */
		shadow_mode_changed(v);
	if (changed & CR0_TS)
		xen_fpu_taskswitch(value & CR0_TS);
}

bool control_set_cr3(struct vcpu *v, u32 value)
{
	u32 old = v->cr3;

	v->cr3 = value;
	if (shadow_load(v))
		return true;
	v->cr3 = old;
	return false;
}

void control_set_cr4(struct vcpu *v, u32 value)
{
	u32 changed = v->cr4 ^ value;

	v->cr4 = value;
	if (changed & (CR4_PAE | CR4_PSE))
		shadow_mode_changed(v);
}

void control_set_dr(struct vcpu *v, u32 reg, u32 value)
{
	reg &= 7;
	if (reg == 4 || reg == 5)
		reg += 2;
	v->dr[reg] = value;
	xen_set_debugreg(reg, value);
}

u32 control_get_dr(struct vcpu *v, u32 reg)
{
	reg &= 7;
	if (reg == 4 || reg == 5)
		reg += 2;
	return reg < 4 ? v->dr[reg] : xen_get_debugreg(reg);
}

void control_halt(struct vcpu *v)
{
	v->vif_known = 1;
	events_wait();
}

noreturn void control_shutdown(u32 reason)
{
	if (MON->start.counters)
		counters_report();
	console_flush(&MON->console);
	xen_shutdown(reason);
}
