/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clock's interrupts: the flags of register C and IRQ 8, as Linux 2.6's
 * rtc.c and rtc-cmos.c use them, and against a model that looks at every tick.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "pc/calendar.h"
#include "pc/cmos.h"

#define NS_PER_S 1000000000ull
#define DAY_S 86400u
#define SECONDS_ALARM 1
#define MINUTES_ALARM 3
#define HOURS_ALARM 5
#define IRQF 0x80
#define PF 0x40
#define AF 0x20
#define UF 0x10
#define PIE 0x40
#define AIE 0x20
#define UIE 0x10
#define SET 0x80
#define BINARY 0x04
#define H24 0x02
#define RUNNING 0x20 /* the divider */
#define ANY 0xFF

static struct cmos cmos;
static u64 ns, epoch;

static void start(u64 when)
{
	ns = 0;
	epoch = when;
	cmos_reset(&cmos);
}

static u8 get(u8 index)
{
	cmos_write(&cmos, 0x70, index, ns, epoch + ns / NS_PER_S);
	return cmos_read(&cmos, 0x71, ns, epoch + ns / NS_PER_S);
}

static void set(u8 index, u8 value)
{
	cmos_write(&cmos, 0x70, index, ns, epoch + ns / NS_PER_S);
	cmos_write(&cmos, 0x71, value, ns, epoch + ns / NS_PER_S);
}

static void set_alarm(u8 hour, u8 minute, u8 second)
{
	set(HOURS_ALARM, hour);
	set(MINUTES_ALARM, minute);
	set(SECONDS_ALARM, second);
}

/* Goes to the next moment at which the clock says that it is due. */
static void go(void)
{
	assert_true(cmos.due != CMOS_NEVER && cmos.due > ns);
	ns = cmos.due - 1;
	cmos_take_due(&cmos, ns);
	assert_false(cmos.irq);
	ns++;
	cmos_take_due(&cmos, ns);
	assert_true(cmos.irq);
	assert_true(cmos.due == CMOS_NEVER);
}

static void nothing_is_due_while_nothing_is_enabled(void **state)
{
	(void)state;
	start(1000000000);
	assert_true(cmos.due == CMOS_NEVER);
	set_alarm(ANY, ANY, ANY);
	set(0x0A, RUNNING | 3);
	ns += 3 * NS_PER_S;
	get(0x00);
	assert_true(cmos.due == CMOS_NEVER);
	assert_false(cmos.irq);
}

static void the_flags_tell_what_came_and_a_read_clears_them(void **state)
{
	(void)state;
	start(1000000000);
	set(0x0A, RUNNING | 15);
	set_alarm(0x13, 0x13, 0x13);
	get(0x0C);
	assert_int_equal(get(0x0C), 0);
	ns = 400000000;
	assert_int_equal(get(0x0C), 0);
	ns = 500000000;
	assert_int_equal(get(0x0C), PF);
	assert_int_equal(get(0x0C), 0);
	ns = NS_PER_S;
	assert_int_equal(get(0x0C), PF | UF);
	set_alarm(ANY, ANY, ANY);
	ns += 5 * NS_PER_S;
	assert_int_equal(get(0x0C), PF | AF | UF);
	assert_int_equal(get(0x0C), 0);
}

static void the_line_is_up_from_an_enabled_flag_to_the_read(void **state)
{
	static const u8 bits[] = {PIE, AIE, UIE};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bits); i++) {
		start(1000000000);
		set_alarm(ANY, ANY, ANY);
		get(0x0C);
		set(0x0B, H24 | bits[i]);
		go();
		assert_int_equal(get(0x0B), H24 | bits[i]);
		assert_true(cmos.irq);
		assert_int_equal(get(0x0C) & (IRQF | bits[i]), IRQF | bits[i]);
		assert_false(cmos.irq);
		go();
		set(0x0B, H24);
		assert_false(cmos.irq);
		assert_int_equal(get(0x0C) & (IRQF | bits[i]), bits[i]);
	}
}

static void a_flag_that_is_set_already_interrupts_when_it_is_enabled(void **state)
{
	(void)state;
	start(1000000000);
	ns = 2 * NS_PER_S;
	assert_false(cmos.irq);
	set(0x0B, H24 | UIE);
	assert_true(cmos.irq);
}

static void the_periodic_interrupt_comes_at_every_rate(void **state)
{
	static const u32 hz[16] = {0,	256, 128, 8192, 4096, 2048, 1024, 512,
				   256, 128, 64,  32,	16,   8,    4,	  2};

	(void)state;
	for (u8 rate = 1; rate < 16; rate++) {
		u32 count = 0;

		start(1000000000);
		ns = 7 * NS_PER_S + 1;
		set(0x0A, RUNNING | rate);
		set(0x0B, H24 | PIE);
		get(0x0C);
		for (;; count++) {
			go();
			if (ns > 8 * NS_PER_S)
				break;
			assert_int_equal(get(0x0C) & (IRQF | PF), IRQF | PF);
		}
		assert_int_equal(count, hz[rate]);
	}
}

