/* SPDX-License-Identifier: GPL-2.0-only */
/* Loads queue and storm: signals, and what they must leave alone. */
#include "stress.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

/* Values from a child come one by one, in order; none is lost, none comes twice. */
void load_queue(struct rng *r)
{
	u32 count = 20 + below(r, 60), seed = rnd(r);
	int number = SIGRTMIN + 1 + (int)below(r, 5);
	pid_t parent = getpid(), child;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_BLOCK, &set, NULL);
	child = spawn();
	if (!child) {
		for (u32 i = 0; i < count; i++) {
			union sigval value = {.sival_int = (int)mix(seed, i)};

			while (sigqueue(parent, number, value)) {
				CHECK(errno == EAGAIN, "queue: sigqueue: %s", strerror(errno));
				usleep(1000);
			}
		}
		_exit(2);
	}
	for (u32 i = 0; i < count; i++) {
		siginfo_t info;

		while (sigwaitinfo(&set, &info) < 0)
			CHECK(errno == EINTR, "queue: sigwaitinfo: %s", strerror(errno));
		CHECK(info.si_value.sival_int == (int)mix(seed, i) && info.si_pid == child,
		      "queue: signal %u carries %08x from %d", i, (u32)info.si_value.sival_int,
		      (int)info.si_pid);
	}
	reap(child, 2, "queue");
}

#define ALTERNATE (16 * PAGE)

static volatile u32 ticks, depth;
static u8 *alternate;

/* Uses stack and FPU, and sometimes calls itself by another signal. */
static void on_tick(int number)
{
	volatile double x = 1.0;
	u32 local[64];

	fill(local, sizeof(local), 7u + (u32)number);
	for (u32 i = 0; i < 10; i++)
		x = x * 1.5 + 0.25;
	CHECK((u8 *)local > alternate && (u8 *)local < alternate + ALTERNATE,
	      "storm: a handler is not on its stack");
	ticks++;
	if (number == SIGALRM && depth < 3 && ticks % 3 == 0) {
		depth++;
		raise(SIGUSR1);
		depth--;
	}
	verify(local, sizeof(local), 7u + (u32)number, "storm: a handler's stack");
	CHECK(x > 85.9 && x < 86.1, "storm: a handler's float is %f", x);
}

/* Integers in registers, flags and floats in the FPU's stack all the time. */
static u32 compute(u32 seed, u32 steps)
{
	double a = 1.0, b = 0.5;
	u32 h = seed, carry = 0;

	for (u32 i = 0; i < steps; i++) {
		u32 old = h;

		h = h * 1664525u + 1013904223u;
		__asm__ volatile("add %2, %0\n\tadc $0, %1"
				 : "+r"(h), "+r"(carry)
				 : "r"(old)
				 : "cc");
		a = a * 0.75 + b;
		b = b * 0.5 + a * 0.125;
	}
	return h ^ carry ^ (u32)(a * 1e6) ^ (u32)(b * 1e6);
}

void load_storm(struct rng *r)
{
	struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_ONSTACK | SA_RESTART};
	struct itimerval timer = {.it_interval.tv_usec = 1000 + (int)below(r, 9000),
				  .it_value.tv_usec = 1000};
	static const struct itimerval none;
	u32 seed = rnd(r), right = compute(seed, 20000), before;
	stack_t stack = {.ss_size = ALTERNATE};

	alternate =
		mmap(NULL, ALTERNATE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(alternate != MAP_FAILED, "storm: mmap: %s", strerror(errno));
	stack.ss_sp = alternate;
	CHECK(sigaltstack(&stack, NULL) == 0, "storm: sigaltstack: %s", strerror(errno));
	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	before = ticks;
	setitimer(ITIMER_REAL, &timer, NULL);
	for (u32 i = 0; i < 100 && ticks - before < 100; i++) {
		u32 is = compute(seed, 20000);

		CHECK(is == right, "storm: computed %08x, not %08x, under %u signals", is, right,
		      ticks - before);
	}
	setitimer(ITIMER_REAL, &none, NULL);
	stack.ss_flags = SS_DISABLE;
	sigaltstack(&stack, NULL);
	signal(SIGALRM, SIG_DFL);
	munmap(alternate, ALTERNATE);
}
