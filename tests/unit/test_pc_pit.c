/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The 8254 and port 61: the sequences of Linux 2.6's i8253.c and tsc.c, and
 * the arithmetic of time over hours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/muldiv.h"
#include "pc/pit.h"

#define NS_PER_S 1000000000ull
#define TICK_NS (NS_PER_S / PIT_HZ + 1) /* rounded up */

static struct pit pit;
static u64 now;

static void out(u16 port, u8 value)
{
	pit_write(&pit, port, value, now);
}

static u8 in(u16 port)
{
	return pit_read(&pit, port, now);
}

static void start(void)
{
	now = 12345678901ull;
	pit_reset(&pit);
	pit_irq_take(&pit, now);
}

static void program(u8 channel, u8 mode, u16 count)
{
	out(0x43, channel << 6 | 0x30 | mode << 1);
	out(0x40 + channel, count & 0xFF);
	out(0x40 + channel, count >> 8);
}

static u16 read_count(u8 channel)
{
	out(0x43, channel << 6);
	u8 low = in(0x40 + channel);
	return low | in(0x40 + channel) << 8;
}

static u64 random64(void)
{
	static u64 x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

static u64 ticks_at(u64 ns)
{
	return (u64)((unsigned __int128)ns * PIT_HZ / NS_PER_S);
}

static void division_in_steps_equals_128_bit_division(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		u64 n = random64() >> (random64() & 63);
		u32 m = (u32)(random64() >> (32 + (random64() & 31)));
		u32 d = (u32)(random64() >> (32 + (random64() & 31))) | 1;
		unsigned __int128 product = (unsigned __int128)n * m;
		u32 rem;

		assert_true(div64(n, d, &rem) == n / d && rem == n % d);
		u64 q = muldiv64(n, m, d, &rem);
		if (product / d >> 64)
			assert_true(q == ~(u64)0);
		else
			assert_true(q == (u64)(product / d) && rem == (u32)(product % d));
	}
}

static void channel_2_measures_50_ms_for_the_tsc_calibration(void **state)
{
	(void)state;
	start();
	out(0x61, (in(0x61) & ~0x02) | 0x01);
	program(2, 0, PIT_HZ / 20);
	u64 began = now;
	while (!(in(0x61) & 0x20))
		now += 1000;
	assert_in_range(now - began, 50000000 - 1000, 50000000 + 2000 + TICK_NS);
	now += NS_PER_S;
	assert_true(in(0x61) & 0x20);
}

/* quick_pit_calibrate(): the high byte of a free-running channel 2 goes down
 * by one every 256 ticks. */
static void the_high_byte_of_channel_2_steps_every_256_ticks(void **state)
{
	(void)state;
	start();
	out(0x61, (in(0x61) & ~0x02) | 0x01);
	out(0x43, 0xB0);
	out(0x42, 0xFF);
	out(0x42, 0xFF);
	u64 last = 0;
	now += 2 * TICK_NS;
	for (u8 expect = 0xFF; expect > 0xF0; expect--) {
		unsigned reads = 0;

		for (; in(0x42), in(0x42) == expect; reads++)
			now += 500;
		if (last)
			assert_in_range(now - last, 256 * 838 - 1000, 256 * 839 + 1000);
		last = now;
		assert_true(reads > 300);
	}
}

static void a_stopped_gate_holds_the_count(void **state)
{
	(void)state;
	start();
	out(0x61, 0x01);
	program(2, 0, 10000);
	now += 1000 * TICK_NS;
	out(0x61, 0x00);
	u16 held = read_count(2);
	assert_in_range(held, 8990, 9010);
	now += NS_PER_S;
	assert_int_equal(read_count(2), held);
	assert_false(in(0x61) & 0x20);
	out(0x61, 0x01);
	now += 1000 * TICK_NS;
	assert_in_range(held - read_count(2), 995, 1005);
}

static void the_periodic_timer_does_not_drift_in_ten_hours(void **state)
{
	(void)state;
	start();
	program(0, 2, 4772); /* HZ = 250 */
	u64 base = ticks_at(now) + 1;
	u64 end = now + 36000 * NS_PER_S;
	u64 k = 0;

	while (now < end) {
		now = pit_next_edge(&pit, now);
		k++;
		assert_true(ticks_at(now) == base + k * 4772);
		assert_true(ticks_at(now - 1) == base + k * 4772 - 1);
		assert_true(pit_irq_take(&pit, now));
	}
	assert_in_range(k, 36000ull * PIT_HZ / 4772, 36000ull * PIT_HZ / 4772 + 1);
}

