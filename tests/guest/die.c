/* SPDX-License-Identifier: GPL-2.0-only */
/* Deliberate ends: what a host must notice.  Each prints what it is about to
 * do; natively QEMU resets (triple, reboot), or hangs until it is killed. */
#include "ops.h"
#include "asked.h"
#include "mm.h"
#include "die.h"
#include "rom.h"

/* reboot=t: meant, for who loads an empty IDT wants nothing else. */
static void die_triple(void)
{
	static const struct desc_ptr empty;

	ops.set_idt(&empty);
	asm volatile("int3");
}

/* Not meant: the IDT is there, but not its gates. */
static void die_fault(void)
{
	static struct descriptor gates[32];
	const struct desc_ptr idt = {sizeof(gates) - 1, (u32)gates};

	ops.set_idt(&idt);
	asm volatile("ud2");
}

/* reboot=b: machine_real_restart() loads the tables and segments of real mode, and
 * its code, in a segment of 16 bits, then turns protected mode off. */
static void die_real(void)
{
	static const struct descriptor gdt[3] = {{0, 0}, {0xffff, 0x9a00}, {0x0100ffff, 0x9200}};
	const struct desc_ptr gdtr = {sizeof(gdt) - 1, (u32)gdt}, idtr = {0x3ff, 0};

	irq_disable();
	ops.set_idt(&idtr);
	ops.set_gdt(&gdtr);
	asm volatile(
		"mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs; mov %0, %%ss" ::"r"(0x10)
		: "memory");
}

/* The last of it alone, by the instruction. */
static void die_pe(void)
{
	irq_disable();
	asm volatile("mov %%cr0, %%eax; and $~1, %%eax; mov %%eax, %%cr0" ::: "eax", "memory");
}

/* relocate_kernel(): page tables with one page of its own, and a stack there. */
static void die_kexec(void)
{
	u32 top = page_alloc_zeroed();

	irq_disable();
#ifdef PAE
	for (u32 i = 0; i < 4; i++)
		((u64 *)page_address(top))[i] = (u64)page_alloc_zeroed() << PAGE_SHIFT | PTE_P;
#endif
	asm volatile("mov %0, %%cr3; mov %1, %%esp; push %%eax" ::"r"(top << PAGE_SHIFT),
		     "r"((top + 1) << PAGE_SHIFT)
		     : "memory");
}

/* What a kernel can do to itself where the processor has its own tables.  A directory
 * where no memory is. */
static void die_nowhere(void)
{
	irq_disable();
	ops.set_cr3(0xfffff000);
}

/* A stack that is not mapped: the exception's own frame cannot be written.  The double
 * fault's task tells of it (df_report), if there is a gate to it. */
static void die_stack(void)
{
	irq_disable();
	if (option("nogate"))
		ops.write_idt(idt_table, V_DF, 0, 0);
	asm volatile("xor %%esp, %%esp\n\tpush %%eax" ::: "memory");
}

/* The ROM's own INT of a page fault at a device, without a frame. */
static void die_int(void)
{
	irq_disable();
	ops.set_cr2(0xfee00000);
	asm volatile("mov $0x1000, %%esp\n\tint $0xf9" ::: "memory");
}

/* The ROM is no longer in the directory that is loaded. */
static void die_window(void)
{
	pte_t none = 0;

	irq_disable();
	*(volatile pte_t *)pmd_of(&init_mm, rom_virtual_top()) = none;
	ops.flush_tlb(FLUSH_TLB);
}

/* Ends in the handler of unexpected exceptions: "guest: died". */
static void die_ud(void)
{
	static u8 garbage[] = {0x0f, 0xff, 0xff, 0xff};

	((void (*)(void))(u32)garbage)();
}

/* An entry that lies nowhere, when no table is known that is being filled: the first
 * touch of a new one has made that forgotten. */
static void die_pointer(void)
{
	u32 va = VMALLOC_START + 0x1800000;

	map_kernel(va, page_alloc_zeroed(), PTE_KERNEL);
	*(volatile u32 *)va = 1;
	ops.set_pte(0, (pte_t *)option_number("pointer", 1), PAGE_L1_FLAG);
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
	while (option("forever")) /* nothing of it traps */
		asm volatile("" ::"m"(words));
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
	{"triple", die_triple},	     {"fault", die_fault},
	{"real", die_real},	     {"pe", die_pe},
	{"kexec", die_kexec},	     {"ud", die_ud},
	{"pointer", die_pointer},    {"hang", die_hang},
	{"spin", die_spin},	     {"reboot", die_reboot},
	{"panic", die_panic},	     {"halt", die_halt},
	{"button", asked_by_button}, {"nowhere", die_nowhere},
	{"stack", die_stack},	     {"int", die_int},
	{"window", die_window},	     {"keys", asked_by_keys},
	{"deaf", asked_by_nothing},  {"nmi", asked_by_nmi},
	{"busy", asked_by_nmi_busy},
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
