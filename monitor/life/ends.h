/* SPDX-License-Identifier: GPL-2.0-only */
/* Steps of a guest's kernel that end the domain, or may. */
#ifndef VMIXEN_ENDS_H
#define VMIXEN_ENDS_H

#include "base.h"
#include "monitor/vcpu.h"

/* The guest loads CR0.  Ends the domain if the value turns protected mode off, or paging
 * after Init. */
void control_mov_cr0(struct vcpu *v, u32 value);
/* The guest loads CR3.  Ends the domain if, after Init, the new tables do not map the
 * kernel's stack.  false, with CR3 as before, where the load is a #GP. */
bool control_mov_cr3(struct vcpu *v, u32 value);
/* The guest's kernel loads SS after Init, or enters Init with it.  Ends the domain if Xen
 * cannot push its frames on a stack in that segment. */
void control_check_stack(struct vcpu *v, u16 selector);

#endif
