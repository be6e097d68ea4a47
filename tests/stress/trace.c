/* SPDX-License-Identifier: GPL-2.0-only */
/* Load trace: a debugger's calls, the debug registers among them. */
#include "stress.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS 64u
#define DEBUG(n) ((void *)(offsetof(struct user, u_debugreg) + 4 * (n)))
#define DR7_WRITE_4_LOCAL_0 0x000D0001

static volatile u32 words[WORDS], watched;

static void wait_stop(pid_t child, int number)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		CHECK(errno == EINTR, "trace: waitpid: %s", strerror(errno));
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == number,
	      "trace: child has status %04x, and should stop with signal %d", (u32)status, number);
}

static void request(int what, pid_t child, void *at, void *value)
{
	CHECK(ptrace(what, child, at, value) >= 0, "trace: request %d at %p: %s", what, at,
	      strerror(errno));
}

/* The child: finds what was poked, writes what is watched, in a loop. */
static noreturn void tracee(u32 seed)
{
	u32 sum = 0;

	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	for (u32 i = 0; i < WORDS; i++)
		CHECK(words[i] == mix(seed, i), "trace: word %u was poked and is %08x", i,
		      words[i]);
	raise(SIGSTOP);
	for (u32 i = 0; i < 50; i++)
		sum = sum * 31 + i;
	watched = 1; /* the watchpoint stops us behind this */
	watched = 2;
	_exit(sum == 0 ? 1 : 6);
}

static void steps(pid_t child, u32 count)
{
	struct user_regs_struct regs;
	u32 moved = 0, last = 0;

	for (u32 i = 0; i < count; i++) {
		request(PTRACE_SINGLESTEP, child, NULL, NULL);
		wait_stop(child, SIGTRAP);
		request(PTRACE_GETREGS, child, NULL, &regs);
		moved += (u32)regs.eip != last;
		last = (u32)regs.eip;
	}
	CHECK(moved > count / 2, "trace: %u steps moved EIP %u times", count, moved);
}

static void watch(pid_t child, u32 value)
{
	u32 status;

	request(PTRACE_CONT, child, NULL, NULL);
	wait_stop(child, SIGTRAP);
	errno = 0;
	status = (u32)ptrace(PTRACE_PEEKUSER, child, DEBUG(6), NULL);
	CHECK(errno == 0 && (status & 1), "trace: DR6 is %08x at a watchpoint", status);
	CHECK((u32)ptrace(PTRACE_PEEKDATA, child, (void *)&watched, NULL) == value,
	      "trace: the watchpoint is not behind write %u", value);
	request(PTRACE_POKEUSER, child, DEBUG(6), NULL);
}

void load_trace(struct rng *r)
{
	u32 seed = rnd(r);
	pid_t child = spawn();

	if (!child)
		tracee(seed);
	wait_stop(child, SIGSTOP);
	for (u32 i = 0; i < WORDS; i++)
		request(PTRACE_POKEDATA, child, (void *)&words[i], (void *)mix(seed, i));
	for (u32 i = 0; i < WORDS; i++) {
		errno = 0;
		CHECK((u32)ptrace(PTRACE_PEEKDATA, child, (void *)&words[i], NULL) ==
				      mix(seed, i) &&
			      !errno,
		      "trace: word %u reads back wrong", i);
	}
	request(PTRACE_CONT, child, NULL, NULL);
	wait_stop(child, SIGSTOP);
	steps(child, 20 + below(r, 60));
	if (below(r, 2)) {
		request(PTRACE_POKEUSER, child, DEBUG(0), (void *)&watched);
		request(PTRACE_POKEUSER, child, DEBUG(7), (void *)DR7_WRITE_4_LOCAL_0);
		watch(child, 1);
		watch(child, 2);
		request(PTRACE_POKEUSER, child, DEBUG(7), NULL);
	}
	request(PTRACE_CONT, child, NULL, NULL);
	reap(child, 6, "trace");
}
