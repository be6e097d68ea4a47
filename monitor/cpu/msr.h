/* SPDX-License-Identifier: GPL-2.0-only */
/* The model-specific registers that the guest finds. */
#ifndef VMIXEN_MSR_H
#define VMIXEN_MSR_H

#include "base.h"
#include "monitor/vcpu.h"

/* False where the guest shall see a #GP. */
bool msr_read(struct vcpu *v, u32 msr, u64 *value);
bool msr_write(struct vcpu *v, u32 msr, u64 value);
/* Init: EFER is Xen's from now on, for RDMSR and WRMSR trap to it and not to us.
 * It shows NXE set and takes no other value. */
void msr_adopt(struct vcpu *v);

#endif
