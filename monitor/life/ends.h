/* SPDX-License-Identifier: GPL-2.0-only */
/* Steps of a guest's kernel that end the domain, or may. */
#ifndef VMIXEN_ENDS_H
#define VMIXEN_ENDS_H

#include "base.h"
#include "monitor/vcpu.h"

/* What the guest asks for: the end of protected mode, of paging after Init, or of the
 * stack ends the domain.  false: #GP. */
void control_mov_cr0(struct vcpu *v, u32 value);
bool control_mov_cr3(struct vcpu *v, u32 value);
/* The kernel in ring 1 loads SS: a stack that Xen cannot use ends the domain. */
void control_check_stack(struct vcpu *v, u16 selector);

#endif
