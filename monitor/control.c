/* SPDX-License-Identifier: GPL-2.0-only */
/* Control and debug registers, halting, and the ends that the guest or xl asks for. */
#include "monitor.h"
#include "hypercall.h"

#define DR6_ONES 0xFFFF0FF0u /* reserved, and read so */
#define DR6_BS 0x4000u	     /* a single step */
#define DR6_CAUSES 0xE00Fu   /* what DR6 can tell of */

/* With either the FPU raises #NM; Xen lets a guest have only TS. */
#define CR0_FPU_OFF (CR0_EM | CR0_TS)

/* Would an instruction of the FPU's be an #NM now? */
bool control_fpu_is_off(const struct vcpu *v)
{
	return (v->cr0 & CR0_FPU_OFF) && !v->ts_cleared;
}

void control_set_cr0(struct vcpu *v, u32 value)
{
	u32 changed = v->cr0 ^ value;
	bool was_off = control_fpu_is_off(v), off = value & CR0_FPU_OFF;

	v->cr0 = value | CR0_PE;
	if (changed & CR0_PG)
		shadow_load(v);
	else if (changed & value & CR0_WP) /* what the kernel wrote to may be read-only */
		shadow_mode_changed(v);
	if (was_off != off)
		xen_must(xen_fpu_taskswitch(off), NEED_FPU);
	v->ts_cleared = 0;
}

/* The end as a PC has it where its BIOS would start: by a switch to real mode, or by
 * a triple fault that is meant. */
noreturn void control_reset(const char *why)
{
	say("\nvmixen: the guest %s, by which a PC is reset\n", why);
	control_shutdown(SHUTDOWN_reboot);
}

void control_mov_cr0(struct vcpu *v, u32 value)
{
	if (!(value & CR0_PE))
		control_reset("turns protected mode off");
	if (v->paravirtual && !(value & CR0_PG))
		guest_die("it turns paging off after VMI_Init, as kexec does: no other kernel can "
			  "be started in this domain");
	control_set_cr0(v, value);
}

/* Xen ends a domain, with nothing but its registers, when it finds no stack for the
 * frame of an exception in the kernel. */
bool control_mov_cr3(struct vcpu *v, u32 value)
{
	u64 gpa;

	if (!control_set_cr3(v, value))
		return false;
	if (v->paravirtual && !shadow_translate(v, v->r.gpr[GPR_ESP] - 4, &gpa))
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
		control_reset("takes a stack of 16 bits, on its way to real mode");
	guest_die("SS is loaded with %04x, whose segment is not all of memory: Xen could push no "
		  "frame on that stack",
		  selector);
}

/* Xen clears TS when it delivers an #NM; on hardware it stays set until the
 * handler clears it.  A handler that lets another process run before it has
 * must find TS set there, or that process uses the wrong registers. */
void control_restore_ts(struct vcpu *v)
{
	xen_must(xen_fpu_taskswitch(true), NEED_FPU);
	v->ts_cleared = 0;
}

bool control_set_cr3(struct vcpu *v, u32 value)
{
	u32 old = v->cr3;

	v->cr3 = value;
	if (shadow_load(v))
		return true;
	v->cr3 = old;
	return false;
}

/* What Xen lets a guest have as it likes: RDTSC of user mode, breakpoints on ports,
 * and XSETBV, which Xen carries out for who has OSXSAVE.  All else is the monitor's.
 * With TSD the RDTSCs of ring 1, the guest's and ours, trap to Xen, which answers
 * them: dearer, and as right as before. */
#define CR4_XENS (CR4_TSD | CR4_DE | CR4_OSXSAVE)

void control_set_cr4(struct vcpu *v, u32 value)
{
	u32 changed = v->cr4 ^ value;

	v->cr4 = value;
	if (changed & (CR4_PAE | CR4_PSE))
		shadow_mode_changed(v);
	if (v->paravirtual && (changed & CR4_XENS))
		xen_set_cr4(value);
}

/* Before Init the kernel is in ring 3, where TSD would forbid it its own RDTSC. */
void control_adopt(struct vcpu *v)
{
	if (v->cr4 & CR4_XENS)
		xen_set_cr4(v->cr4);
}

