/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The domain's ring to xenstored (xen/io/xs_wire.h), as requests and messages.  store.c says
 * what is kept true.  It knows no event channel: whenever the member bell is set, the caller
 * sends an event to xenstored and clears it.
 *
 * Who has made a request knows its answer by the number that it has given it; an event of a
 * watch has the watch's token.
 */
#ifndef VMIXEN_STORE_H
#define VMIXEN_STORE_H

#include "base.h"

#define STORE_TEXT 256u /* bytes of a message's payload that are kept, with a NUL at the end */

struct store {
	volatile void *ring;	/* struct xenstore_domain_interface; NULL when there is none */
	u32 req_prod, rsp_cons; /* our indices; the ring's are only written */
	bool bell;		/* the other side has something to look at */
	u32 ready;		/* bytes of this look that are still to be read */
	u32 got;		/* bytes of the present message, its header included */
	u32 head[4];		/* struct xsd_sockmsg */
	char text[STORE_TEXT];	/* the beginning of its payload, a string */
};

/* The message that store_next() has answered: its XS_ type, the number of the request, and
 * how many bytes of it are in text; whole is false if it had more. */
struct store_message {
	u32 type, id, bytes;
	bool whole;
	const char *text; /* NUL behind it */
};

/* Begins to talk over the ring that is mapped at ring. */
void store_start(struct store *s, volatile void *ring);

/* Puts a request of this XS_ type and number into the ring, with bytes of payload from text.
 * false if there is no room at present, or nobody to talk to: nothing is put there. */
bool store_request(struct store *s, u32 type, u32 id, const char *text, u32 bytes);

/* Begins a look at what has come; store_next() then answers one message after another, and
 * false when there is no further one.  What comes during the look is for the next one, of
 * which xenstored tells by an event. */
void store_look(struct store *s);
bool store_next(struct store *s, struct store_message *m);

/* Ends the conversation, as store_next() does when what has come cannot be: ring is NULL. */
void store_break(struct store *s);

/* The token of a watch's event, or NULL if the message is none.  An event has two strings,
 * what has changed and the token. */
const char *store_token(const struct store_message *m);

#endif
