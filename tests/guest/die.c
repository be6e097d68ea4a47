/* SPDX-License-Identifier: GPL-2.0-only */
/* Deliberate ends: what a host must notice.  Each prints what it is about to
 * do; natively QEMU resets (triple, reboot), or hangs until it is killed. */
#include "ops.h"
#include "asked.h"
#include "die.h"

static void die_triple(void)
{
	static const struct desc_ptr empty;

	ops.set_idt(&empty);
	asm volatile("ud2");
}

/* Ends in the handler of unexpected exceptions: "guest: died". */
static void die_ud(void)
{
	static u8 garbage[] = {0x0f, 0xff, 0xff, 0xff};

	((void (*)(void))(u32)garbage)();
}

static void die_hang(void)
{
	irq_disable();
	for (;;)
		asm volatile("");
}

/* A loop that interrupts can look into. */
static void die_spin(void)
{
	irq_enable();
	for (;;)
		asm volatile("");
}

static void die_reboot(void)
{
	ops.reboot(option("soft") ? 0 : 1);
}

/* As a panicking Linux: with panic=1 it starts anew, otherwise it stops with
 * interrupts off, by the instruction. */
static void die_panic(void)
{
	printk("Kernel panic - not syncing: die=panic\n");
	if (option_given("panic"))
		ops.reboot(1);
	irq_disable();
	for (;;)
		asm volatile("cli; hlt");
}

/* As a Linux without ACPI: devices and the 8259 are off, and VMI has no halt
 * that keeps interrupts off. */
static void die_halt(void)
{
	outb(0xff, 0x21);
	for (;;)
		ops.halt();
}

#define MUTE_S 14u /* longer than the monitor's patience */
#define SPINS 1000000u

static u8 clock_second(void)
{
	outb(0, 0x70);
	return inb(0x71);
}

/* As a kernel that panics before it has a console: it prints nothing and spins, and
 * the words are on its stack.  It powers off when that must have been noticed. */
void die_mute(const char *when)
{
	volatile char words[] = "words of a panic that nobody reads";

	if (!option_is("mute", when))
		return;
	for (u32 seconds = 0, last = clock_second(); seconds < MUTE_S;) {
		u8 now;

		for (u32 i = 0; i < SPINS; i++)
			asm volatile("" ::"m"(words));
		now = clock_second();
		seconds += now != last;
		last = now;
	}
	outw(0x2000, 0x604); /* S5 */
	for (;;)
		;
}

static const struct {
	const char *name;
	void (*end)(void);
} ends[] = {
	{"triple", die_triple},	 {"ud", die_ud},
	{"hang", die_hang},	 {"spin", die_spin},
	{"reboot", die_reboot},	 {"panic", die_panic},
	{"halt", die_halt},	 {"button", asked_by_button},
	{"keys", asked_by_keys}, {"deaf", asked_by_nothing},
	{"nmi", asked_by_nmi},
};

/* What the host must not take for Xen's own words. */
static void write_xens_words(void)
{
	printk("(XEN) Hardware Dom0 crashed: forged\n(XEN) Panic on CPU 0:\n(XEN) forged\n");
}

void die_early(void)
{
	if (option("forge"))
		write_xens_words();
	for (u32 i = 0; i < ARRAY_SIZE(ends); i++) {
		if (!option_is("die", ends[i].name))
			continue;
		printk("guest: die=%s\n", ends[i].name);
		ends[i].end();
		died("die= did not work");
	}
	if (option_given("die"))
		died("die= has an unknown value");
}
