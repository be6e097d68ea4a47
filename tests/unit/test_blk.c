/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A disk's front end against a backend that is played here: one that serves, in any order
 * and with interruptions; one that fails; and one that answers what cannot be.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "xen.h"
#include "pc/dma.h"
#include "xenbind/blk.h"

#define GTF_permit 1u
#define GTF_readonly 4u
#define GTF_reading 8u
#define GTF_writing 16u

#define PAGES 512u    /* of the guest's */
#define HOLE 500u     /* one without memory */
#define FRAME 0x7000u /* the frame of page 0 */
#define RING_FRAME 0x100u
#define BOUNCE_FRAME 0x101u
#define FIRST 50u
#define SECTORS 2048u

static u8 memory[PAGES][4096], disk[SECTORS][512], image[SECTORS][512];
static u8 ring_page[4096] __attribute__((aligned(4096))), bounce_page[4096];
static struct grant table[FIRST + BLK_GRANTS];
static struct blk b;
static enum blk_news news;
static unsigned told;

/* --- the front end's owner ----------------------------------------------------------------- */

bool blk_guest_frame(u64 gpfn, u32 *frame)
{
	*frame = FRAME + (u32)gpfn;
	return gpfn < PAGES && gpfn != HOLE;
}

void blk_tell(const struct blk *which, enum blk_news what)
{
	assert_ptr_equal(which, &b);
	news = what;
	told++;
}

static u8 *guest_byte(u64 gpa)
{
	return gpa / 4096 >= PAGES || gpa / 4096 == HOLE ? NULL : &memory[gpa / 4096][gpa % 4096];
}

bool dma_read(u64 gpa, void *to, u32 bytes)
{
	for (u32 i = 0; i < bytes; i++) {
		if (!guest_byte(gpa + i))
			return false;
		((u8 *)to)[i] = *guest_byte(gpa + i);
	}
	return true;
}

bool dma_write(u64 gpa, const void *from, u32 bytes)
{
	for (u32 i = 0; i < bytes; i++) {
		if (!guest_byte(gpa + i))
			return false;
		*guest_byte(gpa + i) = ((const u8 *)from)[i];
	}
	return true;
}

/* --- requests ------------------------------------------------------------------------------ */

#define PIECES 64u

struct command {
	struct disk_request r; /* first */
	struct disk_piece piece[PIECES];
	u32 pieces, given;
	u32 dones;
	int status;
	struct command *then; /* submitted by done() */
};

static bool submitting;

static bool next_piece(struct disk_request *r, struct disk_piece *p)
{
	struct command *c = (struct command *)r;

	if (c->given == c->pieces)
		return false;
	*p = c->piece[c->given++];
	return true;
}

static bool submit(struct command *c)
{
	bool tell;

	submitting = true;
	tell = blk_submit(&b, &c->r);
	submitting = false;
	return tell;
}

static void is_done(struct disk_request *r, enum disk_status status)
{
	struct command *c = (struct command *)r;

	assert_false(submitting);
	c->dones++;
	c->status = status;
	/* Nobody may touch its memory any more. */
	for (u32 i = 0; i < c->pieces; i++)
		for (u64 page = c->piece[i].gpa / 4096;
		     page <= (c->piece[i].gpa + c->piece[i].bytes - 1) / 4096; page++)
			for (u32 g = 0; g < BLK_GRANTS; g++)
				assert_false(table[FIRST + g].flags &&
					     table[FIRST + g].frame == FRAME + page);
	if (c->then)
		submit(c->then);
}

static void plainly_done(struct disk_request *r, enum disk_status status)
{
	struct command *c = (struct command *)r;

	c->dones++;
	c->status = status;
}

static void make(struct command *c, enum disk_op op, u64 sector, u32 sectors)
{
	*c = (struct command){.status = -1};
	c->r = (struct disk_request){.op = (u8)op,
				     .sector = sector,
				     .sectors = sectors,
				     .next = next_piece,
				     .done = is_done};
}

static void add(struct command *c, u64 gpa, u32 bytes)
{
	assert_true(c->pieces < PIECES);
	c->piece[c->pieces++] = (struct disk_piece){.gpa = gpa, .bytes = bytes};
}

/* --- the backend ---------------------------------------------------------------------------- */

struct wire_request { /* of the 32-bit ABI */
	u8 op, segments;
	u16 handle;
	u32 id[2];
	u32 sector[2];
	struct {
		u32 grant;
		u8 first, last;
		u16 pad;
	} segment[11];
} packed;

struct wire_response {
	u32 id[2];
	u8 op, pad;
	s16 status;
} packed;

static struct {
	u32 req_cons, rsp_prod;
	struct wire_request taken[32];
	u32 count;
	bool map; /* its mappings show in the grant table while it has a request */
} back;

static u32 *index_of(u32 n) /* req_prod, req_event, rsp_prod, rsp_event */
{
	return &((u32 *)ring_page)[n];
}

