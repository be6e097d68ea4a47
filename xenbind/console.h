/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The domain's console: Xen's PV console ring, or the hypervisor's own
 * console for a dom0.  Bytes go out in order and are never lost while the
 * backend lives; with a dead one they are dropped after CONSOLE_PATIENCE.
 *
 * The page is the backend's as well as ours, and it may write there what it
 * likes.  So our own indices are kept here, and the ring's are only written;
 * of the backend's one look is taken at a time, and if it says what cannot be,
 * there is no room, or no input, until it says something else.
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

/* ring: where the page is mapped; evtchn: the port from start_info.  Both are 0
 * in a dom0. */
void console_init(struct console *c, volatile void *ring, u32 evtchn);
void console_put(struct console *c, char byte);
/* A text, each newline as carriage return and newline, and lets it be seen. */
void console_text(struct console *c, const char *text);
/* Lets the other side see everything that was put. */
void console_flush(struct console *c);
/* The next input byte, or -1. */
int console_get(struct console *c);
/* There is none: asked at each access to a port. */
static inline bool console_idle(const struct console *c)
{
	return c->in_prod && *c->in_prod == c->in_cons;
}

#endif
