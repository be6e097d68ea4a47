/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: xen/io/netif.h, xen/io/ring.h.
 *
 * Sending: the first bytes of a frame, if the model has changed them, go through the page of
 * headers, which is granted for good; each piece of guest memory is a request with a grant of
 * its own.  They are called parts.  Segments are asked for by an entry behind the first.
 *
 * Receiving: the backend copies into the beginning of a page, which no buffer of a guest's
 * driver is.  So it gets pages of ours, granted for good, and the model copies.  A frame for
 * which the guest has no memory stays in the ring with all that is behind it.
 *
 * Kept true:
 *  - A page of the guest's is granted, read-only, from when its part is put into the ring until
 *    it is answered, and a frame ends when Xen has said that none of its pages is mapped any
 *    more.  A part of which that is not so is held: neither its number nor its grant is used
 *    again before it is free.
 *  - Of an answer only the number is believed, which must be that of a part in flight, or of a
 *    page that the backend has; there are no more answers than requests.  A frame lies in its
 *    page.  Anything else ends the interface.
 *  - A frame that is lost with its backend ends as one that was sent: so networks are.
 *  - In one go no more frames are taken than the ring has, however fast the backend is.
 *  - Rings are never read but for answers, each of which is copied before it is looked at.
 */
#include "vif.h"
#include "counters.h"
#include "hypercall.h"
#include "lib/mem.h"

#include <xen/io/netif.h>

#define RING 256u    /* entries of either ring */
#define RING_AT 64u  /* of the first entry in the page */
#define TX_BYTES 12u /* of an entry: a request, an extra or an answer */
#define RX_BYTES 8u
#define VIF_ROOM 64u /* bytes that a model may write to, however short the frame is */

struct ring {
	u32 req_prod, req_event, rsp_prod, rsp_event;
};

struct tx_answer {
	u16 id;
	s16 status;
};

struct rx_request {
	u16 id, pad;
	u32 grant;
};

struct rx_answer {
	u16 id, offset, flags;
	s16 status; /* bytes, or an error */
};

_Static_assert(sizeof(struct netif_tx_request) == TX_BYTES, "netif.h");
_Static_assert(sizeof(struct netif_extra_info) <= TX_BYTES, "netif.h");
_Static_assert(sizeof(struct netif_rx_response) == sizeof(struct rx_answer), "netif.h");
_Static_assert(RING_AT + RING * TX_BYTES <= PAGE_SIZE, "ring.h");
_Static_assert(VIF_PARTS + VIF_FRAMES <= RING, "what is in flight has places in the ring");
_Static_assert(VIF_PAGES <= RING && VIF_PAGES <= 64, "likewise, and bits of posted");
_Static_assert(NET_PIECES + 1 <= XEN_NETIF_NR_SLOTS_MIN, "every backend takes so many parts");

enum { PAGE_TX, PAGE_RX, PAGE_HEADERS, PAGE_FRAMES };

static volatile struct ring *ring_at(const struct vif *v, u32 page)
{
	return (volatile struct ring *)(v->memory + page * PAGE_SIZE);
}

static volatile void *tx_entry(const struct vif *v, u32 index)
{
	return v->memory + PAGE_TX * PAGE_SIZE + RING_AT + index % RING * TX_BYTES;
}

static volatile void *rx_entry(const struct vif *v, u32 index)
{
	return v->memory + PAGE_RX * PAGE_SIZE + RING_AT + index % RING * RX_BYTES;
}

/* --- bits ------------------------------------------------------------------------------------- */

static bool has(const u32 *bits, u32 n)
{
	return bits[n / 32] >> n % 32 & 1;
}

static void set(u32 *bits, u32 n)
{
	bits[n / 32] |= 1u << n % 32;
}

static void clear(u32 *bits, u32 n)
{
	bits[n / 32] &= ~(1u << n % 32);
}

static u32 free_part(const struct vif *v)
{
	for (u32 i = 0; i < VIF_PARTS / 32; i++) {
		u32 used = v->flying[i] | v->held[i];

		if (~used)
			return i * 32 + (u32)__builtin_ctz(~used);
	}
	return VIF_PARTS;
}

static u32 free_parts(const struct vif *v)
{
	u32 n = 0;

	for (u32 i = 0; i < VIF_PARTS / 32; i++)
		for (u32 used = ~(v->flying[i] | v->held[i]); used; used &= used - 1)
			n++;
	return n;
}