static struct grant *granted(u32 ref, u32 frame, bool write)
{
	struct grant *g = &table[ref];

	assert_true(ref >= FIRST && ref < FIRST + BLK_GRANTS);
	assert_true(g->flags & GTF_permit);
	assert_int_equal(g->domain, 3);
	assert_true(!write || !(g->flags & GTF_readonly));
	if (frame)
		assert_int_equal(g->frame, frame);
	return g;
}

/* A connection as blkback makes it. */
static void attach(void)
{
	granted(FIRST, RING_FRAME, true);
	back.count = 0;
	back.req_cons = back.rsp_prod = *index_of(2);
}

static u8 *frame_page(u32 frame)
{
	if (frame == BOUNCE_FRAME)
		return bounce_page;
	assert_true(frame >= FRAME && frame < FRAME + PAGES && frame != FRAME + HOLE);
	return memory[frame - FRAME];
}

/* Takes the requests that are in the ring. */
static void fetch(void)
{
	assert_true(*index_of(0) - back.rsp_prod <= 32);
	while (back.req_cons != *index_of(0)) {
		struct wire_request *r = &back.taken[back.count++];

		memcpy(r, ring_page + 64 + back.req_cons++ % 32 * 108, sizeof(*r));
		for (u32 i = 0; back.map && i < r->segments; i++)
			granted(r->segment[i].grant, 0, r->op == 0)->flags |= GTF_reading;
	}
	*index_of(1) = back.req_cons + 1;
}

static void respond(u32 id, u32 id_high, s16 status)
{
	struct wire_response r = {{id, id_high}, 0, 0, status};

	memcpy(ring_page + 64 + back.rsp_prod++ % 32 * 108, &r, sizeof(r));
	*index_of(2) = back.rsp_prod;
}

static void transfer(const struct wire_request *r)
{
	u64 sector = r->sector[0] | (u64)r->sector[1] << 32;

	for (u32 i = 0; i < r->segments; i++) {
		struct grant *g = granted(r->segment[i].grant, 0, r->op == 0);
		u32 first = r->segment[i].first, last = r->segment[i].last;
		u8 *at = frame_page(g->frame) + first * 512;

		assert_true(first <= last && last < 8);
		assert_true(sector + last - first < SECTORS);
		if (r->op == 0)
			memcpy(at, disk[sector], (last - first + 1) * 512);
		else
			memcpy(disk[sector], at, (last - first + 1) * 512);
		sector += last - first + 1;
		g->flags &= (u16) ~(GTF_reading | GTF_writing);
	}
}

/* Serves one of the requests that it has. */
static void serve(u32 which, s16 status)
{
	struct wire_request r = back.taken[which];

	assert_int_equal(r.handle, 2048);
	if (r.op <= 1)
		transfer(&r);
	back.taken[which] = back.taken[--back.count];
	respond(r.id[0], r.id[1], status);
}

/* What the owner does at an event. */
static bool event(void)
{
	bool tell = blk_take(&b);

	blk_finish(&b);
	return tell;
}

/* Everything, in order. */
static void serve_all(void)
{
	for (fetch(); back.count; fetch()) {
		while (back.count)
			serve(0, 0);
		event();
	}
}

static const struct disk_info INFO = {.sectors = SECTORS, .flush = true, .vdev = 2048};

