/* SPDX-License-Identifier: GPL-2.0-only */
/* What C-coded VMI calls have of their caller beyond EAX, EDX and ECX. */
#ifndef VMIXEN_VMI_H
#define VMIXEN_VMI_H

#include "monitor/vcpu.h"

/* Arguments on the caller's stack, which C never looks at: it may lie anywhere.  Of
 * which calls the stubs in entry/ read how many is said there (WORDS_). */
static inline u32 stack_argument(u32 n)
{
	return VCPU->argument[n];
}

/* Flags of a Set or an Update: of a page table, and at this address of the current
 * space. */
#define CURRENT_AS_PT 0x11u

/* vmi_mmu.c: what is left of a Set whose short cut has stored the entry. */
void regparm3 vmi_SetPxE_stored(u32 gpfn, const u32 *e, u32 flags);
void regparm3 vmi_SetPxELong_stored(u32 gpfn, const u32 *e, u32 flags);

/* vmi_cpu.c: what a call points to; where nothing is, the domain ends. */
void read_argument(gva_t at, void *to, u32 bytes);
void write_argument(gva_t at, const void *from, u32 bytes);

#endif
