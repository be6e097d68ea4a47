/* SPDX-License-Identifier: GPL-2.0-only */
/* What user mode sees: programs of the blob that time themselves. */
#include "bench.h"
#include "proc.h"
#include "trap.h"

static u32 program(u32 kind, u32 ops)
{
	if (proc_run(PROG_BENCH, kind << 16 | ops))
		died("a program of a benchmark failed");
	return syscall_report;
}

#define PROGRAM(name, kind)                                                                        \
	static u32 name(u32 ops)                                                                   \
	{                                                                                          \
		return program(kind, ops);                                                         \
	}
PROGRAM(null_call, BENCH_GETPID)
PROGRAM(touch, BENCH_TOUCH)
PROGRAM(copy, BENCH_COPY)
PROGRAM(forks, BENCH_FORK)

/* Two processes that give way to each other: two switches are a yield. */
static u32 yields(u32 ops)
{
	struct proc *partner = proc_spawn(PROG_YIELD, ops + 10);
	u32 ticks = program(BENCH_YIELD, ops);

	proc_wait(partner->pid);
	return ticks;
}

static u32 system_exit(u32 ops)
{
	set_sysenter_cs(SEL_KERNEL_CS); /* refused by Xen, which does not need it */
	return program(BENCH_SYSEXIT, ops);
}

static u32 spawn(u32 ops)
{
	return BENCH_LOOP(ops, proc_run(PROG_BENCH, BENCH_NOTHING << 16));
}

const struct bench bench_processes[] = {
	{"system call, by IRET", 1000, null_call},
	{"system call, by SYSEXIT", 500, system_exit},
	{"yield to another process and back", 200, yields},
	{"page fault, zero page", 512, touch},
	{"page fault, copy on write", 256, copy},
	{"fork, exit, wait", 20, forks},
	{"process started, run, ended", 20, spawn},
	{0},
};
