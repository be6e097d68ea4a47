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
 * monitor/shadow.c says, and is never changed here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "xen.h"
#include "paging.h"
#include "shadow_model.h"

#define GUEST_PAGES 1024u
#define HOLE 160u /* frames without memory */
#define HOLE_PAGES 32u

/* The guest's page tables, by guest frame. */
#define TABLES 32u    /* the first */
#define LINEAR_PT 32u /* of the linear mapping; never changed */
#define KERNEL_PD 36u /* directories with the linear mapping: PAE slot 3, or 2-level */
#define KERNEL_PDS 5u
#define USER_PD 42u
#define PTS 50u
#define PGD 92u /* PAE: top tables, 32 bytes each */
#define TABLES_END 96u
#define TABLE_COUNT (TABLES_END - TABLES)
#define DATA 200u /* frames for everything else */

#define SPACES 5u
#define FORMER 3u
#define STACK (LINEAR + 300 * PAGE_SIZE + 0x800)

void vmi_SetPxE(u32 pte, gva_t ptep, u32 flags);
void vmi_SetPxELong(u32 low, u32 high, gva_t ptep);
void vmi_UpdatePxE(gva_t ptep, u32 flags);
void vmi_UpdatePxELong(gva_t ptep, u32 flags);
void vmi_AllocatePage(u32 gpfn, u32 flags, u32 source);
void vmi_ReleasePage(u32 gpfn, u32 flags);
void vmi_InvalPage(gva_t va);
void vmi_FlushTLB(u32 flags);
void vmi_SetLazyMode(u32 mode);
void vmi_SetLinearMapping(u32 slot, gva_t va, u32 pages);
void vmi_SetCR3(u32 value);

/* What an entry said before. */
struct former {
	u8 count;
	bool any;     /* too many to keep */
	u8 announced; /* bit for each of value[], and FORMER for any */
	bool listed;
	u64 value[FORMER];
};

struct place {
	u32 gpfn, index; /* GPFN_NONE: nowhere */
};

struct shadow_model_count shadow_model_count;

static struct model {
	const u8 *script;
	size_t left;
	bool trace, pae, nx, linear_set;
	u32 slots; /* the first of those that this script prefers */
	gva_t recent[8];
	u32 pdpt[4]; /* directories as the processor holds them, GPFN_NONE for none */
	u8 tables[TABLE_COUNT][PAGE_SIZE]; /* as the guest wrote them, and the processor */
	char failure[512 + sizeof(xen.console)];
	jmp_buf out;
} m;

static struct former former[TABLE_COUNT][1024];
static struct former *listed[TABLE_COUNT * 1024];
static u32 listed_count;

/* --- the script, and what is said about it --------------------------------------- */

static u8 next(void)
{
	if (!m.left)
		return 0;
	m.left--;
	return *m.script++;
}

static u32 below(u32 n)
{
	return next() % n;
}

static void trace(const char *fmt, ...) printf_like(1, 2);
static void trace(const char *fmt, ...)
{
	va_list ap;

	if (!m.trace)
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static noreturn void failed(const char *fmt, ...) printf_like(1, 2);
static noreturn void failed(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m.failure, sizeof(m.failure), fmt, ap);
	va_end(ap);
	longjmp(m.out, 1);
}

/* --- the guest's tables ------------------------------------------------------------ */

static u32 entry_bytes(void)
{
	return m.pae ? 8 : 4;
}

static u32 entries(void)
{
	return PAGE_SIZE / entry_bytes();
}

static u64 read_entry(struct place p)
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
static bool is_fixed(struct place p)
{
	u32 first = m.pae ? 0 : 768, count = m.pae ? 2 : 1;

	return p.gpfn < KERNEL_PD || (p.gpfn < KERNEL_PD + KERNEL_PDS && p.index - first < count) ||
	       p.gpfn >= TABLES_END;
}

static void remember(struct place p, u64 old)
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
static void store(struct place p, u64 value)
{
	u64 old = read_entry(p);

	if (old != value)
		remember(p, old);
	memcpy((u8 *)guest_frame(p.gpfn) + p.index * entry_bytes(), &value, entry_bytes());
	memcpy(m.tables[p.gpfn - TABLES] + p.index * entry_bytes(), &value, entry_bytes());
}