static int start(void **state)
{
	(void)state;
	mmap((void *)WIN_COUNTERS, 4096, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	memset(table, 0, sizeof(table));
	memset(memory, 0, sizeof(memory));
	memset(&back, 0, sizeof(back));
	for (u32 i = 0; i < sizeof(disk); i++)
		disk[i / 512][i % 512] = (u8)(i * 7 + (i >> 9) * 13);
	memcpy(image, disk, sizeof(disk));
	told = 0;
	b = (struct blk){.ring = ring_page,
			 .ring_frame = RING_FRAME,
			 .bounce = bounce_page,
			 .bounce_frame = BOUNCE_FRAME,
			 .grants = table + FIRST,
			 .first_grant = FIRST,
			 .handle = 2048};
	assert_true(blk_prepare(&b, 3));
	attach();
	assert_false(blk_connect(&b, &INFO, 3));
	return 0;
}

static void expect(const struct command *c, int status)
{
	assert_int_equal(c->dones, 1);
	assert_int_equal(c->status, status);
}

/* Is nothing granted but the ring? */
static bool all_is_back(void)
{
	for (u32 g = 1; g < BLK_GRANTS; g++)
		if (table[FIRST + g].flags)
			return false;
	return true;
}

/* --- what it must do ------------------------------------------------------------------------- */

static void the_ring_is_granted_and_empty(void **state)
{
	(void)state;
	assert_int_equal(table[FIRST].flags, GTF_permit);
	assert_int_equal(table[FIRST].frame, RING_FRAME);
	assert_int_equal(*index_of(0), 0);
	assert_int_equal(*index_of(1), 1);
	assert_int_equal(*index_of(3), 1);
}

static void a_request_of_pages_goes_straight_to_them(void **state)
{
	struct command c;

	(void)state;
	make(&c, DISK_READ, 5, 3 + 8 + 2);
	add(&c, 10 * 4096 + 5 * 512, 3 * 512);
	add(&c, 20 * 4096, 4096);
	add(&c, 30 * 4096, 1024);
	assert_true(submit(&c));
	fetch();
	assert_int_equal(back.count, 1);
	assert_int_equal(back.taken[0].op, 0);
	assert_int_equal(back.taken[0].segments, 3);
	assert_int_equal(back.taken[0].sector[0], 5);
	assert_int_equal(back.taken[0].segment[0].first, 5);
	assert_int_equal(back.taken[0].segment[0].last, 7);
	assert_int_equal(back.taken[0].segment[2].last, 1);
	granted(back.taken[0].segment[1].grant, FRAME + 20, true);
	serve(0, 0);
	assert_int_equal(c.dones, 0);
	assert_false(event());
	expect(&c, DISK_OK);
	assert_memory_equal(&memory[10][5 * 512], disk[5], 3 * 512);
	assert_memory_equal(memory[20], disk[8], 4096);
	assert_memory_equal(memory[30], disk[16], 1024);
	assert_true(all_is_back());
}

static void memory_that_is_written_is_granted_read_only(void **state)
{
	struct command c;

	(void)state;
	make(&c, DISK_WRITE, 0, 8);
	add(&c, 4096, 4096);
	submit(&c);
	fetch();
	assert_int_equal(table[back.taken[0].segment[0].grant].flags, GTF_permit | GTF_readonly);
	serve_all();
	expect(&c, DISK_OK);
}

/* Longer than the ring: 32 parts of 11 pages are under way, and the last follows. */
static void a_long_request_keeps_its_place(void **state)
{
	struct command c, d;

	(void)state;
	make(&c, DISK_READ, 0, 60 * 34);
	for (u32 i = 0; i < 60; i++)
		add(&c, i * 5 * 4096 + 7 * 512, 34 * 512); /* on six pages */
	make(&d, DISK_READ, 7, 1);
	add(&d, 400 * 4096, 512);
	submit(&c);
	submit(&d);
	fetch();
	assert_int_equal(back.count, 32);
	serve(0, 0);
	event();
	fetch();
	assert_int_equal(back.count, 32);
	assert_int_equal(c.r.sectors_left, 0);
	assert_int_equal(d.r.sectors_left, 1); /* it is behind it */
	serve_all();
	expect(&c, DISK_OK);
	expect(&d, DISK_OK);
	for (u32 i = 0; i < 60; i++)
		assert_memory_equal(memory[0] + i * 5 * 4096 + 7 * 512, disk[i * 34], 34 * 512);
	assert_true(all_is_back());
}

static void a_full_ring_is_waited_for(void **state)
{
	struct command c[40];

	(void)state;
	for (u32 i = 0; i < 40; i++) {
		make(&c[i], DISK_READ, i * 8, 8);
		add(&c[i], i * 4096, 4096);
		submit(&c[i]);
	}
	fetch();
	assert_int_equal(back.count, 32);
	serve(31, 0);
	assert_true(event());
	fetch();
	assert_int_equal(back.count, 32);
	assert_int_equal(back.taken[31].sector[0], 32 * 8);
	serve_all();
	for (u32 i = 0; i < 40; i++) {
		expect(&c[i], DISK_OK);
		assert_memory_equal(memory[i], disk[i * 8], 4096);
	}
}

/* The backend is told only if it asks to be. */
static void a_backend_that_is_awake_is_not_told(void **state)
{
	struct command c[3];

	(void)state;
	for (u32 i = 0; i < 3; i++) {
		make(&c[i], DISK_READ, 0, 1);
		add(&c[i], i * 4096, 512);
	}
	assert_true(submit(&c[0]));
	assert_false(submit(&c[1])); /* req_event is still 1 */
	fetch();
	assert_true(submit(&c[2]));
	serve_all();
}

/* Pieces of any length at any address go through the bounce page. */
static void odd_memory_is_copied(void **state)
{
	struct command c;

	(void)state;
	for (enum disk_op op = DISK_READ; op <= DISK_WRITE; op++) {
		start(NULL);
		make(&c, op, 100, 24);
		add(&c, 4096 + 2, 1022);      /* odd address */
		add(&c, 3 * 4096 - 100, 514); /* over the page's end */
		add(&c, 5 * 4096, 2048);      /* even, but behind odd ones */
		add(&c, 9 * 4096 + 1, 24 * 512 - 1022 - 514 - 2048);
		for (u32 i = 0; op == DISK_WRITE && i < sizeof(memory); i++)
			memory[i / 4096][i % 4096] = (u8)(i * 11 + i / 251);
		submit(&c);
		serve_all();
		expect(&c, DISK_OK);
		for (u32 i = 0, at = 0; i < c.pieces; at += c.piece[i++].bytes)
			assert_memory_equal(memory[0] + c.piece[i].gpa, disk[100] + at,
					    c.piece[i].bytes);
		assert_true(all_is_back());
	}
}

/* A model that moves data through a register has them in memory of its own. */
static void memory_of_the_models_own_is_copied(void **state)
{
	u8 own[3 * 512 + 1];

	(void)state;
	for (enum disk_op op = DISK_READ; op <= DISK_WRITE; op++) {
		struct command c;

		memset(own, 0x11, sizeof(own));
		make(&c, op, 100, 4);
		c.piece[0] = (struct disk_piece){.own = own, .bytes = 512};
		c.piece[1] = (struct disk_piece){.own = own + 512, .bytes = 1024};
		c.piece[2] = (struct disk_piece){.gpa = 4096, .bytes = 512};
		c.pieces = 3;
		c.r.done = plainly_done;
		submit(&c);
		serve_all();
		expect(&c, DISK_OK);
		assert_memory_equal(own, disk[100], 3 * 512);
		assert_memory_equal(memory[1], disk[103], 512);
		assert_int_equal(own[3 * 512], 0x11);
	}
}

static void one_odd_request_has_the_bounce_page(void **state)
{
	struct command c, d;

	(void)state;
	make(&c, DISK_READ, 0, 1);
	add(&c, 1, 512);
	make(&d, DISK_READ, 1, 1);
	add(&d, 4096 + 1, 512);
	submit(&c);
	submit(&d);
	fetch();
	assert_int_equal(back.count, 1);
	serve_all();
	expect(&c, DISK_OK);
	expect(&d, DISK_OK);
	assert_memory_equal(&memory[0][1], disk[0], 512);
	assert_memory_equal(&memory[1][1], disk[1], 512);
}

static void a_flush_is_what_the_backend_has(void **state)
{
	static const u8 ops[] = {3, 2, 0};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(ops); i++) {
		struct command c;

		start(NULL);
		b.flush_op = ops[i];
		make(&c, DISK_FLUSH, 0, 0);
		submit(&c);
		fetch();
		assert_int_equal(back.count, ops[i] != 0);
		if (ops[i]) {
			assert_int_equal(back.taken[0].op, ops[i]);
			assert_int_equal(back.taken[0].segments, 0);
			assert_int_equal(c.dones, 0);
		}
		serve_all();
		blk_finish(&b);
		expect(&c, DISK_OK);
	}
}

