/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What interrupts, or faults in, the instructions of the ROM's that end in an iret on the
 * guest's stack: vmi_IRET and vmi_SYSEXIT, in entry/pv/vmi_fast.asm and entry/pvh/vmi_fast.asm.
 */
#ifndef VMIXEN_IRET_H
#define VMIXEN_IRET_H

#include "layout.h"
#include "monitor/vcpu.h"

/* Where the ROM's code at an offset of the image is in the window. */
#define WINDOW_CODE(offset) (WIN_TEXT + (u32)(offset))

/* From iret_window to iret_window_end, as offsets in the image. */
extern const u32 iret_window_offset[2];
/* The two irets. */
extern const u32 iret_offset, iret_disabled_offset;

/* Was the kernel interrupted in the ROM's code between these two offsets of the image? */
static inline bool in_window_code(const struct regs *r, const u32 offsets[2])
{
	return (r->cs & 3) != 3 && !(r->eflags & EFLAGS_VM) && r->eip >= WINDOW_CODE(offsets[0]) &&
	       r->eip < WINDOW_CODE(offsets[1]);
}

/* If the kernel was interrupted in these instructions, makes them start again: they look for
 * a pending event themselves.  If it were delivered there, the IRET of its handler would
 * overwrite vcpu.iret_site. */
static inline void iret_restart(struct regs *r)
{
	if (!in_window_code(r, iret_window_offset))
		return;
	r->eip = WINDOW_CODE(iret_window_offset[0]);
	r->eflags &= ~EFLAGS_IF;
}

/* iret.c: injects the fault of an iret at the place at which the guest called IRET, with
 * interrupts off.  The frame of the iret is still on the guest's stack. */
void iret_report(struct vcpu *v);

/* Is EIP at one of the irets, so that it has faulted?  Then its fault is the guest's. */
static inline bool iret_fault(struct vcpu *v)
{
	const struct regs *r = &v->r;

	if ((r->cs & 3) == 3 ||
	    (r->eip != WINDOW_CODE(iret_offset) && r->eip != WINDOW_CODE(iret_disabled_offset)))
		return false;
	iret_report(v);
	return true;
}

#endif
