/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clock and the CMOS RAM: read and set as Linux 2.6's rtc.c does, against
 * the C library's calendar.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "pc/calendar.h"
#include "pc/cmos.h"

#define NS_PER_S 1000000000ull
#define UIP 0x80

static struct cmos cmos;
static u64 ns, epoch, wall_phase; /* epoch_s steps where ns + wall_phase is a whole second */

static void start(u64 when)
{
	ns = 0;
	wall_phase = 0;
	epoch = when;
	cmos_reset(&cmos);
}

static u64 wall(void)
{
	return epoch + (ns + wall_phase) / NS_PER_S;
}

static u8 get(u8 index)
{
	cmos_write(&cmos, 0x70, index, ns, wall());
	return cmos_read(&cmos, 0x71, ns, wall());
}

static void set(u8 index, u8 value)
{
	cmos_write(&cmos, 0x70, index, ns, wall());
	cmos_write(&cmos, 0x71, value, ns, wall());
}

static u32 from_bcd(u8 n)
{
	return (n >> 4) * 10u + (n & 15);
}

/* mach_get_cmos_time(); every access takes 1 us. */
static u64 read_clock(void)
{
	while (get(0x0A) & UIP)
		ns += 1000;
	struct calendar t = {0};
	t.second = from_bcd(get(0));
	ns += 1000;
	t.minute = from_bcd(get(2));
	ns += 1000;
	t.hour = from_bcd(get(4));
	ns += 1000;
	t.day = from_bcd(get(7));
	ns += 1000;
	t.month = from_bcd(get(8));
	ns += 1000;
	t.year = from_bcd(get(9)) + 100 * from_bcd(get(0x32));
	return (u64)calendar_to_seconds(&t);
}

static void the_date_is_the_wall_clocks_in_bcd(void **state)
{
	(void)state;
	start(1204329599); /* Fri 29 Feb 2008 23:59:59 UTC */
	assert_int_equal(get(0), 0x59);
	assert_int_equal(get(2), 0x59);
	assert_int_equal(get(4), 0x23);
	assert_int_equal(get(6), 0x06);
	assert_int_equal(get(7), 0x29);
	assert_int_equal(get(8), 0x02);
	assert_int_equal(get(9), 0x08);
	assert_int_equal(get(0x32), 0x20);
	ns += NS_PER_S;
	assert_int_equal(get(7), 0x01); /* without a look at the seconds first */
	assert_int_equal(get(0), 0x00);
	assert_int_equal(get(8), 0x03);
}

static void every_time_register_is_fresh_when_read_alone(void **state)
{
	static const u8 registers[] = {0, 2, 4, 6, 7, 8, 9, 0x32};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
		start(946684799); /* Fri 31 Dec 1999 23:59:59 */
		u8 before = get(registers[i]);
		ns += NS_PER_S;
		assert_int_not_equal(get(registers[i]), before);
	}
}

static void the_calendar_agrees_with_the_c_library(void **state)
{
	const time_t first = -62167219200, last = 253402300799; /* years 0 and 9999 */

	(void)state;
	for (time_t s = first; s <= last; s += 777777 + 5 * (s & 0xFFF)) {
		struct calendar t;
		struct tm tm;

		gmtime_r(&s, &tm);
		calendar_from_seconds(&t, s);
		assert_int_equal(t.year, tm.tm_year + 1900);
		assert_int_equal(t.month, tm.tm_mon + 1);
		assert_int_equal(t.day, tm.tm_mday);
		assert_int_equal(t.weekday, tm.tm_wday + 1);
		assert_int_equal(t.hour, tm.tm_hour);
		assert_int_equal(t.minute, tm.tm_min);
		assert_int_equal(t.second, tm.tm_sec);
		assert_true(calendar_to_seconds(&t) == s);
	}
}

static void a_time_outside_the_calendar_is_its_nearest_end(void **state)
{
	struct calendar t;

	(void)state;
	calendar_from_seconds(&t, INT64_MAX);
	assert_int_equal(t.year, 9999);
	assert_int_equal(t.second, 59);
	calendar_from_seconds(&t, INT64_MIN);
	assert_int_equal(t.year, 0);
	assert_int_equal(t.day, 1);
}

