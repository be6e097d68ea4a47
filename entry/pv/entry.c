/* SPDX-License-Identifier: GPL-2.0-only */
/* entry_main: from Xen's start_info to the monitor; see entry.h. */
#include "entry/boot/entry.h"
#include "xenbind/console.h"
#include "lib/mem.h"
#include "monitor/monitor.h"
#include "lib/print.h"

noreturn void regparm3 enter_monitor(u32 stack_top, u32 entry_point);
void regparm3 entry_main(const struct start_info *si);

/* The console's page lies in the boot area, which Xen's bootstrap tables map. */
static void start_console(const struct start_info *si)
{
	struct shared_page page = {0};

	if (!(si->flags & SIF_INITDOMAIN))
		page = memory_shared(si, si->console.domU.mfn, si->console.domU.evtchn);
	console_init(&entry_console, (void *)(VIRT_BASE + (page.pfn << 12)), page.port);
}

void regparm3 entry_main(const struct start_info *si)
{
	static struct layout layout;
	u64 born = __builtin_ia32_rdtsc();
	struct start *start = &MON->start;

	start_console(si);
	say_hello();
	rom_choose();
	memory_divide(&layout, si);
	window_make(&layout, start);
	layout.cmd_line = (const char *)si->cmd_line;
	layout.initrd_bytes = si->mod_len;
	layout.initrd = (layout.boot_gpfn << 12) + (u32)si->mod_start - VIRT_BASE;
	load_guest(&layout, start);
	if (start->counters) /* for those who measure how long a boot takes */
		note("vmixen: domain started at TSC %llx\n", born);
	enter_monitor(WIN_STACK_TOP, WIN_TEXT + entry_rom->ext_start);
}
