/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual PC as a whole: which port reaches whom at which width, the
 * wires to the 8259, PCI configuration, the ways to turn it off; and random
 * accesses to every port.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "pc/pc.h"

static struct pc pc;
static struct pc_time now;

static void start(void)
{
	now = (struct pc_time){.ns = 5000000000ull, .epoch_s = 1204329599};
	pc_reset(&pc);
}

/* Every access takes 1 us. */
static u32 in(u16 port, unsigned size)
{
	now.ns += 1000;
	return pc_in(&pc, port, size, &now);
}

static void out(u16 port, unsigned size, u32 value)
{
	now.ns += 1000;
	pc_out(&pc, port, size, value, &now);
}

static void outb(u16 port, u8 value)
{
	out(port, 1, value);
}

static u8 inb(u16 port)
{
	return (u8)in(port, 1);
}

static void init_pic(void)
{
	static const u8 init[] = {0x11, 0x20, 0x04, 0x01, 0x11, 0x28, 0x02, 0x01};

	for (unsigned i = 0; i < ARRAY_SIZE(init); i++)
		outb((i < 4 ? 0x20 : 0xA0) + (i % 4 != 0), init[i]);
	outb(0x21, 0x00);
	outb(0xA1, 0x00);
}

/* The vector that is delivered, -1 for none; ends it at the master. */
static int interrupt(void)
{
	if (!pic_intr(&pc.pic))
		return -1;
	int vector = pic_ack(&pc.pic);
	outb(0x20, 0x20);
	return vector;
}

static u32 pci_config(u8 device, u8 function, u8 reg)
{
	out(0xCF8, 4, 0x80000000u | device << 11 | function << 8 | (reg & 0xFC));
	return in(0xCFC, 4);
}

static void a_port_of_nobody_reads_as_ones_and_ignores_writes(void **state)
{
	static const u16 ports[] = {0x1F0, 0x177, 0x2F9, 0x3F7, 0x3D4, 0xCFB, 0x62, 0xFFFF};

	(void)state;
	start();
	for (unsigned i = 0; i < ARRAY_SIZE(ports); i++) {
		out(ports[i], 1, 0x12);
		assert_int_equal(in(ports[i], 1), 0xFF);
	}
	assert_int_equal(in(0x1F0, 2), 0xFFFF);
	assert_int_equal(in(0x1F0, 4), 0xFFFFFFFF);
	assert_int_equal(pc.requests, 0);
}

static void a_wide_access_reaches_byte_devices_lowest_port_first(void **state)
{
	(void)state;
	start();
	out(0x70, 2, 0x5A0F); /* index 0F, then its value */
	assert_int_equal(pc.cmos.ram[0x0F], 0x5A);
	out(0x3FC, 4, 0x77000003);
	assert_int_equal(in(0x3FF, 1), 0x77);
	assert_int_equal(in(0x3FC, 1), 0x03);
	assert_int_equal(in(0x3FC, 4) & 0xFF00FFFF, 0x77006003);
	assert_int_equal(in(0x3FE, 4) & 0xFFFFFF00, 0xFFFF7700); /* 400, 401: nobody's */
	out(0xFFFF, 2, 0);					 /* wraps to port 0 */
	assert_int_equal(in(0xFFFF, 2), 0xFFFF);
}

static void the_timer_interrupts_once_a_period_through_the_pic(void **state)
{
	(void)state;
	start();
	init_pic();
	while (interrupt() >= 0)
		;
	outb(0x43, 0x34);
	outb(0x40, 4772 & 0xFF);
	outb(0x40, 4772 >> 8);
	unsigned ticks = 0;
	for (u64 end = now.ns + 1000000000; now.ns < end;) {
		u64 next = pc_next_event(&pc, &now);
		assert_true(next > now.ns && next <= now.ns + 4000000);
		now.ns = next;
		pc_update_irqs(&pc, &now);
		assert_int_equal(interrupt(), 0x20);
		assert_int_equal(interrupt(), -1);
		ticks++;
	}
	assert_in_range(ticks, 250, 251);
}

static void a_masked_timer_is_not_worth_waking_for(void **state)
{
	(void)state;
	start();
	init_pic();
	assert_true(pc_next_event(&pc, &now) != PIT_NEVER);
	outb(0x21, 0x01);
	assert_true(pc_next_event(&pc, &now) == PIT_NEVER);
	now.ns += 1000000000;
	outb(0x21, 0x00);
	assert_int_equal(interrupt(), 0x20); /* the edge was not lost */
}

