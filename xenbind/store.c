/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: xen/io/xs_wire.h and docs/misc/xenstore.txt of Xen.
 *
 * Kept true:
 *  - Nothing waits for xenstored.  A request is put into the ring if there is room, and an
 *    answer is read when it is there.
 *  - Everything that the other side writes is checked before it is used.  An index that
 *    cannot be, or a message that is too long, ends the conversation and not the guest.  Our
 *    own indices are kept in struct store, because the other side can write to those in the
 *    ring.
 *  - A look has an end: it reads no more than the ring held when it began.
 */
#include "store.h"
#include "lib/mem.h"

#include <xen/io/xs_wire.h>

#define HEAD_BYTES sizeof(struct xsd_sockmsg)
#define TEXT_MAX (STORE_TEXT - 1)

_Static_assert(sizeof(struct xsd_sockmsg) == sizeof(((struct store *)0)->head), "xs_wire.h");

static volatile struct xenstore_domain_interface *ring_of(struct store *s)
{
	return s->ring;
}

void store_start(struct store *s, volatile void *ring)
{
	*s = (struct store){.ring = ring};
	s->req_prod = ring_of(s)->req_prod;
	s->rsp_cons = ring_of(s)->rsp_cons;
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

bool store_request(struct store *s, u32 type, u32 id, const char *text, u32 bytes)
{
	struct xsd_sockmsg head = {.type = type, .req_id = id, .len = bytes};
	u32 used, need = HEAD_BYTES + bytes;

	if (!s->ring)
		return false;
	used = s->req_prod - ring_of(s)->req_cons;
	if (used > XENSTORE_RING_SIZE || need > XENSTORE_RING_SIZE - used)
		return false;
	copy_out(s, &head, sizeof(head));
	copy_out(s, text, bytes);
	s->bell = true;
	return true;
}

void store_break(struct store *s)
{
	s->ring = NULL;
	s->ready = 0;
}

void store_look(struct store *s)
{
	s->ready = 0;
	if (!s->ring)
		return;
	s->ready = ring_of(s)->rsp_prod - s->rsp_cons;
	if (s->ready > XENSTORE_RING_SIZE)
		store_break(s);
	__asm__ volatile("" ::: "memory");
}

/* Adds the next byte of the stream to the present message; true if that was its last one. */
static bool byte_in(struct store *s, char byte)
{
	const struct xsd_sockmsg *head = (const struct xsd_sockmsg *)s->head;
	u32 at = s->got++;

	if (at < HEAD_BYTES)
		((char *)s->head)[at] = byte;
	else if (at - HEAD_BYTES < TEXT_MAX)
		s->text[at - HEAD_BYTES] = byte;
	if (s->got < HEAD_BYTES)
		return false;
	if (head->len > XENSTORE_PAYLOAD_MAX) {
		store_break(s);
		return false;
	}
	return s->got == HEAD_BYTES + head->len;
}

static void take(struct store *s, struct store_message *m)
{
	const struct xsd_sockmsg *head = (const struct xsd_sockmsg *)s->head;
	u32 bytes = head->len < TEXT_MAX ? head->len : TEXT_MAX;

	s->text[bytes] = 0;
	s->got = 0;
	*m = (struct store_message){.type = head->type,
				    .id = head->req_id,
				    .bytes = bytes,
				    .whole = bytes == head->len,
				    .text = s->text};
}

bool store_next(struct store *s, struct store_message *m)
{
	bool complete = false;

	while (s->ready && !complete) {
		s->ready--;
		complete = byte_in(s, ring_of(s)->rsp[MASK_XENSTORE_IDX(s->rsp_cons++)]);
		s->bell = true;
	}
	if (!s->ring)
		return false;
	__asm__ volatile("" ::: "memory");
	ring_of(s)->rsp_cons = s->rsp_cons;
	if (complete)
		take(s, m);
	return complete;
}

const char *store_token(const struct store_message *m)
{
	u32 at = 0;

	if (m->type != XS_WATCH_EVENT || !m->whole)
		return NULL;
	while (m->text[at])
		at++;
	return at < m->bytes ? m->text + at + 1 : NULL;
}