/* A backend may offer what its disk then has not. */
static void a_flush_that_is_not_supported_is_none(void **state)
{
	struct command c[40];

	(void)state;
	for (u32 i = 0; i < 40; i++) {
		make(&c[i], DISK_FLUSH, 0, 0);
		submit(&c[i]);
	}
	fetch();
	serve(0, -2);
	event();
	assert_false(b.info.flush);
	serve_all();
	for (u32 i = 0; i < 40; i++)
		expect(&c[i], DISK_OK);
}

static void what_cannot_be_is_refused(void **state)
{
	static const struct {
		enum disk_op op;
		u64 sector;
		u32 sectors;
		int status;
	} cases[] = {
		{DISK_READ, SECTORS, 1, DISK_REFUSED},
		{DISK_READ, SECTORS - 1, 2, DISK_REFUSED},
		{DISK_READ, ~(u64)0, 2, DISK_REFUSED},
		{DISK_READ, 0, ~0u, DISK_REFUSED},
		{DISK_READ, SECTORS, 0, DISK_OK},
		{DISK_WRITE, 0, 1, DISK_REFUSED}, /* the disk is read-only */
		{DISK_FLUSH, 0, 0, DISK_OK},
	};

	(void)state;
	b.info.read_only = true;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct command c;

		make(&c, cases[i].op, cases[i].sector, cases[i].sectors);
		add(&c, 0, 512);
		submit(&c);
		assert_int_equal(c.dones, 0);
		blk_finish(&b);
		serve_all();
		expect(&c, cases[i].status);
	}
	assert_memory_equal(disk, image, sizeof(disk));
}

static void memory_that_is_none_ends_a_request(void **state)
{
	(void)state;
	for (u32 kind = 0; kind < 6; kind++) {
		struct command c;

		start(NULL);
		make(&c, kind & 1 ? DISK_WRITE : DISK_READ, 0, 200);
		add(&c, 0, 95 * 512); /* 12 pages: the first part is sent */
		if (kind < 2)
			add(&c, HOLE * 4096, 200 * 512);
		else if (kind < 4)
			add(&c, HOLE * 4096 - 1, 200 * 512); /* odd */
		submit(&c);
		serve_all();
		blk_finish(&b);
		expect(&c, DISK_MEMORY);
		assert_true(all_is_back());
		assert_int_equal(b.flying | b.held, 0);
		assert_null(b.bouncing);
	}
}

