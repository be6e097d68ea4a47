/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each call with the arguments that its kind is given; see fuzz.c.
 *
 * A family sets right again, by the same calls, what its call may have done to
 * the kernel that runs this.
 */
#include "fuzz_own.h"
#include "irq.h"
#include "proc.h"
#include "rom.h"
#include "trap.h"

/* --- making a call ------------------------------------------------------------------ */

static u32 address_of(u32 row)
{
	const struct call_info *c = &call_table[row];
	u64 reloc = rom_generation() == 3 && c->id >= 0 ? rom_get_reloc((u32)c->id) : 0;
	const struct rom_header *rom13 = rom_found13();

	if ((u8)(reloc >> 32) == RELOC_CALL && (one_in(2) || !rom13 || c->slot < 0)) {
		u32 slot = rom_slot3(rom_found(), c->id);

		return slot && one_in(3) ? slot : (u32)reloc;
	}
	return rom13 && c->slot >= 0 ? rom_slot13(rom13, c->slot) : (u32)reloc;
}

static void go(u32 row, u32 eax, u32 edx, u32 ecx)
{
	vmi_call.fn = address_of(row);
	if (!vmi_call.fn)
		return;
	own.last_row = row;
	vmi_call.in[OUT_EAX] = eax;
	vmi_call.in[OUT_EDX] = edx;
	vmi_call.in[OUT_ECX] = ecx;
	vmi_call_run();
}

static void stack_words(u32 a, u32 b)
{
	vmi_call.stack[0] = a;
	vmi_call.stack[1] = b;
}

/* --- families of calls: a row of calls.def and its arguments ---------------------------- */

static void f_plain(u32 row)
{
	go(row, any(), any(), any());
}

static void f_table_register(u32 row)
{
	u32 at = pointer(6);

	if (at - (u32)page_address(own.page) < PAGE_SIZE) {
		*(u16 *)at = (u16)any();
		*(u32 *)(at + 2) = one_in(2) ? (u32)gdt_table : below(PAGE_OFFSET);
	}
	irq_disable();
	go(row, at, any(), any());
	ops.set_gdt(&(struct desc_ptr){255, (u32)gdt_table});
	ops.set_idt(&(struct desc_ptr){2047, (u32)idt_table});
}

static void f_store(u32 row)
{
	go(row, pointer(6), any(), any());
}

static void f_selector(u32 row)
{
	go(row, own.wild && one_in(20) ? any() : SEL_LDT | (rnd() & 0xffff0000), any(), any());
}

/* The kernel's own descriptors stay. */
static void f_gdt_entry(u32 row)
{
	u32 index = 32 + below(480);

	stack_words(any(), any());
	if (own.wild && one_in(20))
		go(row, bad_pointer(), any(), any());
	else if (one_in(2))
		go(row, (u32)gdt_table, index, any());
	else
		go(row, pointer(8), 0, any());
}

static void f_ldt_entry(u32 row)
{
	stack_words(any(), any());
	if (own.wild && one_in(20))
		go(row, bad_pointer(), any(), any());
	else
		go(row, (u32)own.ldt, below(LDT_ENTRIES), any());
}

static void f_idt_entry(u32 row)
{
	u32 vector = below(256);
	struct descriptor usual = idt_table[vector];

	irq_disable();
	stack_words(one_in(2) ? any() : (any() & 0xffff0000) | 0x8e00, any());
	go(row, own.wild && one_in(20) ? bad_pointer() : (u32)idt_table, vector, any());
	ops.write_idt(idt_table, vector, usual.lo, usual.hi);
}

static void f_kernel_stack(u32 row)
{
	irq_disable();
	go(row, any(), any(), any());
	ops.kernel_stack(SEL_KERNEL_DS, own.user_stack);
}

static void f_cr0(u32 row)
{
	irq_disable();
	go(row, own.wild && one_in(20) ? any() : any() | CR0_PG | 1, any(), any());
	ops.set_cr0(own.cr0);
}

static void f_cr3(u32 row)
{
	const u32 tops[] = {ops.get_cr3(), virt_to_phys(own.space.pgd), virt_to_phys(init_mm.pgd),
			    own.page << PAGE_SHIFT, own.table << PAGE_SHIFT};
	/* Where the processor walks the guest's own tables, one without the kernel is its end. */
	u32 n = in_own_domain() && !own.wild ? 3 : ARRAY_SIZE(tops);

	irq_disable();
	go(row, own.wild && one_in(30) ? any() : tops[below(n)] | below(32), any(), any());
	ops.inval_page(any());
	try_read(REGION + below(0x200000), NULL);
	try_read(UVA + below(0x200000), NULL);
	ops.set_cr3(virt_to_phys((one_in(2) ? &init_mm : &own.space)->pgd));
}

static void f_cr4(u32 row)
{
	irq_disable();
	go(row, own.wild && one_in(20) ? any() : (any() & ~CR4_PAE) | (own.cr4 & CR4_PAE), any(),
	   any());
	ops.set_cr4(own.cr4);
}

