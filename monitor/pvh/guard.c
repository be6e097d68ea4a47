/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors before Init, in the PVH binding.
 *
 * On a PC the processor reads a descriptor from the guest's own table when its selector
 * is loaded.  Here it reads from a copy of the table, and nothing tells when the guest
 * has written to its own.
 *
 * Kept true, whenever the guest runs before Init:
 *  - In the copy only the descriptors of CS and SS are present, which every return to the
 *    guest loads.  So every other load of a selector faults.  Then the descriptor in the
 *    copy becomes what the guest's table says, and the instruction is tried again with TF
 *    set; the #DB behind it makes the descriptor absent again.  A descriptor that is
 *    present for that one instruction is called open.  A fault that comes again is the
 *    guest's.
 *  - FS and GS keep what they have taken, because only the guest loads them.  ES and DS
 *    are loaded by every return to the guest as well: guard.reload[] has what they have
 *    taken, and exit_guest puts it into the copy while it loads them.
 *  - TF is the guest's own wherever the guest can see it.
 *
 * Two things are not seen at once: a change of the descriptor of CS or SS, when the same
 * selector is loaded again without a fault; and any change, by LAR, LSL, VERR and VERW,
 * which read the copy.  The next load that faults, or LGDT, brings the change in.
 */
#include "guard.h"
#include "cpu_pvh.h"
#include "monitor/binding.h"
#include "monitor/cpu/segment.h"
#include "lib/mem.h"

#define PRESENT_HIGH 0x8000u /* the present bit, in a descriptor's high word */
#define NO_PLACE 0	     /* that of the null selector */
/* Where a selector's descriptor is, as one number: index in its table, times 2, and TI. */
#define PLACE(selector) ((u32)(selector) >> 2)

/* The two words of a descriptor in the copy. */
static u32 *slot_of(u32 place)
{
	return (u32 *)(place & 1 ? WIN_LDT : WIN_GDT) + (place >> 1) * 2;
}

/* Is it a place at which the guest can have a descriptor? */
static bool guests(u32 place)
{
	return place >> 1 && place >> 1 < (place & 1 ? WIN_LDT_PAGES : WIN_GDT_PAGES) * 512u;
}

void guard_wrote(struct vcpu *v, u32 table, u32 index)
{
	struct written *w = &v->guard.written[table];

	if (v->paravirtual)
		return;
	if (w->first >= w->end)
		*w = (struct written){index, index + 1};
	if (index < w->first)
		w->first = index;
	if (index >= w->end)
		w->end = index + 1;
}

/* Opens the descriptor that the fault is about.  An instruction that loads two selectors
 * (IRET, far transfers) needs two, so the one before stays open. */
bool guard_late(struct vcpu *v, u32 error)
{
	struct guard_pvh *g = &v->guard;

	if (v->paravirtual || !segment_late(v, error))
		return false;
	if (!g->stepping) {
		g->traced = v->r.eflags & EFLAGS_TF;
		g->late[0] = g->late[1] = NO_PLACE;
	}
	g->stepping = true;
	g->late[1] = g->late[0];
	g->late[0] = PLACE(error);
	v->r.eflags |= EFLAGS_TF;
	return true;
}

void guard_close(struct vcpu *v)
{
	struct guard_pvh *g = &v->guard;

	if (g->stepping && !g->traced)
		v->r.eflags &= ~EFLAGS_TF;
	g->stepping = false;
}

/* Is the descriptor open for the instruction that is stepped? */
static bool is_late(const struct guard_pvh *g, u32 place)
{
	return g->stepping && (place == g->late[0] || place == g->late[1]);
}

/* Notes what ES and DS have taken, if their selectors are others now, or were loaded again in
 * the step.  The copy must still be as it was when the guest ran. */
static void hold(struct vcpu *v, bool stepped)
{
	const u32 selector[] = {v->r.es, v->r.ds};
	struct guard_pvh *g = &v->guard;

	for (u32 i = 0; i < ARRAY_SIZE(selector); i++) {
		u32 place = PLACE(selector[i]);

		if ((g->held[i] == selector[i] && !(stepped && is_late(g, place))) ||
		    !guests(place))
			continue;
		g->held[i] = selector[i];
		memcpy(g->reload[i].taken, slot_of(place), 8);
		g->reload[i].taken[1] |= PRESENT_HIGH;
	}
}

bool guard_trap(struct vcpu *v, u32 vector)
{
	bool step = v->guard.stepping && vector == EXC_DB;

	if (v->paravirtual)
		return false;
	hold(v, step);
	if (!v->guard.stepping || vector == EXC_GP || vector == EXC_NP || vector == EXC_SS)
		return false;
	step = step && !v->guard.traced;
	guard_close(v);
	if (!step)
		return false;
	if (control_debug_status() & DR6_BREAKPOINTS)
		return false;
	control_debug_forget();
	return true;
}

/* Makes every descriptor of the table absent that was written to and is neither that of CS
 * or SS nor open. */
static void shut_entries(struct vcpu *v, u32 table)
{
	struct guard_pvh *g = &v->guard;
	struct written w = g->written[table];

	g->written[table] = (struct written){0, 0};
	for (u32 i = w.first; i < w.end; i++) {
		u32 place = i << 1 | table, *slot = slot_of(place);

		if (!(slot[1] & PRESENT_HIGH))
			continue;
		if (place == PLACE(v->r.cs) || place == PLACE(v->r.ss) || is_late(g, place))
			guard_wrote(v, table, i);
		else
			slot[1] &= ~PRESENT_HIGH;
	}
}

/* Fills in for exit_guest which slot the register is loaded from, and what the slot has while
 * the guest runs. */
static void prepare(struct reload *l, u32 selector)
{
	u32 place = PLACE(selector);
	u32 *slot = guests(place) ? slot_of(place) : l->nowhere;

	l->slot = (u32)slot;
	memcpy(l->shut, slot, 8);
}

void guard_resume(struct vcpu *v)
{
	if (v->paravirtual)
		return;
	hold(v, false);
	for (u32 i = 0; i < 2; i++) /* a gate may have led to one that is absent */
		if (guests(PLACE(i ? v->r.ss : v->r.cs)) &&
		    !(slot_of(PLACE(i ? v->r.ss : v->r.cs))[1] & PRESENT_HIGH))
			segment_late(v, (i ? v->r.ss : v->r.cs) & 0xFFFC);
	shut_entries(v, GDT);
	shut_entries(v, LDT);
	prepare(&v->guard.reload[0], v->r.es);
	prepare(&v->guard.reload[1], v->r.ds);
}
