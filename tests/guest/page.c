/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames.  Ranges come from the E820 map; frames are handed out upwards, and
 * freed ones first, last in first out, so that what was a page table is data
 * soon.  Freed frames are linked through their first word.
 */
#include "mm.h"

#define E820_COUNT 0x1e8
#define E820_MAP 0x2d0
#define E820_RAM 1
#define RAMDISK_IMAGE 0x218
#define RANGES 16
#define NO_FRAME 0xffffffffu

struct e820 {
	u64 start, size;
	u32 type;
} packed;

extern u8 boot_params[4096];

static struct range {
	u32 next, end;
} ranges[RANGES];
static u32 range_count, free_list = NO_FRAME, free_count, top;
static u16 *refs;

static void add_range(u32 start, u32 end)
{
	if (start >= end || range_count == RANGES)
		return;
	ranges[range_count++] = (struct range){start, end};
	free_count += end - start;
}

/* Adds the parts of RAM in [low, high), in bytes. */
static void add_ram(u64 low, u64 high)
{
	const struct e820 *map = (const void *)(boot_params + E820_MAP);

	for (u32 i = 0; i < boot_params[E820_COUNT]; i++) {
		u64 start = map[i].start, end = start + map[i].size;

		if (map[i].type != E820_RAM)
			continue;
		if (start < low)
			start = low;
		if (end > high)
			end = high;
		if (start < end)
			add_range((u32)((start + PAGE_SIZE - 1) >> PAGE_SHIFT),
				  (u32)(end >> PAGE_SHIFT));
	}
}

static void find_top(void)
{
	const struct e820 *map = (const void *)(boot_params + E820_MAP);

	for (u32 i = 0; i < boot_params[E820_COUNT]; i++) {
		u64 end = map[i].start + map[i].size;

		if (map[i].type != E820_RAM)
			continue;
		if (end > LOWMEM_MAX)
			end = LOWMEM_MAX;
		if (end >> PAGE_SHIFT > top)
			top = (u32)(end >> PAGE_SHIFT);
	}
}

void each_last_frame(void (*look)(u32 pfn))
{
	const struct e820 *map = (const void *)(boot_params + E820_MAP);

	for (u32 i = 0; i < boot_params[E820_COUNT]; i++)
		if (map[i].type == E820_RAM)
			look((u32)((map[i].start + map[i].size) >> PAGE_SHIFT) - 1);
}

/* The end of what may be used: a ramdisk stays as it is. */
static u32 limit(void)
{
	u32 image;

	memcpy(&image, boot_params + RAMDISK_IMAGE, sizeof(image));
	image &= ~(PAGE_SIZE - 1);
	return image && image < top << PAGE_SHIFT ? image : top << PAGE_SHIFT;
}

void page_init(u32 first)
{
	u32 end, start = first;

	find_top();
	end = limit() < BOOT_MAP ? limit() : BOOT_MAP;
	refs = phys_to_virt(start);
	start += (top * sizeof(*refs) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	if (start + 0x200000 > end)
		died("fewer than 2 MB of memory are left");
	memset(refs, 0, top * sizeof(*refs));
	add_ram(start, end);
}

void page_init_rest(void)
{
	add_ram(BOOT_MAP, limit());
}

u32 page_alloc(void)
{
	u32 pfn = free_list;

	if (pfn != NO_FRAME) {
		free_list = *(u32 *)page_address(pfn);
	} else {
		struct range *r = ranges;

		while (r < ranges + range_count && r->next == r->end)
			r++;
		if (r == ranges + range_count)
			died("out of memory");
		pfn = r->next++;
	}
	free_count--;
	refs[pfn] = 1;
	return pfn;
}

u32 page_alloc_zeroed(void)
{
	u32 pfn = page_alloc();

	memset(page_address(pfn), 0, PAGE_SIZE);
	return pfn;
}

void page_get(u32 pfn)
{
	refs[pfn]++;
}

void page_put(u32 pfn)
{
	if (pfn >= top || !refs[pfn])
		died("a frame without references was freed");
	if (--refs[pfn])
		return;
	*(u32 *)page_address(pfn) = free_list;
	free_list = pfn;
	free_count++;
}

u32 page_refs(u32 pfn)
{
	return refs[pfn];
}

u32 page_free_count(void)
{
	return free_count;
}

u32 lowmem_pages(void)
{
	return top;
}