/* Linux 2.6's rtc.c: RTC_UIE_ON, and its handler reads register C. */
static void the_clock_interrupts_on_irq_8(void **state)
{
	(void)state;
	start();
	init_pic();
	outb(0x21, 0x01);
	out(0x70, 2, 0x120B);
	outb(0x70, 0x0C);
	inb(0x71);
	for (unsigned i = 0; i < 3; i++) {
		u64 next = pc_next_event(&pc, &now);

		assert_true(next > now.ns && next % 1000000000 == 0);
		now.ns = next;
		pc_update_irqs(&pc, &now);
		assert_int_equal(interrupt(), 0x28);
		outb(0xA0, 0x20);
		assert_int_equal(interrupt(), -1);
		assert_true(pc_next_event(&pc, &now) == PIT_NEVER);
		assert_int_equal(inb(0x71) & 0xD0, 0xD0);
	}
	outb(0x21, 0x05); /* the cascade */
	assert_true(pc_next_event(&pc, &now) == PIT_NEVER);
	outb(0x21, 0x01);
	outb(0xA1, 0x01);
	assert_true(pc_next_event(&pc, &now) == PIT_NEVER);
	now.ns += 1000000000;
	assert_int_equal(interrupt(), -1);
	outb(0xA1, 0x00);
	assert_int_equal(interrupt(), 0x28); /* it was not lost */
}

static void the_request_register_is_never_behind_the_clock(void **state)
{
	(void)state;
	start();
	init_pic();
	outb(0x21, 0xFF);
	outb(0x20, 0x0A);
	outb(0x43, 0x38);
	outb(0x40, 0x00);
	outb(0x40, 0x10);
	assert_false(inb(0x20) & 0x01);
	now.ns += 10000000;
	assert_true(inb(0x20) & 0x01);
}

static void every_keyboard_byte_is_an_interrupt_of_its_own(void **state)
{
	(void)state;
	start();
	init_pic();
	while (interrupt() >= 0)
		;
	outb(0x21, 0x01);
	assert_true(kbd_ctrl_alt_del(&pc.kbd));
	pc_update_irqs(&pc, &now);
	unsigned bytes = 0;
	for (; interrupt() == 0x21; bytes++)
		inb(0x60);
	assert_int_equal(bytes, 8);
	assert_false(inb(0x64) & 0x01);
}

static void a_received_character_is_irq_4(void **state)
{
	(void)state;
	start();
	init_pic();
	outb(0x21, 0x01);
	outb(0x3FC, 0x0B);
	outb(0x3F9, 0x01);
	assert_true(uart_rx(&pc.uart, 'A'));
	pc_update_irqs(&pc, &now);
	assert_int_equal(interrupt(), 0x24);
	assert_int_equal(inb(0x3F8), 'A');
	assert_int_equal(interrupt(), -1);
	assert_true(uart_rx(&pc.uart, 'B'));
	pc_update_irqs(&pc, &now);
	assert_int_equal(interrupt(), 0x24);
}

static void a_polled_console_line_reaches_the_owner(void **state)
{
	static const char text[] = "Linux version 2.6.32\n";

	(void)state;
	start();
	for (const char *p = text; *p; p++) {
		u8 byte;

		assert_true(inb(0x3FD) & 0x20);
		outb(0x3F8, (u8)*p);
		assert_true(uart_tx_take(&pc.uart, &byte));
		assert_int_equal(byte, *p);
	}
}

/* pci_check_type1() and pci_check_type2(). */
static void linux_chooses_pci_mechanism_1(void **state)
{
	(void)state;
	start();
	outb(0xCFB, 0x01);
	u32 old = in(0xCF8, 4);
	out(0xCF8, 4, 0x80000000);
	assert_int_equal(in(0xCF8, 4), 0x80000000);
	out(0xCF8, 4, old);
	outb(0xCFB, 0);
	outb(0xCF8, 0);
	outb(0xCFA, 0);
	assert_false(inb(0xCF8) == 0 && inb(0xCFA) == 0);
	assert_int_equal(pc.requests, 0);
}

