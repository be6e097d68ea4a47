/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stress program: many loads side by side, each of which knows from a seed
 * what every byte has to be, and says so when it is not.
 *
 *   main.c      starts the loads, prints a line a minute and the summary
 *   loads.def   the loads, one line each
 *   common.c    what they share: numbers, pages, processes
 *
 * A load is a function that makes one round.  It runs in a process of its own,
 * round after round, and leaves nothing behind: no process, no file, no memory.
 */
#ifndef STRESS_H
#define STRESS_H

#include "base.h"

#include <sys/types.h>

#define PAGE ((size_t)PAGE_SIZE)
#define WORK "/tmp/stress" /* a tmpfs */

/* Seeded numbers. */
struct rng {
	u32 state; /* not 0 */
};

u32 rnd(struct rng *r);
u32 below(struct rng *r, u32 n); /* 0 .. n - 1 */
u32 mix(u32 a, u32 b);		 /* a hash, never 0 */

/* Bytes that follow from a seed; seed 0 means zeros. */
void fill(void *at, size_t bytes, u32 seed);
/* Ends the run if a byte is another one. */
void verify(const void *at, size_t bytes, u32 seed, const char *what);

/* A wrong byte, or whatever else may not be: says it, and the run is over. */
void wrong(const char *what, ...) noreturn printf_like(1, 2);
#define CHECK(c, ...) ((c) ? (void)0 : wrong(__VA_ARGS__))

/* fork() that waits while there is no memory for a process. */
pid_t spawn(void);
/* The child ends by exit(status), or the run is over. */
void reap(pid_t child, int status, const char *what);
/* All of it, or the run is over; 0 at the end of the file. */
size_t read_all(int fd, void *to, size_t bytes);
void write_all(int fd, const void *from, size_t bytes);

u64 monotonic_ns(void);

/* What `stress leaf SEED` exits with. */
int leaf(u32 seed);

#define LOAD(name, what) void load_##name(struct rng *r);
#include "loads.def"
#undef LOAD

#endif
