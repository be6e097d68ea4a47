/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The 16550A: Linux 2.6's 8250.c must take it for one, must not find one of
 * the bugs that it works around, and must never wait for an interrupt that
 * does not come.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "pc/uart.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR, EFR = IIR, DLL = DATA, DLM = IER };

#define NO_INT 0x01
#define THRE 0x20
#define TEMT 0x40

static struct uart uart;

static u8 in(unsigned reg)
{
	return uart_read(&uart, reg);
}

static void out(unsigned reg, u8 value)
{
	uart_write(&uart, reg, value);
}

/* What the driver's startup leaves: FIFOs with trigger 8, OUT2, DTR, RTS. */
static void startup(u8 ier)
{
	uart_reset(&uart);
	out(FCR, 0x81);
	out(LCR, 0x03);
	out(MCR, 0x0B);
	out(IER, ier);
}

static unsigned drain(void)
{
	unsigned n = 0;

	for (u8 byte; uart_tx_take(&uart, &byte);)
		n++;
	return n;
}

static void autoconfig_finds_a_16550a(void **state)
{
	(void)state;
	uart_reset(&uart);
	out(IER, 0x00);
	assert_int_equal(in(IER)&0x0F, 0x00);
	out(IER, 0x0F);
	assert_int_equal(in(IER)&0x0F, 0x0F);
	out(IER, 0x00);
	out(MCR, 0x1A); /* loop, OUT2, RTS */
	assert_int_equal(in(MSR)&0xF0, 0x90);
	out(MCR, 0x00);
	out(LCR, 0xBF);
	out(EFR, 0x00);
	out(LCR, 0x00);
	out(FCR, 0x01);
	assert_int_equal(in(IIR) >> 6, 3);
}

static void autoconfig_finds_nothing_newer_than_a_16550a(void **state)
{
	(void)state;
	uart_reset(&uart);
	out(FCR, 0x01);
	out(LCR, 0x80);
	assert_int_not_equal(in(EFR), 0); /* no 16650 */
	out(LCR, 0xBF);
	assert_int_not_equal(in(EFR), 0);
	out(LCR, 0x00);
	u8 mcr = in(MCR);
	out(MCR, mcr ^ 0x10);
	out(LCR, 0xE0);
	assert_false((in(0x02) ^ mcr) & 0x10); /* no National SuperIO */
	out(LCR, 0x00);
	out(MCR, mcr);
	out(LCR, 0x80);
	out(FCR, 0x21);
	assert_int_equal(in(IIR) >> 5, 6); /* no 64-byte FIFO of a 16750 */
	out(FCR, 0x01);
	out(LCR, 0x00);
	out(IER, 0x40);
	assert_int_equal(in(IER), 0x00); /* no XScale */
}

static void scratch_and_divisor_are_ram(void **state)
{
	(void)state;
	uart_reset(&uart);
	out(SCR, 0xA5);
	assert_int_equal(in(SCR), 0xA5);
	out(LCR, 0x83);
	out(DLL, 0x34);
	out(DLM, 0x12);
	assert_int_equal(in(DLL), 0x34);
	assert_int_equal(in(DLM), 0x12);
	out(LCR, 0x03);
	assert_int_equal(in(IER), 0x00);
	u8 byte;
	assert_false(uart_tx_take(&uart, &byte)); /* the divisor was not sent */
}

/* serial8250_startup(): UART_BUG_THRE and UART_BUG_TXEN. */
static void startup_finds_neither_thre_nor_txen_bug(void **state)
{
	(void)state;
	uart_reset(&uart);
	out(FCR, 0x01);
	out(FCR, 0x07);
	out(FCR, 0x00);
	in(LSR), in(DATA), in(IIR), in(MSR);
	assert_int_not_equal(in(LSR), 0xFF);
	out(LCR, 0x03);
	out(IER, 0x02);
	u8 iir1 = in(IIR);
	out(IER, 0x00);
	out(IER, 0x02);
	u8 iir2 = in(IIR);
	out(IER, 0x00);
	assert_false(iir1 & NO_INT);
	assert_false(iir2 & NO_INT);
	out(MCR, 0x0B);
	out(IER, 0x02);
	assert_true(in(LSR)&TEMT);
	assert_true(uart_irq(&uart));
	assert_false(in(IIR)&NO_INT);
	out(IER, 0x00);
}