static u32 free_frame(const struct vif *v)
{
	for (u32 i = 0; i < VIF_FRAMES / 32; i++)
		if (~v->busy[i])
			return i * 32 + (u32)__builtin_ctz(~v->busy[i]);
	return VIF_FRAMES;
}

/* --- grants
 * --------------------------------------------------------------------------------------- */

static volatile struct grant *grant_of_part(const struct vif *v, u32 id)
{
	return &v->grants[VIF_OWN_PAGES + VIF_PAGES + id];
}

/* Number of a page's grant, or a part's. */
static u32 reference(const struct vif *v, u32 page)
{
	return v->first_grant + page;
}

static void give_pages(struct vif *v)
{
	for (u32 i = 0; i < VIF_OWN_PAGES + v->pages; i++)
		grant_give(&v->grants[i], v->domain, v->frame[i], i == PAGE_HEADERS);
}

/* Ends the grants of our own pages; false if one is still mapped. */
static bool take_pages(struct vif *v)
{
	bool all = true;

	for (u32 i = 0; i < VIF_OWN_PAGES + v->pages; i++)
		all &= grant_end(&v->grants[i]);
	return all;
}

/* --- the end of a part
 * ------------------------------------------------------------------------------ */

/* The part is over, and nobody has its page any more. */
static void over(struct vif *v, u32 id)
{
	u32 n = v->frame_of[id];

	if (v->header_of[id] < VIF_HEADERS)
		v->headers &= ~(1u << v->header_of[id]);
	if (!--v->frames[n].left)
		set(v->ended, n);
}

/* The backend is done with the part, or with the whole interface. */
static void close_part(struct vif *v, u32 id)
{
	clear(v->flying, id);
	if (grant_end(grant_of_part(v, id))) {
		over(v, id);
		return;
	}
	set(v->held, id);
	if (!v->stuck)
		vif_tell(v, VIF_STILL_MAPPED);
	v->stuck = true;
}

/* Tries again to take back what is held. */
static void look_at_held(struct vif *v)
{
	for (u32 i = 0; i < VIF_PARTS / 32; i++)
		for (u32 held = v->held[i]; held; held &= held - 1) {
			u32 id = i * 32 + (u32)__builtin_ctz(held);

			if (!grant_end(grant_of_part(v, id)))
				continue;
			clear(v->held, id);
			over(v, id);
		}
}

void vif_finish(struct vif *v)
{
	for (u32 i = 0; i < VIF_FRAMES / 32; i++)
		while (v->ended[i]) {
			u32 n = i * 32 + (u32)__builtin_ctz(v->ended[i]);

			clear(v->ended, n);
			clear(v->busy, n);
			vif_sent(v, v->frames[n].tag);
		}
}

/* --- sending
 * ------------------------------------------------------------------------------------------- */

/* Shows the backend what was put into a ring since index old; must it be told? */
static bool push(const struct vif *v, u32 page, u32 old, u32 prod)
{
	volatile struct ring *ring = ring_at(v, page);

	if (prod == old)
		return false;
	__asm__ volatile("" ::: "memory"); /* x86 keeps stores in order */
	ring->req_prod = prod;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return prod - ring->req_event < prod - old;
}

/* Puts a part into the ring. */
static void put_part(struct vif *v, u32 frame, u32 header, u32 grant, u32 offset, u32 bytes,
		     u32 flags)
{
	volatile struct netif_tx_request *r = tx_entry(v, v->tx_prod++);
	u32 id = free_part(v);

	v->frame_of[id] = (u8)frame;
	v->header_of[id] = (u8)header;
	set(v->flying, id);
	v->frames[frame].left++;
	r->gref = grant ? grant : reference(v, VIF_OWN_PAGES + VIF_PAGES + id);
	r->offset = (u16)offset;
	r->flags = (u16)flags;
	r->id = (u16)id;
	r->size = (u16)bytes;
	COUNT(net_part);
}

static void put_segments(struct vif *v, u16 mss)
{
	volatile struct netif_extra_info *x = tx_entry(v, v->tx_prod++);

	memset((void *)x, 0, TX_BYTES);
	x->type = XEN_NETIF_EXTRA_TYPE_GSO;
	x->u.gso.size = mss;
	x->u.gso.type = XEN_NETIF_GSO_TYPE_TCPV4;
	v->extras++;
}

