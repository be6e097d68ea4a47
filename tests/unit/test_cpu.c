/* SPDX-License-Identifier: GPL-2.0-only */
/* Control registers, MSRs, and the VMI calls on the processor's state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain.h"
#include "xenbind/mmu.h"
#include "monitor/vmi/vmi.h"
#include "monitor/binding.h"
#include "monitor/cpu/access.h"
#include "monitor/cpu/msr.h"
#include "monitor/io/events.h"
#include "monitor/life.h"
#include "monitor/monitor.h"
#include "monitor/pv/pv.h"
#include "monitor/vcpu.h"

void vmi_WRMSR(u32 low, u32 high, u32 msr);
u64 vmi_RDMSR(u32 unused1, u32 unused2, u32 msr);
u64 vmi_RDPMC(void);
void vmi_SetGDT(gva_t at);
void vmi_SetIDT(gva_t at);
void vmi_GetGDT(gva_t at);
void vmi_GetIDT(gva_t at);
void vmi_SetLDT(u32 selector);
void vmi_SetTR(u32 selector);
u32 vmi_GetLDT(void);
u32 vmi_GetTR(void);
void vmi_WriteGDTEntry(gva_t table, u32 index, u32 low);
void vmi_WriteLDTEntry(gva_t table, u32 index, u32 low);
void vmi_WriteIDTEntry(gva_t table, u32 index, u32 low);
void vmi_UpdateKernelStack(u32 selector, u32 esp0);
void vmi_SetCR0(u32 value);
void vmi_SetCR3(u32 value);
void vmi_SetCR4(u32 value);
void vmi_CLTS(void);
void vmi_WBINVD(void);
void vmi_SetDR(u32 reg, u32 value);
u32 vmi_GetDR(u32 reg);
void vmi_SetIOPLMask(u32 mask);
void vmi_SetInitialAPState(gva_t state, u32 apic_id);
u32 vmi_APICRead(u32 reg);
void vmi_APICWrite(u32 reg, u32 value);
void vmi_Reboot(void);
void vmi_Shutdown(void);
void vmi_absent(u32 site);

static struct vcpu *const v = VCPU;

static int start(void **state)
{
	(void)state;
	domain_init(true);
	return 0;
}

static void on_stack(u32 n, u32 word)
{
	VCPU->argument[n] = word;
}

static void known_msrs(void **state)
{
	u64 value, later;

	(void)state;
	assert_true(msr_write(v, 0xC0000080, EFER_NXE | 1));
	assert_true(msr_read(v, 0xC0000080, &value));
	assert_int_equal(value, EFER_NXE);
	assert_false(msr_write(v, 0xC0000080, 0x400)); /* long mode */
	assert_true(msr_read(v, 0xC0000080, &value) && value == EFER_NXE);
	assert_true(msr_read(v, 0x10, &value) && msr_read(v, 0x10, &later));
	assert_true(later >= value && value);
	assert_true(msr_read(v, 0x1B, &value)); /* its local APIC is enabled */
	assert_int_equal(value, 0xFEE00900);
	assert_true(msr_read(v, 0x277, &value));
	assert_true(value == 0x0007040600070406ull);
	assert_true(msr_read(v, 0x2FF, &value)); /* all memory is write-back */
	assert_int_equal(value, 0x806);
	assert_true(msr_write(v, 0x2FF, 0));
	for (u32 msr = 0x174; msr <= 0x176; msr++)
		assert_true(msr_write(v, msr, msr * 3));
	assert_true(msr_read(v, 0x175, &value));
	assert_int_equal(value, 0x175 * 3);
}

static void msrs_of_a_cpu_with_mtrrs_are_zero(void **state)
{
	static const u32 zero[] = {0x17, 0x8B, 0xFE, 0x1A0, 0x200, 0x20F, 0x26F, 0xC0010015};
	static const u32 none[] = {0x18, 0x173, 0x177, 0x210, 0x24F, 0x270, 0xC0010016, 0};
	u64 value = 1;

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(zero); i++) {
		assert_true(msr_read(v, zero[i], &value));
		assert_int_equal(value, 0);
		assert_true(msr_write(v, zero[i], 1));
	}
	for (u32 i = 0; i < ARRAY_SIZE(none); i++) {
		assert_false(msr_read(v, none[i], &value));
		assert_false(msr_write(v, none[i], 1));
	}
	assert_true(msr_write(v, 0x10, 1));
}

