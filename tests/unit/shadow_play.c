/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See shadow_play.h.
 *
 * Each byte of the script is a choice.  A step tells the model what it does to
 * the tables; the linear mapping is never changed.
 */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "paging.h"
#include "shadow_model.h"
#include "shadow_play.h"
#include "vmi.h"

#define HOLE 160u /* frames without memory */
#define HOLE_PAGES 32u
#define DATA 200u /* frames for everything else */
#define SPACES 5u
#define STACK (LINEAR + 300 * PAGE_SIZE + 0x800)

void target_SetPxE(u32 pte, u32 *entry, u32 flags);
void target_SetPxELong(u32 low, u32 high, u32 *entry);
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

static struct {
	const u8 *script;
	size_t left;
	bool linear_set;
	u32 slots; /* the first of those that this script prefers */
	gva_t recent[8];
	gva_t set_va; /* of step_set_current */
	struct place set_place;
} guest;

/* --- choices ----------------------------------------------------------------------------- */

static u8 next(void)
{
	if (!guest.left)
		return 0;
	guest.left--;
	return *guest.script++;
}

static u32 below(u32 n)
{
	return next() % n;
}

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
		return guest.recent[a % ARRAY_SIZE(guest.recent)];
	b = next();
	slot = a % 8 < 6 ? guest.slots + a % 8 : a / 8;
	page = b % 8 ? b % 4 : b / 8;
	guest.recent[b / 16 % ARRAY_SIZE(guest.recent)] =
		slots[slot % ARRAY_SIZE(slots)] + pages[page % ARRAY_SIZE(pages)] * PAGE_SIZE +
		(b & 0x80 ? 0xFFC : 0);
	return guest.recent[b / 16 % ARRAY_SIZE(guest.recent)];
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
	if ((b & 0xE0) == 0xE0 && model.pae && (model.nx || (a & 0x18) == 0x18))
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

	return value ^ (bit == PTE_NX && !model.pae ? PTE_RW : bit);
}

