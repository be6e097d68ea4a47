/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The transmit ring (8254x manual, 3.3 to 3.5): legacy descriptors, and those with contexts,
 * by which the guest leaves checksums and the cutting into TCP segments to the card.
 *
 * A frame is looked at when its last descriptor is there, and as a whole: gather() makes a list
 * of its pieces of memory, in which neighbours are one.  What of it has gone is in e->cut
 * alone, so when the front end has no room the same is done again later, with whatever the
 * descriptors then say.
 *
 * Nothing is computed that need not be.  Of an IPv4 frame with TCP or UDP the backend makes
 * the checksum, and of TCP it cuts, if it can: then the frame has only its first bytes new,
 * in which the card counts IP's length and sum, and TCP's pseudo-header.  What the backend
 * cannot is done here: other checksums, and frames that are too long or have too many pieces
 * are cut, into parts that it takes.
 *
 * Each step of the ring (a frame, the last part of one, a context) is in e->flight until it is
 * sent and all before it are.  Parts that are not the last have a step without descriptors.
 *
 * Kept true: the loops end.  A step takes a descriptor at least, or a part of a frame, and no
 * more than a ring has of them is looked at in one go.
 */
#include "dma.h"
#include "e1000_parts.h"
#include "inet.h"
#include "lib/mem.h"

#define GATHER_DESCRIPTORS 256u /* of a frame; of more it is lost */
#define GATHER_PIECES 64u
#define CUT_HEADER 142u /* the longest before a segment's data: a tag, IP and TCP with options */
#define SUM_HEADER 96u	/* as much as is looked at of a frame that is to be summed */
#define LONGEST 16288u	/* bytes of a frame that is not cut */
#define CUT_LONGEST 0x40000u /* and of one that is */

#define CMD_END 0x01u /* EOP */
#define CMD_SUM 0x04u /* legacy, IC: insert a checksum; TSE in the others */
#define CMD_CUT 0x04u
#define CMD_REPORT 0x08u   /* RS */
#define CMD_EXTENDED 0x20u /* DEXT */
#define CMD_TAG 0x40u	   /* VLE */
#define KIND_CONTEXT 0u
#define OPTION_IP 1u /* IXSM */
#define OPTION_TU 2u /* TXSM */
#define CONTEXT_TCP 1u
#define CONTEXT_IPV4 2u

#define TCP_SEQUENCE 4u
#define TCP_OFFSET 12u
#define TCP_FLAGS 13u
#define TCP_LAST 0x09u /* FIN and PSH are the last segment's */
#define TCP_LEAST 20u
#define IP_LENGTH 2u
#define IP_ID 4u

/* A descriptor.  Of a context the first 8 bytes are something else. */
struct descriptor {
	u64 buffer;
	u16 length;
	u8 kind; /* legacy: where the checksum goes; else bits 4 to 7 of the type */
	u8 command;
	u8 status;
	u8 options; /* legacy: where the sum begins */
	u16 tag;
};

struct piece {
	u64 gpa;
	u32 bytes;
};

/* A frame as its descriptors say. */
struct gathered {
	struct piece piece[GATHER_PIECES];
	u32 pieces, bytes;
	u32 descriptors;
	bool good; /* it can be sent: memory, and not too many pieces */
	u8 command, options;
	bool tagged;
	u16 tag;
	struct e1000_context context; /* with a legacy descriptor's own sum */
};

static u32 count_of(const struct e1000 *e)
{
	return e->reg[E1000_TDLEN] / DESCRIPTOR;
}

static u32 behind(u32 n, u32 steps, u32 count)
{
	n += steps;
	return n < count ? n : n - count;
}

/* --- the end of steps ------------------------------------------------------------------------ */

static struct e1000_step *step_at(struct e1000 *e, u32 n)
{
	return &e->flight[(e->flight_first + n) % E1000_FLIGHT];
}

void e1000_forget_sent(struct e1000 *e)
{
	for (u32 i = 0; i < e->flight_count; i++)
		step_at(e, i)->dead = true;
	e->cut = 0;
}

u32 e1000_sent_head(const struct e1000 *e)
{
	for (u32 i = 0; i < e->flight_count; i++) {
		const struct e1000_step *s = &e->flight[(e->flight_first + i) % E1000_FLIGHT];

		if (!s->dead && s->count)
			return s->first;
	}
	return e->tdh;
}

