/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: xen/io/xs_wire.h and docs/misc/xenstore.txt of Xen.
 *
 * Kept true:
 *  - Nothing waits for xenstored.  A request is put into the ring, and an answer is read
 *    when it is there.  A domain without xenstored, or with one that does not answer, gets
 *    no orders and has no other harm.
 *  - Everything that the other side writes is checked before it is used.  An index that
 *    cannot be, or a message that nobody has asked for, ends the conversation and not the
 *    guest.  Our own indices are kept in struct store, because the other side can write to
 *    those in the ring.
 *  - No more requests are under way than those of store_start, or one READ, or one WRITE
 *    behind it.  So they fit into the ring.
 */
#include "store.h"
#include "lib/mem.h"

#include <xen/io/xs_wire.h>

#define HEAD_BYTES sizeof(struct xsd_sockmsg)
#define TEXT_MAX (sizeof(((struct store *)0)->text) - 1)

#define NODE "control/shutdown"

/* The req_id tells of which request a message is the answer. */
enum { REQ_FEATURE = 1, REQ_WATCH, REQ_READ, REQ_CLEAR };

_Static_assert(sizeof(struct xsd_sockmsg) == sizeof(((struct store *)0)->head), "xs_wire.h");

static volatile struct xenstore_domain_interface *ring_of(struct store *s)
{
	return s->ring;
}

static void copy_out(struct store *s, const void *from, u32 bytes)
{
	volatile struct xenstore_domain_interface *ring = ring_of(s);

	for (u32 i = 0; i < bytes; i++)
		ring->req[MASK_XENSTORE_IDX(s->req_prod + i)] = ((const char *)from)[i];
	__asm__ volatile("" ::: "memory"); /* x86 keeps stores in order */
	s->req_prod += bytes;
	ring->req_prod = s->req_prod;
}

/* Puts a request into the ring, with bytes of payload from text.  false if there is no room. */
static bool request(struct store *s, u32 type, u32 id, const char *text, u32 bytes)
{
	volatile struct xenstore_domain_interface *ring = ring_of(s);
	struct xsd_sockmsg head = {.type = type, .req_id = id, .len = bytes};

	if (s->req_prod - ring->req_cons > XENSTORE_RING_SIZE - HEAD_BYTES - bytes)
		return false;
	copy_out(s, &head, sizeof(head));
	copy_out(s, text, bytes);
	s->bell = true;
	return true;
}

void store_start(struct store *s, volatile void *ring)
{
	static const char poweroff[] = "control/feature-poweroff\0001";
	static const char reboot[] = "control/feature-reboot\0001";
	static const char watch[] = NODE "\0vmixen";

	*s = (struct store){.ring = ring};
	s->req_prod = ring_of(s)->req_prod;
	s->rsp_cons = ring_of(s)->rsp_cons;
	if (!request(s, XS_WRITE, REQ_FEATURE, poweroff, sizeof(poweroff) - 1) ||
	    !request(s, XS_WRITE, REQ_FEATURE, reboot, sizeof(reboot) - 1) ||
	    !request(s, XS_WATCH, REQ_WATCH, watch, sizeof(watch)))
		s->ring = NULL;
}

static enum store_order order(const char *text)
{
	static const struct {
		char word[10];
		u8 order;
	} orders[] = {
		{"", STORE_NOTHING},
		{"poweroff", STORE_POWEROFF},
		{"halt", STORE_POWEROFF},
		{"reboot", STORE_REBOOT},
	};

	for (u32 i = 0; i < ARRAY_SIZE(orders); i++) {
		u32 at = 0;

		while (text[at] && text[at] == orders[i].word[at])
			at++;
		if (text[at] == orders[i].word[at])
			return orders[i].order;
	}
	return STORE_UNKNOWN;
}

/* The text may be printed, so it must not control a terminal. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

/* Acts on the message in head and text, which is complete. */
static enum store_order message(struct store *s)
{
	const struct xsd_sockmsg *head = (const struct xsd_sockmsg *)s->head;
	enum store_order o;

	switch (head->type) {
	case XS_WATCH_EVENT:
		s->changed = true;
		return STORE_NOTHING;
	case XS_WRITE: /* done */
	case XS_WATCH:
		return STORE_NOTHING;
	case XS_ERROR: /* one that has no such node, or may not write a feature */
		s->reading = s->reading && head->req_id != REQ_READ;
		return head->req_id == REQ_WATCH ? STORE_BROKEN : STORE_NOTHING;
	case XS_READ:
		if (!s->reading)
			return STORE_BROKEN;
		s->reading = false;
		o = order(s->text);
		make_printable(s->text);
		if (o != STORE_NOTHING && !request(s, XS_WRITE, REQ_CLEAR, NODE "\0", sizeof(NODE)))
			return STORE_BROKEN;
		return o;
	}
	return STORE_BROKEN;
}

/* Adds the next byte of the stream to the present message, and acts on it if that was the
 * last one. */
static enum store_order byte_in(struct store *s, char byte)
{
	const struct xsd_sockmsg *head = (const struct xsd_sockmsg *)s->head;
	u32 at = s->got++;

	if (at < HEAD_BYTES)
		((char *)s->head)[at] = byte;
	else if (at - HEAD_BYTES < TEXT_MAX)
		s->text[at - HEAD_BYTES] = byte;
	if (s->got < HEAD_BYTES)
		return STORE_NOTHING;
	if (head->len > XENSTORE_PAYLOAD_MAX)
		return STORE_BROKEN;
	if (s->got < HEAD_BYTES + head->len)
		return STORE_NOTHING;
	s->text[head->len < TEXT_MAX ? head->len : TEXT_MAX] = 0;
	s->got = 0;
	return message(s);
}

static enum store_order take(struct store *s)
{
	volatile struct xenstore_domain_interface *ring = ring_of(s);
	u32 ready = ring->rsp_prod - s->rsp_cons;
	enum store_order o = STORE_NOTHING;

	if (!ready)
		return STORE_NOTHING;
	if (ready > XENSTORE_RING_SIZE)
		return STORE_BROKEN;
	__asm__ volatile("" ::: "memory");
	for (; ready && o == STORE_NOTHING; ready--)
		o = byte_in(s, ring->rsp[MASK_XENSTORE_IDX(s->rsp_cons++)]);
	__asm__ volatile("" ::: "memory");
	ring->rsp_cons = s->rsp_cons;
	s->bell = true;
	return o;
}

enum store_order store_take(struct store *s)
{
	enum store_order o;

	if (!s->ring)
		return STORE_NOTHING;
	o = take(s);
	if (s->changed && !s->reading && o != STORE_BROKEN) {
		s->changed = false;
		s->reading = true;
		if (!request(s, XS_READ, REQ_READ, NODE, sizeof(NODE)))
			o = STORE_BROKEN;
	}
	if (o == STORE_BROKEN)
		s->ring = NULL;
	return o;
}
