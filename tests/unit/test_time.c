/* SPDX-License-Identifier: GPL-2.0-only */
/* Xen's clock, the counters that are made of it, and the VMI calls on them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain.h"
#include "xenbind/clock.h"
#include "monitor/vmi/vmi.h"
#include "monitor/io/time.h"
#include "monitor/monitor.h"

u64 vmi_GetCycleFrequency(void);
u64 vmi_GetCycleCounter(u32 which);
u64 vmi_GetWallclockTime(void);
u32 vmi_WallclockUpdated(void);

enum { REAL, AVAILABLE, STOLEN };

#define GHZ2 0x80000000u /* tsc_to_system_mul */
#define SECOND 1000000000ull

static int start(void **state)
{
	(void)state;
	domain_init(true);
	return 0;
}

/* Xen puts the vCPU aside for so many ns and lets it run again: it writes all of
 * the area, and with it a new state_entry_time. */
static void steal(u64 ns)
{
	VCPU->runstate.time[RUNSTATE_runnable] += ns;
	VCPU->runstate.state_entry_time += ns + 1;
}

/* Time in which something can have been stolen. */
static void wait(u64 cycles)
{
	u64 start = time_cycles();

	while (time_cycles() - start < cycles)
		;
}

static void rate(u32 mul)
{
	XEN_VCPU->time.tsc_to_system_mul = mul;
}

static void xens_clock_follows_the_tsc(void **state)
{
	volatile struct vcpu_time_info *t = &XEN_VCPU->time;
	u64 a, b;

	(void)state;
	t->tsc_to_system_mul = GHZ2;
	t->tsc_timestamp = time_cycles();
	t->system_time = 1000000000;
	a = clock_ns();
	assert_true(a >= 1000000000 && a < 2000000000);
	b = clock_ns();
	assert_true(b >= a);
	t->tsc_shift = -1; /* 4 GHz */
	t->tsc_timestamp = time_cycles() - 4000000000ull;
	a = clock_ns();
	assert_true(a >= 2000000000 && a < 2500000000u);
	t->tsc_shift = 1; /* 1 GHz */
	t->tsc_timestamp = time_cycles() - 1000000000ull;
	a = clock_ns();
	assert_true(a >= 2000000000 && a < 3500000000u);
}

static void a_tsc_behind_its_stamp_is_at_it(void **state)
{
	volatile struct vcpu_time_info *t = &XEN_VCPU->time;

	(void)state;
	t->tsc_shift = 0;
	t->tsc_to_system_mul = GHZ2;
	t->system_time = 2000000000;
	t->tsc_timestamp = time_cycles() + 1000000000000ull;
	assert_int_equal(clock_ns(), 2000000000);
}

static void cycles_become_ns_or_all_ones(void **state)
{
	volatile struct vcpu_time_info *t = &XEN_VCPU->time;

	(void)state;
	t->tsc_to_system_mul = GHZ2;
	assert_true(clock_cycles_to_ns(1ull << 40) == 1ull << 39);
	assert_true(clock_cycles_to_ns(~0ull) == (1ull << 63) - 1);
	t->tsc_shift = -1; /* 4 GHz */
	assert_true(clock_cycles_to_ns(~0ull) == (1ull << 62) - 1);
	t->tsc_shift = 2; /* 500 MHz */
	assert_true(clock_cycles_to_ns(1ull << 61) == 1ull << 62);
	assert_true(clock_cycles_to_ns(1ull << 62) == ~0ull);
	assert_true(clock_cycles_to_ns(~0ull) == ~0ull);
}

static void ns_never_go_back(void **state)
{
	volatile struct vcpu_time_info *t = &XEN_VCPU->time;
	u64 before = time_ns(), after;

	(void)state;
	t->tsc_timestamp = time_cycles();
	t->system_time = before - 1000000; /* 1 ms too fast it was */
	after = time_ns();
	assert_true(after >= before && after < before + 500000);
	t->system_time = before + SECOND;
	assert_true(time_ns() >= before + SECOND);
}

static void the_frequency_is_xens(void **state)
{
	volatile struct vcpu_time_info *t = &XEN_VCPU->time;

	(void)state;
	t->tsc_to_system_mul = GHZ2;
	time_start();
	assert_int_equal(vmi_GetCycleFrequency(), 2000000000);
	assert_int_equal(time_khz(), 2000000);
	t->tsc_to_system_mul = 0xC0000000;
	t->tsc_shift = -1;
	assert_int_equal(time_khz(), 2666666);
	t->tsc_to_system_mul = 0xAAAAAAAA;
	t->tsc_shift = 1;
	assert_int_equal(time_khz(), 750000);
	t->tsc_shift = 0;
	assert_int_equal(time_khz(), 1500000);
	assert_int_equal(vmi_GetCycleFrequency(), 2000000000);
	VCPU->clock = (struct clock_cache){0};
	time_start();
	assert_int_equal(vmi_GetCycleFrequency() / 1000, 1500000);
}

static void wall_clock(void **state)
{
	volatile struct shared_info *sh = XEN_SHARED;

	(void)state;
	sh->wc_sec = 1200000000;
	sh->wc_nsec = 500;
	assert_true(vmi_GetWallclockTime() >= 1200000000000000500ull);
	assert_true(time_pc().epoch_s >= 1200000000);
	assert_int_equal(vmi_WallclockUpdated(), 0);
	sh->wc_version += 2;
	assert_int_equal(vmi_WallclockUpdated(), 1);
	assert_int_equal(vmi_WallclockUpdated(), 0);
	sh->wc_version++; /* Xen is about to write: told once, when it has */
	assert_int_equal(vmi_WallclockUpdated(), 0);
	sh->wc_version++;
	assert_int_equal(vmi_WallclockUpdated(), 1);
	assert_int_equal(vmi_WallclockUpdated(), 0);
}

