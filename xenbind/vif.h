/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The front end of one network interface (xen/io/netif.h): frames of a model (pc/net.h) become
 * requests in one ring, and pages of ours, given in another, become frames.  vif.c says what is
 * kept true.
 *
 * It knows no xenstore; the owner calls vif_prepare() and so on as the conversation there
 * goes (xenbus.h).
 */
#ifndef VMIXEN_VIF_H
#define VMIXEN_VIF_H

#include "base.h"
#include "grant.h"
#include "pc/net.h"

#define VIF_PARTS 128u /* pieces of frames that the backend may have */
#define VIF_FRAMES 64u /* frames that these are of */
#define VIF_HEADERS (PAGE_SIZE / NET_HEADER)
#define VIF_OWN_PAGES 3u /* the rings and the headers */
#define VIF_PAGES 61u	 /* for received frames, at most */
/* Entries of the grant table: those pages', and one of each part. */
#define VIF_GRANTS (VIF_OWN_PAGES + VIF_PAGES + VIF_PARTS)

struct vif_frame {
	u8 tag;
	u8 left; /* parts that the backend has, or that are held */
};

struct vif {
	/* From the owner. */
	u8 *memory;		       /* VIF_OWN_PAGES and the pages for frames, as we see them */
	const u32 *frame;	       /* the frames of all of these */
	u32 pages;		       /* for received frames: 1 to VIF_PAGES */
	volatile struct grant *grants; /* VIF_GRANTS entries of the table */
	u32 first_grant;	       /* the first one's number */
	u32 handle;		       /* the interface's number, as the backend has it */

	bool ready;		 /* the rings are made */
	bool connected;		 /* and the backend is there */
	bool broken;		 /* it has answered what cannot be; for good */
	bool gone;		 /* there is no interface */
	bool stuck;		 /* that a page is still in use has been told */
	bool stalled;		 /* the guest has no memory for the frame that is next */
	bool checksum, segments; /* what the backend does */
	u16 domain;

	u32 tx_prod, tx_cons, rx_prod, rx_cons; /* our indices; the rings' are only written */
	u32 extras;				/* entries of tx that are no part's */
	u32 flying[VIF_PARTS / 32];		/* a bit for each part that the backend has */
	u32 held[VIF_PARTS / 32]; /* and for each that is answered, but its page still mapped */
	u32 posted[2];		  /* a bit for each page that the backend may fill */
	u32 headers;		  /* a bit for each that is in use */
	u32 busy[VIF_FRAMES / 32], ended[VIF_FRAMES / 32]; /* bits of frames */
	u8 frame_of[VIF_PARTS];				   /* the frame of each part */
	u8 header_of[VIF_PARTS]; /* its header, or VIF_HEADERS: it is a page of the guest's */
	struct vif_frame frames[VIF_FRAMES];
};

/* The members of the owner are set, all others 0. */

/* Makes new rings for the backend in domain and grants all that it needs.  false, with nothing
 * usable, if an earlier backend still has a page of ours. */
bool vif_prepare(struct vif *v, u16 domain);
/* The backend is there.  true if it must be told. */
bool vif_connect(struct vif *v, bool checksum, bool segments);
/* The backend is gone, and what it had is lost; another one may come. */
void vif_lose(struct vif *v);
/* There is no interface any more, and no further one here. */
void vif_end(struct vif *v);

/* net_send(); *tell if the backend must be told. */
enum net_sent vif_send(struct vif *v, const struct net_frame *f, bool *tell);
/* Takes what the backend has answered, and what has come; true if it must be told.  *more if
 * there is still more, of which no event will tell. */
bool vif_take(struct vif *v, bool *more);
/* Calls vif_sent() for what has ended.  Nothing else does. */
void vif_finish(struct vif *v);
static inline bool vif_has_ended(const struct vif *v)
{
	return v->ended[0] | v->ended[1];
}

/* --- implemented by the owner ----------------------------------------------------------- */

/* The frame of the guest's page gpfn, as the grant table names frames.  false if it is no
 * memory of the guest's. */
bool vif_guest_frame(u64 gpfn, u32 *frame);
/* pc_net_sent() and pc_net_receive() of the interface's unit. */
void vif_sent(struct vif *v, u8 tag);
bool vif_received(struct vif *v, u8 *page, u32 bytes, u32 flags);
/* Something that whoever runs the domain should know of the interface: one of these. */
enum vif_news {
	VIF_STRANGE_ANSWER, /* the backend has answered what cannot be */
	VIF_STILL_MAPPED,   /* it has a page that it should have given back */
};
void vif_tell(const struct vif *v, enum vif_news news);

#endif
