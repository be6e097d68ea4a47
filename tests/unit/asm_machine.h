/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ROM's own assembly, as it is linked, on an emulated processor (unicorn),
 * instruction by instruction.
 *
 * The window of monitor/pv/layout.h and some of a guest's linear mapping are there.
 * What the assembly calls in C, and hypercalls, stop the machine: the call is noted,
 * answered with random numbers and with random registers where C keeps none.  Every
 * write is noted.
 *
 * Events: before instruction `event_at` of a run one becomes pending; with upcalls on
 * it enters at once, as Xen lets it.  The monitor is a model here: it takes the event,
 * and then whatever a guest's handler may change has changed.
 */
#ifndef TEST_ASM_MACHINE_H
#define TEST_ASM_MACHINE_H

#include "asm_offsets.h" /* what build/gen/offsets.inc says, as A_NAME */
#include "include/base.h"

/* --- memory */
#define LINEAR 0xC0000000u
#define GUEST_PAGES 1300u /* of which the last 2 MB are hooked in part */
#define HOLE 0xA0u	  /* guest frames without memory */
#define HOLE_END 0xC0u
#define MFN(gpfn) ((gpfn)*7 + 0x312345)
#define GUEST_CODE 0xC0100000u		/* where the guest's code is; it is never run */
#define GUEST_STACK (LINEAR + 0x12000u) /* a stack in the linear mapping ends here */
#define EDGE 0xD0001000u		/* a page ends here, and none is behind it */

u32 peek(u32 at);
u8 peek8(u32 at);
void poke(u32 at, u32 value);
void poke8(u32 at, u8 value);

/* The address of a label of the ROM's. */
u32 label(const char *name);

/* Is that in the image, as it stands in the window? */
bool image_has(u32 at);

/* --- the processor */
enum { EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI };

struct asm_call {
	const char *name; /* of the C function, or "hypercall" */
	u32 gpr[8];
	u32 argument[2]; /* vcpu.argument */
	u8 mask;	 /* evtchn_upcall_mask */
};

enum asm_stop {
	STOP_RETURN, /* to GUEST_CODE */
	STOP_IRET,   /* an iretd that leaves the ROM: its frame is in `frame`, in words */
	STOP_JUMP,   /* far, to frame[0], frame[1] */
	STOP_FAULT,  /* an access to `fault`, where nothing is, or no writable memory */
	STOP_EXCEPTION,
	STOP_C,	  /* a C function that does not return */
	STOP_INT, /* the instruction; frame[0] is its number */
};

#define ASM_CALLS 8

extern struct asm_machine {
	u32 gpr[8], eip, eflags, ss; /* selectors, but for SS, are unicorn's own */
	u32 frame[5], frame_words, fault;
	u64 tsc;
	struct asm_call call[ASM_CALLS];
	u32 calls;
	u64 result;			  /* of the C function or the hypercall that stopped it */
	u32 steps;			  /* instructions of this run */
	u32 event_at;			  /* NEVER: none */
	u32 sent, taken;		  /* events */
	u32 nmis;			  /* that have come */
	u32 away;			  /* times that the guest was elsewhere */
	void (*on_event)(void);		  /* what the guest does meanwhile; may be NULL */
	bool (*on_c)(struct asm_call *c); /* has a C function's effect; false: it ends here */
	bool pvh;			  /* the PVH binding's image: int enters ring 0 */
	bool ring0, comes;		  /* it is there; an event comes when it leaves */
	void (*on_branch)(u32 at);	  /* a run of instructions without a branch begins there */
	void (*on_leave)(void);		  /* the processor is about to leave the domain; or NULL */
	bool nmi;			  /* what comes at event_at is an NMI; PVH only */
	u32 cr[8];
	bool (*on_trap)(u32 vector); /* monitor_trap(); NULL: it takes events, as said */
} machine;

#define NEVER 0xFFFFFFFFu

/* A processor in ring 1 of a guest that calls from GUEST_CODE with random registers,
 * memory as at first but for what is random on purpose: seed says all of it. */
void machine_begin(u32 seed);
/* The guest's stack is random memory below `top`, and these words: the first is lowest. */
void machine_push(u32 word);
/* Goes on at eip until it stops. */
enum asm_stop machine_run(u32 eip);
/* A call by the guest of that label: the return address is pushed. */
enum asm_stop machine_call(const char *name);

u32 selector(int unicorn_register);
void set_selector(int unicorn_register, u32 value);

/* --- what has become of it */

/* Is this word as it was at machine_begin(), or was poked? */
u32 before(u32 at);
/* Fails if the run has written anything but the words that poke_wanted() named, the
 * guest's stack below ESP, and what belongs to the ROM alone (its stack, the save area
 * of traps, counters).  Fails if a wanted word is another. */
void want(u32 at, u32 value);
void want8(u32 at, u8 value);
void check_memory(void);
/* Registers, by a bit for each: are as they were. */
#define KEPT_BY_C (1u << EBX | 1u << ESI | 1u << EDI | 1u << EBP)
#define ALL_REGISTERS (0xFFu & ~(1u << ESP))
void check_kept(u32 registers);
/* Events were taken as often as they came, or wait with upcalls masked. */
void check_events(void);

/* Random numbers; the same in each run of a program. */
u32 rnd(void);
u32 below(u32 n);
bool one_in(u32 n);

/* prepare(seed), then the call, then check(), for many seeds; and with an event before
 * each of its instructions in turn, too. */
void each_state(u32 seeds, void (*prepare)(u32 seed), void (*go)(void), void (*check)(void));
void each_moment(u32 seeds, void (*prepare)(u32 seed), void (*go)(void), void (*check)(void));

#endif
