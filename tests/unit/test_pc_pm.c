/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ACPI's fixed hardware as ACPICA in Linux 2.6.21 to 2.6.36 uses it, through
 * the PC: power-off, the power button to IRQ 9, the PM timer over hours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "pc/pc.h"

#define NS_PER_S 1000000000ull
#define TICKS 0x1000000u
#define POWER_BUTTON 0x0100u
#define STATUS PM1A_EVENT
#define ENABLE (PM1A_EVENT + 2)
#define SCI_VECTOR 0x29 /* IRQ 9, with the slave's base at 28 */

static struct pc pc;
static struct pc_time now;

static void start(void)
{
	now = (struct pc_time){.ns = 12345678901ull};
	pc_reset(&pc);
}

static u32 in(u16 port, unsigned size)
{
	return pc_in(&pc, port, size, &now);
}

static void out(u16 port, unsigned size, u32 value)
{
	pc_out(&pc, port, size, value, &now);
}

static void init_pic(void)
{
	static const u8 init[] = {0x11, 0x20, 0x04, 0x01, 0x11, 0x28, 0x02, 0x01};

	for (unsigned i = 0; i < ARRAY_SIZE(init); i++)
		out((i < 4 ? 0x20 : 0xA0) + (i % 4 != 0), 1, init[i]);
	out(0x21, 1, 0x00);
	out(0xA1, 1, 0x00);
}

static bool press(void)
{
	bool heard = pm_power_button(&pc.pm);

	pc_update_irqs(&pc, &now);
	return heard;
}

static void end_of_interrupt(void)
{
	out(0xA0, 1, 0x20);
	out(0x20, 1, 0x20);
}

static u32 ticks_at(u64 ns)
{
	return (u32)((unsigned __int128)ns * PM_TIMER_HZ / NS_PER_S) % TICKS;
}

static void the_machine_starts_in_acpi_mode_with_no_event(void **state)
{
	(void)state;
	start();
	assert_int_equal(in(PM1A_CONTROL, 2), 0x0001);
	assert_int_equal(in(PM1A_EVENT, 4), 0);
	assert_false(pm_sci(&pc.pm));
	/* Linux wants IRQ 9, and nothing else, level-triggered. */
	assert_int_equal(in(0x4D0, 1) | in(0x4D1, 1) << 8, 1u << PM_SCI_IRQ);
}

/* acpi_enter_sleep_state(): first the type, then the type with SLP_EN. */
static void linux_powers_off_in_two_writes(void **state)
{
	(void)state;
	start();
	out(STATUS, 2, 0x8000);
	u32 control = in(PM1A_CONTROL, 2) & ~0x3C00u;
	out(PM1A_CONTROL, 2, control | PM_SLEEP_S5 << 10);
	assert_int_equal(pc.requests, 0);
	out(PM1A_CONTROL, 2, control | PM_SLEEP_S5 << 10 | 0x2000);
	assert_int_equal(pc.requests, PC_POWEROFF);
	assert_int_equal(in(PM1A_CONTROL, 2), control | PM_SLEEP_S5 << 10);
}

static void no_other_sleep_type_powers_off(void **state)
{
	(void)state;
	start();
	for (u32 type = 0; type < 8; type++) {
		out(PM1A_CONTROL, 2, type << 10 | 0x2001);
		assert_int_equal(pc.requests, type == PM_SLEEP_S5 ? PC_POWEROFF : 0);
		pc.requests = 0;
	}
	out(PM1A_CONTROL, 1, 0x01); /* SLP_EN does not stay */
	assert_int_equal(pc.requests, 0);
}

static void write_only_bits_of_control_read_as_zero(void **state)
{
	(void)state;
	start();
	out(PM1A_CONTROL, 2, 0xFFFF); /* type 7: no such state */
	assert_int_equal(in(PM1A_CONTROL, 2) & 0x2004, 0);
	assert_int_equal(in(PM1A_CONTROL, 2) & 0x1C01, 0x1C01);
	out(PM1A_CONTROL, 2, 0x0000);
	assert_int_equal(in(PM1A_CONTROL, 2), 0x0001); /* SCI_EN is no bit of the guest's */
}

static void port_b2_leaves_and_enters_acpi_mode(void **state)
{
	(void)state;
	start();
	out(0xB2, 1, PM_ACPI_DISABLE);
	assert_int_equal(in(PM1A_CONTROL, 2), 0x0000);
	assert_int_equal(in(0xB2, 1), PM_ACPI_DISABLE);
	out(ENABLE, 2, POWER_BUTTON);
	assert_false(press()); /* nobody takes a system management interrupt */
	out(0xB2, 1, PM_ACPI_ENABLE);
	assert_int_equal(in(PM1A_CONTROL, 2), 0x0001);
	assert_true(pm_sci(&pc.pm));
}

