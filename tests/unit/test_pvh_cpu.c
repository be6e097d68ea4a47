/* SPDX-License-Identifier: GPL-2.0-only */
/* The processor's registers, tables and gates in the PVH binding, and VMI_Init. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "monitor/pvh/cpu_pvh.h"
#include "monitor/pvh/pvh.h"
#include "pvh/processor.h"
#include "monitor/vmi/vmi.h"
#include "monitor/binding.h"
#include "monitor/emul/decode.h"
#include "monitor/monitor.h"
#include "monitor/pv/pv.h"
#include "monitor/vcpu.h"

#include <xen/hvm/hvm_op.h>

#define HIDDEN_EDX (1u << 1 | 1u << 7 | 1u << 11 | 1u << 12 | 1u << 13 | 1u << 14 | 1u << 16)
#define APIC (1u << 9)

static struct vcpu *const v = VCPU;

static u32 trap_entry(u32 vector)
{
	return WIN_TEXT + 0x3000 + vector * 16;
}

/* --- control registers ------------------------------------------------------------------ */

/* Each write leaves the domain. */
static void ts_is_the_processors_only_before_user_mode(void **state)
{
	u32 writes;

	(void)state;
	domain_init(false);
	writes = cpu.cr0_writes;
	vmi_SetCR0(v->cr0 | CR0_TS);
	assert_int_equal(cpu.cr0_writes, writes);
	assert_int_equal(v->ts_due, 1);
	assert_true(v->cr0 & CR0_TS);
	vmi_SetCR0(v->cr0 & ~CR0_TS);
	assert_int_equal(cpu.cr0_writes, writes);
	assert_int_equal(v->ts_due, 0);
	v->ts_real = 1; /* as IRET has made it */
	vmi_SetCR0(v->cr0 | CR0_TS);
	assert_int_equal(v->ts_due, 0);
	assert_int_equal(cpu.cr0_writes, writes);
	vmi_SetCR0(v->cr0 & ~CR0_TS);
	assert_int_equal(cpu.cr0_writes, writes + 1);
	assert_int_equal(cpu.cr0 & CR0_TS, 0);
	assert_int_equal(v->ts_real, 0);
}

static void other_bits_of_cr0_are_the_processors_at_once(void **state)
{
	(void)state;
	domain_init(false);
	vmi_SetCR0((v->cr0 | CR0_EM) & ~CR0_WP);
	assert_int_equal(cpu.cr0 & (CR0_EM | CR0_WP | CR0_PG | CR0_PE), CR0_EM | CR0_PG | CR0_PE);
	vmi_SetCR0(v->cr0 | 0x60000000); /* the caches stay as Xen has them */
	assert_int_equal(cpu.cr0 & 0x60000000, 0);
	assert_true(v->cr0 & 0x60000000);
}

static void the_fpu_is_off_by_either_bit(void **state)
{
	(void)state;
	domain_init(false);
	assert_false(control_fpu_is_off(v));
	v->cr0 |= CR0_TS;
	assert_true(control_fpu_is_off(v));
	v->cr0 = (v->cr0 & ~CR0_TS) | CR0_EM;
	assert_true(control_fpu_is_off(v));
}

static void cr4_is_the_guests_where_it_may_be(void **state)
{
	(void)state;
	domain_init(false);
	control_set_cr4(v, CR4_TSD | CR4_DE | 0x80 | 0x600);
	assert_int_equal(cpu.cr4, CR4_TSD | CR4_DE | CR4_PSE | 0x600); /* no global pages */
	domain_init(true);
	assert_true(cpu.cr4 & CR4_PAE);
}

static void nx_is_the_processors(void **state)
{
	(void)state;
	domain_init(true);
	control_set_nx(v, EFER_NXE);
	assert_int_equal(cpu.msr, 0xC0000080);
	assert_int_equal(cpu.msr_low, EFER_NXE);
	assert_int_equal(v->efer, EFER_NXE);
}

