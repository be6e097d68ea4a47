/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: xen/io/blkif.h, xen/io/ring.h; the layout of a 32-bit guest ("x86_32-abi").
 *
 * A request of the models' is sent in parts: as much of it as 11 pieces of pages hold, each
 * piece whole sectors.  Where the request's memory is not made of whole sectors, or is the
 * model's own, up to a page of it goes through the bounce page, of which there is one; such a part
 * is sent alone.  A request is in the list waiting until all of it is sent, and keeps its place
 * there: what it was asked for last is in its members piece and sectors_left.
 *
 * Kept true:
 *  - A page of the guest's is granted from when its part is put into the ring until it is
 *    answered, and done() comes after Xen has said that none of the request's pages is mapped
 *    any more.  A part of which a page is still mapped is held: neither its number nor its
 *    grants are used again before it is free.
 *  - Of an answer only the number and the status are believed: the number must be that of a
 *    part in flight, which it then is not any more, and there are no more answers than parts
 *    in flight.  Anything else ends the disk.
 *  - What is sent again is what struct blk_part and the grant table say: the ring's page,
 *    which the backend can write to, is never read but for answers.
 *  - done() is called by blk_finish() alone, so never from within blk_submit().
 */
#include "blk.h"
#include "hypercall.h"
#include "counters.h"
#include "lib/mem.h"
#include "pc/dma.h"

#include <xen/io/blkif.h>

#define RING_AT 64u /* of the first entry in the page */

struct segment {
	u32 grant;
	u8 first, last;
	u16 pad;
};

/* struct blkif_request and blkif_response, as a 32-bit guest lays them out. */
struct request {
	u8 op, segments;
	u16 handle;
	u32 id, id_high;
	u32 sector, sector_high;
	struct segment segment[BLK_SEGMENTS];
};

struct response {
	u32 id, id_high;
	u8 op, pad;
	s16 status;
};

struct ring {
	u32 req_prod, req_event, rsp_prod, rsp_event;
};

_Static_assert(sizeof(struct request) == 108, "blkif.h, 32 bits");
_Static_assert(sizeof(struct response) == 12, "blkif.h, 32 bits");
_Static_assert(RING_AT + BLK_PARTS * sizeof(struct request) <= PAGE_SIZE, "ring.h");
_Static_assert(BLK_SEGMENTS == BLKIF_MAX_SEGMENTS_PER_REQUEST, "blkif.h");

static volatile struct ring *ring_of(struct blk *b)
{
	return b->ring;
}

static volatile void *entry(struct blk *b, u32 index)
{
	return (volatile u8 *)b->ring + RING_AT + index % BLK_PARTS * sizeof(struct request);
}

static u32 free_parts(const struct blk *b)
{
	return ~(b->flying | b->held);
}

/* --- lists ---------------------------------------------------------------------------------- */

static void append(struct blk_list *list, struct disk_request *r)
{
	r->queue = NULL;
	if (list->first)
		list->last->queue = r;
	else
		list->first = r;
	list->last = r;
}

static struct disk_request *take_first(struct blk_list *list)
{
	struct disk_request *r = list->first;

	if (r)
		list->first = r->queue;
	return r;
}

static void take_out(struct blk_list *list, struct disk_request *r)
{
	struct disk_request *before = NULL;

	for (struct disk_request *i = list->first; i && i != r; i = i->queue)
		before = i;
	if (before)
		before->queue = r->queue;
	else
		list->first = r->queue;
	if (list->last == r)
		list->last = before;
}

/* --- the end of a request ------------------------------------------------------------------- */

static void end_if_over(struct blk *b, struct disk_request *r)
{
	if (!r->sectors_left && !r->in_flight)
		append(&b->ended, r);
}

/* Nothing more of the request is sent; the first reason counts. */
static void fail(struct blk *b, struct disk_request *r, enum disk_status status)
{
	if (r->status == DISK_OK)
		r->status = status;
	if (r->sectors_left)
		take_out(&b->waiting, r);
	r->sectors_left = 0;
}

