/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors of the guest's, and its segment registers; segment.c holds the essay. */
#ifndef VMIXEN_SEGMENT_H
#define VMIXEN_SEGMENT_H

#include "base.h"
#include "monitor/vcpu.h"

void segment_start(void);
/* Init: privileges become those of ring 1. */
void segment_adopt(struct vcpu *v);
/* The guest loads its GDT or LDT register.  false: the selector names no LDT. */
void segment_load_gdt(struct vcpu *v, u16 limit, u32 base);
bool segment_load_ldt(struct vcpu *v, u16 selector);
/* The guest has written one entry of the table that is loaded. */
void segment_gdt_entry(struct vcpu *v, u32 index, u64 descriptor);
void segment_ldt_entry(struct vcpu *v, u32 index, u64 descriptor);
/* All that the guest's tables say now. */
void segment_reread(struct vcpu *v);
/* Before Init, a selector could not be loaded, with that error code: true if its
 * descriptor is another one by now. */
bool segment_late(struct vcpu *v, u32 error);
/* The kernel loads CS or SS of struct regs by an instruction that is emulated: with its
 * own RPL, whatever the selector has.  0, or the vector of the exception that it meets;
 * then nothing has changed. */
u32 segment_load(struct vcpu *v, enum seg seg, u32 selector);
/* Xen could not load one of DS, ES, FS, GS, which held these, and left it null. */
void regparm3 segment_failsafe(const u32 selector[4]);
u32 segment_base(struct vcpu *v, u16 selector);
/* The descriptor that the CPU has for a selector, of a type that can be loaded into
 * a segment register; 0 without one. */
u64 segment_descriptor(u16 selector);
#define SEGMENT_BIG (1ull << 54) /* its D or B bit */
/* Its limit in bytes, and its base. */
u32 segment_limit(u64 descriptor);
/* Can Xen push its frames on a stack in this segment, and the ROM find its own memory
 * through it? */
bool segment_carries_stack(u64 descriptor);
static inline u32 descriptor_base(u64 d)
{
	return (u32)((d >> 16 & 0xFFFFFF) | (d >> 32 & 0xFF000000));
}
/* The guest's TSS: its base and limit, false without one. */
bool segment_tss(struct vcpu *v, gva_t *base, u32 *limit);
/* May a gate lead to the selector: is it a code segment of the kernel's, in the GDT? */
bool segment_is_kernel_code(const struct vcpu *v, u16 selector);

#ifdef VMIXEN_HOSTED
u16 cpu_selector(enum seg seg); /* tests/unit/xen.c */
void cpu_load_selector(enum seg seg, u16 selector);
#else
/* What a segment register of the CPU holds now. */
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

/* Loads FS or GS of the CPU; it must be possible. */
static inline void cpu_load_selector(enum seg seg, u16 selector)
{
	if (seg == SEG_FS)
		__asm__ volatile("mov %0, %%fs" ::"r"(selector));
	else
		__asm__ volatile("mov %0, %%gs" ::"r"(selector));
}
#endif

#endif
