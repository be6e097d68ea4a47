/* SPDX-License-Identifier: GPL-2.0-only */
/* The disk controllers of the virtual PC, and their wires; disks.c says how they come to
 * be.  pc.h has what the owner calls. */
#ifndef VMIXEN_PC_DISKS_H
#define VMIXEN_PC_DISKS_H

#include "ahci.h"
#include "ide.h"

struct disks {
	bool there;	 /* at least one */
	u32 vdev[DISKS]; /* the number of each unit when it got its place; 0: it has none */
	struct ide ide;
	struct ahci ahci;
	struct ahci_page ahci_page; /* where ahci.page is, unless the owner has another page */
};

struct pc;

/* As after power on: none. */
void disks_reset(struct disks *d);

/* The guest's access to a port that no other device has; size is 1, 2 or 4 bytes.  False,
 * and nothing is done: it is no controller's, or must be accessed by bytes.  Only if there
 * are controllers. */
bool disks_in(struct pc *pc, u16 port, unsigned size, u32 *value);
bool disks_out(struct pc *pc, u16 port, unsigned size, u32 value);

#endif
