/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard of the guest's descriptor tables, before Init.
 *
 * A processor reads a descriptor when its selector is loaded.  Before Init the guest's
 * kernel loads selectors itself, at CPL 3, from the tables that Xen has, and nothing says
 * when the kernel has written to its own: it makes an entry, or changes one, after LGDT as
 * well as before.  So it must not write to its tables unseen.
 *
 * Kept true, whenever the guest runs before Init:
 *  - The frames in which the tables of GDTR and LDTR lie are mapped read-only: in the
 *    one-to-one pages (POOL_ONE_TO_ONE), and in what is filled of the guest's own mappings.
 *    The guest turns paging on, and maps its tables elsewhere, so the frames are found anew
 *    before each return to it, as its page tables have them then.
 *  - A write to such a frame faults.  The frame is opened where it is written to, and the
 *    guest goes on with TF set, for the one instruction: the #DB closes it, and what the
 *    tables say now is taken over.  A repeated store is a step for each element.  Any other
 *    exception closes it, too, for the instruction has not been carried out then; but a page
 *    fault may be for a further page that the instruction needs, which is filled.
 *  - What the monitor writes for the guest is taken over before the guest goes on.
 *  - TF is the guest's own in all that is shown to it: in the frame of an exception, and on
 *    the stack after PUSHF.
 *
 * There are no interrupts before Init.  This cannot see a table in a page that the guest maps
 * without a trap; it is looked for when a selector cannot be loaded (segment_late).
 */
#include "paging.h"
#include "monitor/cpu/access.h"
#include "monitor/cpu/segment.h"
#include "monitor/emul/decode.h"
#include "lib/mem.h"

static struct guard *const g = &PV->guard;

#define PUSHF 0x9C

bool guard_has(u32 gpfn)
{
	for (u32 i = 0; i < g->frames; i++)
		if (g->gpfn[i] == gpfn)
			return true;
	return false;
}

bool guard_forbids(u32 gpfn)
{
	for (u32 i = 0; i < g->opened; i++)
		if (g->open[i].gpfn == gpfn)
			return false;
	return guard_has(gpfn);
}

/* Makes the frame's entry in its one-to-one page read-only, or writable again. */
static void protect(u32 gpfn, bool readonly)
{
	u32 mfn = GMFN[gpfn];

	queue_write(SHADOW->one_to_one_first + (gpfn >> 9), gpfn & 511,
		    mfn << PAGE_SHIFT |
			    (u32)(PTE_P | PTE_US | PTE_A | (readonly ? 0 : PTE_RW | PTE_D)),
		    mfn >> 20);
	queue_flush();
}

bool guard_open(gva_t va, u32 gpfn)
{
	if (!guard_has(gpfn))
		return false;
	if (g->opened == ARRAY_SIZE(g->open)) /* no instruction writes to so many pages */
		guard_close(VCPU);
	if (guard_forbids(gpfn))
		protect(gpfn, false);
	g->open[g->opened].gpfn = gpfn;
	g->open[g->opened++].va = va;
	return true;
}

/* Makes va read-only again in the guest's own mapping, where it was opened. */
static void close_mapping(gva_t va)
{
	u32 page = root_l1(root_current(), L2I(va));
	struct entry e;

	if (page == SHADOW_NONE || SHADOW->pool[page].kind != POOL_L1)
		return;
	e = entry_read(&pool_table(page)[va >> 12 & 511], true);
	if (e.low & PTE_RW)
		queue_write(page, va >> 12 & 511, e.low & ~(u32)(PTE_RW | PTE_D), e.high);
}

void guard_close(struct vcpu *v)
{
	if (!g->opened)
		return;
	if (g->stepping && !g->traced)
		v->r.eflags &= ~EFLAGS_TF;
	g->stepping = false;
	while (g->opened) {
		g->opened--;
		close_mapping(g->open[g->opened].va);
		protect(g->open[g->opened].gpfn, true);
	}
	tlb_flush();
	segment_reread(v);
}

