/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: Linux boot protocol (Documentation/x86/boot.txt): kernel_alignment,
 * relocatable_kernel, pref_address, init_size.
 *
 * A relocatable kernel unpacks itself at the first multiple of its alignment from where
 * it was loaded, and any other kernel at its preferred address.  From there on it needs
 * init_size bytes of memory.  Protocols before 2.10 tell neither address nor size.  Then
 * the alignment is taken, which the address cannot be below, and four times the size of
 * the compressed kernel, which an unpacked one does not exceed.
 */
#include "room.h"

#define HDR_SETUP_SECTS 0x1F1
#define HDR_JUMP 0x201 /* its operand tells where the header ends */
#define HDR_VERSION 0x206
#define HDR_ALIGNMENT 0x230
#define HDR_RELOCATABLE 0x234
#define HDR_PREF_ADDRESS 0x258
#define HDR_INIT_SIZE 0x260

#define BEYOND_ALL (1ull << 36) /* no domain has memory there */

#define VERSION_ALIGNMENT 0x205
#define VERSION_INIT_SIZE 0x20A

static u32 get(const u8 *p, u32 at, u32 bytes)
{
	u32 value = 0;

	while (bytes--)
		value = value << 8 | p[at + bytes];
	return value;
}

/* Has the header a field of so many bytes at offset at, which came with that version? */
static bool has(const u8 *image, u32 version, u32 at, u32 bytes)
{
	return get(image, HDR_VERSION, 2) >= version && at + bytes <= 0x202u + image[HDR_JUMP];
}

/* The first multiple of alignment from KERNEL_AT on. */
static u64 aligned(u32 alignment)
{
	if (!alignment)
		return KERNEL_AT;
	if (alignment > KERNEL_AT)
		return alignment;
	return (KERNEL_AT + alignment - 1) / alignment * alignment;
}

void room_of_kernel(const u8 *image, u32 bytes, struct room *room)
{
	u32 sects = image[HDR_SETUP_SECTS] ? image[HDR_SETUP_SECTS] : 4;
	u32 loaded = bytes - (sects + 1) * 512;
	u64 need = 4 * (u64)loaded;

	room->loaded_end = KERNEL_AT + (u64)loaded;
	room->start = KERNEL_AT;
	if (has(image, VERSION_ALIGNMENT, HDR_RELOCATABLE, 1))
		room->start = aligned(get(image, HDR_ALIGNMENT, 4));
	if (has(image, VERSION_INIT_SIZE, HDR_INIT_SIZE, 4)) {
		need = get(image, HDR_INIT_SIZE, 4);
		if (need < loaded)
			need = loaded;
		if (!image[HDR_RELOCATABLE])
			room->start = get(image, HDR_PREF_ADDRESS, 4) |
				      (u64)get(image, HDR_PREF_ADDRESS + 4, 4) << 32;
	}
	if (room->start < KERNEL_AT)
		room->start = KERNEL_AT;
	if (room->start > BEYOND_ALL)
		room->start = BEYOND_ALL;
	room->end = room->start + need;
}

static u64 frame_at(u64 address)
{
	return address >> PAGE_SHIFT;
}

static u64 frame_behind(u64 address)
{
	return (address + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

/* May an area of so many frames begin at frame at? */
static bool fits(const struct room *r, u64 at, u32 area, u32 memory)
{
	u64 end = at + area;

	return at >= frame_behind(r->loaded_end) && end <= memory &&
	       (end <= frame_at(r->start) || at >= frame_behind(r->end));
}

u32 room_beside(const struct room *r, u32 wanted, u32 area, u32 memory)
{
	u64 below = frame_at(r->start) > area ? frame_at(r->start) - area : 0;
	const u64 places[] = {wanted, frame_behind(r->end), below};

	if (frame_behind(r->end) > memory)
		return 0;
	for (u32 i = 0; i < ARRAY_SIZE(places); i++)
		if (fits(r, places[i], area, memory))
			return (u32)places[i];
	return 0;
}

u64 room_needed(const struct room *r, u32 area)
{
	u64 end = frame_behind(r->end > r->loaded_end ? r->end : r->loaded_end);

	return frame_behind(r->loaded_end) + area <= frame_at(r->start) ? end : end + area;
}