/* Tells the guest of descriptors that are done with, where it has asked for that. */
static void write_back(struct e1000 *e, const struct e1000_step *s)
{
	u32 count = count_of(e);
	u8 command, status = STATUS_DONE;

	for (u32 i = 0; i < s->count && e->master && s->first < count; i++) {
		u64 at = e1000_descriptor(e, E1000_TDBAL, behind(s->first, i, count));

		if (!dma_read(at + offsetof(struct descriptor, command), &command, 1) ||
		    !(command & CMD_REPORT))
			continue;
		dma_write(at + AT_STATUS, &status, 1);
		e1000_cause(e, CAUSE_SENT);
	}
}

/* Ends what is sent, in order. */
static void retire(struct e1000 *e)
{
	for (; e->flight_count && step_at(e, 0)->sent; e->flight_count--) {
		if (!step_at(e, 0)->dead)
			write_back(e, step_at(e, 0));
		e->flight_first = (e->flight_first + 1) % E1000_FLIGHT;
		if (e->flight_count == 1 && e->tdh == e->reg[E1000_TDT])
			e1000_cause(e, CAUSE_SENT_ALL);
	}
}

void e1000_sent(struct e1000 *e, u8 tag)
{
	e->flight[tag % E1000_FLIGHT].sent = true;
}

/* The step of the ring that is being made. */
static u8 next_tag(const struct e1000 *e)
{
	return (u8)((e->flight_first + e->flight_count) % E1000_FLIGHT);
}

/* So many descriptors, from tdh on, are behind us. */
static void pass(struct e1000 *e, u32 descriptors, bool sent)
{
	*step_at(e, e->flight_count++) =
		(struct e1000_step){(u16)e->tdh, (u16)descriptors, sent, false};
	e->tdh = behind(e->tdh, descriptors, count_of(e));
}

/* --- what the ring says ------------------------------------------------------------------------
 */

static bool read_descriptor(const struct e1000 *e, u32 n, struct descriptor *d)
{
	return dma_read(e1000_descriptor(e, E1000_TDBAL, n), d, sizeof(*d));
}

static bool is_context(const struct descriptor *d)
{
	return d->command & CMD_EXTENDED && d->kind >> 4 == KIND_CONTEXT;
}

static void take_context(struct e1000 *e, const struct descriptor *d)
{
	const u8 *b = (const u8 *)&d->buffer;

	e->context = (struct e1000_context){
		.sum_from = b[4],
		.sum_at = b[5],
		.sum_to = (u16)(b[6] | b[7] << 8),
		.header = d->options,
		.mss = d->tag,
	};
	if (d->command & CMD_CUT)
		e->statistics[STAT_SEGMENTED]++;
	else
		e->context.mss = 0;
	/* IPv6 is not cut: no driver of this chip asks for it. */
	if (!(d->command & CONTEXT_TCP) || !(d->command & CONTEXT_IPV4))
		e->context.mss = 0;
}

static void add_piece(struct gathered *g, u64 gpa, u32 bytes)
{
	struct piece *last = &g->piece[g->pieces ? g->pieces - 1 : 0];

	g->bytes += bytes;
	if (g->pieces && last->gpa + last->bytes == gpa)
		last->bytes += bytes;
	else if (g->pieces < GATHER_PIECES)
		g->piece[g->pieces++] = (struct piece){gpa, bytes};
	else
		g->good = false;
}

/* The first descriptor says what is to be done with the frame. */
static void take_first(const struct e1000 *e, struct gathered *g, const struct descriptor *d)
{
	g->command = d->command;
	g->context = e->context;
	if (d->command & CMD_EXTENDED) {
		g->options = d->options & (OPTION_IP | OPTION_TU);
		return;
	}
	g->command &= (u8)~CMD_CUT;
	g->options = d->command & CMD_SUM ? OPTION_TU : 0;
	g->context = (struct e1000_context){.sum_from = d->options, .sum_at = d->kind};
}

