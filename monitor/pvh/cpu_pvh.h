/* SPDX-License-Identifier: GPL-2.0-only */
/* The processor as ring 0 has it. */
#ifndef VMIXEN_CPU_PVH_H
#define VMIXEN_CPU_PVH_H

#include "monitor/vcpu.h"

/* entry/pvh/traps.asm: the instructions that leave the domain.  regs: EAX, EBX, ECX,
 * EDX, in and out. */
void regparm3 leave_cpuid(u32 regs[4]);
void regparm3 leave_set_cr0(u32 value);
void regparm3 leave_wrmsr(u32 low, u32 high, u32 msr);

static inline u32 cpu_cr2(void)
{
	u32 value;

	__asm__ volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

static inline void cpu_set_cr2(u32 value)
{
	__asm__ volatile("mov %0, %%cr2" ::"r"(value));
}

static inline u32 cpu_cr0(void)
{
	u32 value;

	__asm__ volatile("mov %%cr0, %0" : "=r"(value));
	return value;
}

static inline void cpu_set_cr3(u32 value)
{
	__asm__ volatile("mov %0, %%cr3" ::"r"(value) : "memory");
}

static inline void cpu_set_cr4(u32 value)
{
	__asm__ volatile("mov %0, %%cr4" ::"r"(value) : "memory");
}

static inline void cpu_invlpg(u32 va)
{
	__asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

/* cpuid.c */
void cpu_cpuid(struct vcpu *v);

/* tables.c, idt.c: what the processor is given at the start. */
void tables_start(void);
void idt_start(void);
/* Its gates are those for virtual-8086 mode, or are not. */
void idt_use_v86(struct vcpu *v, bool v86);

/* mmu.c: memory at a physical address, until the next call for the same purpose. */
enum phys_use { PHYS_TOP, PHYS_DIRECTORY, PHYS_TABLE, PHYS_USES };
void *guest_phys(struct vcpu *v, u32 pa, enum phys_use use);
void mmu_start(struct vcpu *v);
/* Has the kernel mapped a device of ours at va? */
bool mmu_is_device(struct vcpu *v, gva_t va);

#endif
