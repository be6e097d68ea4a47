/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Words on the console, and the ends that nobody has asked for.  A domain never ends in
 * silence: where the guest cannot go on, where Xen refuses what the domain needs, and
 * where the monitor finds itself wrong, a report prints what is known and the domain
 * ends with SHUTDOWN_crash.
 *
 * Kept true: a report changes nothing of the guest's and fills no entry of the shadow.
 * So it meets nothing that would end the domain in its midst.  If it does so all the
 * same, begin_end() cuts the next report short.
 */
#include "monitor/binding.h"
#include "monitor/cpu/segment.h"
#include "monitor/io/events.h"
#include "monitor/life.h"
#include "monitor/monitor.h"
#include "lib/print.h"

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

/* Reads the guest's bytes at va, as far as the page tables that are loaded map them now:
 * nothing is filled for this.  Returns how many bytes it has read. */
static u32 peek(gva_t va, void *to, u32 bytes)
{
	if (va >= WINDOW_BASE)
		return 0;
	if (bytes > WINDOW_BASE - va)
		bytes = WINDOW_BASE - va;
	return bytes - copy_from_linear(to, va, bytes);
}

static gva_t stack_at(struct vcpu *v)
{
	return segment_base(v, (u16)v->r.ss) + v->r.gpr[GPR_ESP];
}

static void say_bytes(struct vcpu *v)
{
	u8 bytes[16];
	u32 n = peek(segment_base(v, (u16)v->r.cs) + v->r.eip, bytes, sizeof(bytes));

	say("vmixen: bytes at EIP:");
	for (u32 i = 0; i < n; i++)
		say(" %02x", bytes[i]);
	say("\n");
}

static void say_stack(struct vcpu *v)
{
	u32 words[8], n = peek(stack_at(v), words, sizeof(words)) / 4;

	say("vmixen: stack:");
	for (u32 i = 0; i < n; i++)
		say(" %08x", words[i]);
	say("\n");
}

#define TEXT_MIN 8    /* characters; shorter texts are found by chance */
#define TEXT_MAX 100  /* characters that are printed of one */
#define TEXT_WORDS 64 /* words of the stack that are looked at */

/* The length of the text with which these bytes begin.  0 if no NUL ends it among them,
 * unless it is TEXT_MAX long. */
static u32 text_length(const char *bytes, u32 n)
{
	u32 i = 0;

	while (i < n &&
	       ((bytes[i] >= ' ' && bytes[i] <= '~') || bytes[i] == '\n' || bytes[i] == '\t'))
		i++;
	return i == TEXT_MAX || (i < n && !bytes[i]) ? i : 0;
}

static void say_text(const char *text, u32 length)
{
	char escaped[2 * TEXT_MAX + 1], *out = escaped;

	for (u32 i = 0; i < length; i++) {
		char c = text[i] == '\n' ? 'n' : text[i] == '\t' ? 't' : text[i];

		if (c != text[i] || c == '"' || c == '\\')
			*out++ = '\\';
		*out++ = c;
	}
	*out = 0;
	say("vmixen: text at the stack: \"%s\"\n", escaped);
}

/* The offset of the longest text in these bytes, and its length in *length. */
static u32 find_text(const char *bytes, u32 n, u32 *length)
{
	u32 at = 0;

	*length = 0;
	for (u32 i = 0; i < n; i++) {
		u32 found = text_length(bytes + i, n - i < TEXT_MAX ? n - i : TEXT_MAX);

		if (found > *length) {
			*length = found;
			at = i;
		}
	}
	return at;
}

/* Prints the longest text that lies on the kernel's stack or is pointed to from it.  After a
 * panic that the kernel could not print, it is most likely the panic's message. */
static void say_longest_text(struct vcpu *v)
{
	u32 words[TEXT_WORDS], n, best;
	char text[TEXT_MAX];
	gva_t at;

	if (!guest_in_kernel(v))
		return;
	n = peek(stack_at(v), words, sizeof(words));
	at = stack_at(v) + find_text((const char *)words, n, &best);
	for (u32 i = 0; i < n / 4; i++) {
		u32 length = text_length(text, peek(words[i], text, sizeof(text)));

		if (length > best) {
			best = length;
			at = words[i];
		}
	}
	if (best >= TEXT_MIN)
		say_text(text, text_length(text, peek(at, text, sizeof(text))));
}

