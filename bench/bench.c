/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Measures all rows, or those whose name contains a word of "only=WORD".
 * Words of the command line (tests/user/init.c hands them over):
 *
 *   marks    write to port 0xE9 around the measured rounds: the monitor prints
 *            its counters there if the guest's command line has vmixen.counters
 *
 * Output, a line a row, with tabs between the fields:
 *
 *   bench: NAME VALUE UNIT ROUNDS OPS LEAST MOST     figures are per operation
 *   bench: NAME absent                               the kernel cannot do this
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <time.h>
#include <unistd.h>

#define MARK_PORT 0xE9
#define MARK_ZERO 'z'  /* counters start from 0 */
#define MARK_PRINT 'c' /* counters are printed */

static const struct bench *const tables[] = {
	call_rows, process_rows, switch_rows, memory_rows,
	ipc_rows,  macro_rows,	 timer_rows,  fpu_rows,
};

u64 bench_excluded;

static int marks;
static u64 samples[BENCH_MAX_ROUNDS];

void bench_die(const char *what, long result)
{
	printf("bench: failed: %s: %ld\nguest: 0 passed, 1 failed\n", what, result);
	fflush(stdout);
	_exit(1);
}

static int earlier(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static void mark(int what)
{
	if (marks)
		outb((unsigned char)what, MARK_PORT);
}

u64 bench_median(const struct bench *b)
{
	MUST(b->rounds <= BENCH_MAX_ROUNDS);
	b->run(b->ops);
	mark(MARK_ZERO);
	for (u32 i = 0; i < b->rounds; i++) {
		u64 start;

		bench_excluded = 0;
		start = ticks();
		b->run(b->ops);
		samples[i] = ticks() - start - bench_excluded;
	}
	mark(MARK_PRINT);
	qsort(samples, b->rounds, sizeof(samples[0]), earlier);
	return samples[b->rounds / 2];
}

/* Per operation, in tenths.  No floating point: a process that has used the FPU
 * has dearer signals and context switches. */
static long long per_op(const struct bench *b, u64 t)
{
	u64 less = b->less ? *b->less : 0;

	return (long long)(t - less) * 10 / b->ops;
}

static void print_value(const char *separator, long long tenths)
{
	printf("%s%s%lld.%lld", separator, tenths < 0 ? "-" : "", llabs(tenths) / 10,
	       llabs(tenths) % 10);
}

static void measure(const struct bench *b)
{
	u64 median;

	if (b->begin && !b->begin()) {
		printf("bench:\t%s\tabsent\n", b->name);
		return;
	}
	median = bench_median(b);
	printf("bench:\t%s", b->name);
	print_value("\t", per_op(b, median));
	printf("\t%s\t%u\t%u", b->unit ? b->unit : "op", b->rounds, b->ops);
	print_value("\t", per_op(b, samples[0]));
	print_value("\t", per_op(b, samples[b->rounds - 1]));
	printf("\n");
	if (b->end)
		b->end();
}

/* With that many processes asleep: what the monitor's pool holds for them. */
#define SLEEPERS 20u

static void sleeper(void)
{
	sys0(SYS_pause);
}

static void sleepers(void)
{
	long pid[SLEEPERS];

	for (u32 i = 0; i < SLEEPERS; i++)
		MUST((pid[i] = sys_fork(sleeper)) > 0);
	usleep(100000); /* all of them ran */
	mark(MARK_ZERO);
	mark(MARK_PRINT);
	printf("bench:\tsleepers\t%u\n", SLEEPERS);
	for (u32 i = 0; i < SLEEPERS; i++) {
		sys2(SYS_kill, pid[i], SIGKILL);
		sys3(SYS_waitpid, pid[i], 0, 0);
	}
}

static void nothing(u32 ops)
{
	(void)ops;
}

int main(int argc, char **argv)
{
	static const struct bench empty = {"nothing", NULL, 20, 1, nothing, NULL, NULL, NULL};
	const char *only = getenv("only");
	struct timespec up;

	setvbuf(stdout, NULL, _IOLBF, 1024);
	for (int i = 1; i < argc; i++)
		marks |= !strcmp(argv[i], "marks");
	clock_gettime(CLOCK_MONOTONIC, &up);
	printf("bench: up %ld us\n", (long)(up.tv_sec * 1000000 + up.tv_nsec / 1000));
	if (marks && ioperm(MARK_PORT, 1, 1) && iopl(3))
		bench_die("no permission for port 0xE9", 0);
	measure(&empty);
	if (marks)
		sleepers();
	for (u32 i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct bench *b = tables[i]; b->name; b++)
			if (!only || strstr(b->name, only))
				measure(b);
	printf("bench: done\n");
	return 0;
}