static void an_interrupt_is_due_exactly_at_the_announced_edge(void **state)
{
	static const u8 modes[] = {0, 2, 3, 4};

	(void)state;
	for (unsigned i = 0; i < 4000; i++) {
		start();
		now += random64() >> 20;
		pit_irq_take(&pit, now);
		program(0, modes[i & 3], (u16)random64());
		u64 edge = pit_next_edge(&pit, now);
		assert_true(edge > now && edge < now + 60000000);
		assert_false(pit_irq_take(&pit, edge - 1));
		assert_true(pit_irq_take(&pit, edge));
		assert_false(pit_irq_take(&pit, edge));
		assert_int_equal(pit_next_edge(&pit, edge) == PIT_NEVER, !(modes[i & 3] & 2));
	}
}

static void missed_periods_count_as_one_interrupt(void **state)
{
	(void)state;
	start();
	program(0, 2, 1193);
	now += NS_PER_S;
	assert_true(pit_irq_take(&pit, now));
	assert_false(pit_irq_take(&pit, now));
	assert_true(pit_next_edge(&pit, now) <= now + 1000000);
}

static void a_one_shot_interrupts_once(void **state)
{
	(void)state;
	start();
	out(0x43, 0x38); /* mode 4, as set_next_event() uses it */
	assert_true(pit_next_edge(&pit, now) == PIT_NEVER);
	out(0x40, 0xE8);
	out(0x40, 0x03);
	u64 edge = pit_next_edge(&pit, now);
	assert_in_range(edge - now, 1000 * 838, 1002 * TICK_NS);
	assert_true(pit_irq_take(&pit, edge));
	now = edge + NS_PER_S;
	assert_false(pit_irq_take(&pit, now));
	assert_true(pit_next_edge(&pit, now) == PIT_NEVER);
}

static void reprogramming_does_not_lose_an_edge(void **state)
{
	(void)state;
	start();
	program(0, 2, 1193);
	now += 1100000;
	program(0, 4, 60000);
	assert_true(pit_irq_take(&pit, now));
	assert_false(pit_irq_take(&pit, now));
}

static void a_latched_count_stands_still_until_read(void **state)
{
	(void)state;
	start();
	program(0, 2, 50000);
	now += 100 * TICK_NS;
	out(0x43, 0x00);
	now += 300 * TICK_NS;
	u16 first = in(0x40);
	first |= in(0x40) << 8;
	assert_in_range(first, 49895, 49905);
	assert_in_range(read_count(0), 49590, 49605);
}

static void the_count_stays_between_1_and_the_period(void **state)
{
	(void)state;
	start();
	program(0, 2, 1000);
	unsigned seen_low = 0, seen_high = 0;
	for (unsigned i = 0; i < 20000; i++) {
		now += 419;
		u16 n = read_count(0);
		assert_in_range(n, 1, 1000);
		seen_low += n == 1;
		seen_high += n == 1000;
	}
	assert_true(seen_low && seen_high);
}

static void read_back_shows_mode_output_and_the_missing_count(void **state)
{
	(void)state;
	start();
	out(0x61, 0x01);
	out(0x43, 0xB0);
	out(0x43, 0xE8); /* status of channel 2 */
	assert_int_equal(in(0x42), 0x70);
	out(0x42, 0x10);
	out(0x42, 0x00);
	now += 100 * TICK_NS;
	out(0x43, 0xC8); /* status and count */
	assert_int_equal(in(0x42), 0xB0);
	u16 count = in(0x42);
	count |= in(0x42) << 8;
	assert_in_range((u16)(0x10 - count), 97, 101); /* it counted on below zero */
}

static void a_channel_without_a_count_reads_as_zero(void **state)
{
	(void)state;
	start();
	assert_int_equal(read_count(1), 0);
	out(0x43, 0x34);
	assert_int_equal(read_count(0), 0);
	assert_true(pit_next_edge(&pit, now) == PIT_NEVER);
}

static void mode_2_is_low_for_the_last_tick_of_a_period(void **state)
{
	(void)state;
	start();
	out(0x61, 0x03);
	program(2, 2, 10);
	now += TICK_NS;
	unsigned low = 0;
	for (unsigned i = 0; i < 100000; i++) {
		low += !(in(0x61) & 0x20);
		now += 419; /* half a tick */
	}
	assert_in_range(low, 9990, 10010);
}

static void mode_3_counts_by_two_and_twice_a_period(void **state)
{
	(void)state;
	start();
	program(0, 3, 1000);
	now += TICK_NS;
	u16 first = read_count(0);
	now += 100 * 838;
	assert_in_range(first - read_count(0), 196, 204);
	now += 500 * 838;
	assert_in_range(first - read_count(0), 194, 206);
	for (unsigned i = 0; i < 5000; i++) {
		now += 838;
		u16 n = read_count(0);
		assert_true(n >= 2 && n <= 1000 && !(n & 1));
	}
}