/* acpi_enable_event() checks what it wrote. */
static void each_event_of_acpica_can_be_enabled(void **state)
{
	static const u16 events[] = {0x0001, 0x0020, POWER_BUTTON, 0x0400};

	(void)state;
	start();
	for (unsigned i = 0; i < ARRAY_SIZE(events); i++) {
		out(ENABLE, 2, in(ENABLE, 2) | events[i]);
		assert_true(in(ENABLE, 2) & events[i]);
	}
	assert_false(pm_sci(&pc.pm));
	out(ENABLE, 2, 0xFFFF);
	assert_int_equal(in(ENABLE, 2), 0x0521);
	assert_int_equal(in(PM1A_EVENT, 4), 0x05210000);
	for (unsigned i = 0; i < ARRAY_SIZE(events); i++)
		out(ENABLE, 2, in(ENABLE, 2) & ~events[i]);
	assert_int_equal(in(ENABLE, 2), 0);
}

static void the_power_button_is_irq_9_until_its_status_is_cleared(void **state)
{
	(void)state;
	start();
	init_pic();
	out(ENABLE, 2, POWER_BUTTON);
	assert_false(pic_intr(&pc.pic));
	assert_true(press());
	assert_true(pic_intr(&pc.pic));
	assert_int_equal(pic_ack(&pc.pic), SCI_VECTOR);
	end_of_interrupt();
	assert_true(pic_intr(&pc.pic)); /* a level */
	assert_int_equal(pic_ack(&pc.pic), SCI_VECTOR);
	out(STATUS, 2, 0xFEFF);
	assert_int_equal(in(STATUS, 2), POWER_BUTTON);
	out(STATUS, 2, POWER_BUTTON);
	assert_int_equal(in(STATUS, 2), 0);
	end_of_interrupt();
	assert_false(pic_intr(&pc.pic));
}

static void a_guest_that_does_not_listen_is_not_interrupted(void **state)
{
	(void)state;
	start();
	init_pic();
	assert_false(press());
	assert_false(pic_intr(&pc.pic));
	assert_int_equal(in(STATUS, 2), POWER_BUTTON);
	out(ENABLE, 2, POWER_BUTTON);
	assert_true(pic_intr(&pc.pic));
	out(ENABLE, 2, 0);
	assert_false(pic_intr(&pc.pic));
}

static void status_can_only_be_cleared(void **state)
{
	(void)state;
	start();
	out(STATUS, 2, 0xFFFF);
	assert_int_equal(in(STATUS, 2), 0);
	press();
	out(STATUS, 1, 0xFF); /* the other byte */
	assert_int_equal(in(STATUS, 2), POWER_BUTTON);
	out(STATUS + 1, 1, 0x01);
	assert_int_equal(in(STATUS, 2), 0);
}

static void the_timer_has_24_bits_and_does_not_drift_in_ten_hours(void **state)
{
	(void)state;
	start();
	for (u64 end = now.ns + 36000 * NS_PER_S; now.ns < end; now.ns += 123456789) {
		assert_int_equal(in(PM_TIMER, 4), ticks_at(now.ns));
		assert_true(in(PM_TIMER, 4) < TICKS);
	}
}

/* init_acpi_pm_clocksource(): it moves, and forwards but for the wrap. */
static void the_timer_moves_on_by_one_a_tick(void **state)
{
	unsigned steps = 0, wraps = 0;

	(void)state;
	start();
	now.ns = 4686500000; /* it wraps every 4.68697 s */
	u32 last = in(PM_TIMER, 4);
	for (; now.ns < 4687500000; now.ns += 100) {
		u32 t = in(PM_TIMER, 4);

		assert_in_range((t - last) % TICKS, 0, 1);
		steps += t != last;
		wraps += t < last;
		last = t;
	}
	assert_in_range(steps, PM_TIMER_HZ / 1000 - 1, PM_TIMER_HZ / 1000 + 1);
	assert_int_equal(wraps, 1);
}

static void the_timer_is_read_in_parts_and_cannot_be_written(void **state)
{
	(void)state;
	start();
	u32 t = in(PM_TIMER, 4);
	assert_int_equal(in(PM_TIMER, 2), t & 0xFFFF);
	assert_int_equal(in(PM_TIMER + 2, 2), t >> 16);
	out(PM_TIMER, 4, 0);
	assert_int_equal(in(PM_TIMER, 4), t);
	assert_int_equal(in(0x606, 2), 0xFFFF); /* nobody between control and timer */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_machine_starts_in_acpi_mode_with_no_event),
		cmocka_unit_test(linux_powers_off_in_two_writes),
		cmocka_unit_test(no_other_sleep_type_powers_off),
		cmocka_unit_test(write_only_bits_of_control_read_as_zero),
		cmocka_unit_test(port_b2_leaves_and_enters_acpi_mode),
		cmocka_unit_test(each_event_of_acpica_can_be_enabled),
		cmocka_unit_test(the_power_button_is_irq_9_until_its_status_is_cleared),
		cmocka_unit_test(a_guest_that_does_not_listen_is_not_interrupted),
		cmocka_unit_test(status_can_only_be_cleared),
		cmocka_unit_test(the_timer_has_24_bits_and_does_not_drift_in_ten_hours),
		cmocka_unit_test(the_timer_moves_on_by_one_a_tick),
		cmocka_unit_test(the_timer_is_read_in_parts_and_cannot_be_written),
	};

	return cmocka_run_group_tests_name("power management", tests, NULL, NULL);
}
