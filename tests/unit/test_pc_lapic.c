/* SPDX-License-Identifier: GPL-2.0-only */
/* pc/lapic.c: what a kernel of the time does with a local APIC. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pc/lapic.h"

static struct lapic l;

static int start(void **state)
{
	(void)state;
	lapic_reset(&l);
	lapic_write(&l, LAPIC_SVR, 0x1FF);
	lapic_write(&l, LAPIC_LVTT, 0x41);
	return 0;
}

static void after_reset(void **state)
{
	(void)state;
	lapic_reset(&l);
	assert_int_equal(lapic_read(&l, LAPIC_ID), 0);
	assert_int_equal(lapic_read(&l, LAPIC_VERSION), 0x50014);
	assert_int_equal(lapic_read(&l, LAPIC_SVR), 0xFF);
	assert_int_equal(lapic_read(&l, LAPIC_LVTT), 0x10000);
	assert_int_equal(lapic_read(&l, 0xFF0), 0);
	assert_false(lapic_intr(&l));
}

static void as_a_bios_leaves_it(void **state)
{
	(void)state;
	lapic_start(&l);
	assert_int_equal(lapic_read(&l, LAPIC_SVR), 0x1FF);
	assert_int_equal(lapic_read(&l, LAPIC_LVT0), 0x700);
	assert_int_equal(lapic_read(&l, LAPIC_LVT1), 0x400);
	assert_int_equal(lapic_read(&l, LAPIC_LVTT), 0x10000);
	lapic_timer(&l);
	assert_false(lapic_intr(&l));
}

static void disabled(void **state)
{
	(void)state;
	lapic_reset(&l);
	lapic_write(&l, LAPIC_LVTT, 0x41);
	assert_int_equal(lapic_read(&l, LAPIC_LVTT), 0x10041);
	lapic_timer(&l);
	lapic_write(&l, LAPIC_ICR, 0x40050);
	assert_false(lapic_intr(&l));
}

static void timer(void **state)
{
	(void)state;
	lapic_timer(&l);
	lapic_timer(&l);
	assert_true(lapic_intr(&l));
	assert_int_equal(lapic_read(&l, LAPIC_IRR + 0x20), 2);
	assert_int_equal(lapic_ack(&l), 0x41);
	assert_int_equal(lapic_read(&l, LAPIC_ISR + 0x20), 2);
	assert_int_equal(lapic_read(&l, LAPIC_PPR), 0x40);
	assert_false(lapic_intr(&l));
	lapic_timer(&l);
	assert_false(lapic_intr(&l)); /* the same class is in service */
	lapic_write(&l, LAPIC_EOI, 0);
	assert_true(lapic_intr(&l));
}

static void masked(void **state)
{
	(void)state;
	lapic_write(&l, LAPIC_LVTT, 0x10041);
	lapic_timer(&l);
	assert_false(lapic_intr(&l));
}

static void priorities(void **state)
{
	(void)state;
	lapic_write(&l, LAPIC_ICR, 0x40035);
	assert_int_equal(lapic_ack(&l), 0x35);
	lapic_write(&l, LAPIC_ICR, 0x40038); /* the same class waits */
	assert_false(lapic_intr(&l));
	lapic_timer(&l); /* a higher one does not */
	assert_int_equal(lapic_ack(&l), 0x41);
	lapic_write(&l, LAPIC_EOI, 0);
	assert_false(lapic_intr(&l));
	lapic_write(&l, LAPIC_EOI, 0);
	assert_int_equal(lapic_ack(&l), 0x38);
	lapic_write(&l, LAPIC_EOI, 0);
	lapic_write(&l, LAPIC_EOI, 0); /* nothing in service: nothing happens */
	lapic_write(&l, LAPIC_TPR, 0x40);
	lapic_timer(&l);
	assert_false(lapic_intr(&l));
	lapic_write(&l, LAPIC_TPR, 0x30);
	assert_true(lapic_intr(&l));
}