static void cr2_is_the_processors(void **state)
{
	(void)state;
	domain_init(false);
	control_set_cr2(v, 0x12345678);
	assert_int_equal(cpu.cr2, 0x12345678);
	cpu.cr2 = 0x87654321;
	assert_int_equal(control_get_cr2(v), 0x87654321);
}

/* --- debug registers ---------------------------------------------------------------------- */

static void debug_registers_are_the_processors_but_dr6(void **state)
{
	(void)state;
	domain_init(false);
	vmi_SetDR(1, 0x1111);
	assert_int_equal(cpu.dr[1], 0x1111);
	assert_int_equal(vmi_GetDR(1), 0x1111);
	cpu.dr[6] = 0x55;
	vmi_SetDR(6, 3);
	assert_int_equal(cpu.dr[6], 0x55);
	assert_int_equal(vmi_GetDR(6), 0xFFFF0FF3);
	assert_int_equal(vmi_GetDR(4), 0xFFFF0FF3); /* 4 is 6, and 5 is 7 */
	vmi_SetDR(5, 0x2401);			    /* GD would stop the monitor itself */
	assert_int_equal(cpu.dr[7], 0x401);
	assert_int_equal(vmi_GetDR(7), 0x401);
}

static void a_trap_replaces_what_the_last_one_told(void **state)
{
	(void)state;
	domain_init(false);
	vmi_SetDR(6, 0x8001);
	cpu.dr[6] = 0xFFFF0FF4;
	control_debug_trap(v);
	assert_int_equal(vmi_GetDR(6), 0xFFFF8FF4);
	assert_int_equal(cpu.dr[6], 0xFFFF0FF0);
	control_single_step(v);
	assert_int_equal(vmi_GetDR(6) & 0x400F, 0x4000);
}

/* --- the question for the ring ------------------------------------------------------------- */

static void ask(u32 at, const char *code, u32 bytes)
{
	memcpy(PHYS(at), code, bytes);
	v->r.eip = at;
	cpu.dr[6] = 0xFFFF0FF4;
	trap(EXC_DB, false, 0);
}

static void who_asks_for_its_ring_is_told_ring_0(void **state)
{
	(void)state;
	domain_start();
	assert_int_equal(cpu.dr[2], 0x100000);
	assert_int_equal(cpu.dr[3], 0x400000);
	assert_int_equal(cpu.dr[7], 0x50);
	ask(0x100000, "\x8C\xC8\xA9\x03\x00\x00\x00\x0F\x85\x11\x22\x33\x44", 13);
	assert_int_equal(frame(0), 0x100000 + 13);
	assert_int_equal(v->r.gpr[GPR_EAX], 0x10);
	ask(0x100000, "\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90", 13);
	assert_int_equal(frame(0), 0x100000);
	assert_int_equal(frame(2) & EFLAGS_RF, EFLAGS_RF);
}

static void after_init_nobody_is(void **state)
{
	(void)state;
	domain_init(false);
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(cpu.dr[i], 0);
	assert_int_equal(cpu.dr[7], 0);
	v->r.eip = 0x100000;
	assert_false(prelude_breakpoint(v));
}

/* --- gates ----------------------------------------------------------------------------------- */

static void before_init_every_gate_is_the_monitors(void **state)
{
	(void)state;
	domain_paging(false);
	for (u32 i = 0; i < VEC_FIRST; i++) {
		assert_int_equal(gate_at(WIN_IDT, i), trap_entry(i));
		assert_int_equal(gate_cs(WIN_IDT, i), OWN_CS0);
		assert_int_equal(gate_type(WIN_IDT, i), 0x8E);
	}
	assert_int_equal(cpu.idt, WIN_IDT);
}

