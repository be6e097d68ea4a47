/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptor tables.  Xen has a GDT and an LDT of its own; they are copies of
 * the guest's with other privilege levels: before Init
 * everything has DPL 3, after it DPL 0 becomes 1.  System descriptors (LDT,
 * TSS, gates) exist only in the guest's tables.
 *
 * Xen reloads selectors at its context switches: a slot that is loaded keeps
 * its old descriptor while the guest's new table has none there, as the hidden
 * part of a segment register would.
 */
#include "monitor.h"
#include "hypercall.h"

#define SEG (&MON->segments)

#define PRESENT (1ull << 47)
#define SEGMENT (1ull << 44) /* of code or data; else a system descriptor */
#define CODE (1ull << 43)
#define LONG_MODE (1ull << 53)
#define FLAT_DESCRIPTOR 0x00CFF3000000FFFFull /* 32-bit data, 4 GB */

static u64 adjust(const struct vcpu *v, u64 d)
{
	u32 dpl = d >> 45 & 3;

	if (!(d & PRESENT)) /* Xen takes it as it is */
		return d;
	d &= ~LONG_MODE; /* means nothing to a 32-bit CPU */
	if (!(d & SEGMENT))
		return 0;
	if (dpl < v->kernel_rpl)
		dpl = v->kernel_rpl;
	return (d & ~(3ull << 45)) | (u64)dpl << 45;
}

/* In a trap DS and ES are in struct regs, in a VMI call still in the CPU. */
static bool is_loaded(const struct vcpu *v, u32 index, u32 table)
{
	const u32 sel[] = {v->r.cs,
			   v->r.ss,
			   v->r.ds,
			   v->r.es,
			   cpu_selector(SEG_DS),
			   cpu_selector(SEG_ES),
			   cpu_selector(SEG_FS),
			   cpu_selector(SEG_GS)};

	for (u32 i = 0; i < ARRAY_SIZE(sel); i++)
		if (sel[i] >> 3 == index && (sel[i] & 4) == table)
			return true;
	return false;
}

static void write_slot(const u32 *mfn, u32 window, u32 index, u64 d)
{
	const volatile u64 *table = (const volatile u64 *)window;

	if (table[index] == d)
		return;
	if (xen_update_descriptor(((u64)mfn[index >> 9] << 12) + (index & 511) * 8, d))
		guest_die("Xen refused descriptor %u: %08llx", index, d);
}

void segment_gdt_entry(struct vcpu *v, u32 index, u64 descriptor)
{
	u64 d = adjust(v, descriptor);

	if (index >= SEG->gdt_entries || (!(d & PRESENT) && is_loaded(v, index, 0)))
		return;
	write_slot(SEG->gdt_mfn, WIN_GDT, index, d);
}

static void need_pages(u32 *have, u32 *mfn, u32 window, u32 entries)
{
	for (; *have * 512 < entries; ++*have)
		mfn[*have] = shadow_frame(window + *have * PAGE_SIZE);
}

static void give_gdt(u32 entries)
{
	unsigned long frames[WIN_GDT_PAGES];

	need_pages(&SEG->gdt_pages, SEG->gdt_mfn, WIN_GDT, entries);
	if (entries <= SEG->gdt_entries)
		return;
	for (u32 i = 0; i < SEG->gdt_pages; i++)
		frames[i] = SEG->gdt_mfn[i];
	/* cppcheck-suppress uninitvar ; there is an entry, and so a page */
	xen_must(xen_set_gdt(frames, SEG->gdt_pages * 512), NEED_GDT);
	SEG->gdt_entries = SEG->gdt_pages * 512;
}

void segment_load_gdt(struct vcpu *v, u16 limit, u32 base)
{
	u32 entries = (limit + 1u) / 8;
	struct access_fault f;

	if (entries > WIN_GDT_PAGES * 512)
		entries = WIN_GDT_PAGES * 512; /* Xen's own descriptors follow */
	v->gdtr = (struct table_reg){limit, base};
	give_gdt(entries);
	for (u32 i = 0; i < SEG->gdt_entries; i++) {
		u64 d = 0;

		if (i < entries && guest_read(v, base + i * 8, &d, 8, &f))
			d = 0; /* faults when it is used */
		segment_gdt_entry(v, i, d);
	}
}

/* The descriptor that a selector names in the guest's own table. */
static bool guest_descriptor(struct vcpu *v, u16 selector, u64 *d)
{
	struct access_fault f;

	if ((selector & 4) || (selector | 7u) > v->gdtr.limit)
		return false;
	return !guest_read(v, v->gdtr.base + (selector & ~7u), d, 8, &f);
}

