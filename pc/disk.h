/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The seam between the models of disk controllers, which know no Xen, and the front ends that
 * have the data, which know no registers.
 *
 * A model keeps a struct disk_request for each command that may be under way, fills it, and
 * gives it to disk_submit().  The data go straight between the backend and guest memory: the
 * front end asks the request for one piece of guest memory after another whenever it has
 * room for it, so a request of any length keeps its place and needs no copy of its table.
 *
 * Kept true: from disk_submit() until done() the request is the front end's; done() is called
 * exactly once, never from within disk_submit(), and the backend touches no page of the
 * request's any more when it is.
 */
#ifndef VMIXEN_PC_DISK_H
#define VMIXEN_PC_DISK_H

#include "base.h"

#define DISKS 8		 /* units at most, of all controllers together */
#define DISK_SECTOR 512u /* bytes */

enum disk_op { DISK_READ, DISK_WRITE, DISK_FLUSH };

enum disk_status {
	DISK_OK,
	DISK_MEDIUM,  /* the host could not read or write the data */
	DISK_MEMORY,  /* a piece is no memory of the guest's, or the table has too few of them */
	DISK_ABSENT,  /* no backend, or none any more */
	DISK_REFUSED, /* a write to a read-only disk, or sectors behind the end */
};

/* Guest-physical memory of any length and alignment that does not wrap around 2^64, or
 * memory of the model's own: the data of a command whose bytes the guest moves through a
 * register. */
struct disk_piece {
	u64 gpa;
	void *own; /* not NULL: this, in place of gpa */
	u32 bytes; /* not 0 */
};

struct disk_request {
	u8 op; /* enum disk_op */
	/* The first one.  Behind DISK_MEDIUM the first that could not be read or written, as
	 * far as is known: the front end may have moved it on. */
	u64 sector;
	u32 sectors; /* 0 in a flush */
	/* Answers the next piece of the request's memory; false when there is no further one,
	 * or when the guest has given the command up: nothing more is to be transferred. */
	bool (*next)(struct disk_request *r, struct disk_piece *piece);
	void (*done)(struct disk_request *r, enum disk_status status);
	/* The front end's, from disk_submit() to done(). */
	struct disk_request *queue; /* the next one that waits */
	struct disk_piece piece;    /* what is left of the piece that was begun; 0 bytes: nothing */
	u32 sectors_left, in_flight; /* not sent yet; parts at the backend */
	u8 status;
};

/* What the guest may be told of a unit. */
struct disk_info {
	u64 sectors; /* 0: there is no such disk, or nothing in the CD-ROM drive */
	bool read_only, cdrom;
	bool flush; /* the host keeps written data back until DISK_FLUSH */
	u32 vdev;   /* Xen's number of it: controller and place (vdev.h) */
};

/* Implemented by the owner of the models (monitor/io/fronts.c); in unit tests by a file of memory.
 * unit: below DISKS. */
void disk_info(unsigned unit, struct disk_info *info);
void disk_submit(unsigned unit, struct disk_request *r);
/* Calls done() of the unit's requests that have ended by now, for a guest that waits for
 * them with its interrupts off: a model calls it before a register is read that says so. */
void disk_poll(unsigned unit);

/* Implemented by the models (pc/disks.c): unit has come, gone or changed what disk_info()
 * answers of it. */
struct pc;
void pc_disk_changed(struct pc *pc, unsigned unit);

#endif
