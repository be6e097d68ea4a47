/* SPDX-License-Identifier: GPL-2.0-only */
/* Control and debug registers, and halting. */
#include "pv.h"
#include "monitor/emul/decode.h"
#include "monitor/io/events.h"
#include "monitor/life.h"
#include "monitor/pv/mmu/shadow.h"
#include "xenbind/hypercall.h"

/* With either the FPU raises #NM; Xen lets a guest have only TS. */
#define CR0_FPU_OFF (CR0_EM | CR0_TS)

/* Would an instruction of the FPU's be an #NM now? */
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
	else if (changed & value & CR0_WP) /* what the kernel wrote to may be read-only */
		shadow_mode_changed(v);
	if (was_off != off)
		xen_must(xen_fpu_taskswitch(off), NEED_FPU);
	v->ts_cleared = 0;
}

/* Xen clears TS when it delivers an #NM; on hardware it stays set until the
 * handler clears it.  A handler that lets another process run before it has
 * must find TS set there, or that process uses the wrong registers. */
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

/* What Xen lets a guest have as it likes: RDTSC of user mode, breakpoints on ports,
 * and XSETBV, which Xen carries out for who has OSXSAVE.  All else is the monitor's.
 * With TSD the RDTSCs of ring 1, the guest's and ours, trap to Xen, which answers
 * them: dearer, and as right as before. */
#define CR4_XENS (CR4_TSD | CR4_DE | CR4_OSXSAVE)
void control_set_nx(struct vcpu *v, u64 nxe)
{
	if (v->paravirtual) /* Xen's, and stays on */
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

/* Before Init the kernel is in ring 3, where TSD would forbid it its own RDTSC. */
void control_adopt(struct vcpu *v)
{
	if (v->cr4 & CR4_XENS)
		xen_set_cr4(v->cr4);
}

/* What Xen refuses to watch, its own addresses, is not watched: a processor would
 * watch it, but nothing of the guest's is there. */
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

/* A #DB has come: bits 0 to 3 of DR6 tell of it alone, as a processor has it.
 * Xen would add it to all that came before, and a kernel that steps a program
 * would take the step for a breakpoint of another's. */
void control_debug_trap(struct vcpu *v)
{
	v->dr[6] = (v->dr[6] & ~0xFu) | xen_debug_status();
	control_debug_forget();
}

/* The guest steps over an instruction that is emulated. */
void control_single_step(struct vcpu *v)
{
	v->dr[6] = (v->dr[6] & ~0xFu) | DR6_BS;
}

/* What has trapped is no business of the guest's. */
void control_debug_forget(void)
{
	xen_set_debugreg(6, DR6_ONES);
}

void control_halt(struct vcpu *v)
{
	v->if_believed = EFLAGS_IF;
	events_wait();
}