static void a_read_after_uip_is_never_torn_nor_goes_back(void **state)
{
	(void)state;
	start(1230767990); /* 10 s before 2009 */
	wall_phase = 700000000;
	u64 last = read_clock();
	for (unsigned i = 0; i < 300000; i++) {
		ns += 77777;
		u64 t = read_clock();
		assert_in_range(t, last, last + 1);
		assert_in_range(t, wall() - 1, wall());
		last = t;
	}
	assert_in_range(last, 1230767990 + 23, 1230767990 + 26);
}

/* Whichever of the two distances is seen first. */
static void the_second_changes_with_the_first_update_that_is_seen(void **state)
{
	(void)state;
	for (wall_phase = 0; wall_phase < NS_PER_S; wall_phase += NS_PER_S / 10) {
		for (unsigned at = 0; at < 10; at++) {
			u64 phase = wall_phase;

			start(1000000000);
			wall_phase = phase;
			ns = NS_PER_S + at * (NS_PER_S / 10);
			u64 first = read_clock();

			ns = 2 * NS_PER_S;
			assert_int_equal(read_clock(), first + 1);
			ns = 3 * NS_PER_S;
			assert_int_equal(read_clock(), first + 2);
		}
	}
}

static void uip_comes_right_before_the_second_changes(void **state)
{
	(void)state;
	start(1000000000);
	ns = NS_PER_S - 3000000;
	assert_false(get(0x0A) & UIP);
	u8 second = get(0);
	while (!(get(0x0A) & UIP))
		ns += 1000;
	assert_int_equal(get(0), second);
	u64 rose = ns;
	do
		ns += 1000;
	while (get(0x0A) & UIP);
	assert_in_range(ns - rose, 2000000, 2300000);
	assert_int_equal(from_bcd(get(0)), from_bcd(second) + 1);
}

static void a_loop_on_uip_ends_though_the_clock_stands_still(void **state)
{
	(void)state;
	start(1000000000);
	ns = NS_PER_S - 1000;
	assert_true(get(0x0A) & UIP);
	unsigned reads = 0;
	while (get(0x0A) & UIP && reads < 10)
		reads++;
	assert_true(reads < 10);
}

static void a_stepped_wall_clock_is_followed(void **state)
{
	(void)state;
	start(1000000000);
	ns = 5 * NS_PER_S + 1;
	assert_int_equal(read_clock(), wall());
	epoch += 3600;
	assert_in_range(read_clock(), wall() - 1, wall());
	epoch -= 100000;
	assert_in_range(read_clock(), wall() - 1, wall());
}

/* set_rtc_mmss() and more: registers A and B stop the clock meanwhile. */
static void a_guest_can_set_the_clock_and_it_runs_on(void **state)
{
	(void)state;
	start(1000000000);
	set(0x0B, get(0x0B) | 0x80);
	set(0x0A, get(0x0A) | 0x70);
	set(0, 0x00);
	set(2, 0x34);
	set(4, 0x12);
	set(7, 0x31);
	set(8, 0x12);
	set(9, 0x99);
	set(0x32, 0x19);
	assert_int_equal(get(2), 0x34);
	ns += 3 * NS_PER_S;
	assert_int_equal(get(0), 0x00); /* stopped */
	set(0x0B, get(0x0B) & ~0x80);
	set(0x0A, get(0x0A) & ~0x50);
	assert_int_equal(read_clock(), 946643640);
	ns += 100 * NS_PER_S;
	assert_int_equal(read_clock(), 946643740);
}

static void setting_and_clearing_set_alone_changes_nothing(void **state)
{
	(void)state;
	start(1000000000);
	u64 before = read_clock();
	set(0x0B, get(0x0B) | 0x80);
	ns += 2 * NS_PER_S;
	set(0x0B, get(0x0B) & ~0x80);
	assert_in_range(read_clock(), before + 2, before + 3);
}

static void one_register_can_be_written_while_the_clock_runs(void **state)
{
	(void)state;
	start(1000000000); /* 9 Sep 2001 01:46:40 */
	set(4, 0x13);
	assert_int_equal(read_clock(), 1000000000 + 12 * 3600);
}

