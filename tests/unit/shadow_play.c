/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See shadow_play.h.
 *
 * A step tells the model what it does to the tables; the linear mapping is never
 * changed.
 */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "monitor/pv/mmu/paging.h"
#include "shadow_guest.h"
#include "shadow_play.h"
#include "monitor/vmi/vmi.h"
#include "monitor/binding.h"
#include "monitor/cpu/msr.h"
#include "monitor/pv/mmu/shadow.h"
#include "monitor/vcpu.h"

#define SPACES 5u
#define STACK (LINEAR + 300 * PAGE_SIZE + 0x800)

void vmi_SetCR3(u32 value);
void vmi_InvalPage(gva_t va);
void vmi_FlushTLB(u32 flags);
void vmi_SetLazyMode(u32 mode);
void vmi_SetLinearMapping(u32 slot, gva_t va, u32 pages);

/* --- steps ------------------------------------------------------------------------------- */

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
	u32 cr3 = space(script_below(SPACES));

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
	u32 n = script_below(SPACES), slot = script_below(4);
	struct place p = {space(n) >> 12, (space(n) & 0xFFF) / 8 + slot};
	u64 value = (u64)(slot == 3 ? KERNEL_PD + script_below(KERNEL_PDS) : some_table()) << 12;
	u8 a = script_byte();

	if (!model.pae)
		return;
	if (slot != 3 && a % 16 == 1) /* nothing is there */
		value = (u64)(0x80000 + a) << 12;
	if (slot != 3 && a % 16 == 3) /* the same, but above 4 GB, where nothing is either */
		value = model_read(p) ^ 1ull << (32 + a / 64);
	if (slot == 3 || a % 8)
		value |= PTE_P;
	model_trace("store PDPTE %u of %08x = %llx", slot, space(n), (unsigned long long)value);
	model_store(p, value);
}

static void step_invlpg(void)
{
	gva_t va = some_address();
	u8 a = script_byte();

	model_trace("INVLPG %08x", va);
	space_invlpg(VCPU, va);
	model_access(va, (a & 1 ? PF_W : 0) | (a & 2 ? PF_U : 0), true);
}

static void step_flush(void)
{
	if (!VCPU->paravirtual)
		return;
	model_trace("FlushTLB");
	vmi_FlushTLB(1 + (script_byte() & 1));
	take_pdptes();
	model_flushed(false);
}

static void step_lazy(void)
{
	u32 mode = script_below(3);

	if (!VCPU->paravirtual)
		return;
	model_trace("lazy mode %u", mode);
	vmi_SetLazyMode(mode);
}

static void step_cr0(void)
{
	u32 cr0 = VCPU->cr0 ^ CR0_WP;
	bool drops;

	if (!VCPU->paravirtual && (!(VCPU->cr0 & CR0_PG) || script_byte() % 16 == 0))
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
	if (!VCPU->paravirtual && (VCPU->cr0 & CR0_PG) && !(script_byte() & 3))
		init();
}

static void step_linear(void)
{
	u32 pages = script_byte() & 1 ? GUEST_PAGES : GUEST_PAGES * 2;

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
	u8 a = script_byte();

	if (a & 0x10)
		xen_tlb_drop(va);
	model_access(va, (a & 1 ? PF_W : 0) | (a & 2 ? PF_U : 0) | ((a & 0xC) == 0xC ? PF_I : 0),
		     false);
}

/* What the window answers: nothing that the guest has. */
static void step_window(void)
{
	gva_t va = WINDOW_BASE + script_below(24) * 0x100000;
	u32 bits = PF_U | (script_byte() & PF_W), mfn, code = 0;
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
	u32 directory = model.pae && va >> 30 != 3 ? USER_PD + script_below(4) + (va >> 30)
						   : KERNEL_PD + script_below(KERNEL_PDS);
	struct place d = {directory, model.pae ? va >> 21 & 511 : va >> 22}, p;
	u64 rights = PTE_P | PTE_RW | PTE_US | PTE_A;

	if (model_is_fixed(d))
		return;
	if (!(model_read(d) & PTE_P))
		model_store(d, (u64)(PTS + script_below(16)) << 12 | rights);
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
	for (u32 n = 2 * script_byte(); n; n--)
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
	u8 a = script_byte();

	/* As small as a domain may be, or with room; part of it is others'. */
	xen_start(GUEST_PAGES, HOLE, HOLE_PAGES, a & 0x20 ? 160 : 56);
	model.pae = a & 1;
	model.nx = a & 2;
	guest.linear_set = false;
	guest.slots = script_below(16);
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
	int n = script_byte() & 127;

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
