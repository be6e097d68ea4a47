/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The operations under VMI.  Most are the ROM's addresses themselves; a few
 * do not have C's convention and are wrapped.  A call that the ROM answers
 * NONE for keeps its native operation, which traps and is emulated; NOP
 * becomes a function that does nothing (para_fill in Linux).
 */
#include "ops.h"
#include "rom.h"

#define BIND(name, member)                                                                         \
	{                                                                                          \
		VMI_##name, offsetof(struct guest_ops, member)                                     \
	}

static const struct {
	s16 call;
	u16 member;
} bindings[] = {
	BIND(SetGDT, set_gdt),
	BIND(SetLDT, set_ldt),
	BIND(SetIDT, set_idt),
	BIND(SetTR, set_tr),
	BIND(GetGDT, get_gdt),
	BIND(GetLDT, get_ldt),
	BIND(GetIDT, get_idt),
	BIND(GetTR, get_tr),
	BIND(WriteGDTEntry, write_gdt),
	BIND(WriteLDTEntry, write_ldt),
	BIND(WriteIDTEntry, write_idt),
	BIND(UpdateKernelStack, kernel_stack),
	BIND(SetCR0, set_cr0),
	BIND(SetCR2, set_cr2),
	BIND(SetCR3, set_cr3),
	BIND(SetCR4, set_cr4),
	BIND(GetCR0, get_cr0),
	BIND(GetCR2, get_cr2),
	BIND(GetCR3, get_cr3),
	BIND(GetCR4, get_cr4),
	BIND(WBINVD, wbinvd),
	BIND(SetDR, set_dr),
	BIND(GetDR, get_dr),
	BIND(RDTSC, rdtsc),
	BIND(CLTS, clts),
	BIND(Halt, halt),
	BIND(Reboot, reboot),
	BIND(Shutdown, shutdown),
#ifdef PAE
	BIND(SetPxELong, set_pte),
	BIND(UpdatePxELong, update_pte),
#else
	BIND(SetPxE, set_pte),
	BIND(UpdatePxE, update_pte),
#endif
	BIND(AllocatePage, allocate_page),
	BIND(ReleasePage, release_page),
	BIND(InvalPage, inval_page),
	BIND(FlushTLB, flush_tlb),
	BIND(SetLinearMapping, set_linear_mapping),
	BIND(SetIOPLMask, set_iopl),
	BIND(IODelay, io_delay),
	BIND(GetCycleFrequency, cycle_frequency),
	BIND(GetCycleCounter, cycle_counter),
	BIND(SetAlarm, set_alarm),
	BIND(CancelAlarm, cancel_alarm),
	BIND(GetWallclockTime, wallclock),
	BIND(WallclockUpdated, wallclock_updated),
	BIND(SetLazyMode, lazy_mode),
	BIND(APICWrite, apic_write),
	BIND(APICRead, apic_read),
};

static u32 cpuid_entry, rdmsr_entry, wrmsr_entry, kernel_stack_entry, set_pte_entry;

static void nop(void)
{
}

/* Native registers in and out. */
static void vmi_cpuid(u32 r[4])
{
	asm volatile("call *%[fn]"
		     : "+a"(r[0]), "=b"(r[1]), "+c"(r[2]), "=d"(r[3])
		     : [fn] "m"(cpuid_entry)
		     : "cc");
}

static u64 vmi_rdmsr(u32 msr)
{
	u64 v;

	asm volatile("call *%[fn]" : "=A"(v), "+c"(msr) : [fn] "m"(rdmsr_entry) : "cc", "memory");
	return v;
}

static void vmi_wrmsr(u32 msr, u64 value)
{
	asm volatile("call *%[fn]"
		     : "+A"(value), "+c"(msr)
		     : [fn] "m"(wrmsr_entry)
		     : "cc", "memory");
}

/* Linux stores ESP0 in its own TSS too (vmi_load_sp0). */
static void vmi_kernel_stack(u32 ss, u32 esp0)
{
	tss.ss0 = ss;
	tss.esp0 = esp0;
	((void (*)(u32, u32))kernel_stack_entry)(ss, esp0);
}

/* API 13.0 has no flags, and the 32-bit call another order. */
static void set_pte_plain(pte_t value, pte_t *ptep, u32 flags)
{
	(void)flags;
#ifdef PAE
	((void (*)(pte_t, pte_t *))set_pte_entry)(value, ptep);
#else
	((void (*)(pte_t *, pte_t))set_pte_entry)(ptep, value);
#endif
}

/* API 13.x has no announcement of what the guest has written: it is written
 * once more. */
static void update_pte_by_set(pte_t *ptep, u32 flags)
{
	ops.set_pte(*ptep, ptep, flags);
}

static u32 entry_of(u32 call)
{
	u64 reloc = rom_get_reloc(call);

	return (u8)(reloc >> 32) == RELOC_CALL ? (u32)reloc : 0;
}

static void bind_updates13(void)
{
	ops.update_pte = update_pte_by_set;
	if (rom_has_flags())
		return;
#ifdef PAE
	set_pte_entry = rom_slot13(rom_found(), VMI13_SetPxELongPlain);
#else
	set_pte_entry = rom_slot13(rom_found(), VMI13_SetPxEPlain);
#endif
	ops.set_pte = set_pte_plain;
}

void vmi_bind(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(bindings); i++) {
		u64 reloc = rom_get_reloc((u32)bindings[i].call);
		void **member = (void **)((char *)&ops + bindings[i].member);

		if ((u8)(reloc >> 32) == RELOC_CALL)
			*member = (void *)(u32)reloc;
		else if ((u8)(reloc >> 32) == RELOC_NOP)
			*member = (void *)nop;
	}
	if (rom_generation() == 13)
		bind_updates13();
	kernel_stack_entry = entry_of(VMI_UpdateKernelStack);
	if (kernel_stack_entry)
		ops.kernel_stack = vmi_kernel_stack;
	cpuid_entry = entry_of(VMI_CPUID);
	if (cpuid_entry)
		ops.cpuid = vmi_cpuid;
	rdmsr_entry = entry_of(VMI_RDMSR);
	if (rdmsr_entry)
		ops.rdmsr = vmi_rdmsr;
	wrmsr_entry = entry_of(VMI_WRMSR);
	if (wrmsr_entry)
		ops.wrmsr = vmi_wrmsr;
}
