/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the card does with a frame that has come: the filters (8254x manual, 3.2.1 and 13.5),
 * then a copy into the guest's buffers.  A frame for which there are too few of them waits at
 * the front end, where the backend notices; a card would lose it.
 *
 * The guest sees four bytes of checksum (FCS) behind each frame, unless it has said that it
 * wants none.  Their values are 0: there is no wire, and no driver looks.
 */
#include "dma.h"
#include "e1000_parts.h"
#include "inet.h"
#include "lib/mem.h"

#define RCTL_UPE 0x00000008u /* all frames to one station */
#define RCTL_MPE 0x00000010u /* all to several */
#define RCTL_LPE 0x00000020u /* long ones, too */
#define RCTL_BAM 0x00008000u /* those to everybody */
#define RCTL_VFE 0x00040000u /* of VLANs only those in the table */
#define RCTL_BSEX 0x02000000u
#define RCTL_SECRC 0x04000000u
#define RXCSUM_IP 0x00000100u
#define RXCSUM_TU 0x00000200u

#define RX_DONE 0x01u
#define RX_END 0x02u
#define RX_NO_SUM 0x04u /* IXSM: nothing is said of sums */
#define RX_TAGGED 0x08u /* VP */
#define RX_TU_SUM 0x20u
#define RX_IP_SUM 0x40u
#define RX_BY_HASH 0x80u /* PIF: the address may be another one */

#define SHORT_FRAME 60u
#define LONG_FRAME 1514u
#define FCS 4u
#define TYPE_AT 12u

static bool is_broadcast(const u8 *to)
{
	for (u32 i = 0; i < NET_MAC; i++)
		if (to[i] != 0xFF)
			return false;
	return true;
}

static bool is_ours(const struct e1000 *e, const u8 *to)
{
	u32 low = to[0] | (u32)to[1] << 8 | (u32)to[2] << 16 | (u32)to[3] << 24;
	u32 high = to[4] | (u32)to[5] << 8 | 0x80000000u;

	for (u32 i = 0; i < E1000_ADDRESSES; i++)
		if (e->addresses[i][0] == low && (e->addresses[i][1] & 0x8000FFFFu) == high)
			return true;
	return false;
}

/* 12 bits of the address choose a bit of the table; RCTL.MO says which. */
static bool is_hashed(const struct e1000 *e, const u8 *to)
{
	static const u8 shifts[] = {4, 3, 2, 0};
	u32 n = (to[4] | (u32)to[5] << 8) >> shifts[e->reg[E1000_RCTL] >> 12 & 3] & 0xFFF;

	return e->multicast[n / 32] >> n % 32 & 1;
}

static bool is_tagged(const struct e1000 *e, const u8 *frame, u32 bytes)
{
	u32 type = e->reg[E1000_VET] ? e->reg[E1000_VET] : 0x8100;

	return bytes >= ETHER_HEADER + ETHER_TAG && inet_get16(frame + TYPE_AT) == type;
}

/* Does the guest want the frame?  Adds to its status. */
static bool wanted(const struct e1000 *e, const u8 *frame, u32 bytes, u8 *status)
{
	u32 rctl = e->reg[E1000_RCTL];

	if (rctl & RCTL_VFE && is_tagged(e, frame, bytes)) {
		u32 id = inet_get16(frame + ETHER_HEADER) & 0xFFF;

		if (!(e->vlan[id / 32] >> id % 32 & 1))
			return false;
	}
	if (is_ours(e, frame))
		return true;
	if (is_broadcast(frame) && rctl & RCTL_BAM)
		return true;
	if (rctl & (frame[0] & 1 ? RCTL_MPE : RCTL_UPE))
		return true;
	*status |= RX_BY_HASH;
	return frame[0] & 1 && is_hashed(e, frame);
}

static u32 buffer_bytes(const struct e1000 *e)
{
	u32 rctl = e->reg[E1000_RCTL], size = rctl >> 16 & 3;

	if (!(rctl & RCTL_BSEX))
		return 2048u >> size;
	return size ? 32768u >> size : 2048;
}

/* Descriptors that the guest has filled in and the card has not used. */
static u32 free_descriptors(const struct e1000 *e, u32 count)
{
	u32 head = e->reg[E1000_RDH], tail = e->reg[E1000_RDT];

	if (head >= count || tail >= count)
		return 0;
	return tail >= head ? tail - head : tail + count - head;
}

