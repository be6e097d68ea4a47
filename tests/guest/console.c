/* SPDX-License-Identifier: GPL-2.0-only */
/* The 16550 at 0x3F8, polled, and a small printf. */
#include <stdarg.h>
#include "cpu.h"

#define UART 0x3f8
#define UART_IER (UART + 1)
#define UART_FCR (UART + 2)
#define UART_LCR (UART + 3)
#define UART_MCR (UART + 4)
#define UART_LSR (UART + 5)
#define LSR_DATA 0x01
#define LSR_THRE 0x20
#define POLL_MAX 100000u /* a UART that is never ready must not stop us */

void console_init(void)
{
	outb(0x00, UART_IER);
	outb(0x80, UART_LCR); /* divisor latch: 115200 */
	outb(1, UART);
	outb(0, UART_IER);
	outb(0x03, UART_LCR); /* 8n1 */
	outb(0x07, UART_FCR);
	outb(0x03, UART_MCR);
}

static void uart_put(char c)
{
	for (u32 i = 0; i < POLL_MAX && !(inb(UART_LSR) & LSR_THRE); i++)
		;
	outb((u8)c, UART);
}

void (*console_out)(char c) = uart_put;

void console_putc(char c)
{
	if (c == '\n')
		console_out('\r');
	console_out(c);
}

int console_getc(void)
{
	return inb(UART_LSR) & LSR_DATA ? inb(UART) : -1;
}

static void put_number(u64 n, u32 base, int width, char pad, bool negative)
{
	char digits[24];
	int len = 0;

	do {
		u64 q = div64(n, base);

		digits[len++] = "0123456789abcdef"[n - q * base];
		n = q;
	} while (n);
	if (negative)
		digits[len++] = '-';
	for (; width > len; width--)
		console_putc(pad);
	while (len)
		console_putc(digits[--len]);
}

static void put_string(const char *s, int width)
{
	for (; *s; s++, width--)
		console_putc(*s);
	for (; width > 0; width--)
		console_putc(' ');
}

/* %c %s %d %u %x, a width, zero padding, ll. */
void printk(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	for (; *fmt; fmt++) {
		bool big = false;
		char pad = ' ';
		int width = 0;
		s64 n;

		if (*fmt != '%') {
			console_putc(*fmt);
			continue;
		}
		if (*++fmt == '0')
			pad = '0';
		for (; *fmt >= '0' && *fmt <= '9'; fmt++)
			width = width * 10 + *fmt - '0';
		for (; *fmt == 'l'; fmt++)
			big = true;
		switch (*fmt) {
		case 'c':
			console_putc((char)va_arg(args, int));
			break;
		case 's':
			put_string(va_arg(args, const char *), width);
			break;
		case 'd':
			n = big ? va_arg(args, s64) : va_arg(args, s32);
			put_number((u64)(n < 0 ? -n : n), 10, width, pad, n < 0);
			break;
		case 'u':
		case 'x':
			put_number(big ? va_arg(args, u64) : va_arg(args, u32),
				   *fmt == 'u' ? 10 : 16, width, pad, false);
			break;
		default:
			console_putc(*fmt);
		}
	}
	va_end(args);
}