/* Collects the frame that begins at tdh; false if its end is not there yet. */
static bool gather(struct e1000 *e, u32 tail, struct gathered *g)
{
	u32 count = count_of(e);
	struct descriptor d;

	g->pieces = g->bytes = 0;
	g->good = true;
	g->tagged = false;
	for (g->descriptors = 0; g->descriptors < GATHER_DESCRIPTORS; g->descriptors++) {
		u32 at = behind(e->tdh, g->descriptors, count), bytes;

		if (at == tail || !read_descriptor(e, at, &d))
			return false;
		if (!g->descriptors)
			take_first(e, g, &d);
		bytes = d.length;
		if (d.command & CMD_EXTENDED)
			bytes |= (d.kind & 15u) << 16;
		if (bytes && !is_context(&d))
			add_piece(g, d.buffer, bytes);
		if (!(d.command & CMD_END))
			continue;
		g->tagged = d.command & CMD_TAG && e->reg[E1000_CTRL] & CTRL_VME;
		g->tag = d.tag;
		g->descriptors++;
		return true;
	}
	g->good = false;
	return true;
}

/* --- a frame's bytes ---------------------------------------------------------------------------
 */

/* Copies bytes from the frame's place at on; false if that is no memory. */
static bool copy(const struct gathered *g, u32 at, u8 *to, u32 bytes)
{
	for (u32 i = 0; i < g->pieces && bytes; i++) {
		const struct piece *p = &g->piece[i];
		u32 n;

		if (at >= p->bytes) {
			at -= p->bytes;
			continue;
		}
		n = p->bytes - at < bytes ? p->bytes - at : bytes;
		if (!dma_read(p->gpa + at, to, n))
			return false;
		to += n;
		bytes -= n;
		at = 0;
	}
	return !bytes;
}

/* Adds pieces for most bytes from the frame's place at on, as far as f has places for them; how
 * many these are. */
static u32 add_pieces(struct net_frame *f, const struct gathered *g, u32 at, u32 most)
{
	u32 done = 0;

	for (u32 i = 0; i < g->pieces && done < most; i++) {
		u64 gpa = g->piece[i].gpa + at;
		u32 left = g->piece[i].bytes;

		if (at >= left) {
			at -= left;
			continue;
		}
		left = left - at < most - done ? left - at : most - done;
		at = 0;
		while (left && f->pieces < NET_PIECES) {
			u32 room = PAGE_SIZE - ((u32)gpa & (PAGE_SIZE - 1));
			u32 n = left < room ? left : room;

			f->piece[f->pieces++] = (struct net_piece){gpa, n};
			gpa += n;
			left -= n;
			done += n;
		}
		if (left)
			break;
	}
	return done;
}

/* Puts a tag behind the addresses of a header of so many bytes; the bytes then. */
static u32 put_tag(u8 *header, u32 bytes, u16 tag)
{
	for (u32 i = bytes; i-- > 2 * NET_MAC;)
		header[i + ETHER_TAG] = header[i];
	inet_put16(header + 2 * NET_MAC, 0x8100);
	inet_put16(header + 2 * NET_MAC + 2, tag);
	return bytes + ETHER_TAG;
}

/* Gives the frame to the front end, header bytes of it from a copy. */
static enum net_sent give(struct e1000 *e, const struct gathered *g, struct net_frame *f,
			  u8 *header, u32 bytes)
{
	enum net_sent how;

	if (bytes && g->tagged)
		bytes = put_tag(header, bytes, g->tag);
	f->header = header;
	f->header_bytes = bytes;
	f->bytes = bytes;
	for (u32 i = 0; i < f->pieces; i++)
		f->bytes += f->piece[i].bytes;
	f->tag = next_tag(e);
	how = net_send(e->unit, f);
	if (how != NET_WAITS)
		e1000_count(e, STAT_ALL_SENT, STAT_ALL_SENT_BYTES, f->bytes + 4);
	if (how == NET_TAKEN)
		e1000_count(e, STAT_SENT, STAT_SENT_BYTES, f->bytes + 4);
	return how;
}

/* --- checksums -----------------------------------------------------------------------------------
 */

/* Will the backend make the very checksum that the guest has asked for? */
static bool backend_sums(const struct gathered *g, const struct inet_ipv4 *ip)
{
	const struct e1000_context *c = &g->context;
	u32 field = inet_checksum_at(ip->protocol);

	return !ip->fragment && field && c->sum_from == ip->payload &&
	       c->sum_at == ip->payload + field &&
	       (!c->sum_to || c->sum_to + 1u >= ip->at + ip->total) &&
	       ip->at + ip->total <= g->bytes && ip->total >= ip->payload - ip->at + field + 2;
}