static void announced(struct place p)
{
	struct former *f = former_of(p);

	if (f)
		f->announced = 0xFF;
}

static void announced_table(u32 gpfn)
{
	for (u32 i = 0; gpfn >= TABLES && gpfn < TABLES_END && i < entries(); i++)
		announced((struct place){gpfn, i});
}

/* A flush of everything; all: of what was not announced, too. */
static void flushed(bool all)
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

struct translation {
	bool present, large;
	bool rw, us, nx;
	u64 gpa;
	struct place pde, pte;
};

static const struct place nowhere = {GPFN_NONE, 0};

static struct place pde_place(gva_t va)
{
	struct place p = {VCPU->cr3 >> 12, va >> 22};

	if (m.pae)
		p = (struct place){m.pdpt[va >> 30], va >> 21 & 511};
	return p;
}

static bool is_large(u64 pde)
{
	return (pde & PTE_PSE) && (m.pae || (VCPU->cr4 & CR4_PSE));
}

static struct place pte_place(gva_t va, u64 pde)
{
	if (!(pde & PTE_P) || is_large(pde) || (pde & PTE_FRAME) >> 12 >= GUEST_PAGES)
		return nowhere;
	return (struct place){(u32)((pde & PTE_FRAME) >> 12),
			      m.pae ? va >> 12 & 511 : va >> 12 & 1023};
}

static struct translation translate(gva_t va, u64 pde, u64 pte)
{
	u64 mask = m.pae ? 0x1FFFFF : 0x3FFFFF, leaf = is_large(pde) ? pde : pte;
	struct translation t = {.large = is_large(pde)};

	t.present = (pde & PTE_P) && (leaf & PTE_P);
	t.rw = pde & leaf & PTE_RW;
	t.us = pde & leaf & PTE_US;
	t.nx = m.nx && m.pae && ((pde | leaf) & PTE_NX);
	t.gpa = t.large ? (leaf & PTE_FRAME & ~mask) | (va & mask)
			: (leaf & PTE_FRAME) | (va & (PAGE_SIZE - 1));
	return t;
}

static struct translation walk_now(gva_t va)
{
	struct translation t;
	struct place pde = pde_place(va), pte;
	u64 d = read_entry(pde);

	if (!(VCPU->cr0 & CR0_PG))
		return (struct translation){true, true, true, true, false, va, nowhere, nowhere};
	pte = pte_place(va, d);
	t = translate(va, d, read_entry(pte));
	t.pde = pde;
	t.pte = pte;
	return t;
}

static bool permits(const struct translation *t, u32 bits)
{
	if (!t->present || ((bits & PF_U) && !t->us))
		return false;
	if ((bits & PF_W) && !t->rw && ((bits & PF_U) || (VCPU->cr0 & CR0_WP)))
		return false;
	return !((bits & PF_I) && t->nx);
}

static u32 error_code(const struct translation *t, u32 bits)
{
	return (bits & (PF_W | PF_U | (m.nx && m.pae ? PF_I : 0))) | (t->present ? PF_P : 0);
}

