/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What ring 0 of a PVH domain stands on, for the unit tests of monitor/pvh: the
 * processor's registers, which are noted down, its walk of the guest's own page
 * tables, and the hypercalls (struct xen of ../xen.h).
 *
 * The guest's memory is 4 MB.  It shows at LINEAR; from 64 KB on one to one, too, as
 * the monitor's own directory has it; and through the window's slots, when the
 * monitor has put it there and said INVLPG.
 */
#ifndef TEST_PROCESSOR_H
#define TEST_PROCESSOR_H

#include "../domain.h"
#include "monitor/binding.h"
#include "monitor/vcpu.h"

#define MSR_TSC 0x10u

extern struct processor {
	u32 cr0, cr2, cr3, cr4;
	u32 dr[8];
	u32 idt;
	u16 ldt, tr;
	u32 cr0_writes;	   /* each leaves the domain */
	u32 switches;	   /* from one format of page tables to the other */
	u32 invalidated;   /* the last address */
	u32 cpuid[4];	   /* what CPUID answers */
	u32 msr, msr_low;  /* the last one that was written, but for the TSC */
	u64 tsc;	   /* what was written to that */
	bool restored;	   /* Xen has the domain as a new one */
	u32 vcpu_ops;	   /* of that: a bit for each VCPUOP_ */
	u32 physmap_frame; /* where a page of Xen's was put last */
	struct vcpu_runstate_info runstate;
	u64 param[32]; /* HVM_PARAM_ */
} cpu;

/* A trap of the guest's, as it stands in struct vcpu; and word n of the frame that the way
 * out takes. */
void trap(u32 vector, bool has_error, u32 error);
u32 frame(u32 n);
/* After domain_init(): the kernel makes a call. */
void call_in_ring0(void);
/* A gate of the processor's IDT: where it leads, selector, and type with DPL. */
u32 gate_at(u32 idt, u32 vector);
u32 gate_cs(u32 idt, u32 vector);
u32 gate_type(u32 idt, u32 vector);

/* Calls, as rom/calls.def has them. */
void vmi_SetCR0(u32 value);
void vmi_SetCR3(u32 value);
void vmi_SetPxE(u32 pte, gva_t ptep, u32 flags);
void vmi_SetPxELong(u32 low, u32 high, gva_t ptep);
void vmi_SetPxEPlain(gva_t ptep, u32 pte);
u32 vmi_TestAndSetPxEBit(gva_t ptep, u32 bit);
u32 vmi_GetPxE(gva_t ptep);
u32 vmi_SwapPxE(gva_t ptep, u32 pte);
u64 vmi_GetPxELong(gva_t ptep);
u64 vmi_SwapPxELongAtomic(u32 low, u32 high, gva_t ptep);
u64 vmi_DeactivatePxELongAtomic(gva_t ptep);
u32 vmi_TestAndClearPxEBit(gva_t ptep, u32 bit);
u32 vmi_TestAndSetPxELongBit(gva_t ptep, u32 bit);
u64 vmi_PhysicalToMachine(u32 address);
u64 vmi_MachineToPhysical(u32 low, u32 high);
void vmi_InvalPage(gva_t va);
void vmi_FlushTLB(u32 flags);
void vmi_SetLinearMapping(u32 slot, gva_t va, u32 pages);
void vmi_WriteGDTEntry(gva_t table, u32 index, u32 low);
void vmi_WriteIDTEntry(gva_t table, u32 index, u32 low);
void vmi_SetDR(u32 reg, u32 value);
u32 vmi_GetDR(u32 reg);
void vmi_SetLDT(u32 selector);

void monitor_trap(struct vcpu *v);
void vmi_init(struct vcpu *v);

struct nested_frame {
	u32 pushed[8];
	u32 vector, error, eip, cs, eflags;
};
void nested_trap(struct nested_frame *f);

extern const u32 exit_iret_offset, iret_offset, iret_disabled_offset;
extern const u32 iret_window_offset[2], exception_code_offset[2];

#endif