static void f_dr(u32 row)
{
	irq_disable();
	go(row, one_in(2) ? below(8) : any(), any(), any());
	ops.set_dr(7, 0);
	ops.set_dr(6, 0);
}

static void f_msr(u32 row)
{
	static const u32 known[] = {0x10,	0x1b,	    0x174, 0x175,      0x176,
				    0x277,	0x200,	    0x2ff, 0xc0000080, 0xc0000081,
				    0xc0010010, 0xc0000102, 0xfe,  0x1a0,      0x8b};
	u64 efer = ops.rdmsr(0xc0000080);

	go(row, any(), any(), one_in(2) ? known[below(ARRAY_SIZE(known))] : any());
	try_wrmsr(0xc0000080, efer);
}

static void f_set_entry(u32 row)
{
	u32 ptep = entry_pointer(4);

	/* pte, ptep, flags, or the order of 13.x: both halves are one of them */
	if (row == ROW_SetPxE)
		go(row, an_entry(), ptep, update_flags());
	else
		go(row, ptep, row == ROW_GetPxE ? any() : an_entry(), any());
}

static void f_bit(u32 row)
{
	go(row, entry_pointer(8), any(), any());
}

static void f_set_long(u32 row)
{
	stack_words(update_flags(), any());
	go(row, an_entry(), one_in(4) ? any() : below(2) << 31, entry_pointer(8));
}

static void f_ptep(u32 row)
{
	go(row, entry_pointer(8), update_flags(), any());
}

static void f_page(u32 row)
{
	stack_words(any(), any());
	go(row, a_frame(), any(), any());
}

/* Slot 0 as it is, the others where no table is named. */
static void f_linear(u32 row)
{
	u32 slot = 1 + below(8);

	stack_words(any(), any());
	if (own.wild && one_in(20))
		go(row, any(), any(), any());
	else
		go(row, one_in(4) ? any() | 4 : slot, below(PAGE_OFFSET - 0x1000000), below(64));
}

static bool guest_owns(u32 port)
{
	/* what would end the guest or silence it: 8259, 8042, UART, power, reset */
	return port - 0x20 < 2 || port - 0x60 < 5 || port == 0x92 || port - 0xa0 < 2 ||
	       port - 0xb2 < 2 || port - 0x3f8 < 8 || port == 0xe9 || port - 0x4d0 < 2 ||
	       port - 0x600 < 0x10 || port - 0xcf8 < 8;
}

static u32 a_port(void)
{
	u32 port;

	do {
		port = any() & 0xffff;
	} while ((!own.wild || !one_in(40)) && (guest_owns(port) || guest_owns(port + 1) ||
						guest_owns(port + 2) || guest_owns(port + 3)));
	return (any() & 0xffff0000) | port;
}

static void f_port(u32 row)
{
	u32 bytes = 64;

	vmi_call.in[OUT_ESI] = vmi_call.in[OUT_EDI] = pointer(bytes);
	go(row, any(), a_port(), below(bytes / 4 + 1));
}

static void f_apic(u32 row)
{
	u32 reg = one_in(3) ? any() : below(64) << 4, value = any();

	/* a vector of an exception is the guest's own end */
	if ((!own.wild || !one_in(20)) && (reg & 0xfff) >= APIC_ICR && (reg & 0xfff) <= 0x370)
		value = (value & ~0xffu) | (0x40 + below(0x40));
	go(row, reg, value, any());
}

static void f_alarm(u32 row)
{
	u64 now = ops.cycle_counter(COUNTER_REAL) + any();
	u32 flags = one_in(2) ? any() : below(3) | (rnd() & (ALARM_PERIODIC | ALARM_LVTT));

	stack_words(any(), one_in(2) ? 0 : any());
	if (one_in(2))
		go(row, flags, (u32)now, (u32)(now >> 32));
	else
		go(row, flags, any(), any());
}

static void f_halt(u32 row)
{
	irq_disable();
	apic_as_found();
	pic_init();
	ops.set_alarm(COUNTER_REAL, ops.cycle_counter(COUNTER_REAL) + 10000, 0);
	go(row, any(), any(), any());
}

static u32 a_selector(void)
{
	static const u32 some[] = {0,		SEL_KERNEL_CS, SEL_KERNEL_DS, SEL_USER_CS,
				   SEL_USER_DS, SEL_TSS,       SEL_LDT,	      SEL_PERCPU,
				   SEL_TLS,	0xfff8,	       0x0f};

	return one_in(4) ? below(0x200) : some[below(ARRAY_SIZE(some))] | below(4);
}

/* A return that cannot be made, or that ends in a fault of user mode at once. */
static void f_iret(u32 row)
{
	u32 frame[9] = {below(0x10000), a_selector(), any(),	    any(),	 a_selector(),
			a_selector(),	a_selector(), a_selector(), a_selector()};

	(void)row;
	if ((frame[1] & 3) != 3 && !(frame[2] & EFLAGS_VM))
		frame[0] = (u32)iret_caught;
	iret_with_frame(frame);
	/* TF is kept by a return to the kernel: a step with a bad IDT is its end. */
	asm volatile("pushf; andl $~0x100, (%%esp); popf" ::: "cc", "memory");
	irq_disable();
}

