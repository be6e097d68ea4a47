/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What C-coded VMI calls have of their caller beyond EAX, EDX and ECX; the
 * layout is the common stub's in entry/vmi.asm.
 */
#ifndef VMIXEN_VMI_H
#define VMIXEN_VMI_H

#include "vcpu.h"

/* Argument n on the caller's stack: behind EBP, EBX and the return address. */
static inline u32 stack_argument(u32 n)
{
	return ((const u32 *)(uintptr_t)VCPU->call_esp)[3 + n];
}

/* vmi_cpu.c: what a call points to; where nothing is, the domain ends. */
void read_argument(gva_t at, void *to, u32 bytes);
void write_argument(gva_t at, const void *from, u32 bytes);

#endif