static void after_init_the_guests_gates_lead_to_the_guest(void **state)
{
	(void)state;
	domain_init(false);
	assert_int_equal(gate_at(WIN_IDT, 0x80), HANDLER(0x80)); /* a trap gate, DPL 3 */
	assert_int_equal(gate_cs(WIN_IDT, 0x80), KERNEL_CS | 1);
	assert_int_equal(gate_type(WIN_IDT, 0x80), 0xEF);
	assert_int_equal(gate_at(WIN_IDT, 0x20), trap_entry(0x20)); /* an interrupt gate */
	assert_int_equal(gate_type(WIN_IDT, 0x20), 0x8E);
	/* Exceptions go by instructions of the ROM's in ring 1. */
	assert_int_equal(gate_at(WIN_IDT, EXC_PF),
			 WIN_TEXT + exception_code_offset[0] + (EXC_PF * 2 + 1) * 64);
	assert_int_equal(gate_cs(WIN_IDT, EXC_PF), KERNEL_CS | 1);
	assert_int_equal(gate_type(WIN_IDT, EXC_PF), 0x8F);
	assert_int_equal(gate_type(WIN_IDT, EXC_BP), 0xEF);
	assert_int_equal(v->handler[EXC_PF], HANDLER(EXC_PF));
	static const u8 kept[] = {EXC_DB, EXC_NMI, EXC_DF, EXC_NP, EXC_SS, EXC_GP};
	for (u32 i = 0; i < ARRAY_SIZE(kept); i++)
		assert_int_equal(gate_at(WIN_IDT, kept[i]), trap_entry(kept[i]));
}

static void the_roms_own_vectors_stay_its_own(void **state)
{
	(void)state;
	domain_init(false);
	for (u32 i = 0; i < VEC_COUNT; i++) {
		assert_int_equal(gate_at(WIN_IDT, VEC_FIRST + i), WIN_TEXT + 0x700);
		assert_int_equal(gate_cs(WIN_IDT, VEC_FIRST + i), OWN_CS0);
		/* the kernel may, user mode may not; and nobody but Xen its events' */
		assert_int_equal(gate_type(WIN_IDT, VEC_FIRST + i), i ? 0xAE : 0x8E);
	}
}

static void a_gate_that_leads_nowhere_is_the_monitors(void **state)
{
	(void)state;
	domain_init(false);
	call_in_ring0();
	vmi_WriteIDTEntry(KERNEL(IDT), 0x80, 0);
	assert_int_equal(gate_at(WIN_IDT, 0x80), trap_entry(0x80));
	assert_int_equal(gate_type(WIN_IDT, 0x80), 0x8E);
	idt_entry(v, 256, 0); /* there is none */
}

/* A processor wants gates into ring 0 there. */
static void virtual_8086_mode_has_gates_of_its_own(void **state)
{
	(void)state;
	domain_init(false);
	for (u32 i = 0; i < 256; i++) {
		u32 at = i == VEC_EVENT ? WIN_TEXT + 0x700 : trap_entry(i);

		assert_int_equal(gate_at(WIN_IDT_V86, i), at);
		assert_int_equal(gate_cs(WIN_IDT_V86, i), OWN_CS0);
		assert_int_equal(gate_type(WIN_IDT_V86, i), i == 3 || i == 4 ? 0xEE : 0x8E);
	}
	idt_use_v86(v, true);
	assert_int_equal(cpu.idt, WIN_IDT_V86);
	cpu.idt = 0;
	idt_use_v86(v, true); /* it is so already */
	assert_int_equal(cpu.idt, 0);
	idt_use_v86(v, false);
	assert_int_equal(cpu.idt, WIN_IDT);
}

/* --- CPUID ------------------------------------------------------------------------------------ */

static void answer(u32 leaf, u32 a, u32 b, u32 c, u32 d)
{
	const u32 regs[] = {a, b, c, d};

	memcpy(cpu.cpuid, regs, sizeof(regs));
	v->r.gpr[GPR_EAX] = leaf;
	cpu_cpuid(v);
}

