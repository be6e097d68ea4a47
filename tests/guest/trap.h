/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exceptions.  The last one is kept in `seen`.  A kernel instruction that may
 * fault has an entry in .extable (TRY), where execution goes on; a hook can
 * take page faults before everyone else.
 */
#ifndef GUEST_TRAP_H
#define GUEST_TRAP_H

#include "cpu.h"

struct trap_seen {
	u32 count, vector, error, eip, cs, eflags, cr2;
	u32 esp;     /* of the interrupted kernel code */
	bool at_top; /* from user mode: the frame is at the top of its process's stack */
	u32 irqs_on; /* in the handler, on entry: EFLAGS_IF or 0 */
};

extern struct trap_seen seen;
/* Interrupts that nobody handles and faults of user mode; true if it did. */
extern bool (*stray_hook)(struct regs *r);
/* Answers whether the access may be tried again. */
extern bool (*page_fault_hook)(struct regs *r, u32 cr2);
/* #DB: how many, and DR6 at the last one.  Only counted while watched. */
extern bool db_watched;
extern volatile u32 db_count, db_dr6;
/* Called once, by the next #NM's handler before it clears TS. */
extern void (*nm_hook)(void);
extern u32 nm_count, nm_cr0; /* #NM, and CR0 as the last handler read it */

void trap_dispatch(struct regs *r);

/* `1:` in insns is where the fault is reported; the asm goes on at `2:`. */
#define TRY(insns) insns "\n2:\n\t.pushsection .extable,\"a\"\n\t.long 1b, 2b\n\t.popsection\n"

/* Each answers the vector, or TRY_OK. */
#define TRY_OK 0xffffffffu
u32 try_read(u32 va, u32 *value);
u32 try_write(u32 va, u32 value);
u32 try_call(u32 va); /* expects a RET there */
u32 try_rdmsr(u32 msr, u64 *value);
u32 try_wrmsr(u32 msr, u64 value);

/* Up to 4.14 Xen answers the instructions itself where it knows no better: RDMSR
 * reads the processor's register, WRMSR is dropped.  The calls reach the ROM. */
bool xen_keeps_msrs(void);

/* SYSENTER_CS by the instruction, which answers as try_wrmsr, and if need be by
 * the call: SYSEXIT takes its selectors from there. */
u32 set_sysenter_cs(u32 selector);

#define MSR_EFER 0xc0000080u
#define MSR_SYSENTER_CS 0x174u
#define EFER_NXE 0x800u

/* traps.asm: executes the kernel's return site on {EIP CS EFLAGS ESP SS ES DS FS
 * GS}, of which the last four are for virtual-8086 mode; answers the vector of the
 * fault that must come. */
u32 iret_with_frame(const u32 frame[9]);
u32 sysexit_with(u32 eip, u32 esp); /* the same by SYSEXIT */
extern char iret_caught[];	    /* where it comes back */
extern u32 iret_resume_esp;
extern u32 iret_frame_esp;     /* where that frame was */
extern u32 iret_frame_left[9]; /* what the fault left of it */
extern char irq_return[], sysexit_site[];
bool at_sysexit(u32 eip); /* is that the kernel's SYSEXIT? */

#endif
