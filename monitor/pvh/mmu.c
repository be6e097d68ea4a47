/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address spaces of the PVH binding.  The processor uses the guest's own page tables.
 *
 * Kept true: every directory that is loaded has the directory entries of the ROM's
 * window; the ROM adds nothing else.  While the guest has paging off, the monitor's own
 * directory is loaded, which maps memory one to one.  ("Wide" is the PAE format of tables,
 * "narrow" the 2-level format.)
 */
#include "cpu_pvh.h"
#include "pvh.h"
#include "monitor/binding.h"
#include "monitor/cpu/access.h"
#include "monitor/life.h"
#include "counters.h"
#include "lib/mem.h"
#include "pc/lapic.h"

#define PDE_FLAGS 0x63u
#define PTE_FLAGS 0x63u
#define PRESENT 1u
#define LARGE 0x80u
#define FRAME 0xFFFFF000u

static struct start_pvh *pvh(void)
{
	return &PVH->start;
}

void regparm3 paging_switch(u32 from, u32 to, u32 cr4);

/* Is the processor in the PAE format of tables? */
static bool wide(void)
{
	return VCPU->window_pde == (pvh()->l1_wide[0] | PDE_FLAGS);
}

void *guest_phys(struct vcpu *v, u32 pa, enum phys_use use)
{
	u32 n = (WIN_SLOTS - WINDOW_BASE) >> 12, va = WIN_SLOTS + use * PAGE_SIZE;

	if (pa >> 12 >= pvh()->ram_pages)
		return NULL;
	if (v->on_own)
		return (void *)pa;
	if (pa < v->linear_limit)
		return (void *)(v->linear_base + pa);
	((volatile u32 *)WIN_L1_NARROW)[n + use] = (pa & FRAME) | PTE_FLAGS;
	((volatile u32 *)WIN_L1_WIDE)[(n + use) * 2] = (pa & FRAME) | PTE_FLAGS;
	cpu_invlpg(va);
	return (void *)(va + (pa & (PAGE_SIZE - 1)));
}

/* The value of vcpu.top_at: where the PDPT that is loaded can be written. */
static u32 show_top(struct vcpu *v)
{
	return wide() ? (u32)guest_phys(v, v->cr3 & ~31u, PHYS_TOP) : 0;
}

/* Puts the window into the directory that cr3 leads to; false if there is none. */
static bool add_window(struct vcpu *v, u32 cr3)
{
	if (wide()) {
		const u32 *top = guest_phys(v, cr3 & ~31u, PHYS_TOP);
		u32 *pd;

		if (!top || !(top[6] & PRESENT))
			return false;
		pd = guest_phys(v, top[6] & FRAME, PHYS_DIRECTORY);
		if (!pd)
			return false;
		for (u32 i = 0; i < PVH_PDES_WIDE; i++) {
			pd[((WINDOW_BASE >> 21 & 511) + i) * 2] = pvh()->l1_wide[i] | PDE_FLAGS;
			pd[((WINDOW_BASE >> 21 & 511) + i) * 2 + 1] = 0;
		}
	} else {
		u32 *pd = guest_phys(v, cr3 & FRAME, PHYS_DIRECTORY);

		if (!pd)
			return false;
		pd[WINDOW_BASE >> 22] = pvh()->l1_narrow | PDE_FLAGS;
	}
	return true;
}

/* The bits of the guest's CR4 that the processor gets, beside those of the format. */
#define CR4_GUEST 0x60Cu /* TSD, DE, OSFXSR, OSXMMEXCPT */

static u32 real_cr4(const struct vcpu *v, bool pae)
{
	return (v->cr4 & CR4_GUEST) | CR4_PSE | (pae ? CR4_PAE : 0);
}

/* Has the processor set an accessed bit in the monitor's own PDPT? */
static bool pdptes_have_flaw(void)
{
	const volatile u32 *top = (const volatile u32 *)(WIN_OWN_WIDE + 4 * PAGE_SIZE);

	return (top[0] | top[2] | top[4] | top[6]) & 0x20;
}

/* The short cut of SetCR3 for 2-level directories is for those below narrow_limit. */
static void limit_short_cut(struct vcpu *v)
{
	v->narrow_limit = wide() ? 0 : v->linear_limit;
}

