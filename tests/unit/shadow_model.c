/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See shadow_model.h.
 *
 * What a guest may expect is the contract of VMI, not more:
 *
 *  - An access that its tables permit is permitted.
 *  - One that they refuse faults with the error code of a processor; but what
 *    an entry said before may go on to be permitted until the change has been
 *    announced and then flushed.  Such former values are kept for each entry
 *    (struct former).  Before Init every flush forgets them, announced or not.
 *  - The frame is the one that the tables name, now or by a former value.
 *  - Accessed and dirty are set as by a processor, and no other bit of the
 *    tables changes.
 *
 * The guest's linear mapping is exempt from the last rule, as the head of
 * monitor/pv/mmu/shadow.c says, and is never changed here.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "xen.h"
#include "monitor/pv/mmu/paging.h"
#include "shadow_model.h"
#include "monitor/binding.h"
#include "monitor/pv/mmu/shadow.h"
#include "monitor/vcpu.h"

#define FORMER 3u

/* What an entry said before. */
struct former {
	u8 count;
	bool any;     /* too many to keep */
	u8 announced; /* bit for each of value[], and FORMER for any */
	bool listed;
	u64 value[FORMER];
};

struct shadow_model_count shadow_model_count;

struct model model;

static struct former former[TABLE_COUNT][1024];
static struct former *listed[TABLE_COUNT * 1024];
static u32 listed_count;

/* --- what is said --------------------------------------------------------------- */

