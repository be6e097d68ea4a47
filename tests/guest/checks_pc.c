/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What of a PC's interrupts no VMI call is for: the clock's, as the kernel's rtc
 * drivers use them for hwclock, and the way from the 8259 through the local APIC.
 */
#include "checks.h"
#include "irq.h"
#include "trap.h"

#define PIC1_CMD 0x20
#define PIC1_DATA 0x21
#define PIC2_CMD 0xa0
#define PIC2_DATA 0xa1

#define RTC_SECONDS 0x00
#define RTC_SECONDS_ALARM 0x01
#define RTC_MINUTES_ALARM 0x03
#define RTC_HOURS_ALARM 0x05
#define RTC_A 0x0a
#define RTC_B 0x0b
#define RTC_C 0x0c
#define RTC_PERIODIC 0x40
#define RTC_ALARM 0x20
#define RTC_UPDATE 0x10
#define RTC_24H 0x02
#define RTC_ANY 0xff /* an alarm's byte that accepts everything */
#define RATE_NONE 0x20
#define RATE_64_HZ 0x2a	  /* with the divider of its crystal */
#define RATE_1024_HZ 0x26 /* as a BIOS leaves it */
#define SECOND_MS 1600u	  /* after so long a second has changed on a busy host too */

static volatile u32 clock_irqs, clock_flags; /* and what register C said */

static u8 clock_read(u8 index)
{
	outb(index, 0x70);
	return inb(0x71);
}

static void clock_write(u8 index, u8 value)
{
	outb(index, 0x70);
	outb(value, 0x71);
}

void clock_irq(void)
{
	clock_irqs++;
	clock_flags = clock_read(RTC_C);
	outb(0x20, PIC2_CMD);
	outb(0x20, PIC1_CMD);
}

/* From now on these interrupts, and none of before. */
static void clock_enable(u8 interrupts)
{
	irq_disable();
	clock_write(RTC_B, RTC_24H | interrupts);
	clock_read(RTC_C);
	clock_irqs = clock_flags = 0;
	irq_enable();
}

static void wait_irqs(u32 n, u32 ms)
{
	for (u32 i = 0; i < ms && clock_irqs < n; i++)
		spin_ms(1);
}

static void check_periodic(void)
{
	clock_write(RTC_A, RATE_64_HZ);
	clock_enable(RTC_PERIODIC);
	wait_irqs(8, 1000);
	check_range("clock: periodic interrupts on IRQ 8", 8, 9, clock_irqs);
	check_eq("clock: register C names them", 0x80 | RTC_PERIODIC,
		 clock_flags & (0x80 | RTC_PERIODIC));
	clock_enable(0);
	spin_ms(100);
	check_eq("clock: none when they are disabled", 0, clock_irqs);
	clock_write(RTC_A, RATE_NONE); /* no more of them between two reads */
	clock_flags = clock_read(RTC_C);
	if (under_hypervisor()) /* QEMU's clock tells of enabled ones alone */
		check_eq("clock: register C tells of them all the same", RTC_PERIODIC,
			 clock_flags & (0x80 | RTC_PERIODIC));
	check_eq("clock: and is cleared by the read", 0, clock_read(RTC_C) & RTC_PERIODIC);
	clock_write(RTC_A, RATE_1024_HZ);
}

static void check_update_ended(void)
{
	u8 before;

	do { /* an update that has ended before is in register C until it is read */
		before = clock_read(RTC_SECONDS);
		clock_enable(RTC_UPDATE);
	} while (clock_read(RTC_SECONDS) != before);
	wait_irqs(1, SECOND_MS);
	check_eq("clock: an interrupt when an update has ended", 0x80 | RTC_UPDATE,
		 clock_flags & (0x80 | RTC_UPDATE));
	check("clock: the second has changed then", clock_read(RTC_SECONDS) != before);
}

static void check_alarm(void)
{
	clock_write(RTC_HOURS_ALARM, RTC_ANY);
	clock_write(RTC_MINUTES_ALARM, RTC_ANY);
	clock_write(RTC_SECONDS_ALARM, RTC_ANY);
	clock_enable(RTC_ALARM);
	wait_irqs(1, SECOND_MS);
	check_eq("clock: an alarm at every second", 0x80 | RTC_ALARM,
		 clock_flags & (0x80 | RTC_ALARM));
	/* Far from a minute's end: QEMU's clock takes second 60 for the next minute's first. */
	clock_write(RTC_SECONDS_ALARM, 0x99);
	clock_enable(RTC_ALARM);
	spin_ms(SECOND_MS);
	check_eq("clock: no alarm at a second that there is not", 0, clock_irqs);
}

static void check_clock(void)
{
	u8 a = clock_read(RTC_A), b = clock_read(RTC_B);

	outb(0xfb, PIC1_DATA);
	outb(0xfe, PIC2_DATA);
	check_periodic();
	check_update_ended();
	check_alarm();
	irq_disable();
	clock_write(RTC_A, a);
	clock_write(RTC_B, b);
	clock_read(RTC_C);
	outb(0xff, PIC2_DATA);
	outb(0xfe, PIC1_DATA);
}

/* One of the 8259's on IRQ 0, when there is time for it. */
static void pic_request(void)
{
	ops.set_alarm(COUNTER_REAL, ops.cycle_counter(COUNTER_REAL) + cycles_ms(2), 0);
	wait_request();
}

static void check_lint0(void)
{
	u32 before, fixed;

	apic_as_found();
	irq_settle();
	irq_enable();
	before = ticks;
	fixed = apic_ticks[0];
	ops.apic_write(APIC_LVT0, APIC_MASKED | APIC_EXTINT);
	pic_request();
	check_eq("LVT0: masked, the 8259 is cut off", before, ticks);
	ops.apic_write(APIC_LVT0, APIC_EXTINT);
	asm volatile("nop");
	check_eq("LVT0: its request has waited", before + 1, ticks);

	ops.apic_write(APIC_SVR, APIC_SVR_OFF);
	check_eq("LVT0: masked when the APIC is disabled", APIC_MASKED,
		 ops.apic_read(APIC_LVT0) & APIC_MASKED);
	pic_request();
	check_eq("LVT0: the 8259 is cut off then", before + 1, ticks);
	ops.apic_write(APIC_LVT0, APIC_EXTINT);
	ops.apic_write(APIC_SVR, APIC_SVR_ON);
	asm volatile("nop");
	check_eq("LVT0: it stays so when the APIC is enabled again", before + 1, ticks);
	ops.apic_write(APIC_LVT0, APIC_EXTINT);
	asm volatile("nop");
	check_eq("LVT0: until somebody unmasks it", before + 2, ticks);

	ops.apic_write(APIC_LVT0, V_LVTT);
	pic_request();
	check_eq("LVT0: in fixed mode the 8259's INT is its vector", fixed + 1, apic_ticks[0]);
	check_eq("LVT0: and the 8259's own does not come", before + 2, ticks);
	apic_as_found();
	asm volatile("nop");
	check_eq("LVT0: but it has waited, too", before + 3, ticks);
	irq_disable();
}

void checks_pc(void)
{
	check_clock();
	if (ops.apic_write && under_hypervisor()) /* QEMU's is less strict */
		check_lint0();
}
