/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control and debug registers, and halting, in the PV binding.  Xen owns the processor's
 * registers; struct vcpu has what the guest believes to be in them.
 */
#include "pv.h"
#include "monitor/emul/decode.h"
#include "monitor/io/events.h"
#include "monitor/life.h"
#include "monitor/pv/mmu/shadow.h"
#include "xenbind/hypercall.h"

/* With either bit the FPU raises #NM.  Xen lets a guest have only TS, which stands for both. */
#define CR0_FPU_OFF (CR0_EM | CR0_TS)

bool control_fpu_is_off(const struct vcpu *v)
{
	return (v->cr0 & CR0_FPU_OFF) && !v->ts_cleared;
}

void control_set_cr0(struct vcpu *v, u32 value)
{
	u32 changed = v->cr0 ^ value;
	bool was_off = control_fpu_is_off(v), off = value & CR0_FPU_OFF;

	v->cr0 = value | CR0_PE;
	if (changed & CR0_PG)
		shadow_load(v);
	else if (changed & value &
		 CR0_WP) /* pages that the kernel could write to may be read-only */
		shadow_mode_changed(v);
	if (was_off != off)
		xen_must(xen_fpu_taskswitch(off), NEED_FPU);
	v->ts_cleared = 0;
}

/* Xen clears TS when it delivers an #NM; hardware leaves it set until the handler clears it.
 * If the handler lets another process run before that, TS must be set there, or that
 * process would use the registers of the first. */
void control_restore_ts(struct vcpu *v)
{
	xen_must(xen_fpu_taskswitch(true), NEED_FPU);
	v->ts_cleared = 0;
}

u32 control_get_cr2(struct vcpu *v)
{
	return v->cr2;
}

void control_set_cr2(struct vcpu *v, u32 value)
{
	v->cr2 = value;
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

/* The bits of CR4 that Xen lets a guest choose: whether user mode may use RDTSC, breakpoints
 * on ports, and OSXSAVE, with which Xen carries out XSETBV.  All others concern the monitor
 * alone.  With TSD the RDTSCs of ring 1, the guest's and ours, trap to Xen, which answers
 * them: that takes longer and gives the same. */
#define CR4_XENS (CR4_TSD | CR4_DE | CR4_OSXSAVE)
void control_set_nx(struct vcpu *v, u64 nxe)
{
	if (v->paravirtual) /* EFER is Xen's now, and NXE stays on */
		return;
	v->efer = nxe;
	shadow_mode_changed(v);
}

bool cpu_unprivileged(struct vcpu *v, const struct insn *i)
{
	(void)v;
	(void)i;
	return false;
}

void control_set_cr4(struct vcpu *v, u32 value)
{
	u32 changed = v->cr4 ^ value;

	v->cr4 = value;
	if (changed & (CR4_PAE | CR4_PSE))
		shadow_mode_changed(v);
	if (v->paravirtual && (changed & CR4_XENS))
		xen_set_cr4(value);
}

/* CR4 was not given to Xen before Init, because the kernel was in ring 3, where TSD would
 * have made its own RDTSC fault. */
void control_adopt(struct vcpu *v)
{
	if (v->cr4 & CR4_XENS)
		xen_set_cr4(v->cr4);
}

/* Xen refuses to watch its own addresses.  A processor would watch them, but nothing of the
 * guest's is there, so the refusal is ignored. */
void control_set_dr(struct vcpu *v, u32 reg, u32 value)
{
	reg &= 7;
	if (reg == 4 || reg == 5)
		reg += 2;
	v->dr[reg] = value;
	if (reg != 6)
		xen_set_debugreg(reg, value);
}

u32 control_get_dr(struct vcpu *v, u32 reg)
{
	reg &= 7;
	if (reg == 4 || reg == 5)
		reg += 2;
	if (reg == 6)
		return v->dr[6] | DR6_ONES;
	return reg < 4 ? v->dr[reg] : xen_get_debugreg(reg);
}

/* On a processor bits 0 to 3 of DR6 tell of the present #DB alone.  Xen would add them to
 * those of all that came before, and a kernel that steps a program would take the step for
 * a breakpoint of another program's. */
void control_debug_trap(struct vcpu *v)
{
	v->dr[6] = (v->dr[6] & ~0xFu) | xen_debug_status();
	control_debug_forget();
}

void control_single_step(struct vcpu *v)
{
	v->dr[6] = (v->dr[6] & ~0xFu) | DR6_BS;
}

void control_debug_forget(void)
{
	xen_set_debugreg(6, DR6_ONES);
}

void control_halt(struct vcpu *v)
{
	v->if_believed = EFLAGS_IF;
	events_wait();
}
