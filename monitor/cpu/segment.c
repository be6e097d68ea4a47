/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptor tables.  Xen has a GDT and an LDT of its own; they are copies of
 * the guest's with other privilege levels: before Init everything has DPL 3,
 * after it DPL 0 becomes 1.  System descriptors (LDT, TSS, gates) exist only
 * in the guest's tables.
 *
 * Kept true:
 *  - A selector that is loaded finds what the guest's table has said at the
 *    last call or instruction that announced it; before Init, what it says
 *    (guard.c).  Nothing else is left in Xen's tables: no process finds a segment
 *    of another's.
 *  - What the kernel stands on goes on to be there.  A processor keeps a
 *    loaded descriptor in the hidden part of the register; Xen reads it again:
 *    CS and SS at each return to the guest, FS when it enters a handler, all
 *    of them when it lets the vCPU run again.  So a slot keeps its descriptor
 *    while a register names it and the guest's new one would not do there
 *    (must_stay), and is looked at again at the next change of a table.
 *  - But a segment of user mode is not kept for FS and GS: a process's own
 *    selectors stay there while the kernel switches to the next, who must not
 *    find what is behind them.  Linux saves GS before it takes TLS segments
 *    away, and after it has changed the LDT.  So a register whose descriptor is
 *    taken away by itself becomes null; with the whole table it keeps the
 *    selector.  If Xen runs another vCPU just then, it cannot load that, and
 *    says so: the register gets its value back (segment_failsafe).
 *
 * What a register shows may differ from hardware's in one case: when its
 * descriptor changes and still can be loaded, the new one counts from the next
 * load on, and that may be Xen's or the monitor's.  For the base of CS and SS it
 * is the guest's, and before Init only that which is emulated: who changes the
 * base of the code that runs, and jumps to the same selector, goes on with the
 * old one.
 */
#include "segment.h"
#include "access.h"
#include "monitor/binding.h"
#include "monitor/monitor.h"
#include "lib/mem.h"

#define SEG (&VCPU->segments)

#define ACCESSED (1ull << 40)
#define DOWNWARDS (1ull << 42) /* data: it expands so */
#define ACCESS (1ull << 41)    /* data: it may be written to; code: it may be read */
#define CODE (1ull << 43)
#define SEGMENT (1ull << 44) /* of code or data; else a system descriptor */
#define PRESENT (1ull << 47)
#define LONG_MODE (1ull << 53)

#define FLAT_DATA 0x00CFF3000000FFFFull /* of user mode */

#define LDT_TYPE 0x82 /* present, system, LDT */
#define TSS_TYPE 0x89 /* the same; bit 1 says that it is busy */

/* Entry and table of a selector, as one number. */
#define PLACE(selector) ((u32)(selector) >> 2)

/* Xen's table as the processor reads it. */
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

/* What Xen is given for the guest's descriptor; Xen takes any such. */
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

/* What the guest has in its segment registers.  In a call that is what the
 * processor holds; in a trap, where CS is the monitor's, DS and ES are, too. */
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

/* Could the kernel have a descriptor of Xen's table in that register? */
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

/* May the register's slot become d while it is loaded?  CS and SS are what runs now: a base
 * that is another one counts when they are loaded. */
static bool may_follow(const struct vcpu *v, u32 seg, u64 old, u64 d)
{
	return serves(v, seg, d) &&
	       (seg != SEG_SS || !v->paravirtual || segment_carries_stack(d)) &&
	       ((seg != SEG_CS && seg != SEG_SS) || descriptor_base(old) == descriptor_base(d));
}

/* Must a slot keep its descriptor, though the guest has d there now? */
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
	/* Xen loads it when it comes from user mode. */
	return v->paravirtual && PLACE(v->kernel_ss) == place && !may_follow(v, SEG_SS, old, d);
}

/* --- Xen's tables ----------------------------------------------------------------- */

/* The guest's descriptor there is that now.  The processor itself sets ACCESSED.  true: Xen
 * has another one there than before. */
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

/* Copies so many entries; those of them that the guest's table at base does not have, or
 * not where it can be read, become clear: they fault when they are used. */
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

/* Entries up to the last that must stay, where the guest's table has none. */
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

/* The guest's LDT register becomes Xen's. */
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

/* One entry is that now, and no other. */
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

/* A register gets back the selector that Xen could not load, over a flat segment, which
 * is in the table only meanwhile.  Xen may have run another vCPU in the middle of
 * give_ldt, and so have an LDT of another length than that of ldt_entries. */
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

bool segment_tss(struct vcpu *v, gva_t *base, u32 *limit)
{
	u64 d;

	if (!v->tr || !guest_descriptor(v, v->tr, &d) || (d >> 40 & 0x9D) != TSS_TYPE)
		return false;
	*base = descriptor_base(d);
	*limit = segment_limit(d);
	return true;
}

/* Those behind the guest's are Xen's own, which are flat. */
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

/* Init: privileges become those of ring 1. */
void segment_adopt(struct vcpu *v)
{
	segment_reread(v);
	idt_load(v, v->idtr.limit, v->idtr.base);
}