static void a_piece_of_nothing_is_no_piece(void **state)
{
	struct command c;

	(void)state;
	make(&c, DISK_READ, 0, 2);
	add(&c, 0, 512);
	add(&c, 512, 0);
	submit(&c);
	serve_all();
	blk_finish(&b);
	expect(&c, DISK_MEMORY);
}

/* All parts are back before it is told. */
static void an_error_is_told_when_all_parts_are_back(void **state)
{
	struct command c;

	(void)state;
	make(&c, DISK_READ, 0, 1000);
	add(&c, 0, 1000 * 512);
	submit(&c);
	fetch();
	assert_int_equal(back.taken[3].sector[0], 264);
	serve(3, -1);
	event();
	assert_int_equal(c.dones, 0);
	for (u32 i = 0; i < back.count; i++)
		if (back.taken[i].sector[0] == 88)
			serve(i, -1);
	serve_all();
	expect(&c, DISK_MEDIUM);
	assert_int_equal(c.r.sector, 88); /* the first one that is bad */
	assert_true(all_is_back());
}

/* One that is in error sends no more of itself, and lets others pass. */
static void a_request_in_error_is_not_sent_any_further(void **state)
{
	struct command c[33];

	(void)state;
	make(&c[0], DISK_READ, 0, 2000);
	for (u32 i = 0; i < 50; i++) /* 3 sectors a page: more than a ring full */
		add(&c[0], i * 4096, 512);
	c[0].r.sectors = 50;
	make(&c[1], DISK_READ, 0, 1);
	add(&c[1], 100 * 4096, 512);
	for (u32 i = 2; i < 33; i++) {
		make(&c[i], DISK_READ, 0, 1);
		add(&c[i], (100 + i) * 4096, 512);
		submit(&c[i]);
	}
	submit(&c[0]);
	submit(&c[1]);
	fetch();
	assert_int_equal(back.count, 32);
	serve(31, -1); /* the first part of c[0] */
	event();
	expect(&c[0], DISK_MEDIUM);
	fetch();
	assert_int_equal(back.taken[31].segments, 1); /* c[1] */
	serve_all();
	expect(&c[1], DISK_OK);
}

static void done_may_submit_the_next(void **state)
{
	struct command c, d, e;

	(void)state;
	make(&c, DISK_READ, 0, 1);
	add(&c, 0, 512);
	make(&d, DISK_READ, SECTORS, 1); /* ends at once */
	make(&e, DISK_READ, 3, 1);
	add(&e, 4096, 512);
	c.then = &d;
	d.then = &e;
	submit(&c);
	serve_all();
	expect(&c, DISK_OK);
	expect(&d, DISK_REFUSED);
	expect(&e, DISK_OK);
}

/* --- a backend that goes and comes -------------------------------------------------------------
 */

static void what_is_in_flight_is_sent_again(void **state)
{
	struct command c[3], late;

	(void)state;
	make(&c[0], DISK_WRITE, 8, 8);
	add(&c[0], 4096, 4096);
	make(&c[1], DISK_READ, 100, 8);
	add(&c[1], 2 * 4096 + 2, 4096); /* by the bounce page */
	make(&c[2], DISK_FLUSH, 0, 0);
	make(&late, DISK_READ, 50, 8);
	add(&late, 5 * 4096, 4096);
	memset(memory[1], 0x5A, 4096);
	for (u32 i = 0; i < 3; i++)
		submit(&c[i]);
	fetch();
	assert_int_equal(back.count, 3);
	blk_lose(&b);
	memset(ring_page, 0xEE, sizeof(ring_page)); /* it may have left anything */
	assert_false(submit(&late));
	table[FIRST].flags |= GTF_writing; /* not all of it is gone yet */
	assert_false(blk_prepare(&b, 3));
	table[FIRST].flags &= (u16)~GTF_writing;
	assert_true(blk_prepare(&b, 3));
	attach();
	assert_true(blk_connect(&b, &INFO, 2));
	fetch();
	assert_int_equal(back.count, 4);
	assert_int_equal(back.taken[2].op, 2); /* a flush is what this one has */
	serve_all();
	for (u32 i = 0; i < 3; i++)
		expect(&c[i], DISK_OK);
	expect(&late, DISK_OK);
	assert_memory_equal(disk[8], memory[1], 4096);
	assert_memory_equal(&memory[2][2], disk[100], 4096);
}

/* The domain is restored: the grant table is a new one, of ones or zeros, and nobody maps what an
 * earlier backend had mapped. */
