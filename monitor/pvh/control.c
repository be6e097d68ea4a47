/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control and debug registers, and halting, in the PVH binding.  A write of CR0 leaves the
 * domain, which takes long.  So when the guest sets TS, the processor's TS is set only
 * on the way to user mode (vcpu.ts_due, vcpu.ts_real).
 */
#include "cpu_pvh.h"
#include "monitor/binding.h"
#include "monitor/io/events.h"

#define DR7_GD 0x2000u
/* With either bit the FPU raises #NM. */
#define CR0_FPU_OFF (CR0_EM | CR0_TS)

#define CR0_REAL 0x0005003Eu /* the guest's bits that the processor gets: MP EM TS ET NE WP AM */

void control_set_cr0(struct vcpu *v, u32 value)
{
	u32 changed = v->cr0 ^ value;

	v->cr0 = value | CR0_PE;
	if (!((changed & ~CR0_TS) & (CR0_REAL | CR0_PG))) {
		v->ts_due = (value & CR0_TS) && !v->ts_real;
		if (value & CR0_TS || !v->ts_real)
			return;
	}
	v->ts_due = 0;
	v->ts_real = value & CR0_TS;
	leave_set_cr0((value & CR0_REAL) | CR0_PE | CR0_PG);
	if (changed & CR0_PG)
		space_mode_changed(v);
}

/* Nobody clears the guest's TS but itself, so there is nothing to restore. */
void control_restore_ts(struct vcpu *v)
{
	(void)v;
}

#define MSR_EFER 0xC0000080u

void control_set_nx(struct vcpu *v, u64 nxe)
{
	v->efer = nxe;
	leave_wrmsr((u32)nxe, 0, MSR_EFER);
}

u32 control_get_cr2(struct vcpu *v)
{
	(void)v;
	return cpu_cr2();
}

void control_set_cr2(struct vcpu *v, u32 value)
{
	v->cr2 = value;
	cpu_set_cr2(value);
}

bool control_fpu_is_off(const struct vcpu *v)
{
	return (v->cr0 & CR0_FPU_OFF) && !v->ts_cleared;
}

bool control_set_cr3(struct vcpu *v, u32 value)
{
	u32 old = v->cr3;

	v->cr3 = value;
	if (space_load(v)) {
		if (v->paravirtual)
			space_find_linear(v);
		return true;
	}
	v->cr3 = old;
	return false;
}

void control_set_cr4(struct vcpu *v, u32 value)
{
	v->cr4 = value;
	space_mode_changed(v);
}

/* The VMI call SetCR2, which entry/pvh/vmi_fast.asm sends to ring 0. */
void regparm3 vmi_SetCR2_c(u32 value);
void regparm3 vmi_SetCR2_c(u32 value)
{
	control_set_cr2(VCPU, value);
}

void control_set_dr(struct vcpu *v, u32 reg, u32 value)
{
	reg &= 7;
	if (reg == 4 || reg == 5)
		reg += 2;
	v->dr[reg] = value;
	if (reg != 6)
		cpu_set_dr(reg, reg == 7 ? value & ~DR7_GD : value);
}

u32 control_get_dr(struct vcpu *v, u32 reg)
{
	reg &= 7;
	if (reg == 4 || reg == 5)
		reg += 2;
	if (reg == 6)
		return v->dr[6] | DR6_ONES;
	return reg < 4 ? v->dr[reg] : cpu_dr7();
}

/* A #DB without a cause is taken for a step, for Xen keeps the debug registers lazily: see
 * xen_debug_status() in xenbind/hypercall.h. */
u32 control_debug_status(void)
{
	u32 dr6 = cpu_dr6();

	return dr6 & DR6_CAUSES ? dr6 : dr6 | DR6_BS;
}

void control_debug_trap(struct vcpu *v)
{
	v->dr[6] = (v->dr[6] & ~0xFu) | control_debug_status();
	control_debug_forget();
}

void control_debug_forget(void)
{
	cpu_set_dr(6, DR6_ONES);
}

void control_single_step(struct vcpu *v)
{
	v->dr[6] = (v->dr[6] & ~0xFu) | DR6_BS;
}

void control_halt(struct vcpu *v)
{
	v->if_believed = EFLAGS_IF;
	events_wait();
}
