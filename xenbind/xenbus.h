/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The domain's devices as xenstore has them: which there are, and for each the conversation
 * by which it and its backend come to know each other (xen/io/xenbus.h, xen/io/blkif.h,
 * xen/io/netif.h).
 * xenbus.c says what is kept true.
 */
#ifndef VMIXEN_XENBUS_H
#define VMIXEN_XENBUS_H

#include "base.h"
#include "store.h"

#define XENBUS_PATH 96u /* bytes of a backend's path, its NUL included */

/* The kinds of devices, each with its own list.  The units of network interfaces come behind
 * those of disks. */
enum xenbus_kind { XENBUS_DISK, XENBUS_NET, XENBUS_KINDS };
#define XENBUS_DISKS 8u /* at most */
#define XENBUS_NETS 2u	/* likewise */
#define XENBUS_DEVICES (XENBUS_DISKS + XENBUS_NETS)

/* What a device's backend says of it, and its place in xenstore. */
struct xenbus_answers {
	/* A disk's. */
	u64 sectors;
	u32 sector_size;
	u32 info; /* VDISK_ bits */
	bool cdrom;
	bool flush, barrier; /* what it can do to bring data to the host's disk */
	/* A network interface's. */
	bool has_mac;
	u8 mac[6];
	bool rx_copy;  /* the backend copies what comes */
	bool pieces;   /* a frame may be of several pieces */
	bool segments; /* it cuts IPv4 with TCP */
	bool no_sums;  /* it makes no checksums */
};

struct xenbus_device {
	u32 number;	 /* in device/vbd or device/vif */
	bool used;	 /* there is such a device */
	bool listed;	 /* it was in the last list */
	bool refused;	 /* it is not to be used, whatever its backend does */
	bool ask;	 /* the backend's state may be another one than theirs */
	bool waits;	 /* a request is under way: */
	u8 serial;	 /* of the last one, so that no answer to an earlier one is taken for it */
	u8 step;	 /* enum step (xenbus.c) */
	u8 ours, theirs; /* enum xenbus_state; theirs is 0 when there is none */
	u16 domain;	 /* the backend's */
	u32 ring_ref, port; /* what xenbus_prepare() has made; of a network interface the ring */
	u32 rx_ref;	    /* for sending, and that for what comes */
	struct xenbus_answers answers;
	char backend[XENBUS_PATH];
};

/* The list of the devices of a kind. */
struct xenbus_list {
	bool ask, asked; /* it must be asked for, is asked for */
	bool answered;	 /* at least once */
	bool watch;	 /* the watch of it must be asked for */
};

struct xenbus {
	struct store *store;
	struct xenbus_list list[XENBUS_KINDS];
	struct xenbus_device device[XENBUS_DEVICES];
};

static inline enum xenbus_kind xenbus_kind_of(unsigned unit)
{
	return unit < XENBUS_DISKS ? XENBUS_DISK : XENBUS_NET;
}

/* Asks for the devices, and to be told of new ones.  No answer is waited for. */
void xenbus_start(struct xenbus *b, struct store *s);
/* The domain goes on as a new one, with other backends, and a talk with xenstored that has just
 * begun: the same, but a device keeps its place.  Of each that had a backend xenbus_lost() is
 * called. */
void xenbus_resume(struct xenbus *b);
/* Is the message for us?  If so it is acted on. */
bool xenbus_message(struct xenbus *b, const struct store_message *m);
/* Puts requests into the ring, as many as there is room for: at the end of each look, and
 * when one of the functions below has been called. */
void xenbus_push(struct xenbus *b);
/* Is every device connected, or is nothing more to be expected of it for now? */
bool xenbus_settled(const struct xenbus *b);

/* The backend wants to close, and nothing of the device's is under way with it any more. */
void xenbus_drained(struct xenbus *b, unsigned unit);
/* The device is not to be used any more: the backend is told that we have closed. */
void xenbus_refuse(struct xenbus *b, unsigned unit);

/* --- what happens to devices; implemented by their owner -------------------------------- */

/* The backend waits for rings and event channel: makes them, for d->domain, and sets
 * d->ring_ref, d->port and, of a network interface, d->rx_ref.  false if that cannot be done, as
 * when what the backend had before is still mapped. */
bool xenbus_prepare(unsigned unit, struct xenbus_device *d);
/* The backend is connected, and d->answers is what it says.  false to refuse the device. */
bool xenbus_connected(unsigned unit, struct xenbus_device *d);
/* The backend wants to close: nothing new is given to it.  true if nothing is under way; if
 * not, xenbus_drained() is called when that is so. */
bool xenbus_closing(unsigned unit);
/* The backend is gone, and may come back. */
void xenbus_lost(unsigned unit);
/* There is no such device any more. */
void xenbus_gone(unsigned unit);
/* There is no place for the device of this kind with this number. */
void xenbus_no_place(enum xenbus_kind kind, u32 number);

#endif
