/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's own page tables, read as hardware would (Intel SDM vol. 3A,
 * 4.3 and 4.4).  Only guest RAM is ever touched; a table outside of it reads
 * as not present.  PDPTEs are taken at the CR3 load (root.table), as by a CPU.
 */
#include "monitor.h"
#include "mmu.h"

static bool wide(const struct vcpu *v)
{
	return v->cr4 & CR4_PAE;
}

u64 guest_entry(u64 gpa, bool is_wide)
{
	const u8 *page = gpa >> 32 ? NULL : shadow_map((u32)gpa >> PAGE_SHIFT);
	u32 offset = (u32)gpa & (PAGE_SIZE - 1);

	if (!page)
		return 0;
	return is_wide ? *(const u64 *)(page + offset) : *(const u32 *)(page + offset);
}

static void read_directory(struct vcpu *v, gva_t va, struct walk *w)
{
	struct root *r = root_current();

	if (wide(v)) {
		u32 table = r->table[va >> 30];

		w->pde_gpa = ((u64)table << 12) + (va >> 21 & 511) * 8;
		w->pde = table == GPFN_NONE ? 0 : guest_entry(w->pde_gpa, true);
	} else {
		w->pde_gpa = (v->cr3 & ~(PAGE_SIZE - 1)) + (va >> 22) * 4;
		w->pde = guest_entry(w->pde_gpa, false);
	}
}

static void walk_large(struct vcpu *v, gva_t va, struct walk *w)
{
	u32 mask = wide(v) ? 0x1FFFFF : 0x3FFFFF;

	w->large = true;
	w->pte = w->pde;
	w->pte_gpa = w->pde_gpa;
	w->table = GPFN_NONE;
	w->gpa = (w->pde & PTE_FRAME & ~(u64)mask) + (va & mask);
}

void walk_guest(struct vcpu *v, gva_t va, struct walk *w)
{
	*w = (struct walk){.table = GPFN_NONE};
	read_directory(v, va, w);
	if (!(w->pde & PTE_P))
		return;
	if ((w->pde & PTE_PSE) && (wide(v) || (v->cr4 & CR4_PSE))) {
		walk_large(v, va, w);
	} else {
		u64 base = w->pde & PTE_FRAME;

		w->table = (u32)(base >> 12);
		w->pte_gpa = base + (wide(v) ? (va >> 12 & 511) * 8 : (va >> 12 & 1023) * 4);
		w->pte = guest_entry(w->pte_gpa, wide(v));
		w->gpa = (w->pte & PTE_FRAME) + (va & (PAGE_SIZE - 1));
	}
	w->present = w->pte & PTE_P;
	w->rw = w->pde & w->pte & PTE_RW;
	w->us = w->pde & w->pte & PTE_US;
	w->nx = wide(v) && (v->efer & EFER_NXE) && ((w->pde | w->pte) & PTE_NX);
}

static void or_entry(u64 gpa, u32 bits)
{
	u8 *page = shadow_map((u32)gpa >> PAGE_SHIFT);

	*(u32 *)(page + ((u32)gpa & (PAGE_SIZE - 1))) |= bits;
}

/* Sets accessed and dirty in the guest's tables, as the walk of a CPU does. */
void walk_mark(struct walk *w, bool write)
{
	u32 bits = (u32)(PTE_A | (write ? PTE_D : 0));

	if (!w->large && !(w->pde & PTE_A))
		or_entry(w->pde_gpa, (u32)PTE_A);
	if ((w->pte & bits) != bits) {
		or_entry(w->pte_gpa, bits);
		w->pte |= bits;
	}
}

/* Does the guest map the 2 MB at l2i, writable, to 2 MB of RAM one to one?
 * Then *phys is the index of the one-to-one L1. */
bool walk_is_linear(struct vcpu *v, const struct walk *w, u32 l2i, u32 *phys)
{
	u32 half = wide(v) ? 0 : (l2i & 1) * 512, size = wide(v) ? 8 : 4;
	u64 first;

	if (!w->present || !w->rw)
		return false;
	if (w->large) {
		first = w->gpa >> 12 & ~511ull;
	} else {
		u64 table = (u64)w->table << 12;

		first = guest_entry(table + half * size, wide(v)) >> 12 & 0xFFFFFF;
		if (first & 511)
			return false;
		for (u32 i = 0; i < 512; i++) {
			u64 e = guest_entry(table + (half + i) * size, wide(v));

			if ((e & (PTE_P | PTE_RW)) != (PTE_P | PTE_RW) || (e & PTE_NX) ||
			    (e & PTE_FRAME) >> 12 != first + i)
				return false;
		}
	}
	*phys = (u32)(first >> 9);
	return *phys < MON->shadow.phys_count;
}

bool shadow_translate(struct vcpu *v, gva_t va, u64 *gpa)
{
	struct walk w;

	if (!MON->shadow.on) {
		*gpa = va;
		return true;
	}
	walk_guest(v, va, &w);
	*gpa = w.gpa;
	return w.present;
}
