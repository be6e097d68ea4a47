/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs the loads for a time, a process each, and ends with 0 if no byte was
 * wrong, nobody died and the kernel did not complain.  From the environment:
 *
 *   seconds=N   how long (60)
 *   seed=N      what the seeds of the loads come from (1)
 *   only=WORD   of the loads, those with this in their name
 *
 * The last line of the summary is "guest: N passed, M failed", a load a check.
 */
#include "stress.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KLOG_READ_ALL 3
#define KLOG_CLEAR 5
#define PATIENCE 300 /* seconds that a load's last round may take */

static const struct {
	const char *name, *what;
	void (*round)(struct rng *r);
} loads[] = {
#define LOAD(name, what) {#name, what, load_##name},
#include "loads.def"
#undef LOAD
};

#define LOADS ARRAY_SIZE(loads)

/* All processes see it. */
static struct shared {
	volatile int stop;
	volatile u32 rounds[LOADS];
} * shared;

static pid_t worker[LOADS];
static const char *state[LOADS]; /* how it ended, NULL while it runs */

static u32 number(const char *name, u32 otherwise)
{
	const char *text = getenv(name);

	return text ? (u32)strtoul(text, NULL, 0) : otherwise;
}

static noreturn void work(u32 n, u32 seed)
{
	struct rng r = {mix(seed, n + 1)};

	setpgid(0, 0);
	while (!shared->stop) {
		loads[n].round(&r);
		shared->rounds[n]++;
	}
	_exit(0);
}

static u32 start(u32 seed)
{
	const char *only = getenv("only");
	u32 started = 0;

	for (u32 n = 0; n < LOADS; n++) {
		if (only && !strstr(loads[n].name, only)) {
			state[n] = "left out";
			continue;
		}
		started++;
		worker[n] = spawn();
		if (worker[n] == 0)
			work(n, seed);
		setpgid(worker[n], worker[n]);
	}
	return started;
}

static u32 running(void)
{
	u32 count = 0;

	for (u32 n = 0; n < LOADS; n++)
		count += !state[n];
	return count;
}

/* Notes who has ended; false if somebody should not have. */
static bool look(void)
{
	int status;
	pid_t pid;
	bool good = true;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (u32 n = 0; n < LOADS; n++) {
			if (worker[n] != pid)
				continue;
			state[n] = status == 0 ? "ok" : WIFSIGNALED(status) ? "killed" : "WRONG";
			if (WIFSIGNALED(status))
				printf("stress: WRONG: load %s was killed by signal %d\n",
				       loads[n].name, WTERMSIG(status));
			good = good && status == 0 && shared->stop;
		}
	}
	return good;
}

static u32 meminfo_kb(const char *name)
{
	char line[128];
	u32 kb = 0;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			kb = (u32)strtoul(line + strlen(name) + 1, NULL, 10);
	if (f)
		fclose(f);
	return kb;
}

static void minute(u32 n)
{
	printf("stress: minute %u:", n);
	for (u32 i = 0; i < LOADS; i++)
		printf(" %s %u", loads[i].name, shared->rounds[i]);
	printf(", %u KB free\n", meminfo_kb("MemFree"));
}

/* False if one failed. */
static bool run_for(u32 seconds)
{
	u64 begin = monotonic_ns();
	u32 minutes = 0;

	for (;;) {
		u32 passed = (u32)((monotonic_ns() - begin) / 1000000000u);

		if (passed / 60 != minutes)
			minute(minutes = passed / 60);
		if (!look())
			return false;
		if (passed >= seconds)
			return true;
		sleep(1);
	}
}

static void stop(bool kindly)
{
	u64 begin = monotonic_ns();

	shared->stop = 1;
	while (kindly && running() && monotonic_ns() - begin < PATIENCE * 1000000000ull) {
		usleep(100000);
		kindly = look();
	}
	for (u32 n = 0; n < LOADS; n++) {
		if (state[n])
			continue;
		state[n] = kindly ? "HANGS" : "stopped";
		kill(-worker[n], SIGKILL);
	}
}

/* Lines of the kernel's log, since it was cleared, that a healthy one does not
 * write. */
static u32 complaints(void)
{
	static const char *const words[] = {"BUG:",
					    "kernel BUG",
					    "WARNING",
					    "Oops",
					    "Call Trace",
					    "Bad page",
					    "scheduling while atomic",
					    "soft lockup",
					    "possible recursive",
					    "Out of memory",
					    "general protection"};
	static char log[1 << 18];
	int n = klogctl(KLOG_READ_ALL, log, sizeof(log) - 1);
	u32 count = 0;

	if (n < 0) {
		printf("stress: the kernel's log cannot be read: %s\n", strerror(errno));
		return 1;
	}
	for (char *line = n ? strtok(log, "\n") : NULL; line; line = strtok(NULL, "\n"))
		for (u32 i = 0; i < ARRAY_SIZE(words); i++)
			if (strstr(line, words[i])) {
				printf("stress: the kernel complained: %s\n", line);
				count++;
				break;
			}
	return count;
}

static int summary(u64 begin)
{
	u32 passed = 0, failed = complaints() != 0, seconds;

	seconds = (u32)((monotonic_ns() - begin) / 1000000000u);
	for (u32 n = 0; n < LOADS; n++) {
		if (!strcmp(state[n], "left out"))
			continue;
		printf("stress: %-8s %8u rounds, %s: %s\n", loads[n].name, shared->rounds[n],
		       state[n], loads[n].what);
		if (!strcmp(state[n], "ok") && shared->rounds[n])
			passed++;
		else
			failed++;
	}
	printf("stress: %u minutes %u seconds\n", seconds / 60, seconds % 60);
	printf("guest: %u passed, %u failed\n", passed, failed);
	return failed != 0 || !passed;
}

int main(int argc, char **argv)
{
	u32 seconds = number("seconds", 60), seed = number("seed", 1);
	u64 begin = monotonic_ns();
	bool good;

	if (argc == 3 && !strcmp(argv[1], "leaf"))
		return leaf((u32)strtoul(argv[2], NULL, 10));
	setvbuf(stdout, NULL, _IOLBF, 1024);
	mkdir(WORK, 0755);
	klogctl(KLOG_CLEAR, NULL, 0); /* what came before is not our doing */
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED, "mmap: %s", strerror(errno));
	printf("stress: %u loads for %u seconds, seed %u, %u KB of memory\n", start(seed), seconds,
	       seed, meminfo_kb("MemTotal"));
	good = run_for(seconds);
	stop(good);
	return summary(begin);
}
