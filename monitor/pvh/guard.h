/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors before Init, for the PVH binding's own files; guard.c holds the essay. */
#ifndef VMIXEN_PVH_GUARD_H
#define VMIXEN_PVH_GUARD_H

#include "monitor/vcpu.h"

/* To be called first for each exception.  true if it was the #DB of a step of the monitor's
 * own, which is dealt with; false if the exception is to be handled. */
bool guard_trap(struct vcpu *v, u32 vector);
/* The load of a selector has faulted with this error code.  true if the descriptor is
 * another one now: the instruction is to be tried again, and is stepped. */
bool guard_late(struct vcpu *v, u32 error);
/* A descriptor of the copy was written to, and may have become present. */
void guard_wrote(struct vcpu *v, u32 table, u32 index);
/* To be called before each return to the guest: makes the copy what it must be while the
 * guest runs. */
void guard_resume(struct vcpu *v);

#endif