static void the_bus_has_a_host_bridge_and_an_isa_bridge(void **state)
{
	(void)state;
	start();
	assert_int_equal(pci_config(0, 0, 0x00), 0x12378086);
	assert_int_equal(pci_config(0, 0, 0x08) >> 16, 0x0600);
	assert_int_equal(pci_config(1, 0, 0x00), 0x70008086);
	assert_int_equal(pci_config(1, 0, 0x08) >> 16, 0x0601);
	assert_int_equal(pci_config(0, 0, 0x0C), 0x00000000); /* header 0, one function */
	assert_int_equal(pci_config(1, 0, 0x0C), 0x00000000);
	for (u8 device = 0; device < 32; device++)
		for (u8 function = 0; function < 8; function++)
			if (device > 1 || function)
				assert_int_equal(pci_config(device, function, 0), 0xFFFFFFFF);
	out(0xCF8, 4, 0x80010000); /* bus 1 */
	assert_int_equal(in(0xCFC, 4), 0xFFFFFFFF);
	out(0xCF8, 4, 0x00000000); /* not enabled */
	assert_int_equal(in(0xCFC, 4), 0xFFFFFFFF);
}

static void configuration_reads_at_every_width(void **state)
{
	(void)state;
	start();
	pci_config(1, 0, 0x00);
	assert_int_equal(in(0xCFC, 2), 0x8086);
	assert_int_equal(in(0xCFE, 2), 0x7000);
	assert_int_equal(in(0xCFF, 1), 0x70);
	assert_int_equal(in(0xCFD, 1), 0x80);
	assert_int_equal(in(0xCFE, 4), 0xFFFF7000); /* out of the dword */
}

static void sizing_the_base_registers_finds_none(void **state)
{
	(void)state;
	start();
	for (u8 reg = 0x10; reg < 0x3C; reg += 4) {
		pci_config(1, 0, reg);
		out(0xCFC, 4, 0xFFFFFFFF);
		assert_int_equal(pci_config(1, 0, reg), 0);
	}
	pci_config(1, 0, 0x00);
	out(0xCFC, 4, 0);
	assert_int_equal(pci_config(1, 0, 0x00), 0x70008086);
}

static void chip_set_registers_keep_what_is_written(void **state)
{
	(void)state;
	start();
	assert_int_equal(pci_config(1, 0, 0x60), 0x80808080);
	out(0xCFD, 1, 0x0B);
	assert_int_equal(in(0xCFC, 4), 0x80800B80);
	out(0xCFE, 2, 0x0A05);
	assert_int_equal(in(0xCFC, 4), 0x0A050B80);
	assert_int_equal(pci_config(0, 0, 0x60), 0); /* another function's */
	pci_config(1, 0, 0x40);
	out(0xCFC, 4, 0x12345678);
	assert_int_equal(pci_config(1, 0, 0x40), 0x12345678);
	pci_config(1, 0, 0x3C);
	out(0xCFC, 1, 9);
	assert_int_equal(pci_config(1, 0, 0x3C), 9);
	pci_config(1, 0, 0x04);
	out(0xCFC, 2, 0xFFFF);
	assert_int_equal(pci_config(1, 0, 0x04), 0x02000147);
}

static void each_reset_path_requests_a_reset(void **state)
{
	(void)state;
	start();
	outb(0x64, 0xFE);
	assert_int_equal(pc.requests, PC_RESET);
	start();
	outb(0xCF9, 0x02);
	assert_int_equal(pc.requests, 0);
	outb(0xCF9, 0x06);
	assert_int_equal(pc.requests, PC_RESET);
	start();
	outb(0x92, 0x02); /* A20 only */
	assert_int_equal(pc.requests, 0);
	outb(0x92, 0x03);
	assert_int_equal(pc.requests, PC_RESET);
	pc.requests = 0;
	inb(0x92);
	outb(0x80, 0);
	assert_int_equal(pc.requests, 0); /* once */
}

static void acpi_power_off_needs_type_and_enable(void **state)
{
	(void)state;
	start();
	outb(0xB2, PM_ACPI_ENABLE);
	assert_int_equal(in(PM1A_CONTROL, 2), 0x0001);
	out(PM1A_CONTROL, 2, PM_SLEEP_S5 << 10 | 0x0001);
	assert_int_equal(pc.requests, 0);
	out(PM1A_CONTROL, 2, 1 << 10 | 0x2001);
	assert_int_equal(pc.requests, 0);
	out(PM1A_CONTROL, 2, PM_SLEEP_S5 << 10 | 0x2001);
	assert_int_equal(pc.requests, PC_POWEROFF);
	assert_int_equal(in(PM1A_CONTROL, 2), PM_SLEEP_S5 << 10 | 0x0001);
	outb(0xB2, PM_ACPI_DISABLE);
	assert_false(in(PM1A_CONTROL, 2) & 1);
}

