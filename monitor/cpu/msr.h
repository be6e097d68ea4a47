/* SPDX-License-Identifier: GPL-2.0-only */
/* The model-specific registers that the guest finds. */
#ifndef VMIXEN_MSR_H
#define VMIXEN_MSR_H

#include "base.h"
#include "monitor/vcpu.h"

/* RDMSR and WRMSR of the guest's.  false, with nothing changed, where the guest shall see a
 * #GP. */
bool msr_read(struct vcpu *v, u32 msr, u64 *value);
bool msr_write(struct vcpu *v, u32 msr, u64 value);
/* VMI_Init, PV binding: from now on RDMSR and WRMSR trap to Xen and not to us.  Xen's EFER
 * shows NXE set wherever the CPU has NX, and takes no other value: so does ours. */
void msr_adopt(struct vcpu *v);

#endif
