/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the host's administrator orders: the node control/shutdown in xenstore, which
 * `xl shutdown` and `xl reboot` write.  store.c says what is kept true.  It knows the ring
 * (xen/io/xs_wire.h) and no event channel: whenever the member bell is set, the caller
 * sends an event to xenstored and clears it.
 */
#ifndef VMIXEN_STORE_H
#define VMIXEN_STORE_H

#include "base.h"

enum store_order {
	STORE_NOTHING,
	STORE_POWEROFF,
	STORE_REBOOT,
	STORE_UNKNOWN, /* another word; it is in text */
	STORE_BROKEN,  /* nobody to talk to any more; comes once */
};

struct store {
	volatile void *ring;	/* struct xenstore_domain_interface; NULL when there is none */
	u32 req_prod, rsp_cons; /* our indices; the ring's are only written */
	bool bell;		/* the other side has something to look at */
	bool reading;		/* a READ is under way */
	bool changed;		/* the node may hold something else since the last READ */
	u32 got;		/* bytes of the present message, its header included */
	u32 head[4];		/* struct xsd_sockmsg */
	char text[32];		/* the beginning of its payload, a string */
};

/* Begins to talk over the ring that is mapped at ring: requests the features and a watch of
 * the node, and waits for no answer. */
void store_start(struct store *s, volatile void *ring);

/* Reads what has come, up to the first order in it, which it acknowledges by clearing the
 * node.  The order, or STORE_NOTHING if there is none; call it again until it answers that. */
enum store_order store_take(struct store *s);

#endif
