/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the PV binding have of each other, beside the shadow MMU (mmu/). */
#ifndef VMIXEN_PV_H
#define VMIXEN_PV_H

#include "base.h"
#include "monitor/vcpu.h"

/* trap.c: back to the guest, with what is pending for it. */
void monitor_resume(struct vcpu *v);

/* prelude.c: the start of the domain, VMI_Init; #DB: true if it was one of ours. */
void prelude_start(void);
void prelude_end(struct vcpu *v);
bool prelude_breakpoint(struct vcpu *v);

/* control.c: a #DB that is the guest's is going to it; the processor's DR6 is clear. */
void control_debug_trap(struct vcpu *v);
void control_debug_forget(void);
/* VMI_Init: Xen learns what it is to know of the control registers. */
void control_adopt(struct vcpu *v);

/* entry/pv/traps.asm: Xen may send the next NMI. */
void nmi_unblock(void);

#endif
