/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors before Init, for the PVH binding's own files; guard.c holds the essay. */
#ifndef VMIXEN_PVH_GUARD_H
#define VMIXEN_PVH_GUARD_H

#include "monitor/vcpu.h"

/* A trap while something is open: true if it was a step's and is dealt with. */
bool guard_trap(struct vcpu *v, u32 vector);
/* A fault with that error code, which an entry of the copy may be the reason of: true if
 * the instruction is to be tried again. */
bool guard_late(struct vcpu *v, u32 error);
/* The copy's entry was written to. */
void guard_wrote(struct vcpu *v, u32 table, u32 index);
/* Before each return to the guest. */
void guard_resume(struct vcpu *v);

#endif