static void cpuid_hides_what_the_guest_cannot_use(void **state)
{
	(void)state;
	domain_init(false);
	answer(1, 0x6FB, 0x12345678, ~0u, ~0u & ~APIC);
	assert_int_equal(v->r.gpr[GPR_EAX], 0x6FB);
	assert_int_equal(v->r.gpr[GPR_EBX], 0x345678); /* APIC number 0 */
	assert_int_equal(v->r.gpr[GPR_EDX] & HIDDEN_EDX, 0);
	assert_int_equal(v->r.gpr[GPR_EDX] & APIC, APIC);
	assert_true(v->r.gpr[GPR_EDX] & 1u << 4);	   /* TSC */
	assert_int_equal(v->r.gpr[GPR_ECX] & 1u << 26, 0); /* XSAVE */
	assert_int_equal(v->r.gpr[GPR_ECX] & 1u << 3, 0);  /* MONITOR */
	answer(0x80000001, 0, 0, ~0u, ~0u);
	assert_int_equal(v->r.gpr[GPR_EDX] & (1u << 11 | 1u << 29), 0); /* SYSCALL, long mode */
	assert_true(v->r.gpr[GPR_EDX] & 1u << 20);			/* NX */
	answer(0, 13, 1, 2, 3);
	assert_int_equal(v->r.gpr[GPR_EAX], 13);
	assert_int_equal(v->r.gpr[GPR_EDX], 3);
}

static void rdtsc_is_the_kernels_although_user_mode_may_not(void **state)
{
	struct insn insn = {.op = INSN_RDTSC};

	(void)state;
	domain_init(false);
	assert_true(cpu_unprivileged(v, &insn));
	domain_user();
	assert_false(cpu_unprivileged(v, &insn));
	insn.op = INSN_CPUID;
	assert_true(cpu_unprivileged(v, &insn));
	insn.op = INSN_HLT;
	assert_false(cpu_unprivileged(v, &insn));
}

/* --- tables ----------------------------------------------------------------------------------- */

static u64 descriptor(u32 selector)
{
	return ((u64 *)(WIN_GDT))[selector >> 3];
}

static void the_processors_table_has_what_ring_0_needs(void **state)
{
	const u32 *tss = (u32 *)WIN_TSS;

	(void)state;
	domain_init(false);
	assert_int_equal(descriptor(OWN_CS0), 0x00CF9B000000FFFFull);
	assert_int_equal(descriptor(OWN_DS0), 0x00CF93000000FFFFull);
	assert_int_equal(descriptor(OWN_TSS) >> 40 & 0xFF, 0x89);
	assert_int_equal(cpu.tr, OWN_TSS);
	assert_int_equal(tss[1], WIN_STACK_TOP);
	assert_int_equal(tss[2], OWN_DS0);
	assert_int_equal(tss[4], KERNEL_DS | 1);
	assert_int_equal(tss[25] >> 16, 104); /* no port is let through */
}

static void the_guests_descriptors_have_dpl_1(void **state)
{
	(void)state;
	domain_init(false);
	assert_int_equal(descriptor(KERNEL_CS) >> 45 & 3, 1);
	assert_int_equal(descriptor(USER_CS) >> 45 & 3, 3);
	assert_int_equal(descriptor(TSS_SEL), 0); /* system descriptors are only the guest's */
	assert_int_equal(v->gdt_entries, (GDT_LIMIT + 1) / 8);
}

static void an_ldt_is_the_processors_as_long_as_it_is(void **state)
{
	(void)state;
	domain_init(false);
	call_in_ring0();
	((u64 *)PHYS(LDT))[1] = 0x00CFF2000000FFFFull;
	vmi_SetLDT(LDT_SEL);
	assert_int_equal(cpu.ldt, OWN_LDT);
	assert_int_equal(descriptor(OWN_LDT) & 0xFFFF, 0x3F);
	assert_int_equal(((u64 *)WIN_LDT)[1] & ~(1ull << 40), 0x00CFF2000000FFFFull);
	vmi_SetLDT(0);
	assert_int_equal(cpu.ldt, 0);
}