static void f_sysexit(u32 row)
{
	(void)row;
	set_sysenter_cs(one_in(2) ? SEL_KERNEL_CS : a_selector());
	sysexit_with(below(0x10000), any());
	irq_disable();
}

static void f_lazy(u32 row)
{
	go(row, one_in(2) ? below(3) : any(), any(), any());
}

/* The end, if the dice say so. */
static void f_end(u32 row)
{
	if (own.wild && one_in(20))
		go(row, any(), any(), any());
}

const struct fuzz_family fuzz_families[] = {
	{ROW_CPUID, f_plain},
	{ROW_WRMSR, f_msr},
	{ROW_RDMSR, f_msr},
	{ROW_SetGDT, f_table_register},
	{ROW_SetLDT, f_selector},
	{ROW_SetIDT, f_table_register},
	{ROW_SetTR, f_plain},
	{ROW_GetGDT, f_store},
	{ROW_GetLDT, f_plain},
	{ROW_GetIDT, f_store},
	{ROW_GetTR, f_plain},
	{ROW_WriteGDTEntry, f_gdt_entry},
	{ROW_WriteLDTEntry, f_ldt_entry},
	{ROW_WriteIDTEntry, f_idt_entry},
	{ROW_UpdateKernelStack, f_kernel_stack},
	{ROW_SetCR0, f_cr0},
	{ROW_SetCR2, f_plain},
	{ROW_SetCR3, f_cr3},
	{ROW_SetCR4, f_cr4},
	{ROW_GetCR0, f_plain},
	{ROW_GetCR2, f_plain},
	{ROW_GetCR3, f_plain},
	{ROW_GetCR4, f_plain},
	{ROW_INVD, f_plain},
	{ROW_WBINVD, f_plain},
	{ROW_SetDR, f_dr},
	{ROW_GetDR, f_dr},
	{ROW_RDPMC, f_plain},
	{ROW_RDTSC, f_plain},
	{ROW_CLTS, f_plain},
	{ROW_EnableInterrupts, f_plain},
	{ROW_DisableInterrupts, f_plain},
	{ROW_GetInterruptMask, f_plain},
	{ROW_SetInterruptMask, f_plain},
	{ROW_IRET, f_iret},
	{ROW_SYSEXIT, f_sysexit},
	{ROW_Pause, f_plain},
	{ROW_Halt, f_halt},
	{ROW_Reboot, f_end},
	{ROW_Shutdown, f_end},
	{ROW_SetPxE, f_set_entry},
	{ROW_SetPxEPlain, f_set_entry},
	{ROW_GetPxE, f_set_entry},
	{ROW_SwapPxE, f_set_entry},
	{ROW_SetPxELong, f_set_long},
	{ROW_SetPxELongPlain, f_set_long},
	{ROW_GetPxELong, f_ptep},
	{ROW_SwapPxELongAtomic, f_set_long},
	{ROW_TestAndSetPxEBit, f_bit},
	{ROW_TestAndClearPxEBit, f_bit},
	{ROW_UpdatePxE, f_ptep},
	{ROW_UpdatePxELong, f_ptep},
	{ROW_MachineToPhysical, f_plain},
	{ROW_PhysicalToMachine, f_plain},
	{ROW_AllocatePage, f_page},
	{ROW_ReleasePage, f_page},
	{ROW_InvalPage, f_plain},
	{ROW_FlushTLB, f_plain},
	{ROW_FlushDeferredCalls, f_plain},
	{ROW_SetLinearMapping, f_linear},
	{ROW_IN, f_port},
	{ROW_INB, f_port},
	{ROW_INW, f_port},
	{ROW_INS, f_port},
	{ROW_INSB, f_port},
	{ROW_INSW, f_port},
	{ROW_OUT, f_port},
	{ROW_OUTB, f_port},
	{ROW_OUTW, f_port},
	{ROW_OUTS, f_port},
	{ROW_OUTSB, f_port},
	{ROW_OUTSW, f_port},
	{ROW_SetIOPLMask, f_plain},
	{ROW_DeactivatePxELongAtomic, f_ptep},
	{ROW_TestAndSetPxELongBit, f_bit},
	{ROW_TestAndClearPxELongBit, f_bit},
	{ROW_SetInitialAPState, f_plain},
	{ROW_APICWrite, f_apic},
	{ROW_APICRead, f_apic},
	{ROW_IODelay, f_plain},
	{ROW_GetCycleFrequency, f_plain},
	{ROW_GetCycleCounter, f_plain},
	{ROW_SetAlarm, f_alarm},
	{ROW_CancelAlarm, f_plain},
	{ROW_GetWallclockTime, f_plain},
	{ROW_WallclockUpdated, f_plain},
	{ROW_SetLazyMode, f_lazy},
	{ROW_GetRelocationInfo, f_plain},
};

_Static_assert(ARRAY_SIZE(fuzz_families) == FUZZ_FAMILIES, "every call but the unassigned one");