static void calls_on_msrs(void **state)
{
	(void)state;
	vmi_WRMSR(0x60, 7, 0x174);
	assert_true(vmi_RDMSR(0, 0, 0x174) == (7ull << 32 | 0x60));
	assert_int_equal(vmi_RDMSR(0, 0, 0x12345), 0);
	assert_int_equal(vmi_RDPMC(), 0);
}

static void calls_on_tables(void **state)
{
	u8 *p = PHYS(DATA);

	(void)state;
	vmi_GetGDT(KERNEL(DATA));
	assert_int_equal(*(u16 *)p, GDT_LIMIT);
	vmi_GetIDT(KERNEL(DATA) + 8);
	assert_int_equal(*(u16 *)(p + 8), 0x7FF);
	vmi_SetGDT(KERNEL(DATA));
	assert_int_equal(v->gdtr.base, KERNEL(GDT));
	put_limit_base(DATA, 0x3FF, KERNEL(IDT));
	vmi_SetIDT(KERNEL(DATA));
	assert_int_equal(v->idtr.limit, 0x3FF);
	assert_int_equal(xen.trap[0x80].address, 0);
	vmi_SetTR(TSS_SEL);
	assert_int_equal(vmi_GetTR(), TSS_SEL);
	vmi_SetLDT(LDT_SEL);
	assert_int_equal(vmi_GetLDT(), LDT_SEL);
	assert_dies("selector 0060 names no LDT", vmi_SetLDT(KERNEL_CS));
}

static void bad_pointers_end_the_domain(void **state)
{
	assert_dies("pointer to unmapped memory, 70000000", vmi_SetGDT(0x70000000));
	start(state);
	assert_dies("pointer to unmapped memory, 70000000", vmi_GetIDT(0x70000000));
}

static void calls_on_entries(void **state)
{
	const volatile u64 *gdt = (const volatile u64 *)(uintptr_t)WIN_GDT;
	const volatile u64 *ldt = (const volatile u64 *)(uintptr_t)WIN_LDT;

	(void)state;
	on_stack(0, 0x00CFF200);
	vmi_WriteGDTEntry(KERNEL(GDT), 2, 0x1234FFFF);
	assert_true(((u64 *)PHYS(GDT))[2] == 0x00CFF2001234FFFFull);
	assert_true(gdt[2] == 0x00CFF2001234FFFFull);
	/* Another table, or behind the limit: only the guest's memory. */
	vmi_WriteGDTEntry(KERNEL(DATA), 3, 0x1234FFFF);
	assert_true(((u64 *)PHYS(DATA))[3] == 0x00CFF2001234FFFFull);
	assert_true(gdt[3] == 0);
	vmi_WriteGDTEntry(KERNEL(GDT), 40, 0x1234FFFF);
	assert_true(gdt[40] == 0);
	vmi_SetLDT(LDT_SEL);
	vmi_WriteLDTEntry(KERNEL(LDT), 1, 0x1234FFFF);
	assert_true(ldt[1] == 0x00CFF2001234FFFFull);
	on_stack(0, (HANDLER(9) & 0xFFFF0000) | 0xEF00);
	vmi_WriteIDTEntry(KERNEL(IDT), 0x90, KERNEL_CS << 16 | (HANDLER(9) & 0xFFFF));
	assert_int_equal(xen.trap[0x90].address, HANDLER(9));
	assert_int_equal(xen.trap[0x90].cs, KERNEL_CS | 1);
	assert_int_equal(xen.trap[0x90].flags, 3);
}

static void kernel_stack(void **state)
{
	(void)state;
	vmi_UpdateKernelStack(0x1234, KERNEL(ESP0));
	assert_int_equal(xen.stack_ss, KERNEL_DS | 1);
	assert_int_equal(xen.stack_esp, KERNEL(ESP0));
	assert_int_equal(v->esp0, KERNEL(ESP0));
	xen.answer[__HYPERVISOR_stack_switch] = -22;
	assert_dies("refused the kernel stack", vmi_UpdateKernelStack(0, 1));
}

