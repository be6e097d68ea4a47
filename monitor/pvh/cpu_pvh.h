/* SPDX-License-Identifier: GPL-2.0-only */
/* The processor's own registers and instructions, as ring 0 has them, and what the files of
 * the PVH binding use of each other. */
#ifndef VMIXEN_CPU_PVH_H
#define VMIXEN_CPU_PVH_H

#include "monitor/vcpu.h"

/* entry/pvh/leave.asm: CPUID, a write of CR0, and WRMSR, with which the processor leaves the
 * domain for Xen.  regs: EAX, EBX, ECX, EDX, before and behind CPUID. */
void regparm3 leave_cpuid(u32 regs[4]);
void regparm3 leave_set_cr0(u32 value);
void regparm3 leave_wrmsr(u32 low, u32 high, u32 msr);

/* One instruction each.  reg of cpu_set_dr is 0 to 3, 6 or 7. */
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

/* trap.c: delivers what is pending for the guest, and stores the frame with which exit_guest
 * returns to it. */
void monitor_resume(struct vcpu *v);

/* devices.c: if the #GP is that of the kernel's IN or OUT, in one of its usual forms, carries it
 * out and makes the frame for exit_guest; else answers false and changes nothing. */
bool port_short(struct vcpu *v);
/* The kernel has met a device's register at the guest-physical address gpa.  If its instruction
 * is a usual MOV, carries it out, and sets EIP; else answers false and changes nothing. */
bool device_short(struct vcpu *v, u32 gpa);

/* prelude.c: sets the breakpoints with which a domain starts. */
void prelude_start(void);
/* VMI_Init: takes the breakpoints away; the debug registers are the guest's from now on. */
void prelude_end(struct vcpu *v);
/* A #DB has come: carries out what one of these breakpoints has stopped, and answers true;
 * false if it was another #DB. */
bool prelude_breakpoint(struct vcpu *v);

/* control.c: what the processor's DR6 says of the #DB that has come. */
u32 control_debug_status(void);
/* Puts the causes of that #DB into the guest's DR6, and clears the processor's.  For a #DB
 * that is injected into the guest. */
void control_debug_trap(struct vcpu *v);
/* Clears the processor's DR6 and leaves the guest's alone.  For a #DB of the monitor's own. */
void control_debug_forget(void);

/* cpuid.c: carries out CPUID on the guest's registers in v->r. */
void cpu_cpuid(struct vcpu *v);

/* init.c: Xen's events come by their vector, and CPUID traps outside ring 0. */
void processor_start(void);
/* frames.c: the frame, below 4 GB, of the window's page at va; and another one takes its place. */
u32 window_frame(gva_t va);
void window_show(gva_t va, u32 frame);

/* tables.c: loads the GDT with the monitor's own descriptors, ring 0's segments and the TSS. */
void tables_start(void);
/* Loads the task register. */
void tables_load_tss(void);
/* idt.c: fills the gates for virtual-8086 mode, and loads the IDT for all other code. */
void idt_start(void);
/* Loads the IDT with the gates for virtual-8086 mode (v86), or the other one. */
void idt_use_v86(struct vcpu *v, bool v86);

/* mmu.c: where the monitor can reach the physical address pa.  The pointer is good for the
 * rest of pa's page, until the next call with the same use.  NULL if there is no RAM. */
enum phys_use { PHYS_TOP, PHYS_DIRECTORY, PHYS_TABLE, PHYS_DMA, PHYS_USES };
void *guest_phys(struct vcpu *v, u64 pa, enum phys_use use);
/* Is there RAM of the guest's at the physical address pa? */
bool guest_has_ram(u64 pa);
/* The start of the domain: the monitor's own 2-level directory is loaded. */
void space_start(struct vcpu *v);
/* Loads the address space that the guest's CR0.PG, CR3 and CR4.PAE ask for.  false, with
 * nothing loaded, if CR3 leads to no directory in RAM. */
bool space_load(struct vcpu *v);
/* A bit of CR4, or CR0.PG, has changed: the same, but a CR3 that leads to no directory ends
 * the domain. */
void space_mode_changed(struct vcpu *v);
/* Flushes the TLB. */
void space_flush_tlb(struct vcpu *v);
/* The guest's tables are loaded: looks for its linear mapping of low memory, if it is not
 * known, and believes in it from then on. */
void space_find_linear(struct vcpu *v);
/* The guest stores entry in a page table: what is to be stored instead.  If the entry gives the
 * kernel a frame of the PCI hole, where there are devices and no memory, it loses its present
 * bit, so that accesses fault and are emulated; any other stays as it is.  (What user mode
 * maps there goes to Xen, which answers with ones.) */
u64 space_shut(u64 entry);
/* Has the kernel an entry for va that space_shut() has made?  Then *gpa becomes the
 * guest-physical address that it leads to. */
bool space_is_device(struct vcpu *v, gva_t va, u64 *gpa);

#endif
