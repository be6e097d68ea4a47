/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kernel and user blob agree on: system calls (int 0x80; number in EAX,
 * arguments in EBX, ECX, EDX, result in EAX), programs, the blob's header.
 *
 * A program gets its number in EAX and an argument in EBX, and exits with 0,
 * or with the number of the step that went wrong.
 */
#ifndef GUEST_PROGRAMS_H
#define GUEST_PROGRAMS_H

#include "base.h"

enum {
	SYS_EXIT = 1,
	SYS_FORK,
	SYS_WAIT,  /* u32 *status; pid of a child, 0 without children */
	SYS_WRITE, /* text, length */
	SYS_GETPID,
	SYS_YIELD,
	SYS_FILL,	/* address, byte, length: the kernel writes */
	SYS_SYSEXIT,	/* answers EBX + 1 by SYSEXIT instead of IRET */
	SYS_TLS,	/* base: descriptor SEL_TLS */
	SYS_LDT,	/* base: entry 1 of the process's LDT */
	SYS_REPORT,	/* a number for the kernel: syscall_report */
	SYS_KERNEL,	/* from the kernel itself; answers EBX + 2 */
	SYS_DEVMEM,	/* address, frame, count: maps them, as mmap of /dev/mem */
	SYS_LDT_CODE16, /* base of code of 16 bits, entry 1, and of data, entry 2 */
	SYS_SEGMENT,	/* selector, two words: the descriptor there, whatever it is */
	SYS_SEGCASE,	/* number: that of checks_seg.c, in the LDT */
};

enum {
	PROG_HELLO,
	PROG_GETPID, /* argument: the pid expected */
	PROG_SPIN,   /* counts in SPIN_COUNTER for ever */
	PROG_COW,
	PROG_FORKS, /* argument: how many */
	PROG_YIELD, /* argument: how many */
	PROG_FAULT, /* argument: enum fault_kind */
	PROG_HEAP,
	PROG_FILL,
	PROG_SYSEXIT,
	PROG_TLS,
	PROG_LDT,
	PROG_FPU, /* argument: a number, different in each process */
	PROG_STACK,
	PROG_TREE,	 /* argument: depth of a binary tree of forks */
	PROG_REGS,	 /* registers survive system calls and preemption */
	PROG_FLAGS,	 /* flags survive system calls and page faults; argument: which */
	PROG_READ_TWICE, /* argument: an address; yields between */
	PROG_BENCH,	 /* argument: enum bench_kind << 16 | how many; reports ticks */
	/* Those from here on have the rest of the text, too. */
	PROG_REST,
	PROG_NOWHERE = PROG_REST, /* argument: enum nowhere_kind */
	PROG_STEP,		  /* argument: enum step_kind */
	PROG_CODE16,
	PROG_SEGMENT, /* argument: enum segment_kind << 16 | selector, or which descriptor */
};

/* CF PF AF ZF SF DF OF NT ID: what user mode may set and nobody may change. */
#define FLAGS_KEPT 0x204cd5u

enum segment_kind {
	SEGMENT_HOLD,	 /* makes the segment and keeps it in GS over switches */
	SEGMENT_TAKE,	 /* loads it, and has not made it; then answers what is in it */
	SEGMENT_CLEARED, /* makes it, and takes it away while it is in GS: then that is null */
	SEGMENT_LOAD,	 /* GS with the descriptor of that number, by SYS_SEGCASE */
};

enum bench_kind {
	BENCH_NOTHING,
	BENCH_GETPID,
	BENCH_SYSEXIT,
	BENCH_YIELD,
	BENCH_TOUCH, /* pages of the heap, at most 1024 */
	BENCH_COPY,  /* the same after a fork, in the child */
	BENCH_FORK,
};

enum fault_kind {
	FAULT_READ_NULL,
	FAULT_WRITE_NULL,
	FAULT_READ_KERNEL,
	FAULT_WRITE_KERNEL,
	FAULT_WRITE_TEXT,
	FAULT_EXEC_STACK,
	FAULT_CLI,
	FAULT_STI,
	FAULT_IN,
	FAULT_OUT,
	FAULT_HLT,
	FAULT_LGDT,
	FAULT_MOV_CR3,
	FAULT_RDMSR,
	FAULT_UD2,
	FAULT_DIV,
	FAULT_INT3,
	FAULT_INT20,	 /* a gate with DPL 0 */
	FAULT_INT50,	 /* one with DPL 3 */
	FAULT_READ_ROM,	 /* the hypervisor's window */
	FAULT_KERNEL_CS, /* far jump to 0x60 */
	FAULT_READ_VMALLOC,
	FAULT_RDTSC,	/* where CR4.TSD is set */
	FAULT_NO_TABLE, /* the kernel names a table where no memory is */
	FAULT_KINDS,
};

enum nowhere_kind {
	NOWHERE_ARITHMETIC,
	NOWHERE_BITS,
	NOWHERE_STRINGS,
	NOWHERE_X87,
	NOWHERE_MMX,
	NOWHERE_SSE,
	NOWHERE_GOOD,
	NOWHERE_COPY = NOWHERE_GOOD, /* these end in a fault */
	NOWHERE_TO_KERNEL,
	NOWHERE_DIVIDE,
};

/* Single steps, each over one instruction and two more. */
enum step_kind { STEP_NOP, STEP_IN, STEP_CLI, STEP_NOWHERE, STEP_STRING };

#define USER_BASE 0x08048000u
#define USER_HEAP 0x40000000u
#define USER_HEAP_END 0x40400000u
#define USER_NOWHERE 0x50000000u /* SYS_DEVMEM; in no region of the kernel's */
#define KERNEL_WORD 0xc0008000u	 /* the kernel's, and free */
#define USER_STACK 0xbff00000u
#define USER_STACK_END 0xbffff000u
#define NO_TABLE_ADDRESS 0xf0400000u

#define BLOB_MAGIC 0x424f4c42u
struct blob {
	u32 magic;
	u32 entry;
	u32 core_end; /* page aligned: text that every program has */
	u32 text_end; /* page aligned: pages up to here are read only */
	u32 data_end; /* of what the file holds */
	u32 bss_end;
	u32 spin_counter; /* address of the u32 that PROG_SPIN counts in */
};

#endif
