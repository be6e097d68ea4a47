/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a kernel should not do and a hypervisor must survive: the guest goes on
 * as on hardware.  Only under a hypervisor's ROM.
 */
#include "checks.h"
#include "irq.h"
#include "rom.h"
#include "trap.h"

#define DR7_WATCH_DR0 0x30001u /* DR0: one byte, reads and writes */

static bool loadable(u32 selector)
{
	u32 rights;
	bool ok;

	asm volatile("lar %2, %0" : "=r"(rights), "=@ccz"(ok) : "r"(selector));
	return ok;
}

/* It is due again whenever it has been dealt with. */
static void check_alarm_of_one_cycle(void)
{
	irq_disable();
	ops.set_alarm(ALARM_PERIODIC, 0, 1);
	check("hostile: an alarm every cycle leaves time to cancel it", ops.cancel_alarm(0) != 0);
	irq_enable();
}

/* Bit 53 means nothing to a 32-bit CPU. */
static void check_long_mode_bit(void)
{
	ops.write_gdt(gdt_table, GDT_SPARE, 0x0000FFFF, 0x00EF9A00);
	check("hostile: a code segment with the L bit is loadable", loadable(GDT_SPARE * 8));
	ops.write_gdt(gdt_table, GDT_SPARE, 0, 0);
	check("hostile: a cleared descriptor is not", !loadable(GDT_SPARE * 8));
}

static void check_direction_flag(void)
{
	struct desc_ptr gdt = {255, (u32)gdt_table};

	asm volatile("std" ::: "cc");
	ops.set_gdt(&gdt);
	asm volatile("cld" ::: "cc");
	check("SetGDT: the right table with DF set", loadable(SEL_KERNEL_DS));
}

/* Whoever emulates the instruction reads the watched byte, the guest does not. */
static void check_watched_instruction(void)
{
	extern char watched_in[];
	u8 value;

	ops.set_dr(0, (u32)watched_in);
	ops.set_dr(7, DR7_WATCH_DR0);
	asm volatile(".globl watched_in\nwatched_in: inb $0x80, %%al" : "=a"(value));
	ops.set_dr(7, 0);
	ops.set_dr(0, 0);
	check_eq("hostile: a watched byte that is executed is not accessed", 0,
		 ops.get_dr(7) & 0xFF);
}

static struct {
	u32 result, esp_before, esp_after;
} stepped;

/* The handler of #DB makes calls, too.  What comes back from here may not come back to
 * the next line. */
static __attribute__((noinline)) void step_through_call(void)
{
	asm volatile("mov %%esp, %1\n\tpushf\n\tpushf\n\torl $0x100, (%%esp)\n\tpopf\n\t"
		     "call *%3\n\tpopf\n\tmov %%esp, %2"
		     : "=a"(stepped.result), "=m"(stepped.esp_before), "=m"(stepped.esp_after)
		     : "m"(ops.get_tr)
		     : "ecx", "edx", "memory", "cc");
}

static void check_stepped_call(void)
{
	u32 before = db_count;

	db_watched = true;
	step_through_call();
	db_watched = false;
	check_eq("hostile: a call that is stepped through gives its result", SEL_TSS,
		 stepped.result & ~3u);
	check_eq("hostile: and keeps the stack", stepped.esp_before, stepped.esp_after);
	check("hostile: the steps to it are seen", db_count != before);
}

void checks_hostile(void)
{
	if (!on_vmi || option("nullrom"))
		return;
	check_alarm_of_one_cycle();
	check_long_mode_bit();
	check_direction_flag();
	check_watched_instruction();
	check_stepped_call();
}