/* The sum from the context's first byte to its last. */
static bool sum_bytes(const struct gathered *g, u32 *sum)
{
	const struct e1000_context *c = &g->context;
	u32 end = c->sum_to && c->sum_to < g->bytes ? c->sum_to + 1u : g->bytes;
	u8 part[128];

	*sum = 0;
	for (u32 at = c->sum_from, n; at < end; at += n) {
		n = end - at < sizeof(part) ? end - at : sizeof(part);
		if (!copy(g, at, part, n))
			return false;
		*sum = inet_add(*sum, part, n);
	}
	return true;
}

/* Makes the checksum in the copy of the frame's header, which may become longer for it. */
static bool make_sum(const struct gathered *g, u8 *header, u32 *bytes)
{
	u32 sum, field = g->context.sum_at;

	if (field + 2 > g->bytes || field + 2 > CUT_HEADER || !sum_bytes(g, &sum))
		return true; /* there is nothing to be summed; the frame goes as it is */
	if (field + 2 > *bytes) {
		if (!copy(g, *bytes, header + *bytes, field + 2 - *bytes))
			return false;
		*bytes = field + 2;
	}
	inet_put16(header + field, (u16)~inet_fold(sum));
	return true;
}

/* Does the frame's first piece end before its header does? */
static bool begins_short(const struct gathered *g)
{
	return g->piece[0].bytes < NET_SHORTEST ||
	       (g->piece[0].gpa & (PAGE_SIZE - 1)) > PAGE_SIZE - NET_SHORTEST;
}

/* A frame that is not cut. */
static enum net_sent send_whole(struct e1000 *e, const struct gathered *g,
				const struct net_info *info)
{
	u32 bytes = g->bytes < SUM_HEADER ? g->bytes : SUM_HEADER;
	struct net_frame f = {0};
	u8 header[NET_HEADER];
	struct inet_ipv4 ip;
	bool changed, known;

	if (!g->good || g->bytes < NET_SHORTEST || g->bytes > LONGEST)
		return NET_LOST;
	changed = g->tagged || begins_short(g);
	if ((g->options || changed) && !copy(g, 0, header, bytes))
		return NET_LOST;
	known = g->options && inet_ipv4(header, bytes, &ip);
	if (g->options & OPTION_IP && known) {
		inet_sum_header(header, &ip);
		changed = true;
	}
	f.checksum = g->options & OPTION_TU && known && info->checksum && backend_sums(g, &ip);
	if (g->options & OPTION_TU && !f.checksum) {
		if (!make_sum(g, header, &bytes))
			return NET_LOST;
		changed = true;
	}
	if (!changed)
		bytes = 0;
	if (add_pieces(&f, g, bytes, g->bytes - bytes) != g->bytes - bytes)
		return NET_LOST;
	return give(e, g, &f, header, bytes);
}

/* --- segments
 * -------------------------------------------------------------------------------------- */

/* Reads and checks the header of a frame that is to be cut. */
static bool cut_header(const struct gathered *g, u8 *header, struct inet_ipv4 *ip)
{
	u32 bytes = g->context.header;

	return bytes <= CUT_HEADER && bytes < g->bytes && copy(g, 0, header, bytes) &&
	       inet_ipv4(header, bytes, ip) && ip->protocol == INET_TCP && !ip->fragment &&
	       ip->payload + TCP_LEAST <= bytes &&
	       ip->payload + (header[ip->payload + TCP_OFFSET] >> 4) * 4u == bytes;
}

/* Bytes of data that the next part gets: as many as it has room for, whole segments. */
static u32 part_bytes(const struct gathered *g, const struct net_info *info, u32 at)
{
	u32 header = g->context.header, mss = g->context.mss, left = g->bytes - header - at;
	u32 most = info->segments && info->checksum ? NET_FRAME - header - ETHER_TAG : mss;
	struct net_frame f;
	u32 room;

	f.pieces = 0;
	room = add_pieces(&f, g, header + at, left < most ? left : most);
	return room == left ? left : room - room % mss;
}

