/* SPDX-License-Identifier: GPL-2.0-only */
/* Page tables: mapping, protecting, faulting. */
#include "bench.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <ucontext.h>

#define MB (1u << 20)
#define SIZE (4 * MB)
#define PAGES (SIZE / 4096)
#define LARGE (64 * MB)
#define RW (PROT_READ | PROT_WRITE)

static char *area;
static int file = -1;

static char *anonymous(u32 size)
{
	char *p = sys_mmap(size, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	MUST(!sys_failed(p));
	return p;
}

static void touch(char *p, u32 size, u32 step)
{
	for (u32 i = 0; i < size; i += step)
		((volatile char *)p)[i] = 1;
}

/* --- a file in memory ------------------------------------------------------------- */

static int file_open(void)
{
	static char block[65536];

	file = (int)sys3(SYS_open, (long)"/tmp/mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);
	MUST(file >= 0);
	for (u32 i = 0; i < SIZE / sizeof(block); i++)
		MUST(sys_write(file, block, sizeof(block)) == sizeof(block));
	return 1;
}

static void file_close(void)
{
	sys1(SYS_close, file);
	sys1(SYS_unlink, "/tmp/mapped");
}

static char *file_map(void)
{
	char *p = sys_mmap(SIZE, RW, MAP_SHARED, file);

	MUST(!sys_failed(p));
	return p;
}

/* As lmbench's lat_mmap: a tenth of the file is written to, each 16 KB. */
static void map_file(u32 ops)
{
	while (ops--) {
		char *p = file_map();

		touch(p, SIZE / 10, 16384);
		sys_munmap(p, SIZE);
	}
}

/* Pages that are in memory already; one pass over the file, mapping not counted. */
static void fault_file(u32 ops)
{
	u64 t = ticks();
	char *p = file_map();

	bench_excluded += ticks() - t;
	for (u32 i = 0; i < ops; i++)
		(void)*(volatile char *)(p + i * 4096u);
	t = ticks();
	sys_munmap(p, SIZE);
	bench_excluded += ticks() - t;
}

/* --- anonymous memory ----------------------------------------------------------------- */

static void map_touch_unmap(u32 ops)
{
	while (ops--) {
		char *p = anonymous(SIZE);

		touch(p, SIZE, 4096);
		sys_munmap(p, SIZE);
	}
}

static void unmap(u32 ops)
{
	while (ops--) {
		u64 t = ticks();
		char *p = anonymous(SIZE);

		touch(p, SIZE, 4096);
		bench_excluded += ticks() - t;
		sys_munmap(p, SIZE);
	}
}

static void fault_anonymous(u32 ops)
{
	u64 t = ticks();
	char *p = anonymous(SIZE);

	bench_excluded += ticks() - t;
	touch(p, ops * 4096, 4096);
	t = ticks();
	sys_munmap(p, SIZE);
	bench_excluded += ticks() - t;
}

static void map_unmap_large(u32 ops)
{
	while (ops--)
		sys_munmap(anonymous(LARGE), LARGE);
}

static int area_begin(void)
{
	area = anonymous(SIZE);
	touch(area, SIZE, 4096);
	return 1;
}

static void area_end(void)
{
	sys_munmap(area, SIZE);
}

/* All of 4 MB read-only and writable again, and all of it written to. */
static void protect_area(u32 ops)
{
	while (ops--) {
		sys_mprotect(area, SIZE, PROT_READ);
		sys_mprotect(area, SIZE, RW);
		touch(area, SIZE, 4096);
	}
}

static void protect_page(u32 ops)
{
	while (ops--) {
		sys_mprotect(area, 4096, PROT_READ);
		sys_mprotect(area, 4096, RW);
		*(volatile char *)area = 2;
	}
}

/* A child writes to pages that it shares with us; the fork is not counted. */
static void copy_on_write(u32 ops)
{
	int report[2];
	u64 t = ticks(), spent = 0;
	long pid;

	MUST(sys1(SYS_pipe, report) == 0);
	pid = sys0(SYS_fork);
	if (pid == 0) {
		u64 start = ticks();

		touch(area, ops * 4096, 4096);
		start = ticks() - start;
		sys_write(report[1], &start, sizeof(start));
		sys1(SYS_exit, 0);
	}
	MUST(sys_read(report[0], &spent, sizeof(spent)) == sizeof(spent));
	MUST(sys_join(pid));
	sys1(SYS_close, report[0]);
	sys1(SYS_close, report[1]);
	bench_excluded += ticks() - t - spent;
}

/* --- a fault with a handler -------------------------------------------------------------- */

static volatile u32 faults;

#define STORE_LENGTH 6 /* of movl $imm32, (%eax) */

static void step_over(int signal, siginfo_t *info, void *context)
{
	ucontext_t *user = context;

	(void)signal;
	(void)info;
	faults++;
	user->uc_mcontext.gregs[REG_EIP] += STORE_LENGTH;
}

static int fault_begin(void)
{
	struct sigaction action = {.sa_sigaction = step_over, .sa_flags = SA_SIGINFO};

	area_begin();
	sigaction(SIGSEGV, &action, NULL);
	sys_mprotect(area, 4096, PROT_READ);
	return 1;
}

static void fault_end(void)
{
	signal(SIGSEGV, SIG_DFL);
	area_end();
}

static void fault_protected(u32 ops)
{
	u32 before = faults;

	for (u32 i = 0; i < ops; i++)
		__asm__ volatile("movl $3, (%0)" ::"a"(area) : "memory");
	MUST(faults - before == ops);
}

const struct bench memory_rows[] = {
	{"mmap latency, 4 MB file", NULL, 20, 10, map_file, file_open, file_close, NULL},
	{"page fault, file", NULL, 10, PAGES, fault_file, file_open, file_close, NULL},
	{"page fault, anonymous", NULL, 10, PAGES, fault_anonymous, NULL, NULL, NULL},
	{"page fault, copy on write", NULL, 10, 512, copy_on_write, area_begin, area_end, NULL},
	{"protection fault, handler", NULL, 20, 200, fault_protected, fault_begin, fault_end, NULL},
	{"mmap, touch, munmap 4 MB", NULL, 10, 1, map_touch_unmap, NULL, NULL, NULL},
	{"munmap of 4 MB, touched", NULL, 10, 1, unmap, NULL, NULL, NULL},
	{"mmap, munmap 64 MB", NULL, 20, 100, map_unmap_large, NULL, NULL, NULL},
	{"mprotect twice, 4 MB, touched", NULL, 10, 1, protect_area, area_begin, area_end, NULL},
	{"mprotect twice, one page", NULL, 20, 200, protect_page, area_begin, area_end, NULL},
	{0},
};
