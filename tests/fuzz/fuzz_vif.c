/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A network interface's front end against a backend that writes what it likes into the rings,
 * and maps and lets go of pages whenever it likes: the input says what is done next.
 *
 * True at any time: a frame ends once, and when it does none of its pages is granted; of the
 * guest's memory only pages of frames that are open are granted, and nobody may write to
 * them; what is given to the model as a frame lies in the pages for that; and a frame whose
 * pages are all let go of, and whose interface is gone, has ended.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "input.h"
#include "layout.h"
#include "xenbind/vif.h"

#define PERMIT 1u
#define READ_ONLY 4u
#define MAPPED 0x18u /* GTF_reading, GTF_writing */
#define PAGES 7u
#define OWN (VIF_OWN_PAGES + PAGES)
#define OWN_FRAME 0x1000u
#define GUEST_PAGES 256u /* a tag's frame has the one of its number */

static u8 own[(OWN + 1) * PAGE_SIZE] __attribute__((aligned(4096)));
static u32 own_frame[OWN];
static struct grant table[VIF_GRANTS];
static struct vif v;
static bool open[256], sending, takes;

static void demand(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "vif: %s\n", what);
	abort();
}

bool vif_guest_frame(u64 gpfn, u32 *frame)
{
	*frame = (u32)gpfn;
	return gpfn < GUEST_PAGES && gpfn != 3;
}

void vif_sent(struct vif *which, u8 tag)
{
	(void)which;
	demand(!sending, "a frame ends while one is sent");
	demand(open[tag], "a frame ends twice");
	open[tag] = false;
	for (u32 i = OWN; i < VIF_GRANTS; i++)
		demand(!table[i].flags || table[i].frame != tag,
		       "a frame has ended that is granted");
}

bool vif_received(struct vif *which, u8 *page, u32 bytes, u32 flags)
{
	u32 at = (u32)(page - own);

	(void)which;
	demand(at >= VIF_OWN_PAGES * PAGE_SIZE && at + bytes <= OWN * PAGE_SIZE &&
		       at + 64 <= OWN * PAGE_SIZE,
	       "a frame is not in its page");
	demand(bytes >= NET_SHORTEST && at / PAGE_SIZE == (at + bytes - 1) / PAGE_SIZE,
	       "a frame has no length");
	demand(flags <= 2, "flags");
	return takes;
}

void vif_tell(const struct vif *which, enum vif_news news)
{
	(void)which;
	(void)news;
}

static void send_frame(void)
{
	static u8 header[NET_HEADER];
	struct net_frame f = {.header = header};
	u32 n = next(), tag = next(), page = n & 4 ? 3 : tag;
	enum net_sent how;
	bool tell;

	if (open[tag])
		return;
	f.header_bytes = n & 1 ? 14 + next() % 240 : 0;
	f.bytes = f.header_bytes;
	f.tag = (u8)tag;
	for (u32 i = n >> 4; i || (!f.bytes && !i); i--) {
		u32 offset = next() * 8, bytes = 14 + next() * 8;

		bytes = bytes < PAGE_SIZE - offset ? bytes : PAGE_SIZE - offset;
		f.piece[f.pieces++] = (struct net_piece){(u64)page << PAGE_SHIFT | offset, bytes};
		f.bytes += bytes;
		if (!i)
			break;
	}
	f.checksum = n & 2;
	f.mss = n & 8 ? 100 : 0;
	sending = true;
	how = vif_send(&v, &f, &tell);
	sending = false;
	open[tag] = how == NET_TAKEN;
}

static void look(void)
{
	for (u32 i = 0; i < VIF_GRANTS; i++) {
		const struct grant *g = &table[i];

		if (!(g->flags & PERMIT))
			continue;
		if (i < OWN) {
			demand(g->frame == OWN_FRAME + i, "a page of ours is another one");
			continue;
		}
		demand(g->flags & READ_ONLY, "the guest's memory may be written to");
		demand(g->frame < GUEST_PAGES && open[g->frame],
		       "a page is granted that is nobody's");
	}
}

static void answer(void)
{
	u32 *tx = (u32 *)own, n = next();
	u8 *r = own + 64 + tx[2]++ % 256 * 12;

	r[0] = next();
	r[1] = n == 255;
	r[2] = n & 1;
	r[3] = n & 2 ? 0xFF : 0;
}

static void deliver(void)
{
	u32 *rx = (u32 *)(own + PAGE_SIZE), n = next();
	u8 *r = own + PAGE_SIZE + 64 + rx[2]++ % 256 * 8;

	r[0] = n & 1 ? (u8)((rx[2] - 1) % PAGES) : next() % 8;
	r[1] = 0;
	r[2] = n & 2 ? next() : 0;
	r[3] = n & 4 ? next() % 17 : 0;
	r[4] = n & 8 ? next() % 32 : 0;
	r[5] = 0;
	r[6] = next();
	r[7] = n & 16 ? next() % 18 : 0;
}

static void map_some(void)
{
	u32 i = next_word() % VIF_GRANTS;

	if (table[i].flags & PERMIT)
		table[i].flags |= MAPPED & next();
}

static void let_go(void)
{
	for (u32 i = 0; i < VIF_GRANTS; i++)
		table[i].flags &= (u16)~MAPPED;
}

static void connect(void)
{
	if (vif_prepare(&v, 0))
		vif_connect(&v, true, true);
}

static void step(void)
{
	u32 n = next();
	bool more;

	takes = n & 0x40;
	switch (n % 12) {
	case 0 ... 2:
		send_frame();
		break;
	case 3 ... 4:
		answer();
		break;
	case 5:
		deliver();
		break;
	case 6:
		map_some();
		break;
	case 7:
		let_go();
		break;
	case 8:
		own[next_word() % (3 * PAGE_SIZE)] = next();
		break;
	case 9:
		vif_lose(&v);
		connect();
		break;
	case 10:
		if (next() > 200)
			vif_end(&v);
		break;
	default:
		vif_take(&v, &more);
	}
	if (n & 0x80)
		vif_finish(&v);
	look();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	bool more;

	mmap((void *)(uintptr_t)WIN_COUNTERS, PAGE_SIZE, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	in = (struct input){data, bytes};
	memset(own, 0, sizeof(own));
	memset(table, 0, sizeof(table));
	memset(open, 0, sizeof(open));
	for (u32 i = 0; i < OWN; i++)
		own_frame[i] = OWN_FRAME + i;
	v = (struct vif){.memory = own, .frame = own_frame, .pages = PAGES, .grants = table};
	connect();
	while (in.left)
		step();
	let_go();
	vif_end(&v);
	vif_take(&v, &more);
	vif_finish(&v);
	for (u32 i = 0; i < 256; i++)
		demand(!open[i], "a frame never ends");
	for (u32 i = 0; i < VIF_GRANTS; i++)
		demand(!table[i].flags, "something is granted in the end");
	return 0;
}
