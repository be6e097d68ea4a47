/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's own exceptions and interrupts.  Each function makes the guest's handler the
 * next context in struct regs; where there is no way into a handler, the domain ends with
 * a report, as a PC would with a triple fault.
 */
#ifndef VMIXEN_INJECT_H
#define VMIXEN_INJECT_H

#include "base.h"
#include "monitor/vcpu.h"

/* A double fault: the guest's frame for another exception could not be pushed. */
void inject_double_fault(struct vcpu *v);
/* An exception at EIP; error is pushed only if has_error. */
void inject_exception(struct vcpu *v, u32 vector, bool has_error, u32 error);
/* A page fault at EIP, with va in CR2. */
void inject_page_fault(struct vcpu *v, gva_t va, u32 error);
/* An external interrupt, or the fault that its gate causes. */
void inject_interrupt(struct vcpu *v, u32 vector);
/* INT n, whose handler returns to next, or the fault that its gate causes at EIP. */
void inject_int(struct vcpu *v, u32 vector, gva_t next);

#endif
