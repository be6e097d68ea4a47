/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs the rows of bench_calls.c and bench_processes.c.  Words of the command
 * line: bench (rows instead of checks), only=NAME (rows whose name begins so),
 * marks (the monitor is told by port 0xE9 to count each row).
 *
 * Kept true here: a row's value is that of its operations alone.  The loop
 * around them is measured too, empty, and taken off.
 */
#include "bench.h"
#include "cpu.h"
#include "ops.h"

#define ROUNDS 5
#define MARK_PORT 0xe9

static void mark(char what)
{
	if (option("marks"))
		outb((u8)what, MARK_PORT);
}

static u32 nothing(u32 ops)
{
	return BENCH_LOOP(ops, );
}

/* Without a C library's qsort. */
static void sort(u32 *v, u32 n)
{
	for (u32 i = 1; i < n; i++) {
		for (u32 j = i; j && v[j - 1] > v[j]; j--) {
			u32 t = v[j];

			v[j] = v[j - 1];
			v[j - 1] = t;
		}
	}
}

/* In tenths of a tick. */
static u32 per_op(u32 ticks, u32 empty, u32 ops)
{
	return ticks < empty ? 0 : (u32)div64((u64)(ticks - empty) * 10, ops);
}

static u32 measured; /* rows */

static void measure(const struct bench *b)
{
	u32 t[ROUNDS], empty, value, least, most;

	nothing(b->ops);
	empty = nothing(b->ops);
	b->run(b->ops);
	mark('z');
	for (u32 i = 0; i < ROUNDS; i++)
		t[i] = b->run(b->ops);
	mark('c');
	sort(t, ROUNDS);
	measured++;
	value = per_op(t[ROUNDS / 2], empty, b->ops);
	least = per_op(t[0], empty, b->ops);
	most = per_op(t[ROUNDS - 1], empty, b->ops);
	printk("bench:\t%s\t%u.%u\top\t%u\t%u\t%u.%u\t%u.%u\n", b->name, value / 10, value % 10,
	       ROUNDS, b->ops, least / 10, least % 10, most / 10, most % 10);
}

static void measure_all(const struct bench *b)
{
	for (; b->name; b++) {
		if (!option_given("only") || option_starts("only", b->name))
			measure(b);
	}
}

void bench(void)
{
	printk("-- bench\n");
	measure_all(bench_calls);
	measure_all(bench_processes);
	check("every row was measured", measured);
	printk("bench: done\n");
}
