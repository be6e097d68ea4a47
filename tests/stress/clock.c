/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Load sleep.  How late a sleeper wakes is the machine's business; that none
 * wakes early, and that no clock goes back, is the kernel's and its host's.
 */
#include "stress.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define GRAIN_NS 1000000u /* CLOCK_MONOTONIC and timers may differ by a tick's rounding */

static u64 real_us(void)
{
	struct timeval t;

	gettimeofday(&t, NULL);
	return (u64)t.tv_sec * 1000000u + (u64)t.tv_usec;
}

static void never_back(void)
{
	u64 mono = monotonic_ns(), real = real_us();

	for (u32 i = 0; i < 2000; i++) {
		u64 mono_now = monotonic_ns(), real_now = real_us();

		CHECK(mono_now >= mono, "sleep: CLOCK_MONOTONIC goes back by %llu ns",
		      (unsigned long long)(mono - mono_now));
		CHECK(real_now >= real, "sleep: gettimeofday goes back by %llu us",
		      (unsigned long long)(real - real_now));
		mono = mono_now;
		real = real_now;
	}
}

static void sleep_at_least(u32 us)
{
	struct timespec want = {.tv_nsec = (long)us * 1000}, left;
	u64 begin = monotonic_ns(), passed;

	while (nanosleep(&want, &left)) {
		CHECK(errno == EINTR, "sleep: nanosleep: %s", strerror(errno));
		want = left;
	}
	passed = monotonic_ns() - begin;
	CHECK(passed + GRAIN_NS >= us * 1000ull, "sleep: %u us took %llu ns", us,
	      (unsigned long long)passed);
}

static volatile u64 alarm_ns;

static void on_alarm(int number)
{
	(void)number;
	alarm_ns = monotonic_ns();
}

static void alarm_at_least(u32 us)
{
	struct itimerval timer = {.it_value.tv_usec = (int)us};
	u64 begin;

	alarm_ns = 0;
	signal(SIGALRM, on_alarm);
	begin = monotonic_ns();
	setitimer(ITIMER_REAL, &timer, NULL);
	for (u32 i = 0; !alarm_ns; i++) {
		CHECK(i < 600, "sleep: an alarm of %u us did not come for 30 s", us);
		usleep(50000); /* it ends this early */
	}
	signal(SIGALRM, SIG_DFL);
	CHECK(alarm_ns + GRAIN_NS >= begin + us * 1000ull, "sleep: an alarm of %u us after %llu ns",
	      us, (unsigned long long)(alarm_ns - begin));
}

void load_sleep(struct rng *r)
{
	for (u32 i = 0; i < 10; i++) {
		never_back();
		sleep_at_least(below(r, 30000));
		alarm_at_least(1000 + below(r, 30000));
	}
}
