/* SPDX-License-Identifier: GPL-2.0-only */
/* System calls that do little: what the way into the kernel and back costs. */
#include "bench.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/time.h>
#include <time.h>

static int zero_fd, null_fd;

static void null_call(u32 ops)
{
	while (ops--)
		sys0(SYS_getppid);
}

static int open_devices(void)
{
	zero_fd = (int)sys2(SYS_open, "/dev/zero", O_RDONLY);
	null_fd = (int)sys2(SYS_open, "/dev/null", O_WRONLY);
	MUST(zero_fd >= 0 && null_fd >= 0);
	return 1;
}

static void close_devices(void)
{
	sys1(SYS_close, zero_fd);
	sys1(SYS_close, null_fd);
}

/* As lmbench: the mean of a read and a write. */
static void null_io(u32 ops)
{
	char c = 0;

	for (u32 i = 0; i < ops / 2; i++) {
		sys_read(zero_fd, &c, 1);
		sys_write(null_fd, &c, 1);
	}
}

static void stat_file(u32 ops)
{
	char buffer[128];

	while (ops--)
		sys2(SYS_stat64, "/bin/main", buffer);
}

static void open_close(u32 ops)
{
	while (ops--)
		sys1(SYS_close, sys2(SYS_open, "/bin/main", O_RDONLY));
}

/* --- select on 100 pipes ------------------------------------------------------ */

#define PIPES 100

static int pipes[PIPES][2];

static int make_pipes(void)
{
	for (u32 i = 0; i < PIPES; i++)
		MUST(sys1(SYS_pipe, pipes[i]) == 0);
	return 1;
}

static void close_pipes(void)
{
	for (u32 i = 0; i < PIPES; i++) {
		sys1(SYS_close, pipes[i][0]);
		sys1(SYS_close, pipes[i][1]);
	}
}

static void select_pipes(u32 ops)
{
	while (ops--) {
		struct timeval32 {
			long s, us;
		} no_wait = {0, 0};
		u32 set[32] = {0};

		for (u32 i = 0; i < PIPES; i++)
			set[pipes[i][0] / 32] |= 1u << (pipes[i][0] % 32);
		sys5(SYS__newselect, pipes[PIPES - 1][1] + 1, (long)set, 0, 0, (long)&no_wait);
	}
}

/* --- signals -------------------------------------------------------------------- */

static volatile u32 caught;
static long self;

static void handler(int signal)
{
	(void)signal;
	caught++;
}

/* What the kernel's rt_sigaction takes; without SA_RESTORER the handler returns
 * by the vDSO or by code on the stack, as glibc's do. */
struct action {
	void (*handler)(int);
	u32 flags;
	void (*restorer)(void);
	u32 mask[2];
};

static void install(u32 ops)
{
	struct action action = {.handler = handler};

	while (ops--)
		MUST(sys5(SYS_rt_sigaction, SIGUSR1, (long)&action, 0, 8, 0) == 0);
}

static int install_once(void)
{
	install(1);
	self = sys0(SYS_getpid);
	return 1;
}

static void send_self(u32 ops)
{
	u32 before = caught;

	for (u32 i = 0; i < ops; i++)
		sys2(SYS_kill, self, SIGUSR1);
	MUST(caught - before == ops);
}

static void ignore(void)
{
	struct action action = {.handler = SIG_DFL};

	sys5(SYS_rt_sigaction, SIGUSR1, (long)&action, 0, 8, 0);
}

/* --- time and the scheduler -------------------------------------------------------- */

static void get_time(u32 ops)
{
	long t[2];

	while (ops--)
		sys2(SYS_clock_gettime32, CLOCK_MONOTONIC, t);
}

static void get_day(u32 ops)
{
	long t[2];

	while (ops--)
		sys2(SYS_gettimeofday_time32, t, 0);
}

static void yield(u32 ops)
{
	while (ops--)
		sys0(SYS_sched_yield);
}

const struct bench call_rows[] = {
	{"null call", NULL, 20, 2000, null_call, NULL, NULL, NULL},
	{"null I/O", NULL, 20, 2000, null_io, open_devices, close_devices, NULL},
	{"stat", NULL, 20, 500, stat_file, NULL, NULL, NULL},
	{"open, close", NULL, 20, 500, open_close, NULL, NULL, NULL},
	{"select, 100 pipes", NULL, 20, 50, select_pipes, make_pipes, close_pipes, NULL},
	{"signal install", NULL, 20, 1000, install, NULL, ignore, NULL},
	{"signal handler", NULL, 20, 500, send_self, install_once, ignore, NULL},
	{"clock_gettime", NULL, 20, 1000, get_time, NULL, NULL, NULL},
	{"gettimeofday", NULL, 20, 1000, get_day, NULL, NULL, NULL},
	{"sched_yield", NULL, 20, 1000, yield, NULL, NULL, NULL},
	{0},
};
