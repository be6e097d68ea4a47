/* SPDX-License-Identifier: GPL-2.0-only */
/* The domain's disks: what xenstore, backends and the models of controllers have to do with
 * each other.  monitor/io/fronts.c has the functions, and implements pc/disk.h for the models. */
#ifndef VMIXEN_FRONTS_H
#define VMIXEN_FRONTS_H

#include "base.h"
#include "xenbind/blk.h"
#include "xenbind/xenbus.h"

struct fronts {
	struct xenbus xenbus;
	struct blk blk[DISKS];
	u32 port[DISKS];     /* of each disk's backend; 0: none */
	u32 self_port;	     /* for requests that end at once; 0: not bound yet */
	u32 grant_pages;     /* of the grant table that are mapped */
	bool shown[DISKS];   /* the models know of it */
	bool drained[DISKS]; /* a backend that closes knows that nothing is under way */
	bool running;	     /* the guest */
};

/* The start of the domain: finds the disks and connects them, for which they have five
 * seconds in all; the guest does not run yet. */
void fronts_start(void);
/* The domain is about to be suspended; what is in flight is noted, to be sent again. */
void fronts_suspend(void);
/* It goes on as a new one: finds its disks again and connects them, while the guest runs. */
void fronts_resume(void);
/* The event channel port has an event: if it is a disk's, takes what has come. */
void fronts_event(u32 port);

#endif