/* Changes the processor to the PAE format or to the 2-level one, on the monitor's own
 * directory of it. */
static void set_format(struct vcpu *v, bool pae)
{
	u32 own[2] = {pvh()->narrow, pvh()->wide};

	if (pae == wide())
		return;
	v->window_pde = (pae ? pvh()->l1_wide[0] : pvh()->l1_narrow) | PDE_FLAGS;
	v->on_own = true;
	v->top_at = WIN_OWN_WIDE + 4 * PAGE_SIZE;
	limit_short_cut(v);
	paging_switch(own[!pae], own[pae], real_cr4(v, pae));
	v->pdpte_flaw = pae && pdptes_have_flaw();
}

bool space_load(struct vcpu *v)
{
	if (!(v->cr0 & CR0_PG)) {
		v->on_own = true;
		v->top_at = WIN_OWN_WIDE + 4 * PAGE_SIZE;
		cpu_set_cr3(wide() ? pvh()->wide : pvh()->narrow);
		return true;
	}
	set_format(v, v->cr4 & CR4_PAE);
	if (!add_window(v, v->cr3))
		return false;
	cpu_set_cr3(v->cr3);
	v->on_own = false;
	v->top_at = show_top(v);
	return true;
}

void space_mode_changed(struct vcpu *v)
{
	COUNT(exit_cr4);
	cpu_set_cr4(real_cr4(v, wide()));
	if (!space_load(v))
		guest_die("no page directory at %08x", v->cr3);
}

/* The page-directory entry for va; NULL if there is no directory for it. */
static u32 *directory_entry_of(struct vcpu *v, gva_t va)
{
	u32 table = v->cr3 & FRAME, *e;

	if (wide()) {
		e = guest_phys(v, (v->cr3 & ~31u) + (va >> 30) * 8, PHYS_TOP);
		if (!e || !(*e & PRESENT))
			return NULL;
		table = *e & FRAME;
	}
	e = guest_phys(v, table, PHYS_DIRECTORY);
	return e ? e + (wide() ? (va >> 21 & 511) * 2 : va >> 22) : NULL;
}

/* The last entry of the walk for va: of its table, or of the directory if that has no table
 * there.  It need not be present.  NULL if it lies in no RAM. */
static u32 *entry_of(struct vcpu *v, gva_t va)
{
	u32 *e = directory_entry_of(v, va);

	if (!e || !(*e & PRESENT) || (*e & LARGE))
		return e;
	e = guest_phys(v, *e & FRAME, PHYS_TABLE);
	return e ? e + (wide() ? (va >> 12 & 511) * 2 : va >> 12 & 1023) : NULL;
}

/* The same if it is present, and else NULL; *frame becomes the address of va's page. */
static u32 *walk(struct vcpu *v, gva_t va, u32 *frame)
{
	u32 mask = wide() ? 0x1FF000u : 0x3FF000u, *e = directory_entry_of(v, va);
	bool large = e && (*e & LARGE);

	e = entry_of(v, va);
	if (!e || !(*e & PRESENT))
		return NULL;
	*frame = large ? (*e & FRAME & ~mask) | (va & mask) : *e & FRAME;
	return e;
}

bool space_translate(struct vcpu *v, gva_t va, u64 *gpa)
{
	u32 frame = va & FRAME;

	if ((v->cr0 & CR0_PG) && !walk(v, va, &frame))
		return false;
	*gpa = frame | (va & (PAGE_SIZE - 1));
	return true;
}

static bool has_nx(const struct vcpu *v)
{
	return wide() && (v->efer & EFER_NXE);
}

/* The rights of a walk: the bits that are set in the entries of all levels.  entry is the
 * last one. */
static u32 rights(struct vcpu *v, gva_t va, const u32 *entry)
{
	u32 last = *entry; /* guest_phys may put another page in its place */
	const u32 *e = directory_entry_of(v, va);

	return e ? *e & last : last;
}

bool space_is_device(struct vcpu *v, gva_t va)
{
	const u32 *e = entry_of(v, va);

	return e && !(*e & PRESENT) && (*e & FRAME) == (LAPIC_BASE & FRAME);
}

