/* SPDX-License-Identifier: GPL-2.0-only */
/* What the domain entry says, on the guest's console; see entry.h. */
#include "xenbind/console.h"
#include "entry.h"
#include "lib/print.h"

struct console entry_console;

static void put_list(const char *fmt, va_list ap)
{
	char line[256];

	format_text(line, sizeof(line), fmt, ap);
	console_text(&entry_console, line);
}

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_list(fmt, ap);
	va_end(ap);
}

noreturn void fail(const char *fmt, ...)
{
	va_list ap;

	console_text(&entry_console, "vmixen: cannot start the guest: ");
	va_start(ap, fmt);
	put_list(fmt, ap);
	va_end(ap);
	console_text(&entry_console, "\n");
	xen_shutdown(SHUTDOWN_crash);
}

void say_hello(void)
{
	int version = hypercall(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0, 0);

	note("vmixen: VMI to Xen translation ROM, on Xen %d.%d\n", version >> 16, version & 0xFFFF);
}
