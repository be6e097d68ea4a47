/* SPDX-License-Identifier: GPL-2.0-only */
/* The operations on a bare machine.  Time is in time_native.c. */
#include "ops.h"
#include "time_native.h"

bool on_vmi;

static void wrmsr_insn(u32 msr, u64 value)
{
	asm volatile("wrmsr" ::"c"(msr), "A"(value) : "memory");
}

static u64 rdmsr_insn(u32 msr)
{
	u64 v;

	asm volatile("rdmsr" : "=A"(v) : "c"(msr));
	return v;
}

static void lgdt_reload(const struct desc_ptr *d)
{
	asm volatile("lgdt %0" ::"m"(*d));
}

static void lldt_insn(u32 sel)
{
	asm volatile("lldt %w0" ::"r"(sel));
}

static void lidt_insn(const struct desc_ptr *d)
{
	asm volatile("lidt %0" ::"m"(*d));
}

static void ltr_insn(u32 sel)
{
	asm volatile("ltr %w0" ::"r"(sel));
}

static void sgdt_insn(struct desc_ptr *d)
{
	asm volatile("sgdt %0" : "=m"(*d));
}

static u32 sldt_insn(void)
{
	u32 v;

	asm volatile("sldt %0" : "=r"(v));
	return v & 0xffff;
}

static void sidt_insn(struct desc_ptr *d)
{
	asm volatile("sidt %0" : "=m"(*d));
}

static u32 str_insn(void)
{
	u32 v;

	asm volatile("str %0" : "=r"(v));
	return v & 0xffff;
}

static void write_desc(void *table, u32 index, u32 lo, u32 hi)
{
	struct descriptor *d = (struct descriptor *)table + index;

	d->lo = lo;
	d->hi = hi;
}

static void kernel_stack(u32 ss, u32 esp0)
{
	tss.ss0 = ss;
	tss.esp0 = esp0;
}

