/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the PV binding use of each other, beside the shadow MMU (mmu/). */
#ifndef VMIXEN_PV_H
#define VMIXEN_PV_H

#include "base.h"
#include "monitor/vcpu.h"

/* trap.c: delivers what is pending for the guest, and stores the frame with which exit_guest
 * returns to it. */
void monitor_resume(struct vcpu *v);

/* prelude.c: sets the breakpoints with which a domain starts. */
void prelude_start(void);
/* VMI_Init: takes the breakpoints away; the debug registers are the guest's from now on. */
void prelude_end(struct vcpu *v);
/* A #DB has come: carries out what one of these breakpoints has stopped, and answers true;
 * false if it was another #DB. */
bool prelude_breakpoint(struct vcpu *v);

/* control.c: puts the causes of the #DB that has come into the guest's DR6, and clears the
 * processor's.  For a #DB that is injected into the guest. */
void control_debug_trap(struct vcpu *v);
/* Clears the processor's DR6 and leaves the guest's alone.  For a #DB of the monitor's own. */
void control_debug_forget(void);
/* VMI_Init: gives Xen those bits of CR4 that it lets a guest choose. */
void control_adopt(struct vcpu *v);

/* entry/pv/traps.asm: lets Xen send the next NMI.  Upcalls must be masked. */
void nmi_unblock(void);

#endif
