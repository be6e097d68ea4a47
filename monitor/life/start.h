/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What both bindings do alike at the two moments at which the guest changes its nature: the
 * start of the domain, and VMI_Init (init.c of the binding).
 */
#ifndef VMIXEN_LIFE_START_H
#define VMIXEN_LIFE_START_H

#include "monitor/vcpu.h"

/* Sets the vCPU to where the Linux boot protocol enters a kernel's 32-bit code, with its
 * kernel in ring rpl; everything else of *v becomes 0. */
void start_registers(struct vcpu *v, u8 rpl);
/* The flat segments of the boot protocol; the guest soon loads a GDT of its own.  The
 * processor's tables must be there. */
void start_segments(struct vcpu *v);
/* The virtual PC and the local APIC as a reset leaves them. */
void start_pc(void);

/* VMI_Init: the guest's marked UD2 has trapped, and the return address of its call is at the
 * top of its stack.  The call returns 0, and true is answered; or nothing can become of it,
 * for paging is off or the stack is not mapped: then it goes on where init_in_place fails,
 * and nothing has changed. */
bool start_init(struct vcpu *v);

#endif
