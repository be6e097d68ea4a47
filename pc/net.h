/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The seam between the models of network cards, which know no Xen, and the front ends that
 * carry frames, which know no registers.
 *
 * Sending: a model hands a frame to net_send(), which takes all of it or nothing.  The bytes go
 * straight from guest memory to the backend; what the model had to change of a frame's first
 * bytes it gives as a copy of its own.  Checksums and the cutting into TCP segments are asked
 * for, not made, as far as net_info() says that the backend can.
 *
 * Receiving: a frame lies in a page of the front end's, and pc_net_receive() copies it.
 *
 * Kept true: of each frame that net_send() has taken pc_net_sent() is called exactly once,
 * never from within net_send(), and the backend reads no page of the frame any more when it
 * is.
 */
#ifndef VMIXEN_PC_NET_H
#define VMIXEN_PC_NET_H

#include "base.h"

#define NETS 2u		 /* units at most */
#define NET_PIECES 17u	 /* of one page each, of a frame in guest memory */
#define NET_HEADER 256u	 /* bytes at most of a copy */
#define NET_FRAME 65535u /* bytes at most of a frame */
#define NET_SHORTEST 14u /* bytes at least: both addresses and the type */
#define NET_MAC 6u	 /* bytes of an address */

/* Guest-physical memory that lies in one page. */
struct net_piece {
	u64 gpa;
	u32 bytes; /* not 0 */
};

/* A frame without its checksum (FCS): header_bytes of header, then the pieces. */
struct net_frame {
	/* The model's own; copied in net_send().  It, or else the first piece, has
	 * NET_SHORTEST bytes at least. */
	const u8 *header;
	u32 header_bytes; /* NET_HEADER at most; 0: all is in the pieces */
	u32 bytes;	  /* in all: from NET_SHORTEST to NET_FRAME */
	u32 pieces;
	struct net_piece piece[NET_PIECES];
	/* An IPv4 frame with TCP or UDP, whose checksum field has the sum of the
	 * pseudo-header: the rest of the checksum is still to be made. */
	bool checksum;
	u16 mss; /* not 0: and TCP is to be cut into segments with so many bytes of data */
	u8 tag;	 /* for pc_net_sent() */
};

enum net_sent {
	NET_TAKEN,
	NET_WAITS, /* there is no room; pc_update_nets() will be called when there may be */
	NET_LOST,  /* there is no link, or a piece is no memory of the guest's */
};

/* What the guest may be told of a unit. */
struct net_info {
	bool there; /* there is, or was, such a unit: it keeps its card */
	bool link;  /* and a backend that is connected */
	u8 mac[NET_MAC];
	bool checksum, segments; /* what the backend does: see struct net_frame */
};

/* What is known of a received frame: bits of flags. */
#define NET_GOOD 1u	/* its TCP or UDP checksum is right */
#define NET_UNSUMMED 2u /* its checksum is still to be made, as in struct net_frame */

/* Implemented by the owner of the models; in unit tests by a program's own. unit: below
 * NETS. */
void net_info(unsigned unit, struct net_info *info);
enum net_sent net_send(unsigned unit, const struct net_frame *frame);
/* The guest has given memory for frames: what was refused may be offered again. */
void net_ready(unsigned unit);
/* Brings what has come by now, for a guest that waits for it with its interrupts off: a
 * model calls it before a register is read that says so. */
void net_poll(unsigned unit);

/* Implemented by the models. */
struct pc;
/* The unit has come, or changed what net_info() answers of it. */
void pc_net_changed(struct pc *pc, unsigned unit);
/* The frame with this tag is sent, or lost; pc_update_nets() follows. */
void pc_net_sent(struct pc *pc, unsigned unit, u8 tag);
/* A frame has come, of NET_SHORTEST to PAGE_SIZE bytes, in memory that the model may write to, at
 * least 64 bytes of it.
 * false: the guest has no memory for it now, and net_ready() will be called. */
bool pc_net_receive(struct pc *pc, unsigned unit, u8 *frame, u32 bytes, u32 flags);

#endif
