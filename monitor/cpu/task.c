/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The change to another task by a task gate (Intel SDM vol. 3A, 7.3).  Kernels have such a
 * gate for the double fault alone: its task has a stack of its own, for that of the kernel
 * may be what has caused it.
 *
 * It differs from a processor's in this: the task must run in the kernel's ring.  A data
 * segment register whose selector cannot be loaded becomes null.  There is no way back by
 * IRET, because NT is never set in ring 1 (store_frame() of both bindings); so NT is not set
 * here either.  ESP0 stays what UpdateKernelStack said last.
 */
#include "task.h"
#include "access.h"
#include "segment.h"
#include "monitor/binding.h"
#include "lib/mem.h"

#define DR7_LOCAL 0x155u /* L0 to L3, and LE */

/* What a change of tasks stores in the old TSS and loads from the new one. */
struct task_state {
	u32 eip, eflags, gpr[8];
	u32 seg[SEG_NONE]; /* selectors, by enum seg */
};

struct tss {
	u32 link, stacks[6], cr3;
	struct task_state state;
	u32 ldt, io_map;
};

_Static_assert(sizeof(struct tss) == 104, "TSS of Intel SDM vol. 3A, 7.2.1");

/* As the kernel knows it: before Init it takes itself for ring 0. */
static void get_state(const struct vcpu *v, struct task_state *s)
{
	static const u8 of_v86[] = {SEG_ES, SEG_DS, SEG_FS, SEG_GS};
	const struct regs *r = &v->r;

	s->eip = r->eip;
	s->eflags = r->eflags;
	memcpy(s->gpr, r->gpr, sizeof(s->gpr));
	for (u32 seg = 0; seg < SEG_NONE; seg++)
		s->seg[seg] = guest_selector(v, seg);
	for (u32 i = 0; (r->eflags & EFLAGS_VM) && i < ARRAY_SIZE(of_v86); i++)
		s->seg[of_v86[i]] = v->v86_segs[i];
	if (!v->paravirtual)
		s->seg[SEG_CS] &= ~3u;
}

/* false if the kernel cannot run with it. */
static bool set_state(struct vcpu *v, const struct task_state *s)
{
	struct regs *r = &v->r;

	if ((s->eflags & EFLAGS_VM) || segment_load(v, SEG_CS, s->seg[SEG_CS]) ||
	    segment_load(v, SEG_SS, s->seg[SEG_SS]))
		return false;
	r->eip = s->eip;
	r->eflags = s->eflags;
	memcpy(r->gpr, s->gpr, sizeof(r->gpr));
	r->ds = segment_or_null(v, SEG_DS, (u16)s->seg[SEG_DS]);
	r->es = segment_or_null(v, SEG_ES, (u16)s->seg[SEG_ES]);
	for (u32 seg = SEG_FS; seg <= SEG_GS; seg++)
		cpu_load_selector(seg, segment_or_null(v, seg, (u16)s->seg[seg]));
	return true;
}

/* Loads what the task has, but for its TSS. */
static bool load(struct vcpu *v, const struct tss *t, u32 error)
{
	struct access_fault f;

	if ((v->cr0 & CR0_PG) && !control_set_cr3(v, t->cr3))
		return false;
	if (!segment_load_ldt(v, (u16)t->ldt) || !set_state(v, &t->state))
		return false;
	v->r.gpr[GPR_ESP] -= 4;
	return !guest_write(v, v->r.gpr[GPR_ESP], &error, 4, &f);
}

bool task_enter(struct vcpu *v, u16 selector, u32 error)
{
	struct task_state state;
	struct access_fault f;
	u32 link = v->tr, limit;
	struct regs before;
	gva_t old, new;
	struct tss t;

	guard_close(v);
	before = v->r;
	if (!segment_tss(v, v->tr, &old, &limit) || limit < sizeof(t) - 1 ||
	    !segment_tss(v, selector, &new, &limit) || limit < sizeof(t) - 1 ||
	    guest_read(v, new, &t, sizeof(t), &f) || !segment_take_tss(v, selector))
		return false;
	get_state(v, &state);
	if (guest_write(v, old + offsetof(struct tss, state), &state, sizeof(state), &f) ||
	    guest_write(v, new, &link, sizeof(link), &f))
		return false;
	if (!load(v, &t, error)) {
		v->r = before;
		return false;
	}
	v->tr = selector;
	control_set_cr0(v, v->cr0 | CR0_TS);
	control_set_dr(v, 7, control_get_dr(v, 7) & ~DR7_LOCAL);
	return true;
}
