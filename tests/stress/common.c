/* SPDX-License-Identifier: GPL-2.0-only */
/* What the loads share. */
#include "stress.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

u32 rnd(struct rng *r)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 17;
	r->state ^= r->state << 5;
	return r->state;
}

u32 below(struct rng *r, u32 n)
{
	return (u32)((u64)rnd(r) * n >> 32);
}

u32 mix(u32 a, u32 b)
{
	u32 h = (a ^ b * 0x9E3779B9u) * 0x85EBCA6Bu;

	h = (h ^ h >> 13 ^ a) * 0xC2B2AE35u;
	h ^= h >> 16;
	return h ? h : 1;
}

static u32 word_of(u32 seed, size_t index)
{
	return seed ? seed + (u32)index * 0x9E3779B9u : 0;
}

void fill(void *at, size_t bytes, u32 seed)
{
	u32 *words = at;

	for (size_t i = 0; i < bytes / 4; i++)
		words[i] = word_of(seed, i);
}

void verify(const void *at, size_t bytes, u32 seed, const char *what)
{
	const volatile u32 *words = at;

	for (size_t i = 0; i < bytes / 4; i++) {
		u32 is = words[i];

		if (is != word_of(seed, i))
			wrong("%s: word %zu of %zu at %p is %08x and should be %08x (now %08x)",
			      what, i, bytes / 4, (const void *)&words[i], is, word_of(seed, i),
			      words[i]);
	}
}

void wrong(const char *what, ...)
{
	char text[400];
	va_list ap;
	int n = snprintf(text, sizeof(text), "stress: WRONG: process %d: ", (int)getpid());

	va_start(ap, what);
	vsnprintf(text + n, sizeof(text) - (size_t)n - 1, what, ap);
	va_end(ap);
	strcat(text, "\n");
	write(2, text, strlen(text));
	_exit(99);
}

pid_t spawn(void)
{
	for (unsigned tries = 0; tries < 1000; tries++) {
		pid_t child = fork();

		if (child >= 0)
			return child;
		CHECK(errno == EAGAIN || errno == ENOMEM, "fork: %s", strerror(errno));
		usleep(20000);
	}
	wrong("fork: refused for 20 s");
}

void reap(pid_t child, int status, const char *what)
{
	int is;

	while (waitpid(child, &is, 0) < 0)
		CHECK(errno == EINTR, "%s: waitpid: %s", what, strerror(errno));
	if (WIFSIGNALED(is))
		wrong("%s: child %d was killed by signal %d", what, (int)child, WTERMSIG(is));
	CHECK(WEXITSTATUS(is) == status, "%s: child %d exited with %d, not %d", what, (int)child,
	      WEXITSTATUS(is), status);
}

size_t read_all(int fd, void *to, size_t bytes)
{
	size_t done = 0;

	while (done < bytes) {
		ssize_t n = read(fd, (char *)to + done, bytes - done);

		if (n == 0)
			break;
		CHECK(n > 0 || errno == EINTR, "read: %s", strerror(errno));
		done += n > 0 ? (size_t)n : 0;
	}
	return done;
}

void write_all(int fd, const void *from, size_t bytes)
{
	size_t done = 0;

	while (done < bytes) {
		ssize_t n = write(fd, (const char *)from + done, bytes - done);

		CHECK(n > 0 || errno == EINTR, "write: %s", strerror(errno));
		done += n > 0 ? (size_t)n : 0;
	}
}

u64 monotonic_ns(void)
{
	struct timespec t;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &t) == 0, "clock_gettime: %s", strerror(errno));
	return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}