void blk_finish(struct blk *b)
{
	struct disk_request *r;

	while ((r = take_first(&b->ended)))
		r->done(r, r->status);
}

/* --- grants --------------------------------------------------------------------------------- */

enum { GRANT_RING, GRANT_BOUNCE, GRANT_PARTS };

static u32 grant_of(const struct blk *b, u32 id, u32 segment)
{
	return b->part[id].bounce ? GRANT_BOUNCE : GRANT_PARTS + id * BLK_SEGMENTS + segment;
}

static bool end_grants(struct blk *b, u32 id)
{
	bool all = true;

	for (u32 i = 0; i < b->part[id].segments; i++)
		all &= grant_end(&b->grants[grant_of(b, id, i)]);
	return all;
}

/* --- memory that is not made of whole sectors ------------------------------------------------ */

/* The request's next piece, or what is left of one; false if there is none. */
static bool have_piece(struct disk_request *r)
{
	return r->piece.bytes || (r->next(r, &r->piece) && r->piece.bytes);
}

static void pass(struct disk_request *r, u32 bytes)
{
	if (r->piece.own)
		r->piece.own = (u8 *)r->piece.own + bytes;
	else
		r->piece.gpa += bytes;
	r->piece.bytes -= bytes;
}

/* Copies bytes between the request's piece and ours. */
static bool copy(struct disk_request *r, u8 *ours, u32 bytes)
{
	const struct disk_piece *p = &r->piece;

	if (p->own && r->op == DISK_READ)
		memcpy(p->own, ours, bytes);
	else if (p->own)
		memcpy(ours, p->own, bytes);
	else
		return r->op == DISK_READ ? dma_write(p->gpa, ours, bytes)
					  : dma_read(p->gpa, ours, bytes);
	return true;
}

/* Copies so many bytes between the bounce page and the request's next pieces. */
static bool copy_pieces(struct blk *b, struct disk_request *r, u32 bytes)
{
	for (u32 at = 0, n; at < bytes; at += n) {
		if (!have_piece(r))
			return false;
		n = r->piece.bytes < bytes - at ? r->piece.bytes : bytes - at;
		if (!copy(r, b->bounce + at, n))
			return false;
		pass(r, n);
	}
	return true;
}

/* --- the end of a part ------------------------------------------------------------------------ */

/* The part is over, and nobody has its pages any more. */
static void over(struct blk *b, u32 id)
{
	struct blk_part *p = &b->part[id];
	struct disk_request *r = p->request;

	if (p->bounce) {
		if (r->status == DISK_OK && r->op == DISK_READ &&
		    !copy_pieces(b, r, p->sectors * DISK_SECTOR))
			fail(b, r, DISK_MEMORY);
		b->bouncing = NULL;
	}
	r->in_flight--;
	end_if_over(b, r);
}

/* The backend is done with the part, or with all of the disk. */
static void close_part(struct blk *b, u32 id)
{
	b->flying &= ~(1u << id);
	if (end_grants(b, id)) {
		over(b, id);
		return;
	}
	b->held |= 1u << id;
	if (!b->stuck)
		blk_tell(b, BLK_STILL_MAPPED);
	b->stuck = true;
}

/* --- sending --------------------------------------------------------------------------------- */

/* Puts a part into the ring. */
static void put(struct blk *b, u32 id)
{
	const struct blk_part *p = &b->part[id];
	volatile struct request *r = entry(b, b->req_prod++);

	r->op = p->op;
	r->segments = p->segments;
	r->handle = (u16)b->handle;
	r->id = id;
	r->id_high = 0;
	r->sector = (u32)p->sector;
	r->sector_high = (u32)(p->sector >> 32);
	for (u32 i = 0; i < p->segments; i++) {
		r->segment[i].grant = b->first_grant + grant_of(b, id, i);
		r->segment[i].first = p->at[i] & 15;
		r->segment[i].last = p->at[i] >> 4;
	}
	b->flying |= 1u << id;
	COUNT(disk_part);
}

