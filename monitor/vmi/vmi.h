/* SPDX-License-Identifier: GPL-2.0-only */
/* What VMI calls that are written in C get from their caller beyond EAX, EDX and ECX. */
#ifndef VMIXEN_VMI_H
#define VMIXEN_VMI_H

#include "monitor/vcpu.h"

/* The n-th argument, from 0, that the caller has on its stack.  C never reads that stack
 * itself; the stubs in entry/ do, for the calls that have a WORDS_ there. */
static inline u32 stack_argument(u32 n)
{
	return VCPU->argument[n];
}

/* Flags of a Set or an Update.  With both bits the entry is one of a page table, and the
 * other bits of the flags are the address that it maps in the current address space. */
#define CURRENT_AS_PT 0x11u

/* pv/vmi_mmu.c: the rest of a Set whose short cut has stored the entry at e, in the guest's
 * frame gpfn. */
void regparm3 vmi_SetPxE_stored(u32 gpfn, const u32 *e, u32 flags);
void regparm3 vmi_SetPxELong_stored(u32 gpfn, const u32 *e, u32 flags);

/* vmi_cpu.c: read and write what an argument of a call points to.  A pointer that cannot be
 * followed ends the domain. */
void read_argument(gva_t at, void *to, u32 bytes);
void write_argument(gva_t at, const void *from, u32 bytes);

#endif