static u64 some_pde(void)
{
	u8 a = next();
	u64 flags = some_flags();

	if (a & 0x10)
		flags |= PTE_P | PTE_RW | PTE_US | PTE_A;
	if ((a & 15) == 15) {
		u32 size = model.pae ? 512 : 1024;

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
		p = *directory ? model_pde(va) : model_pte(va, model_read(model_pde(va)));
	if (p.gpfn < TABLES || p.gpfn >= PGD || model_is_fixed(p))
		p = (struct place){some_table(), *directory && model.pae ? va >> 21 & 511
						 : *directory		 ? va >> 22
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
	stack_arguments()[n] = value;
}

/* --- steps ------------------------------------------------------------------------------- */

static void announce_update(struct place p)
{
	if (!VCPU->paravirtual)
		return;
	model_trace("Update %x:%u", p.gpfn, p.index);
	if (model.pae)
		vmi_UpdatePxELong(pointer_to(p), 1);
	else
		vmi_UpdatePxE(pointer_to(p), 1);
	model_announced(p);
}

static u32 *address(gva_t va)
{
	return (u32 *)(uintptr_t)va;
}

static void set_entry(struct place p, u64 value, u32 flags, gva_t ptep)
{
	model_trace("Set %x:%u = %llx flags %x", p.gpfn, p.index, (unsigned long long)value, flags);
	model_remember(p, model_read(p));
	stack_word(0, flags);
	if (ptep >> 12 == MON->shadow.target.at >> 12) { /* as entry/vmi.asm looks for it */
		if (model.pae)
			target_SetPxELong((u32)value, (u32)(value >> 32), address(ptep));
		else
			target_SetPxE((u32)value, address(ptep), flags);
	} else if (model.pae) {
		vmi_SetPxELong((u32)value, (u32)(value >> 32), ptep);
	} else {
		vmi_SetPxE((u32)value, ptep, flags);
	}
	if (model_read(p) != (model.pae ? value : (u32)value))
		model_failed("SetPxE did not write %x:%u", p.gpfn, p.index);
	memcpy(model.tables[p.gpfn - TABLES] + p.index * entry_bytes(), &value, entry_bytes());
	model_announced(p);
}

static void step_set(void)
{
	bool directory;
	struct place p = some_place(&directory);
	u8 a = next();
	u64 value = a & 1	? one_bit_changed(model_read(p), a >> 1)
		    : directory ? some_pde()
				: some_pte();
	u32 flags = next() & 0x23;
	gva_t va = some_address();

	if (model_is_fixed(p))
		return;
	if (!VCPU->paravirtual) {
		model_trace("store %x:%u = %llx", p.gpfn, p.index, (unsigned long long)value);
		model_store(p, value);
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

/* The entry that maps an address, with the address, as a kernel's set_pte_at; or
 * the last such entry again, which may map nothing any more, or another page. */
static void step_set_current(void)
{
	gva_t va = some_address();
	struct place p = model_pte(va, model_read(model_pde(va)));
	u8 a = next();
	u64 value;

	if ((a & 0x60) == 0x60) {
		va = guest.set_va;
		p = guest.set_place;
	}
	value = a & 1 ? one_bit_changed(model_read(p), a >> 1) : some_pte();
	guest.set_va = va;
	guest.set_place = p;
	if (!VCPU->paravirtual || p.gpfn < TABLES || model_is_fixed(p) || p.gpfn >= PGD)
		return;
	set_entry(p, value, 0x11 | va, pointer_to(p));
}

/* What a kernel does to many entries of one table in a lazy section: takes them
 * away, takes the right to write, or maps memory in a row. */
static void step_many(void)
{
	gva_t va = some_address();
	struct place p = model_pte(va, model_read(model_pde(va)));
	u32 what = next() % 4, count = 1 + next() * 2u, first = next() * 4u;
	u8 lazy = VCPU->lazy;

	if (!VCPU->paravirtual || p.gpfn < TABLES || p.gpfn >= PGD)
		return;
	va -= p.index * PAGE_SIZE;
	vmi_SetLazyMode(1);
	for (p.index = first % entries(); count && p.index < entries(); p.index++, count--) {
		u64 value = what == 1 ? model_read(p) & ~PTE_RW : 0;

		if (model_is_fixed(p))
			continue;
		if (what < 2) {
			model_store(p, value);
			announce_update(p);
		} else {
			value = (u64)(DATA + (first + p.index) % (GUEST_PAGES - DATA)) << 12 | 0x67;
			set_entry(p, value, 0x11 | ((va & ~0xFFFu) + p.index * PAGE_SIZE),
				  pointer_to(p));
		}
	}
	vmi_SetLazyMode(lazy);
}

static void step_store(void)
{
	bool directory, tell = next() & 1;
	struct place p = some_place(&directory);
	u64 value = model_read(p);
	u8 a = next();

	if (model_is_fixed(p))
		return;
	if (a % 8 == 0)
		value = 0;
	else if (a % 8 == 1)
		value = directory ? some_pde() : some_pte();
	else
		value = one_bit_changed(value, a / 8);
	model_trace("store %x:%u = %llx", p.gpfn, p.index, (unsigned long long)value);
	model_store(p, value);
	if (tell)
		announce_update(p);
}

static void step_update(void)
{
	bool directory;
	struct place p = some_place(&directory);

	if (!model_is_fixed(p))
		announce_update(p);
}

/* A page becomes a table: empty, a copy of another one, or frames in a row. */
static void step_allocate(void)
{
	u32 gpfn = some_table(), from = some_table(), first = next() % 4 * 256;
	u8 a = next() % 4;

	if (gpfn >= PGD || from >= PGD)
		return;
	model_trace("Allocate %x%s", gpfn, a & 1 ? " as a copy" : a == 2 ? " with a row" : "");
	for (u32 i = 0; i < entries(); i++) {
		struct place p = {gpfn, i}, f = {from, i};
		u64 value = a & 1    ? model_read(f)
			    : a == 2 ? (u64)(first + i) << 12 | PTE_P | PTE_RW | PTE_US
				     : 0;

		if (!model_is_fixed(p) && !model_is_fixed(f) && model_read(p) != value)
			model_store(p, value);
	}
	if (VCPU->paravirtual) {
		vmi_AllocatePage(gpfn, a & 1 ? 0x22 : 0x42, from);
		model_announced_table(gpfn);
	}
}

static bool is_loaded(u32 gpfn)
{
	for (u32 i = 0; i < 4; i++)
		if (model.pae && model.pdpt[i] == gpfn)
			return true;
	return VCPU->cr3 >> 12 == gpfn;
}

static void step_release(void)
{
	u32 gpfn = some_table();

	if (!VCPU->paravirtual || is_loaded(gpfn))
		return;
	model_trace("Release %x", gpfn);
	vmi_ReleasePage(gpfn, 1);
	model_announced_table(gpfn);
}

static u32 space(u32 n)
{
	return model.pae ? PGD * PAGE_SIZE + n % 2 * PAGE_SIZE + n * 32
			 : (KERNEL_PD + n % KERNEL_PDS) * PAGE_SIZE;
}

/* The processor reads the PDPTEs. */
static void take_pdptes(void)
{
	for (u32 i = 0; i < 4; i++) {
		struct place p = {VCPU->cr3 >> 12, (VCPU->cr3 & 0xFE0) / 8 + i};
		u64 e = model.pae ? model_read(p) : 0;

		model.pdpt[i] =
			(e & PTE_P) && model_has_memory(e & PTE_FRAME) ? (u32)(e >> 12) : GPFN_NONE;
	}
}

static void step_cr3(void)
{
	u32 cr3 = space(below(SPACES));

	model_trace("CR3 = %08x", cr3);
	if (VCPU->paravirtual)
		vmi_SetCR3(cr3);
	else if (!control_set_cr3(VCPU, cr3))
		model_failed("CR3 %08x refused", cr3);
	take_pdptes();
	model_flushed(!VCPU->paravirtual);
}

/* A PDPTE is only looked at when CR3 is loaded. */
static void step_pdpte(void)
{
	u32 n = below(SPACES), slot = below(4);
	struct place p = {space(n) >> 12, (space(n) & 0xFFF) / 8 + slot};
	u64 value = (u64)(slot == 3 ? KERNEL_PD + below(KERNEL_PDS) : some_table()) << 12;
	u8 a = next();

	if (!model.pae)
		return;
	if (slot != 3 && a % 16 == 1) /* nothing is there */
		value = (u64)(0x80000 + a) << 12;
	if (slot == 3 || a % 8)
		value |= PTE_P;
	model_trace("store PDPTE %u of %08x = %llx", slot, space(n), (unsigned long long)value);
	model_store(p, value);
}

static void step_invlpg(void)
{
	gva_t va = some_address();
	u8 a = next();

	model_trace("INVLPG %08x", va);
	shadow_invlpg(VCPU, va);
	model_access(va, (a & 1 ? PF_W : 0) | (a & 2 ? PF_U : 0), true);
}

static void step_flush(void)
{
	if (!VCPU->paravirtual)
		return;
	model_trace("FlushTLB");
	vmi_FlushTLB(1 + (next() & 1));
	take_pdptes();
	model_flushed(false);
}

static void step_lazy(void)
{
	u32 mode = below(3);

	if (!VCPU->paravirtual)
		return;
	model_trace("lazy mode %u", mode);
	vmi_SetLazyMode(mode);
}

static void step_cr0(void)
{
	u32 cr0 = VCPU->cr0 ^ CR0_WP;
	bool drops;

	if (!VCPU->paravirtual && (!(VCPU->cr0 & CR0_PG) || next() % 16 == 0))
		cr0 = VCPU->cr0 ^ CR0_PG;
	drops = ((VCPU->cr0 ^ cr0) & CR0_PG) || (cr0 & ~VCPU->cr0 & CR0_WP);

	model_trace("CR0 = %08x", cr0);
	control_set_cr0(VCPU, cr0);
	if (drops) { /* the shadow is as new, the PDPTEs of the processor with it */
		take_pdptes();
		model_flushed(true);
	}
}

static void step_cr4(void)
{
	if (model.pae)
		return;
	model_trace("CR4 = %08x", VCPU->cr4 ^ CR4_PSE);
	control_set_cr4(VCPU, VCPU->cr4 ^ CR4_PSE);
	model_flushed(true);
}

static void step_nx(void)
{
	if (!model.pae)
		return;
	model_trace("EFER.NXE = %d", !model.nx);
	if (!msr_write(VCPU, 0xC0000080, model.nx ? 0 : EFER_NXE))
		model_failed("EFER cannot be written");
	if (VCPU->paravirtual)
		return;
	model.nx = !model.nx;
	model_flushed(true);
	take_pdptes();
}

static void init(void)
{
	model_trace("Init");
	shadow_model_count.paravirtual++;
	VCPU->paravirtual = true;
	VCPU->kernel_rpl = 1;
	VCPU->r.gpr[GPR_ESP] = STACK;
	msr_adopt(VCPU);
	model.nx = VCPU->efer & EFER_NXE;
	shadow_adopt(VCPU);
	model_flushed(true);
	/* It has touched the stack. */
	for (gva_t va = STACK - PAGE_SIZE; va <= STACK; va += PAGE_SIZE) {
		struct translation t = model_walk(va);

		model_check_accessed(va, &t, PF_W, true);
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

	if (!VCPU->paravirtual || guest.linear_set)
		return;
	model_trace("SetLinearMapping");
	guest.linear_set = true;
	stack_word(0, 0);
	vmi_SetLinearMapping(0, LINEAR, pages);
}

static void step_access(void)
{
	gva_t va = some_address();
	u8 a = next();

	if (a & 0x10)
		xen_tlb_drop(va);
	model_access(va, (a & 1 ? PF_W : 0) | (a & 2 ? PF_U : 0) | ((a & 0xC) == 0xC ? PF_I : 0),
		     false);
}

/* What the window answers: nothing that the guest has. */
static void step_window(void)
{
	gva_t va = WINDOW_BASE + below(24) * 0x100000;
	u32 bits = PF_U | (next() & PF_W), mfn, code = 0;
	u64 gpa;

	if (VCPU->paravirtual && model_touch(va, bits, &mfn, &code, &gpa) != FAULT)
		model_failed("at %08x: the window is open to user mode", va);
	if (VCPU->paravirtual && code != bits)
		model_failed("at %08x: error code %x, not %x", va, code, bits);
}

/* --- a script, from its beginning ------------------------------------------------------- */

/* A table behind a directory's entry, and an entry in it. */
static void populate(void)
{
	gva_t va = some_address();
	u32 directory = model.pae && va >> 30 != 3 ? USER_PD + below(4) + (va >> 30)
						   : KERNEL_PD + below(KERNEL_PDS);
	struct place d = {directory, model.pae ? va >> 21 & 511 : va >> 22}, p;
	u64 rights = PTE_P | PTE_RW | PTE_US | PTE_A;

	if (model_is_fixed(d))
		return;
	if (!(model_read(d) & PTE_P))
		model_store(d, (u64)(PTS + below(16)) << 12 | rights);
	p = model_pte(va, model_read(d));
	model_store(p, some_pte());
}

/* The linear mapping, and what the script says. */
static void build_tables(void)
{
	u64 kernel = PTE_P | PTE_RW | PTE_A | PTE_D;

	for (u32 t = 0; t < TABLE_COUNT; t++)
		memset(guest_frame(TABLES + t), 0, PAGE_SIZE);
	memset(model.tables, 0, sizeof(model.tables));
	for (u32 i = 0; i < GUEST_PAGES; i++)
		model_store((struct place){LINEAR_PT + i / entries(), i % entries()},
			    (u64)i << 12 | kernel);
	for (u32 n = 0; n < KERNEL_PDS; n++)
		for (u32 i = 0; i < (model.pae ? 2 : 1); i++)
			model_store((struct place){KERNEL_PD + n, (model.pae ? 0 : 768) + i},
				    (u64)(LINEAR_PT + i) << 12 | kernel);
	for (u32 n = 2 * next(); n; n--)
		populate();
	for (u32 n = 0; model.pae && n < SPACES; n++) {
		struct place p = {space(n) >> 12, (space(n) & 0xFFF) / 8};

		for (u32 slot = 0; slot < 4; slot++, p.index++)
			model_store(p, (u64)(slot == 3 ? KERNEL_PD + n % KERNEL_PDS
						       : USER_PD + n % 4 + slot)
						       << 12 |
					       PTE_P);
	}
	model_flushed(true);
}

static void start(void)
{
	u8 a = next();

	/* As small as a domain may be, or with room; part of it is others'. */
	xen_start(GUEST_PAGES, HOLE, HOLE_PAGES, a & 0x20 ? 160 : 56);
	model.pae = a & 1;
	model.nx = a & 2;
	guest.linear_set = false;
	guest.slots = below(16);
	memset(guest.recent, 0, sizeof(guest.recent));
	guest.set_place = nowhere;
	build_tables();
	*VCPU = (struct vcpu){.cr0 = CR0_PE, .kernel_rpl = 3};
	VCPU->call_esp = WIN_STACK_TOP - 64;
	VCPU->cr4 = model.pae ? CR4_PAE : a & 4 ? CR4_PSE : 0;
	VCPU->efer = model.nx && model.pae ? EFER_NXE : 0;
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
	{46, step_access}, {2, step_many},   {16, step_set},	 {16, step_set_current},
	{14, step_store},  {4, step_update}, {1, step_allocate}, {3, step_release},
	{6, step_cr3},	   {5, step_invlpg}, {5, step_flush},	 {2, step_lazy},
	{2, step_pdpte},   {1, step_cr0},    {1, step_cr4},	 {1, step_init},
	{1, step_linear},  {1, step_window}, {1, step_nx},
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

static __attribute__((noinline)) void run(void)
{
	start();
	for (u32 n = 1; guest.left; n++) {
		step();
		shadow_model_count.steps++;
		if (n % 32 == 0)
			model_check();
	}
	model_check();
	shadow_model_count.evicted += COUNTERS->shadow_evicted;
	shadow_model_count.rewritten += COUNTERS->shadow_rewritten;
}

const char *shadow_play(const u8 *script, size_t bytes, bool trace)
{
	const char *volatile failure = NULL;
	jmp_buf death;

	guest.script = script;
	guest.left = bytes;
	model.trace = trace;
	xen.death = &death;
	if (setjmp(death)) {
		snprintf(model.failure, sizeof(model.failure), "the domain died:\n%s", xen.console);
		failure = model.failure;
	} else if (setjmp(model.out)) {
		failure = model.failure;
	} else {
		run();
	}
	xen.death = NULL;
	return failure;
}

const char *shadow_disorder(void)
{
	if (setjmp(model.out))
		return model.failure;
	model_check_shadow();
	return NULL;
}