enum space_result space_look(struct vcpu *v, gva_t va, u32 error, bool kernel, u32 *guest_error,
			     u64 *gpa)
{
	bool write = error & PF_W;
	u32 frame = va & FRAME, *e = NULL, bits = PRESENT | 2 | 4;

	*guest_error = (error & PF_W) | (kernel ? 0 : PF_U) | (has_nx(v) ? error & PF_I : 0);
	if (va >= WINDOW_BASE)
		return SPACE_FAULT;
	if (v->cr0 & CR0_PG) {
		*gpa = LAPIC_BASE | (va & (PAGE_SIZE - 1));
		if (kernel && space_is_device(v, va))
			return SPACE_MMIO;
		e = walk(v, va, &frame);
		if (!e)
			return SPACE_FAULT;
		bits = rights(v, va, e);
	}
	*guest_error |= PF_P;
	if ((!kernel && !(bits & 4)) || (write && !(bits & 2) && (!kernel || (v->cr0 & CR0_WP))))
		return SPACE_FAULT;
	*gpa = frame | (va & (PAGE_SIZE - 1));
	return frame >> 12 < pvh()->ram_pages ? SPACE_FILLED : SPACE_MMIO;
}

/* If the kernel has mapped the local APIC at va, takes the entry's present bit, so that its
 * accesses fault and are emulated.  Xen's own APIC would answer them otherwise. */
void space_invlpg(struct vcpu *v, gva_t va)
{
	u32 frame, *e = walk(v, va, &frame);

	if (e && frame == (LAPIC_BASE & FRAME)) {
		*e &= ~PRESENT;
	}
	cpu_invlpg(va);
}

/* A kernel's linear mapping goes from physical address 0 on without a gap, and has the GDT in
 * it.  Where it ends now it may go on later, while the kernel is setting it up. */
void space_find_linear(struct vcpu *v)
{
	u32 pages = v->linear_limit >> 12, frame;

	if (!pages) {
		if (!walk(v, v->gdtr.base, &frame))
			return;
		v->linear_base = (v->gdtr.base & FRAME) - frame;
	}
	while (pages < pvh()->ram_pages && v->linear_base + (pages << 12) < WINDOW_BASE &&
	       walk(v, v->linear_base + (pages << 12), &frame) && frame == pages << 12)
		pages++;
	v->linear_limit = pages << 12;
	limit_short_cut(v);
}

void space_flush_tlb(struct vcpu *v)
{
	cpu_set_cr3(v->cr3);
}

static bool in_guest(gva_t va, u32 bytes, struct access_fault *f)
{
	*f = (struct access_fault){.vector = EXC_PF, .va = va};
	return va < WINDOW_BASE && bytes <= WINDOW_BASE - va;
}

/* The result of an access that has stopped with left bytes to go, and *f.  CR2 is the guest's
 * again, as it was before the access. */
static int stopped(struct vcpu *v, gva_t va, u32 bytes, u32 left, u32 cr2, struct access_fault *f)
{
	if (!left)
		return 0;
	f->va = va + (bytes - left);
	f->error = v->nested_error;
	cpu_set_cr2(cr2);
	return -1;
}

int guest_read(struct vcpu *v, gva_t va, void *to, u32 bytes, struct access_fault *f)
{
	u32 cr2 = cpu_cr2();

	return in_guest(va, bytes, f)
		       ? stopped(v, va, bytes, copy_from_linear(to, va, bytes), cr2, f)
		       : -1;
}

int guest_write(struct vcpu *v, gva_t va, const void *from, u32 bytes, struct access_fault *f)
{
	u32 cr2 = cpu_cr2();

	return in_guest(va, bytes, f)
		       ? stopped(v, va, bytes, copy_to_linear(va, from, bytes), cr2, f)
		       : -1;
}

void space_start(struct vcpu *v)
{
	v->window_pde = pvh()->l1_narrow | PDE_FLAGS;
	v->on_own = true;
	v->text = pvh()->text;
}

/* There is no pool. */
void pool_count(struct pool_use *use)
{
	memset(use, 0, sizeof(*use));
}
