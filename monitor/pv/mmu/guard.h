/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's descriptor tables before Init, which it does not write to unseen.
 * guard.c holds the essay.
 */
#ifndef VMIXEN_GUARD_H
#define VMIXEN_GUARD_H

#include "monitor/vcpu.h"

/* The frames of the guest's GDT and LDT before Init. */
#define GUARD_FRAMES (2 * 17) /* 64 KB may begin anywhere in a page */

struct guard {
	u32 frames; /* in gpfn[] */
	u32 gpfn[GUARD_FRAMES];
	u32 opened; /* of them, in open[]: where they are writable */
	struct {
		u32 gpfn;
		gva_t va;
	} open[4];
	bool stepping; /* TF is set, for one instruction */
	bool traced;   /* and was before */
	bool pushes;   /* that is PUSHF */
};

/* May the guest's frame be written to only in a step? */
bool guard_has(u32 gpfn);
/* The same, and it is not open just now. */
bool guard_forbids(u32 gpfn);

/* A write to va, in that frame: true if it is guarded.  Then it may be mapped writable
 * there until guard_close() (monitor/binding.h). */
bool guard_open(gva_t va, u32 gpfn);
/* What the guest has tried to write is written in a step. */
void guard_step(struct vcpu *v);

/* A trap while something is open: true if it was a step's and is dealt with. */
bool guard_trap(struct vcpu *v, u32 vector);
/* Before each return to the guest. */
void guard_resume(struct vcpu *v);
/* Init: calls announce what is written. */
void guard_end(struct vcpu *v);

#endif