/* What the card says of sums that are right. */
static u8 sums(const struct e1000 *e, u8 *frame, u32 bytes, u32 flags)
{
	u32 on = e->reg[E1000_RXCSUM];
	u8 status = 0;
	struct inet_ipv4 ip;

	if (!inet_ipv4(frame, bytes, &ip))
		return RX_NO_SUM;
	if (on & RXCSUM_IP && inet_fold(inet_add(0, frame + ip.at, ip.payload - ip.at)) == 0xFFFF)
		status |= RX_IP_SUM;
	if (on & RXCSUM_TU && flags & NET_GOOD && !ip.fragment && inet_checksum_at(ip.protocol))
		status |= RX_TU_SUM;
	return status ? status : RX_NO_SUM;
}

/* Takes the tag out of the frame; what its descriptor says of it. */
static u16 take_tag(u8 *frame, u32 *bytes)
{
	u16 tag = (u16)inet_get16(frame + ETHER_HEADER);

	*bytes -= ETHER_TAG;
	for (u32 i = TYPE_AT; i < *bytes; i++)
		frame[i] = frame[i + ETHER_TAG];
	return tag;
}

/* One descriptor and its buffer.  A buffer that is no memory stays as it is. */
static void fill(struct e1000 *e, const u8 *from, u32 bytes, u32 length, u32 what)
{
	u64 at = e1000_descriptor(e, E1000_RDBAL, e->reg[E1000_RDH]), buffer;
	u32 back[2] = {length, what};

	if (!dma_read(at, &buffer, sizeof(buffer)))
		return;
	dma_write(buffer, from, bytes);
	dma_write(at + 8, back, sizeof(back));
}

/* Gives the frame to the guest, which has room for it. */
static void deliver(struct e1000 *e, u32 count, const u8 *frame, u32 bytes, u32 what)
{
	u32 room = buffer_bytes(e), end = bytes;

	if (!(e->reg[E1000_RCTL] & RCTL_SECRC))
		end += FCS;
	for (u32 at = 0, n; at < end; at += n) {
		u32 there = at < bytes ? bytes - at : 0;

		n = end - at < room ? end - at : room;
		fill(e, frame + (at < bytes ? at : 0), there < n ? there : n, n,
		     at + n < end ? what & ~(u32)RX_END : what);
		e->reg[E1000_RDH] = e->reg[E1000_RDH] + 1 < count ? e->reg[E1000_RDH] + 1 : 0;
	}
}

static void count_frame(struct e1000 *e, const u8 *frame, u32 bytes)
{
	e1000_count(e, STAT_RECEIVED, STAT_RECEIVED_BYTES, bytes + FCS);
	if (is_broadcast(frame))
		e->statistics[STAT_BROADCAST]++;
	else if (frame[0] & 1)
		e->statistics[STAT_MULTICAST]++;
}

bool e1000_receive(struct e1000 *e, u8 *frame, u32 bytes, u32 flags)
{
	u32 rctl = e->reg[E1000_RCTL], count = e->reg[E1000_RDLEN] / DESCRIPTOR;
	u32 left = free_descriptors(e, count), need, what;
	u8 status = RX_DONE | RX_END;
	u16 tag = 0;
	bool tagged = is_tagged(e, frame, bytes);

	if (!e->there || !(rctl & RCTL_EN) || !wanted(e, frame, bytes, &status))
		return true;
	if (bytes > LONG_FRAME + (tagged ? ETHER_TAG : 0) && !(rctl & RCTL_LPE)) {
		e->statistics[STAT_TOO_LONG]++;
		return true;
	}
	need = ((bytes > SHORT_FRAME ? bytes : SHORT_FRAME) + FCS + buffer_bytes(e) - 1) /
	       buffer_bytes(e);
	if (need >= count && count) { /* it never will fit */
		e->statistics[STAT_MISSED]++;
		return true;
	}
	if (!e->master || left < need) {
		e->hungry = true;
		return false;
	}
	if (flags & NET_UNSUMMED && inet_complete(frame, bytes))
		flags |= NET_GOOD;
	status |= sums(e, frame, bytes, flags);
	count_frame(e, frame, bytes);
	e1000_count(e, STAT_ALL_RECEIVED, STAT_ALL_RECEIVED_BYTES, bytes + FCS);
	if (tagged && e->reg[E1000_CTRL] & CTRL_VME) {
		tag = take_tag(frame, &bytes);
		status |= RX_TAGGED;
	}
	for (; bytes < SHORT_FRAME; bytes++)
		frame[bytes] = 0;
	what = status | (u32)tag << 16;
	deliver(e, count, frame, bytes, what);
	e1000_cause(e, CAUSE_RECEIVED);
	if (left - need <= count >> (1 + (rctl >> 8 & 3)))
		e1000_cause(e, CAUSE_RECEIVE_FEW);
	return true;
}