static u32 random32(void)
{
	static u64 x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (u32)(x >> 16);
}

/* Mostly the ports of devices: random numbers would hardly ever hit one. */
static u16 random_port(void)
{
	static const u16 near[] = {0x1F, 0x3F,	0x60,  0x61,  0x64,  0x70,  0x7F,  0x92, 0xA0,
				   0xB2, 0x3F6, 0x3FA, 0x4CF, 0x4D1, 0x604, 0xCF8, 0xCFC};

	if (random32() % 32 == 0)
		return (u16)random32();
	return near[random32() % ARRAY_SIZE(near)] + random32() % 5;
}

static void check_invariants(void)
{
	for (unsigned c = 0; c < 2; c++) {
		assert_int_equal(pc.pic.chip[c].irr & ~pc.pic.chip[c].line, 0);
		assert_in_range(pc.pic.chip[c].top, 0, 7);
	}
	for (unsigned i = 0; i < 3; i++) {
		u8 mode = pc.pit.channel[i].mode;

		assert_true(mode == 0 || (mode >= 2 && mode <= 4));
		assert_in_range(pc.pit.channel[i].access, 1, 3);
	}
	assert_in_range(pc.uart.rx.count, 0, UART_FIFO);
	assert_in_range(pc.uart.tx.count, 0, UART_FIFO);
	assert_in_range(pc.kbd.count, 0, KBD_QUEUE);
	assert_true(pc_next_event(&pc, &now) > now.ns);
	assert_int_equal(pc.requests & ~(PC_RESET | PC_POWEROFF), 0);
}

static void random_accesses_break_no_invariant(void **state)
{
	unsigned requests = 0, vectors = 0, sent = 0;

	(void)state;
	start();
	for (unsigned i = 0; i < 1000000; i++) {
		unsigned size = 1u << random32() % 3;
		u16 port = random_port();
		u8 byte;

		now.ns += random32() >> (random32() & 31);
		now.epoch_s += random32() % 4 == 0;
		if (random32() & 1) {
			out(port, size, random32());
		} else {
			u32 value = in(port, size);

			if (size < 4)
				assert_int_equal(value >> (8 * size), 0);
		}
		uart_rx(&pc.uart, (u8)i);
		sent += uart_tx_take(&pc.uart, &byte);
		if (i % 16 == 0) {
			kbd_ctrl_alt_del(&pc.kbd);
			pc.uart.tx_blocked = random32() & 1;
		}
		if (pic_intr(&pc.pic) && random32() & 1)
			vectors += pic_ack(&pc.pic) != 0;
		check_invariants();
		requests |= pc.requests;
		pc.requests = 0;
	}
	/* The loop reached what it is meant to reach. */
	assert_int_equal(requests, PC_RESET | PC_POWEROFF);
	assert_true(vectors > 1000 && sent > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_of_nobody_reads_as_ones_and_ignores_writes),
		cmocka_unit_test(a_wide_access_reaches_byte_devices_lowest_port_first),
		cmocka_unit_test(the_timer_interrupts_once_a_period_through_the_pic),
		cmocka_unit_test(a_masked_timer_is_not_worth_waking_for),
		cmocka_unit_test(the_clock_interrupts_on_irq_8),
		cmocka_unit_test(the_request_register_is_never_behind_the_clock),
		cmocka_unit_test(every_keyboard_byte_is_an_interrupt_of_its_own),
		cmocka_unit_test(a_received_character_is_irq_4),
		cmocka_unit_test(a_polled_console_line_reaches_the_owner),
		cmocka_unit_test(linux_chooses_pci_mechanism_1),
		cmocka_unit_test(the_bus_has_a_host_bridge_and_an_isa_bridge),
		cmocka_unit_test(configuration_reads_at_every_width),
		cmocka_unit_test(sizing_the_base_registers_finds_none),
		cmocka_unit_test(chip_set_registers_keep_what_is_written),
		cmocka_unit_test(each_reset_path_requests_a_reset),
		cmocka_unit_test(acpi_power_off_needs_type_and_enable),
		cmocka_unit_test(random_accesses_break_no_invariant),
	};

	return cmocka_run_group_tests_name("virtual PC", tests, NULL, NULL);
}
