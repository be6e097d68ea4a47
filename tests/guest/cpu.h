/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The processor: selectors, control bits, trap frame, and the instructions
 * that a VMI guest executes itself after Init too (ports, CPUID, MSRs: they
 * trap).  Selectors are Linux's.
 */
#ifndef GUEST_CPU_H
#define GUEST_CPU_H

#include "guest.h"

#define SEL_TLS 0x33 /* GDT entry 6, RPL 3 */
#define SEL_KERNEL_CS 0x60
#define SEL_KERNEL_DS 0x68
#define SEL_USER_CS 0x73
#define SEL_USER_DS 0x7b
#define SEL_TSS 0x80
#define SEL_LDT 0x88
#define SEL_PERCPU 0xd8
#define SEL_DF_TSS 0xf8

#define GDT_TLS 6
#define GDT_TSS 16
#define GDT_LDT 17
#define GDT_PERCPU 27
#define GDT_SPARE 28 /* nobody's */
#define GDT_DF_TSS 31

#define EFLAGS_TF 0x100u
#define EFLAGS_IF 0x200u
#define EFLAGS_VM 0x20000u
#define CR0_EM 0x4u
#define CR0_TS 0x8u
#define CR0_WP 0x10000u
#define CR0_PG 0x80000000u
#define CR4_TSD 0x04u
#define CR4_PSE 0x10u
#define CR4_PAE 0x20u
#define CR4_OSXSAVE 0x40000u

enum vector {
	V_DE = 0,
	V_DB = 1,
	V_BP = 3,
	V_OF = 4,
	V_BR = 5,
	V_UD = 6,
	V_NM = 7,
	V_DF = 8,
	V_TS = 10,
	V_NP = 11,
	V_SS = 12,
	V_GP = 13,
	V_PF = 14,
	V_IRQ0 = 0x30,
	V_LVTT = 0x41,
	V_OPEN = 0x50, /* user mode may */
	V_LVTT_OTHER = 0x61,
	V_SYSCALL = 0x80,
};

#define PF_PRESENT 1u
#define PF_WRITE 2u
#define PF_USER 4u
#define PF_FETCH 16u

/* As traps.asm pushes it.  ESP and SS are there only from user mode.  The
 * upper half of CS is not defined: use frame_cs(). */
struct regs {
	u32 ebx, ecx, edx, esi, edi, ebp, eax;
	u32 ds, es, fs, gs;
	u32 vector, error;
	u32 eip, cs, eflags;
	u32 esp, ss;
};

_Static_assert(sizeof(struct regs) == 72, "traps.asm and proc.c build this frame");

static inline u32 frame_cs(const struct regs *r)
{
	return r->cs & 0xffff;
}

static inline bool from_user(const struct regs *r)
{
	return (r->cs & 3) == 3 || (r->eflags & EFLAGS_VM);
}

struct desc_ptr {
	u16 limit;
	u32 base;
} packed;

struct descriptor {
	u32 lo, hi;
};

struct tss {
	u32 link, esp0, ss0, esp1, ss1, esp2, ss2;
	u32 cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
	u32 es, cs, ss, ds, fs, gs, ldt;
	u16 trap, io_base;
};

_Static_assert(sizeof(struct tss) == 104, "TSS of Intel SDM 3A, 8.2.1");

/* desc.c */
extern struct descriptor gdt_table[512], idt_table[512];
extern struct tss tss;
extern u32 kernel_rpl;
struct descriptor segment(u32 base, u32 limit_pages, u32 access);
struct descriptor gate(void *handler, u32 type);
#define SEG_DATA3 0xf2u /* present, DPL 3, data, writable */
#define GATE_INTR 0x8e00u
#define GATE_TRAP 0x8f00u
#define GATE_DPL3 0x6000u
void idt_fill_native(void);
void desc_init(void);
u32 idt_gate_type(u32 vector);

static inline void outb(u8 v, u16 port)
{
	asm volatile("outb %0, %1" ::"a"(v), "Nd"(port));
}

static inline void outw(u16 v, u16 port)
{
	asm volatile("outw %0, %1" ::"a"(v), "Nd"(port));
}

static inline u8 inb(u16 port)
{
	u8 v;

	asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u64 rdtsc(void)
{
	u64 v;

	asm volatile("rdtsc" : "=A"(v));
	return v;
}

static inline void native_cpuid(u32 r[4])
{
	asm volatile("cpuid" : "+a"(r[0]), "=b"(r[1]), "+c"(r[2]), "=d"(r[3]));
}

static inline u32 read_cs(void)
{
	u32 v;

	asm volatile("mov %%cs, %0" : "=r"(v));
	return v & 0xffff;
}

static inline u32 read_ss(void)
{
	u32 v;

	asm volatile("mov %%ss, %0" : "=r"(v));
	return v & 0xffff;
}

static inline void load_gs(u32 sel)
{
	asm volatile("mov %0, %%gs" ::"r"(sel));
}

static inline u32 read_gs(void)
{
	u32 v;

	asm volatile("mov %%gs, %0" : "=r"(v));
	return v & 0xffff;
}

static inline u32 read_gs0(void)
{
	u32 v;

	asm volatile("mov %%gs:0, %0" : "=r"(v));
	return v;
}

static inline u32 read_fs0(void)
{
	u32 v;

	asm volatile("mov %%fs:0, %0" : "=r"(v));
	return v;
}

#endif