static void binary_and_12_hour_formats_show_the_same_time(void **state)
{
	(void)state;
	start(1204329599); /* 23:59:59 */
	set(0x0B, 0x06);
	assert_int_equal(get(0), 59);
	assert_int_equal(get(4), 23);
	set(0x0B, 0x00);
	assert_int_equal(get(4), 0x91); /* 11 PM, BCD */
	ns += NS_PER_S;
	assert_int_equal(get(4), 0x12); /* midnight is 12 AM */
	ns += 12 * 3600 * NS_PER_S;
	assert_int_equal(get(4), 0x92);
	set(4, 0x01); /* 1 AM */
	set(0x0B, 0x02);
	assert_int_equal(get(4), 0x01);
}

static void memory_sizes_are_told_in_all_places(void **state)
{
	(void)state;
	start(0);
	cmos_set_memory(&cmos, 32ull << 20);
	assert_int_equal(get(0x15) | get(0x16) << 8, 640);
	assert_int_equal(get(0x17) | get(0x18) << 8, 31 * 1024);
	assert_int_equal(get(0x30) | get(0x31) << 8, 31 * 1024);
	assert_int_equal(get(0x34) | get(0x35) << 8, 16 * 16);
	cmos_set_memory(&cmos, 5ull << 30);
	assert_int_equal(get(0x30) | get(0x31) << 8, 0xFFFF);
	assert_int_equal(get(0x34) | get(0x35) << 8, (4096 - 16) * 16);
	assert_int_equal(get(0x5B) | get(0x5C) << 8 | get(0x5D) << 16, 1024 * 16);
	cmos_set_memory(&cmos, 512 << 10);
	assert_int_equal(get(0x15) | get(0x16) << 8, 512);
	assert_int_equal(get(0x17) | get(0x18) << 8, 0);
}

static void the_checksum_covers_the_configuration_bytes(void **state)
{
	(void)state;
	start(0);
	cmos_set_memory(&cmos, 64ull << 20);
	u32 sum = 0;
	for (u8 i = 0x10; i < 0x2E; i++)
		sum += get(i);
	assert_true(sum != 0);
	assert_int_equal(get(0x2E) << 8 | get(0x2F), sum);
}

static void the_rest_is_ram_but_the_status_registers_are_not(void **state)
{
	(void)state;
	start(0);
	for (u8 i = 0x0F; i < 0x80; i++)
		if (i != 0x32)
			set(i, i ^ 0x5A);
	for (u8 i = 0x0F; i < 0x80; i++)
		if (i != 0x32)
			assert_int_equal(get(i), i ^ 0x5A);
	set(0x0C, 0xFF);
	set(0x0D, 0x00);
	set(0x0A, 0xFF);
	assert_int_equal(get(0x0C), 0x00);
	assert_int_equal(get(0x0D), 0x80);
	assert_int_equal(get(0x0A), 0x7F);
	assert_int_equal(get(0x8F), 0x0F ^ 0x5A); /* bit 7 is no part of the index */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_date_is_the_wall_clocks_in_bcd),
		cmocka_unit_test(every_time_register_is_fresh_when_read_alone),
		cmocka_unit_test(the_calendar_agrees_with_the_c_library),
		cmocka_unit_test(a_time_outside_the_calendar_is_its_nearest_end),
		cmocka_unit_test(a_read_after_uip_is_never_torn_nor_goes_back),
		cmocka_unit_test(the_second_changes_with_the_first_update_that_is_seen),
		cmocka_unit_test(uip_comes_right_before_the_second_changes),
		cmocka_unit_test(a_loop_on_uip_ends_though_the_clock_stands_still),
		cmocka_unit_test(a_stepped_wall_clock_is_followed),
		cmocka_unit_test(a_guest_can_set_the_clock_and_it_runs_on),
		cmocka_unit_test(setting_and_clearing_set_alone_changes_nothing),
		cmocka_unit_test(one_register_can_be_written_while_the_clock_runs),
		cmocka_unit_test(binary_and_12_hour_formats_show_the_same_time),
		cmocka_unit_test(memory_sizes_are_told_in_all_places),
		cmocka_unit_test(the_checksum_covers_the_configuration_bytes),
		cmocka_unit_test(the_rest_is_ram_but_the_status_registers_are_not),
	};

	return cmocka_run_group_tests_name("RTC and CMOS", tests, NULL, NULL);
}
