/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors of the guest's, and its segment registers; segment.c holds the essay. */
#ifndef VMIXEN_SEGMENT_H
#define VMIXEN_SEGMENT_H

#include "base.h"
#include "monitor/vcpu.h"

/* The start of the domain: an empty GDT with pages, and an IDT as after a reset. */
void segment_start(void);
/* VMI_Init: the descriptors and the IDT get the privileges of a kernel in ring 1. */
void segment_adopt(struct vcpu *v);
/* The guest loads its GDT register: limit is the offset of the table's last byte, base its
 * linear address. */
void segment_load_gdt(struct vcpu *v, u16 limit, u32 base);
/* The guest loads its LDT register; a null selector means no LDT.  false, with nothing
 * changed, if the selector names no LDT in the guest's GDT. */
bool segment_load_ldt(struct vcpu *v, u16 selector);
/* The guest has stored descriptor at index of the GDT or LDT that it has loaded. */
void segment_gdt_entry(struct vcpu *v, u32 index, u64 descriptor);
void segment_ldt_entry(struct vcpu *v, u32 index, u64 descriptor);
/* Brings both tables in as they are in the guest's memory now. */
void segment_reread(struct vcpu *v);
/* Before Init, the load of a selector has faulted with this error code.  Reads the
 * selector's descriptor from the guest's table again; true if it is another one than the
 * processor had, so that the instruction can be tried again. */
bool segment_late(struct vcpu *v, u32 error);
/* The kernel loads CS or SS of struct regs by an instruction that is emulated.  The
 * selector is loaded with the kernel's own RPL, whatever RPL it has.  0, or the vector of
 * the exception that the load meets; then the register has not changed. */
u32 segment_load(struct vcpu *v, enum seg seg, u32 selector);
/* The selector, if the kernel can load it into seg, which is ES, DS, FS or GS; else 0. */
u16 segment_or_null(struct vcpu *v, enum seg seg, u16 selector);
/* Xen's failsafe callback: Xen could not load DS, ES, FS or GS, which held these selectors
 * in this order, and left it null. */
void regparm3 segment_failsafe(const u32 selector[4]);
/* The base of the segment that the selector names; 0 if there is none. */
u32 segment_base(struct vcpu *v, u16 selector);
/* The descriptor of code or data that the processor has for a selector; 0 if it has none. */
u64 segment_descriptor(u16 selector);
#define SEGMENT_BIG (1ull << 54) /* a descriptor's D or B bit */
/* A descriptor's limit: the offset of the last byte, the G bit taken into account. */
u32 segment_limit(u64 descriptor);
/* Can Xen push its frames on a stack in this segment, and can the ROM reach its window
 * through it?  Base, size, direction and limit decide. */
bool segment_carries_stack(u64 descriptor);
/* A descriptor's base, a linear address. */
static inline u32 descriptor_base(u64 d)
{
	return (u32)((d >> 16 & 0xFFFFFF) | (d >> 32 & 0xFF000000));
}
/* Sets *base and *limit to those of the guest's TSS that the selector names; false if there
 * is none. */
bool segment_tss(struct vcpu *v, u16 selector, gva_t *base, u32 *limit);
/* Marks that TSS as busy, in the guest's GDT.  false if it is so already, or cannot be. */
bool segment_take_tss(struct vcpu *v, u16 selector);
/* May a gate lead to this selector?  It must name a code segment of the kernel's in the
 * GDT. */
bool segment_is_kernel_code(const struct vcpu *v, u16 selector);

#ifdef VMIXEN_HOSTED
u16 cpu_selector(enum seg seg); /* both are in tests/unit/xen.c */
void cpu_load_selector(enum seg seg, u16 selector);
#else
/* The selector that the processor's own segment register holds now. */
static inline u16 cpu_selector(enum seg seg)
{
	u16 sel;

	switch (seg) {
	case SEG_ES:
		__asm__ volatile("mov %%es, %0" : "=r"(sel));
		break;
	case SEG_CS:
		__asm__ volatile("mov %%cs, %0" : "=r"(sel));
		break;
	case SEG_SS:
		__asm__ volatile("mov %%ss, %0" : "=r"(sel));
		break;
	case SEG_FS:
		__asm__ volatile("mov %%fs, %0" : "=r"(sel));
		break;
	case SEG_GS:
		__asm__ volatile("mov %%gs, %0" : "=r"(sel));
		break;
	default:
		__asm__ volatile("mov %%ds, %0" : "=r"(sel));
	}
	return sel;
}

/* Loads the processor's own FS or GS.  The selector must be loadable: a fault here has no
 * place in the fixup table. */
static inline void cpu_load_selector(enum seg seg, u16 selector)
{
	if (seg == SEG_FS)
		__asm__ volatile("mov %0, %%fs" ::"r"(selector));
	else
		__asm__ volatile("mov %0, %%gs" ::"r"(selector));
}
#endif

#endif
