/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The 8259 pair: what its datasheet promises, in the sequences that Linux
 * 2.6's i8259.c makes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "pc/pic.h"

#define EOI 0x20
#define SPECIFIC_EOI 0x60

static struct pic pic;

static void out(u16 port, u8 value)
{
	pic_write(&pic, port, value);
}

static u8 in(u16 port)
{
	return pic_read(&pic, port);
}

/* init_8259A(): vectors 20 and 28. */
static void init(u8 icw4)
{
	pic_reset(&pic);
	out(0x20, 0x11);
	out(0x21, 0x20);
	out(0x21, 0x04);
	out(0x21, icw4);
	out(0xA0, 0x11);
	out(0xA1, 0x28);
	out(0xA1, 0x02);
	out(0xA1, 0x01);
	out(0x21, 0x00);
	out(0xA1, 0x00);
}

static void pulse(unsigned irq)
{
	pic_set_irq(&pic, irq, false);
	pic_set_irq(&pic, irq, true);
}

static u8 isr(u16 port)
{
	out(port, 0x0B);
	u8 value = in(port);
	out(port, 0x0A);
	return value;
}

static void after_reset_nothing_can_interrupt(void **state)
{
	(void)state;
	pic_reset(&pic);
	for (unsigned irq = 0; irq < 16; irq++)
		if (irq != 2)
			pulse(irq);
	assert_false(pic_intr(&pic));
	assert_int_equal(in(0x21), 0xFF);
	assert_int_equal(in(0xA1), 0xFF);
}

static void the_mask_register_answers_a_probe(void **state)
{
	(void)state;
	init(0x01);
	out(0xA1, 0xFF);
	out(0x21, 0xFB);
	assert_int_equal(in(0x21), 0xFB);
	assert_int_equal(in(0xA1), 0xFF);
}

static void an_irq_gives_its_vector_and_is_then_in_service(void **state)
{
	(void)state;
	init(0x01);
	assert_false(pic_intr(&pic));
	pulse(4);
	assert_true(pic_intr(&pic));
	assert_int_equal(in(0x20), 0x10);
	assert_int_equal(pic_ack(&pic), 0x24);
	assert_false(pic_intr(&pic));
	assert_int_equal(in(0x20), 0x00);
	assert_int_equal(isr(0x20), 0x10);
	out(0x20, SPECIFIC_EOI + 4);
	assert_int_equal(isr(0x20), 0x00);
}

static void a_masked_edge_is_delivered_when_unmasked(void **state)
{
	(void)state;
	init(0x01);
	out(0x21, 0x10);
	pulse(4);
	assert_false(pic_intr(&pic));
	out(0x21, 0x00);
	assert_int_equal(pic_ack(&pic), 0x24);
}

static void a_line_that_stays_high_interrupts_once_when_edge_triggered(void **state)
{
	(void)state;
	init(0x01);
	pulse(4);
	pic_ack(&pic);
	pic_set_irq(&pic, 4, true);
	out(0x20, EOI);
	assert_false(pic_intr(&pic));
	pulse(4);
	assert_true(pic_intr(&pic));
}

static void a_line_that_stays_high_interrupts_again_when_level_triggered(void **state)
{
	(void)state;
	init(0x01);
	out(0x4D1, 0x08);
	pic_set_irq(&pic, 11, true);
	assert_int_equal(pic_ack(&pic), 0x2B);
	assert_false(pic_intr(&pic));
	out(0xA0, EOI);
	out(0x20, EOI);
	assert_int_equal(pic_ack(&pic), 0x2B);
	pic_set_irq(&pic, 11, false);
	out(0xA0, EOI);
	out(0x20, EOI);
	assert_false(pic_intr(&pic));
}

static void a_request_withdrawn_before_the_ack_is_a_spurious_irq_7(void **state)
{
	(void)state;
	init(0x01);
	pulse(5);
	pic_set_irq(&pic, 5, false);
	assert_false(pic_intr(&pic));
	assert_int_equal(pic_ack(&pic), 0x27);
	assert_int_equal(isr(0x20), 0x00); /* how Linux recognizes it */
	pulse(7);
	assert_int_equal(pic_ack(&pic), 0x27);
	assert_int_equal(isr(0x20), 0x80);
}

static void a_lower_irq_waits_for_the_eoi_of_a_higher_one(void **state)
{
	(void)state;
	init(0x01);
	pulse(3);
	assert_int_equal(pic_ack(&pic), 0x23);
	pulse(4);
	assert_false(pic_intr(&pic));
	pulse(1);
	assert_int_equal(pic_ack(&pic), 0x21);
	out(0x20, EOI); /* of 1, the highest in service */
	assert_int_equal(isr(0x20), 0x08);
	assert_false(pic_intr(&pic));
	out(0x20, EOI);
	assert_int_equal(pic_ack(&pic), 0x24);
}

static void a_slave_irq_needs_an_eoi_at_both_chips(void **state)
{
	(void)state;
	init(0x01);
	pulse(12);
	assert_int_equal(in(0x20), 0x04);
	assert_int_equal(pic_ack(&pic), 0x2C);
	assert_int_equal(isr(0x20), 0x04);
	assert_int_equal(isr(0xA0), 0x10);
	pulse(3);
	assert_false(pic_intr(&pic)); /* below the cascade */
	out(0xA0, SPECIFIC_EOI + 4);
	out(0x20, SPECIFIC_EOI + 2);
	assert_int_equal(isr(0xA0), 0x00);
	assert_int_equal(pic_ack(&pic), 0x23);
}

static void masking_the_cascade_silences_the_slave(void **state)
{
	(void)state;
	init(0x01);
	out(0x21, 0x04);
	pulse(8);
	assert_false(pic_intr(&pic));
	out(0x21, 0x00);
	assert_int_equal(pic_ack(&pic), 0x28);
}