/* The header of the part with bytes of data from at on. */
static void change_header(const struct gathered *g, u8 *header, const struct inet_ipv4 *ip, u32 at,
			  u32 bytes)
{
	u8 *tcp = header + ip->payload, *sequence = tcp + TCP_SEQUENCE,
	   *id = header + ip->at + IP_ID;
	u32 own = g->context.header, n = inet_get16(sequence) << 16 | inet_get16(sequence + 2);

	n += at;
	inet_put16(sequence, n >> 16);
	inet_put16(sequence + 2, n & 0xFFFF);
	inet_put16(id, inet_get16(id) + at / g->context.mss);
	if (own + at + bytes < g->bytes)
		tcp[TCP_FLAGS] &= (u8)~TCP_LAST;
	inet_put16(header + ip->at + IP_LENGTH, own - ip->at + bytes);
	inet_sum_header(header, ip);
	inet_put16(tcp + inet_checksum_at(INET_TCP),
		   inet_pseudo(header, ip, own - ip->payload + bytes));
}

/* TCP's checksum of a part, where the backend makes none. */
static bool sum_part(const struct gathered *g, u8 *header, const struct inet_ipv4 *ip, u32 at,
		     u32 bytes)
{
	u32 own = g->context.header, sum = inet_add(0, header + ip->payload, own - ip->payload);
	u8 part[128];

	for (u32 i = 0, n; i < bytes; i += n) {
		n = bytes - i < sizeof(part) ? bytes - i : sizeof(part);
		if (!copy(g, own + at + i, part, n))
			return false;
		sum = inet_add(sum, part, n);
	}
	inet_put16(header + ip->payload + inet_checksum_at(INET_TCP), (u16)~inet_fold(sum));
	return true;
}

/* The next part of a frame that is cut; *last if there is no further one. */
static enum net_sent send_part(struct e1000 *e, const struct gathered *g,
			       const struct net_info *info, bool *last)
{
	u32 own = g->context.header, at = e->cut, bytes;
	struct net_frame f = {.checksum = info->checksum};
	u8 header[NET_HEADER];
	struct inet_ipv4 ip;
	enum net_sent how;

	*last = true;
	if (!g->good || g->bytes > CUT_LONGEST || !cut_header(g, header, &ip) ||
	    at >= g->bytes - own)
		return NET_LOST;
	bytes = part_bytes(g, info, at);
	if (!bytes) /* one segment has too many pieces */
		return NET_LOST;
	change_header(g, header, &ip, at, bytes);
	if (!info->checksum && !sum_part(g, header, &ip, at, bytes))
		return NET_LOST;
	f.mss = bytes > g->context.mss ? g->context.mss : 0;
	add_pieces(&f, g, own + at, bytes);
	how = give(e, g, &f, header, own);
	*last = own + at + bytes == g->bytes;
	if (how != NET_WAITS)
		e->cut = *last ? 0 : at + bytes;
	return how;
}

/* --- the ring
 * ---------------------------------------------------------------------------------------- */

/* Takes the next step of the ring; false if there is none, or no room for it. */
static bool step(struct e1000 *e, const struct net_info *info)
{
	u32 count = count_of(e), tail = e->reg[E1000_TDT];
	struct gathered g;
	struct descriptor d;
	enum net_sent how;
	bool last = true;

	if (e->flight_count == E1000_FLIGHT || e->tdh >= count || tail >= count || e->tdh == tail)
		return false;
	if (!read_descriptor(e, e->tdh, &d))
		return false;
	if (is_context(&d)) {
		take_context(e, &d);
		pass(e, 1, true);
		return true;
	}
	if (!gather(e, tail, &g))
		return false;
	if (!info->link)
		how = NET_LOST;
	else if (g.command & CMD_CUT && g.context.mss)
		how = send_part(e, &g, info, &last);
	else
		how = send_whole(e, &g, info);
	if (how == NET_WAITS)
		return false;
	if (last)
		e->cut = 0;
	pass(e, last ? g.descriptors : 0, how != NET_TAKEN);
	return true;
}

void e1000_run(struct e1000 *e)
{
	struct net_info info;

	if (!e->there || !e->master || !(e->reg[E1000_TCTL] & TCTL_EN))
		return;
	net_info(e->unit, &info);
	for (u32 i = 0; i < count_of(e) + E1000_FLIGHT && step(e, &info); i++)
		retire(e);
}

void e1000_update(struct e1000 *e)
{
	if (!e->there)
		return;
	retire(e);
	e1000_run(e);
}
