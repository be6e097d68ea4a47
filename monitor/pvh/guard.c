/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors before Init, in the PVH binding.
 *
 * A processor reads a descriptor when its selector is loaded, from the guest's own
 * table; ours reads a copy, and nothing says when the guest has written to its own.
 *
 * Kept true, whenever the guest runs before Init:
 *  - In the copy no descriptor is present but those of CS and SS, which each way
 *    back to the guest loads.  So every other load of a selector is a fault.  Then the
 *    copy's entry becomes what the guest's table says, and the instruction is tried
 *    again with TF set; the #DB shuts the entry.  A fault that stays is the
 *    guest's.
 *  - FS and GS keep what they have taken, for nothing loads them but the guest.  For
 *    ES and DS, which are loaded on each way back, too, held[] has it: exit_guest
 *    puts it into the copy for that (struct reload).
 *  - TF is the guest's own in whatever is shown to it.
 *
 * Not seen: a change of the descriptor that CS or SS has, when the same selector is
 * loaded again without a fault; and what LAR, LSL, VERR and VERW read, which is what
 * the copy has.  The next load that faults, and LGDT, bring it in.
 */
#include "guard.h"
#include "cpu_pvh.h"
#include "monitor/binding.h"
#include "monitor/cpu/segment.h"
#include "lib/mem.h"

#define PRESENT_HIGH 0x8000u /* of a descriptor's high word */
#define NO_PLACE 0	     /* the null selector's */
/* Entry and table of a selector, as one number. */
#define PLACE(selector) ((u32)(selector) >> 2)

static u32 *slot_of(u32 place)
{
	return (u32 *)(place & 1 ? WIN_LDT : WIN_GDT) + (place >> 1) * 2;
}

/* Is it an entry that the guest can have? */
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

/* The entry that the fault is about is looked at again, in a step. */
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

static bool is_late(const struct guard_pvh *g, u32 place)
{
	return g->stepping && (place == g->late[0] || place == g->late[1]);
}

/* What ES and DS have taken: their entries are as they were when the guest ran. */
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

/* Shuts what is open and need not be. */
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

/* For exit_guest: the entry, and what it has while the guest runs. */
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
	for (u32 i = 0; i < 2; i++) /* a gate may have led to one that is shut */
		if (guests(PLACE(i ? v->r.ss : v->r.cs)) &&
		    !(slot_of(PLACE(i ? v->r.ss : v->r.cs))[1] & PRESENT_HIGH))
			segment_late(v, (i ? v->r.ss : v->r.cs) & 0xFFFC);
	shut_entries(v, GDT);
	shut_entries(v, LDT);
	prepare(&v->guard.reload[0], v->r.es);
	prepare(&v->guard.reload[1], v->r.ds);
}