#define CR_OPS(n)                                                                                  \
	static void set_cr##n(u32 v)                                                               \
	{                                                                                          \
		asm volatile("mov %0, %%cr" #n ::"r"(v) : "memory");                               \
	}                                                                                          \
	static u32 get_cr##n(void)                                                                 \
	{                                                                                          \
		u32 v;                                                                             \
                                                                                                   \
		asm volatile("mov %%cr" #n ", %0" : "=r"(v)::"memory");                            \
		return v;                                                                          \
	}

CR_OPS(0)
CR_OPS(2)
CR_OPS(3)
CR_OPS(4)

static void wbinvd(void)
{
	asm volatile("wbinvd" ::: "memory");
}

static void set_dr(u32 n, u32 v)
{
	switch (n) {
	case 0:
		asm volatile("mov %0, %%dr0" ::"r"(v));
		break;
	case 1:
		asm volatile("mov %0, %%dr1" ::"r"(v));
		break;
	case 2:
		asm volatile("mov %0, %%dr2" ::"r"(v));
		break;
	case 3:
		asm volatile("mov %0, %%dr3" ::"r"(v));
		break;
	case 6:
		asm volatile("mov %0, %%dr6" ::"r"(v));
		break;
	case 7:
		asm volatile("mov %0, %%dr7" ::"r"(v));
		break;
	}
}

static u32 get_dr(u32 n)
{
	u32 v = 0;

	switch (n) {
	case 0:
		asm volatile("mov %%dr0, %0" : "=r"(v));
		break;
	case 1:
		asm volatile("mov %%dr1, %0" : "=r"(v));
		break;
	case 2:
		asm volatile("mov %%dr2, %0" : "=r"(v));
		break;
	case 3:
		asm volatile("mov %%dr3, %0" : "=r"(v));
		break;
	case 6:
		asm volatile("mov %%dr6, %0" : "=r"(v));
		break;
	case 7:
		asm volatile("mov %%dr7, %0" : "=r"(v));
		break;
	}
	return v;
}

static u64 rdtsc_op(void)
{
	return rdtsc();
}

static void clts(void)
{
	asm volatile("clts");
}

static void halt(void)
{
	asm volatile("sti; hlt" ::: "memory");
}

/* Keyboard controller, then the hard way. */
static void reboot(u32 hard)
{
	static const struct desc_ptr empty;

	if (hard)
		outb(0xfe, 0x64);
	lidt_insn(&empty);
	asm volatile("int3");
}

/* QEMU's i440fx and Bochs: S5 in the PM1 control register. */
static void shutdown(void)
{
	outw(0x2000, 0x604);
	outw(0x2000, 0xb004);
}

static void set_pte(pte_t value, pte_t *ptep, u32 flags)
{
	(void)flags;
#ifdef PAE
	/* never a present entry with half an address */
	volatile u32 *half = (volatile u32 *)ptep;

	half[0] = 0;
	half[1] = (u32)(value >> 32);
	half[0] = (u32)value;
#else
	*(volatile pte_t *)ptep = value;
#endif
}

static void update_pte(pte_t *ptep, u32 flags)
{
	(void)ptep;
	(void)flags;
}

static void allocate_page(u32 pfn, u32 flags, u32 clone, u32 start, u32 count)
{
	(void)pfn, (void)flags, (void)clone, (void)start, (void)count;
}

static void release_page(u32 pfn, u32 flags)
{
	(void)pfn, (void)flags;
}

static void space_ends(u32 cr3)
{
	(void)cr3;
}

static void inval_page(u32 va)
{
	asm volatile("invlpg %0" ::"m"(*(char *)va) : "memory");
}

static void flush_tlb(u32 what)
{
	(void)what; /* CR4.PGE is off: a CR3 load drops everything */
	set_cr3(get_cr3());
}

static void set_linear_mapping(u32 slot, u32 va, u32 pages, u32 pfn)
{
	(void)slot, (void)va, (void)pages, (void)pfn;
}

static void set_iopl(u32 mask)
{
	u32 flags;

	asm volatile("pushf; pop %0" : "=r"(flags));
	flags = (flags & ~0x3000u) | (mask & 0x3000);
	asm volatile("push %0; popf" ::"r"(flags) : "cc");
}

static void io_delay(void)
{
	outb(0, 0x80);
}

static void lazy_mode(u32 mode)
{
	(void)mode;
}

const struct guest_ops native_ops = {
	.cpuid = native_cpuid,
	.rdmsr = rdmsr_insn,
	.wrmsr = wrmsr_insn,
	.set_gdt = lgdt_reload,
	.set_ldt = lldt_insn,
	.set_idt = lidt_insn,
	.set_tr = ltr_insn,
	.get_gdt = sgdt_insn,
	.get_ldt = sldt_insn,
	.get_idt = sidt_insn,
	.get_tr = str_insn,
	.write_gdt = write_desc,
	.write_ldt = write_desc,
	.write_idt = write_desc,
	.kernel_stack = kernel_stack,
	.set_cr0 = set_cr0,
	.set_cr2 = set_cr2,
	.set_cr3 = set_cr3,
	.set_cr4 = set_cr4,
	.get_cr0 = get_cr0,
	.get_cr2 = get_cr2,
	.get_cr3 = get_cr3,
	.get_cr4 = get_cr4,
	.wbinvd = wbinvd,
	.set_dr = set_dr,
	.get_dr = get_dr,
	.rdtsc = rdtsc_op,
	.clts = clts,
	.halt = halt,
	.reboot = reboot,
	.shutdown = shutdown,
	.set_pte = set_pte,
	.update_pte = update_pte,
	.allocate_page = allocate_page,
	.release_page = release_page,
	.space_ends = space_ends,
	.inval_page = inval_page,
	.flush_tlb = flush_tlb,
	.set_linear_mapping = set_linear_mapping,
	.set_iopl = set_iopl,
	.io_delay = io_delay,
	.cycle_frequency = pit_cycle_frequency,
	.cycle_counter = pit_cycle_counter,
	.set_alarm = pit_set_alarm,
	.cancel_alarm = pit_cancel_alarm,
	.wallclock = cmos_wallclock,
	.wallclock_updated = cmos_wallclock_updated,
	.lazy_mode = lazy_mode,
};

struct guest_ops ops;
