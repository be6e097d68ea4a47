/* SPDX-License-Identifier: GPL-2.0-only */
/* The network cards of the virtual PC, and their wires; nets.c says how they come to be.
 * pc.h has what the owner calls. */
#ifndef VMIXEN_PC_NETS_H
#define VMIXEN_PC_NETS_H

#include "e1000.h"

struct nets {
	bool there; /* at least one */
	struct e1000 card[NETS];
};

struct pc;

/* As after power on: none. */
void nets_reset(struct nets *n);

/* The guest's access to a port that no other device has, or to memory within one page; false,
 * and nothing is done: it is no card's.  Only if there are cards. */
bool nets_in(struct pc *pc, u16 port, unsigned size, u32 *value);
bool nets_out(struct pc *pc, u16 port, unsigned size, u32 value);
bool nets_read(struct pc *pc, u64 gpa, void *to, u32 bytes);
bool nets_write(struct pc *pc, u64 gpa, const void *from, u32 bytes);

#endif