/* Nobody reads register C for a while: what has been missed is one. */
static void missed_periodic_interrupts_are_one(void **state)
{
	(void)state;
	start(1000000000);
	set(0x0A, RUNNING | 6);
	set(0x0B, H24 | PIE);
	get(0x0C);
	go();
	ns += 10 * NS_PER_S + 1;
	assert_int_equal(get(0x0C), IRQF | PF | UF);
	assert_false(cmos.irq);
	assert_in_range(cmos.due - ns, 1, NS_PER_S / 1024);
}

static void no_rate_and_a_divider_in_reset_are_silent(void **state)
{
	(void)state;
	start(1000000000);
	set(0x0A, RUNNING);
	set(0x0B, H24 | PIE);
	assert_true(cmos.due == CMOS_NEVER);
	set(0x0A, 0x76);
	set(0x0B, H24 | PIE | UIE);
	assert_true(cmos.due == CMOS_NEVER);
	ns += 3 * NS_PER_S - 1000;
	assert_int_equal(get(0x0A) & 0x80, 0); /* no update is in progress */
	ns += NS_PER_S;
	assert_int_equal(get(0x0C), 0);
	set(0x0A, RUNNING | 6);
	assert_in_range(cmos.due - ns, 1, NS_PER_S / 1024);
}

static void an_update_ends_once_a_second_when_uip_falls(void **state)
{
	(void)state;
	start(1000000000);
	ns = 300000000;
	set(0x0B, H24 | UIE);
	get(0x0C);
	for (u32 i = 1; i < 5; i++) {
		u8 shown = get(0x00);

		go();
		assert_true(ns == i * NS_PER_S);
		assert_int_equal(get(0x0A) & 0x80, 0);
		assert_int_not_equal(get(0x00), shown);
		assert_int_equal(get(0x0C) & (IRQF | UF), IRQF | UF);
	}
}

/* set_rtc_mmss() while somebody waits. */
static void setting_the_clock_stops_the_updates_and_disables_theirs(void **state)
{
	(void)state;
	start(1000000000);
	set(0x0A, RUNNING | 6);
	set_alarm(ANY, ANY, ANY);
	set(0x0B, H24 | UIE | AIE | PIE);
	get(0x0C);
	set(0x0B, get(0x0B) | SET);
	assert_int_equal(get(0x0B), SET | H24 | AIE | PIE);
	ns += 5 * NS_PER_S;
	assert_int_equal(get(0x0C), IRQF | PF);
	set(0x0B, H24 | UIE);
	go();
	assert_true(ns == 6 * NS_PER_S);
}

/* When the alarm comes next, in seconds; 0: never. */
static u32 alarm_after(void)
{
	set(0x0B, get(0x0B) | AIE);
	get(0x0C);
	if (cmos.due == CMOS_NEVER)
		return 0;
	assert_int_equal(cmos.due % NS_PER_S, 0);
	u64 second = cmos.due / NS_PER_S;
	go();
	assert_int_equal(get(0x0C) & (IRQF | AF), IRQF | AF);
	return (u32)(second - 1);
}

static void an_alarm_comes_when_the_clock_shows_its_time(void **state)
{
	static const struct {
		u8 hour, minute, second;
		u32 after; /* seconds from 12:34:57 on, which is the first candidate */
	} alarms[] = {
		{0x12, 0x34, 0x57, 0},
		{0x12, 0x34, 0x58, 1},
		{0x12, 0x35, 0x00, 3},
		{0x12, 0x34, 0x56, DAY_S - 1},
		{0x00, 0x00, 0x00, DAY_S - 12 * 3600 - 34 * 60 - 57},
		{ANY, ANY, ANY, 0},
		{0xC0, 0xC0, 0xC0, 0},
		{ANY, ANY, 0x56, 59},
		{ANY, 0x34, 0x56, 3599},
		{ANY, 0x33, 0x57, 3600 - 60},
		{0x12, ANY, 0x00, 3},
		{0x11, ANY, ANY, 23 * 3600 - 34 * 60 - 57},
		{0x13, 0x00, ANY, 25 * 60 + 3},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(alarms); i++) {
		start(1204288496); /* Fri 29 Feb 2008 12:34:56 UTC */
		ns = 1;
		set_alarm(alarms[i].hour, alarms[i].minute, alarms[i].second);
		assert_int_equal(alarm_after(), alarms[i].after);
	}
}

static void an_alarm_that_no_clock_shows_never_comes(void **state)
{
	static const u8 never[][3] = {{0x24, 0, 0}, {0, 0x60, 0},     {0, 0, 0x60},
				      {0x1A, 0, 0}, {ANY, ANY, 0x7F}, {ANY, 0xBF, ANY}};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(never); i++) {
		start(1204288496);
		set_alarm(never[i][0], never[i][1], never[i][2]);
		set(0x0B, H24 | AIE);
		assert_true(cmos.due == CMOS_NEVER);
		ns += 2 * DAY_S * NS_PER_S;
		assert_int_equal(get(0x0C) & AF, 0);
	}
}