/* --- start and Init ------------------------------------------------------------------------------
 */

static void a_domain_asks_for_its_events_and_for_cpuid(void **state)
{
	const u8 *entry = (u8 *)WIN_HYPERCALL + 32 * __HYPERVISOR_sched_op;
	s32 to;

	(void)state;
	domain_start();
	assert_int_equal(xen_last(__HYPERVISOR_hvm_op)->arg[0], HVMOP_set_param);
	assert_int_equal(cpu.msr, 0x140);
	assert_int_equal(cpu.msr_low, 1);
	assert_int_equal(frame(1), 0x11);
	assert_int_equal(frame(2), 2);
	assert_int_equal(frame(0), MON->start.code32);
	memcpy(&to, entry + 6, 4);
	assert_int_equal(entry[5], 0xE9);
	assert_int_equal((u32)(uintptr_t)entry + 10 + (u32)to, WIN_TEXT + 0x800);
}

static void init_needs_paging_and_a_stack(void **state)
{
	(void)state;
	domain_start();
	v->r.eip = CODE;
	vmi_init(v);
	assert_false(v->paravirtual);
	assert_int_equal(v->r.gpr[GPR_EAX], 0xFFFFFFFF);
	assert_int_equal(v->r.eip, CODE + 6);
	domain_paging(false);
	v->r.gpr[GPR_ESP] = 0x70000000;
	vmi_init(v);
	assert_false(v->paravirtual);
}

static void init_returns_in_ring_1_with_interrupts_off(void **state)
{
	(void)state;
	domain_paging(false);
	v->r.eflags |= EFLAGS_IF;
	v->r.gpr[GPR_ESP] -= 4;
	*(u32 *)(uintptr_t)v->r.gpr[GPR_ESP] = KERNEL(CODE + 7);
	vmi_init(v);
	assert_true(v->paravirtual);
	assert_int_equal(v->r.eip, KERNEL(CODE + 7));
	assert_int_equal(v->r.gpr[GPR_EAX], 0);
	assert_int_equal(v->r.eflags & EFLAGS_IF, 0);
	assert_int_equal(v->kernel_ss, KERNEL_DS | 1);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ts_is_the_processors_only_before_user_mode),
		cmocka_unit_test(other_bits_of_cr0_are_the_processors_at_once),
		cmocka_unit_test(the_fpu_is_off_by_either_bit),
		cmocka_unit_test(cr4_is_the_guests_where_it_may_be),
		cmocka_unit_test(nx_is_the_processors),
		cmocka_unit_test(cr2_is_the_processors),
		cmocka_unit_test(debug_registers_are_the_processors_but_dr6),
		cmocka_unit_test(a_trap_replaces_what_the_last_one_told),
		cmocka_unit_test(who_asks_for_its_ring_is_told_ring_0),
		cmocka_unit_test(after_init_nobody_is),
		cmocka_unit_test(before_init_every_gate_is_the_monitors),
		cmocka_unit_test(after_init_the_guests_gates_lead_to_the_guest),
		cmocka_unit_test(the_roms_own_vectors_stay_its_own),
		cmocka_unit_test(a_gate_that_leads_nowhere_is_the_monitors),
		cmocka_unit_test(virtual_8086_mode_has_gates_of_its_own),
		cmocka_unit_test(cpuid_hides_what_the_guest_cannot_use),
		cmocka_unit_test(rdtsc_is_the_kernels_although_user_mode_may_not),
		cmocka_unit_test(the_processors_table_has_what_ring_0_needs),
		cmocka_unit_test(the_guests_descriptors_have_dpl_1),
		cmocka_unit_test(an_ldt_is_the_processors_as_long_as_it_is),
		cmocka_unit_test(a_domain_asks_for_its_events_and_for_cpuid),
		cmocka_unit_test(init_needs_paging_and_a_stack),
		cmocka_unit_test(init_returns_in_ring_1_with_interrupts_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