static void only_special_full_nesting_lets_a_slave_interrupt_itself(void **state)
{
	(void)state;
	for (u8 nested = 0; nested < 2; nested++) {
		init(nested ? 0x11 : 0x01);
		pulse(12);
		pic_ack(&pic);
		pulse(3);
		assert_false(pic_intr(&pic));
		pulse(8);
		assert_int_equal(pic_intr(&pic), nested);
		if (nested)
			assert_int_equal(pic_ack(&pic), 0x28);
	}
}

static void automatic_eoi_leaves_nothing_in_service(void **state)
{
	(void)state;
	init(0x03);
	pulse(3);
	assert_int_equal(pic_ack(&pic), 0x23);
	assert_int_equal(isr(0x20), 0x00);
	pulse(4);
	assert_int_equal(pic_ack(&pic), 0x24);
}

static void special_mask_mode_lets_lower_irqs_in(void **state)
{
	(void)state;
	init(0x01);
	pulse(3);
	pic_ack(&pic);
	pulse(6);
	out(0x21, 0x08);
	assert_false(pic_intr(&pic));
	out(0x20, 0x68);
	assert_int_equal(pic_ack(&pic), 0x26);
	out(0x20, EOI); /* 3 is masked: this ends 6 */
	assert_int_equal(isr(0x20), 0x08);
	out(0x20, 0x48);
	out(0x20, EOI);
	assert_int_equal(isr(0x20), 0x00);
}

static void rotation_makes_the_served_irq_the_lowest(void **state)
{
	(void)state;
	init(0x01);
	pulse(3);
	pic_ack(&pic);
	out(0x20, 0xA0); /* rotate on non-specific EOI */
	pulse(3);
	pulse(5);
	assert_int_equal(pic_ack(&pic), 0x25);
	out(0x20, EOI);
	assert_int_equal(pic_ack(&pic), 0x23);
	out(0x20, EOI);
	out(0x20, 0xC0 | 7); /* 7 the lowest: as after reset */
	pulse(3);
	pulse(5);
	assert_int_equal(pic_ack(&pic), 0x23);
}

static void a_poll_acknowledges(void **state)
{
	(void)state;
	init(0x01);
	out(0x20, 0x0C);
	assert_int_equal(in(0x20), 0x00);
	pulse(6);
	out(0x20, 0x0C);
	assert_int_equal(in(0x20), 0x86);
	assert_false(pic_intr(&pic));
	assert_int_equal(isr(0x20), 0x40);
}

static void initialization_forgets_edges_and_the_mask(void **state)
{
	(void)state;
	init(0x01);
	pulse(4);
	out(0x21, 0xFF);
	out(0x20, 0x11);
	out(0x21, 0x20);
	out(0x21, 0x04);
	out(0x21, 0x01);
	assert_int_equal(in(0x21), 0x00);
	assert_false(pic_intr(&pic));
	pic_set_irq(&pic, 4, true); /* was high all the time */
	assert_false(pic_intr(&pic));
}

static void initialization_without_icw4_or_cascade_takes_fewer_bytes(void **state)
{
	(void)state;
	init(0x01);
	out(0x20, 0x12); /* single, no ICW4 */
	out(0x21, 0x40);
	out(0x21, 0x5A);
	assert_int_equal(in(0x21), 0x5A);
	out(0x20, 0x13); /* single, ICW4 */
	out(0x21, 0x40);
	out(0x21, 0x03);
	out(0x21, 0x3C);
	assert_int_equal(in(0x21), 0x3C);
	out(0x20, 0x10); /* cascade, no ICW4 */
	out(0x21, 0x40);
	out(0x21, 0x04);
	out(0x21, 0xA5);
	assert_int_equal(in(0x21), 0xA5);
}

static void elcr_keeps_only_what_a_pc_can_switch(void **state)
{
	(void)state;
	init(0x01);
	out(0x4D0, 0xFF);
	out(0x4D1, 0xFF);
	assert_int_equal(in(0x4D0), 0xF8);
	assert_int_equal(in(0x4D1), 0xDE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_reset_nothing_can_interrupt),
		cmocka_unit_test(the_mask_register_answers_a_probe),
		cmocka_unit_test(an_irq_gives_its_vector_and_is_then_in_service),
		cmocka_unit_test(a_masked_edge_is_delivered_when_unmasked),
		cmocka_unit_test(a_line_that_stays_high_interrupts_once_when_edge_triggered),
		cmocka_unit_test(a_line_that_stays_high_interrupts_again_when_level_triggered),
		cmocka_unit_test(a_request_withdrawn_before_the_ack_is_a_spurious_irq_7),
		cmocka_unit_test(a_lower_irq_waits_for_the_eoi_of_a_higher_one),
		cmocka_unit_test(a_slave_irq_needs_an_eoi_at_both_chips),
		cmocka_unit_test(masking_the_cascade_silences_the_slave),
		cmocka_unit_test(only_special_full_nesting_lets_a_slave_interrupt_itself),
		cmocka_unit_test(automatic_eoi_leaves_nothing_in_service),
		cmocka_unit_test(special_mask_mode_lets_lower_irqs_in),
		cmocka_unit_test(rotation_makes_the_served_irq_the_lowest),
		cmocka_unit_test(a_poll_acknowledges),
		cmocka_unit_test(initialization_forgets_edges_and_the_mask),
		cmocka_unit_test(initialization_without_icw4_or_cascade_takes_fewer_bytes),
		cmocka_unit_test(elcr_keeps_only_what_a_pc_can_switch),
	};

	return cmocka_run_group_tests_name("8259", tests, NULL, NULL);
}
