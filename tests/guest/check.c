/* SPDX-License-Identifier: GPL-2.0-only */
/* Checks, their count, and the end of a run. */
#include "ops.h"

#define DEBUG_EXIT 0xf4 /* QEMU's isa-debug-exit: exit code 2 * value + 1 */
#define EXIT_PASSED 0x10
#define EXIT_FAILED 0x11

static u32 passed, failed;
static const char *subject;

void check_subject(const char *s)
{
	subject = s;
}

static void put_name(const char *verdict, const char *name)
{
	printk("%s %s%s%s", verdict, subject ? subject : "", subject ? ": " : "", name);
}

static void ok(const char *name)
{
	passed++;
	put_name("ok  ", name);
	printk("\n");
}

void check(const char *name, bool good)
{
	if (good) {
		ok(name);
		return;
	}
	failed++;
	put_name("FAIL", name);
	printk(": expected true, got false\n");
}

void check_eq(const char *name, u32 expected, u32 got)
{
	if (got == expected) {
		ok(name);
		return;
	}
	failed++;
	put_name("FAIL", name);
	printk(": expected 0x%x, got 0x%x\n", expected, got);
}

void check_range(const char *name, u32 low, u32 high, u32 got)
{
	if (got >= low && got <= high) {
		ok(name);
		return;
	}
	failed++;
	put_name("FAIL", name);
	printk(": expected %u to %u, got %u\n", low, high, got);
}

noreturn void finish(void)
{
	irq_disable();
	printk("guest: %u passed, %u failed\n", passed, failed);
	if (!under_hypervisor())
		outb(failed ? EXIT_FAILED : EXIT_PASSED, DEBUG_EXIT);
	ops.shutdown();
	printk("guest: shutdown returned\n");
	for (;;)
		ops.halt();
}

noreturn void died(const char *why)
{
	failed++;
	printk("guest: died: %s\n", why);
	finish();
}