static void calls_on_control_registers(void **state)
{
	(void)state;
	vmi_SetCR0(v->cr0 | CR0_TS);
	assert_true(xen.ts);
	vmi_CLTS();
	assert_false(xen.ts);
	assert_false(v->cr0 & CR0_TS);
	vmi_SetCR0(v->cr0 | CR0_EM); /* Xen's TS has to do for it */
	vmi_CLTS();
	assert_true(xen.ts);
	vmi_SetCR0(v->cr0 & ~CR0_EM);
	assert_false(xen.ts);
	vmi_SetCR3(TABLES);
	assert_int_equal(v->cr3, TABLES);
	vmi_SetCR4(CR4_PAE | CR4_PSE);
	assert_int_equal(v->cr4, CR4_PAE | CR4_PSE);
	vmi_WBINVD();
	assert_dies("turns paging off", vmi_SetCR0(CR0_PE));
	start(state);
	assert_ends(SHUTDOWN_reboot, vmi_SetCR0(0x10));
	start(state);
	assert_dies("no memory at", vmi_SetCR3(0xFFFFF000));
	start(state);
	assert_dies("turns PAE off", vmi_SetCR4(0));
}

/* Of CR4 Xen is told what it has a use for, when that changes, once in ring 1. */
static void xen_has_its_part_of_cr4(void **state)
{
	(void)state;
	assert_int_equal(xen.cr4_writes, 0);
	vmi_SetCR4(v->cr4 | CR4_PSE);
	assert_int_equal(xen.cr4_writes, 0);
	vmi_SetCR4(v->cr4 | CR4_TSD);
	assert_int_equal(xen.cr4_writes, 1);
	assert_int_equal(xen.cr4 & CR4_TSD, CR4_TSD);
	vmi_SetCR4(v->cr4);
	assert_int_equal(xen.cr4_writes, 1);
	vmi_SetCR4(v->cr4 | CR4_DE);
	vmi_SetCR4(v->cr4 | CR4_OSXSAVE);
	vmi_SetCR4(v->cr4 & ~CR4_TSD);
	assert_int_equal(xen.cr4_writes, 4);
	assert_int_equal(xen.cr4 & (CR4_TSD | CR4_DE | CR4_OSXSAVE), CR4_DE | CR4_OSXSAVE);
	domain_paging(true);
	control_set_cr4(v, v->cr4 | CR4_TSD); /* the kernel is in ring 3 */
	assert_int_equal(xen.cr4_writes, 0);
	control_adopt(v);
	assert_int_equal(xen.cr4 & CR4_TSD, CR4_TSD);
}

/* What the kernel wrote to while WP was clear is read-only again. */
static void wp_takes_effect_at_once(void **state)
{
	struct access_fault f;
	u32 word = 1;

	(void)state;
	assert_int_equal(guest_write(v, USER + PAGE_SIZE, &word, 4, &f), -1);
	vmi_SetCR0(v->cr0 & ~CR0_WP);
	assert_int_equal(guest_write(v, USER + PAGE_SIZE, &word, 4, &f), 0);
	vmi_SetCR0(v->cr0 | CR0_WP);
	assert_int_equal(guest_write(v, USER + PAGE_SIZE, &word, 4, &f), -1);
	assert_int_equal(f.error, PF_P | PF_W);
}

static void debug_registers_and_iopl(void **state)
{
	(void)state;
	vmi_SetDR(0, 0xC0001000);
	assert_int_equal(vmi_GetDR(0), 0xC0001000);
	/* DR6 tells of the last debug exception alone. */
	xen.debugreg[6] = 0xFFFF4FF1;
	control_debug_trap(v);
	assert_int_equal(vmi_GetDR(4), 0xFFFF4FF1);
	assert_int_equal(xen.debugreg[6], 0xFFFF0FF0);
	xen.debugreg[6] = 0xFFFF0FF2;
	control_debug_trap(v);
	assert_int_equal(vmi_GetDR(6), 0xFFFF4FF2);
	vmi_SetDR(6, 0);
	assert_int_equal(vmi_GetDR(6), 0xFFFF0FF0);
	vmi_SetIOPLMask(0x3000);
	assert_int_equal(v->iopl, 3);
}

