/* SPDX-License-Identifier: GPL-2.0-only */
/* Two processes that talk: round trips of a byte, and streams of 64 KB. */
#include "bench.h"

#include <stddef.h>
#include <sys/socket.h>

#define CHUNK 65536u

static int there[2], back[2]; /* [0] is read from, [1] written to */
static long partner;
static char buffer[CHUNK];

static int make_pipes(void)
{
	MUST(sys1(SYS_pipe, there) == 0 && sys1(SYS_pipe, back) == 0);
	return 1;
}

/* One socket pair serves both ways: each side's end is the same twice. */
static int make_sockets(void)
{
	int pair[2] = {-1, -1};
	long args[] = {AF_UNIX, SOCK_STREAM, 0, (long)pair};

	if (sys2(SYS_socketcall, 8 /* socketpair */, args) != 0)
		return 0;
	there[1] = back[0] = pair[0];
	there[0] = back[1] = pair[1];
	return 1;
}

static void close_all(void)
{
	sys2(SYS_kill, partner, SIGKILL);
	sys3(SYS_waitpid, partner, 0, 0);
	for (u32 i = 0; i < 2; i++) {
		sys1(SYS_close, there[i]);
		sys1(SYS_close, back[i]);
	}
}

static void echo(void)
{
	char c;

	while (sys_read(there[0], &c, 1) == 1)
		sys_write(back[1], &c, 1);
}

/* Writes as many bytes as it is told, again and again. */
static void source(void)
{
	u32 left;

	while (sys_read(there[0], &left, sizeof(left)) == sizeof(left)) {
		while (left) {
			long n = sys_write(back[1], buffer, left < CHUNK ? left : CHUNK);

			MUST(n > 0);
			left -= (u32)n;
		}
	}
}

static int with(int (*make)(void), void (*work)(void))
{
	if (!make())
		return 0;
	partner = sys_fork(work);
	MUST(partner > 0);
	return 1;
}

static int pipe_echo(void)
{
	return with(make_pipes, echo);
}

static int socket_echo(void)
{
	return with(make_sockets, echo);
}

static int pipe_source(void)
{
	return with(make_pipes, source);
}

static int socket_source(void)
{
	return with(make_sockets, source);
}

static void round_trip(u32 ops)
{
	char c = 1;

	while (ops--) {
		sys_write(there[1], &c, 1);
		MUST(sys_read(back[0], &c, 1) == 1);
	}
}

static void stream(u32 ops)
{
	u32 left = ops * CHUNK;

	sys_write(there[1], &left, sizeof(left));
	while (left) {
		long n = sys_read(back[0], buffer, left < CHUNK ? left : CHUNK);

		MUST(n > 0);
		left -= (u32)n;
	}
}

const struct bench ipc_rows[] = {
	{"pipe latency", NULL, 20, 200, round_trip, pipe_echo, close_all, NULL},
	{"AF_UNIX latency", NULL, 20, 200, round_trip, socket_echo, close_all, NULL},
	{"pipe bandwidth", "64 KB", 10, 16, stream, pipe_source, close_all, NULL},
	{"AF_UNIX bandwidth", "64 KB", 10, 16, stream, socket_source, close_all, NULL},
	{0},
};
