/* SPDX-License-Identifier: GPL-2.0-only */
/* Tasks of the guest's, which task gates lead to. */
#ifndef VMIXEN_TASK_H
#define VMIXEN_TASK_H

#include "base.h"
#include "monitor/vcpu.h"

/* Goes on with the task whose TSS the selector names, and pushes error on its stack, as a
 * processor does that finds a task gate for an exception.  false, with the registers as they
 * were, if it cannot: then either TSS is none, cannot be reached, or asks for what is not
 * there. */
bool task_enter(struct vcpu *v, u16 selector, u32 error);

#endif
