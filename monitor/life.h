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
#include "xenbind/orders.h"

/* Writes to the domain's console at once, up to 255 bytes of text; the conversions are
 * those of lib/print.h. */
void say(const char *fmt, ...) printf_like(1, 2);
/* Ends a domain whose guest has done what it cannot go on from.  Prints the text and the
 * guest's registers, bytes at EIP and stack; xl shows the domain as crashed. */
noreturn void guest_die(const char *fmt, ...) printf_like(1, 2);
/* Ends a domain that cannot go on by no fault of the guest's.  Prints the text and the
 * guest's registers, and reads no guest memory; xl shows the domain as crashed. */
noreturn void domain_die(const char *fmt, ...) printf_like(1, 2);

/* What a domain needs of Xen so much that it ends where Xen refuses it.  report.c has the
 * words.  (They are numbers here because the address of a text costs instructions on the
 * paths on which nothing is refused.) */
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
	NEED_VECTOR,
	NEED_STACK,
	NEED_VCPU_INFO,
	NEED_VIRQ,
	NEED_IPI,
	NEED_UNMASK,
	NEED_TIMER,
	NEED_FPU,
	NEED_SHARED,
	NEED_PARAMETER,
	NEEDS
};
/* Ends the domain: Xen has answered err, a negative errno, to what it needs. */
noreturn void xen_refused(enum need what, int err);
/* err is Xen's answer to a hypercall.  Returns if it is 0, and else ends the domain. */
static inline void xen_must(int err, enum need what)
{
	if (err)
		xen_refused(what, err);
}

/* Prints whether the guest runs or waits for an interrupt, and its registers. */
void report_state(struct vcpu *v);
/* Prints that the guest has printed nothing for so many seconds, where it is, a text that
 * it may have been about to print, and how to hear more of it. */
void report_silence(struct vcpu *v, u32 seconds);
/* Ends the domain because an assertion of the monitor's does not hold: prints its place,
 * its text and the guest's registers; xl shows the domain as crashed. */
noreturn void monitor_panic(const char *file, int line, const char *what);
/* Ends the domain because the monitor's own code at eip has met an exception that it has
 * no place for.  pushed: the monitor's registers, in the order of PUSHAD in memory. */
noreturn void monitor_trapped(u32 vector, u32 error, u32 eip, const u32 pushed[8]);
#define ASSERT(c) ((c) ? (void)0 : monitor_panic(__FILE_NAME__, __LINE__, #c))

/* ends.c: ends the domain with a reboot, because the guest has done what resets a PC.
 * why goes on where the message says "the guest". */
noreturn void domain_reset(const char *why);
/* Ends the domain for reason, a SHUTDOWN_ code.  If xl has ordered an end not long ago
 * (struct shutdown_order), the reason is the one that xl has ordered. */
noreturn void domain_shutdown(u32 reason);
/* Passes an order of xl's on to the guest, by the power button or the keyboard, or notes that
 * the domain is to be suspended. */
void domain_order(enum order order);
/* suspend.c: the domain stands still, and goes on when xl has saved it, or restored it, here or on
 * another host.  For where no event is being looked at, and xl's order has been acknowledged. */
void domain_suspend(void);

#endif
