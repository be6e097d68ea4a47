/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The programs of ring 3: see programs.h.  A step that goes wrong ends the
 * program with its number, so that the kernel's check can tell which.
 */
#include "user.h"

static u32 data_word = 0x11111111;
static u32 bss_word;
static u8 buffer[3 * PAGE_SIZE];

volatile u32 spin_counter;

static void hello(void)
{
	static const char text[] = "hello from ring 3\n";

	if (sys(SYS_WRITE, (u32)text, sizeof(text) - 1, 0) != sizeof(text) - 1)
		exit(1);
	exit(42);
}

static u32 wait_status(void)
{
	u32 status = 0xdead;

	return sys(SYS_WAIT, (u32)&status, 0, 0) ? status : 0xffff;
}

/* Both sides of a fork write the same words of data, bss, stack and heap. */
static void cow(void)
{
	volatile u32 on_stack = 1;
	volatile u32 *heap = (volatile u32 *)USER_HEAP;
	u32 pid;

	heap[0] = 2;
	heap[1024] = 3;
	bss_word = 4;
	pid = sys(SYS_FORK, 0, 0, 0);
	if (!pid) {
		if (on_stack != 1 || heap[0] != 2 || heap[1024] != 3 || bss_word != 4 ||
		    data_word != 0x11111111)
			exit(1);
		on_stack = heap[0] = heap[1024] = bss_word = data_word = 77;
		sys(SYS_YIELD, 0, 0, 0);
		if (on_stack != 77 || heap[0] != 77 || heap[1024] != 77 || bss_word != 77 ||
		    data_word != 77)
			exit(2);
		exit(9);
	}
	on_stack = 5;
	sys(SYS_YIELD, 0, 0, 0);
	if (on_stack != 5 || heap[0] != 2 || heap[1024] != 3)
		exit(3);
	if (bss_word != 4 || data_word != 0x11111111)
		exit(4);
	if (wait_status() != 9)
		exit(5);
	if (on_stack != 5 || heap[0] != 2 || data_word != 0x11111111)
		exit(6);
	exit(0);
}

static u32 tsc(void)
{
	u32 low;

	asm volatile("rdtsc" : "=a"(low)::"edx", "memory");
	return low;
}

static void touch(u32 pages)
{
	for (u32 i = 0; i < pages; i++)
		((volatile u32 *)USER_HEAP)[i * (PAGE_SIZE / 4)] = i;
}

/* Times itself. */
static void bench(u32 kind, u32 count)
{
	u32 start, result;

	if (kind == BENCH_COPY)
		touch(count);
	if (kind == BENCH_COPY && sys(SYS_FORK, 0, 0, 0))
		exit(wait_status());
	start = tsc();
	switch (kind) {
	case BENCH_TOUCH:
	case BENCH_COPY:
		touch(count);
		break;
	case BENCH_GETPID:
		for (u32 i = 0; i < count; i++)
			sys(SYS_GETPID, 0, 0, 0);
		break;
	case BENCH_SYSEXIT:
		for (u32 i = 0; i < count; i++)
			asm volatile("int $0x80"
				     : "=a"(result)
				     : "a"(SYS_SYSEXIT), "b"(i)
				     : "ecx", "edx", "memory", "cc");
		break;
	case BENCH_YIELD:
		for (u32 i = 0; i < count; i++)
			sys(SYS_YIELD, 0, 0, 0);
		break;
	case BENCH_FORK:
		for (u32 i = 0; i < count; i++) {
			if (!sys(SYS_FORK, 0, 0, 0))
				exit(0);
			wait_status();
		}
		break;
	}
	sys(SYS_REPORT, tsc() - start, 0, 0);
	exit(0);
}

static void forks(u32 count)
{
	for (u32 i = 0; i < count; i++) {
		data_word = i;
		if (!sys(SYS_FORK, 0, 0, 0)) {
			if (data_word != i)
				exit(0xfe);
			data_word = i ^ 0x55;
			exit(data_word & 0x7f);
		}
		if (wait_status() != ((i ^ 0x55) & 0x7f))
			exit(1);
		if (data_word != i)
			exit(2);
	}
	if (sys(SYS_WAIT, 0, 0, 0))
		exit(3); /* no child may be left */
	exit(0);
}

/* A node answers the number of nodes below and at it. */
static u32 tree(u32 depth)
{
	u32 sum = 1;

	if (!depth)
		return 1;
	for (u32 i = 0; i < 2; i++) {
		if (!sys(SYS_FORK, 0, 0, 0))
			exit(tree(depth - 1));
	}
	sum += wait_status();
	sum += wait_status();
	return sum;
}

static void yield(u32 count)
{
	for (u32 i = 0; i < count; i++) {
		bss_word = i;
		sys(SYS_YIELD, 0, 0, 0);
		if (bss_word != i)
			exit(1);
	}
	exit(0);
}

/* Demand zero over two page tables, then the values once more. */
static void heap(void)
{
	volatile u32 *p = (volatile u32 *)USER_HEAP;
	u32 words = (USER_HEAP_END - USER_HEAP) / 4, step = 5 * 1024 + 1;

	for (u32 i = 0; i < words; i += step) {
		if (p[i])
			exit(1);
		p[i] = i + 1;
	}
	for (u32 i = 0; i < words; i += step) {
		if (p[i] != i + 1)
			exit(2);
	}
	exit(0);
}