static void what_is_in_flight_outlives_the_grant_table(void **state)
{
	struct command read, write;

	(void)state;
	make(&write, DISK_WRITE, 8, 8);
	add(&write, 4096, 4096);
	make(&read, DISK_READ, 100, 8);
	add(&read, 2 * 4096 + 2, 4096); /* by the bounce page */
	memset(memory[1], 0x5A, 4096);
	submit(&write);
	submit(&read);
	fetch();
	table[FIRST].flags |= GTF_writing;
	table[FIRST + 2].flags |= GTF_reading;
	blk_keep(&b);
	memset(table, 0xFF, sizeof(table));
	blk_kept(&b);
	assert_false(b.connected || b.ready);
	for (u32 g = 0; g < BLK_GRANTS; g++)
		assert_int_equal(table[FIRST + g].flags, 0);
	assert_true(blk_prepare(&b, 3));
	attach();
	assert_true(blk_connect(&b, &INFO, 2));
	serve_all();
	expect(&write, DISK_OK);
	expect(&read, DISK_OK);
	assert_memory_equal(disk[8], memory[1], 4096);
	assert_memory_equal(&memory[2][2], disk[100], 4096);
}

/* One that was answered, but whose page the old backend kept, has ended. */
static void a_page_that_was_held_is_free_in_a_new_domain(void **state)
{
	struct command c;

	(void)state;
	make(&c, DISK_READ, 0, 8);
	add(&c, 4096, 4096);
	submit(&c);
	fetch();
	serve(0, 0);
	table[FIRST + 2].flags |= GTF_writing;
	event();
	assert_int_equal(c.dones, 0);
	assert_int_not_equal(b.held, 0);
	blk_keep(&b);
	memset(table, 0, sizeof(table));
	blk_kept(&b);
	assert_int_equal(b.held, 0);
	blk_finish(&b);
	expect(&c, DISK_OK);
}

static void a_flush_in_flight_ends_if_the_next_backend_has_none(void **state)
{
	struct command c;

	(void)state;
	make(&c, DISK_FLUSH, 0, 0);
	submit(&c);
	fetch();
	blk_lose(&b);
	assert_true(blk_prepare(&b, 3));
	attach();
	blk_connect(&b, &INFO, 0);
	blk_finish(&b);
	expect(&c, DISK_OK);
	assert_int_equal(b.flying, 0);
}

/* Another domain serves it from now on. */
static void another_backend_gets_grants_of_its_own(void **state)
{
	struct command c;

	(void)state;
	make(&c, DISK_READ, 0, 8);
	add(&c, 4096, 4096);
	submit(&c);
	blk_lose(&b);
	assert_true(blk_prepare(&b, 5));
	blk_connect(&b, &INFO, 0);
	for (u32 g = 0; g < BLK_GRANTS; g++)
		if (table[FIRST + g].flags)
			assert_int_equal(table[FIRST + g].domain, 5);
}

static void a_page_that_the_last_backend_has_is_waited_for(void **state)
{
	struct command c;
	struct grant *g;

	(void)state;
	make(&c, DISK_READ, 0, 8);
	add(&c, 4096, 4096);
	submit(&c);
	fetch();
	g = granted(back.taken[0].segment[0].grant, FRAME + 1, true);
	g->flags |= GTF_writing;
	blk_lose(&b);
	assert_false(blk_prepare(&b, 3));
	g->flags &= (u16)~GTF_writing;
	assert_true(blk_prepare(&b, 3));
}

static void a_backend_that_closes_gets_nothing_new(void **state)
{
	struct command c, d;

	(void)state;
	make(&c, DISK_READ, 0, 8);
	add(&c, 4096, 4096);
	make(&d, DISK_READ, 8, 8);
	add(&d, 2 * 4096, 4096);
	submit(&c);
	assert_false(blk_drain(&b));
	submit(&d);
	serve_all();
	expect(&c, DISK_OK);
	assert_int_equal(d.dones, 0);
	assert_true(blk_drain(&b));
	blk_lose(&b);
	assert_true(blk_prepare(&b, 3));
	attach();
	blk_connect(&b, &INFO, 3);
	serve_all();
	expect(&d, DISK_OK);
}

static void without_a_disk_all_ends(void **state)
{
	struct command c[40], after;

	(void)state;
	for (u32 i = 0; i < 40; i++) {
		make(&c[i], DISK_WRITE, i, 1);
		add(&c[i], i * 4096, 512);
		submit(&c[i]);
	}
	fetch();
	blk_end(&b);
	blk_finish(&b);
	for (u32 i = 0; i < 40; i++)
		expect(&c[i], DISK_ABSENT);
	assert_true(all_is_back());
	assert_int_equal(table[FIRST].flags, 0);
	make(&after, DISK_FLUSH, 0, 0);
	submit(&after);
	blk_finish(&b);
	expect(&after, DISK_ABSENT);
	/* Another one may come to its place. */
	assert_true(blk_prepare(&b, 3));
	attach();
	blk_connect(&b, &INFO, 3);
	make(&after, DISK_READ, 0, 1);
	add(&after, 0, 512);
	submit(&after);
	serve_all();
	expect(&after, DISK_OK);
}

/* --- a backend that is not to be trusted ---------------------------------------------------------
 */

