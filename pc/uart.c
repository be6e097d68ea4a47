/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: National Semiconductor PC16550D datasheet (RRD-B30M75).
 *
 * What is kept true:
 *  - The line is infinitely fast: THRE and TEMT are true whenever the owner
 *    has taken all that was sent and does not hold the transmitter back
 *    (tx_blocked).  A byte written has left the chip: clearing the FIFO does
 *    not lose it.  It is lost, as in the hardware, when the FIFO is full.
 *  - A THRE interrupt is due after a byte was written, after IER enables it
 *    anew, and after LSR told the guest to wait; reading it in IIR takes it
 *    away.  So a guest that waits for it always gets one.
 *  - Received bytes are in the FIFO or with the owner, who keeps what
 *    uart_rx() refuses; only loopback can overrun.  The FIFO timeout is
 *    immediate: below the trigger level IIR says "timeout" at once.
 *  - The interrupt line reaches the PC only through MCR's OUT2, and never in
 *    loopback.
 *  - LCR = BF is no key to more registers, and nothing but a 16550A's own
 *    bits reads back: that is how a driver tells it from its successors.
 */
#include "uart.h"

#define DATA 0 /* with DLAB: divisor, low byte */
#define IER 1  /* with DLAB: divisor, high byte */
#define IIR 2  /* written: FCR */
#define LCR 3
#define MCR 4
#define LSR 5
#define MSR 6
#define SCR 7

#define IER_RX 0x01u
#define IER_THRE 0x02u
#define IER_LSR 0x04u
#define IER_MSR 0x08u
#define IIR_NONE 0x01u
#define IIR_LSR 0x06u
#define IIR_RX 0x04u
#define IIR_TIMEOUT 0x0Cu
#define IIR_THRE 0x02u
#define IIR_MSR 0x00u
#define IIR_FIFOS 0xC0u
#define FCR_ENABLE 0x01u
#define FCR_CLEAR_RX 0x02u
#define FCR_TRIGGER 0xC0u
#define LCR_DLAB 0x80u
#define MCR_DTR 0x01u
#define MCR_RTS 0x02u
#define MCR_OUT1 0x04u
#define MCR_OUT2 0x08u
#define MCR_LOOP 0x10u
#define LSR_READY 0x01u
#define LSR_OVERRUN 0x02u
#define LSR_THRE 0x20u
#define LSR_TEMT 0x40u
#define MSR_CTS 0x10u
#define MSR_DSR 0x20u
#define MSR_RI 0x40u
#define MSR_DCD 0x80u
#define MSR_TERI 0x04u /* RI fell; the other deltas are any change */

static void put(struct uart_fifo *fifo, u8 byte)
{
	fifo->byte[(fifo->head + fifo->count++) % UART_FIFO] = byte;
}

static u8 take(struct uart_fifo *fifo)
{
	u8 byte = fifo->byte[fifo->head];

	fifo->head = (fifo->head + 1) % UART_FIFO;
	fifo->count--;
	return byte;
}

static unsigned rx_room(const struct uart *uart)
{
	unsigned size = uart->fcr & FCR_ENABLE ? UART_FIFO : 1;

	return uart->rx.count < size ? size - uart->rx.count : 0;
}

static bool thre(const struct uart *uart)
{
	return !uart->tx_blocked && !uart->tx.count;
}

/* Without FIFOs fcr is 0: one byte. */
static u8 trigger(const struct uart *uart)
{
	switch (uart->fcr & FCR_TRIGGER) {
	case 0x40:
		return 4;
	case 0x80:
		return 8;
	case 0xC0:
		return 14;
	}
	return 1;
}

/* IIR without its FIFO bits: the pending source of the highest priority. */
static u8 source(const struct uart *uart)
{
	if (uart->ier & IER_LSR && uart->overrun)
		return IIR_LSR;
	if (uart->ier & IER_RX && uart->rx.count)
		return uart->rx.count >= trigger(uart) ? IIR_RX : IIR_TIMEOUT;
	if (uart->ier & IER_THRE && uart->thre_event && thre(uart))
		return IIR_THRE;
	if (uart->ier & IER_MSR && uart->msr_delta)
		return IIR_MSR;
	return IIR_NONE;
}

