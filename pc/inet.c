/* SPDX-License-Identifier: GPL-2.0-only */
/* See inet.h.  Every length is one of a frame that somebody else has made, and is compared with
 * what there is. */
#include "inet.h"

#define TYPE_AT 12u
#define TYPE_IPV4 0x0800u
#define TYPE_VLAN 0x8100u
#define TAGS 2u /* one in another */
#define IP_LEAST 20u
#define IP_TOTAL 2u
#define IP_FRAGMENT 6u
#define IP_PROTOCOL 9u
#define IP_SUM 10u
#define IP_ADDRESSES 12u
#define FRAGMENT_BITS 0x3FFFu /* more fragments, and the offset */

u32 inet_add(u32 sum, const u8 *bytes, u32 n)
{
	for (; n > 1; n -= 2, bytes += 2)
		sum += inet_get16(bytes);
	return n ? sum + ((u32)bytes[0] << 8) : sum;
}

u16 inet_fold(u32 sum)
{
	sum = (sum & 0xFFFF) + (sum >> 16);
	sum = (sum & 0xFFFF) + (sum >> 16);
	return (u16)sum;
}

bool inet_ipv4(const u8 *frame, u32 bytes, struct inet_ipv4 *ip)
{
	u32 type = TYPE_AT, header;

	for (u32 i = 0; i < TAGS && type + 2 <= bytes && inet_get16(frame + type) == TYPE_VLAN; i++)
		type += ETHER_TAG;
	ip->at = type + 2;
	if (ip->at + IP_LEAST > bytes || inet_get16(frame + type) != TYPE_IPV4)
		return false;
	frame += ip->at;
	header = (frame[0] & 0xFu) * 4;
	ip->payload = ip->at + header;
	ip->total = inet_get16(frame + IP_TOTAL);
	ip->protocol = frame[IP_PROTOCOL];
	ip->fragment = inet_get16(frame + IP_FRAGMENT) & FRAGMENT_BITS;
	return frame[0] >> 4 == 4 && header >= IP_LEAST && ip->payload <= bytes;
}

u16 inet_pseudo(const u8 *frame, const struct inet_ipv4 *ip, u32 bytes)
{
	return inet_fold(inet_add(bytes + ip->protocol, frame + ip->at + IP_ADDRESSES, 8));
}

u32 inet_checksum_at(u8 protocol)
{
	return protocol == INET_TCP ? 16 : protocol == INET_UDP ? 6 : 0;
}

void inet_sum_header(u8 *frame, const struct inet_ipv4 *ip)
{
	u8 *field = frame + ip->at + IP_SUM;

	inet_put16(field, 0);
	inet_put16(field, (u16)~inet_fold(inet_add(0, frame + ip->at, ip->payload - ip->at)));
}

bool inet_complete(u8 *frame, u32 bytes)
{
	struct inet_ipv4 ip;
	u32 at, sum;

	if (!inet_ipv4(frame, bytes, &ip) || ip.fragment)
		return false;
	at = ip.payload + inet_checksum_at(ip.protocol);
	if (at == ip.payload || at + 2 > bytes || ip.at + ip.total > bytes ||
	    ip.total < at + 2 - ip.at)
		return false;
	sum = (u16)~inet_fold(inet_add(0, frame + ip.payload, ip.at + ip.total - ip.payload));
	/* In UDP 0 is "none", and FFFF the same sum. */
	inet_put16(frame + at, sum || ip.protocol != INET_UDP ? sum : 0xFFFF);
	return true;
}
