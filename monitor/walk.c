/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's own page tables, read as hardware would (Intel SDM vol. 3A,
 * 4.3 and 4.4).  Only guest RAM is ever touched; a table outside of it reads
 * as not present.  PDPTEs are taken at the CR3 load (root.table), as by a CPU.
 */
#include "monitor.h"
#include "mmu.h"

static struct shadow *const s = &MON->shadow;

static bool wide(const struct vcpu *v)
{
	return v->cr4 & CR4_PAE;
}

static u64 read_entry(const void *at, bool is_wide)
{
	return is_wide ? *(const u64 *)at : *(const u32 *)at;
}

static u32 frame_of(u64 entry)
{
	return (u32)((entry & PTE_FRAME) >> PAGE_SHIFT);
}

u64 guest_entry(u64 gpa, bool is_wide)
{
	const u8 *page = gpa >> 32 ? NULL : shadow_page(s, (u32)gpa >> PAGE_SHIFT);

	return page ? read_entry(page + ((u32)gpa & (PAGE_SIZE - 1)), is_wide) : 0;
}

/* The guest's directory for va, NULL if it has none. */
static u8 *directory(const struct vcpu *v, gva_t va)
{
	u32 table;

	if (v->directory[va >> 30])
		return (u8 *)v->directory[va >> 30];
	table = root_current()->table[va >> 30];
	return table == GPFN_NONE ? NULL : shadow_map(table);
}

static void walk_large(struct walk *w, gva_t va, bool is_wide)
{
	u32 mask = is_wide ? 511 : 1023;

	w->pte = w->pde;
	w->pte_at = w->pde_at;
	w->table = GPFN_NONE;
	w->frame = (frame_of(w->pde) & ~mask) + (va >> PAGE_SHIFT & mask);
}

void walk_guest(struct vcpu *v, gva_t va, struct walk *w)
{
	bool is_wide = wide(v);
	u8 *at = directory(v, va);
	u64 both;

	w->present = false;
	if (!at)
		return;
	at += is_wide ? (va >> 21 & 511) * 8 : (va >> 22) * 4;
	w->pde_at = (u32 *)at;
	w->pde = read_entry(at, is_wide);
	if (!(w->pde & PTE_P))
		return;
	if ((w->pde & PTE_PSE) && (is_wide || (v->cr4 & CR4_PSE))) {
		walk_large(w, va, is_wide);
	} else {
		w->table = frame_of(w->pde);
		at = shadow_page(s, w->table);
		if (!at)
			return;
		at += is_wide ? (va >> 12 & 511) * 8 : (va >> 12 & 1023) * 4;
		w->pte_at = (u32 *)at;
		w->pte = read_entry(at, is_wide);
		w->frame = frame_of(w->pte);
	}
	both = w->pde & w->pte;
	w->present = both & PTE_P;
	w->rw = both & PTE_RW;
	w->us = both & PTE_US;
	w->nx = is_wide && ((w->pde | w->pte) & PTE_NX) && (v->efer & EFER_NXE);
}

/* Sets accessed and dirty in the guest's tables, as the walk of a CPU does. */
void walk_mark(struct walk *w, bool write)
{
	u32 bits = (u32)(PTE_A | (write ? PTE_D : 0));

	if (w->table != GPFN_NONE && !(w->pde & PTE_A))
		*w->pde_at |= (u32)PTE_A;
	if ((w->pte & bits) != bits) {
		*w->pte_at |= bits;
		w->pte |= bits;
	}
}

/* Does the guest map the 2 MB at l2i, with all rights, to 2 MB of RAM one to one?
 * Then *phys is the index of the one-to-one L1. */
bool walk_is_linear(struct vcpu *v, const struct walk *w, u32 l2i, u32 *phys)
{
	u32 half = wide(v) ? 0 : (l2i & 1) * 512, size = wide(v) ? 8 : 4;
	u64 first;

	if (!w->present || !w->rw || w->nx)
		return false;
	if (w->table == GPFN_NONE) {
		first = w->frame & ~511ull;
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
	return *phys < s->phys_count;
}

bool shadow_translate(struct vcpu *v, gva_t va, u64 *gpa)
{
	struct walk w;

	if (!s->on) {
		*gpa = va;
		return true;
	}
	walk_guest(v, va, &w);
	*gpa = walk_gpa(&w, va);
	return w.present;
}
