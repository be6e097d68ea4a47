/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The domain's devices as xenstore has them: which there are, and for each the conversation
 * by which it and its backend come to know each other (xen/io/xenbus.h, xen/io/blkif.h).
 * xenbus.c says what is kept true.
 */
#ifndef VMIXEN_XENBUS_H
#define VMIXEN_XENBUS_H

#include "base.h"
#include "store.h"

#define XENBUS_DEVICES 8u /* of one kind, at most */
#define XENBUS_PATH 96u	  /* bytes of a backend's path, its NUL included */

/* What a disk's backend says of it, and its place in xenstore. */
struct xenbus_answers {
	u64 sectors;
	u32 sector_size;
	u32 info; /* VDISK_ bits */
	bool cdrom;
	bool flush, barrier; /* what it can do to bring data to the host's disk */
};

struct xenbus_device {
	u32 number;	 /* in device/vbd */
	bool used;	 /* there is such a device */
	bool listed;	 /* it was in the last list */
	bool refused;	 /* it is not to be used, whatever its backend does */
	bool ask;	 /* the backend's state may be another one than theirs */
	bool waits;	 /* a request is under way: */
	u8 serial;	 /* of the last one, so that no answer to an earlier one is taken for it */
	u8 step;	 /* enum step (xenbus.c) */
	u8 ours, theirs; /* enum xenbus_state; theirs is 0 when there is none */
	u16 domain;	 /* the backend's */
	u32 ring_ref, port; /* what xenbus_prepare() has made */
	struct xenbus_answers answers;
	char backend[XENBUS_PATH];
};

struct xenbus {
	struct store *store;
	bool list, listing; /* the list must be asked for, is asked for */
	bool listed;	    /* it has been answered at least once */
	bool watch;	    /* the watch of it must be asked for */
	struct xenbus_device device[XENBUS_DEVICES];
};

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

/* The backend waits for ring and event channel: makes them, for d->domain, and sets
 * d->ring_ref and d->port.  false if that cannot be done, as when what the backend had
 * before is still mapped. */
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
/* There is no place for the device with this number in device/vbd. */
void xenbus_no_place(u32 number);

#endif