/* A clock of a machine on which a second passes between two looks at it. */
static void the_date_and_the_ns_are_of_one_moment(void **state)
{
	struct pc_time t;

	(void)state;
	XEN_SHARED->wc_sec = 1200000000;
	XEN_SHARED->wc_nsec = 0;
	XEN_VCPU->time.tsc_timestamp = time_cycles();
	XEN_VCPU->time.tsc_shift = 24;
	VCPU->clock.ns = 0;
	wait(100);
	t = time_pc();
	assert_true(time_pc().ns != t.ns);
	assert_true(t.epoch_s == 1200000000 + t.ns / SECOND);
}

static void real_is_available_and_stolen(void **state)
{
	u64 real, available;

	(void)state;
	steal(1000000);
	VCPU->runstate.time[RUNSTATE_offline] = 500000;
	assert_int_equal(vmi_GetCycleCounter(STOLEN), 3000000); /* 1.5 ms of 2 GHz */
	real = vmi_GetCycleCounter(REAL);
	available = vmi_GetCycleCounter(AVAILABLE);
	assert_true(available + 3000000 >= real);
	assert_true(available + 3000000 <= vmi_GetCycleCounter(REAL));
	assert_int_equal(vmi_GetCycleCounter(7), 0);
}

/* What was stolen before keeps the cycles that it was. */
static void available_goes_on_when_xen_corrects_its_rate(void **state)
{
	u64 before, after, stolen;

	(void)state;
	steal(10 * SECOND);
	before = vmi_GetCycleCounter(AVAILABLE);
	stolen = vmi_GetCycleCounter(STOLEN);
	rate(GHZ2 - GHZ2 / 100); /* more cycles a second */
	wait(10000);
	steal(1000);
	after = vmi_GetCycleCounter(AVAILABLE);
	assert_true(after >= before && after - before < 2 * SECOND);
	assert_in_range(vmi_GetCycleCounter(STOLEN) - stolen, 2000, 2100);
	rate(GHZ2 + GHZ2 / 100); /* less of them */
	wait(10000);
	steal(1000);
	assert_true(vmi_GetCycleCounter(AVAILABLE) >= after);
	assert_in_range(vmi_GetCycleCounter(STOLEN) - stolen, 3900, 4100);
}

/* Xen's clock may take a leap while the vCPU waits. */
static void no_more_is_stolen_than_there_was(void **state)
{
	u64 before, after, real, stolen;

	(void)state;
	before = vmi_GetCycleCounter(AVAILABLE);
	real = vmi_GetCycleCounter(REAL);
	steal(5 * SECOND);
	after = vmi_GetCycleCounter(AVAILABLE);
	stolen = vmi_GetCycleCounter(STOLEN);
	assert_true(after >= before);
	assert_true(after + stolen >= real && after + stolen <= vmi_GetCycleCounter(REAL));
}

static void available_stands_while_the_tsc_is_behind(void **state)
{
	u64 ahead = time_cycles() + 100 * SECOND;

	(void)state;
	VCPU->clock.available = ahead; /* what another CPU's TSC has said */
	steal(1000);
	assert_true(vmi_GetCycleCounter(AVAILABLE) == ahead);
	assert_true(vmi_GetCycleCounter(AVAILABLE) == ahead);
	assert_int_equal(vmi_GetCycleCounter(STOLEN), 0);
	assert_true(VCPU->clock.entry !=
		    VCPU->runstate.state_entry_time); /* not by the short cut */
	VCPU->clock.available = 1;		      /* it has caught up */
	assert_int_equal(vmi_GetCycleCounter(STOLEN), 2000);
	assert_true(VCPU->clock.entry == VCPU->runstate.state_entry_time);
}

static void stolen_time_that_xen_begins_anew_goes_on(void **state)
{
	(void)state;
	steal(10 * SECOND);
	assert_true(vmi_GetCycleCounter(STOLEN) == 20 * SECOND);
	VCPU->runstate.time[RUNSTATE_runnable] = 500;
	VCPU->runstate.state_entry_time = 1;
	assert_true(vmi_GetCycleCounter(STOLEN) == 20 * SECOND);
	wait(10000);
	steal(1000);
	assert_true(vmi_GetCycleCounter(STOLEN) == 20 * SECOND + 2000);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(xens_clock_follows_the_tsc, start),
		cmocka_unit_test_setup(a_tsc_behind_its_stamp_is_at_it, start),
		cmocka_unit_test_setup(cycles_become_ns_or_all_ones, start),
		cmocka_unit_test_setup(ns_never_go_back, start),
		cmocka_unit_test_setup(the_frequency_is_xens, start),
		cmocka_unit_test_setup(wall_clock, start),
		cmocka_unit_test_setup(the_date_and_the_ns_are_of_one_moment, start),
		cmocka_unit_test_setup(real_is_available_and_stolen, start),
		cmocka_unit_test_setup(available_goes_on_when_xen_corrects_its_rate, start),
		cmocka_unit_test_setup(no_more_is_stolen_than_there_was, start),
		cmocka_unit_test_setup(available_stands_while_the_tsc_is_behind, start),
		cmocka_unit_test_setup(stolen_time_that_xen_begins_anew_goes_on, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