static void to_itself(void **state)
{
	static const struct {
		u32 high, low;
		bool arrives;
	} sent[] = {
		{0, 0x50, true},	  {1u << 24, 0x50, false}, {0xFFu << 24, 0x50, true},
		{0, 0x40050, true},	  {0, 0x80050, true},	   {0, 0xC0050, false},
		{0, 0x40550, false},	  {0, 0x40008, false},	   {1u << 24, 0x850, true},
		{2u << 24, 0x850, false},
	};

	(void)state;
	lapic_write(&l, LAPIC_LDR, 1u << 24);
	for (u32 i = 0; i < ARRAY_SIZE(sent); i++) {
		lapic_write(&l, LAPIC_ICR_HIGH, sent[i].high);
		lapic_write(&l, LAPIC_ICR, sent[i].low);
		assert_int_equal(lapic_intr(&l), sent[i].arrives);
		if (sent[i].arrives)
			assert_int_equal(lapic_ack(&l), 0x50);
		lapic_write(&l, LAPIC_EOI, 0);
	}
}

static void read_only(void **state)
{
	(void)state;
	lapic_write(&l, LAPIC_VERSION, 0);
	lapic_write(&l, LAPIC_ISR, ~0u);
	lapic_write(&l, LAPIC_IRR, ~0u);
	assert_int_equal(lapic_read(&l, LAPIC_VERSION), 0x50014);
	assert_int_equal(lapic_read(&l, LAPIC_ISR), 0);
	assert_int_equal(lapic_read(&l, LAPIC_IRR), 0);
	assert_false(lapic_intr(&l));
}

static void lint0_lets_the_8259_through_in_extint_mode_alone(void **state)
{
	static const struct {
		u32 lvt0;
		bool through;
	} modes[] = {{0x700, true},  {0x755, true},  {0x10700, false}, {0x10000, false},
		     {0x055, false}, {0x455, false}, {0x255, false},   {0x555, false}};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(modes); i++) {
		lapic_write(&l, LAPIC_LVT0, modes[i].lvt0);
		assert_false(lapic_lint0(&l, false));
		assert_int_equal(lapic_lint0(&l, true), modes[i].through);
		assert_int_equal(lapic_lint0(&l, true), modes[i].through);
		assert_false(lapic_lint0(&l, false));
	}
}

static void the_8259_is_cut_off_after_reset_and_while_disabled(void **state)
{
	(void)state;
	lapic_reset(&l);
	assert_false(lapic_lint0(&l, true));
	lapic_start(&l); /* a BIOS lets it through */
	assert_true(lapic_lint0(&l, true));
	lapic_write(&l, LAPIC_SVR, 0xFF);
	assert_int_equal(lapic_read(&l, LAPIC_LVT0), 0x10700);
	assert_int_equal(lapic_read(&l, LAPIC_LVT1), 0x10400);
	assert_false(lapic_lint0(&l, true));
	lapic_write(&l, LAPIC_LVT0, 0x700);
	assert_false(lapic_lint0(&l, true));
	lapic_write(&l, LAPIC_SVR, 0x1FF);
	assert_false(lapic_lint0(&l, true));
	lapic_write(&l, LAPIC_LVT0, 0x700);
	assert_true(lapic_lint0(&l, true));
}

static void in_fixed_mode_each_rise_of_lint0_is_one_interrupt(void **state)
{
	(void)state;
	lapic_write(&l, LAPIC_LVT0, 0x052);
	for (u32 i = 0; i < 3; i++) {
		assert_false(lapic_lint0(&l, true));
		assert_false(lapic_lint0(&l, true));
		assert_true(lapic_intr(&l));
		assert_int_equal(lapic_ack(&l), 0x52);
		lapic_write(&l, LAPIC_EOI, 0);
		assert_false(lapic_lint0(&l, true));
		assert_false(lapic_intr(&l));
		assert_false(lapic_lint0(&l, false));
	}
	lapic_write(&l, LAPIC_LVT0, 0x10052);
	assert_false(lapic_lint0(&l, true));
	lapic_write(&l, LAPIC_LVT0, 0x052); /* that rise is over */
	assert_false(lapic_lint0(&l, true));
	assert_false(lapic_intr(&l));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_reset),
		cmocka_unit_test(as_a_bios_leaves_it),
		cmocka_unit_test(disabled),
		cmocka_unit_test_setup(timer, start),
		cmocka_unit_test_setup(masked, start),
		cmocka_unit_test_setup(priorities, start),
		cmocka_unit_test_setup(to_itself, start),
		cmocka_unit_test_setup(read_only, start),
		cmocka_unit_test_setup(lint0_lets_the_8259_through_in_extint_mode_alone, start),
		cmocka_unit_test(the_8259_is_cut_off_after_reset_and_while_disabled),
		cmocka_unit_test_setup(in_fixed_mode_each_rise_of_lint0_is_one_interrupt, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
