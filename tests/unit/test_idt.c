/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's gates: what Xen is given of them, and what goes through them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain.h"
#include "monitor/binding.h"
#include "monitor/cpu/inject.h"
#include "monitor/vcpu.h"

static struct vcpu *const v = VCPU;

#define GATE(handler, selector, access)                                                            \
	((u64)((handler) >> 16) << 48 | (u64)(access) << 40 | (u64)(selector) << 16 |              \
	 ((handler)&0xFFFF))

static void before_init_exceptions_are_the_monitors(void **state)
{
	(void)state;
	domain_paging(false);
	for (u32 i = 0; i < 32; i++) {
		assert_int_equal(xen.trap[i].cs, FLAT_RING1_CS);
		assert_int_equal(xen.trap[i].flags, 4);
	}
	assert_int_equal(xen.trap[0x80].address, 0);
}

static void after_init_what_the_monitor_does_not_need_is_the_guests(void **state)
{
	static const u8 kept[] = {0, 1, 2, 6, 8, 11, 12, 13, 14, 16, 19};

	(void)state;
	domain_init(false);
	for (u32 i = 0; i < ARRAY_SIZE(kept); i++)
		assert_int_equal(xen.trap[kept[i]].cs, FLAT_RING1_CS);
	assert_int_equal(xen.trap[5].address, HANDLER(5));
	assert_int_equal(xen.trap[5].cs, KERNEL_CS | 1);
	assert_int_equal(xen.trap[5].flags, 4); /* DPL 0, interrupt gate */
	assert_int_equal(xen.trap[3].flags, 2 | 4 | 1);
	assert_int_equal(xen.trap[0x80].address, HANDLER(0x80));
	assert_int_equal(xen.trap[0x80].flags, 3); /* a trap gate: no mask */
	assert_int_equal(v->page_fault.eip, HANDLER(EXC_PF));
	assert_int_equal(v->page_fault.cs, KERNEL_CS | 1);
}

static void gates_come_and_go(void **state)
{
	(void)state;
	domain_init(false);
	idt_entry(v, 300, 0); /* no such vector */
	idt_entry(v, 0x80, ((u64 *)PHYS(IDT))[0x81]);
	assert_int_equal(xen.trap[0x80].address, HANDLER(0x81));
	((u64 *)PHYS(IDT))[0x80] = 0;
	idt_entry(v, 0x80, 0); /* taken away: the whole table anew */
	assert_int_equal(xen.trap[0x80].address, 0);
	assert_int_equal(xen.trap[0x81].address, HANDLER(0x81));
	idt_entry(v, 5, 0);
	assert_int_equal(xen.trap[5].cs, FLAT_RING1_CS); /* the monitor dies for it */
	idt_entry(v, EXC_PF, 0);
	assert_int_equal(v->page_fault.eip, 0);
	idt_entry(v, 0x20, 0x0000850000600000ull); /* a task gate */
	assert_int_equal(xen.trap[0x20].address, HANDLER(0x20));
}

static void an_unmapped_idt_has_no_gates(void **state)
{
	(void)state;
	domain_init(false);
	idt_load(v, 0x7FF, 0x70000000);
	assert_int_equal(xen.trap[0x80].address, 0);
	assert_int_equal(xen.trap[5].cs, FLAT_RING1_CS);
}

static void set_gate(u32 vector, u64 gate)
{
	((u64 *)PHYS(IDT))[vector] = gate;
	idt_entry(v, vector, gate);
}

/* Selectors to which no gate can lead: null, with its RPL or without, no descriptor,
 * a data segment, user mode's code, the TSS, beyond the table, the LDT. */
static const u16 bad_selectors[] = {0, 3, 0x48, KERNEL_DS, USER_CS, TSS_SEL, 0xFFF8, KERNEL_CS | 4};

static void xen_gets_no_gate_that_leads_nowhere(void **state)
{
	(void)state;
	domain_init(false);
	for (u32 i = 0; i < ARRAY_SIZE(bad_selectors); i++) {
		set_gate(0x80, GATE(HANDLER(0x80), bad_selectors[i], 0xEF));
		assert_int_equal(xen.trap[0x80].address, 0);
		set_gate(5, GATE(HANDLER(5), bad_selectors[i], 0x8E));
		assert_int_equal(xen.trap[5].cs, FLAT_RING1_CS);
		set_gate(EXC_PF, GATE(HANDLER(EXC_PF), bad_selectors[i], 0x8E));
		assert_int_equal(v->page_fault.eip, 0);
	}
	/* of the wrong kind: a task's, a call's, 16-bit ones */
	for (u32 type = 0; type < 32; type++) {
		bool known = type == 0xE || type == 0xF;

		set_gate(0x80, GATE(HANDLER(0x80), KERNEL_CS, 0x80 | type));
		assert_int_equal(xen.trap[0x80].address, known ? HANDLER(0x80) : 0);
		set_gate(EXC_PF, GATE(HANDLER(EXC_PF), KERNEL_CS, 0x80 | type));
		assert_int_equal(v->page_fault.eip, type == 0xE ? HANDLER(EXC_PF) : 0);
	}
}

