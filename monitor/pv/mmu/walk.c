/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's own page tables, read as a processor reads them (Intel SDM vol. 3A, 4.3 and
 * 4.4).
 *
 * Only memory of the guest's is touched: a table without memory reads as not present.
 * PDPTEs count as they were at the load of CR3 (root.table), as in a processor.
 */
#include "paging.h"

static struct shadow *const s = &PV->shadow;

u8 *walk_directory(const struct vcpu *v, gva_t va)
{
	u32 table;

	if (v->directory[va >> 30])
		return (u8 *)(uintptr_t)v->directory[va >> 30];
	table = root_current()->table[va >> 30];
	return table == GPFN_NONE ? NULL : guest_page(table, PAGE_DIRECTORY);
}

/* Completes a walk that ends in a large page, of 2 MB or 4 MB. */
static void walk_large(struct walk *w, gva_t va, bool wide)
{
	u32 mask = wide ? 511 : 1023;

	w->pte = w->pde;
	w->pte_at = w->pde_at;
	w->table = GPFN_NONE;
	w->frame = (entry_frame(w->pde) & ~mask) + (va >> PAGE_SHIFT & mask);
}

void walk_guest(struct vcpu *v, gva_t va, struct walk *w)
{
	bool wide = guest_is_wide(v);
	u8 *at = walk_directory(v, va);
	u32 both;

	w->present = w->reserved = false;
	if (!at)
		return;
	at = directory_entry(at, va, wide);
	w->pde_at = (u32 *)at;
	w->pde = entry_read(at, wide);
	if (!(w->pde.low & PTE_P))
		return;
	w->reserved = entry_nx(w->pde) && !guest_has_nx(v);
	if (w->reserved)
		return;
	if ((w->pde.low & PTE_PSE) && (wide || (v->cr4 & CR4_PSE))) {
		walk_large(w, va, wide);
	} else {
		w->table = entry_frame(w->pde);
		at = guest_page(w->table, PAGE_TABLE);
		if (!at)
			return;
		at += wide ? (va >> 12 & 511) * 8 : (va >> 12 & 1023) * 4;
		w->pte_at = (u32 *)at;
		w->pte = entry_read(at, wide);
		w->frame = entry_frame(w->pte);
	}
	both = w->pde.low & w->pte.low;
	w->nx = entry_nx(w->pde) || entry_nx(w->pte);
	w->reserved = (both & PTE_P) && w->nx && !guest_has_nx(v);
	w->present = (both & PTE_P) && !w->reserved;
	w->rw = both & PTE_RW;
	w->us = both & PTE_US;
}

void walk_mark(struct walk *w, bool write)
{
	u32 bits = (u32)(PTE_A | (write ? PTE_D : 0));

	if (w->table != GPFN_NONE && !(w->pde.low & PTE_A))
		*w->pde_at = w->pde.low |= (u32)PTE_A;
	if ((w->pte.low & bits) != bits) {
		*w->pte_at = w->pte.low |= bits;
	}
}

bool walk_is_one_to_one(struct vcpu *v, const struct walk *w, u32 l2i, u32 *chunk)
{
	bool wide = guest_is_wide(v);
	u32 first, size = wide ? 8 : 4;

	if (!w->present || !w->rw || w->nx)
		return false;
	if (w->table == GPFN_NONE) {
		first = w->frame & ~511u;
	} else {
		const u8 *at = (const u8 *)guest_page(w->table, PAGE_TABLE) +
			       (wide ? 0 : (l2i & 1) * 2048);

		first = entry_frame(entry_read(at, wide));
		if (first & 511)
			return false;
		for (u32 i = 0; i < 512; i++, at += size) {
			struct entry e = entry_read(at, wide);

			if ((e.low & (PTE_P | PTE_RW)) != (PTE_P | PTE_RW) || entry_nx(e) ||
			    entry_frame(e) != first + i)
				return false;
		}
	}
	*chunk = first >> 9;
	return *chunk < s->one_to_one_count;
}

bool space_translate(struct vcpu *v, gva_t va, u64 *gpa)
{
	struct walk w;

	if (!s->paging_on) {
		*gpa = va;
		return true;
	}
	walk_guest(v, va, &w);
	if (w.present)
		*gpa = ((u64)w.frame << PAGE_SHIFT) + (va & (PAGE_SIZE - 1));
	return w.present;
}

enum space_result space_look(struct vcpu *v, gva_t va, u32 error, bool kernel, u32 *guest_error,
			     u64 *gpa)
{
	struct walk w;
	u32 chunk;

	*gpa = va;
	*guest_error = fault_code(v, error, kernel);
	if (va >= WINDOW_BASE)
		return SPACE_FAULT;
	if (!s->paging_on)
		return has_memory(va >> PAGE_SHIFT) ? SPACE_FILLED : SPACE_MMIO;
	walk_guest(v, va, &w);
	if (!permitted(v, &w, error, kernel, guest_error))
		return SPACE_FAULT;
	if (!kernel && v->paravirtual && linear_covers(L2I(va), &chunk) && linear_is_hooked(chunk))
		return SPACE_FAULT; /* as in shadow_fault() */
	*gpa = ((u64)w.frame << PAGE_SHIFT) + (va & (PAGE_SIZE - 1));
	if (has_memory(w.frame))
		return SPACE_FILLED;
	walk_mark(&w, error & PF_W);
	return SPACE_MMIO;
}
