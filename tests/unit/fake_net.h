/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The other side of pc/net.h and pc/dma.h, for one program: guest memory in an array from
 * address 0 on, with a hole in it, and a front end that notes the frames that it is given.  It
 * demands what the seam promises, of the model as well: lengths that agree, pieces that lie in
 * a page, and what is left to the backend only where a backend can do it.
 *
 * A program that includes this has it instead of the monitor's.
 */
#ifndef VMIXEN_FAKE_NET_H
#define VMIXEN_FAKE_NET_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pc/dma.h"
#include "pc/inet.h"
#include "pc/net.h"

#define FAKE_MEMORY 0x80000u
#define FAKE_HOLE 0x40000u /* a page of it that is the ROM's */
#define FAKE_FRAMES 512u   /* that are kept */

struct fake_frame {
	unsigned unit;
	u8 tag;
	bool checksum;
	u16 mss;
	u32 header_bytes, pieces, bytes;
	u8 *data;
};

static struct {
	u8 memory[FAKE_MEMORY];
	struct net_info info;
	struct fake_frame sent[FAKE_FRAMES];
	u32 count;	/* of what was sent */
	u32 room;	/* frames that are taken until it waits */
	u32 ready;	/* calls of net_ready() */
	u32 dma, wrong; /* accesses to guest memory; of these, refused */
	u8 open[256];	/* tags that are with us */
} fake;

static inline void fake_demand(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fake net: %s\n", what);
	abort();
}

static inline void fake_forget(void)
{
	for (u32 i = 0; i < fake.count; i++)
		free(fake.sent[i].data);
	fake.count = 0;
}

static inline void fake_reset(void)
{
	fake_forget();
	memset(&fake, 0, sizeof(fake));
	fake.room = ~0u;
	fake.info = (struct net_info){.there = true,
				      .link = true,
				      .mac = {0x00, 0x16, 0x3E, 0x12, 0x34, 0x56},
				      .checksum = true,
				      .segments = true};
}

static inline bool fake_there(u64 gpa, u32 bytes)
{
	bool there = gpa < FAKE_MEMORY && bytes <= FAKE_MEMORY - gpa &&
		     (gpa + bytes <= FAKE_HOLE || gpa >= FAKE_HOLE + PAGE_SIZE);

	fake.dma++;
	fake.wrong += !there;
	return there;
}

bool dma_read(u64 gpa, void *to, u32 bytes)
{
	if (!fake_there(gpa, bytes))
		return false;
	memcpy(to, fake.memory + gpa, bytes);
	return true;
}

bool dma_write(u64 gpa, const void *from, u32 bytes)
{
	if (!fake_there(gpa, bytes))
		return false;
	memcpy(fake.memory + gpa, from, bytes);
	return true;
}

void net_info(unsigned unit, struct net_info *info)
{
	fake_demand(unit < NETS, "there is no such unit");
	*info = fake.info;
}

/* What netback demands of a frame that it is to do something with. */
static inline void fake_check_offload(const struct net_frame *f, const u8 *data)
{
	u32 n = f->bytes < 200 ? f->bytes : 200;
	struct inet_ipv4 ip;

	if (!f->checksum && !f->mss)
		return;
	fake_demand(fake.info.checksum, "a checksum is asked of a backend without");
	fake_demand(inet_ipv4(data, n, &ip) && !ip.fragment && inet_checksum_at(ip.protocol),
		    "a checksum is asked for where there is none");
	fake_demand(ip.at + ip.total <= f->bytes, "an IP packet is longer than its frame");
	if (!f->mss)
		return;
	fake_demand(fake.info.segments && f->checksum && ip.protocol == INET_TCP,
		    "segments are asked for that cannot be made");
	fake_demand(ip.at + ip.total == f->bytes && f->bytes > f->mss, "segments of nothing");
}

enum net_sent net_send(unsigned unit, const struct net_frame *f)
{
	struct fake_frame *s = &fake.sent[fake.count];
	u32 bytes = f->header_bytes;
	u8 *data;