static void a_debug_trap_without_a_cause_is_a_step(void **state)
{
	(void)state;
	vmi_SetDR(6, 1);
	xen.debugreg[6] = 0xFFFF0FF0;
	control_debug_trap(v);
	assert_int_equal(vmi_GetDR(6), 0xFFFF4FF0);
}

static void local_apic(void **state)
{
	(void)state;
	vmi_SetInitialAPState(0, 1);
	assert_int_equal(vmi_APICRead(0xFEE00000 | LAPIC_VERSION), lapic_read(&VCPU->lapic, 0x30));
	vmi_APICWrite(LAPIC_SVR, 0x1FF);
	assert_int_equal(vmi_APICRead(LAPIC_SVR), 0x1FF);
	XEN_VCPU->evtchn_upcall_pending = 0;
	vmi_APICWrite(LAPIC_ICR, 0x40041); /* an IPI to itself */
	assert_true(events_interrupt());
	assert_int_equal(XEN_VCPU->evtchn_upcall_pending, 1);
	assert_int_equal(events_ack(), 0x41);
}

static void ends(void **state)
{
	assert_ends(SHUTDOWN_reboot, vmi_Reboot());
	start(state);
	assert_ends(SHUTDOWN_poweroff, vmi_Shutdown());
	start(state);
	assert_dies("does not have, from 00001234", vmi_absent(0x1234));
}

static void the_counters_come_last(void **state)
{
	(void)state;
	MON->start.counters = true;
	assert_ends(SHUTDOWN_poweroff, vmi_Shutdown());
	assert_non_null(strstr(xen.console, "vmixen: counter pool: size=128"));
}

/* xl shutdown and xl reboot. */
static void what_xl_asks(void **state)
{
	(void)state;
	MON->orders.word[0] = 'x';
	domain_order(ORDER_UNKNOWN);
	assert_non_null(strstr(xen.console, "asks for \"x\""));
	domain_order(ORDER_BROKEN);
	assert_non_null(strstr(xen.console, "xenstore does not answer"));
	domain_order(ORDER_NOTHING);
	/* No ACPI, no keyboard interrupt. */
	domain_order(ORDER_POWEROFF);
	assert_non_null(strstr(xen.console, "xl destroy ends it"));
	/* A guest that hears the power button, and then reboots. */
	port_out(v, 0xB2, 1, PM_ACPI_ENABLE);
	port_out(v, 0x603, 1, 1);
	domain_order(ORDER_POWEROFF);
	assert_int_equal(MON->shutdown_order.reason, SHUTDOWN_poweroff);
	assert_ends(SHUTDOWN_poweroff, vmi_Reboot());
	start(state);
	port_out(v, 0xB2, 1, PM_ACPI_ENABLE);
	port_out(v, 0x603, 1, 1);
	domain_order(ORDER_REBOOT);
	assert_ends(SHUTDOWN_reboot, vmi_Shutdown());
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(known_msrs, start),
		cmocka_unit_test_setup(msrs_of_a_cpu_with_mtrrs_are_zero, start),
		cmocka_unit_test_setup(calls_on_msrs, start),
		cmocka_unit_test_setup(calls_on_tables, start),
		cmocka_unit_test_setup(bad_pointers_end_the_domain, start),
		cmocka_unit_test_setup(calls_on_entries, start),
		cmocka_unit_test_setup(kernel_stack, start),
		cmocka_unit_test_setup(calls_on_control_registers, start),
		cmocka_unit_test_setup(xen_has_its_part_of_cr4, start),
		cmocka_unit_test_setup(wp_takes_effect_at_once, start),
		cmocka_unit_test_setup(debug_registers_and_iopl, start),
		cmocka_unit_test_setup(a_debug_trap_without_a_cause_is_a_step, start),
		cmocka_unit_test_setup(local_apic, start),
		cmocka_unit_test_setup(ends, start),
		cmocka_unit_test_setup(the_counters_come_last, start),
		cmocka_unit_test_setup(what_xl_asks, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