static u32 flags_of(const struct net_frame *f, u32 parts)
{
	return (f->checksum ? NETTXF_csum_blank | NETTXF_data_validated : 0) |
	       (parts > 1 ? NETTXF_more_data : 0) | (f->mss ? NETTXF_extra_info : 0);
}

/* Looks up the pages of all pieces before any is put into the ring; false if one is no
 * memory. */
static bool find_pieces(const struct net_frame *f, u32 *frames)
{
	for (u32 i = 0; i < f->pieces; i++)
		if (!vif_guest_frame(f->piece[i].gpa >> PAGE_SHIFT, &frames[i]))
			return false;
	return true;
}

enum net_sent vif_send(struct vif *v, const struct net_frame *f, bool *tell)
{
	u32 parts = f->pieces + (f->header_bytes != 0), n, old = v->tx_prod, header = VIF_HEADERS;
	u32 flags = flags_of(f, parts), frames[NET_PIECES];

	*tell = false;
	if (!v->connected || !find_pieces(f, frames))
		return NET_LOST;
	n = free_frame(v);
	if (f->header_bytes && ~v->headers << (32 - VIF_HEADERS))
		header = (u32)__builtin_ctz(~v->headers);
	if (n == VIF_FRAMES || free_parts(v) < parts ||
	    (f->header_bytes && header == VIF_HEADERS)) {
		COUNT(net_full);
		return NET_WAITS;
	}
	set(v->busy, n);
	v->frames[n] = (struct vif_frame){f->tag, 0};
	if (f->header_bytes) {
		u32 at = header * NET_HEADER;

		memcpy(v->memory + PAGE_HEADERS * PAGE_SIZE + at, f->header, f->header_bytes);
		v->headers |= 1u << header;
		put_part(v, n, header, reference(v, PAGE_HEADERS), at, f->bytes, flags);
		if (f->mss)
			put_segments(v, f->mss);
	}
	for (u32 i = 0; i < f->pieces; i++) {
		bool first = !i && !f->header_bytes;
		u32 more = i + 1 < f->pieces ? NETTXF_more_data : 0;

		grant_give(grant_of_part(v, free_part(v)), v->domain, frames[i], true);
		put_part(v, n, VIF_HEADERS, 0, (u32)f->piece[i].gpa & (PAGE_SIZE - 1),
			 first ? f->bytes : f->piece[i].bytes, first ? flags : more);
		if (first && f->mss)
			put_segments(v, f->mss);
	}
	COUNT(net_sent);
	*tell = push(v, PAGE_TX, old, v->tx_prod);
	return NET_TAKEN;
}

/* --- answers
 * ------------------------------------------------------------------------------------------- */

static void lose_all(struct vif *v)
{
	v->connected = v->ready = v->stalled = false;
	for (u32 i = 0; i < VIF_PARTS; i++)
		if (has(v->flying, i))
			close_part(v, i);
	take_pages(v);
}

static void break_off(struct vif *v)
{
	v->broken = true;
	vif_tell(v, VIF_STRANGE_ANSWER);
	lose_all(v);
}

/* Takes one answer about what was sent; false if it cannot be. */
static bool take_sent(struct vif *v)
{
	struct tx_answer a = *(volatile struct tx_answer *)tx_entry(v, v->tx_cons++);

	if (a.status == NETIF_RSP_NULL) /* of an extra entry, without a number */
		return v->extras && v->extras--;
	if (a.id >= VIF_PARTS || !has(v->flying, a.id))
		return false;
	if (a.status != NETIF_RSP_OKAY)
		COUNT(net_refused);
	close_part(v, a.id);
	return true;
}

/* The backend is to tell of half of what is under way, as netif's front ends do. */
static void take_all_sent(struct vif *v)
{
	volatile struct ring *ring = ring_at(v, PAGE_TX);
	u32 prod;

	do {
		prod = ring->rsp_prod;
		__asm__ volatile("" ::: "memory");
		if (prod - v->tx_cons > v->tx_prod - v->tx_cons) {
			break_off(v);
			return;
		}
		while (v->tx_cons != prod)
			if (!take_sent(v)) {
				break_off(v);
				return;
			}
		ring->rsp_event = prod + ((v->tx_prod - prod) >> 1) + 1;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	} while (ring->rsp_prod != v->tx_cons);
}