static void an_alarm_has_the_clocks_format(void **state)
{
	(void)state;
	start(1204288496); /* 12:34:56 */
	ns = 1;
	set(0x0B, 0); /* 12 hours, BCD */
	set_alarm(0x92, 0x34, 0x58);
	assert_int_equal(alarm_after(), 1);
	start(1204288496);
	ns = 1;
	set(0x0B, 0);
	set_alarm(0x12, 0x34, 0x58); /* midnight's */
	assert_int_equal(alarm_after(), 12 * 3600 + 1);
	start(1204288496);
	ns = 1;
	set(0x0B, H24 | BINARY);
	set_alarm(12, 34, 58);
	assert_int_equal(alarm_after(), 1);
	start(1204288496);
	ns = 1;
	set(0x0B, BINARY);
	set_alarm(0x81, 0, 0); /* 1 PM */
	assert_int_equal(alarm_after(), 25 * 60 + 3);
}

static void a_clock_that_is_set_takes_its_alarm_along(void **state)
{
	(void)state;
	start(1204288496);
	set_alarm(0x13, 0x00, 0x00);
	set(0x0B, H24 | AIE);
	get(0x0C);
	set(0x02, 0x59); /* 12:59:56 */
	assert_true(cmos.due == 4 * NS_PER_S);
	epoch -= 10; /* the owner's clock steps back: the next access finds it */
	get(0x0D);
	assert_true(cmos.due == 14 * NS_PER_S);
}

/* Has the alarm's byte that value? */
static bool is(u8 index, u8 shown)
{
	return cmos.ram[index] >= 0xC0 || cmos.ram[index] == shown;
}

static u8 bcd(u32 n)
{
	return (u8)(n / 10 << 4 | n % 10);
}

static u64 tick(u64 at)
{
	return at / NS_PER_S * 32768 + at % NS_PER_S * 32768 / NS_PER_S;
}

/* The flags that (from, to] sets, looked for second by second. */
static u8 model(u64 from, u64 to)
{
	u8 rate = cmos.ram[0x0A] & 15, flags = 0;
	u32 ticks = rate == 0 ? 0 : 1u << ((rate < 3 ? rate + 7 : rate) - 1);

	if (ticks && tick(to) / ticks != tick(from) / ticks)
		flags |= PF;
	for (u64 s = from / NS_PER_S + 1; s <= to / NS_PER_S; s++) {
		u32 t = (epoch + s) % DAY_S;

		flags |= UF;
		if (is(HOURS_ALARM, bcd(t / 3600)) && is(MINUTES_ALARM, bcd(t / 60 % 60)) &&
		    is(SECONDS_ALARM, bcd(t % 60)))
			flags |= AF;
	}
	return flags;
}

static u32 random32(void)
{
	static u64 x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (u32)(x >> 16);
}

static u8 random_alarm(u32 values)
{
	return random32() % 3 ? bcd(random32() % values) : ANY;
}

static void the_model_agrees(void **state)
{
	u32 flags[4] = {0};

	(void)state;
	start(1204288496);
	for (u32 i = 0; i < 20000; i++) {
		u64 from = ns;
		u8 told, expected;

		set(0x0A, RUNNING | (random32() & 15));
		set_alarm(random_alarm(24), random_alarm(60), random_alarm(60));
		set(0x0B, H24 | (random32() & (PIE | AIE | UIE)));
		get(0x0C);
		if (cmos.due != CMOS_NEVER && cmos.due - ns < 7200 * NS_PER_S)
			ns = cmos.due - (random32() & 1);
		else
			ns += random32() >> random32() % 32;
		expected = model(from, ns);
		if (expected & cmos.ram[0x0B])
			expected |= IRQF;
		assert_int_equal(ns >= cmos.due, expected >> 7);
		told = get(0x0C);
		assert_int_equal(told, expected);
		for (u32 bit = 0; bit < 4; bit++)
			flags[bit] += told >> (4 + bit) & 1;
	}
	for (u32 bit = 0; bit < 4; bit++)
		assert_true(flags[bit] > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_due_while_nothing_is_enabled),
		cmocka_unit_test(the_flags_tell_what_came_and_a_read_clears_them),
		cmocka_unit_test(the_line_is_up_from_an_enabled_flag_to_the_read),
		cmocka_unit_test(a_flag_that_is_set_already_interrupts_when_it_is_enabled),
		cmocka_unit_test(the_periodic_interrupt_comes_at_every_rate),
		cmocka_unit_test(missed_periodic_interrupts_are_one),
		cmocka_unit_test(no_rate_and_a_divider_in_reset_are_silent),
		cmocka_unit_test(an_update_ends_once_a_second_when_uip_falls),
		cmocka_unit_test(setting_the_clock_stops_the_updates_and_disables_theirs),
		cmocka_unit_test(an_alarm_comes_when_the_clock_shows_its_time),
		cmocka_unit_test(an_alarm_that_no_clock_shows_never_comes),
		cmocka_unit_test(an_alarm_has_the_clocks_format),
		cmocka_unit_test(a_clock_that_is_set_takes_its_alarm_along),
		cmocka_unit_test(the_model_agrees),
	};

	return cmocka_run_group_tests_name("clock interrupts", tests, NULL, NULL);
}
