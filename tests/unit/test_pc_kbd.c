/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The 8042: probed as Linux 2.6's i8042.c and atkbd.c do, and the ways to
 * reset a PC through it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "pc/kbd.h"

#define FULL 0x01
#define AUX 0x20
#define NOTHING 0x1FF

static struct kbd kbd;

static void command(u8 value)
{
	kbd_write(&kbd, 0x64, value);
	kbd_pump(&kbd);
}

static void data(u8 value)
{
	kbd_write(&kbd, 0x60, value);
	kbd_pump(&kbd);
}

static u8 status(void)
{
	return kbd_read(&kbd, 0x64);
}

/* The next byte for the guest, NOTHING if there is none. */
static unsigned next(void)
{
	if (!(status() & FULL))
		return NOTHING;
	assert_false(status() & AUX);
	u8 byte = kbd_read(&kbd, 0x60);
	kbd_pump(&kbd);
	return byte;
}

static void self_test_and_interface_test_pass(void **state)
{
	(void)state;
	kbd_reset(&kbd);
	assert_int_equal(next(), NOTHING);
	command(0xAA);
	assert_int_equal(next(), 0x55);
	command(0xAB);
	assert_int_equal(next(), 0x00);
	assert_int_equal(next(), NOTHING);
}

static void the_command_byte_reads_back(void **state)
{
	(void)state;
	kbd_reset(&kbd);
	command(0x20);
	assert_int_equal(next(), 0x65);
	command(0x60);
	data(0x74);
	command(0x20);
	assert_int_equal(next(), 0x74);
	command(0xAE);
	command(0xA8);
	command(0x20);
	assert_int_equal(next(), 0x44);
	command(0xAD);
	command(0xA7);
	command(0x20);
	assert_int_equal(next(), 0x74);
}

static void status_is_unlocked_ready_and_knows_the_last_port(void **state)
{
	(void)state;
	kbd_reset(&kbd);
	command(0xAD);
	assert_int_equal(status(), 0x1C);
	data(0xF4);
	assert_int_equal(status(), 0x15);
	next();
	command(0x60);
	data(0x61);
	assert_int_equal(status(), 0x10); /* the system flag is the command byte's */
	command(0xAA);
	next();
	command(0x20);
	assert_int_equal(next(), 0x65); /* the self-test sets it */
}

static void there_is_no_mouse_and_the_probe_learns_it_at_once(void **state)
{
	(void)state;
	kbd_reset(&kbd);
	command(0xD3);
	data(0x5A);
	assert_int_equal(next(), 0x5A); /* next() checks that it is not marked AUX */
	command(0xA9);
	unsigned code = next();
	assert_true(code != 0x00 && code != 0xFA && code != 0xFF && code != NOTHING);
	command(0xD4);
	data(0xFF);
	assert_int_equal(next(), NOTHING);
}

static void the_keyboard_resets_identifies_and_takes_arguments(void **state)
{
	(void)state;
	kbd_reset(&kbd);
	data(0xFF);
	assert_int_equal(next(), 0xFA);
	assert_int_equal(next(), 0xAA);
	data(0xF2);
	assert_int_equal(next(), 0xFA);
	assert_int_equal(next(), 0xAB);
	assert_int_equal(next(), 0x41);
	data(0xED);
	assert_int_equal(next(), 0xFA);
	data(0xF2); /* an argument now, no command */
	assert_int_equal(next(), 0xFA);
	assert_int_equal(next(), NOTHING);
	data(0xEE);
	assert_int_equal(next(), 0xEE);
	data(0x00);
	assert_int_equal(next(), 0xFE);
	assert_int_equal(next(), NOTHING);
}

static void an_untranslated_keyboard_shows_set_2(void **state)
{
	(void)state;
	kbd_reset(&kbd);
	command(0x60);
	data(0x05);
	data(0xF2);
	assert_int_equal(next(), 0xFA);
	assert_int_equal(next(), 0xAB);
	assert_int_equal(next(), 0x83);
	data(0xF0);
	assert_int_equal(next(), 0xFA);
	data(0x00);
	assert_int_equal(next(), 0xFA);
	assert_int_equal(next(), 0x02);
	assert_true(kbd_ctrl_alt_del(&kbd));
	kbd_pump(&kbd);
	assert_int_equal(next(), 0x14);
}