	fake_demand(unit < NETS && f->pieces <= NET_PIECES && f->header_bytes <= NET_HEADER,
		    "bounds");
	fake_demand(f->bytes >= NET_SHORTEST && f->bytes <= NET_FRAME, "a length");
	for (u32 i = 0; i < f->pieces; i++) {
		const struct net_piece *p = &f->piece[i];

		fake_demand(p->bytes && (p->gpa & (PAGE_SIZE - 1)) + p->bytes <= PAGE_SIZE,
			    "a piece is not in one page");
		bytes += p->bytes;
	}
	fake_demand(bytes == f->bytes, "the pieces are not the frame");
	fake_demand((f->header_bytes ? f->header_bytes : f->piece[0].bytes) >= NET_SHORTEST,
		    "a frame begins with too little");
	fake_demand(!fake.open[f->tag], "a tag is used twice");
	if (!fake.info.link)
		return NET_LOST;
	if (!fake.room)
		return NET_WAITS;
	data = malloc(f->bytes);
	fake_demand(data != NULL, "no memory");
	if (f->header_bytes)
		memcpy(data, f->header, f->header_bytes);
	bytes = f->header_bytes;
	for (u32 i = 0; i < f->pieces; i++) {
		if (!fake_there(f->piece[i].gpa, f->piece[i].bytes)) {
			free(data);
			return NET_LOST;
		}
		memcpy(data + bytes, fake.memory + f->piece[i].gpa, f->piece[i].bytes);
		bytes += f->piece[i].bytes;
	}
	fake_check_offload(f, data);
	fake.room--;
	fake.open[f->tag] = 1;
	fake_demand(fake.count < FAKE_FRAMES, "more frames than are kept");
	*s = (struct fake_frame){unit,	    f->tag,   f->checksum, f->mss, f->header_bytes,
				 f->pieces, f->bytes, data};
	fake.count++;
	return NET_TAKEN;
}

void net_ready(unsigned unit)
{
	fake_demand(unit < NETS, "there is no such unit");
	fake.ready++;
}

void net_poll(unsigned unit)
{
	(void)unit;
}

static inline void fake_put32(u32 at, u32 value)
{
	memcpy(fake.memory + at, &value, 4);
}

static inline u32 fake_get32(u32 at)
{
	u32 value;

	memcpy(&value, fake.memory + at, 4);
	return value;
}

/* An IPv4 frame with TCP or UDP and some data: bytes in all, 54 at least.  Its checksum
 * field has the sum of the pseudo-header, or, whole, the checksum. */
static inline void fake_packet(u8 *frame, u32 bytes, u8 protocol, bool whole)
{
	struct inet_ipv4 ip;

	for (u32 i = 0; i < bytes; i++)
		frame[i] = (u8)(i * 7 + 3);
	memcpy(frame, "\x00\x16\x3E\x12\x34\x56\x00\x16\x3E\xAA\xBB\xCC\x08\x00\x45\x00", 16);
	inet_put16(frame + 16, bytes - 14);
	inet_put16(frame + 18, 0x1234);
	inet_put16(frame + 20, 0x4000); /* not to be cut */
	frame[22] = 64;
	frame[23] = protocol;
	frame[46] = 0x50; /* TCP: 20 bytes */
	frame[47] = 0x19; /* ACK, PSH, FIN */
	inet_ipv4(frame, bytes, &ip);
	inet_sum_header(frame, &ip);
	inet_put16(frame + 34 + inet_checksum_at(protocol), inet_pseudo(frame, &ip, bytes - 34));
	if (whole)
		inet_complete(frame, bytes);
}

/* Is the checksum of such a frame right? */
static inline bool fake_is_summed(const u8 *frame, u32 bytes)
{
	struct inet_ipv4 ip;
	u32 sum;

	if (!inet_ipv4(frame, bytes, &ip) || ip.at + ip.total > bytes)
		return false;
	sum = inet_pseudo(frame, &ip, ip.at + ip.total - ip.payload);
	return inet_fold(inet_add(0, frame + ip.at, ip.payload - ip.at)) == 0xFFFF &&
	       inet_fold(inet_add(sum, frame + ip.payload, ip.at + ip.total - ip.payload)) ==
		       0xFFFF;
}

#endif
