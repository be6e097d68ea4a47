/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's own exceptions and interrupts: its next context is that of its handler. */
#ifndef VMIXEN_INJECT_H
#define VMIXEN_INJECT_H

#include "base.h"
#include "monitor/vcpu.h"

void inject_exception(struct vcpu *v, u32 vector, bool has_error, u32 error);
void inject_page_fault(struct vcpu *v, gva_t va, u32 error);
void inject_interrupt(struct vcpu *v, u32 vector);
/* INT n, with the next instruction at next; or the fault that its gate causes. */
void inject_int(struct vcpu *v, u32 vector, gva_t next);

#endif
