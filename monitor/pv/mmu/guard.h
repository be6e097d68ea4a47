/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard: before Init, the guest does not write to its descriptor tables unseen.
 * The essay is at the head of guard.c; guard_close() is in monitor/binding.h.
 */
#ifndef VMIXEN_GUARD_H
#define VMIXEN_GUARD_H

#include "monitor/vcpu.h"

/* Frames that the guest's GDT and LDT can lie in: each has up to 64 KB, and may begin
 * anywhere in a page. */
#define GUARD_FRAMES (2 * 17)

struct guard {
	u32 frames; /* in gpfn[]: those that are guarded */
	u32 gpfn[GUARD_FRAMES];
	u32 opened; /* in open[]: guarded frames that may be written to now, and where */
	struct {
		u32 gpfn;
		gva_t va;
	} open[4];
	bool stepping; /* the guest executes one instruction with TF set */
	bool traced;   /* its own TF was set before */
	bool pushes;   /* the instruction is PUSHF */
};

/* Is the guest frame guarded, so that it can be written to only in a step? */
bool guard_has(u32 gpfn);
/* The same, and it is not open now: it must be mapped read-only. */
bool guard_forbids(u32 gpfn);

/* The guest writes at va, which is in that guest frame.  true: the frame is guarded, and open
 * now: the caller may map it writable at va, until guard_close().  false: it is not guarded. */
bool guard_open(gva_t va, u32 gpfn);
/* After guard_open(): the guest goes on with TF set, for the one instruction that writes. */
void guard_step(struct vcpu *v);

/* An exception has come while something is open.  true: it was only the step's end, and is
 * dealt with; false: the guest is to have it, and nothing is open any more, unless it is a
 * page fault: that may be for one more page that the instruction needs. */
bool guard_trap(struct vcpu *v, u32 vector);
/* Before each return to the guest, before Init: the frames in which its tables lie now are
 * guarded. */
void guard_resume(struct vcpu *v);
/* At Init: nothing is guarded any more, for calls announce what is written. */
void guard_end(struct vcpu *v);

#endif