u32 segment_limit(u64 d)
{
	u32 limit = (u32)((d & 0xFFFF) | (d >> 32 & 0xF0000));

	return d >> 55 & 1 ? limit << 12 | 0xFFF : limit;
}

void segment_ldt_entry(struct vcpu *v, u32 index, u64 descriptor)
{
	u64 d = adjust(v, descriptor);

	if (index >= SEG->ldt_entries || (!(d & PRESENT) && is_loaded(v, index, 4)))
		return;
	write_slot(SEG->ldt_mfn, WIN_LDT, index, d);
}

static void give_ldt(u32 entries)
{
	struct mmuext_op op = {.cmd = MMUEXT_SET_LDT};

	op.arg1.linear_addr = entries ? WIN_LDT : 0;
	op.arg2.nr_ents = entries;
	xen_must(xen_mmuext_op(&op, 1), NEED_LDT);
	SEG->ldt_entries = entries;
}

/* Entries that Xen must go on to have: those that are loaded now. */
static u32 entries_in_use(const struct vcpu *v)
{
	for (u32 i = SEG->ldt_entries; i; i--)
		if (is_loaded(v, i - 1, 4))
			return i;
	return 0;
}

/* false: the selector names no LDT. */
bool segment_load_ldt(struct vcpu *v, u16 selector)
{
	u32 entries = 0, keep = entries_in_use(v), total;
	struct access_fault f;
	u64 d = 0;

	if (selector & 0xFFFC) {
		if (!guest_descriptor(v, selector, &d) || (d >> 40 & 0x9F) != 0x82)
			return false;
		entries = (segment_limit(d) + 1) / 8;
		if (entries > WIN_LDT_PAGES * 512)
			entries = WIN_LDT_PAGES * 512;
	}
	v->ldtr = selector;
	total = entries > keep ? entries : keep;
	if (!total && !SEG->ldt_entries)
		return true;
	need_pages(&SEG->ldt_pages, SEG->ldt_mfn, WIN_LDT, total);
	SEG->ldt_entries = total;
	for (u32 i = 0; i < total; i++) {
		u64 entry = 0;

		if (i < entries && guest_read(v, descriptor_base(d) + i * 8, &entry, 8, &f))
			entry = 0; /* faults when it is used */
		segment_ldt_entry(v, i, entry);
	}
	give_ldt(total);
	return true;
}

/* Where the guest's own LDT stands, 0 without one. */
gva_t segment_ldt_base(struct vcpu *v)
{
	u64 d;

	return v->ldtr && guest_descriptor(v, v->ldtr, &d) ? descriptor_base(d) : 0;
}

bool segment_tss(struct vcpu *v, gva_t *base, u32 *limit)
{
	u64 d;

	if (!v->tr || !guest_descriptor(v, v->tr, &d))
		return false;
	*base = descriptor_base(d);
	*limit = segment_limit(d);
	return true;
}

/* Those behind the guest's are Xen's own, which are flat. */
u64 segment_descriptor(u16 selector)
{
	bool local = selector & 4;
	u32 index = selector >> 3, entries = local ? SEG->ldt_entries : SEG->gdt_entries;

	if (index < entries)
		return ((const volatile u64 *)(local ? WIN_LDT : WIN_GDT))[index];
	return local || index < WIN_GDT_PAGES * 512 ? 0 : FLAT_DESCRIPTOR;
}

u32 segment_base(struct vcpu *v, u16 selector)
{
	(void)v;
	return descriptor_base(segment_descriptor(selector));
}

bool segment_is_kernel_code(const struct vcpu *v, u16 selector)
{
	const volatile u64 *table = (const volatile u64 *)WIN_GDT;
	const u64 code = PRESENT | SEGMENT | CODE;
	u32 index = selector >> 3;

	return !(selector & 4) && index && index < SEG->gdt_entries &&
	       (table[index] & code) == code && (table[index] >> 45 & 3) == v->kernel_rpl;
}

void segment_start(void)
{
	give_gdt(512);
	idt_load(VCPU, 0, 0);
	VCPU->idtr.limit = 0xFFFF; /* as after a reset */
}

/* Init: privileges become those of ring 1. */
void segment_adopt(struct vcpu *v)
{
	segment_load_gdt(v, v->gdtr.limit, v->gdtr.base);
	segment_load_ldt(v, v->ldtr);
	idt_load(v, v->idtr.limit, v->idtr.base);
}