/* Shows the backend what was put since index old; must it be told? */
static bool push(struct blk *b, u32 old)
{
	volatile struct ring *ring = ring_of(b);

	if (b->req_prod == old)
		return false;
	__asm__ volatile("" ::: "memory"); /* x86 keeps stores in order */
	ring->req_prod = b->req_prod;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return b->req_prod - ring->req_event < b->req_prod - old;
}

static bool writes(const struct blk_part *p)
{
	return p->op == BLKIF_OP_WRITE;
}

/* Adds sectors at guest-physical gpa to the part; false if that is no memory. */
static bool add_segment(struct blk *b, u32 id, u64 gpa, u32 sectors)
{
	struct blk_part *p = &b->part[id];
	u32 frame, first = ((u32)gpa & (PAGE_SIZE - 1)) / DISK_SECTOR;

	if (!blk_guest_frame(gpa >> PAGE_SHIFT, &frame))
		return false;
	grant_give(&b->grants[grant_of(b, id, p->segments)], b->domain, frame, writes(p));
	p->at[p->segments++] = (u8)(first | (first + sectors - 1) << 4);
	p->sectors += sectors;
	return true;
}

/* How many whole sectors of the guest's memory come next in one page. */
static u32 next_sectors(const struct disk_request *r, u32 most)
{
	u32 room = PAGE_SIZE - ((u32)r->piece.gpa & (PAGE_SIZE - 1));
	u32 bytes = r->piece.bytes < room ? r->piece.bytes : room;

	if (r->piece.own || r->piece.gpa % DISK_SECTOR)
		return 0;
	return bytes / DISK_SECTOR < most ? bytes / DISK_SECTOR : most;
}

enum filled { FILLED, FILL_WAITS, FILL_FAILED };

static enum filled fill_bounce(struct blk *b, u32 id, struct disk_request *r)
{
	struct blk_part *p = &b->part[id];
	u32 most = PAGE_SIZE / DISK_SECTOR;

	if (b->bouncing)
		return FILL_WAITS;
	p->sectors = (u16)(r->sectors_left < most ? r->sectors_left : most);
	if (writes(p) && !copy_pieces(b, r, p->sectors * DISK_SECTOR))
		return FILL_FAILED;
	p->bounce = true;
	p->segments = 1;
	p->at[0] = (u8)((p->sectors - 1) << 4);
	b->bouncing = r;
	grant_give(&b->grants[GRANT_BOUNCE], b->domain, b->bounce_frame, writes(p));
	COUNT(disk_bounce);
	return FILLED;
}

/* Fills a part with what comes next of the request. */
static enum filled fill(struct blk *b, u32 id, struct disk_request *r)
{
	struct blk_part *p = &b->part[id];

	while (p->segments < BLK_SEGMENTS && p->sectors < r->sectors_left) {
		u32 sectors;

		if (!have_piece(r))
			return FILL_FAILED;
		sectors = next_sectors(r, r->sectors_left - p->sectors);
		if (!sectors)
			break;
		if (!add_segment(b, id, r->piece.gpa, sectors))
			return FILL_FAILED;
		pass(r, sectors * DISK_SECTOR);
	}
	return p->segments ? FILLED : fill_bounce(b, id, r);
}

static u8 op_of(const struct blk *b, const struct disk_request *r)
{
	return r->op == DISK_FLUSH   ? b->flush_op
	       : r->op == DISK_WRITE ? BLKIF_OP_WRITE
				     : BLKIF_OP_READ;
}