/* It answers, but has a page of the guest's still mapped. */
static void a_page_that_is_kept_is_never_reused(void **state)
{
	struct command c, d[40];
	struct grant *g;
	u32 ref;

	(void)state;
	make(&c, DISK_READ, 0, 16);
	add(&c, 4096, 8192);
	submit(&c);
	fetch();
	ref = back.taken[0].segment[1].grant;
	serve(0, 0);
	g = granted(ref, FRAME + 2, true);
	g->flags |= GTF_writing;
	event();
	assert_int_equal(c.dones, 0);
	assert_int_equal(told, 1);
	assert_int_equal(news, BLK_STILL_MAPPED);
	for (u32 i = 0; i < 40; i++) {
		make(&d[i], DISK_READ, i, 1);
		add(&d[i], (10 + i) * 4096, 512);
		submit(&d[i]);
	}
	fetch();
	assert_int_equal(back.count, 31);
	serve_all();
	for (u32 i = 0; i < 40; i++)
		expect(&d[i], DISK_OK);
	assert_int_equal(c.dones, 0);
	assert_int_equal(g->frame, FRAME + 2);
	assert_int_equal(told, 1);
	g->flags &= (u16)~GTF_writing;
	event();
	expect(&c, DISK_OK);
	assert_int_equal(b.held, 0);
}

static void a_disk_that_ends_waits_for_its_pages(void **state)
{
	struct command c;
	struct grant *g;

	(void)state;
	make(&c, DISK_READ, 0, 8);
	add(&c, 4096, 4096);
	submit(&c);
	fetch();
	g = granted(back.taken[0].segment[0].grant, FRAME + 1, true);
	g->flags |= GTF_reading;
	blk_end(&b);
	blk_finish(&b);
	assert_int_equal(c.dones, 0);
	assert_false(blk_prepare(&b, 3));
	g->flags &= (u16)~GTF_reading;
	event();
	expect(&c, DISK_ABSENT);
	assert_true(blk_prepare(&b, 3));
}

static void wrong_id(void)
{
	respond(32, 0, 0);
}

static void huge_id(void)
{
	respond(0xFFFFFFFF, 0, 0);
}

static void high_id(void)
{
	respond(back.taken[0].id[0], 1, 0);
}

static void unused_id(void)
{
	respond(31, 0, 0);
}

static void twice(void)
{
	u32 id = back.taken[0].id[0];

	serve(0, 0);
	respond(id, 0, 0);
}

static void jump(void)
{
	*index_of(2) += 1000;
}

static void backwards(void)
{
	*index_of(2) -= 1;
}

static void one_too_many(void)
{
	serve(0, 0);
	*index_of(2) += 2;
}

/* The disk ends, each request once, and nothing is written to anybody's memory but by what
 * was asked for. */
static void an_answer_that_cannot_be_ends_the_disk(void **state)
{
	static void (*const lies[])(void) = {wrong_id, huge_id, high_id,   unused_id,
					     twice,    jump,	backwards, one_too_many};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(lies); i++) {
		struct command c, d;

		start(NULL);
		make(&c, DISK_READ, 0, 8);
		add(&c, 4096, 4096);
		make(&d, DISK_READ, 8, 9);
		add(&d, 2 * 4096 + 1, 9 * 512);
		submit(&c);
		submit(&d);
		fetch();
		lies[i]();
		event();
		assert_int_equal(told, 1);
		assert_int_equal(news, BLK_STRANGE_ANSWER);
		assert_int_equal(c.dones, 1);
		expect(&d, DISK_ABSENT);
		assert_true(all_is_back());
		assert_false(blk_prepare(&b, 3)); /* for good */
		event();
		assert_int_equal(told, 1);
		for (u32 at = 0; at < 4096; at++)
			assert_int_equal(memory[3][at], 0);
		/* until it is taken away */
		blk_end(&b);
		assert_true(blk_prepare(&b, 3));
	}
}

/* Our own indices are kept, not read from the ring; nor is a request. */
static void what_is_in_the_ring_is_not_believed(void **state)
{
	struct command c, d;

	(void)state;
	make(&c, DISK_WRITE, 8, 8);
	add(&c, 4096, 4096);
	make(&d, DISK_READ, 16, 8);
	add(&d, 2 * 4096, 4096);
	submit(&c);
	fetch();
	*index_of(0) = 77;
	memset(ring_page + 64, 0xFF, 108);
	submit(&d);
	assert_int_equal(*index_of(0), 2);
	back.req_cons = 1;
	serve_all();
	expect(&c, DISK_OK);
	expect(&d, DISK_OK);
}

/* --- chance
 * --------------------------------------------------------------------------------------- */

static u32 pick(u32 n)
{
	return (u32)(rand() >> 4) % n;
}

