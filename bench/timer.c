/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From idle to user mode: how late a sleeper wakes up, in ns of virtual time.
 * Contains the kernel's rounding to its clock (a tick of 4 or 10 ms without
 * high-resolution timers).
 */
#include "bench.h"

#include <stddef.h>

#define NS_PER_MS 1000000u

static void sleep_late(u32 ops, u32 ms)
{
	while (ops--) {
		long t[2] = {0, (long)(ms * NS_PER_MS)};

		sys2(SYS_nanosleep, t, 0);
		bench_excluded += ms * NS_PER_MS;
	}
}

static void sleep_1(u32 ops)
{
	sleep_late(ops, 1);
}

static void sleep_20(u32 ops)
{
	sleep_late(ops, 20);
}

const struct bench timer_rows[] = {
	{"sleep of 1 ms, late by", "ns", 20, 5, sleep_1, NULL, NULL, NULL},
	{"sleep of 20 ms, late by", "ns", 20, 5, sleep_20, NULL, NULL, NULL},
	{0},
};