/* What Xen refuses to watch, its own addresses, is not watched: a processor would
 * watch it, but nothing of the guest's is there. */
void control_set_dr(struct vcpu *v, u32 reg, u32 value)
{
	reg &= 7;
	if (reg == 4 || reg == 5)
		reg += 2;
	v->dr[reg] = value;
	if (reg != 6)
		xen_set_debugreg(reg, value);
}

u32 control_get_dr(struct vcpu *v, u32 reg)
{
	reg &= 7;
	if (reg == 4 || reg == 5)
		reg += 2;
	if (reg == 6)
		return v->dr[6] | DR6_ONES;
	return reg < 4 ? v->dr[reg] : xen_get_debugreg(reg);
}

/* DR6 of the #DB that has come. A Xen that runs ours as an HVM domain, as below a
 * shim, keeps its debug registers lazily: when it has run another domain in
 * between, DR6 comes back as it was before the trap. So a trap without a cause is
 * a step, of which there are many; what was a breakpoint's cannot be known. (INT1,
 * which has no cause either, is a step to such a guest.) */
u32 control_debug_status(void)
{
	u32 dr6 = xen_get_debugreg(6);

	return dr6 & DR6_CAUSES ? dr6 : dr6 | DR6_BS;
}

/* A #DB has come: bits 0 to 3 of DR6 tell of it alone, as a processor has it.
 * Xen would add it to all that came before, and a kernel that steps a program
 * would take the step for a breakpoint of another's. */
void control_debug_trap(struct vcpu *v)
{
	v->dr[6] = (v->dr[6] & ~0xFu) | control_debug_status();
	control_debug_forget();
}

/* The guest steps over an instruction that is emulated. */
void control_single_step(struct vcpu *v)
{
	v->dr[6] = (v->dr[6] & ~0xFu) | DR6_BS;
}

/* What has trapped is no business of the guest's. */
void control_debug_forget(void)
{
	xen_set_debugreg(6, DR6_ONES);
}

void control_halt(struct vcpu *v)
{
	v->if_believed = EFLAGS_IF;
	events_wait();
}

#define BELIEVE_NS 600000000000ull /* so long a userland may take to end */

static void press(u32 reason)
{
	struct asked *asked = &MON->asked;
	struct pc *pc = &MON->pc;
	u64 now = time_ns();
	bool again = reason == asked->reason && now < asked->believe_ns;
	bool keys_first = (reason == SHUTDOWN_reboot) != again;

	asked->reason = reason;
	asked->believe_ns = now + BELIEVE_NS;
	if (keys_first ? pc_ctrl_alt_del(pc) || pm_power_button(&pc->pm)
		       : pm_power_button(&pc->pm) || pc_ctrl_alt_del(pc))
		return;
	asked->believe_ns = 0;
	say("\nvmixen: xl asks the guest to end, and it listens neither to the power button (ACPI) "
	    "nor to the keyboard: xl destroy ends it\n");
}

/*
 * xl shutdown is the power button, xl reboot Ctrl-Alt-Del, as on a PC.  A guest
 * that does not hear the one gets the other, also when xl asks again; when it
 * then ends, the domain ends as xl has asked: so a kernel without ACPI can be
 * shut down, too.
 */
void control_order(enum store_order order)
{
	switch (order) {
	case STORE_POWEROFF:
		press(SHUTDOWN_poweroff);
		break;
	case STORE_REBOOT:
		press(SHUTDOWN_reboot);
		break;
	case STORE_UNKNOWN:
		say("\nvmixen: xl asks for \"%s\", which this domain cannot do\n", MON->store.text);
		break;
	case STORE_BROKEN:
		say("\nvmixen: xenstore does not answer as it should: xl shutdown and xl reboot "
		    "are not heard any more\n");
		break;
	case STORE_NOTHING:
		break;
	}
}

noreturn void control_shutdown(u32 reason)
{
	if (time_ns() < MON->asked.believe_ns)
		reason = MON->asked.reason;
	if (MON->start.counters)
		counters_report();
	console_flush(&MON->console);
	xen_shutdown(reason);
}