/* The kernel writes into pages that are absent, and shared after a fork. */
static void fill(void)
{
	volatile u8 *b = buffer;

	sys(SYS_FILL, (u32)b, 0xaa, sizeof(buffer));
	if (b[0] != 0xaa || b[sizeof(buffer) - 1] != 0xaa)
		exit(1);
	if (!sys(SYS_FORK, 0, 0, 0)) {
		sys(SYS_FILL, (u32)b, 0xbb, sizeof(buffer));
		exit(b[5000] == 0xbb ? 7 : 8);
	}
	if (wait_status() != 7)
		exit(2);
	if (b[0] != 0xaa || b[5000] != 0xaa)
		exit(3);
	sys(SYS_FILL, (u32)b, 0xcc, sizeof(buffer));
	if (b[5000] != 0xcc)
		exit(4);
	exit(0);
}

static void sysexit(void)
{
	u32 before, after, result;

	for (u32 i = 0; i < 100; i++) {
		asm volatile("mov %%esp, %0\n\tint $0x80\n\tmov %%esp, %1"
			     : "=&S"(before), "=&D"(after), "=a"(result)
			     : "a"(SYS_SYSEXIT), "b"(i)
			     : "ecx", "edx", "memory", "cc");
		if (result != i + 1)
			exit(1);
		if (before != after)
			exit(2);
		if (sys(SYS_GETPID, 0, 0, 0) == 0)
			exit(3);
	}
	exit(0);
}

static u32 gs_word(void)
{
	u32 v;

	asm volatile("mov %%gs:0, %0" : "=r"(v));
	return v;
}

/* Two of these run at once: each must find its own word behind GS.  The words
 * are at different addresses, or one descriptor would do for both. */
static u32 words[16];

static void tls(u32 value)
{
	u32 *own = &words[value % 8];

	own[0] = value;
	own[8] = ~value;
	sys(SYS_TLS, (u32)own, 0, 0);
	asm volatile("mov %0, %%gs" ::"r"(0x33));
	for (u32 i = 0; i < 50; i++) {
		sys(SYS_YIELD, 0, 0, 0);
		if (gs_word() != value)
			exit(1);
	}
	sys(SYS_TLS, (u32)(own + 8), 0, 0);
	asm volatile("mov %0, %%gs" ::"r"(0x33));
	if (gs_word() != ~value)
		exit(2);
	exit(0);
}

/* The same with an LDT: selector 0x0f. */
static void ldt(u32 value)
{
	u32 *own = &words[value % 16];

	*own = value;
	sys(SYS_LDT, (u32)own, 0, 0);
	asm volatile("mov %0, %%gs" ::"r"(0x0f));
	for (u32 i = 0; i < 50; i++) {
		sys(SYS_YIELD, 0, 0, 0);
		if (gs_word() != value)
			exit(1);
	}
	exit(0);
}

static void fpu(u32 value)
{
	u32 out;

	asm volatile("fninit; fildl %0" ::"m"(value));
	for (u32 i = 0; i < 50; i++) {
		sys(SYS_YIELD, 0, 0, 0);
		asm volatile("fistl %0" : "=m"(out));
		if (out != value + i)
			exit(1);
		asm volatile("fld1; faddp");
	}
	exit(0);
}

static u32 deep(u32 n)
{
	volatile u8 pad[2000];

	pad[0] = (u8)n;
	pad[1999] = (u8)~n;
	if (n && deep(n - 1) != n - 1)
		exit(1);
	if (pad[0] != (u8)n || pad[1999] != (u8)~n)
		exit(2);
	return n;
}

/* Sets flags, and looks at them after a system call and after a page fault. */
static u32 flags(u32 wanted)
{
	u32 after_call, after_fault, call = SYS_GETPID;

	asm volatile("pushl %3; popfl; int $0x80; pushfl; popl %0; pushl $2; popfl\n\t"
		     "pushl %3; popfl; movb $1, (%4); pushfl; popl %1; pushl $2; popfl"
		     : "=&r"(after_call), "=&r"(after_fault), "+a"(call)
		     : "r"(wanted | 2), "r"(USER_HEAP + 0x5000)
		     : "cc", "memory");
	if ((after_call & FLAGS_KEPT) != wanted)
		return 1;
	return (after_fault & FLAGS_KEPT) != wanted ? 2 : 0;
}

/* The same word before and after the kernel's turn. */
static u32 read_twice(u32 address)
{
	const volatile u32 *word = (const volatile u32 *)address;
	u32 before = *word;

	sys(SYS_YIELD, 0, 0, 0);
	return *word != before;
}

void user_main(u32 program, u32 argument)
{
	switch (program) {
	case PROG_HELLO:
		hello();
		break;
	case PROG_GETPID:
		exit(sys(SYS_GETPID, 0, 0, 0) == argument ? 0 : 1);
	case PROG_SPIN:
		for (;;)
			spin_counter++;
	case PROG_COW:
		cow();
		break;
	case PROG_FORKS:
		forks(argument);
		break;
	case PROG_YIELD:
		yield(argument);
		break;
	case PROG_FAULT:
		fault(argument);
		break;
	case PROG_HEAP:
		heap();
		break;
	case PROG_FILL:
		fill();
		break;
	case PROG_SYSEXIT:
		sysexit();
		break;
	case PROG_TLS:
		tls(argument);
		break;
	case PROG_LDT:
		ldt(argument);
		break;
	case PROG_FPU:
		fpu(argument);
		break;
	case PROG_STACK:
		exit(deep(400) == 400 ? 0 : 3);
	case PROG_TREE:
		exit(tree(argument));
	case PROG_BENCH:
		bench(argument >> 16, argument & 0xffff);
		break;
	case PROG_SEGMENT:
		segment(argument >> 16, argument & 0xffff);
		break;
	case PROG_REGS:
		exit(registers(argument));
	case PROG_NOWHERE:
		exit(nowhere(argument));
	case PROG_STEP:
		exit(step(argument));
	case PROG_CODE16:
		exit(code16());
	case PROG_READ_TWICE:
		exit(read_twice(argument));
	case PROG_FLAGS:
		exit(flags(argument));
	}
	exit(0xff);
}
