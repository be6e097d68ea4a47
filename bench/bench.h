/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmark program: rows of a table, each measured the same way.
 *
 * Kept true here: nothing that is measured goes through the C library.  System
 * calls are `int 0x80` (sys_*), because the library would choose between that
 * and SYSENTER by what each world offers; time is the TSC, which needs no call
 * in any world and counts instructions under QEMU's icount.
 */
#ifndef BENCH_H
#define BENCH_H

#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>

typedef uint64_t u64;
typedef uint32_t u32;

/*
 * A row: `run` performs `ops` operations, and is timed as a whole; one round
 * is a warm-up, then `rounds` are measured, and the median is reported.
 */
struct bench {
	const char *name;
	const char *unit; /* NULL: ticks of the TSC for one operation */
	u32 rounds, ops;
	void (*run)(u32 ops);
	int (*begin)(void); /* may be NULL; false: the kernel cannot do this */
	void (*end)(void);  /* may be NULL */
	const u64 *less;    /* ticks per round that are not the subject; or NULL */
};

#define BENCH_MAX_ROUNDS 40

/* Each file's rows; bench.c lists the files. */
extern const struct bench call_rows[], process_rows[], switch_rows[], memory_rows[], ipc_rows[],
	macro_rows[], timer_rows[], fpu_rows[];

/* The median over the row's rounds, in ticks, of all its operations. */
u64 bench_median(const struct bench *b);

/* Ticks of the round that is running which are to be left out of it. */
extern u64 bench_excluded;

static inline u64 ticks(void)
{
	u64 t;

	__asm__ volatile("rdtsc" : "=A"(t)::"memory");
	return t;
}

static inline long sys3(long number, long a, long b, long c)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "0"(number), "b"(a), "c"(b), "d"(c)
			 : "memory");
	return result;
}

static inline long sys5(long number, long a, long b, long c, long d, long e)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "0"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory");
	return result;
}

#define sys0(number) sys3(number, 0, 0, 0)
#define sys1(number, a) sys3(number, (long)(a), 0, 0)
#define sys2(number, a, b) sys3(number, (long)(a), (long)(b), 0)

static inline long sys_read(int fd, void *p, u32 n)
{
	return sys3(SYS_read, fd, (long)p, (long)n);
}

static inline long sys_write(int fd, const void *p, u32 n)
{
	return sys3(SYS_write, fd, (long)p, (long)n);
}

static inline long sys_munmap(void *p, u32 size)
{
	return sys2(SYS_munmap, p, size);
}

static inline long sys_mprotect(void *p, u32 size, int prot)
{
	return sys3(SYS_mprotect, (long)p, (long)size, prot);
}

/* The old mmap: its six arguments are in memory. */
static inline void *sys_mmap(u32 size, int prot, int flags, int fd)
{
	u32 args[6] = {0, size, (u32)prot, (u32)flags, (u32)fd, 0};

	return (void *)sys1(SYS_mmap, args);
}

static inline int sys_failed(const void *p)
{
	return (u32)p > -4096u;
}

/* A child, which runs `work` and exits with 0; raw, without the library's locks. */
static inline long sys_fork(void (*work)(void))
{
	long pid = sys0(SYS_fork);

	if (pid == 0) {
		if (work)
			work();
		sys1(SYS_exit, 0);
	}
	return pid;
}

/* Waits for the child's end; false if it did not end by exit(0). */
static inline int sys_join(long pid)
{
	int status = -1;

	return sys3(SYS_waitpid, pid, (long)&status, 0) == pid && status == 0;
}

/* Says why, and ends the program: a figure of a failed operation is none. */
void bench_die(const char *what, long result);
#define MUST(condition) ((condition) ? (void)0 : bench_die(__FILE__ ": " #condition, 0))

#endif
