/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters of what the monitor does; docs/counters.md tells what they mean.  Counting
 * costs one increment of memory at an address that the compiler knows.  Paths that
 * cannot afford this are not counted.
 *
 * The counters belong to the virtual CPU and lie behind it in the window, so that no two
 * vCPUs ever count in the same memory.  They wrap at 2^32.
 */
#ifndef VMIXEN_COUNTERS_H
#define VMIXEN_COUNTERS_H

#include "base.h"
#include "insn_op.h"
#include "layout.h"

/* Rows of rom/calls.def, in their order. */
enum {
#define VMI_CALL(id, slot, name, kind, how, registers) CALL_##name,
#include "rom/calls.def"
#undef VMI_CALL
	CALL_ROWS
};

struct counters {
#define COUNTER(group, name, what) u32 group##_##name;
#define COUNTERS_BY(group, size, index) u32 group[size];
#define NAME(group, index, name)
#define POOL(name, what)
#include "counters.def"
#undef COUNTER
#undef COUNTERS_BY
#undef NAME
#undef POOL
};

/* How many frames of the shadow pool are used for what, at the moment. */
struct pool_use {
#define COUNTER(group, name, what)
#define COUNTERS_BY(group, size, index)
#define NAME(group, index, name)
#define POOL(name, what) u32 name;
#include "counters.def"
#undef COUNTER
#undef COUNTERS_BY
#undef NAME
#undef POOL
};

#define COUNTERS ((struct counters *)(uintptr_t)WIN_COUNTERS)

#ifdef VMIXEN_ENTRY /* the window is not there yet */
#define COUNT(counter) ((void)0)
#else
#define COUNT(counter) ((void)COUNTERS->counter++)
#endif

_Static_assert(sizeof(struct counters) <= 4096, "the counters fit their page");

/* The index in counters.batch of an mmu_update with n requests. */
static inline u32 batch_class(u32 n)
{
	u32 class = n > 1 ? 32 - (u32)__builtin_clz(n - 1) : 0;

	return class < 7 ? class : 7;
}

/* Prints all counters on the console, in the form of docs/counters.md. */
void counters_report(void);
/* Sets all counters to 0, and the time since when they count to now. */
void counters_zero(void);

#endif
