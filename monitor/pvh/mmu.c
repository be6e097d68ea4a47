/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address spaces of the PVH binding.  The processor uses the guest's own page tables.
 *
 * Kept true: every directory that is loaded has the directory entries of the ROM's
 * window; the ROM adds nothing else.  In a domain that has a device with registers in memory
 * no entry that the kernel sets for itself leads to the PCI hole and is present
 * (space_shut()); in every domain none leads to the local APIC.  While the guest has paging
 * off, the monitor's own directory is loaded, which maps memory one to one.  ("Wide" is the
 * PAE format of tables, "narrow" the 2-level format.)
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
#define USER 4u
#define LARGE 0x80u
/* Bits by which Linux takes an entry that is not present for a mapping all the same: 8, and
 * before 2.6.25 7 (its PROT_NONE). */
#define PROTNONE 0x180u
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

bool guest_has_ram(u64 pa)
{
	const struct start_pvh *s = pvh();
	u64 frame = pa >> 12;

	return frame < s->own_first || (frame >= s->own_end && frame < s->low_end) ||
	       (frame >= FRAMES_4GB && frame < s->high_end);
}

/* Does the monitor's own directory map pa one to one? */
static bool on_own(const struct vcpu *v, u64 pa)
{
	return v->on_own && pa >> 12 < FRAMES_4GB && pa >> 22 != WINDOW_BASE >> 22;
}

/* A frame above 4 GB can be shown while PAE tables are used alone. */
void *guest_phys(struct vcpu *v, u64 pa, enum phys_use use)
{
	u32 n = (WIN_SLOTS - WINDOW_BASE) >> 12, va = WIN_SLOTS + use * PAGE_SIZE;
	volatile u32 *wide_entry = (volatile u32 *)WIN_L1_WIDE + (n + use) * 2;

	if (!guest_has_ram(pa) || (pa >> 32 && !wide()))
		return NULL;
	if (on_own(v, pa))
		return (void *)(u32)pa;
	if (pa < v->linear_limit)
		return (void *)(v->linear_base + (u32)pa);
	((volatile u32 *)WIN_L1_NARROW)[n + use] = ((u32)pa & FRAME) | PTE_FLAGS;
	wide_entry[1] = (u32)(pa >> 32);
	wide_entry[0] = ((u32)pa & FRAME) | PTE_FLAGS;
	cpu_invlpg(va);
	return (void *)(va + ((u32)pa & (PAGE_SIZE - 1)));
}

/* The physical address that an entry leads to.  The highest bits of a PAE one are no part of
 * it. */
static u64 leads_to(const u32 *e)
{
	return (wide() ? (u64)(e[1] & 0xFFFFF) << 32 : 0) | (e[0] & FRAME);
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
		pd = guest_phys(v, leads_to(top + 6), PHYS_DIRECTORY);
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
	u64 table = v->cr3 & FRAME;
	u32 *e;

	if (wide()) {
		e = guest_phys(v, (v->cr3 & ~31u) + (va >> 30) * 8, PHYS_TOP);
		if (!e || !(*e & PRESENT))
			return NULL;
		table = leads_to(e);
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
	e = guest_phys(v, leads_to(e), PHYS_TABLE);
	return e ? e + (wide() ? (va >> 12 & 511) * 2 : va >> 12 & 1023) : NULL;
}

/* The same if it is present, and else NULL; *frame becomes the address of va's page. */
static u32 *walk(struct vcpu *v, gva_t va, u64 *frame)
{
	u32 mask = wide() ? 0x1FF000u : 0x3FF000u, *e = directory_entry_of(v, va);
	bool large = e && (*e & LARGE);

	e = entry_of(v, va);
	if (!e || !(*e & PRESENT))
		return NULL;
	*frame = large ? (leads_to(e) & ~(u64)mask) | (va & mask) : leads_to(e);
	return e;
}

bool space_translate(struct vcpu *v, gva_t va, u64 *gpa)
{
	u64 frame = va & FRAME;

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

static bool in_pci_hole(u64 pa)
{
	return pa >= PCI_HOLE && pa >> 32 == 0;
}

u64 space_shut(u64 entry)
{
	if ((entry & (PRESENT | USER)) != PRESENT || !in_pci_hole(entry & 0xFFFFFFFFFF000))
		return entry;
	return (entry & ~(u64)PRESENT) | PROTNONE;
}

bool space_is_device(struct vcpu *v, gva_t va, u64 *gpa)
{
	const u32 *e = va < v->linear_base ? NULL : entry_of(v, va);

	if (!e || (*e & PRESENT) || !in_pci_hole(leads_to(e)))
		return false;
	*gpa = leads_to(e) | (va & (PAGE_SIZE - 1));
	return true;
}

enum space_result space_look(struct vcpu *v, gva_t va, u32 error, bool kernel, u32 *guest_error,
			     u64 *gpa)
{
	bool write = error & PF_W;
	u32 *e = NULL, bits = PRESENT | 2 | 4;
	u64 frame = va & FRAME;

	*guest_error = (error & PF_W) | (kernel ? 0 : PF_U) | (has_nx(v) ? error & PF_I : 0);
	if (va >= WINDOW_BASE)
		return SPACE_FAULT;
	if (v->cr0 & CR0_PG) {
		if (kernel && space_is_device(v, va, gpa))
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
	return guest_has_ram(frame) ? SPACE_FILLED : SPACE_MMIO;
}

/* A kernel's devices are above its linear mapping, wherever that begins. */
static void set_devices_from(struct vcpu *v)
{
	v->devices_from = v->has_mmio ? v->linear_base : FIXMAP_FROM;
}

/* The guest's kernel asks get_reloc once, after Init, which calls are to be the ROM's; then it
 * is too late. */
bool space_show_mmio(struct vcpu *v)
{
	v->has_mmio |= !v->paravirtual;
	set_devices_from(v);
	return v->has_mmio;
}

/* The local APIC is mapped in domains without a device, too, whose SetPxE is the kernel's own.
 * Xen's own APIC would answer there. */
void space_invlpg(struct vcpu *v, gva_t va)
{
	u64 frame;
	u32 *e = walk(v, va, &frame);

	if (e && frame == (LAPIC_BASE & FRAME))
		*e = (u32)space_shut(*e);
	cpu_invlpg(va);
}

/* A kernel's linear mapping goes from physical address 0 on without a gap, and has the GDT in
 * it.  Where it ends now it may go on later, while the kernel is setting it up. */
void space_find_linear(struct vcpu *v)
{
	u32 pages = v->linear_limit >> 12;
	u64 frame;

	if (!pages) {
		if (!walk(v, v->gdtr.base, &frame) || frame >> 12 >= pvh()->own_first)
			return;
		v->linear_base = (v->gdtr.base & FRAME) - (u32)frame;
	}
	while (pages < pvh()->own_first && v->linear_base + (pages << 12) < WINDOW_BASE &&
	       walk(v, v->linear_base + (pages << 12), &frame) && frame == pages << 12)
		pages++;
	v->linear_limit = pages << 12;
	limit_short_cut(v);
	set_devices_from(v);
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
	set_devices_from(v);
}

/* There is no pool. */
void pool_count(struct pool_use *use)
{
	memset(use, 0, sizeof(*use));
}
