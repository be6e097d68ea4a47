/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes: made, filled with a program, ended. */
#include "bench.h"

#include <stddef.h>
#include <fcntl.h>
#include <sys/mman.h>

static const char *const environment[] = {"PATH=/bin", NULL};

static void exec_hello(void)
{
	static const char *const argv[] = {"hello", NULL};

	sys3(SYS_execve, (long)"/bin/hello", (long)argv, (long)environment);
	sys1(SYS_exit, 1);
}

static void exec_shell(void)
{
	static const char *const argv[] = {"sh", "-c", "/bin/hello", NULL};

	sys3(SYS_execve, (long)"/bin/sh", (long)argv, (long)environment);
	sys1(SYS_exit, 1);
}

static void children(u32 ops, void (*work)(void))
{
	while (ops--)
		MUST(sys_join(sys_fork(work)));
}

static void fork_exit(u32 ops)
{
	children(ops, NULL);
}

static void fork_exec(u32 ops)
{
	children(ops, exec_hello);
}

static void fork_shell(u32 ops)
{
	children(ops, exec_shell);
}

/* --- a process of some size --------------------------------------------------------- */

#define LARGE (8u << 20)

static char *large;

static int make_large(void)
{
	large = sys_mmap(LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	MUST(!sys_failed(large));
	for (u32 i = 0; i < LARGE; i += 4096)
		((volatile char *)large)[i] = 1;
	return 1;
}

static void drop_large(void)
{
	sys_munmap(large, LARGE);
}

const struct bench process_rows[] = {
	{"fork, exit, wait", NULL, 10, 20, fork_exit, NULL, NULL, NULL},
	{"fork, exec, wait", NULL, 10, 10, fork_exec, NULL, NULL, NULL},
	{"fork, sh -c, wait", NULL, 10, 5, fork_shell, NULL, NULL, NULL},
	{"fork of 8 MB, exit, wait", NULL, 10, 5, fork_exit, make_large, drop_large, NULL},
	{0},
};