static void mode_3_is_high_half_of_the_time(void **state)
{
	(void)state;
	start();
	out(0x61, 0x03);
	program(2, 3, 1000);
	now += TICK_NS;
	unsigned high = 0, changes = 0;
	bool last = true;
	for (unsigned i = 0; i < 100000; i++) {
		bool level = in(0x61) & 0x20;
		high += level;
		changes += level != last;
		last = level;
		now += 838;
	}
	assert_in_range(high, 49000, 51000);
	assert_in_range(changes, 198, 201);
}

static void one_byte_access_sets_the_other_byte_to_zero(void **state)
{
	(void)state;
	start();
	out(0x43, 0x24); /* channel 0, high byte, mode 2 */
	out(0x40, 0x12);
	now += 2 * TICK_NS;
	assert_in_range(pit_next_edge(&pit, now) - now, 0x11F0 * 838, 0x1201 * TICK_NS);
	assert_int_equal(in(0x40), 0x11);
	out(0x43, 0x14); /* low byte */
	out(0x40, 0x80);
	now += 2 * TICK_NS;
	assert_in_range(in(0x40), 0x7D, 0x80);
}

static void a_bcd_counter_counts_in_decimal(void **state)
{
	(void)state;
	start();
	out(0x61, 0x01);
	out(0x43, 0xB1); /* channel 2, mode 0, BCD */
	out(0x42, 0x00);
	out(0x42, 0x10); /* 1000 */
	now += 11 * TICK_NS;
	u16 n = read_count(2);
	assert_in_range(n, 0x0988, 0x0991);
	assert_true((n & 15) < 10);
	now += 1000 * TICK_NS;
	assert_in_range(read_count(2), 0x9980, 0x9999);
	out(0x42, 0x65);
	out(0x42, 0x87);
	now += TICK_NS;
	assert_in_range(read_count(2), 0x8763, 0x8765);
	now += 8765ull * NS_PER_S / PIT_HZ - 5 * TICK_NS;
	assert_false(in(0x61) & 0x20);
	now += 7 * TICK_NS;
	assert_true(in(0x61) & 0x20);
}

static void port_61_toggles_with_the_refresh(void **state)
{
	(void)state;
	start();
	unsigned changes = 0;
	u8 last = in(0x61) & 0x10;
	for (unsigned i = 0; i < 10000; i++) {
		now += 1000;
		u8 bit = in(0x61) & 0x10;
		changes += bit != last;
		last = bit;
	}
	assert_in_range(changes, 660, 666); /* every 15.09 us */
	out(0x61, 0xFF);
	assert_int_equal(in(0x61) & 0xCF, 0x0F);
}

static void after_reset_the_timer_ticks_18_times_a_second(void **state)
{
	(void)state;
	start();
	unsigned edges = 0;
	for (u64 end = now + 10 * NS_PER_S; (now = pit_next_edge(&pit, now)) < end;)
		edges += pit_irq_take(&pit, now);
	assert_in_range(edges, 182, 183);
}

static void a_clock_that_runs_backwards_does_no_harm(void **state)
{
	(void)state;
	start();
	program(0, 2, 1193);
	now += 5000000;
	assert_true(pit_irq_take(&pit, now));
	now -= 7000000;
	assert_false(pit_irq_take(&pit, now));
	assert_int_equal(read_count(0), 1193);
	assert_true(pit_next_edge(&pit, now) > now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(division_in_steps_equals_128_bit_division),
		cmocka_unit_test(channel_2_measures_50_ms_for_the_tsc_calibration),
		cmocka_unit_test(the_high_byte_of_channel_2_steps_every_256_ticks),
		cmocka_unit_test(a_stopped_gate_holds_the_count),
		cmocka_unit_test(the_periodic_timer_does_not_drift_in_ten_hours),
		cmocka_unit_test(an_interrupt_is_due_exactly_at_the_announced_edge),
		cmocka_unit_test(missed_periods_count_as_one_interrupt),
		cmocka_unit_test(a_one_shot_interrupts_once),
		cmocka_unit_test(reprogramming_does_not_lose_an_edge),
		cmocka_unit_test(a_latched_count_stands_still_until_read),
		cmocka_unit_test(the_count_stays_between_1_and_the_period),
		cmocka_unit_test(read_back_shows_mode_output_and_the_missing_count),
		cmocka_unit_test(a_channel_without_a_count_reads_as_zero),
		cmocka_unit_test(mode_2_is_low_for_the_last_tick_of_a_period),
		cmocka_unit_test(mode_3_counts_by_two_and_twice_a_period),
		cmocka_unit_test(mode_3_is_high_half_of_the_time),
		cmocka_unit_test(one_byte_access_sets_the_other_byte_to_zero),
		cmocka_unit_test(a_bcd_counter_counts_in_decimal),
		cmocka_unit_test(port_61_toggles_with_the_refresh),
		cmocka_unit_test(after_reset_the_timer_ticks_18_times_a_second),
		cmocka_unit_test(a_clock_that_runs_backwards_does_no_harm),
	};

	return cmocka_run_group_tests_name("8254", tests, NULL, NULL);
}
