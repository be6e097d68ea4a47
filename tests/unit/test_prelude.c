/* SPDX-License-Identifier: GPL-2.0-only */
/* The interrupt flag before Init: breakpoints on the guest's own functions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain.h"
#include "monitor/binding.h"
#include "monitor/pv/pv.h"
#include "monitor/vcpu.h"

#define CLI (CODE + 0x180)
#define SAVE (CODE + 0x140)
#define RESTORE (CODE + 0x160)

static struct vcpu *const v = VCPU;

/* native_save_fl, native_restore_fl, native_irq_disable. */
static void put_functions(void)
{
	memcpy(PHYS(SAVE), "\x9C\x58\xC3", 3);
	memcpy(PHYS(RESTORE), "\x50\x9D\xC3", 3);
	memcpy(PHYS(CLI), "\xFA\xC3", 2);
}

static int start(void **state)
{
	(void)state;
	domain_paging(false);
	put_functions();
	v->vif = EFLAGS_IF;
	return 0;
}

static void a_cli_function_leads_to_its_neighbours(void **state)
{
	(void)state;
	prelude_cli(v, KERNEL(CLI));
	assert_false(v->vif);
	assert_int_equal(xen.debugreg[0], KERNEL(SAVE));
	assert_int_equal(xen.debugreg[1], KERNEL(RESTORE));
	assert_int_equal(xen.debugreg[7], 5);
}

static void a_kernel_is_searched_when_it_loads_its_idt(void **state)
{
	(void)state;
	v->cr0 &= ~CR0_PG;
	v->r.eip = CODE + 8;
	prelude_lgdt(v);
	v->cr0 |= CR0_PG;
	v->r.eip = KERNEL(CODE) + 0x20;
	prelude_lidt(v);
	assert_int_equal(xen.debugreg[0], KERNEL(SAVE));
	assert_int_equal(xen.debugreg[1], KERNEL(RESTORE));
	assert_int_equal(v->kernel_first, 0);
}

static void the_flag_is_what_the_guest_made_it(void **state)
{
	struct regs *r = &v->r;

	(void)state;
	prelude_cli(v, KERNEL(CLI));
	r->eip = KERNEL(SAVE);
	r->eflags = EFLAGS_IF | 0x46;
	assert_true(prelude_breakpoint(v));
	assert_int_equal(r->gpr[GPR_EAX], 0x46);
	assert_int_equal(r->eip, KERNEL(SAVE) + 2);
	r->eip = KERNEL(RESTORE);
	r->gpr[GPR_EAX] = EFLAGS_IF | 0x401;
	assert_true(prelude_breakpoint(v));
	assert_true(v->vif);
	assert_int_equal(r->eflags & 0xCD5, 0x401);
	r->eip = KERNEL(SAVE);
	assert_true(prelude_breakpoint(v));
	assert_int_equal(r->gpr[GPR_EAX] & EFLAGS_IF, EFLAGS_IF);
}

static void other_breakpoints_are_the_guests(void **state)
{
	(void)state;
	assert_false(prelude_breakpoint(v));
	prelude_cli(v, KERNEL(CLI));
	v->r.eip = KERNEL(CODE);
	assert_false(prelude_breakpoint(v));
	v->paravirtual = true;
	v->r.eip = KERNEL(SAVE);
	assert_false(prelude_breakpoint(v));
}

static void a_kernel_built_otherwise_has_no_breakpoints(void **state)
{
	(void)state;
	*(u8 *)PHYS(CLI + 1) = 0x90; /* cli inside of something */
	prelude_cli(v, KERNEL(CLI));
	assert_int_equal(v->flags_save, 0);
	start(state);
	*(u8 *)PHYS(RESTORE) = 0x90;
	prelude_cli(v, KERNEL(CLI));
	assert_int_equal(xen.debugreg[7], 0x50); /* those of prelude_start */
	start(state);
	prelude_cli(v, USER); /* its neighbourhood is not mapped */
	assert_int_equal(xen.debugreg[7], 0x50);
}

/* 2.6.21: mov eax, cs; test eax, 3; jnz. */
static void a_kernel_that_asks_its_cs_is_told_ring_0(void **state)
{
	struct regs *r = &v->r;

	(void)state;
	domain_start();
	assert_int_equal(xen.debugreg[2], 0x100000);
	assert_int_equal(xen.debugreg[3], 0x400000);
	assert_int_equal(xen.debugreg[7], 0x50);
	memcpy(PHYS(0x100000), "\x8C\xC8\xA9\x03\x00\x00\x00\x0F\x85", 9);
	r->eip = 0x100000;
	assert_true(prelude_breakpoint(v));
	assert_int_equal(r->gpr[GPR_EAX], 0x10);
	assert_int_equal(r->eip, 0x100000 + 13);
	memset(PHYS(0x100000), 0x90, 9); /* it begins otherwise */
	r->eip = 0x100000;
	r->eflags = 2;
	assert_true(prelude_breakpoint(v));
	assert_int_equal(r->eip, 0x100000);
	assert_int_equal(r->eflags, 2 | EFLAGS_RF);
	r->eip = 0x400000; /* no memory: whatever comes, not the breakpoint again */
	assert_true(prelude_breakpoint(v));
	r->eip = 0x200000;
	assert_false(prelude_breakpoint(v));
}

static void after_init_the_debug_registers_are_the_guests(void **state)
{
	(void)state;
	prelude_cli(v, KERNEL(CLI));
	prelude_end(v);
	assert_int_equal(xen.debugreg[7], 0);
	assert_int_equal(v->flags_save, 0);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_cli_function_leads_to_its_neighbours, start),
		cmocka_unit_test_setup(a_kernel_is_searched_when_it_loads_its_idt, start),
		cmocka_unit_test_setup(the_flag_is_what_the_guest_made_it, start),
		cmocka_unit_test_setup(other_breakpoints_are_the_guests, start),
		cmocka_unit_test_setup(a_kernel_built_otherwise_has_no_breakpoints, start),
		cmocka_unit_test(a_kernel_that_asks_its_cs_is_told_ring_0),
		cmocka_unit_test_setup(after_init_the_debug_registers_are_the_guests, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