bool uart_irq(const struct uart *uart)
{
	return (uart->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2 && source(uart) != IIR_NONE;
}

/* Modem lines: a peer that is always there, or in loopback our own outputs. */
static u8 modem_lines(u8 mcr)
{
	u8 lines = 0;

	if (!(mcr & MCR_LOOP))
		return MSR_DCD | MSR_DSR | MSR_CTS;
	if (mcr & MCR_DTR)
		lines |= MSR_DSR;
	if (mcr & MCR_RTS)
		lines |= MSR_CTS;
	if (mcr & MCR_OUT1)
		lines |= MSR_RI;
	if (mcr & MCR_OUT2)
		lines |= MSR_DCD;
	return lines;
}

static void write_mcr(struct uart *uart, u8 value)
{
	u8 old = modem_lines(uart->mcr);
	u8 lines;

	uart->mcr = value & 0x1F;
	lines = modem_lines(uart->mcr);
	uart->msr_delta |= (old ^ lines) >> 4 & ~MSR_TERI;
	uart->msr_delta |= (old & ~lines) >> 4 & MSR_TERI;
}

static void write_data(struct uart *uart, u8 value)
{
	uart->thre_event = true;
	if (!(uart->mcr & MCR_LOOP)) {
		if (uart->tx.count < UART_FIFO)
			put(&uart->tx, value);
	} else if (rx_room(uart)) {
		put(&uart->rx, value);
	} else {
		uart->overrun = LSR_OVERRUN;
	}
}

static void write_fcr(struct uart *uart, u8 value)
{
	bool toggled = (uart->fcr ^ value) & FCR_ENABLE;

	if (toggled || value & FCR_CLEAR_RX)
		uart->rx.count = 0;
	uart->fcr = value & FCR_ENABLE ? value & (FCR_ENABLE | FCR_TRIGGER) : 0;
}

static u8 read_iir(struct uart *uart)
{
	u8 value = source(uart);

	if (value == IIR_THRE)
		uart->thre_event = false;
	return uart->fcr & FCR_ENABLE ? value | IIR_FIFOS : value;
}

static u8 read_lsr(struct uart *uart)
{
	u8 value = uart->overrun;

	uart->overrun = 0;
	if (uart->rx.count)
		value |= LSR_READY;
	if (thre(uart))
		value |= LSR_THRE | LSR_TEMT;
	else
		uart->thre_event = true;
	return value;
}

static u8 read_msr(struct uart *uart)
{
	u8 value = modem_lines(uart->mcr) | uart->msr_delta;

	uart->msr_delta = 0;
	return value;
}

u8 uart_read(struct uart *uart, unsigned reg)
{
	bool dlab = uart->lcr & LCR_DLAB;

	switch (reg) {
	case DATA:
		if (dlab)
			return uart->dll;
		return uart->rx.count ? take(&uart->rx) : 0;
	case IER:
		return dlab ? uart->dlm : uart->ier;
	case IIR:
		return read_iir(uart);
	case LCR:
		return uart->lcr;
	case MCR:
		return uart->mcr;
	case LSR:
		return read_lsr(uart);
	case MSR:
		return read_msr(uart);
	case SCR:
		return uart->scr;
	}
	return 0xFF;
}

static void write_ier(struct uart *uart, u8 value)
{
	if (value & ~uart->ier & IER_THRE)
		uart->thre_event = true;
	uart->ier = value & (IER_RX | IER_THRE | IER_LSR | IER_MSR);
}

void uart_write(struct uart *uart, unsigned reg, u8 value)
{
	bool dlab = uart->lcr & LCR_DLAB;

	switch (reg) {
	case DATA:
		if (dlab)
			uart->dll = value;
		else
			write_data(uart, value);
		break;
	case IER:
		if (dlab)
			uart->dlm = value;
		else
			write_ier(uart, value);
		break;
	case IIR:
		write_fcr(uart, value);
		break;
	case LCR:
		uart->lcr = value;
		break;
	case MCR:
		write_mcr(uart, value);
		break;
	case SCR:
		uart->scr = value;
		break;
	}
}

bool uart_tx_take(struct uart *uart, u8 *byte)
{
	if (!uart->tx.count)
		return false;
	*byte = take(&uart->tx);
	return true;
}

bool uart_rx(struct uart *uart, u8 byte)
{
	if (uart->mcr & MCR_LOOP || !rx_room(uart))
		return false;
	put(&uart->rx, byte);
	return true;
}

void uart_reset(struct uart *uart)
{
	*uart = (struct uart){.dll = 12};
}
