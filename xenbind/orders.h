/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the host's administrator orders: the node control/shutdown in xenstore, which
 * `xl shutdown`, `xl reboot`, `xl save` and `xl migrate` write.  orders.c says what is kept
 * true.
 */
#ifndef VMIXEN_ORDERS_H
#define VMIXEN_ORDERS_H

#include "base.h"
#include "store.h"

enum order {
	ORDER_NOTHING,
	ORDER_POWEROFF,
	ORDER_REBOOT,
	ORDER_SUSPEND, /* xl save, xl migrate */
	ORDER_UNKNOWN, /* another word; it is in struct orders */
	ORDER_BROKEN,  /* nobody to talk to any more; comes once */
};

struct orders {
	bool broken;   /* and told */
	bool reading;  /* a READ is under way */
	bool obeyed;   /* an order has been taken, and is still in the node */
	bool changed;  /* the node may hold something else since the last READ */
	char word[32]; /* the beginning of what ORDER_UNKNOWN was read as, printable */
};

/* Requests the features and a watch of the node, and waits for no answer.  suspends: the domain
 * can be suspended; where it cannot, xl is told so before it asks. */
void orders_start(struct orders *o, struct store *s, bool suspends);

/* Is the message for us?  If so, *order becomes what is ordered, mostly ORDER_NOTHING.  An
 * order is acknowledged by clearing the node.  Numbers of requests below ORDERS_IDS are
 * ours. */
#define ORDERS_IDS 16u
bool orders_message(struct orders *o, struct store *s, const struct store_message *m,
		    enum order *order);

/* At the end of a look: ORDER_BROKEN if the conversation has ended, once; else what must be
 * asked is asked. */
enum order orders_looked(struct orders *o, struct store *s);

#endif
