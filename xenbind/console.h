/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The domain's console: Xen's PV console ring, or the hypervisor's own console for a dom0.
 * Bytes go out in order, and none is lost as long as the backend takes them.  When it has
 * taken none for CONSOLE_PATIENCE (5 s), bytes are dropped.
 *
 * The ring's page belongs to the backend as well, which may write there what it likes.
 * So our own indices are kept here, and those in the ring are only written, never read
 * back.  An index of the backend's is read once for each decision.  If it is one that
 * cannot be, there is no room, or no input, until it is another one.
 */
#ifndef VMIXEN_CONSOLE_H
#define VMIXEN_CONSOLE_H

#include "base.h"

struct console {
	volatile void *ring; /* the shared page, a struct xencons_interface */
	u32 evtchn;	     /* 0: use HYPERVISOR_console_io */
	u32 out_prod, in_cons;
	volatile u32 *in_prod; /* the ring's, NULL without one */
	u32 pending;	       /* bytes in the ring, or in line[], not yet announced */
	bool dead;	       /* the backend did not drain the ring in time */
	char line[128];
};

/* Makes *c the console whose ring is mapped at ring and has the event channel evtchn; with
 * 0 as evtchn, as in a dom0, it is the hypervisor's own and ring is not used. */
void console_init(struct console *c, volatile void *ring, u32 evtchn);
/* Writes one byte; the other side is told at the end of a line. */
void console_put(struct console *c, char byte);
/* Writes a text, each newline as carriage return and newline, and tells the other side. */
void console_text(struct console *c, const char *text);
/* Tells the other side of everything that was written. */
void console_flush(struct console *c);
/* Waits until the other side has taken everything, as long as console_put() waits for room. */
void console_drain(struct console *c);
/* Takes the next byte of input, 0 to 255; -1 if there is none. */
int console_get(struct console *c);
/* Is there certainly no input?  Of the hypervisor's own console this is not known: false.
 * It is inline because each access to a port asks it. */
static inline bool console_idle(const struct console *c)
{
	return c->in_prod && *c->in_prod == c->in_cons;
}

#endif
