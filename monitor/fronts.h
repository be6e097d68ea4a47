/* SPDX-License-Identifier: GPL-2.0-only */
/* The domain's disks and network interfaces: what xenstore, backends and the models of controllers
 * and cards have to do with each other.  monitor/io/fronts.c has the functions, and implements
 * pc/disk.h for the models; nets.c has what is the network's alone, and implements pc/net.h. */
#ifndef VMIXEN_FRONTS_H
#define VMIXEN_FRONTS_H

#include "base.h"
#include "pc/net.h"
#include "xenbind/blk.h"
#include "xenbind/vif.h"
#include "xenbind/xenbus.h"

/* A network interface. */
struct net_front {
	struct vif vif;
	struct net_info info; /* as its card is told */
	u32 port;	      /* of its backend; 0: none */
	bool shown;	      /* the models know of it */
};

struct fronts {
	struct xenbus xenbus;
	struct blk blk[DISKS];
	u32 port[DISKS]; /* of each disk's backend; 0: none */
	u32 self_port;	 /* for requests that end at once; 0: not bound yet */
	u32 grant_pages; /* of the grant table that are mapped */
	u32 grants;	 /* entries of it that have an owner */
	u32 net_pages;	 /* of WIN_DISKS, at its end, that are network interfaces' */
	struct net_front net[NETS];
	bool shown[DISKS];   /* the models know of it */
	bool drained[DISKS]; /* a backend that closes knows that nothing is under way */
	bool running;	     /* the guest */
};

/* The start of the domain: finds the devices and connects them, for which they have five
 * seconds in all; the guest does not run yet. */
void fronts_start(void);
/* The domain is about to be suspended; what is in flight is noted, to be sent again. */
void fronts_suspend(void);
/* It goes on as a new one: finds its devices again and connects them, while the guest runs. */
void fronts_resume(void);
/* The event channel port has an event: if it is a device's, takes what has come. */
void fronts_event(u32 port);

/* --- what fronts.c has for nets.c ------------------------------------------------------ */

/* An event channel to a backend.  fronts_open() puts its number into *port, or answers false;
 * what there was before is closed. */
bool fronts_open(u32 *port, u16 domain);
void fronts_close(u32 *port);
void fronts_notify(u32 port);
/* An event for ourselves, as soon as the guest goes on. */
void fronts_remind(void);
/* So many entries of the grant table, for good: the first one's number, or 0 if Xen gives no
 * more. */
u32 fronts_grants(u32 count);
/* Pages of WIN_DISKS that no disk has. */
u32 fronts_pages_left(void);

/* --- and nets.c for fronts.c: the functions of xenbus.h, of a network's unit, and others ---- */

bool nets_prepare(unsigned unit, struct xenbus_device *d);
bool nets_connected(unsigned unit, struct xenbus_device *d);
void nets_lost(unsigned unit);
void nets_gone(unsigned unit);
/* Of every unit: the domain goes on as a new one, with no event channel and another grant table;
 * nets_lost() follows. */
void nets_resume(void);
/* Of every unit: an event of our own; and the guest begins to run. */
void nets_reminded(void);
void nets_show(void);
/* The event of this port; false if it is none of a network's. */
bool nets_event(u32 port);

#endif