/* Sends the next part of the first request that waits; false if it has to wait. */
static bool send(struct blk *b)
{
	struct disk_request *r = b->waiting.first;
	u32 id = (u32)__builtin_ctz(free_parts(b));
	struct blk_part *p = &b->part[id];

	*p = (struct blk_part){.request = r,
			       .op = op_of(b, r),
			       .sector = r->sector + r->sectors - r->sectors_left};
	if (r->op == DISK_FLUSH && !b->flush_op) { /* it had one when this was submitted */
		r->sectors_left = 0;
		take_first(&b->waiting);
		end_if_over(b, r);
		return true;
	}
	if (r->op == DISK_FLUSH) {
		p->sector = 0;
		p->sectors = 1; /* one part is to be sent */
	} else {
		enum filled how = r == b->bouncing ? FILL_WAITS : fill(b, id, r);

		if (how == FILL_WAITS)
			return false;
		if (how == FILL_FAILED) { /* of what was filled nobody has been told */
			r->in_flight++;
			fail(b, r, DISK_MEMORY);
			close_part(b, id);
			return true;
		}
	}
	r->in_flight++;
	r->sectors_left -= p->sectors;
	if (!r->sectors_left)
		take_first(&b->waiting);
	put(b, id);
	return true;
}

/* Sends what waits and has room. */
static bool pump(struct blk *b)
{
	u32 old = b->req_prod;

	while (b->connected && !b->draining && b->waiting.first) {
		if (!free_parts(b)) {
			COUNT(disk_full);
			break;
		}
		if (!send(b))
			break;
	}
	return push(b, old);
}

/* Is it a request that can be carried out, and has anything to do? */
static enum disk_status check(const struct blk *b, const struct disk_request *r)
{
	if (b->gone || b->broken)
		return DISK_ABSENT;
	if (r->op != DISK_FLUSH &&
	    (r->sector > b->info.sectors || r->sectors > b->info.sectors - r->sector))
		return DISK_REFUSED;
	if (r->op == DISK_WRITE && b->info.read_only)
		return DISK_REFUSED;
	return DISK_OK;
}

bool blk_submit(struct blk *b, struct disk_request *r)
{
	r->piece = (struct disk_piece){0};
	r->in_flight = 0;
	r->status = (u8)check(b, r);
	r->sectors_left = r->op != DISK_FLUSH ? r->sectors : b->flush_op != 0;
	COUNT(disk_request);
	if (r->status != DISK_OK)
		r->sectors_left = 0;
	if (!r->sectors_left) {
		append(&b->ended, r);
		return false;
	}
	append(&b->waiting, r);
	return pump(b);
}

/* --- answers --------------------------------------------------------------------------------- */

/* Tries again to take back what is held. */
static void look_at_held(struct blk *b)
{
	for (u32 i = b->held; i; i &= i - 1) {
		u32 id = (u32)__builtin_ctz(i);

		if (end_grants(b, id)) {
			b->held &= ~(1u << id);
			over(b, id);
		}
	}
}

static void end_all(struct blk *b)
{
	b->connected = b->ready = false;
	while (b->waiting.first) {
		struct disk_request *r = b->waiting.first;

		fail(b, r, DISK_ABSENT);
		end_if_over(b, r);
	}
	for (u32 i = b->flying; i; i &= i - 1) {
		u32 id = (u32)__builtin_ctz(i);

		fail(b, b->part[id].request, DISK_ABSENT);
		close_part(b, id);
	}
	grant_end(&b->grants[GRANT_RING]);
}

static void break_off(struct blk *b)
{
	b->broken = true;
	blk_tell(b, BLK_STRANGE_ANSWER);
	end_all(b);
}

/* The first sector that is known to be bad.  The members sectors and sectors_left say no more
 * where the request is, once it has failed. */
static void tell_sector(const struct blk_part *p)
{
	struct disk_request *r = p->request;

	if (r->op != DISK_FLUSH && (r->status == DISK_OK || p->sector < r->sector))
		r->sector = p->sector;
}

