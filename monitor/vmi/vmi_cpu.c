/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMI calls on registers, descriptors and the processor's state.  rom/calls.def says which
 * registers each has.  They are reached through the common stub: their arguments are
 * those of regparm(3), and further ones come by stack_argument().
 */
#include "vmi.h"
#include "monitor/binding.h"
#include "monitor/cpu/access.h"
#include "monitor/cpu/msr.h"
#include "monitor/cpu/segment.h"
#include "monitor/io/events.h"
#include "monitor/life.h"
#include "monitor/life/ends.h"
#include "monitor/monitor.h"

struct table_argument {
	u16 limit;
	u32 base;
} packed;

/* A pointer that cannot be followed is an error in the guest's kernel.  VMI calls have no
 * error results, so nobody can be told of it. */
void read_argument(gva_t at, void *to, u32 bytes)
{
	struct access_fault f;

	if (guest_read(VCPU, at, to, bytes, &f))
		guest_die("VMI call with a pointer to unmapped memory, %08x", at);
}

void write_argument(gva_t at, const void *from, u32 bytes)
{
	struct access_fault f;

	if (guest_write(VCPU, at, from, bytes, &f))
		guest_die("VMI call with a pointer to unmapped memory, %08x", at);
}

void regparm3 vmi_WRMSR(u32 low, u32 high, u32 msr)
{
	msr_write(VCPU, msr, (u64)high << 32 | low);
}

u64 regparm3 vmi_RDMSR(u32 unused1, u32 unused2, u32 msr)
{
	u64 value = 0;

	(void)unused1;
	(void)unused2;
	msr_read(VCPU, msr, &value);
	return value;
}

u64 regparm3 vmi_RDPMC(void)
{
	return 0;
}

void regparm3 vmi_SetGDT(gva_t at)
{
	struct table_argument t;

	read_argument(at, &t, sizeof(t));
	segment_load_gdt(VCPU, t.limit, t.base);
}

void regparm3 vmi_SetIDT(gva_t at)
{
	struct table_argument t;

	read_argument(at, &t, sizeof(t));
	idt_load(VCPU, t.limit, t.base);
}

void regparm3 vmi_GetGDT(gva_t at)
{
	struct table_argument t = {VCPU->gdtr.limit, VCPU->gdtr.base};

	write_argument(at, &t, sizeof(t));
}

void regparm3 vmi_GetIDT(gva_t at)
{
	struct table_argument t = {VCPU->idtr.limit, VCPU->idtr.base};

	write_argument(at, &t, sizeof(t));
}

void regparm3 vmi_SetLDT(u32 selector)
{
	if (!segment_load_ldt(VCPU, (u16)selector))
		guest_die("VMI SetLDT: selector %04x names no LDT", selector & 0xFFFF);
}

void regparm3 vmi_SetTR(u32 selector)
{
	VCPU->tr = (u16)selector;
}

u32 regparm3 vmi_GetLDT(void)
{
	return VCPU->ldtr;
}

u32 regparm3 vmi_GetTR(void)
{
	return VCPU->tr;
}

/* Stores descriptor or gate d at index of a table in the guest's memory.  true if it is in
 * the table that the guest has loaded. */
static bool write_entry(gva_t table, u32 index, u64 d, const struct table_reg *live)
{
	write_argument(table + index * 8, &d, 8);
	return table == live->base && index * 8 + 7 <= live->limit;
}

#define INDEX(index) ((index)&0x1FFFFFFF) /* addresses have 32 bits */

void regparm3 vmi_WriteGDTEntry(gva_t table, u32 index, u32 low)
{
	u64 d = (u64)stack_argument(0) << 32 | low;

	if (write_entry(table, index, d, &VCPU->gdtr))
		segment_gdt_entry(VCPU, INDEX(index), d);
}

void regparm3 vmi_WriteLDTEntry(gva_t table, u32 index, u32 low)
{
	u64 d = (u64)stack_argument(0) << 32 | low;

	if (write_entry(table, index, d, &VCPU->ldt))
		segment_ldt_entry(VCPU, INDEX(index), d);
}

void regparm3 vmi_WriteIDTEntry(gva_t table, u32 index, u32 low)
{
	u64 d = (u64)stack_argument(0) << 32 | low;

	if (write_entry(table, index, d, &VCPU->idtr))
		idt_entry(VCPU, INDEX(index), d);
}

/* Linux passes the kernel's SS as selector, but the specification of 2006 has a pointer to
 * a TSS there.  So it is ignored, and the SS is that which the kernel had at Init. */
void regparm3 vmi_UpdateKernelStack(u32 selector, u32 esp0)
{
	(void)selector;
	VCPU->esp0 = esp0;
	if (VCPU->ts_cleared)
		control_restore_ts(VCPU);
	if (xen_stack_switch(VCPU->kernel_ss, esp0))
		guest_die("Xen refused the kernel stack %04x:%08x", VCPU->kernel_ss, esp0);
}

void regparm3 vmi_SetCR0(u32 value)
{
	control_mov_cr0(VCPU, value);
}

void regparm3 vmi_SetCR3(u32 value)
{
	if (!control_set_cr3(VCPU, value))
		guest_die("VMI SetCR3: no memory at %08x", value);
}

void regparm3 vmi_SetCR4(u32 value)
{
	if ((VCPU->cr4 & CR4_PAE) && !(value & CR4_PAE))
		guest_die("VMI SetCR4 turns PAE off");
	control_set_cr4(VCPU, value);
}

void regparm3 vmi_CLTS(void)
{
	control_set_cr0(VCPU, VCPU->cr0 & ~CR0_TS);
}

void regparm3 vmi_WBINVD(void)
{
}

void regparm3 vmi_SetDR(u32 reg, u32 value)
{
	control_set_dr(VCPU, reg, value);
}

u32 regparm3 vmi_GetDR(u32 reg)
{
	return control_get_dr(VCPU, reg);
}

void regparm3 vmi_SetIOPLMask(u32 mask)
{
	VCPU->iopl = mask >> 12 & 3; /* all port I/O traps, and emul.c asks for it then */
}

/* The first half of Halt.  vmi_fast.asm then enables interrupts, which delivers the one that
 * has ended the wait. */
void regparm3 vmi_HaltWait(void)
{
	control_halt(VCPU);
}

/* The domain has one vCPU.  As on a PC, INIT and STARTUP to an APIC that is not there start
 * nothing. */
void regparm3 vmi_SetInitialAPState(gva_t state, u32 apic_id)
{
	(void)state;
	(void)apic_id;
}

u32 regparm3 vmi_APICRead(u32 reg)
{
	return lapic_read(&VCPU->lapic, reg & (PAGE_SIZE - 1));
}

void regparm3 vmi_APICWrite(u32 reg, u32 value)
{
	lapic_write(&VCPU->lapic, reg & (PAGE_SIZE - 1), value);
	if (events_interrupt()) /* the stub delivers it on its way out */
		irq_raise();
}

void regparm3 vmi_Reboot(void)
{
	domain_shutdown(SHUTDOWN_reboot);
}

void regparm3 vmi_Shutdown(void)
{
	domain_shutdown(SHUTDOWN_poweroff);
}

void regparm3 vmi_absent(u32 site)
{
	guest_die("VMI call that this ROM does not have, from %08x", site);
}
