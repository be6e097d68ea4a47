/* SPDX-License-Identifier: GPL-2.0-only */
/* The fixed power button as ACPICA handles it, and a keyboard driver that
 * knows three keys (scan code set 1). */
#include "ops.h"
#include "asked.h"
#include "irq.h"
#include "proc.h"
#include "trap.h"

#define IRQ_KEYBOARD 1u
#define IRQ_SCI 9u
#define PIC1_CMD 0x20
#define PIC1_DATA 0x21
#define PIC2_CMD 0xa0
#define PIC2_DATA 0xa1
#define PM1_STATUS 0x600
#define PM1_ENABLE 0x602
#define PM1_CONTROL 0x604
#define PM1_BUTTON 0x100u
#define PM1_SLEEP 0x2000u /* type 0: S5 */
#define KBD_DATA 0x60
#define KBD_COMMAND 0x64
#define KBD_RESET 0xfe

#define BUTTON 1u
#define KEYS 2u

static volatile u32 heard; /* of these */

static void button_irq(void)
{
	if (!(inb(PM1_STATUS + 1) & PM1_BUTTON >> 8))
		return;
	outw(PM1_BUTTON, PM1_STATUS);
	heard |= BUTTON;
	printk("guest: the power button was pressed\n");
}

static void key_irq(void)
{
	static const u8 keys[] = {0x1d, 0x38, 0x53}; /* Ctrl, Alt, Del behind E0 */
	static u32 down;
	u8 code = inb(KBD_DATA);

	for (u32 i = 0; i < ARRAY_SIZE(keys); i++)
		if ((code & 0x7f) == keys[i])
			down = code & 0x80 ? down & ~(1u << i) : down | 1u << i;
	if (down == 7)
		heard |= KEYS;
}

void asked_irq(u32 irq)
{
	if (irq == IRQ_SCI) {
		button_irq();
		outb(0x20, PIC2_CMD);
	} else if (irq == IRQ_KEYBOARD) {
		key_irq();
	}
	outb(0x20, PIC1_CMD);
}

static void wait_for(u32 what)
{
	printk("guest: waits to be asked\n");
	while (!(heard & what)) {
		ops.halt();
		irq_disable();
	}
}

static void button_on(void)
{
	outw(PM1_BUTTON, PM1_ENABLE);
	outb(0xff & ~(1u << (IRQ_SCI & 7)), PIC2_DATA);
	outb(inb(PIC1_DATA) & ~(1u << 2), PIC1_DATA);
}

void asked_by_button(void)
{
	outb(0xff, PIC1_DATA);
	button_on();
	wait_for(BUTTON);
	outw(PM1_SLEEP, PM1_CONTROL);
	for (;;)
		asm volatile("");
}

void asked_by_keys(void)
{
	outb(0xff & ~(1u << IRQ_KEYBOARD), PIC1_DATA);
	if (option("acpi")) /* a kernel that knows ACPI, and nobody who acts on it */
		button_on();
	wait_for(KEYS);
	printk("guest: Ctrl-Alt-Del was typed\n");
	outb(KBD_RESET, KBD_COMMAND);
	for (;;)
		asm volatile("");
}

void asked_by_nothing(void)
{
	wait_for(0);
	for (;;)
		asm volatile("");
}

static volatile u32 nmis;

static bool nmi(struct regs *r)
{
	if (r->vector != 2)
		return false;
	printk("guest: NMI %u, interrupts %s\n", ++nmis, r->eflags & EFLAGS_IF ? "on" : "off");
	return true;
}

/* The first two end a halt, the third comes while interrupts are off. */
void asked_by_nmi(void)
{
	stray_hook = nmi;
	printk("guest: waits to be asked\n");
	while (nmis < 2) {
		ops.halt();
		irq_disable();
	}
	while (nmis < 3)
		asm volatile("");
	outw(PM1_SLEEP, PM1_CONTROL);
	for (;;)
		asm volatile("");
}

#define BUSY_NMIS 8u

/* At whatever instruction of the kernel's, of its processes' and of the ROM's. */
void asked_by_nmi_busy(void)
{
	u32 wrong = 0;

	stray_hook = nmi;
	irq_enable();
	tick_start();
	printk("guest: waits to be asked\n");
	while (nmis < BUSY_NMIS) {
		wrong += proc_run(PROG_COW, 0) != 0;
		wrong += proc_run(PROG_FAULT, FAULT_READ_NULL) != (STATUS_KILLED | V_PF);
		wrong += try_read(0, NULL) != V_PF;
		ops.write_gdt(gdt_table, GDT_SPARE, 0, 0);
		inb(0x80);
	}
	tick_stop();
	printk("guest: NMIs have come, %u things went wrong\n", wrong);
	outw(PM1_SLEEP, PM1_CONTROL);
	for (;;)
		asm volatile("");
}
