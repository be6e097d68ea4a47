/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: docs/misc/xenstore-paths.pandoc of Xen, control/shutdown.
 *
 * Kept true:
 *  - Nothing waits for xenstored (store.c).  A domain without xenstored, or with one that does
 *    not answer, gets no orders and has no other harm.
 *  - A message that nobody has asked for ends the conversation.
 *  - No more requests are under way than those of orders_start, or one READ, or one WRITE
 *    behind it.  Where there is no room for one of the latter, because devices have asked,
 *    too, it is tried again at the next look.
 */
#include "orders.h"
#include "lib/mem.h"

#include <xen/io/xs_wire.h>

#define NODE "control/shutdown"
#define TOKEN "vmixen"

/* Of which request a message is the answer. */
enum { REQ_FEATURE = 1, REQ_WATCH, REQ_READ, REQ_CLEAR };

/* Without a suspend feature, which no version of libxl asks for, an xl save would wait a minute
 * for an answer.  But first of all libxl binds the event channel that this node names, if it
 * names one, and gives up at once where it cannot; port 0 is never anybody's. */
#define NO_SUSPEND "device/suspend/event-channel\0000"

void orders_start(struct orders *o, struct store *s, bool suspends)
{
	static const char poweroff[] = "control/feature-poweroff\0001";
	static const char reboot[] = "control/feature-reboot\0001";
	static const char suspend[] = "control/feature-suspend\0001";
	static const char none[] = NO_SUSPEND;
	static const char watch[] = NODE "\0" TOKEN;

	*o = (struct orders){0};
	if (!store_request(s, XS_WRITE, REQ_FEATURE, poweroff, sizeof(poweroff) - 1) ||
	    !store_request(s, XS_WRITE, REQ_FEATURE, reboot, sizeof(reboot) - 1) ||
	    !store_request(s, XS_WRITE, REQ_FEATURE, suspends ? suspend : none,
			   (suspends ? sizeof(suspend) : sizeof(none)) - 1) ||
	    !store_request(s, XS_WATCH, REQ_WATCH, watch, sizeof(watch)))
		store_break(s);
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static enum order order_of(const char *text)
{
	static const struct {
		char word[10];
		u8 order;
	} orders[] = {
		{"", ORDER_NOTHING},	  {"poweroff", ORDER_POWEROFF}, {"halt", ORDER_POWEROFF},
		{"reboot", ORDER_REBOOT}, {"suspend", ORDER_SUSPEND},
	};

	for (u32 i = 0; i < ARRAY_SIZE(orders); i++)
		if (same(text, orders[i].word))
			return orders[i].order;
	return ORDER_UNKNOWN;
}

/* Keeps the word, as far as there is room.  It may be printed, so it must not control a
 * terminal. */
static void keep(struct orders *o, const char *text)
{
	u32 at = 0;

	for (; at < sizeof(o->word) - 1 && text[at]; at++)
		o->word[at] = text[at] < ' ' || text[at] > '~' ? '?' : text[at];
	o->word[at] = 0;
}

/* Acts on an answer; false if nobody has asked for it. */
static bool answer(struct orders *o, const struct store_message *m, enum order *order)
{
	switch (m->type) {
	case XS_WRITE: /* done */
	case XS_WATCH:
		return true;
	case XS_ERROR: /* one that has no such node, or may not write a feature */
		o->reading = o->reading && m->id != REQ_READ;
		return m->id != REQ_WATCH;
	case XS_READ:
		if (!o->reading)
			return false;
		o->reading = false;
		*order = order_of(m->text);
		o->obeyed = *order != ORDER_NOTHING;
		keep(o, m->text);
		return true;
	}
	return false;
}

bool orders_message(struct orders *o, struct store *s, const struct store_message *m,
		    enum order *order)
{
	const char *token = store_token(m);

	*order = ORDER_NOTHING;
	if (token) {
		bool ours = same(token, TOKEN);

		o->changed |= ours;
		return ours;
	}
	if (m->id >= ORDERS_IDS)
		return false;
	if (!answer(o, m, order))
		store_break(s);
	return true;
}

enum order orders_looked(struct orders *o, struct store *s)
{
	if (!s->ring && !o->broken) {
		o->broken = true;
		return ORDER_BROKEN;
	}
	if (o->obeyed && store_request(s, XS_WRITE, REQ_CLEAR, NODE "\0", sizeof(NODE)))
		o->obeyed = false;
	if (o->changed && !o->reading && !o->obeyed &&
	    store_request(s, XS_READ, REQ_READ, NODE, sizeof(NODE))) {
		o->changed = false;
		o->reading = true;
	}
	return ORDER_NOTHING;
}
