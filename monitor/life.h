/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the monitor speaks, and how a domain ends (monitor/life).  Every room may
 * say something, and may find that the domain cannot go on.
 *
 * None of these functions needs the guest to be in order.  Those that do not return
 * end the domain, with the state that xl shows for it (SHUTDOWN_ of xen/sched.h).
 */
#ifndef VMIXEN_LIFE_H
#define VMIXEN_LIFE_H

#include "base.h"
#include "monitor/vcpu.h"
#include "xenbind/store.h"

/* Writes to the domain's console; the conversions are those of lib/print.h. */
void say(const char *fmt, ...) printf_like(1, 2);
/* The guest cannot go on, by its own doing: prints who, where and what, with the guest's
 * registers and stack; the domain has crashed. */
noreturn void guest_die(const char *fmt, ...) printf_like(1, 2);
/* The domain cannot go on, by no fault of the guest's: prints that and the registers and
 * looks at nothing in the guest's memory; the domain has crashed. */
noreturn void domain_die(const char *fmt, ...) printf_like(1, 2);

/* What a domain needs of Xen, and there is no way around: report.c has the words.
 * (Numbers, for the address of words takes instructions of the paths that need none.) */
enum need {
	NEED_TLB_FLUSH,
	NEED_TABLE,
	NEED_HOOK,
	NEED_UNHOOK,
	NEED_CLEAR,
	NEED_SLOT,
	NEED_FRAME,
	NEED_ROOT,
	NEED_LOAD,
	NEED_ONE_TO_ONE,
	NEED_BOOTSTRAP,
	NEED_GDT,
	NEED_LDT,
	NEED_TRAPS,
	NEED_CALLBACK,
	NEED_STACK,
	NEED_VCPU_INFO,
	NEED_VIRQ,
	NEED_UNMASK,
	NEED_TIMER,
	NEED_FPU,
	NEEDS
};
noreturn void xen_refused(enum need what, int err);
/* err is Xen's answer.  Comes back only if that is 0. */
static inline void xen_must(int err, enum need what)
{
	if (err)
		xen_refused(what, err);
}

/* Prints where the guest is: its registers and stack. */
void report_state(struct vcpu *v);
/* The guest has printed nothing for so many seconds: prints the same, and how to hear
 * more of it. */
void report_silence(struct vcpu *v, u32 seconds);
/* The monitor is wrong: prints where; the domain has crashed. */
noreturn void monitor_panic(const char *file, int line, const char *what);
/* The same, by a trap in the monitor at eip; pushed: its registers, as PUSHAD leaves them. */
noreturn void monitor_trapped(u32 vector, u32 error, u32 eip, const u32 pushed[8]);
#define ASSERT(c) ((c) ? (void)0 : monitor_panic(__FILE_NAME__, __LINE__, #c))

/* ends.c: the guest leaves by something that resets a PC; why: words behind "the guest".
 * The domain asks for a reboot. */
noreturn void domain_reset(const char *why);
/* The domain ends for that reason, a SHUTDOWN_ code; if xl has asked for an end, for the
 * one that xl has asked for. */
noreturn void domain_shutdown(u32 reason);
/* Tells the guest what xl wants of it. */
void domain_order(enum store_order order);

#endif
