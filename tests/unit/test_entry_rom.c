/* SPDX-License-Identifier: GPL-2.0-only */
/* Which of the wrapped images the domain entry takes, and what it does with the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The domain entry has another. */
#undef fail
#include "entry/boot/entry.h"

#define BYTES 512u

/* The program is linked below 4 GB, so these have addresses of 32 bits. */
static u8 images[ROM_BINDINGS][BYTES + 1];
struct payload payload;
bool entry_is_pvh;

static char failed[256];
static jmp_buf back;

noreturn void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(failed, sizeof(failed), fmt, ap);
	va_end(ap);
	longjmp(back, 1);
}

static void wrap(enum rom_binding binding)
{
	u8 *image = images[binding - 1];
	struct rom_header h = {.ext_signature = ROM_EXT_SIGNATURE, .ext_binding = binding};

	memset(image, 0xA5, BYTES + 1);
	memcpy(image, &h, sizeof(h));
	payload.rom[binding - 1] = (struct payload_part){(u32)image, BYTES};
}

static int start(void **state)
{
	(void)state;
	memset(&payload, 0, sizeof(payload));
	memset(images, 0, sizeof(images));
	failed[0] = 0;
	entry_rom = NULL;
	entry_rom_size = 0;
	return 0;
}

/* What it says; nothing if it takes an image. */
static const char *choose(bool pvh)
{
	entry_is_pvh = pvh;
	if (!setjmp(back))
		rom_choose();
	return failed;
}

static void each_binding_gets_its_image_and_the_other_is_cleared(void **state)
{
	for (u32 pvh = 0; pvh < 2; pvh++) {
		const u8 *unused = images[!pvh];

		start(state);
		wrap(ROM_PV);
		wrap(ROM_PVH);
		assert_string_equal(choose(pvh), "");
		assert_ptr_equal(entry_rom, images[pvh]);
		assert_int_equal(entry_rom_size, BYTES);
		assert_int_equal(entry_rom->ext_binding, pvh ? ROM_PVH : ROM_PV);
		assert_int_equal(images[pvh][BYTES - 1], 0xA5);
		for (u32 i = 0; i < BYTES; i++)
			assert_int_equal(unused[i], 0);
		assert_int_equal(unused[BYTES], 0xA5);
	}
}

static void image_of_its_binding_alone_is_enough(void **state)
{
	for (u32 pvh = 0; pvh < 2; pvh++) {
		start(state);
		wrap(pvh ? ROM_PVH : ROM_PV);
		assert_string_equal(choose(pvh), "");
		assert_ptr_equal(entry_rom, images[pvh]);
	}
}

static void image_of_the_other_binding_alone_is_told_of(void **state)
{
	start(state);
	wrap(ROM_PV);
	assert_string_equal(choose(true), "this is a PVH domain, and its kernel is wrapped with a "
					  "ROM for PV domains alone");
	start(state);
	wrap(ROM_PVH);
	assert_string_equal(choose(false), "this is a PV domain, and its kernel is wrapped with a "
					   "ROM for PVH domains alone");
}

static void what_is_no_image_of_the_binding_is_told_of(void **state)
{
	static const char words[] = "no ROM for a PVH domain is wrapped with this entry";
	struct rom_header *h = (void *)images[ROM_PVH - 1];

	start(state);
	assert_string_equal(choose(true), words);
	start(state);
	wrap(ROM_PVH);
	h->ext_signature ^= 1;
	assert_string_equal(choose(true), words);
	start(state);
	wrap(ROM_PVH);
	h->ext_binding = ROM_PV;
	assert_string_equal(choose(true), words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_binding_gets_its_image_and_the_other_is_cleared, start),
		cmocka_unit_test_setup(image_of_its_binding_alone_is_enough, start),
		cmocka_unit_test_setup(image_of_the_other_binding_alone_is_told_of, start),
		cmocka_unit_test_setup(what_is_no_image_of_the_binding_is_told_of, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