void model_trace(const char *fmt, ...)
{
	va_list ap;

	if (!model.trace)
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

noreturn void model_failed(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(model.failure, sizeof(model.failure), fmt, ap);
	va_end(ap);
	longjmp(model.out, 1);
}

/* --- the guest's tables ------------------------------------------------------------ */

u64 model_read(struct place p)
{
	const u8 *page = guest_frame(p.gpfn);
	u64 value = 0;

	if (page)
		memcpy(&value, page + p.index * entry_bytes(), entry_bytes());
	return value;
}

static struct former *former_of(struct place p)
{
	return p.gpfn >= TABLES && p.gpfn < TABLES_END ? &former[p.gpfn - TABLES][p.index] : NULL;
}

/* Entries of the linear mapping. */
bool model_is_fixed(struct place p)
{
	u32 first = model.pae ? 0 : 768, count = model.pae ? 2 : 1;

	return p.gpfn < KERNEL_PD || (p.gpfn < KERNEL_PD + KERNEL_PDS && p.index - first < count) ||
	       p.gpfn >= TABLES_END;
}

void model_remember(struct place p, u64 old)
{
	struct former *f = former_of(p);

	if (!(old & PTE_P))
		return;
	if (!f->listed) {
		f->listed = true;
		listed[listed_count++] = f;
	}
	if (f->count == FORMER) {
		f->any = true;
		f->announced &= (u8) ~(1u << FORMER);
		return;
	}
	f->value[f->count] = old;
	f->announced &= (u8) ~(1u << f->count);
	f->count++;
}

/* The guest's own store; what has been there may live on in caches. */
void model_store(struct place p, u64 value)
{
	u64 old = model_read(p);

	if (old != value)
		model_remember(p, old);
	memcpy((u8 *)guest_frame(p.gpfn) + p.index * entry_bytes(), &value, entry_bytes());
	memcpy(model.tables[p.gpfn - TABLES] + p.index * entry_bytes(), &value, entry_bytes());
}

void model_announced(struct place p)
{
	struct former *f = former_of(p);

	if (f)
		f->announced = 0xFF;
}

void model_announced_table(u32 gpfn)
{
	for (u32 i = 0; gpfn >= TABLES && gpfn < TABLES_END && i < entries(); i++)
		model_announced((struct place){gpfn, i});
}

/* A flush of everything; all: of what was not announced, too. */
void model_flushed(bool all)
{
	u32 kept = 0;

	for (u32 i = 0; i < listed_count; i++) {
		struct former *f = listed[i];
		u32 n = 0;

		for (u32 k = 0; k < f->count; k++)
			if (!all && !(f->announced >> k & 1))
				f->value[n++] = f->value[k];
		f->count = (u8)n;
		f->any = f->any && !all && !(f->announced >> FORMER & 1);
		f->announced = 0;
		f->listed = f->count || f->any;
		if (f->listed)
			listed[kept++] = f;
	}
	listed_count = kept;
}

/* --- the model of a processor ------------------------------------------------------- */

struct place model_pde(gva_t va)
{
	struct place p = {VCPU->cr3 >> 12, va >> 22};

	if (model.pae)
		p = (struct place){model.pdpt[va >> 30], va >> 21 & 511};
	return p;
}

static bool is_large(u64 pde)
{
	return (pde & PTE_PSE) && (model.pae || (VCPU->cr4 & CR4_PSE));
}

struct place model_pte(gva_t va, u64 pde)
{
	if (!(pde & PTE_P) || is_large(pde) || (pde & PTE_FRAME) >> 12 >= GUEST_PAGES)
		return nowhere;
	return (struct place){(u32)((pde & PTE_FRAME) >> 12),
			      model.pae ? va >> 12 & 511 : va >> 12 & 1023};
}

static struct translation translate(gva_t va, u64 pde, u64 pte)
{
	u64 mask = model.pae ? 0x1FFFFF : 0x3FFFFF, leaf = is_large(pde) ? pde : pte;
	struct translation t = {.large = is_large(pde)};

	t.present = (pde & PTE_P) && (leaf & PTE_P);
	t.rw = pde & leaf & PTE_RW;
	t.us = pde & leaf & PTE_US;
	t.nx = model.pae && ((pde | leaf) & PTE_NX);
	t.reserved = model.pae && !model.nx && (pde & PTE_P) &&
		     ((pde & PTE_NX) || ((leaf & PTE_P) && (leaf & PTE_NX)));
	t.gpa = t.large ? (leaf & PTE_FRAME & ~mask) | (va & mask)
			: (leaf & PTE_FRAME) | (va & (PAGE_SIZE - 1));
	return t;
}

struct translation model_walk(gva_t va)
{
	struct translation t;
	struct place pde = model_pde(va), pte;
	u64 d = model_read(pde);

	if (!(VCPU->cr0 & CR0_PG))
		return (struct translation){.present = true,
					    .large = true,
					    .rw = true,
					    .us = true,
					    .gpa = va,
					    .pde = nowhere,
					    .pte = nowhere};
	pte = model_pte(va, d);
	t = translate(va, d, model_read(pte));
	t.pde = pde;
	t.pte = pte;
	return t;
}

static bool permits(const struct translation *t, u32 bits)
{
	if (!t->present || t->reserved || ((bits & PF_U) && !t->us))
		return false;
	if ((bits & PF_W) && !t->rw && ((bits & PF_U) || (VCPU->cr0 & CR0_WP)))
		return false;
	return !((bits & PF_I) && t->nx);
}

static u32 error_code(const struct translation *t, u32 bits)
{
	return (bits & (PF_W | PF_U | (model.nx && model.pae ? PF_I : 0))) |
	       (t->reserved ? PF_P | PF_RSVD : 0) | (t->present ? PF_P : 0);
}

bool model_has_memory(u64 gpa)
{
	return gpa >> 12 < GUEST_PAGES && GMFN[gpa >> 12] != GMFN_NONE;
}

/* Above 4 GB there is nothing, and the ROM tells no frame there from another. */
static u64 told(u64 gpa)
{
	return gpa >> 32 ? (u64)GPFN_NONE << PAGE_SHIFT | (gpa & (PAGE_SIZE - 1)) : gpa;
}

static bool names(const struct translation *t, u32 bits, u32 mfn)
{
	return permits(t, bits) && model_has_memory(t->gpa) && GMFN[t->gpa >> 12] == mfn;
}

/* The values that may still be used of an entry; false: any. */
static bool values_of(struct place p, u64 *values, u32 *count)
{
	const struct former *f = former_of(p);

	*count = 0;
	values[(*count)++] = model_read(p);
	if (!f)
		return true;
	for (u32 i = 0; i < f->count; i++)
		values[(*count)++] = f->value[i];
	return !f->any;
}

/* Is there a former translation by which this is right? */
static bool was_permitted(gva_t va, u32 bits, u32 mfn, bool leaf_now)
{
	u64 pdes[FORMER + 1], ptes[FORMER + 1];
	struct place pde = model_pde(va);
	u32 pde_count, pte_count;

	if (!values_of(pde, pdes, &pde_count))
		return true;
	for (u32 i = 0; i < pde_count; i++) {
		struct place pte = model_pte(va, pdes[i]);

		if (!values_of(pte, ptes, &pte_count) && !leaf_now)
			return true;
		for (u32 k = 0; k < (leaf_now ? 1 : pte_count); k++) {
			struct translation t = translate(va, pdes[i], ptes[k]);

			if (names(&t, bits, mfn))
				return true;
		}
	}
	return false;
}

static bool settled(struct place p)
{
	const struct former *f = former_of(p);

	return !f || (!f->count && !f->any);
}

/* --- an access ------------------------------------------------------------------------ */

static bool in_linear(gva_t va)
{
	return va >= LINEAR && va < LINEAR + GUEST_PAGES * PAGE_SIZE;
}

/* The entry as it is against the one that the model has. */
static void check_marks(gva_t va, struct place p, u64 must, u64 may)
{
	u64 now, had = 0;
	u8 *copy;

	if (p.gpfn < TABLES || p.gpfn >= TABLES_END)
		return;
	copy = model.tables[p.gpfn - TABLES] + p.index * entry_bytes();
	memcpy(&had, copy, entry_bytes());
	now = model_read(p);
	if ((now & ~may) != (had & ~may) || (had & ~now))
		model_failed("at %08x: entry %x:%u became %llx from %llx", va, p.gpfn, p.index,
			     (unsigned long long)now, (unsigned long long)had);
	if ((now & must) != must)
		model_failed("at %08x: entry %x:%u is %llx, bits %llx are to be set", va, p.gpfn,
			     p.index, (unsigned long long)now, (unsigned long long)must);
	memcpy(copy, &now, entry_bytes());
}

/* A processor sets A at both levels and D in the leaf. */
void model_check_accessed(gva_t va, const struct translation *t, u32 bits, bool permitted)
{
	u64 leaf = PTE_A | (bits & PF_W ? PTE_D : 0);
	bool exact = permitted && settled(t->pde) && settled(t->pte) && !in_linear(va) &&
		     permits(t, bits) && VCPU->paravirtual;

	if (!permits(t, bits))
		return;
	if (t->pde.gpfn != t->pte.gpfn || t->pde.index != t->pte.index) /* a table in itself */
		check_marks(va, t->pde, exact ? (t->large ? leaf : PTE_A) : 0,
			    t->large ? leaf : PTE_A);
	check_marks(va, t->pte, exact ? leaf : 0, leaf);
}

enum outcome model_touch(gva_t va, u32 bits, u32 *mfn, u32 *code, u64 *gpa)
{
	u32 cpu = bits | (VCPU->paravirtual ? 0 : PF_U), error;

	for (u32 tries = 0; tries < 4; tries++) {
		error = xen_access(va, cpu, mfn);
		if (!error)
			return PERMITTED;
		switch (shadow_fault(VCPU, va, error - 1, !(bits & PF_U), code, gpa)) {
		case SPACE_FILLED:
		case SPACE_OPENED:
			break;
		case SPACE_FAULT:
			return FAULT;
		case SPACE_MMIO:
			return MMIO;
		}
	}
	model_failed("at %08x: the fault goes on, error code %x", va, error - 1);
}

void model_access(gva_t va, u32 bits, bool leaf_now)
{
	struct translation t = model_walk(va);
	enum outcome o;
	u32 mfn = 0, code = 0, want = error_code(&t, bits);
	u64 gpa = 0;

	if (!VCPU->paravirtual)
		bits &= ~PF_U;
	want = error_code(&t, bits);
	o = model_touch(va, bits, &mfn, &code, &gpa);
	model_trace("access %08x bits %x: %s mfn %x code %x; by the tables: %s frame %llx", va,
		    bits,
		    o == PERMITTED ? "permitted"
		    : o == FAULT   ? "fault"
				   : "mmio",
		    mfn, code, permits(&t, bits) ? "permitted" : "fault",
		    (unsigned long long)t.gpa >> 12);
	model_check_accessed(va, &t, bits, o == PERMITTED);
	switch (o) {
	case PERMITTED:
		shadow_model_count.permitted++;
		if (names(&t, bits, mfn))
			return;
		shadow_model_count.stale++;
		if (!was_permitted(va, bits, mfn, leaf_now))
			model_failed(
				"at %08x: bits %x permitted to mfn %x; by the tables: %s, frame "
				"%llx",
				va, bits, mfn, permits(&t, bits) ? "permitted" : "fault",
				(unsigned long long)t.gpa >> 12);
		return;
	case FAULT:
		shadow_model_count.faults++;
		if (permits(&t, bits))
			model_failed("at %08x: bits %x refused with %x; the tables permit it", va,
				     bits, code);
		if (code != want)
			model_failed("at %08x: bits %x refused with error code %x, not %x", va,
				     bits, code, want);
		return;
	case MMIO:
		shadow_model_count.mmio++;
		if (!permits(&t, bits) || model_has_memory(t.gpa) || gpa != told(t.gpa))
			model_failed("at %08x: goes to %llx, where no memory is; by the tables: "
				     "%s, %llx",
				     va, (unsigned long long)gpa,
				     permits(&t, bits) ? "permitted" : "fault",
				     (unsigned long long)t.gpa);
	}
}

void model_check(void)
{
	model_check_shadow();
	for (u32 i = 0; i < TABLE_COUNT; i++)
		if (memcmp(model.tables[i], guest_frame(TABLES + i), PAGE_SIZE))
			model_failed("the guest's table %x is not what it wrote", TABLES + i);
}
