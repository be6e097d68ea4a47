/* SPDX-License-Identifier: GPL-2.0-only */
/* Where Xen's virtual disks go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pc/vdev.h"

static void is(u32 number, enum vdev_controller controller, u32 place)
{
	struct vdev v = vdev_place(number);

	assert_int_equal(v.controller, controller);
	assert_int_equal(v.place, place);
}

static void hd_is_ide(void **state)
{
	(void)state;
	is(768, VDEV_IDE, 0);
	is(832, VDEV_IDE, 1);
	is(5632, VDEV_IDE, 2);
	is(5696, VDEV_IDE, 3);
}

static void sd_and_xvd_are_ahci(void **state)
{
	(void)state;
	is(2048, VDEV_AHCI, 0);
	is(2080, VDEV_AHCI, 2);
	is(2288, VDEV_AHCI, 15);
	is(51712, VDEV_AHCI, 0);
	is(51728, VDEV_AHCI, 1);
	is(51952, VDEV_AHCI, 15);
}

static void the_extended_form_goes_on_behind_xvdp(void **state)
{
	(void)state;
	is(1u << 28 | 16 << 8, VDEV_AHCI, 16);
	is(1u << 28 | 25 << 8, VDEV_AHCI, 25);
	is(1u << 28, VDEV_AHCI, 0);
	is(0x1FFFFF00, VDEV_AHCI, 0xFFFFF);
}

static void the_rest_has_no_model(void **state)
{
	static const u32 numbers[] = {
		0,	     1,		  769,
		768 | 128,   768 | 192,	  5633,
		5632 | 128,  2049,	  51713,
		33 << 8, /* hde */
		65 << 8,     203 << 8,	  1u << 28 | 16 << 8 | 1,
		2u << 28,    0x80000300u, 1u << 29 | 768,
		0xFFFFFFFFu,
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++)
		is(numbers[i], VDEV_NONE, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hd_is_ide),
		cmocka_unit_test(sd_and_xvd_are_ahci),
		cmocka_unit_test(the_extended_form_goes_on_behind_xvdp),
		cmocka_unit_test(the_rest_has_no_model),
	};

	return cmocka_run_group_tests_name("virtual disks' numbers", tests, NULL, NULL);
}
