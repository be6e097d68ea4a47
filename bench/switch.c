/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Context switches as lmbench's lat_ctx: N processes in a ring of pipes hand a
 * byte on, and each sums up an array of its own before it does.  What one
 * process needs for the same pipe calls and sums is subtracted, so the figure
 * is that of the switch alone.  In one row each of them uses the FPU at every hop.
 */
#include "bench.h"

#include <stddef.h>
#include <sys/mman.h>

#define RING_MAX 16
#define HOPS 480    /* a round; divisible by all sizes of the ring */
#define SETTLING 16 /* rounds before any is measured, see ring_begin() */

static int ring[RING_MAX][2]; /* process i reads ring[i] */
static long members[RING_MAX];
static u32 size, words; /* of the ring, of the array */
static int uses_fpu;
static u32 array[65536 / 4];
static volatile u32 sink;

static void sum(void)
{
	u32 total = 0;

	if (uses_fpu)
		__asm__ volatile("fld1\n\tfstp %%st(0)" ::: "st");
	for (u32 i = 0; i < words; i++)
		total += ((volatile u32 *)array)[i];
	sink = total;
}

static void member(u32 which)
{
	char c;

	for (u32 i = 0; i < RING_MAX; i++) { /* so that the ring's end is seen */
		if (i >= size)
			continue;
		if (i != which)
			sys1(SYS_close, ring[i][0]);
		if (i != (which + 1) % size)
			sys1(SYS_close, ring[i][1]);
	}
	array[0] = which; /* makes the pages its own */
	for (u32 i = 0; i < words; i += 1024)
		array[i] = which;
	while (sys_read(ring[which][0], &c, 1) == 1) {
		sum();
		sys_write(ring[(which + 1) % size][1], &c, 1);
	}
	sys1(SYS_exit, 0);
}

/* We are member 0. */
static void hop_round(u32 ops)
{
	char c = 0;

	for (u32 i = 0; i < ops / size; i++) {
		sys_write(ring[1 % size][1], &c, 1);
		MUST(sys_read(ring[0][0], &c, 1) == 1);
		sum();
	}
}

static u64 alone; /* ticks of a round with one process */

static void ring_open(u32 n)
{
	size = n;
	for (u32 i = 0; i < n; i++)
		MUST(sys1(SYS_pipe, ring[i]) == 0);
	for (u32 i = 1; i < n; i++) {
		long pid = sys0(SYS_fork);

		if (pid == 0)
			member(i);
		MUST(pid > 0);
		members[i] = pid;
	}
}

static void ring_close(void)
{
	for (u32 i = 1; i < size; i++)
		sys2(SYS_kill, members[i], SIGKILL);
	for (u32 i = 1; i < size; i++)
		sys3(SYS_waitpid, members[i], 0, 0);
	for (u32 i = 0; i < size; i++) {
		sys1(SYS_close, ring[i][0]);
		sys1(SYS_close, ring[i][1]);
	}
}

/* The scheduler's debts from the forks are paid first: for some thousand hops
 * the young members preempt the others, and a hop is up to 1.4 switches. */
static int ring_begin(u32 n, u32 kb, int fpu)
{
	static const struct bench one = {"ring of one", NULL, 5, HOPS, hop_round, NULL, NULL, NULL};

	uses_fpu = fpu;
	words = kb * 1024 / 4;
	for (u32 i = 0; i < words; i += 1024)
		array[i] = 1;
	ring_open(1);
	alone = bench_median(&one);
	ring_close();
	ring_open(n);
	for (u32 i = 0; i < SETTLING; i++)
		hop_round(HOPS);
	return 1;
}

#define RING(n, kb)                                                                                \
	static int ring_##n##_##kb(void)                                                           \
	{                                                                                          \
		return ring_begin(n, kb, 0);                                                       \
	}
RING(2, 0)
RING(2, 16)
RING(2, 64)
RING(8, 16)
RING(8, 64)
RING(16, 16)
RING(16, 64)

static int ring_fpu(void)
{
	return ring_begin(2, 0, 1);
}

#define ROW(n, kb)                                                                                 \
	{                                                                                          \
		"context switch, " #n "p/" #kb "K", NULL, 10, HOPS, hop_round, ring_##n##_##kb,    \
			ring_close, &alone                                                         \
	}

const struct bench switch_rows[] = {
	ROW(2, 0), ROW(2, 16), ROW(2, 64), ROW(8, 16), ROW(8, 64), ROW(16, 16), ROW(16, 64), {0},
};

/* The last of all rows, because the program goes on as one that has used the FPU. */
const struct bench fpu_rows[] = {
	{"context switch, 2p/0K, FPU", NULL, 10, HOPS, hop_round, ring_fpu, ring_close, &alone},
	{0},
};