static void reading_iir_ends_the_thre_interrupt_and_a_byte_renews_it(void **state)
{
	u8 byte;

	(void)state;
	startup(0x00);
	assert_false(uart_irq(&uart));
	out(IER, 0x02);
	assert_true(uart_irq(&uart));
	assert_int_equal(in(IIR), 0xC2);
	assert_int_equal(in(IIR), 0xC1);
	assert_false(uart_irq(&uart));
	out(IER, 0x02); /* it was on: nothing new */
	assert_false(uart_irq(&uart));
	out(DATA, 'x');
	assert_false(uart_irq(&uart)); /* not before the owner has it */
	assert_true(uart_tx_take(&uart, &byte));
	assert_int_equal(byte, 'x');
	assert_true(uart_irq(&uart));
}

static void bytes_come_out_in_order_and_a_17th_is_lost(void **state)
{
	u8 byte;

	(void)state;
	startup(0x00);
	for (u8 i = 0; i < 17; i++)
		out(DATA, 'a' + i);
	assert_false(in(LSR) & (THRE | TEMT));
	for (u8 i = 0; i < 16; i++) {
		assert_true(uart_tx_take(&uart, &byte));
		assert_int_equal(byte, 'a' + i);
	}
	assert_false(uart_tx_take(&uart, &byte));
	assert_int_equal(in(LSR) & (THRE | TEMT), THRE | TEMT);
}

static void clearing_the_fifo_does_not_lose_what_was_sent(void **state)
{
	(void)state;
	startup(0x00);
	out(DATA, 'x');
	out(FCR, 0x87);
	out(FCR, 0x00);
	assert_int_equal(drain(), 1);
}

static void a_blocked_transmitter_is_not_ready_and_interrupts_when_it_is(void **state)
{
	(void)state;
	startup(0x02);
	uart.tx_blocked = true;
	assert_false(uart_irq(&uart));
	assert_false(in(LSR)&THRE);
	uart.tx_blocked = false;
	assert_true(uart_irq(&uart));
	assert_int_equal(in(IIR), 0xC2);
	uart.tx_blocked = true; /* between the interrupt and the look at LSR */
	assert_false(in(LSR)&THRE);
	uart.tx_blocked = false;
	assert_true(uart_irq(&uart));
}

static void received_bytes_interrupt_and_read_in_order(void **state)
{
	(void)state;
	startup(0x05);
	for (u8 i = 0; i < 7; i++)
		assert_true(uart_rx(&uart, '0' + i));
	assert_true(uart_irq(&uart));
	assert_int_equal(in(IIR), 0xCC); /* below the trigger: timeout */
	assert_true(uart_rx(&uart, '7'));
	assert_int_equal(in(IIR), 0xC4);
	for (u8 i = 0; i < 8; i++) {
		assert_true(in(LSR)&0x01);
		assert_int_equal(in(DATA), '0' + i);
	}
	assert_false(in(LSR)&0x01);
	assert_false(uart_irq(&uart));
}

static void a_full_receiver_refuses_and_loses_nothing(void **state)
{
	(void)state;
	startup(0x05);
	for (u8 i = 0; i < 16; i++)
		assert_true(uart_rx(&uart, i));
	assert_false(uart_rx(&uart, 99));
	assert_int_equal(in(DATA), 0);
	assert_true(uart_rx(&uart, 16));
	for (u8 i = 1; i <= 16; i++)
		assert_int_equal(in(DATA), i);
	out(FCR, 0x00); /* no FIFO: one byte */
	assert_true(uart_rx(&uart, 1));
	assert_false(uart_rx(&uart, 2));
	assert_int_equal(in(IIR), 0x04);
}