static void say_registers(struct vcpu *v)
{
	const u32 *g = v->r.gpr;

	say("vmixen: eip %08x cs %04x eflags %08x, in %s, %s, %s\n", v->r.eip, v->r.cs, v->r.eflags,
	    guest_in_kernel(v) ? "kernel" : "user mode",
	    v->paravirtual ? "paravirtual" : "before Init",
	    !(v->cr0 & CR0_PG) ? "paging off"
	    : v->cr4 & CR4_PAE ? "PAE"
			       : "2-level");
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

#define EARLYPRINTK "earlyprintk=serial,ttyS0,115200 on its command line shows more\n"

void report_silence(struct vcpu *v, u32 seconds)
{
	say("\nvmixen: the guest has printed nothing for %u s, and %s\n", seconds,
	    v->halted ? "waits for an interrupt" : "runs");
	if (!v->halted) {
		say_registers(v);
		say_longest_text(v);
	}
	say("vmixen: " EARLYPRINTK);
}

/* Counts the ends that have begun; returns how many had before this one.  A second end is
 * one that was met in the report of the first, so it must not print what needs the guest's
 * memory.  A third prints nothing at all. */
static u32 begin_end(void)
{
	u32 before = MON->ends++;

	if (before > 1)
		xen_shutdown(SHUTDOWN_crash);
	return before;
}

noreturn void guest_die(const char *fmt, ...)
{
	bool again = begin_end();
	va_list ap;

	say("\nvmixen: the guest died: ");
	va_start(ap, fmt);
	say_list(fmt, ap);
	va_end(ap);
	say("\n");
	say_registers(VCPU);
	if (!again) {
		say_bytes(VCPU);
		say_stack(VCPU);
		say_longest_text(VCPU);
		if (!MON->events.spoke)
			say("vmixen: it has printed nothing: " EARLYPRINTK);
	}
	xen_shutdown(SHUTDOWN_crash);
}

noreturn void domain_die(const char *fmt, ...)
{
	va_list ap;

	begin_end();
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
		[NEED_ONE_TO_ONE] = "take the tables of the guest's memory",
		[NEED_BOOTSTRAP] = "give up the tables of its domain builder",
		[NEED_GDT] = "take a GDT",
		[NEED_LDT] = "take an LDT",
		[NEED_TRAPS] = "take a trap table",
		[NEED_CALLBACK] = "register a callback",
		[NEED_VECTOR] = "deliver events by a vector",
		[NEED_STACK] = "take a stack",
		[NEED_VCPU_INFO] = "keep its word of the vCPU in our page",
		[NEED_IPI] = "bind an event channel to ourselves",
		[NEED_VIRQ] = "bind a VIRQ",
		[NEED_UNMASK] = "unmask an event channel",
		[NEED_TIMER] = "set a timer",
		[NEED_FPU] = "switch the FPU",
		[NEED_SHARED] = "show its shared page again",
		[NEED_PARAMETER] = "name the rings of console and xenstore",
	};

	domain_die("Xen refused to %s (error %d): the domain cannot go on", words[what], err);
}

noreturn void monitor_panic(const char *file, int line, const char *what)
{
	begin_end();
	say("\nvmixen: error in the monitor: %s:%d: %s\n", file, line, what);
	say_registers(VCPU);
	xen_shutdown(SHUTDOWN_crash);
}

noreturn void monitor_trapped(u32 vector, u32 error, u32 eip, const u32 pushed[8])
{
	begin_end();
	say("\nvmixen: vector %u, error code %x at %08x (image offset %x) in the monitor, cr2 "
	    "%08x\n",
	    vector, error, eip, eip - WIN_TEXT, (u32)XEN_VCPU->arch.cr2);
	say("vmixen: eax %08x ebx %08x ecx %08x edx %08x esi %08x edi %08x ebp %08x\n", pushed[7],
	    pushed[4], pushed[6], pushed[5], pushed[1], pushed[0], pushed[2]);
	say("vmixen: error in the monitor: nested trap\n");
	say_registers(VCPU);
	xen_shutdown(SHUTDOWN_crash);
}
