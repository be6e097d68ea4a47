/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much memory a bzImage needs, and where beside it the boot area finds a place.  This
 * is arithmetic alone, so that the domain entry, mkrom wrap and tests can use it.
 */
#ifndef VMIXEN_ROOM_H
#define VMIXEN_ROOM_H

#include "base.h"

#define KERNEL_AT 0x100000u /* where the protected-mode part is loaded, guest-physical */

/* The memory that a kernel needs, as guest-physical addresses: from KERNEL_AT to loaded_end,
 * and from start to end. */
struct room {
	u64 loaded_end; /* behind what is loaded */
	u64 start, end; /* where it unpacks itself and runs */
};

/* Fills *room for a bzImage of so many bytes, which must be more than its setup code. */
void room_of_kernel(const u8 *image, u32 bytes, struct room *room);

/* Finds a place for an area of so many frames that does not overlap the kernel's room, in a
 * memory of so many frames.  The area's first frame: wanted if it may lie there, else
 * another, or 0 if it may lie nowhere. */
u32 room_beside(const struct room *room, u32 wanted, u32 area, u32 memory);

/* How many frames a memory must have to have a place for such an area. */
u64 room_needed(const struct room *room, u32 area);

#endif
