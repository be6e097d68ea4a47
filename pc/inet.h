/* SPDX-License-Identifier: GPL-2.0-only */
/* What a network card knows of IP: sums, and where things are (RFC 791, 793, 1071). */
#ifndef VMIXEN_PC_INET_H
#define VMIXEN_PC_INET_H

#include "base.h"

#define INET_TCP 6u
#define INET_UDP 17u
#define ETHER_HEADER 14u
#define ETHER_TAG 4u /* of a VLAN, between addresses and type */

static inline u32 inet_get16(const u8 *at)
{
	return (u32)at[0] << 8 | at[1];
}

static inline void inet_put16(u8 *at, u32 value)
{
	at[0] = value >> 8 & 0xFF;
	at[1] = value & 0xFF;
}

/* Adds bytes to a sum of 16-bit words that has begun at an even distance; up to 128 KB in
 * all.  The last of an odd number is the upper half of a word. */
u32 inet_add(u32 sum, const u8 *bytes, u32 n);
/* The one's complement sum, not yet inverted. */
u16 inet_fold(u32 sum);

struct inet_ipv4 {
	u32 at;	     /* of the IP header in the frame */
	u32 payload; /* and of what is behind it */
	u32 total;   /* the IP packet's length as it says itself */
	u8 protocol;
	bool fragment;
};

/* Looks for an IPv4 header in the first bytes of a frame, behind up to two VLAN tags; false if
 * there is none, or not all of it. */
bool inet_ipv4(const u8 *frame, u32 bytes, struct inet_ipv4 *ip);
/* The sum of the pseudo-header of so many bytes of TCP or UDP. */
u16 inet_pseudo(const u8 *frame, const struct inet_ipv4 *ip, u32 bytes);
/* Where the checksum is behind the IP header; 0 if the protocol is neither TCP nor UDP. */
u32 inet_checksum_at(u8 protocol);
/* Makes the IP header's checksum. */
void inet_sum_header(u8 *frame, const struct inet_ipv4 *ip);
/* Completes the checksum of a whole frame with TCP or UDP, whose field has the sum of the
 * pseudo-header; false if it is no such frame. */
bool inet_complete(u8 *frame, u32 bytes);

#endif