/* A command with memory of its own (pages from n * 16 on) and sectors of its own. */
static void random_command(struct command *c, u32 n)
{
	u32 sectors = 1 + pick(100), left = sectors * 512;
	u64 gpa = n * 16 * 4096 + (pick(2) ? pick(512) : 512 * pick(4));

	make(c, pick(2), n * 128, sectors);
	while (left) {
		u32 bytes = c->pieces == PIECES - 1 ? left
			    : pick(3)		    ? 512 * (1 + pick(20))
						    : 1 + pick(3000);

		bytes = bytes < left ? bytes : left;
		add(c, gpa, bytes);
		gpa += bytes;
		left -= bytes;
	}
	for (u32 i = 0; i < c->pieces; i++)
		for (u32 at = 0; c->r.op == DISK_WRITE && at < c->piece[i].bytes; at++)
			*guest_byte(c->piece[i].gpa + at) = (u8)rand();
}

static bool same_data(const struct command *c)
{
	u32 at = 0;

	for (u32 i = 0; i < c->pieces; at += c->piece[i++].bytes)
		if (memcmp(guest_byte(c->piece[i].gpa), disk[c->r.sector] + at, c->piece[i].bytes))
			return false;
	return true;
}

static void come_back(void)
{
	blk_lose(&b);
	for (u32 g = 0; g < BLK_GRANTS; g++)
		table[FIRST + g].flags &= (u16) ~(GTF_reading | GTF_writing);
	assert_true(blk_prepare(&b, 3));
	attach();
	blk_connect(&b, &INFO, 3);
}

static void random_requests_arrive(void **state)
{
	enum { COMMANDS = 16 };
	static struct command c[COMMANDS];

	(void)state;
	srand(1);
	for (u32 round = 0; round < 600; round++) {
		u32 open = 0, sent = 0;

		if (round % 100 == 0)
			start(NULL);
		back.map = pick(2);
		while (sent < COMMANDS || open) {
			if (sent < COMMANDS && pick(2)) {
				random_command(&c[sent], sent);
				submit(&c[sent++]);
			}
			if (pick(2))
				fetch();
			while (back.count && pick(4))
				serve(pick(back.count), 0);
			if (pick(40) == 0)
				come_back();
			if (pick(3))
				event();
			open = 0;
			for (u32 i = 0; i < sent; i++)
				open += !c[i].dones;
		}
		for (u32 i = 0; i < COMMANDS; i++) {
			expect(&c[i], DISK_OK);
			assert_true(same_data(&c[i]));
		}
		assert_true(all_is_back());
	}
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_ring_is_granted_and_empty, start),
		cmocka_unit_test_setup(a_request_of_pages_goes_straight_to_them, start),
		cmocka_unit_test_setup(memory_that_is_written_is_granted_read_only, start),
		cmocka_unit_test_setup(a_long_request_keeps_its_place, start),
		cmocka_unit_test_setup(a_full_ring_is_waited_for, start),
		cmocka_unit_test_setup(a_backend_that_is_awake_is_not_told, start),
		cmocka_unit_test_setup(odd_memory_is_copied, start),
		cmocka_unit_test_setup(memory_of_the_models_own_is_copied, start),
		cmocka_unit_test_setup(one_odd_request_has_the_bounce_page, start),
		cmocka_unit_test_setup(a_flush_is_what_the_backend_has, start),
		cmocka_unit_test_setup(a_flush_that_is_not_supported_is_none, start),
		cmocka_unit_test_setup(what_cannot_be_is_refused, start),
		cmocka_unit_test_setup(memory_that_is_none_ends_a_request, start),
		cmocka_unit_test_setup(a_piece_of_nothing_is_no_piece, start),
		cmocka_unit_test_setup(an_error_is_told_when_all_parts_are_back, start),
		cmocka_unit_test_setup(a_request_in_error_is_not_sent_any_further, start),
		cmocka_unit_test_setup(done_may_submit_the_next, start),
		cmocka_unit_test_setup(what_is_in_flight_is_sent_again, start),
		cmocka_unit_test_setup(what_is_in_flight_outlives_the_grant_table, start),
		cmocka_unit_test_setup(a_page_that_was_held_is_free_in_a_new_domain, start),
		cmocka_unit_test_setup(a_flush_in_flight_ends_if_the_next_backend_has_none, start),
		cmocka_unit_test_setup(another_backend_gets_grants_of_its_own, start),
		cmocka_unit_test_setup(a_page_that_the_last_backend_has_is_waited_for, start),
		cmocka_unit_test_setup(a_backend_that_closes_gets_nothing_new, start),
		cmocka_unit_test_setup(without_a_disk_all_ends, start),
		cmocka_unit_test_setup(a_page_that_is_kept_is_never_reused, start),
		cmocka_unit_test_setup(a_disk_that_ends_waits_for_its_pages, start),
		cmocka_unit_test_setup(an_answer_that_cannot_be_ends_the_disk, start),
		cmocka_unit_test_setup(what_is_in_the_ring_is_not_believed, start),
		cmocka_unit_test_setup(random_requests_arrive, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
