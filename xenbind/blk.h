/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The front end of one disk (xen/io/blkif.h): requests of the models (pc/disk.h) become
 * requests in a ring that the backend serves.  blk.c says what is kept true.
 *
 * It knows no xenstore; the owner calls blk_prepare() and so on as the conversation there
 * goes (xenbus.h).
 */
#ifndef VMIXEN_BLK_H
#define VMIXEN_BLK_H

#include "base.h"
#include "grant.h"
#include "pc/disk.h"

#define BLK_PARTS 32u	 /* requests in the ring */
#define BLK_SEGMENTS 11u /* pieces of pages in one of them */
/* Entries of the grant table: the ring's, the bounce page's, and those of each part. */
#define BLK_GRANTS (2 + BLK_PARTS * BLK_SEGMENTS)

/* A request in the ring, and what is needed to send it again. */
struct blk_part {
	struct disk_request *request;
	u64 sector;
	u16 sectors;
	u8 op; /* BLKIF_OP_ */
	u8 segments;
	bool bounce;	     /* its only segment is the bounce page */
	u8 at[BLK_SEGMENTS]; /* first sector in the page | last << 4 */
};

struct blk_list {
	struct disk_request *first, *last; /* by disk_request.queue */
};

struct blk {
	/* From the owner. */
	volatile void *ring; /* a page, as we see it, and its frame */
	u32 ring_frame;
	u8 *bounce;
	u32 bounce_frame;
	volatile struct grant *grants; /* BLK_GRANTS entries of the table */
	u32 first_grant;	       /* the first one's number */
	u32 handle;		       /* the disk's number, as the backend has it */

	bool ready;	/* the ring is made */
	bool connected; /* and the backend is there */
	bool draining;	/* it gets nothing new */
	bool broken;	/* it has answered what cannot be; for good */
	bool gone;	/* there is no disk */
	bool stuck;	/* that a page is still in use has been told */
	u8 flush_op;	/* BLKIF_OP_ for a flush; 0: what is written is on the disk */
	u16 domain;
	struct disk_info info;

	u32 req_prod, rsp_cons; /* our indices; the ring's are only written */
	u32 flying;		/* a bit for each part that the backend has */
	u32 held;		/* and for each that is answered, but a page of it still mapped */
	struct disk_request *bouncing; /* that has the bounce page */
	struct blk_list waiting, ended;
	struct blk_part part[BLK_PARTS];
	u32 frame[BLK_GRANTS]; /* of each grant, while the table is another one (blk_keep()) */
};

/* The members of the owner are set, all others 0.  Before blk_connect() requests wait. */

/* Makes a new, empty ring for the backend in domain and grants it.  false, with nothing
 * changed, if an earlier backend still has a page of ours. */
bool blk_prepare(struct blk *b, u16 domain);
/* The backend is there, and what it has said is in info; flush_op is its operation for a flush
 * or 0.  All that is in flight is sent again.  true if the backend must be told. */
bool blk_connect(struct blk *b, const struct disk_info *info, u8 flush_op);
/* Nothing new is given to the backend; true if nothing is in flight. */
bool blk_drain(struct blk *b);
/* The backend is gone.  What is in flight waits for the next one. */
void blk_lose(struct blk *b);
/* Notes what is in flight, for the grant table, or all of the domain, may become another one. */
void blk_keep(struct blk *b);
/* The table at b->grants is a new one, and nobody has a page of ours: what is in flight waits for
 * the next backend. */
void blk_kept(struct blk *b);
/* There is no disk any more, and no further one here: all requests end. */
void blk_end(struct blk *b);

/* disk_submit(); true if the backend must be told. */
bool blk_submit(struct blk *b, struct disk_request *r);
/* Takes the backend's answers, and sends what waits; true if the backend must be told. */
bool blk_take(struct blk *b);
/* Calls done() of what has ended.  Nothing else does. */
void blk_finish(struct blk *b);
static inline bool blk_has_ended(const struct blk *b)
{
	return b->ended.first;
}

/* --- implemented by the owner ----------------------------------------------------------- */

/* The frame of the guest's page gpfn, as the grant table names frames.  false if it is no
 * memory of the guest's. */
bool blk_guest_frame(u64 gpfn, u32 *frame);
/* Something that whoever runs the domain should know of the disk: one of these. */
enum blk_news {
	BLK_STRANGE_ANSWER, /* the backend has answered what cannot be */
	BLK_STILL_MAPPED,   /* it has a page that it should have given back */
};
void blk_tell(const struct blk *b, enum blk_news news);

#endif
