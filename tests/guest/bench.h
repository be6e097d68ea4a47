/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What operations cost, in instructions, when QEMU counts them (one tick of
 * the TSC each under -icount shift=0).  Rows are printed in the form of
 * bench/bench.c, so that bench/run reads both.
 */
#ifndef GUEST_BENCH_H
#define GUEST_BENCH_H

#include "guest.h"

/* `run` performs `ops` operations and returns the ticks that they took. */
struct bench {
	const char *name;
	u32 ops;
	u32 (*run)(u32 ops);
};

extern const struct bench bench_calls[], bench_processes[];
void bench(void);

/* Ticks of `body`, `ops` times; `i` counts them. */
#define BENCH_LOOP(ops, body)                                                                      \
	({                                                                                         \
		u32 start_ = (u32)rdtsc();                                                         \
                                                                                                   \
		for (u32 i = 0; i < (ops); i++) {                                                  \
			asm volatile("" ::"r"(i));                                                 \
			body;                                                                      \
		}                                                                                  \
		(u32) rdtsc() - start_;                                                            \
	})

#endif
