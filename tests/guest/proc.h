/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes.  Number 0 is the kernel's own thread, which runs the checks in
 * init_mm; all others run a program of the user blob in ring 3.  The kernel
 * is not preempted; user mode is, at the end of a tick.
 */
#ifndef GUEST_PROC_H
#define GUEST_PROC_H

#include "mm.h"
#include "user/programs.h"

enum proc_state { PROC_FREE, PROC_RUNNABLE, PROC_WAITING, PROC_ZOMBIE };

struct proc {
	u32 pid, parent;
	enum proc_state state;
	u32 status; /* exit code, or STATUS_KILLED | vector */
	u32 esp;    /* while it does not run */
	u32 stack_top;
	u32 stack_pfn;
	struct mm space;
	struct mm *mm;	/* &space, or &init_mm for number 0 */
	bool kill;	/* to be ended at its next return to user mode */
	u32 ticks_user; /* ticks that found it in user mode */
	u32 switches;	/* times it was switched to */
	struct descriptor tls;
	struct descriptor ldt[4];
	bool has_ldt;
	u32 gs; /* while it does not run */
	bool fpu_live, fpu_saved;
	u8 fpu[108];
};

#define STATUS_KILLED 0x100u

extern struct proc *current;

void proc_init(void);
struct proc *proc_spawn(u32 program, u32 argument);
u32 proc_wait(u32 pid);			 /* 0: any child; answers the status */
u32 proc_run(u32 program, u32 argument); /* spawn, wait */
void schedule(void);
void proc_tick(bool user);
void proc_return_to_user(void);
noreturn void proc_kill(u32 vector);
void proc_use_fpu(void); /* the #NM handler */

/* What system calls saw that they must not: stack, flags, selectors. */
struct syscall_stats {
	u32 count, bad_stack, bad_flags, bad_irqs, bad_selectors;
	u32 bytes_written, kernel_calls;
};
extern struct syscall_stats syscall_stats;
extern u32 syscall_report; /* the last SYS_REPORT's */

/* syscall.c */
void syscall(struct regs *r, u32 irqs_on);
/* proc.c, for syscall.c */
u32 proc_fork(const struct regs *r);
noreturn void proc_exit(u32 status);
u32 proc_wait_any(u32 *status); /* pid, or 0 without children */
void proc_set_tls(u32 base);
void proc_set_ldt(u32 base);
void proc_set_code16(u32 code, u32 data);
/* The current process's descriptor of that selector, TLS or LDT, whatever it says. */
void proc_set_segment(u32 selector, struct descriptor d);

/* checks_seg.c, for syscall.c: the descriptor of that number */
struct descriptor segment_case(u32 number);

#endif
