/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Words on the console, and the ends that nobody asked for.  Silence is never
 * an outcome: a guest that cannot go on, a domain to which Xen refuses what it
 * needs, and a monitor that finds itself wrong all print what they know and end
 * in SHUTDOWN_crash.
 */
#include "monitor.h"
#include "hypercall.h"
#include "print.h"

static void say_list(const char *fmt, va_list ap)
{
	char line[256];

	format_text(line, sizeof(line), fmt, ap);
	console_text(&MON->console, line);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_list(fmt, ap);
	va_end(ap);
}

static void say_bytes(struct vcpu *v)
{
	u8 byte;
	struct access_fault f;
	gva_t at = segment_base(v, (u16)v->r.cs) + v->r.eip;

	say("vmixen: bytes at EIP:");
	for (u32 i = 0; i < 16; i++) {
		if (guest_read(v, at + i, &byte, 1, &f))
			break;
		say(" %02x", byte);
	}
	say("\n");
}

static void say_stack(struct vcpu *v)
{
	u32 word;
	struct access_fault f;

	say("vmixen: stack:");
	for (u32 i = 0; i < 8; i++) {
		if (guest_read(v, v->r.gpr[GPR_ESP] + 4 * i, &word, 4, &f))
			break;
		say(" %08x", word);
	}
	say("\n");
}

static void say_registers(struct vcpu *v)
{
	const u32 *g = v->r.gpr;

	say("vmixen: eip %08x cs %04x eflags %08x, in %s, %s\n", v->r.eip, v->r.cs, v->r.eflags,
	    guest_in_kernel(v) ? "kernel" : "user mode",
	    v->paravirtual ? "paravirtual" : "before Init");
	say("vmixen: eax %08x ebx %08x ecx %08x edx %08x\n", g[GPR_EAX], g[GPR_EBX], g[GPR_ECX],
	    g[GPR_EDX]);
	say("vmixen: esi %08x edi %08x ebp %08x esp %08x\n", g[GPR_ESI], g[GPR_EDI], g[GPR_EBP],
	    g[GPR_ESP]);
	say("vmixen: ss %04x ds %04x es %04x, cr0 %08x cr2 %08x cr3 %08x cr4 %08x\n", v->r.ss,
	    v->r.ds, v->r.es, v->cr0, v->cr2, v->cr3, v->cr4);
	say("vmixen: last trap: vector %u, error code %x\n", v->r.vector & VECTOR_NUMBER,
	    v->r.error);
}

void report_state(struct vcpu *v)
{
	if (v->halted)
		say("\nvmixen: the guest waits for an interrupt, %s\n",
		    events_interrupt() ? "and one is pending" : "and none is pending");
	else
		say("\nvmixen: the guest runs\n");
	say_registers(v);
}

noreturn void guest_die(const char *fmt, ...)
{
	va_list ap;

	say("\nvmixen: the guest died: ");
	va_start(ap, fmt);
	say_list(fmt, ap);
	va_end(ap);
	say("\n");
	say_registers(VCPU);
	say_bytes(VCPU);
	say_stack(VCPU);
	xen_shutdown(SHUTDOWN_crash);
}

noreturn void domain_die(const char *fmt, ...)
{
	va_list ap;

	say("\nvmixen: ");
	va_start(ap, fmt);
	say_list(fmt, ap);
	va_end(ap);
	say("\n");
	say_registers(VCPU);
	xen_shutdown(SHUTDOWN_crash);
}

noreturn void xen_refused(enum need what, int err)
{
	static const char words[NEEDS][48] = {
		[NEED_TLB_FLUSH] = "flush the TLB",
		[NEED_TABLE] = "make a page table",
		[NEED_HOOK] = "hook a page table",
		[NEED_UNHOOK] = "unhook a page table",
		[NEED_CLEAR] = "clear an entry of a page table",
		[NEED_SLOT] = "map a page of the guest's memory",
		[NEED_FRAME] = "map a frame for descriptors",
		[NEED_ROOT] = "make an address space",
		[NEED_LOAD] = "load an address space",
		[NEED_PHYS] = "take the tables of the guest's memory",
		[NEED_BOOTSTRAP] = "give up the tables of its domain builder",
		[NEED_GDT] = "take a GDT",
		[NEED_LDT] = "take an LDT",
		[NEED_TRAPS] = "take a trap table",
		[NEED_CALLBACK] = "register a callback",
		[NEED_STACK] = "take a stack",
		[NEED_VIRQ] = "bind a VIRQ",
		[NEED_UNMASK] = "unmask an event channel",
		[NEED_TIMER] = "set a timer",
		[NEED_FPU] = "switch the FPU",
	};

	domain_die("Xen refused to %s (error %d): the domain cannot go on", words[what], err);
}

noreturn void monitor_panic(const char *file, int line, const char *what)
{
	say("\nvmixen: error in the monitor: %s:%d: %s\n", file, line, what);
	say_registers(VCPU);
	xen_shutdown(SHUTDOWN_crash);
}