static void answered(struct blk *b, u32 id, s16 status)
{
	struct blk_part *p = &b->part[id];

	if (status == BLKIF_RSP_EOPNOTSUPP && p->request->op == DISK_FLUSH) {
		b->flush_op = 0;
		b->info.flush = false;
	} else if (status != BLKIF_RSP_OKAY) {
		tell_sector(p);
		fail(b, p->request, DISK_MEDIUM);
	}
	close_part(b, id);
}

/* Takes one answer; false if there is none. */
static bool take(struct blk *b)
{
	volatile struct ring *ring = ring_of(b);
	u32 prod = ring->rsp_prod;
	struct response r;

	if (prod == b->rsp_cons) {
		ring->rsp_event = b->rsp_cons + 1;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		prod = ring->rsp_prod;
		if (prod == b->rsp_cons)
			return false;
	}
	__asm__ volatile("" ::: "memory");
	r = *(volatile struct response *)entry(b, b->rsp_cons);
	if (prod - b->rsp_cons > b->req_prod - b->rsp_cons || r.id_high || r.id >= BLK_PARTS ||
	    !(b->flying >> r.id & 1)) {
		break_off(b);
		return false;
	}
	b->rsp_cons++;
	answered(b, r.id, r.status);
	return true;
}

bool blk_take(struct blk *b)
{
	look_at_held(b);
	while (b->ready && take(b))
		;
	return pump(b);
}

/* --- the backend's coming and going ------------------------------------------------------------
 */

bool blk_prepare(struct blk *b, u16 domain)
{
	volatile struct ring *ring = ring_of(b);
	bool all = grant_end(&b->grants[GRANT_RING]);

	for (u32 i = all ? b->flying : 0; i; i &= i - 1)
		all &= end_grants(b, (u32)__builtin_ctz(i));
	if (b->gone && !b->held)
		b->gone = b->broken = b->stuck = false;
	if (!all || b->broken || b->gone)
		return false;
	memset((void *)b->ring, 0, PAGE_SIZE);
	ring->req_event = ring->rsp_event = 1;
	b->req_prod = b->rsp_cons = 0;
	b->domain = domain;
	b->connected = b->draining = false;
	b->ready = true;
	grant_give(&b->grants[GRANT_RING], domain, b->ring_frame, false);
	return true;
}

/* Grants the pages of a part in flight, whose frames are still in their entries, and sends
 * it. */
static void send_again(struct blk *b, u32 id)
{
	struct blk_part *p = &b->part[id];

	for (u32 i = 0; i < p->segments; i++) {
		volatile struct grant *g = &b->grants[grant_of(b, id, i)];

		grant_give(g, b->domain, g->frame, writes(p));
	}
	if (p->request->op == DISK_FLUSH) {
		p->op = b->flush_op;
		if (!p->op) {
			close_part(b, id);
			return;
		}
	}
	put(b, id);
	COUNT(disk_again);
}

bool blk_connect(struct blk *b, const struct disk_info *info, u8 flush_op)
{
	bool tell;

	b->info = *info;
	b->flush_op = flush_op;
	b->connected = true;
	for (u32 i = b->flying; i; i &= i - 1)
		send_again(b, (u32)__builtin_ctz(i));
	tell = push(b, 0);
	return pump(b) || tell;
}

bool blk_drain(struct blk *b)
{
	b->draining = true;
	return !b->flying;
}

void blk_lose(struct blk *b)
{
	b->connected = false;
}

void blk_keep(struct blk *b)
{
	for (u32 i = 0; i < BLK_GRANTS; i++)
		b->frame[i] = b->grants[i].frame;
}

void blk_kept(struct blk *b)
{
	for (u32 i = 0; i < BLK_GRANTS; i++) {
		b->grants[i].flags = 0;
		b->grants[i].frame = b->frame[i];
	}
	b->connected = b->ready = false;
	look_at_held(b);
}

void blk_end(struct blk *b)
{
	b->gone = true;
	b->info = (struct disk_info){0};
	end_all(b);
}
