/* SPDX-License-Identifier: GPL-2.0-only */
/* The 8259 pair, set up and acknowledged as Linux does, and the tick. */
#include "ops.h"
#include "irq.h"
#include "asked.h"
#include "proc.h"
#include "time_native.h"

#define PIC1_CMD 0x20
#define PIC1_DATA 0x21
#define PIC2_CMD 0xa0
#define PIC2_DATA 0xa1
#define PIT_MODE 0x43
#define EOI_SPECIFIC 0x60
#define OCW3_READ_IRR 0x0a
#define WAIT_MS 400u

volatile u32 ticks, ticks_user, irqs_spurious, apic_ticks[2];
void (*irq_hook)(void);
u32 disk_irq_line, net_irq_line;

static void pic_out(u8 v, u16 port)
{
	outb(v, port);
	ops.io_delay();
}

void pic_init(void)
{
	outb(0xff, PIC1_DATA);
	outb(0xff, PIC2_DATA);
	pic_out(0x11, PIC1_CMD); /* ICW1: cascade, ICW4 follows */
	pic_out(V_IRQ0, PIC1_DATA);
	pic_out(1 << 2, PIC1_DATA);
	pic_out(0x01, PIC1_DATA); /* 8086 mode, normal EOI */
	pic_out(0x11, PIC2_CMD);
	pic_out(V_IRQ0 + 8, PIC2_DATA);
	pic_out(2, PIC2_DATA);
	pic_out(0x01, PIC2_DATA);
	outb(0x3a, PIT_MODE); /* a BIOS leaves it running, at 18.2 Hz (vmi_time_init) */
	outb(0xfe, PIC1_DATA);
	outb(0xff, PIC2_DATA);
}

/* mask_and_ack_8259A: mask, specific EOI, and unmask at the end. */
static void tick(const struct regs *r)
{
	outb(0xff, PIC1_DATA);
	outb(EOI_SPECIFIC | 0, PIC1_CMD);
	if (ops.set_alarm != pit_set_alarm || pit_alarm_fired()) {
		ticks++;
		if (from_user(r))
			ticks_user++;
		proc_tick(from_user(r));
		if (irq_hook)
			irq_hook();
	}
	outb(0xfe, PIC1_DATA);
}

/* A level: the device is silent before the 8259 hears of the end. */
static void shared_irq(u32 irq)
{
	if (irq == disk_irq_line)
		disk_irq();
	else
		net_irq();
	if (irq >= 8)
		outb(0x20, PIC2_CMD);
	outb(0x20, PIC1_CMD);
}

void irq_handle(u32 irq, struct regs *r)
{
	if (irq == 0)
		tick(r);
	else if (irq == 8)
		clock_irq();
	else if (irq == disk_irq_line || irq == net_irq_line)
		shared_irq(irq);
	else if (irq == 1 || irq == 9)
		asked_irq(irq);
	else
		irqs_spurious++;
}

void apic_handle(u32 vector)
{
	apic_ticks[vector == V_LVTT_OTHER]++;
	ops.apic_write(APIC_EOI, 0);
}

/* On, its own timer silent, and the 8259 let through. */
void apic_as_found(void)
{
	if (!ops.apic_write)
		return;
	ops.apic_write(APIC_SVR, APIC_SVR_ON);
	ops.apic_write(APIC_LVTT, APIC_MASKED);
	ops.apic_write(APIC_LVT0, APIC_EXTINT);
}

u64 cycles_ms(u32 ms)
{
	return div64(ops.cycle_frequency(), 1000) * ms;
}

void tick_start(void)
{
	ops.set_alarm(ALARM_PERIODIC | COUNTER_AVAILABLE, ops.cycle_counter(COUNTER_AVAILABLE),
		      div64(ops.cycle_frequency(), HZ));
}

/* The last one may wait in the 8259 for interrupts to be enabled, which no alarm that is
 * cancelled takes away: it would be one too many for whoever counts next. */
void tick_stop(void)
{
	ops.cancel_alarm(ALARM_PERIODIC | COUNTER_AVAILABLE);
	irq_settle();
}

void irq_settle(void)
{
	u32 flags = irq_save();

	irq_enable();
	asm volatile("nop");
	irq_restore(flags);
}

void spin_ms(u32 ms)
{
	u64 end = ops.cycle_counter(COUNTER_REAL) + cycles_ms(ms);

	while (ops.cycle_counter(COUNTER_REAL) < end)
		;
}

void alarm_in(u32 flags, u32 ms)
{
	ops.set_alarm(flags, ops.cycle_counter(flags & 0xff) + cycles_ms(ms), 0);
}

void wait_ticks(volatile u32 *count, u32 before, u32 more)
{
	for (u32 i = 0; i < WAIT_MS && *count - before < more; i++)
		spin_ms(1);
}

static bool pic_has_request(void)
{
	outb(OCW3_READ_IRR, PIC1_CMD);
	return inb(PIC1_CMD) & 1;
}

void wait_request(void)
{
	for (u32 i = 0; i < WAIT_MS && !pic_has_request(); i++)
		spin_ms(1);
}

void wait_apic_request(u32 vector)
{
	u32 at = APIC_IRR + vector / 32 * 0x10;

	for (u32 i = 0; i < WAIT_MS && !(ops.apic_read(at) >> vector % 32 & 1); i++)
		spin_ms(1);
}