/* Is it a prefix of an instruction: segment, size or REP? */
static bool is_prefix(u8 byte)
{
	return (byte & 0xE7) == 0x26 || (byte & 0xFC) == 0x64 || (byte & 0xFE) == 0xF2;
}

/* Is the instruction at EIP one that pushes the flags? */
static bool is_pushf(struct vcpu *v)
{
	gva_t at = segment_base(v, (u16)v->r.cs) + v->r.eip;
	struct access_fault f;
	u8 byte = 0;

	for (u32 i = 0; i < INSN_MAX_LEN && !guest_read(v, at + i, &byte, 1, &f); i++)
		if (!is_prefix(byte))
			break;
	return byte == PUSHF;
}

void guard_step(struct vcpu *v)
{
	if (g->stepping) /* it needs one more page, which is open now */
		return;
	g->stepping = true;
	g->traced = v->r.eflags & EFLAGS_TF;
	g->pushes = is_pushf(v);
	v->r.eflags |= EFLAGS_TF;
}

/* Clears TF in the flags that PUSHF has pushed. */
static void hide_tf(struct vcpu *v)
{
	gva_t at = segment_base(v, (u16)v->r.ss) + v->r.gpr[GPR_ESP] + 1;
	struct access_fault f;
	u8 byte;

	if (guest_read(v, at, &byte, 1, &f))
		return;
	byte &= ~(EFLAGS_TF >> 8);
	guest_write(v, at, &byte, 1, &f);
}

/* A #DB while stepping: true if it is the end of the step and nothing else. */
static bool stepped(struct vcpu *v)
{
	u32 dr6 = xen_debug_status();
	bool traced = g->traced;

	if ((dr6 & DR6_BS) && g->pushes && !traced)
		hide_tf(v);
	guard_close(v);
	if (!(dr6 & DR6_BS) || traced)
		return false;
	xen_set_debugreg(6, dr6 & ~DR6_BS);
	return !(dr6 & DR6_BREAKPOINTS);
}

bool guard_trap(struct vcpu *v, u32 vector)
{
	if (vector == EXC_PF)
		return false;
	if (vector == EXC_DB && g->stepping)
		return stepped(v);
	guard_close(v);
	return false;
}

/* --- which frames ----------------------------------------------------------------- */

/* Adds the guest frames in which the table lies to a list of n; returns how many it has then. */
static u32 add_frames(struct vcpu *v, const struct table_reg *t, u32 *list, u32 n)
{
	u32 pages = t->limit < 7 ? 0 : ((t->base & (PAGE_SIZE - 1)) + t->limit) / PAGE_SIZE + 1;

	for (u32 i = 0; i < pages; i++) {
		u64 gpa;

		if (space_translate(v, t->base + i * PAGE_SIZE, &gpa) &&
		    has_memory((u32)(gpa >> PAGE_SHIFT)))
			list[n++] = (u32)(gpa >> PAGE_SHIFT);
	}
	return n;
}

/* Guards these n frames, instead of those that were guarded. */
static void guard_frames(struct vcpu *v, const u32 *list, u32 n)
{
	for (u32 i = 0; i < g->frames; i++)
		protect(g->gpfn[i], false);
	for (u32 i = 0; i < n; i++)
		protect(list[i], true);
	for (u32 i = 0; i < n; i++)
		g->gpfn[i] = list[i];
	g->frames = n;
	root_drop_all(root_current()); /* what maps them comes back by faults, read-only */
	tlb_flush();
	segment_reread(v);
}

void guard_resume(struct vcpu *v)
{
	u32 list[GUARD_FRAMES], n;

	if (g->stepping)
		return;
	guard_close(v);
	n = add_frames(v, &v->gdtr, list, 0);
	n = add_frames(v, &v->ldt, list, n);
	if (n != g->frames || memcmp(list, g->gpfn, n * sizeof(*list)))
		guard_frames(v, list, n);
	else if (VCPU->segments.kept) /* a descriptor that could not go may go now */
		segment_reread(v);
}

void guard_end(struct vcpu *v)
{
	guard_frames(v, NULL, 0);
}
