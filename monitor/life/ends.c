/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a guest ends: by its own shutdown or reset, by an order of xl's, and by the steps
 * with which a PC's kernel leaves protected mode or starts another kernel.  Such steps
 * cannot be carried out here, so they end the domain.
 */
#include "ends.h"
#include "monitor/binding.h"
#include "monitor/cpu/access.h"
#include "monitor/cpu/segment.h"
#include "monitor/io/time.h"
#include "monitor/life.h"
#include "monitor/monitor.h"

/* On a PC the BIOS would start now: the guest has switched to real mode, or has caused a
 * triple fault on purpose. */
noreturn void domain_reset(const char *why)
{
	say("\nvmixen: the guest %s, by which a PC is reset\n", why);
	domain_shutdown(SHUTDOWN_reboot);
}

void control_mov_cr0(struct vcpu *v, u32 value)
{
	if (!(value & CR0_PE))
		domain_reset("turns protected mode off");
	if (v->paravirtual && !(value & CR0_PG))
		guest_die("it turns paging off after VMI_Init, as kexec does: no other kernel can "
			  "be started in this domain");
	control_set_cr0(v, value);
}

/* Where the new tables do not map the kernel's stack, Xen would find no place for the frame
 * of the next exception, and would end the domain with a dump of registers and no word. */
bool control_mov_cr3(struct vcpu *v, u32 value)
{
	u64 gpa;

	if (!control_set_cr3(v, value))
		return false;
	if (v->paravirtual && !space_translate(v, v->r.gpr[GPR_ESP] - 4, &gpa))
		guest_die("the page tables at %08x do not have the kernel's stack, as those of "
			  "kexec: no other kernel can be started in this domain",
			  value);
	return true;
}

void control_check_stack(struct vcpu *v, u16 selector)
{
	struct access_fault f;
	u64 d;

	if ((selector & 4) || (selector | 7u) > v->gdtr.limit ||
	    guest_read(v, v->gdtr.base + (selector & ~7u), &d, 8, &f) || segment_carries_stack(d))
		return;
	if (!(d & SEGMENT_BIG))
		domain_reset("takes a stack of 16 bits, on its way to real mode");
	guest_die("SS is loaded with %04x, whose segment is not all of memory: Xen could push no "
		  "frame on that stack",
		  selector);
}

#define HONOUR_NS 600000000000ull /* ns: so long a userland may take to end */

static void press(u32 reason)
{
	struct shutdown_order *order = &MON->shutdown_order;
	struct pc *pc = &MON->pc;
	u64 now = time_ns();
	bool again = reason == order->reason && now < order->honour_until;
	bool keys_first = (reason == SHUTDOWN_reboot) != again;

	order->reason = reason;
	order->honour_until = now + HONOUR_NS;
	if (keys_first ? pc_ctrl_alt_del(pc) || pm_power_button(&pc->pm)
		       : pm_power_button(&pc->pm) || pc_ctrl_alt_del(pc))
		return;
	order->honour_until = 0;
	say("\nvmixen: xl asks the guest to end, and it listens neither to the power button (ACPI) "
	    "nor to the keyboard: xl destroy ends it\n");
}

/*
 * xl shutdown presses the power button, and xl reboot types Ctrl-Alt-Del, as on a PC.
 * A guest that does not listen to the one gets the other, and so does one of which xl asks
 * the same again.  Whichever it then answers, the domain ends as xl has ordered: so a
 * kernel without ACPI can be shut down as well.
 */
void domain_order(enum order order)
{
	switch (order) {
	case ORDER_POWEROFF:
		press(SHUTDOWN_poweroff);
		break;
	case ORDER_REBOOT:
		press(SHUTDOWN_reboot);
		break;
	case ORDER_SUSPEND:
		MON->suspend_asked = suspend_able();
		if (!MON->suspend_asked)
			say("\nvmixen: xl asks to save or migrate the domain: a PV domain cannot "
			    "be, "
			    "a PVH domain can\n");
		break;
	case ORDER_UNKNOWN:
		say("\nvmixen: xl asks for \"%s\", which this domain cannot do\n",
		    MON->orders.word);
		break;
	case ORDER_BROKEN:
		say("\nvmixen: xenstore does not answer as it should: xl shutdown and xl reboot "
		    "are not heard any more\n");
		break;
	case ORDER_NOTHING:
		break;
	}
}

noreturn void domain_shutdown(u32 reason)
{
	if (time_ns() < MON->shutdown_order.honour_until)
		reason = MON->shutdown_order.reason;
	if (MON->start.counters)
		counters_report();
	console_flush(&MON->console);
	xen_shutdown(reason);
}