/* Gives the backend a page for a frame. */
static void post(struct vif *v, u32 id)
{
	volatile struct rx_request *r = rx_entry(v, v->rx_prod++);

	r->id = (u16)id;
	r->pad = 0;
	r->grant = reference(v, PAGE_FRAMES + id);
	set(v->posted, id);
}

enum taken { TAKEN, STRANGE, NO_MEMORY };

/* Takes the next frame out of the ring. */
static enum taken take_frame(struct vif *v)
{
	struct rx_answer a = *(volatile struct rx_answer *)rx_entry(v, v->rx_cons);
	u32 bytes = (u32)a.status;

	if (a.id >= v->pages || !has(v->posted, a.id) ||
	    a.flags & (NETRXF_more_data | NETRXF_extra_info))
		return STRANGE;
	if (a.status >= (s16)NET_SHORTEST) {
		u8 *page = v->memory + (PAGE_FRAMES + a.id) * PAGE_SIZE;
		u32 flags = (a.flags & NETRXF_data_validated ? NET_GOOD : 0) |
			    (a.flags & NETRXF_csum_blank ? NET_UNSUMMED : 0);

		if (a.offset > PAGE_SIZE - VIF_ROOM || bytes > PAGE_SIZE - a.offset)
			return STRANGE;
		if (flags & NET_UNSUMMED)
			flags = NET_UNSUMMED;
		if (!vif_received(v, page + a.offset, bytes, flags))
			return NO_MEMORY;
		COUNT(net_received);
	}
	clear(v->posted, a.id);
	v->rx_cons++;
	post(v, a.id);
	return TAKEN;
}

/* Takes the frames that have come; true if there are more of which no event will tell. */
static bool take_frames(struct vif *v)
{
	volatile struct ring *ring = ring_at(v, PAGE_RX);

	v->stalled = false;
	for (u32 n = 0; n < RING; n++) {
		u32 prod = ring->rsp_prod;
		enum taken how;

		if (prod == v->rx_cons) {
			ring->rsp_event = v->rx_cons + 1;
			__atomic_thread_fence(__ATOMIC_SEQ_CST);
			prod = ring->rsp_prod;
			if (prod == v->rx_cons)
				return false;
		}
		__asm__ volatile("" ::: "memory");
		how = prod - v->rx_cons > v->rx_prod - v->rx_cons ? STRANGE : take_frame(v);
		if (how == STRANGE)
			break_off(v);
		v->stalled = how == NO_MEMORY;
		if (how == NO_MEMORY)
			COUNT(net_stalled);
		if (how != TAKEN)
			return false;
	}
	return true;
}

bool vif_take(struct vif *v, bool *more)
{
	u32 old = v->rx_prod;

	*more = false;
	look_at_held(v);
	if (v->ready)
		take_all_sent(v);
	if (v->ready && v->connected)
		*more = take_frames(v);
	return v->ready && push(v, PAGE_RX, old, v->rx_prod);
}

/* --- the backend's coming and going
 * ---------------------------------------------------------------------- */

bool vif_prepare(struct vif *v, u16 domain)
{
	bool all;

	lose_all(v);
	all = take_pages(v);
	if (v->gone && all)
		v->gone = v->broken = v->stuck = false;
	if (!all || v->broken || v->gone)
		return false;
	memset(v->memory, 0, PAGE_FRAMES * PAGE_SIZE);
	for (u32 i = PAGE_TX; i <= PAGE_RX; i++)
		ring_at(v, i)->req_event = ring_at(v, i)->rsp_event = 1;
	v->tx_prod = v->tx_cons = v->rx_prod = v->rx_cons = v->extras = 0;
	v->posted[0] = v->posted[1] = 0;
	v->domain = domain;
	v->ready = true;
	give_pages(v);
	for (u32 i = 0; i < v->pages; i++)
		post(v, i);
	push(v, PAGE_RX, 0, v->rx_prod);
	return true;
}

bool vif_connect(struct vif *v, bool checksum, bool segments)
{
	v->checksum = checksum;
	v->segments = segments;
	v->connected = true;
	return true; /* of the pages it was given before it listened */
}

void vif_lose(struct vif *v)
{
	lose_all(v);
}

void vif_end(struct vif *v)
{
	v->gone = true;
	lose_all(v);
}
