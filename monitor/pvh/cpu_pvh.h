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

/* Debug registers 0 to 3, 6 and 7; the tables' registers. */
#ifdef VMIXEN_HOSTED
u32 cpu_cr2(void); /* tests/unit/pvh/processor.c */
void cpu_set_cr2(u32 value);
void cpu_set_cr3(u32 value);
void cpu_set_cr4(u32 value);
void cpu_invlpg(u32 va);
u32 cpu_dr6(void);
u32 cpu_dr7(void);
void cpu_set_dr(u32 reg, u32 value);
void cpu_lidt(u32 base, u16 limit);
void cpu_lldt(u16 selector);
void cpu_ltr(u16 selector);
#else
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

static inline u32 cpu_dr6(void)
{
	u32 value;

	__asm__ volatile("mov %%dr6, %0" : "=r"(value));
	return value;
}

static inline u32 cpu_dr7(void)
{
	u32 value;

	__asm__ volatile("mov %%dr7, %0" : "=r"(value));
	return value;
}

static inline void cpu_set_dr(u32 reg, u32 value)
{
	switch (reg) {
	case 0:
		__asm__ volatile("mov %0, %%dr0" ::"r"(value));
		break;
	case 1:
		__asm__ volatile("mov %0, %%dr1" ::"r"(value));
		break;
	case 2:
		__asm__ volatile("mov %0, %%dr2" ::"r"(value));
		break;
	case 3:
		__asm__ volatile("mov %0, %%dr3" ::"r"(value));
		break;
	case 6:
		__asm__ volatile("mov %0, %%dr6" ::"r"(value));
		break;
	default:
		__asm__ volatile("mov %0, %%dr7" ::"r"(value));
	}
}

static inline void cpu_lidt(u32 base, u16 limit)
{
	struct {
		u16 limit;
		u32 base;
	} packed idtr = {limit, base};

	__asm__ volatile("lidt %0" ::"m"(idtr));
}

static inline void cpu_lldt(u16 selector)
{
	__asm__ volatile("lldt %0" ::"r"(selector));
}

static inline void cpu_ltr(u16 selector)
{
	__asm__ volatile("ltr %0" ::"r"(selector));
}
#endif

/* trap.c: back to the guest, with what is pending for it. */
void monitor_resume(struct vcpu *v);

/* prelude.c: the start of the domain, VMI_Init; #DB: true if it was one of ours. */
void prelude_start(void);
void prelude_end(struct vcpu *v);
bool prelude_breakpoint(struct vcpu *v);

/* control.c: what DR6 says of the #DB that has come; it is the guest's and is going to it; the
 * processor's DR6 becomes clear. */
u32 control_debug_status(void);
void control_debug_trap(struct vcpu *v);
void control_debug_forget(void);

/* cpuid.c: the guest executes CPUID. */
void cpu_cpuid(struct vcpu *v);

/* tables.c, idt.c: what the processor is given at the start. */
void tables_start(void);
void idt_start(void);
/* Its gates are those for virtual-8086 mode, or are not. */
void idt_use_v86(struct vcpu *v, bool v86);

/* mmu.c: memory at a physical address, until the next call for the same purpose. */
enum phys_use { PHYS_TOP, PHYS_DIRECTORY, PHYS_TABLE, PHYS_USES };
void *guest_phys(struct vcpu *v, u32 pa, enum phys_use use);
void space_start(struct vcpu *v);
/* The guest's CR3 or CR0.PG has changed.  false: CR3 names no directory. */
bool space_load(struct vcpu *v);
/* CR4.PAE or another bit of CR4 has changed. */
void space_mode_changed(struct vcpu *v);
void space_flush_tlb(struct vcpu *v);
/* SetLinearMapping. */
void space_set_linear(struct vcpu *v, u32 slot, u32 va, u32 pages, u32 gpfn);
/* Has the kernel mapped a device of ours at va? */
bool space_is_device(struct vcpu *v, gva_t va);

#endif
