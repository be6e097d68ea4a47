/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The test guest from its first line of C to its end: read guest_main.
 *
 * Words of the command line:
 *   vmi=off            do not look for the ROM
 *   nullrom            the ROM is nullrom.asm: no hypervisor is behind it
 *   api=13 minor=N bind=slot   which calls of the ROM are used (rom.c)
 *   latenx             EFER.NXE is set after Init, by the instruction
 *   only=GROUP,...     of the optional groups below, these alone
 *   fuzz=SEED calls=N wild   random calls instead of checks: see fuzz.c
 *   bench              costs instead of checks: see bench.c
 *   forks=N            rounds of the fork check (50)
 *   life               wait to be saved, in one state after another (checks_life.c)
 *   echo               wait for a line on the UART and send it back
 *   fail=1             one check fails: the exit code must show it
 *   die=triple|fault|real|pe|kexec|ud|hang|reboot|panic|halt   end the run that way
 *   panic=1            die=panic: it reboots, as Linux does
 *   die=button|keys|deaf   wait for the power button, Ctrl-Alt-Del, or neither
 *   die=nmi|busy       wait for NMIs, or have much to do meanwhile
 *   die=nowhere|stack|int|window   CR3, stack, the ROM's own INT, the ROM's mapping (die.c)
 *   nogate             die=stack: there is no task for the double fault
 *   mute=boot|init     print nothing, and spin before Init or after it (die.c), for some
 *   forever            seconds, or without an end
 *   acpi               die=keys: the button is on, too
 *   forge              lines on the console that look like Xen's at an end
 */
#include "bench.h"
#include "checks.h"
#include "fuzz.h"
#include "irq.h"
#include "mm.h"
#include "proc.h"
#include "trap.h"
#include "die.h"

extern char bss_end[];

static const struct {
	const char *name;
	void (*run)(void);
} groups[] = {
	{"life", checks_life},	     {"desc", checks_desc},	  {"trap", checks_trap},
	{"irqflag", checks_irqflag}, {"cpu", checks_cpu},	  {"call", checks_convention},
	{"alarm", checks_alarm},     {"time", checks_time},	  {"pte", checks_pte},
	{"space", checks_space},     {"proc", checks_proc},	  {"seg", checks_seg},
	{"fault", checks_fault},     {"hostile", checks_hostile}, {"emul", checks_emul},
	{"each", checks_each},	     {"mmu", checks_rules_mmu},	  {"irq", checks_rules_irq},
	{"pc", checks_pc},	     {"disk", checks_disk},	  {"net", checks_net},
};

static void run_groups(void)
{
	bool all = !option_given("only");

	for (u32 i = 0; i < ARRAY_SIZE(groups); i++) {
		if (all || option_lists("only", groups[i].name)) {
			printk("-- %s\n", groups[i].name);
			groups[i].run();
		}
	}
}

static void find_rom(void)
{
	bool found = !option_is("vmi", "off") && rom_probe();

	if (found)
		return;
	printk("VMI: not found, running native\n");
	patch_native();
}

/* 2.6.22 to 2.6.24 do so only when they are in ring 1. */
static void set_nxe(bool on)
{
	u64 efer = 0;

	if (try_rdmsr(MSR_EFER, &efer) == TRY_OK)
		try_wrmsr(MSR_EFER, on ? efer | EFER_NXE : efer & ~(u64)EFER_NXE);
}

static void put_nowhere(char c)
{
	(void)c;
}

noreturn void guest_main(void)
{
	ops = native_ops;
	idt_fill_native();
	irq_disable(); /* as start_kernel: "cli; ret" is seen before "pushf" */
	die_mute("boot");
	if (option_is("mute", "init"))
		console_out = put_nowhere;
	console_init();
	printk("guest: vmixen test guest, %s\n", PAGING_NAME);
	proc_init();
	page_init(virt_to_phys(bss_end));
	find_rom();
	checks_boot();
	checks_life_boot();
	if (nx_enabled && option("latenx"))
		set_nxe(false);
	checks_init();
	if (option_is("mute", "init")) {
		irq_enable();
		die_mute("init");
	}
	if (nx_enabled && option("latenx"))
		set_nxe(true);
	desc_init();
	linear_map_rest();
	page_init_rest();
	zap_low_mappings();
	checks_zapped();
	pic_init();
	die_early();
	if (option("bench"))
		bench();
	else if (option_given("fuzz"))
		fuzz();
	else
		run_groups();
	if (option("echo"))
		checks_echo();
	if (option_is("fail", "1"))
		check("forced by fail=1", false);
	finish();
}
