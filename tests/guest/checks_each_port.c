/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls for ports, by the scratch register of the UART and PCI's address
 * register, which keep what is written; see checks_each.h.
 */
#include "checks_each.h"

#define UART_SCRATCH 0x3ff
#define PCI_ADDRESS 0xcf8

static u32 in_dword(u16 port)
{
	u32 v;

	asm volatile("inl %1, %0" : "=a"(v) : "d"(port));
	return v;
}

static void out_dword(u16 port, u32 v)
{
	asm volatile("outl %0, %1" ::"a"(v), "d"(port));
}

static bool t_inb(void)
{
	outb(0x6c, UART_SCRATCH);
	call(FILL_EAX, UART_SCRATCH);
	return out[OUT_EAX] == ((FILL_EAX & ~0xffu) | 0x6c);
}

static bool t_inw(void)
{
	u16 native;

	outb(0x6d, UART_SCRATCH);
	asm volatile("inw %1, %0" : "=a"(native) : "d"((u16)(UART_SCRATCH - 1)));
	call(FILL_EAX, UART_SCRATCH - 1);
	return native >> 8 == 0x6d && out[OUT_EAX] == ((FILL_EAX & ~0xffffu) | native);
}

static bool t_in(void)
{
	out_dword(PCI_ADDRESS, 0x80001234);
	call(FILL_EAX, PCI_ADDRESS);
	return out[OUT_EAX] == 0x80001234;
}

static bool t_outb(void)
{
	call(0xffffff35, UART_SCRATCH);
	return inb(UART_SCRATCH) == 0x35;
}

static bool t_outw(void)
{
	call(0xffff4700, UART_SCRATCH - 1);
	return inb(UART_SCRATCH) == 0x47;
}

static bool t_out(void)
{
	call(0x80005678, PCI_ADDRESS);
	return in_dword(PCI_ADDRESS) == 0x80005678;
}

static u32 buffer[4];

static bool string(u32 edi, u32 esi, u32 port, u32 moved)
{
	vmi_call.in[OUT_EDI] = edi;
	vmi_call.in[OUT_ESI] = esi;
	call(FILL_EAX, port, 3);
	vmi_call.in[OUT_EDI] = KEEP_EDI;
	vmi_call.in[OUT_ESI] = KEEP_ESI;
	return out[OUT_ECX] == 0 && out[OUT_EDX] == port && out[OUT_EAX] == FILL_EAX &&
	       out[OUT_EDI] == edi + (edi == KEEP_EDI ? 0 : moved) &&
	       out[OUT_ESI] == esi + (esi == KEEP_ESI ? 0 : moved);
}

static bool ins(u32 port, u32 moved)
{
	memset(buffer, 0xee, sizeof(buffer));
	return string((u32)buffer, KEEP_ESI, port, moved);
}

static bool outs(u32 port, u32 moved)
{
	return string(KEEP_EDI, (u32)buffer, port, moved);
}

static bool t_insb(void)
{
	outb(0x91, UART_SCRATCH);
	return ins(UART_SCRATCH, 3) && buffer[0] == 0xee919191;
}

static bool t_insw(void)
{
	outb(0x92, UART_SCRATCH);
	return ins(UART_SCRATCH - 1, 6) && buffer[0] >> 24 == 0x92 && buffer[1] >> 16 == 0xeeee &&
	       (u16)buffer[1] == (u16)buffer[0];
}

static bool t_ins(void)
{
	out_dword(PCI_ADDRESS, 0x80009abc);
	return ins(PCI_ADDRESS, 12) && buffer[0] == 0x80009abc && buffer[2] == 0x80009abc &&
	       buffer[3] == 0xeeeeeeee;
}

static bool t_outsb(void)
{
	buffer[0] = 0xff5a0000;
	return outs(UART_SCRATCH, 3) && inb(UART_SCRATCH) == 0x5a;
}

static bool t_outsw(void)
{
	buffer[0] = 0;
	buffer[1] = 0xffff5b00;
	return outs(UART_SCRATCH - 1, 6) && inb(UART_SCRATCH) == 0x5b;
}

static bool t_outs(void)
{
	buffer[2] = 0x8000def0;
	return outs(PCI_ADDRESS, 12) && in_dword(PCI_ADDRESS) == 0x8000def0;
}

static bool t_iopl(void)
{
	call(0x3000);
	call(0);
	return true;
}

const struct each_test each_port[] = {
	{ROW_IN, t_in, KEEPS_ALL},
	{ROW_INB, t_inb, KEEPS_ALL},
	{ROW_INW, t_inw, KEEPS_ALL},
	{ROW_INS, t_ins, MOVES_EDI},
	{ROW_INSB, t_insb, MOVES_EDI},
	{ROW_INSW, t_insw, MOVES_EDI},
	{ROW_OUT, t_out, KEEPS_ALL | KEEPS_EAX},
	{ROW_OUTB, t_outb, KEEPS_ALL | KEEPS_EAX},
	{ROW_OUTW, t_outw, KEEPS_ALL | KEEPS_EAX},
	{ROW_OUTS, t_outs, MOVES_ESI},
	{ROW_OUTSB, t_outsb, MOVES_ESI},
	{ROW_OUTSW, t_outsw, MOVES_ESI},
	{ROW_SetIOPLMask, t_iopl, 0},
	{0, NULL, 0},
};
