/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A disk's front end against a backend that writes what it likes into the ring, and maps
 * and lets go of pages whenever it likes: the input says what is done next.
 *
 * True at any time: a page of a request's is granted to the backend, or the request is not
 * done; done() is called once for each request; only pages of requests that are open, the
 * ring and the bounce page are granted; and a request whose pages are all let go of, and
 * whose disk is gone, is done.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "input.h"
#include "layout.h"
#include "pc/dma.h"
#include "xenbind/blk.h"

#define MAPPED 0x18u /* GTF_reading, GTF_writing */
#define PAGES 64u
#define COMMANDS 8u
#define COMMAND_PAGES (PAGES / COMMANDS)
#define RING_FRAME 0x1000u
#define BOUNCE_FRAME 0x1001u

static u8 memory[PAGES * PAGE_SIZE];
static u8 ring[PAGE_SIZE] __attribute__((aligned(4096))), bounce[PAGE_SIZE];
static struct grant table[BLK_GRANTS];
static struct blk b;
static struct command {
	struct disk_request r; /* first */
	bool open;
	u32 left, at;
} command[COMMANDS];
static bool submitting;

static void demand(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "blk: %s\n", what);
	abort();
}

bool blk_guest_frame(u64 gpfn, u32 *frame)
{
	*frame = (u32)gpfn;
	return gpfn < PAGES && gpfn != 3;
}

void blk_tell(const struct blk *which, enum blk_news news)
{
	(void)which;
	(void)news;
}

static bool there(u64 gpa, u32 bytes)
{
	return gpa < sizeof(memory) && bytes <= sizeof(memory) - gpa;
}

bool dma_read(u64 gpa, void *to, u32 bytes)
{
	if (!there(gpa, bytes))
		return false;
	memcpy(to, memory + gpa, bytes);
	return true;
}

bool dma_write(u64 gpa, const void *from, u32 bytes)
{
	if (!there(gpa, bytes))
		return false;
	memcpy(memory + gpa, from, bytes);
	return true;
}

static bool next_piece(struct disk_request *r, struct disk_piece *p)
{
	struct command *c = (struct command *)r;
	u32 n = next(), bytes = n & 1 ? 512 * (n >> 1) : n;

	demand(c->open, "a request that is done is asked for its memory");
	if (!c->left)
		return false;
	bytes = bytes < c->left ? bytes : c->left;
	*p = (struct disk_piece){.gpa = (u64)(c - command) * COMMAND_PAGES * PAGE_SIZE + c->at,
				 .bytes = bytes};
	c->at += bytes;
	c->left -= bytes;
	return true;
}

static void is_done(struct disk_request *r, enum disk_status status)
{
	struct command *c = (struct command *)r;
	u32 first = (u32)(c - command) * COMMAND_PAGES;

	(void)status;
	demand(!submitting, "done() from within submit");
	demand(c->open, "a request is done twice");
	c->open = false;
	for (u32 i = 0; i < BLK_GRANTS; i++)
		demand(!table[i].flags || table[i].frame - first >= COMMAND_PAGES,
		       "a request is done, and a page of it granted");
}

static void submit(u32 n)
{
	struct command *c = &command[n % COMMANDS];
	u32 sectors = next() % 60;

	if (c->open)
		return;
	*c = (struct command){
		.open = true, .left = next() ? sectors * 512 : next() * 64, .at = next() & 0xFE};
	if (c->left + c->at > COMMAND_PAGES * PAGE_SIZE)
		c->left = 0;
	c->r = (struct disk_request){.op = (u8)(next() % 3),
				     .sector = next() * 8,
				     .sectors = sectors,
				     .next = next_piece,
				     .done = is_done};
	if (c->r.op == DISK_FLUSH)
		c->r.sectors = 0;
	submitting = true;
	blk_submit(&b, &c->r);
	submitting = false;
}

/* Whatever is granted is the ring, the bounce page, or of a request that is open. */
static void look(void)
{
	for (u32 i = 0; i < BLK_GRANTS; i++)
		demand(!table[i].flags || table[i].frame == RING_FRAME ||
			       table[i].frame == BOUNCE_FRAME ||
			       command[table[i].frame / COMMAND_PAGES % COMMANDS].open,
		       "a page is granted that belongs to nobody");
}

static void map_some(void)
{
	u32 i = (next() | next() << 8) % BLK_GRANTS;

	if (table[i].flags & 1)
		table[i].flags |= MAPPED & next();
}

static void let_go(void)
{
	for (u32 i = 0; i < BLK_GRANTS; i++)
		table[i].flags &= (u16)~MAPPED;
}

static void answer(void)
{
	u32 *index = (u32 *)ring;
	u8 *r = ring + 64 + index[2] % 32 * 108;

	memset(r, 0, 12);
	r[0] = (u8)next();
	r[4] = next() == 255;
	*(s16 *)(r + 10) = (s16)(next() % 4 ? 0 : -(int)(next() % 3));
	index[2]++;
}

static void connect(void)
{
	static const struct disk_info info = {.sectors = 2048};

	if (blk_prepare(&b, 0))
		blk_connect(&b, &info, (u8)(next() % 2 * 3));
}

static void step(void)
{
	u32 n = next();

	switch (n % 12) {
	case 0:
	case 1:
	case 2:
		submit(n >> 4);
		break;
	case 3:
	case 4:
	case 5:
		answer();
		break;
	case 6:
		map_some();
		break;
	case 7:
		let_go();
		break;
	case 8:
		ring[(next() | next() << 8) % sizeof(ring)] = (u8)next();
		break;
	case 9:
		blk_lose(&b);
		connect();
		break;
	case 10:
		if (n >> 6)
			blk_drain(&b);
		else
			blk_end(&b);
		break;
	default:
		blk_take(&b);
	}
	if (n & 0x80)
		blk_finish(&b);
	look();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	mmap((void *)(uintptr_t)WIN_COUNTERS, PAGE_SIZE, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	in = (struct input){data, bytes};
	memset(table, 0, sizeof(table));
	memset(command, 0, sizeof(command));
	b = (struct blk){.ring = ring,
			 .ring_frame = RING_FRAME,
			 .bounce = bounce,
			 .bounce_frame = BOUNCE_FRAME,
			 .grants = table,
			 .handle = 768};
	connect();
	while (in.left)
		step();
	let_go();
	blk_end(&b);
	blk_take(&b);
	blk_finish(&b);
	for (u32 i = 0; i < COMMANDS; i++)
		demand(!command[i].open, "a request is never done");
	return 0;
}
