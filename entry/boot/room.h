/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a bzImage needs of memory, and where beside it the boot area finds a
 * place: arithmetic alone, for the domain entry, for mkrom wrap, and for tests.
 */
#ifndef VMIXEN_ROOM_H
#define VMIXEN_ROOM_H

#include "base.h"

#define KERNEL_AT 0x100000u /* where the protected-mode part is loaded, guest-physical */

/* Guest-physical addresses; it begins at KERNEL_AT. */
struct room {
	u64 loaded_end; /* behind what is loaded */
	u64 start, end; /* where it unpacks itself and runs */
};

/* image: a bzImage of so many bytes, which are more than its setup code's. */
void room_of_kernel(const u8 *image, u32 bytes, struct room *room);

/* The first frame for an area of so many frames in a memory of so many frames, in
 * which the kernel keeps its room: `wanted` if it may lie there; 0 if it may lie
 * nowhere. */
u32 room_beside(const struct room *room, u32 wanted, u32 area, u32 memory);

/* The frames that a memory must have for that. */
u64 room_needed(const struct room *room, u32 area);

#endif
