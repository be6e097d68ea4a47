/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptor tables.  The processor does not read the guest's GDT and LDT but copies of
 * them ("Xen's tables" here; in the PVH binding they are the monitor's own).  In the
 * copies the privilege levels are others: no DPL is below the kernel's real RPL, which
 * the PV binding has at 3 before Init and both have at 1 after it.  System descriptors
 * (LDT, TSS, gates) exist only in the guest's tables.
 *
 * Kept true:
 *  - After Init a selector that is loaded finds what the guest's table said when the last
 *    call or instruction announced it; before Init it finds what the table says now
 *    (guard.c).  Nothing else is left in Xen's tables, so no process finds a segment of
 *    another's.
 *  - The segments that the kernel is using stay loadable.  A processor keeps a loaded
 *    descriptor in the hidden part of the register and does not read it again.  Xen does:
 *    CS and SS at each return to the guest, FS when it enters a handler, and all of them
 *    when it lets the vCPU run again.  So a slot of Xen's table keeps its descriptor
 *    while a register names it and the guest's new descriptor would not do there
 *    (must_stay).  Such a slot is looked at again at the next change of a table.
 *  - A segment of user mode is not kept for FS and GS.  A process's own selectors stay
 *    in them while the kernel switches to the next process, which must not find the
 *    segments behind them.  Linux saves GS before it takes TLS segments away, but after
 *    it has changed the LDT.  So a register becomes null when its descriptor alone is
 *    taken away, and keeps its selector when the whole table is replaced.  If Xen runs
 *    another vCPU just then, it cannot load the selector afterwards and calls the
 *    failsafe callback, which gives the register its value back (segment_failsafe).
 *
 * What a register shows differs from hardware's in one case: when its descriptor changes
 * and can still be loaded, the new descriptor counts from the next load on, and that load
 * may be one of Xen's or of the monitor's.  For the base of CS and SS the load must be
 * the guest's; before Init only a load that is emulated counts.  So a kernel that
 * changes the base of the code that runs, and jumps to the same selector, goes on with
 * the old base.
 */
#include "segment.h"
#include "access.h"
#include "monitor/binding.h"
#include "monitor/monitor.h"
#include "lib/mem.h"

#define SEG (&VCPU->segments)

#define ACCESSED (1ull << 40)
#define DOWNWARDS (1ull << 42) /* data: the segment expands downwards */
#define ACCESS (1ull << 41)    /* data: it may be written to; code: it may be read */
#define CODE (1ull << 43)
#define SEGMENT (1ull << 44) /* of code or data; else a system descriptor */
#define PRESENT (1ull << 47)
#define LONG_MODE (1ull << 53)

#define FLAT_DATA 0x00CFF3000000FFFFull /* of user mode */

#define LDT_TYPE 0x82 /* present, system, LDT */
#define TSS_TYPE 0x89 /* present, system, TSS of 32 bits; bit 1 says that it is busy */
#define TSS_BUSY (2ull << 40)

/* Where a selector's descriptor is, as one number: index in its table, times 2, and TI. */
#define PLACE(selector) ((u32)(selector) >> 2)

/* The slots of Xen's table, as the processor reads them. */
static const volatile u64 *slots(u32 table)
{
	return (const volatile u64 *)(table == LDT ? WIN_LDT : WIN_GDT);
}

static u32 dpl(u64 d)
{
	return d >> 45 & 3;
}

u32 segment_limit(u64 d)
{
	u32 limit = (u32)((d & 0xFFFF) | (d >> 32 & 0xF0000));

	return d >> 55 & 1 ? limit << 12 | 0xFFF : limit;
}

/* The descriptor that Xen is given for the guest's d: one that Xen never refuses. */
static u64 adjust(const struct vcpu *v, u64 d)
{
	if (!(d & PRESENT)) /* Xen takes it as it is */
		return d;
	d &= ~LONG_MODE; /* means nothing to a 32-bit CPU */
	if (!(d & SEGMENT))
		return 0;
	if (dpl(d) < v->kernel_rpl)
		d = (d & ~(3ull << 45)) | (u64)v->kernel_rpl << 45;
	return d;
}

/* --- what is loaded --------------------------------------------------------------- */

/* The selectors that the guest has in its segment registers.  In a VMI call the processor
 * still holds DS to GS; in a trap it holds FS and GS, and the others are in struct regs. */
static void selectors(const struct vcpu *v, u16 sel[SEG_NONE])
{
	bool trap = tables_in_trap();

	sel[SEG_CS] = trap ? (u16)v->r.cs : tables_call_selector(SEG_CS);
	sel[SEG_SS] = trap ? (u16)v->r.ss : tables_call_selector(SEG_SS);
	sel[SEG_DS] = trap ? (u16)v->r.ds : cpu_selector(SEG_DS);
	sel[SEG_ES] = trap ? (u16)v->r.es : cpu_selector(SEG_ES);
	sel[SEG_FS] = cpu_selector(SEG_FS);
	sel[SEG_GS] = cpu_selector(SEG_GS);
}

/* Could the kernel have d, a descriptor of Xen's table, in that register? */
static bool serves(const struct vcpu *v, u32 seg, u64 d)
{
	bool code = d & CODE;

	if ((d & (PRESENT | SEGMENT)) != (PRESENT | SEGMENT))
		return false;
	if (seg == SEG_CS)
		return code && dpl(d) == v->kernel_rpl;
	if (seg == SEG_SS)
		return !code && (d & ACCESS) && dpl(d) == v->kernel_rpl;
	return !code || (d & ACCESS);
}

bool segment_carries_stack(u64 d)
{
	return !descriptor_base(d) && (d & SEGMENT_BIG) && !(d & DOWNWARDS) &&
	       segment_limit(d) >= WINDOW_END - 1;
}

/* May the slot that a register names change from old to d while the register is loaded?
 * For CS and SS the base must stay: the guest sees a new base only when it loads them. */
static bool may_follow(const struct vcpu *v, u32 seg, u64 old, u64 d)
{
	return serves(v, seg, d) &&
	       (seg != SEG_SS || !v->paravirtual || segment_carries_stack(d)) &&
	       ((seg != SEG_CS && seg != SEG_SS) || descriptor_base(old) == descriptor_base(d));
}

/* Must the slot at place keep its descriptor old, though the guest has d there now? */
static bool must_stay(const struct vcpu *v, u32 place, u64 old, u64 d)
{
	u16 sel[SEG_NONE];

	if (!place || !(old & PRESENT)) /* null, or nothing to keep */
		return false;
	selectors(v, sel);
	for (u32 seg = 0; seg < SEG_NONE; seg++)
		if (PLACE(sel[seg]) == place && !may_follow(v, seg, old, d) &&
		    (seg < SEG_FS || !v->paravirtual || dpl(old) < 3))
			return true;
	/* Xen loads the kernel's SS by itself when a trap comes from user mode. */
	return v->paravirtual && PLACE(v->kernel_ss) == place && !may_follow(v, SEG_SS, old, d);
}

/* --- Xen's tables ----------------------------------------------------------------- */

/* Brings one descriptor of the guest's into Xen's table.  true if that has changed Xen's
 * slot.  ACCESSED alone is no change, for the processor itself sets it. */
static bool put(const struct vcpu *v, u32 table, u32 index, u64 descriptor)
{
	u64 d = adjust(v, descriptor), old;

	if (index >= SEG->pages[table] * 512)
		return false;
	old = slots(table)[index];
	if (!((old ^ d) & ~ACCESSED))
		return false;
	if (must_stay(v, index << 1 | table, old, d)) {
		SEG->kept = true;
		return false;
	}
	tables_write(table, index, d);
	return true;
}

/* Brings the first so many descriptors of the guest's table into Xen's.  Where the guest's
 * table is shorter, or cannot be read, the slots become 0, and a load of them faults. */
static void copy(struct vcpu *v, u32 table, const struct table_reg *guest, u32 entries)
{
	u32 theirs = (guest->limit + 1u) / 8;
	struct access_fault f;
	u64 d[32];

	for (u32 first = 0; first < entries; first += ARRAY_SIZE(d)) {
		u32 n = first >= theirs ? 0 : theirs - first;
		gva_t at = guest->base + first * 8;

		if (n > ARRAY_SIZE(d))
			n = ARRAY_SIZE(d);
		memset(d, 0, sizeof(d));
		if (guest_read(v, at, d, n * 8, &f))
			for (u32 i = 0; i < n; i++)
				if (guest_read(v, at + i * 8, &d[i], 8, &f))
					d[i] = 0;
		for (u32 i = 0; i < ARRAY_SIZE(d); i++)
			put(v, table, first + i, d[i]);
	}
}

/* --- GDT ------------------------------------------------------------------------- */

void segment_load_gdt(struct vcpu *v, u16 limit, u32 base)
{
	u32 entries = (limit + 1u) / 8;

	if (entries > WIN_GDT_PAGES * 512)
		entries = WIN_GDT_PAGES * 512; /* Xen's own descriptors follow */
	v->gdtr = (struct table_reg){limit, base};
	v->gdt_entries = entries;
	tables_need(GDT, entries);
	copy(v, GDT, &v->gdtr, SEG->pages[GDT] * 512);
}

/* The descriptor that a selector names in the guest's own table. */
static bool guest_descriptor(struct vcpu *v, u16 selector, u64 *d)
{
	struct access_fault f;

	if ((selector & 4) || (selector | 7u) > v->gdtr.limit)
		return false;
	return !guest_read(v, v->gdtr.base + (selector & ~7u), d, 8, &f);
}

/* --- LDT ------------------------------------------------------------------------- */

/* How long Xen's LDT must stay for the descriptors that must stay in it: the index behind
 * the last of them, or 0. */
static u32 ldt_stays(const struct vcpu *v)
{
	u32 entries = 0;
	u16 sel[SEG_NONE];

	selectors(v, sel);
	for (u32 seg = 0; seg < SEG_NONE; seg++) {
		u32 index = sel[seg] >> 3;

		if ((sel[seg] & 4) && index < SEG->ldt_entries && index >= entries &&
		    must_stay(v, PLACE(sel[seg]), slots(LDT)[index], 0))
			entries = index + 1;
	}
	return entries;
}

/* Makes the LDT that the guest has loaded Xen's LDT. */
static void give_ldt(struct vcpu *v)
{
	u32 entries = (v->ldt.limit + 1u) / 8, stays = ldt_stays(v), had = SEG->ldt_entries;

	if (entries < stays)
		entries = stays;
	tables_need(LDT, entries);
	copy(v, LDT, &v->ldt, entries);
	SEG->ldt_entries = entries; /* first: revive gives it to Xen, too */
	if (entries != had)
		tables_set_ldt(entries);
}

bool segment_load_ldt(struct vcpu *v, u16 selector)
{
	struct table_reg ldt = {0, 0};
	u64 d = 0;

	if (selector & 0xFFFC) {
		u32 limit;

		if (!guest_descriptor(v, selector, &d) || (d >> 40 & 0x9F) != LDT_TYPE)
			return false;
		limit = segment_limit(d);
		ldt.limit = (u16)(limit > 0xFFFF ? 0xFFFF : limit); /* no selector names more */
		ldt.base = descriptor_base(d);
	}
	v->ldtr = selector;
	v->ldt = ldt;
	give_ldt(v);
	return true;
}

/* --- both ------------------------------------------------------------------------ */

void segment_reread(struct vcpu *v)
{
	SEG->kept = false;
	copy(v, GDT, &v->gdtr, SEG->pages[GDT] * 512);
	give_ldt(v);
}

/* The guest has changed this descriptor alone.  FS or GS becomes null if it names the slot
 * and the slot cannot be loaded any more. */
static void change_descriptor(struct vcpu *v, u32 table, u32 index, u64 descriptor)
{
	u32 place = index << 1 | table;

	if (put(v, table, index, descriptor) && !serves(v, SEG_GS, slots(table)[index]))
		for (u32 seg = SEG_FS; seg <= SEG_GS; seg++)
			if (PLACE(cpu_selector(seg)) == place)
				cpu_load_selector(seg, 0);
	if (SEG->kept)
		segment_reread(v);
}

void segment_gdt_entry(struct vcpu *v, u32 index, u64 descriptor)
{
	change_descriptor(v, GDT, index, descriptor);
}

void segment_ldt_entry(struct vcpu *v, u32 index, u64 descriptor)
{
	change_descriptor(v, LDT, index, descriptor);
}

bool segment_late(struct vcpu *v, u32 error)
{
	u32 table = error >> 2 & 1, index = error >> 3 & 0x1FFF;
	const struct table_reg *guest = table == LDT ? &v->ldt : &v->gdtr;
	struct access_fault f;
	u64 d;

	if (v->paravirtual || (error & 2) || index * 8 + 7 > guest->limit ||
	    guest_read(v, guest->base + index * 8, &d, 8, &f))
		return false;
	return put(v, table, index, d);
}

u32 segment_load(struct vcpu *v, enum seg seg, u32 selector)
{
	u32 *reg = seg == SEG_CS ? &v->r.cs : &v->r.ss, old = *reg;
	u16 own = (u16)((selector & 0xFFFC) | v->kernel_rpl);
	u64 d;

	*reg = 0; /* what it held may change */
	segment_late(v, selector & 0xFFFC);
	*reg = old;
	d = segment_descriptor(own);
	if (!(selector & 0xFFFC) || !serves(v, seg, adjust(v, d | PRESENT)))
		return EXC_GP;
	if (!(d & PRESENT))
		return seg == SEG_SS ? EXC_SS : EXC_NP;
	*reg = own;
	return 0;
}

u16 segment_or_null(struct vcpu *v, enum seg seg, u16 selector)
{
	u32 table = selector >> 2 & 1, index = selector >> 3;
	u64 d;

	segment_late(v, selector & 0xFFFC);
	if (index >= (table == LDT ? SEG->ldt_entries : SEG->pages[GDT] * 512))
		return 0;
	d = slots(table)[index];
	return serves(v, seg, d) && dpl(d) >= (selector & 3u) ? selector : 0;
}

/* Gives a register back the selector that Xen could not load.  A flat segment is in the
 * slot for just as long as the load takes.  Xen may have run another vCPU in the middle of
 * give_ldt(), and so have an LDT of another length than that of ldt_entries. */
static void revive(u32 seg, u16 selector)
{
	u32 table = selector >> 2 & 1, index = selector >> 3;
	bool behind = table == LDT && index >= SEG->ldt_entries;
	u64 old;

	if (cpu_selector(seg) || !(selector & 0xFFFC) || index >= SEG->pages[table] * 512)
		return;
	old = slots(table)[index];
	tables_write(table, index, FLAT_DATA);
	if (table == LDT)
		tables_set_ldt(behind ? index + 1 : SEG->ldt_entries);
	cpu_load_selector(seg, selector);
	if (behind)
		tables_set_ldt(SEG->ldt_entries);
	tables_write(table, index, old);
}

void regparm3 segment_failsafe(const u32 selector[4])
{
	revive(SEG_FS, (u16)selector[2]);
	revive(SEG_GS, (u16)selector[3]);
}

bool segment_tss(struct vcpu *v, u16 selector, gva_t *base, u32 *limit)
{
	u64 d;

	if (!(selector & 0xFFFC) || !guest_descriptor(v, selector, &d) ||
	    (d >> 40 & 0x9D) != TSS_TYPE)
		return false;
	*base = descriptor_base(d);
	*limit = segment_limit(d);
	return true;
}

bool segment_take_tss(struct vcpu *v, u16 selector)
{
	struct access_fault f;
	u64 d;

	if (!guest_descriptor(v, selector, &d) || (d & TSS_BUSY))
		return false;
	d |= TSS_BUSY;
	return !guest_write(v, v->gdtr.base + (selector & ~7u), &d, 8, &f);
}

/* The descriptors behind the guest's part of the GDT are Xen's own, and all flat. */
u64 segment_descriptor(u16 selector)
{
	u32 index = selector >> 3, table = selector >> 2 & 1;

	if (index < (table == LDT ? SEG->ldt_entries : SEG->pages[GDT] * 512))
		return slots(table)[index];
	return table == LDT || index < WIN_GDT_PAGES * 512 ? 0 : FLAT_DATA;
}

u32 segment_base(struct vcpu *v, u16 selector)
{
	(void)v;
	return descriptor_base(segment_descriptor(selector));
}

bool segment_is_kernel_code(const struct vcpu *v, u16 selector)
{
	u32 index = selector >> 3;

	return !(selector & 4) && index && index < SEG->pages[GDT] * 512 &&
	       serves(v, SEG_CS, slots(GDT)[index]);
}

void segment_start(void)
{
	tables_need(GDT, 512);
	idt_load(VCPU, 0, 0);
	VCPU->idtr.limit = 0xFFFF; /* as after a reset */
}

void segment_adopt(struct vcpu *v)
{
	segment_reread(v);
	idt_load(v, v->idtr.limit, v->idtr.base);
}