/* Address 0 ends Xen's list, so that the monitor goes there itself. */
static void a_handler_at_0(void **state)
{
	(void)state;
	domain_init(false);
	set_gate(0x80, GATE(0u, KERNEL_CS, 0xEF));
	set_gate(0x81, GATE(HANDLER(0x81), KERNEL_CS, 0xEF));
	assert_int_equal(xen.trap[0x80].address, 0);
	assert_int_equal(xen.trap[0x81].address, HANDLER(0x81));
	set_gate(5, GATE(0u, KERNEL_CS, 0x8E));
	assert_int_equal(xen.trap[5].cs, FLAT_RING1_CS);
	inject_exception(v, 5, false, 0);
	assert_int_equal(v->r.eip, 0);
	assert_int_equal(v->r.cs, KERNEL_CS | 1);
}

/* INT n in user mode, at USER; the error code that the handler of vector found. */
static u32 user_int(u32 n, u32 vector)
{
	domain_user();
	inject_int(v, n, USER + 2);
	assert_true(domain_at(vector));
	assert_int_equal(domain_stack(1), USER);
	return domain_stack(0);
}

static void an_int_that_its_gate_refuses_is_a_fault(void **state)
{
	(void)state;
	domain_init(false);
	domain_user();
	inject_int(v, 0x80, USER + 2);
	assert_true(domain_at(0x80));
	assert_int_equal(domain_stack(0), USER + 2);
	assert_int_equal(user_int(0x20, EXC_GP), 0x20 * 8 + 2);
	set_gate(0x80, GATE(HANDLER(0x80), KERNEL_CS, 0x6F)); /* not present */
	assert_int_equal(user_int(0x80, EXC_NP), 0x80 * 8 + 2);
	set_gate(0x80, GATE(HANDLER(0x80), KERNEL_CS, 0x0F)); /* and not for it */
	assert_int_equal(user_int(0x80, EXC_GP), 0x80 * 8 + 2);
	set_gate(0x80, GATE(HANDLER(0x80), KERNEL_CS, 0xEC));
	assert_int_equal(user_int(0x80, EXC_GP), 0x80 * 8 + 2);
	for (u32 i = 0; i < ARRAY_SIZE(bad_selectors); i++) {
		set_gate(0x80, GATE(HANDLER(0x80), bad_selectors[i], 0xEF));
		assert_int_equal(user_int(0x80, EXC_GP), bad_selectors[i] & 0xFFFC);
	}
	v->idtr.limit = 0x80 * 8 + 6;
	assert_int_equal(user_int(0x80, EXC_GP), 0x80 * 8 + 2);
}

static void an_interrupt_without_a_gate_is_a_fault(void **state)
{
	(void)state;
	domain_init(false);
	set_gate(0x25, 0);
	inject_interrupt(v, 0x25);
	assert_true(domain_at(EXC_GP));
	assert_int_equal(domain_stack(0), 0x25 * 8 + 3);
	set_gate(0x25, GATE(HANDLER(0x25), KERNEL_CS, 0x0E));
	inject_interrupt(v, 0x25);
	assert_true(domain_at(EXC_NP));
	assert_int_equal(domain_stack(0), 0x25 * 8 + 3);
	set_gate(0x25, GATE(HANDLER(0x25), 0x48, 0x8E));
	inject_interrupt(v, 0x25);
	assert_true(domain_at(EXC_GP));
	assert_int_equal(domain_stack(0), 0x49);
}

static void an_exception_without_a_way_is_a_double_fault(void **state)
{
	(void)state;
	domain_init(false);
	set_gate(EXC_GP, 0);
	inject_interrupt(v, 0x400); /* it has none either */
	assert_true(domain_at(EXC_DF));
	assert_int_equal(domain_stack(0), 0);
	assert_int_equal(domain_stack(1), KERNEL(CODE));
}

static void without_a_way_for_that_it_is_a_triple_fault(void **state)
{
	(void)state;
	domain_init(false);
	set_gate(EXC_DF, 0);
	set_gate(EXC_GP, GATE(HANDLER(EXC_GP), 0x48, 0x8E));
	assert_dies("gate 13 has type e and selector 0049", inject_exception(v, EXC_GP, true, 0));
	domain_init(false);
	set_gate(EXC_DF, 0);
	set_gate(EXC_GP, 0);
	assert_dies("without a gate in the IDT", inject_interrupt(v, 0x400));
}

/* RF would hide a breakpoint at the handler's first instruction. */
static void what_a_handler_begins_with(void **state)
{
	const u32 cleared = EFLAGS_TF | EFLAGS_NT | EFLAGS_RF | EFLAGS_VM, kept = 0x40ED7;

	(void)state;
	domain_init(false);
	v->r.eflags = cleared | kept;
	inject_exception(v, EXC_DE, false, 0);
	assert_int_equal(v->r.eflags, kept & ~EFLAGS_IF);
	assert_int_equal(domain_stack(2), cleared | kept);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_init_exceptions_are_the_monitors),
		cmocka_unit_test(after_init_what_the_monitor_does_not_need_is_the_guests),
		cmocka_unit_test(gates_come_and_go),
		cmocka_unit_test(an_unmapped_idt_has_no_gates),
		cmocka_unit_test(xen_gets_no_gate_that_leads_nowhere),
		cmocka_unit_test(a_handler_at_0),
		cmocka_unit_test(an_int_that_its_gate_refuses_is_a_fault),
		cmocka_unit_test(an_interrupt_without_a_gate_is_a_fault),
		cmocka_unit_test(an_exception_without_a_way_is_a_double_fault),
		cmocka_unit_test(without_a_way_for_that_it_is_a_triple_fault),
		cmocka_unit_test(what_a_handler_begins_with),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