static void received_bytes_come_before_thre_in_iir(void **state)
{
	(void)state;
	startup(0x07);
	uart_rx(&uart, 'x');
	assert_int_equal(in(IIR), 0xCC);
	in(DATA);
	assert_int_equal(in(IIR), 0xC2);
}

static void without_out2_no_interrupt_leaves_the_chip(void **state)
{
	(void)state;
	startup(0x02);
	assert_true(uart_irq(&uart));
	out(MCR, 0x03);
	assert_false(uart_irq(&uart));
	assert_int_equal(in(IIR), 0xC2);
}

static void loopback_returns_data_and_modem_lines(void **state)
{
	(void)state;
	startup(0x00);
	assert_int_equal(in(MSR)&0xF0, 0xB0);
	out(MCR, 0x10);
	assert_int_equal(in(MSR), 0x0B); /* DCD, DSR and CTS fell */
	assert_int_equal(in(MSR), 0x00);
	out(MCR, 0x14);
	assert_int_equal(in(MSR), 0x40); /* RI: only its fall counts */
	out(MCR, 0x10);
	assert_int_equal(in(MSR), 0x04);
	out(DATA, 0x42);
	assert_int_equal(drain(), 0);
	assert_false(uart_rx(&uart, 1));
	assert_int_equal(in(LSR), THRE | TEMT | 0x01);
	assert_int_equal(in(DATA), 0x42);
}

static void loopback_overrun_is_a_line_status_interrupt(void **state)
{
	(void)state;
	startup(0x04);
	out(MCR, 0x18);
	for (u8 i = 0; i < 17; i++)
		out(DATA, i);
	out(MCR, 0x0B);
	assert_true(uart_irq(&uart));
	assert_int_equal(in(IIR), 0xC6);
	assert_true(in(LSR)&0x02);
	assert_false(in(LSR)&0x02);
	assert_false(uart_irq(&uart));
}

static void a_modem_change_interrupts_until_msr_is_read(void **state)
{
	(void)state;
	startup(0x08);
	in(MSR);
	assert_false(uart_irq(&uart));
	out(MCR, 0x10);
	out(MCR, 0x0B);
	assert_true(uart_irq(&uart));
	assert_int_equal(in(IIR), 0xC0);
	in(MSR);
	assert_false(uart_irq(&uart));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(autoconfig_finds_a_16550a),
		cmocka_unit_test(autoconfig_finds_nothing_newer_than_a_16550a),
		cmocka_unit_test(scratch_and_divisor_are_ram),
		cmocka_unit_test(startup_finds_neither_thre_nor_txen_bug),
		cmocka_unit_test(reading_iir_ends_the_thre_interrupt_and_a_byte_renews_it),
		cmocka_unit_test(bytes_come_out_in_order_and_a_17th_is_lost),
		cmocka_unit_test(clearing_the_fifo_does_not_lose_what_was_sent),
		cmocka_unit_test(a_blocked_transmitter_is_not_ready_and_interrupts_when_it_is),
		cmocka_unit_test(received_bytes_interrupt_and_read_in_order),
		cmocka_unit_test(a_full_receiver_refuses_and_loses_nothing),
		cmocka_unit_test(received_bytes_come_before_thre_in_iir),
		cmocka_unit_test(without_out2_no_interrupt_leaves_the_chip),
		cmocka_unit_test(loopback_returns_data_and_modem_lines),
		cmocka_unit_test(loopback_overrun_is_a_line_status_interrupt),
		cmocka_unit_test(a_modem_change_interrupts_until_msr_is_read),
	};

	return cmocka_run_group_tests_name("16550A", tests, NULL, NULL);
}
