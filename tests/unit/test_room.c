/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kernels need of memory by their setup headers, and the boot area's place:
 * headers as the kernels of the time have them, and every small memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "entry/boot/room.h"

#define MB 0x100000u
#define SETUP 0x2000u /* 15 sectors and the first */
#define LOADED 0x230000u

static u8 image[0x300];
static struct room room;

static void put(u32 at, u32 bytes, u64 value)
{
	memcpy(image + at, &value, bytes);
}

/* A header that ends behind the last field of its version. */
static void make(u16 version, u32 alignment, bool relocatable, u64 pref_address, u32 init_size)
{
	u8 end = version >= 0x20A ? 0x64 : version >= 0x209 ? 0x58 : version >= 0x205 ? 0x38 : 0x2C;

	memset(image, 0xEE, sizeof(image)); /* what is behind the header is code */
	put(0x1F1, 1, SETUP / 512 - 1);
	put(0x201, 1, end - 2);
	put(0x206, 2, version);
	if (version < 0x205)
		return;
	put(0x230, 4, alignment);
	put(0x234, 1, relocatable);
	if (version < 0x20A)
		return;
	put(0x258, 8, pref_address);
	put(0x260, 4, init_size);
}

static void look(void)
{
	room_of_kernel(image, SETUP + LOADED, &room);
	assert_int_equal(room.loaded_end, MB + LOADED);
}

static void assert_runs(u64 start, u64 end)
{
	look();
	assert_int_equal(room.start, start);
	assert_int_equal(room.end, end);
}

static void a_kernel_unpacks_itself_where_its_header_says(void **state)
{
	(void)state;
	make(0x20A, 16 * MB, false, 16 * MB, 0x4F4000); /* Debian 6 */
	assert_runs(16 * MB, 16 * MB + 0x4F4000);
	make(0x20A, 16 * MB, true, 16 * MB, 0x42E000); /* as 2.6.31 has it by default */
	assert_runs(16 * MB, 16 * MB + 0x42E000);
	make(0x20A, 4 * MB, true, 16 * MB, 0x42E000); /* its alignment is what counts */
	assert_runs(4 * MB, 4 * MB + 0x42E000);
	make(0x20A, 0x2000, true, MB, 0x42E000);
	assert_runs(MB, MB + 0x42E000);
	make(0x20A, MB, false, MB, 0x100); /* less than is loaded */
	assert_runs(MB, MB + LOADED);
}

static void an_older_kernel_tells_its_alignment_or_nothing(void **state)
{
	(void)state;
	make(0x209, 4 * MB, false, 0, 0);
	assert_runs(4 * MB, 4 * MB + 4ull * LOADED);
	make(0x206, 16 * MB, true, 0, 0);
	assert_runs(16 * MB, 16 * MB + 4ull * LOADED);
	make(0x204, 0, false, 0, 0);
	assert_runs(MB, MB + 4ull * LOADED);
	/* A version whose fields the header does not reach. */
	make(0x20A, 16 * MB, false, 16 * MB, 0x4F4000);
	put(0x201, 1, 0x5F);
	assert_runs(16 * MB, 16 * MB + 4ull * LOADED);
	put(0x201, 1, 0x32);
	assert_runs(MB, MB + 4ull * LOADED);
}

static void nonsense_overflows_nothing(void **state)
{
	(void)state;
	make(0x20A, MB, false, MB, ~0u);
	assert_runs(MB, MB + 0xFFFFFFFFull);
	make(0x20A, MB, false, ~0ull, ~0u);
	assert_runs(1ull << 36, (1ull << 36) + 0xFFFFFFFF);
	make(0x20A, ~0u, true, 0, 1);
	assert_runs(~0u, 0xFFFFFFFFull + LOADED);
	make(0x20A, 0, false, 0, 0x400000);
	assert_runs(MB, MB + 0x400000);
	make(0x20A, 0, true, 0, 0x400000);
	assert_runs(MB, MB + 0x400000);
	make(0x20A, 0x7FFFF, true, 0, 0x400000); /* no power of two */
	assert_runs(0x17FFFD, 0x17FFFD + 0x400000);
	assert_int_equal(room_beside(&room, 0, 0xFFFFFFFF, 0xFFFFFFFF), 0);
}

/* The area at this frame leaves the kernel's room alone. */
static bool good(u32 at, u32 area, u32 memory)
{
	u64 from = (u64)at << PAGE_SHIFT, to = (u64)(at + area) << PAGE_SHIFT;

	return from >= room.loaded_end && to <= (u64)memory << PAGE_SHIFT &&
	       room.end <= (u64)memory << PAGE_SHIFT && (to <= room.start || from >= room.end);
}

static bool any_good(u32 area, u32 memory)
{
	for (u32 at = 1; at <= memory; at++)
		if (good(at, area, memory))
			return true;
	return false;
}

static void the_boot_area_is_where_it_is_wanted_or_beside_the_kernel(void **state)
{
	static const struct {
		u32 memory_mb, area_mb, wanted_mb, at_mb; /* 0: nowhere */
	} cases[] = {
		{64, 10, 54, 54}, /* as high as it can be */
		{28, 8, 20, 8},	  /* below the kernel at 16 MB, of 5 MB */
		{24, 3, 21, 21},  /* just behind it */
		{300, 12, 10, 21}, {20, 1, 19, 0}, {28, 13, 15, 0}, {34, 13, 20, 21},
	};

	(void)state;
	make(0x20A, 16 * MB, false, 16 * MB, 5 * MB);
	look();
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(room_beside(&room, cases[i].wanted_mb << 8, cases[i].area_mb << 8,
					     cases[i].memory_mb << 8),
				 cases[i].at_mb << 8);
}

/* Every small memory: a place is found if there is one, it is a good one, and there
 * is one from room_needed() on. */
static void a_place_is_found_if_there_is_one(void **state)
{
	static const u32 starts[] = {MB, 2 * MB, 4 * MB, 6 * MB + 0x800};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(starts); i++) {
		make(0x20A, 0, false, starts[i], 0x250800);
		look();
		for (u32 area = 1; area < 1024; area += 73) {
			u64 needed = room_needed(&room, area);

			for (u32 memory = area; memory < 0x1000; memory += 31) {
				u32 at = room_beside(&room, memory - area, area, memory);

				assert_int_equal(at != 0, any_good(area, memory));
				assert_int_equal(at != 0, memory >= needed);
				assert_true(!at || good(at, area, memory));
				if (good(memory - area, area, memory))
					assert_int_equal(at, memory - area);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kernel_unpacks_itself_where_its_header_says),
		cmocka_unit_test(an_older_kernel_tells_its_alignment_or_nothing),
		cmocka_unit_test(nonsense_overflows_nothing),
		cmocka_unit_test(the_boot_area_is_where_it_is_wanted_or_beside_the_kernel),
		cmocka_unit_test(a_place_is_found_if_there_is_one),
	};

	return cmocka_run_group_tests_name("a kernel's room", tests, NULL, NULL);
}
