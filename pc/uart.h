/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A 16550A serial port: eight registers (on a PC's first port 3F8-3FF, IRQ 4).
 * uart.c tells what it keeps true.
 */
#ifndef VMIXEN_PC_UART_H
#define VMIXEN_PC_UART_H

#include "base.h"

#define UART_FIFO 16u

struct uart_fifo {
	u8 head, count;
	u8 byte[UART_FIFO];
};

struct uart {
	u8 ier, fcr, lcr, mcr, scr;
	u8 dll, dlm;	 /* baud divisor; has no effect */
	u8 overrun;	 /* LSR's overrun bit */
	u8 msr_delta;	 /* MSR bits 0-3 */
	bool thre_event; /* a THRE interrupt is due once THRE is true */
	bool tx_blocked; /* the owner cannot take bytes: THRE stays false */
	struct uart_fifo rx, tx;
};

void uart_reset(struct uart *uart);

/* reg: 0..7. */
u8 uart_read(struct uart *uart, unsigned reg);
void uart_write(struct uart *uart, unsigned reg, u8 value);

/* Next byte that the guest sent; false when there is none. */
bool uart_tx_take(struct uart *uart, u8 *byte);

/* A byte for the guest; false when it has no room for it now: keep it. */
bool uart_rx(struct uart *uart, u8 byte);

/* Level of the interrupt line. */
bool uart_irq(const struct uart *uart);

#endif