static bool model_has_memory(u64 gpa)
{
	return gpa >> 12 < GUEST_PAGES && GMFN[gpa >> 12] != GMFN_NONE;
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
	values[(*count)++] = read_entry(p);
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
	struct place pde = pde_place(va);
	u32 pde_count, pte_count;

	if (!values_of(pde, pdes, &pde_count))
		return true;
	for (u32 i = 0; i < pde_count; i++) {
		struct place pte = pte_place(va, pdes[i]);

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
	copy = m.tables[p.gpfn - TABLES] + p.index * entry_bytes();
	memcpy(&had, copy, entry_bytes());
	now = read_entry(p);
	if ((now & ~may) != (had & ~may) || (had & ~now))
		failed("at %08x: entry %x:%u became %llx from %llx", va, p.gpfn, p.index,
		       (unsigned long long)now, (unsigned long long)had);
	if ((now & must) != must)
		failed("at %08x: entry %x:%u is %llx, bits %llx are to be set", va, p.gpfn, p.index,
		       (unsigned long long)now, (unsigned long long)must);
	memcpy(copy, &now, entry_bytes());
}

/* A processor sets A at both levels and D in the leaf. */
static void check_accessed(gva_t va, const struct translation *t, u32 bits, bool permitted)
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

enum outcome { PERMITTED, FAULT, MMIO };

static enum outcome touch(gva_t va, u32 bits, u32 *mfn, u32 *code, u64 *gpa)
{
	u32 cpu = bits | (VCPU->paravirtual ? 0 : PF_U), error;

	for (u32 tries = 0; tries < 4; tries++) {
		error = xen_access(va, cpu, mfn);
		if (!error)
			return PERMITTED;
		switch (shadow_fault(VCPU, va, error - 1, !(bits & PF_U), code, gpa)) {
		case SHADOW_FILLED:
			break;
		case SHADOW_FAULT:
			return FAULT;
		case SHADOW_MMIO:
			return MMIO;
		}
	}
	failed("at %08x: the fault goes on, error code %x", va, error - 1);
}

static void access(gva_t va, u32 bits, bool leaf_now)
{
	struct translation t = walk_now(va);
	enum outcome o;
	u32 mfn = 0, code = 0, want = error_code(&t, bits);
	u64 gpa = 0;

	if (!VCPU->paravirtual)
		bits &= ~PF_U;
	want = error_code(&t, bits);
	o = touch(va, bits, &mfn, &code, &gpa);
	trace("access %08x bits %x: %s mfn %x code %x; by the tables: %s frame %llx", va, bits,
	      o == PERMITTED ? "permitted"
	      : o == FAULT   ? "fault"
			     : "mmio",
	      mfn, code, permits(&t, bits) ? "permitted" : "fault",
	      (unsigned long long)t.gpa >> 12);
	check_accessed(va, &t, bits, o == PERMITTED);
	switch (o) {
	case PERMITTED:
		shadow_model_count.permitted++;
		if (names(&t, bits, mfn))
			return;
		shadow_model_count.stale++;
		if (!was_permitted(va, bits, mfn, leaf_now))
			failed("at %08x: bits %x permitted to mfn %x; by the tables: %s, frame "
			       "%llx",
			       va, bits, mfn, permits(&t, bits) ? "permitted" : "fault",
			       (unsigned long long)t.gpa >> 12);
		return;
	case FAULT:
		shadow_model_count.faults++;
		if (permits(&t, bits))
			failed("at %08x: bits %x refused with %x; the tables permit it", va, bits,
			       code);
		if (code != want)
			failed("at %08x: bits %x refused with error code %x, not %x", va, bits,
			       code, want);
		return;
	case MMIO:
		shadow_model_count.mmio++;
		if (!permits(&t, bits) || model_has_memory(t.gpa) || gpa != t.gpa)
			failed("at %08x: goes to %llx, where no memory is; by the tables: %s, %llx",
			       va, (unsigned long long)gpa,
			       permits(&t, bits) ? "permitted" : "fault",
			       (unsigned long long)t.gpa);
	}
}

/* --- what must be true of the shadow at any time ---------------------------------------- */

static void check_roots(void)
{
	const struct shadow *s = &MON->shadow;
	static u16 hooks[WIN_POOL_MAX];

	memset(hooks, 0, sizeof(hooks));
	for (u32 i = 0; i < s->root_limit && s->roots[i].made; i++) {
		const struct root *r = &s->roots[i];

		for (u32 l2i = 0; l2i < WINDOW_L2; l2i++) {
			u32 page = root_l1(r, l2i), phys;
			bool l1 = page != SHADOW_NONE && s->pool[page].kind == POOL_L1;

			if (l1 != (r->hooked[l2i >> 5] >> (l2i & 31) & 1))
				failed("root %u slot %u: its bit in hooked[] is wrong", i, l2i);
			if (l1 && s->pool[page].l2i != l2i)
				failed("root %u slot %u: the page is made for slot %u", i, l2i,
				       s->pool[page].l2i);
			if (l1)
				hooks[page]++;
			if (linear_slot(l2i, &phys) && linear_is_hooked(phys) &&
			    page != s->phys_first + phys)
				failed("root %u slot %u: not the linear mapping", i, l2i);
		}
	}
	for (u32 i = 0; i < s->pool_pages; i++)
		if (s->pool[i].kind == POOL_L1 && s->pool[i].hooks != hooks[i])
			failed("pool page %u: %u hooks, not %u", i, hooks[i], s->pool[i].hooks);
}

static void check_pool(void)
{
	const struct shadow *s = &MON->shadow;
	u32 chained = 0, owned = 0;

	for (u32 gpfn = 0; gpfn < GUEST_PAGES; gpfn++)
		for (u32 at = HEADS[gpfn] & ~HEAD_DIRECTORY; at != SHADOW_NONE;
		     at = s->pool[at].next, chained++)
			if (s->pool[at].kind != POOL_L1 || s->pool[at].gpfn != gpfn)
				failed("pool page %u: in the chain of frame %x", at, gpfn);
	for (u32 i = 0; i < s->pool_pages; i++) {
		const struct pool_page *p = &s->pool[i];
		const volatile u64 *e = pool_table(i);

		if (p->kind != POOL_L1)
			continue;
		owned += p->gpfn != GPFN_NONE;
		for (u32 k = 0; k < 512; k++)
			if ((e[k] & PTE_P) && !(p->groups[k / 256] >> (k / 8 % 32) & 1))
				failed("pool page %u: entry %u is there, its group is clear", i, k);
	}
	if (chained != owned)
		failed("%u pages in chains, %u belong to tables", chained, owned);
}

static void check_all(void)
{
	check_roots();
	check_pool();
	for (u32 i = 0; i < TABLE_COUNT; i++)
		if (memcmp(m.tables[i], guest_frame(TABLES + i), PAGE_SIZE))
			failed("the guest's table %x is not what it wrote", TABLES + i);
}

/* --- the guest --------------------------------------------------------------------------- */

/* Addresses that meet again and again, at the ends of everything; most of a
 * script's are in six slots and four pages of each, and were met just before. */
static gva_t some_address(void)
{
	static const u32 slots[] = {0x00000000, 0x00200000, 0x08000000, 0xC0400000, 0xED800000,
				    0xBFE00000, 0x40000000, 0x40600000, 0xBFC00000, 0x00400000,
				    0xF3E00000, 0xF3C00000, 0x80000000, 0xC0000000, 0xC0200000};
	static const u16 pages[] = {0, 1, 511, 8, 7, 255, 256, 510};
	u8 a = next(), b;
	u32 slot, page;

	if (a >= 0x60)
		return m.recent[a % ARRAY_SIZE(m.recent)];
	b = next();
	slot = a % 8 < 6 ? m.slots + a % 8 : a / 8;
	page = b % 8 ? b % 4 : b / 8;
	m.recent[b / 16 % ARRAY_SIZE(m.recent)] = slots[slot % ARRAY_SIZE(slots)] +
						  pages[page % ARRAY_SIZE(pages)] * PAGE_SIZE +
						  (b & 0x80 ? 0xFFC : 0);
	return m.recent[b / 16 % ARRAY_SIZE(m.recent)];
}

/* Of tables, too, some are met more often. */
static u32 some_table(void)
{
	u8 a = next();

	return a & 0xC0 ? PTS + a % 8 : TABLES + 4 + a % (TABLE_COUNT - 4);
}

static u64 some_flags(void)
{
	u8 a = next(), b = next();
	u64 f = a & 0x67;

	if (b & 7)
		f |= PTE_P;
	if (b & 8)
		f |= PTE_A | PTE_D | PTE_RW;
	if (b & 16)
		f |= PTE_US;
	if ((b & 0xE0) == 0xE0 && m.nx && m.pae)
		f |= PTE_NX;
	return f;
}

static u64 some_pte(void)
{
	u8 a = next();
	u64 frame = DATA + next() % 40;

	if (a % 16 == 15)
		frame = HOLE + next() % 40;
	else if (a % 16 == 14)
		frame = some_table();
	else if (a % 16 == 13)
		frame = GUEST_PAGES + next() * 0x100u;
	return frame << 12 | some_flags() | (a & 0x80 ? 0x100 : 0);
}

static u64 one_bit_changed(u64 value, u32 n)
{
	static const u64 bits[] = {PTE_RW, PTE_US, PTE_A, PTE_D, PTE_RW, PTE_US, PTE_NX, PTE_P};
	u64 bit = bits[n % ARRAY_SIZE(bits)];

	return value ^ (bit == PTE_NX && !(m.nx && m.pae) ? PTE_RW : bit);
}

static u64 some_pde(void)
{
	u8 a = next();
	u64 flags = some_flags();

	if (a & 0x10)
		flags |= PTE_P | PTE_RW | PTE_US | PTE_A;
	if ((a & 15) == 15) {
		u32 size = m.pae ? 512 : 1024;

		return (u64)(next() % 4 * size) << 12 | flags | PTE_PSE;
	}
	if ((a & 15) == 14)
		return (u64)(HOLE - 2 + next() % 40) << 12 | flags;
	if ((a & 15) == 13) /* empty frames; they share a map slot with tables */
		return (u64)(some_table() + WIN_SLOT_COUNT) << 12 | flags;
	return (u64)some_table() << 12 | flags;
}

/* An entry that some address leads to, or any. */
static struct place some_place(bool *directory)
{
	struct place p = nowhere;
	gva_t va = some_address();
	u8 a = next();

	*directory = a & 1;
	if (a & 6)
		p = *directory ? pde_place(va) : pte_place(va, read_entry(pde_place(va)));
	if (p.gpfn < TABLES || p.gpfn >= PGD || is_fixed(p))
		p = (struct place){some_table(), *directory && m.pae ? va >> 21 & 511
						 : *directory	     ? va >> 22
								     : (va >> 12) % entries()};
	if (p.gpfn >= PGD)
		p.gpfn = USER_PD;
	return p;
}

static gva_t pointer_to(struct place p)
{
	return LINEAR + p.gpfn * PAGE_SIZE + p.index * entry_bytes();
}

static void stack_word(u32 n, u32 value)
{
	((u32 *)(uintptr_t)VCPU->call_esp)[3 + n] = value;
}

static void announce_update(struct place p)
{
	if (!VCPU->paravirtual)
		return;
	trace("Update %x:%u", p.gpfn, p.index);
	if (m.pae)
		vmi_UpdatePxELong(pointer_to(p), 1);
	else
		vmi_UpdatePxE(pointer_to(p), 1);
	announced(p);
}

static void set_entry(struct place p, u64 value, u32 flags, gva_t ptep)
{
	trace("Set %x:%u = %llx flags %x", p.gpfn, p.index, (unsigned long long)value, flags);
	remember(p, read_entry(p));
	if (m.pae) {
		stack_word(0, flags);
		vmi_SetPxELong((u32)value, (u32)(value >> 32), ptep);
	} else {
		vmi_SetPxE((u32)value, ptep, flags);
	}
	if (read_entry(p) != (m.pae ? value : (u32)value))
		failed("SetPxE did not write %x:%u", p.gpfn, p.index);
	memcpy(m.tables[p.gpfn - TABLES] + p.index * entry_bytes(), &value, entry_bytes());
	announced(p);
}

static void step_set(void)
{
	bool directory;
	struct place p = some_place(&directory);
	u8 a = next();
	u64 value = a & 1	? one_bit_changed(read_entry(p), a >> 1)
		    : directory ? some_pde()
				: some_pte();
	u32 flags = next() & 0x23;
	gva_t va = some_address();

	if (is_fixed(p))
		return;
	if (!VCPU->paravirtual) {
		trace("store %x:%u = %llx", p.gpfn, p.index, (unsigned long long)value);
		store(p, value);
		return;
	}
	if (flags & 1)
		flags |= 0x10 | (va & 0xFFFFF000);
	if (flags & 0x20) { /* through a HIGHPTE window */
		xen_set_window(1 + (flags & 1), 0xE0000000, 1, p.gpfn);
		set_entry(p, value, flags, 0xE0000000 + p.index * entry_bytes());
		xen_set_window(1 + (flags & 1), 0, 0, 0);
		return;
	}
	set_entry(p, value, flags, pointer_to(p));
}

/* The entry that maps an address, with the address, as a kernel's set_pte_at. */
static void step_set_current(void)
{
	gva_t va = some_address();
	struct place d = pde_place(va), p = pte_place(va, read_entry(d));
	u8 a = next();
	u64 value = a & 1 ? one_bit_changed(read_entry(p), a >> 1) : some_pte();

	if (!VCPU->paravirtual || p.gpfn < TABLES || is_fixed(p) || p.gpfn >= PGD)
		return;
	set_entry(p, value, 0x11 | va, pointer_to(p));
}

static void step_store(void)
{
	bool directory, tell = next() & 1;
	struct place p = some_place(&directory);
	u64 value = read_entry(p);
	u8 a = next();

	if (is_fixed(p))
		return;
	if (a % 8 == 0)
		value = 0;
	else if (a % 8 == 1)
		value = directory ? some_pde() : some_pte();
	else
		value = one_bit_changed(value, a / 8);
	trace("store %x:%u = %llx", p.gpfn, p.index, (unsigned long long)value);
	store(p, value);
	if (tell)
		announce_update(p);
}

static void step_update(void)
{
	bool directory;
	struct place p = some_place(&directory);

	if (!is_fixed(p))
		announce_update(p);
}

/* A page becomes a table: empty, a copy of another one, or frames in a row. */
static void step_allocate(void)
{
	u32 gpfn = some_table(), from = some_table(), first = next() % 4 * 256;
	u8 a = next() % 4;

	if (gpfn >= PGD || from >= PGD)
		return;
	trace("Allocate %x%s", gpfn, a & 1 ? " as a copy" : a == 2 ? " with a row" : "");
	for (u32 i = 0; i < entries(); i++) {
		struct place p = {gpfn, i}, f = {from, i};
		u64 value = a & 1    ? read_entry(f)
			    : a == 2 ? (u64)(first + i) << 12 | PTE_P | PTE_RW | PTE_US
				     : 0;

		if (!is_fixed(p) && !is_fixed(f) && read_entry(p) != value)
			store(p, value);
	}
	if (VCPU->paravirtual) {
		vmi_AllocatePage(gpfn, a & 1 ? 0x22 : 0x42, from);
		announced_table(gpfn);
	}
}

static bool is_loaded(u32 gpfn)
{
	for (u32 i = 0; i < 4; i++)
		if (m.pae && m.pdpt[i] == gpfn)
			return true;
	return VCPU->cr3 >> 12 == gpfn;
}

static void step_release(void)
{
	u32 gpfn = some_table();

	if (!VCPU->paravirtual || is_loaded(gpfn))
		return;
	trace("Release %x", gpfn);
	vmi_ReleasePage(gpfn, 1);
	announced_table(gpfn);
}

static u32 space(u32 n)
{
	return m.pae ? PGD * PAGE_SIZE + n % 2 * PAGE_SIZE + n * 32
		     : (KERNEL_PD + n % KERNEL_PDS) * PAGE_SIZE;
}

/* The processor reads the PDPTEs. */
static void take_pdptes(void)
{
	for (u32 i = 0; i < 4; i++) {
		struct place p = {VCPU->cr3 >> 12, (VCPU->cr3 & 0xFE0) / 8 + i};
		u64 e = m.pae ? read_entry(p) : 0;

		m.pdpt[i] =
			(e & PTE_P) && model_has_memory(e & PTE_FRAME) ? (u32)(e >> 12) : GPFN_NONE;
	}
}

static void step_cr3(void)
{
	u32 cr3 = space(below(SPACES));

	trace("CR3 = %08x", cr3);
	if (VCPU->paravirtual)
		vmi_SetCR3(cr3);
	else if (!control_set_cr3(VCPU, cr3))
		failed("CR3 %08x refused", cr3);
	take_pdptes();
	flushed(!VCPU->paravirtual);
}

/* A PDPTE is only looked at when CR3 is loaded. */
static void step_pdpte(void)
{
	u32 n = below(SPACES), slot = below(4);
	struct place p = {space(n) >> 12, (space(n) & 0xFFF) / 8 + slot};
	u64 value = (u64)(slot == 3 ? KERNEL_PD + below(KERNEL_PDS) : some_table()) << 12;
	u8 a = next();

	if (!m.pae)
		return;
	if (slot != 3 && a % 16 == 1) /* nothing is there */
		value = (u64)(0x80000 + a) << 12;
	if (slot == 3 || a % 8)
		value |= PTE_P;
	trace("store PDPTE %u of %08x = %llx", slot, space(n), (unsigned long long)value);
	store(p, value);
}

static void step_invlpg(void)
{
	gva_t va = some_address();
	u8 a = next();

	trace("INVLPG %08x", va);
	shadow_invlpg(VCPU, va);
	access(va, (a & 1 ? PF_W : 0) | (a & 2 ? PF_U : 0), true);
}

static void step_flush(void)
{
	if (!VCPU->paravirtual)
		return;
	trace("FlushTLB");
	vmi_FlushTLB(1 + (next() & 1));
	take_pdptes();
	flushed(false);
}

static void step_lazy(void)
{
	u32 mode = below(3);

	if (!VCPU->paravirtual)
		return;
	trace("lazy mode %u", mode);
	vmi_SetLazyMode(mode);
}

static void step_cr0(void)
{
	u32 cr0 = VCPU->cr0 ^ CR0_WP;
	bool drops;

	if (!VCPU->paravirtual && (!(VCPU->cr0 & CR0_PG) || next() % 16 == 0))
		cr0 = VCPU->cr0 ^ CR0_PG;
	drops = ((VCPU->cr0 ^ cr0) & CR0_PG) || (cr0 & ~VCPU->cr0 & CR0_WP);

	trace("CR0 = %08x", cr0);
	control_set_cr0(VCPU, cr0);
	if (drops) { /* the shadow is as new, the PDPTEs of the processor with it */
		take_pdptes();
		flushed(true);
	}
}

static void step_cr4(void)
{
	if (m.pae)
		return;
	trace("CR4 = %08x", VCPU->cr4 ^ CR4_PSE);
	control_set_cr4(VCPU, VCPU->cr4 ^ CR4_PSE);
	flushed(true);
}

static void init(void)
{
	trace("Init");
	shadow_model_count.paravirtual++;
	VCPU->paravirtual = true;
	VCPU->kernel_rpl = 1;
	VCPU->r.gpr[GPR_ESP] = STACK;
	shadow_adopt(VCPU);
	flushed(true);
	/* It has touched the stack. */
	for (gva_t va = STACK - PAGE_SIZE; va <= STACK; va += PAGE_SIZE) {
		struct translation t = walk_now(va);

		check_accessed(va, &t, PF_W, true);
	}
}

static void step_init(void)
{
	if (!VCPU->paravirtual && (VCPU->cr0 & CR0_PG) && !(next() & 3))
		init();
}

static void step_linear(void)
{
	u32 pages = next() & 1 ? GUEST_PAGES : GUEST_PAGES * 2;

	if (!VCPU->paravirtual || m.linear_set)
		return;
	trace("SetLinearMapping");
	m.linear_set = true;
	stack_word(0, 0);
	vmi_SetLinearMapping(0, LINEAR, pages);
}

static void step_access(void)
{
	gva_t va = some_address();
	u8 a = next();

	if (a & 0x10)
		xen_tlb_drop(va);
	access(va, (a & 1 ? PF_W : 0) | (a & 2 ? PF_U : 0) | ((a & 0xC) == 0xC ? PF_I : 0), false);
}

/* What the window answers: nothing that the guest has. */
static void step_window(void)
{
	gva_t va = WINDOW_BASE + below(24) * 0x100000;
	u32 bits = PF_U | (next() & PF_W), mfn, code = 0;
	u64 gpa;

	if (VCPU->paravirtual && touch(va, bits, &mfn, &code, &gpa) != FAULT)
		failed("at %08x: the window is open to user mode", va);
	if (VCPU->paravirtual && code != bits)
		failed("at %08x: error code %x, not %x", va, code, bits);
}

/* A table behind a directory's entry, and an entry in it. */
static void populate(void)
{
	gva_t va = some_address();
	u32 directory = m.pae && va >> 30 != 3 ? USER_PD + below(4) + (va >> 30)
					       : KERNEL_PD + below(KERNEL_PDS);
	struct place d = {directory, m.pae ? va >> 21 & 511 : va >> 22}, p;
	u64 rights = PTE_P | PTE_RW | PTE_US | PTE_A;

	if (is_fixed(d))
		return;
	if (!(read_entry(d) & PTE_P))
		store(d, (u64)(PTS + below(16)) << 12 | rights);
	p = pte_place(va, read_entry(d));
	store(p, some_pte());
}

/* The linear mapping, and what the script says. */
static void build_tables(void)
{
	u64 kernel = PTE_P | PTE_RW | PTE_A | PTE_D;

	for (u32 t = 0; t < TABLE_COUNT; t++)
		memset(guest_frame(TABLES + t), 0, PAGE_SIZE);
	memset(m.tables, 0, sizeof(m.tables));
	for (u32 i = 0; i < GUEST_PAGES; i++)
		store((struct place){LINEAR_PT + i / entries(), i % entries()},
		      (u64)i << 12 | kernel);
	for (u32 n = 0; n < KERNEL_PDS; n++)
		for (u32 i = 0; i < (m.pae ? 2 : 1); i++)
			store((struct place){KERNEL_PD + n, (m.pae ? 0 : 768) + i},
			      (u64)(LINEAR_PT + i) << 12 | kernel);
	for (u32 n = 2 * next(); n; n--)
		populate();
	for (u32 n = 0; m.pae && n < SPACES; n++) {
		struct place p = {space(n) >> 12, (space(n) & 0xFFF) / 8};

		for (u32 slot = 0; slot < 4; slot++, p.index++)
			store(p,
			      (u64)(slot == 3 ? KERNEL_PD + n % KERNEL_PDS : USER_PD + n % 4 + slot)
					      << 12 |
				      PTE_P);
	}
	flushed(true);
}

static void start(void)
{
	u8 a = next();

	/* As small as a domain may be, or with room; part of it is others'. */
	xen_start(GUEST_PAGES, HOLE, HOLE_PAGES, a & 0x20 ? 160 : 56);
	m.pae = a & 1;
	m.nx = a & 2;
	m.linear_set = false;
	m.slots = below(16);
	memset(m.recent, 0, sizeof(m.recent));
	build_tables();
	*VCPU = (struct vcpu){.cr0 = CR0_PE, .kernel_rpl = 3};
	VCPU->call_esp = WIN_STACK_TOP - 64;
	VCPU->cr4 = m.pae ? CR4_PAE : a & 4 ? CR4_PSE : 0;
	VCPU->efer = m.nx && m.pae ? EFER_NXE : 0;
	VCPU->r.cs = 0x61;
	shadow_start();
	for (u32 i = 0; i < (a >> 3 & 3) * 12; i++)
		pool_take_raw();
	control_set_cr3(VCPU, space(0));
	if (a & 0xC0) {
		control_set_cr0(VCPU, CR0_PE | CR0_PG | CR0_WP);
		take_pdptes();
	}
	if (a & 0x40)
		init();
}

/* How often of 128. */
static const struct {
	u8 weight;
	void (*step)(void);
} steps[] = {
	{49, step_access}, {16, step_set},     {16, step_set_current}, {14, step_store},
	{4, step_update},  {1, step_allocate}, {3, step_release},      {6, step_cr3},
	{5, step_invlpg},  {5, step_flush},    {2, step_lazy},	       {2, step_pdpte},
	{1, step_cr0},	   {1, step_cr4},      {1, step_init},	       {1, step_linear},
	{1, step_window},
};

static void step(void)
{
	int n = next() & 127;

	for (u32 i = 0; i < ARRAY_SIZE(steps); i++)
		if ((n -= steps[i].weight) < 0) {
			steps[i].step();
			return;
		}
}

static __attribute__((noinline)) void run(jmp_buf *death)
{
	start();
	xen.death = death;
	for (u32 n = 1; m.left; n++) {
		step();
		shadow_model_count.steps++;
		if (n % 32 == 0)
			check_all();
	}
	check_all();
	shadow_model_count.evicted += COUNTERS->shadow_evicted;
}

const char *shadow_model(const u8 *script, size_t bytes, bool trace)
{
	jmp_buf death;

	m.script = script;
	m.left = bytes;
	m.trace = trace;
	if (setjmp(m.out))
		return m.failure;
	if (setjmp(death)) {
		snprintf(m.failure, sizeof(m.failure), "the domain died:\n%s", xen.console);
		return m.failure;
	}
	run(&death);
	return NULL;
}