static void irq_1_is_a_full_buffer_that_the_command_byte_lets_through(void **state)
{
	(void)state;
	kbd_reset(&kbd);
	assert_false(kbd_irq(&kbd));
	data(0xF4);
	assert_true(kbd_irq(&kbd));
	command(0x60);
	data(0x64);
	assert_false(kbd_irq(&kbd));
	command(0x60);
	data(0x65);
	assert_true(kbd_irq(&kbd));
	kbd_read(&kbd, 0x60);
	assert_false(kbd_irq(&kbd));
}

static void a_disabled_interface_holds_keys_but_not_answers(void **state)
{
	(void)state;
	kbd_reset(&kbd);
	command(0xAD);
	assert_true(kbd_ctrl_alt_del(&kbd));
	kbd_pump(&kbd);
	assert_int_equal(next(), NOTHING);
	command(0xAA);
	assert_int_equal(next(), 0x55);
	assert_int_equal(next(), NOTHING);
	command(0xAE);
	assert_int_equal(next(), 0x1D);
}

static void an_answer_does_not_overwrite_an_unread_key(void **state)
{
	(void)state;
	kbd_reset(&kbd);
	data(0xFF);
	command(0x20);
	assert_int_equal(next(), 0xFA);
	assert_int_equal(next(), 0x65);
	assert_int_equal(next(), 0xAA);
}

static void ctrl_alt_del_is_typed_in_set_1(void **state)
{
	static const u8 codes[] = {0x1D, 0x38, 0xE0, 0x53, 0xE0, 0xD3, 0xB8, 0x9D};

	(void)state;
	kbd_reset(&kbd);
	assert_true(kbd_ctrl_alt_del(&kbd));
	kbd_pump(&kbd);
	for (unsigned i = 0; i < ARRAY_SIZE(codes); i++)
		assert_int_equal(next(), codes[i]);
	assert_int_equal(next(), NOTHING);
}

static void ctrl_alt_del_is_refused_without_room_or_listener(void **state)
{
	(void)state;
	kbd_reset(&kbd);
	assert_true(kbd_ctrl_alt_del(&kbd));
	assert_true(kbd_ctrl_alt_del(&kbd));
	assert_false(kbd_ctrl_alt_del(&kbd));
	kbd_reset(&kbd);
	data(0xF5);
	assert_int_equal(next(), 0xFA);
	assert_false(kbd_ctrl_alt_del(&kbd));
	data(0xF4);
	assert_int_equal(next(), 0xFA);
	assert_true(kbd_ctrl_alt_del(&kbd));
}

static void the_reset_line_can_be_pulsed_or_driven(void **state)
{
	(void)state;
	kbd_reset(&kbd);
	command(0xFF); /* pulses nothing */
	command(0xF1);
	assert_false(kbd.reset);
	command(0xFE);
	assert_true(kbd.reset);
	kbd_reset(&kbd);
	command(0xD1);
	data(0xDF); /* A20 on, as boot loaders do */
	assert_false(kbd.reset);
	command(0xD1);
	data(0xDE);
	assert_true(kbd.reset);
}

static void the_output_port_shows_a20(void **state)
{
	(void)state;
	kbd_reset(&kbd);
	command(0xD1);
	data(0xDD);
	command(0xD0);
	assert_int_equal(next() & 0x03, 0x01);
	command(0xD1);
	data(0xDF);
	command(0xD0);
	assert_int_equal(next() & 0x03, 0x03);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(self_test_and_interface_test_pass),
		cmocka_unit_test(the_command_byte_reads_back),
		cmocka_unit_test(status_is_unlocked_ready_and_knows_the_last_port),
		cmocka_unit_test(there_is_no_mouse_and_the_probe_learns_it_at_once),
		cmocka_unit_test(the_keyboard_resets_identifies_and_takes_arguments),
		cmocka_unit_test(an_untranslated_keyboard_shows_set_2),
		cmocka_unit_test(irq_1_is_a_full_buffer_that_the_command_byte_lets_through),
		cmocka_unit_test(a_disabled_interface_holds_keys_but_not_answers),
		cmocka_unit_test(an_answer_does_not_overwrite_an_unread_key),
		cmocka_unit_test(ctrl_alt_del_is_typed_in_set_1),
		cmocka_unit_test(ctrl_alt_del_is_refused_without_room_or_listener),
		cmocka_unit_test(the_reset_line_can_be_pulsed_or_driven),
		cmocka_unit_test(the_output_port_shows_a20),
	};

	return cmocka_run_group_tests_name("8042", tests, NULL, NULL);
}
