/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The short cuts of calls on page tables in entry/pv/vmi.asm, against a model of what
 * monitor/pv/mmu/fill_cache.c and vmi_mmu.c do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "asm_machine.h"
#include "include/layout.h"

#define P A_PTE_P
#define A A_PTE_A
#define TABLE 0x20u /* guest frames: the cached table, another, a directory */
#define OTHER 0x21u
#define DIRECTORY 0x22u
#define DIRTY (WIN_BINDING + WIN_BINDING_PAGES * 4096 - 8) /* its end is nobody's */
#define SHADOW_PAGE 3u					   /* of the pool */

enum outcome {
	DONE,	  /* nothing but the store */
	FILLED,	  /* by one hypercall */
	STORED,	  /* C goes on with what is stored */
	IN_TABLE, /* C looks at the fill cache */
	IN_C,	  /* all of the call */
};

static const struct set {
	const char *stub, *in_c, *in_table, *stored;
	u32 bytes;
	bool update;
} sets[] = {
	{"stub_SetPxE", "vmi_SetPxE", "fill_cache_SetPxE", "vmi_SetPxE_stored", 4, false},
	{"stub_SetPxELong", "vmi_SetPxELong", "fill_cache_SetPxELong", "vmi_SetPxELong_stored", 8,
	 false},
	{"stub_UpdatePxE", "vmi_UpdatePxE", "", "vmi_Update_stored", 4, true},
	{"stub_UpdatePxELong", "vmi_UpdatePxELong", "", "vmi_Update_stored", 8, true},
};

static const struct set *set;
static enum asm_stop stop;
static u32 entry, low, high, flags, esp;
static u8 mask;
static u32 reached[IN_C + 1];
static bool shadowed_late; /* an event has made a shadow, of an entry that was old */
static bool cache_left;	   /* an event has changed the fill cache */

#define VMI_CALL(id, slot, name, kind, how, text) ROW_stub_##name,
enum {
#include "rom/calls.def"
};

static u32 counter(void)
{
	static const u32 rows[] = {ROW_stub_SetPxE, ROW_stub_SetPxELong, ROW_stub_UpdatePxE,
				   ROW_stub_UpdatePxELong};

	return A_N_VMI + 4 * rows[set - sets];
}

/* --- the model ------------------------------------------------------------------------ */

static u32 gpfn_of(u32 at)
{
	return (at - LINEAR) >> 12;
}

static bool in_linear_memory(u32 at)
{
	u32 gpfn = gpfn_of(at);

	return gpfn < GUEST_PAGES && (gpfn < HOLE || gpfn >= HOLE_END) && !(at & (set->bytes - 1));
}

static u32 head_of(u32 gpfn)
{
	return peek8(WIN_HEADS + gpfn * 2) | (u32)peek8(WIN_HEADS + gpfn * 2 + 1) << 8;
}

static void set_head(u32 gpfn, u32 head)
{
	poke8(WIN_HEADS + gpfn * 2, (u8)head);
	poke8(WIN_HEADS + gpfn * 2 + 1, (u8)(head >> 8));
}

static bool in_fill_cache(void)
{
	u32 at = peek(set->bytes == 8 ? A_S_FILL_CACHE_LONG_AT : A_S_FILL_CACHE_AT);

	return !set->update && at != A_NO_CACHED_TABLE && (entry & 0xFFFFF000) == at &&
	       !(entry & (set->bytes - 1));
}

/* fill_cache_covers(), entry_is_for() and can_be_filled(), and nothing is queued. */
static bool can_be_filled(void)
{
	u32 pde_at = peek(A_S_FILL_CACHE_PDE_AT);

	return !((peek(A_S_FILL_CACHE_FLAGS) ^ flags) & (0xFFE00000 | A_CURRENT_AS_PT)) &&
	       peek(pde_at) == peek(A_S_FILL_CACHE_PDE) &&
	       peek(pde_at + 4) == peek(A_S_FILL_CACHE_PDE + 4) &&
	       (entry >> 3 & 511) == (flags >> 12 & 511) &&
	       !(high & peek(A_S_FILL_CACHE_BAD_HIGH)) && (low & (P | A)) == (P | A) &&
	       low >> 12 < GUEST_PAGES && peek(WIN_GMFN + (low >> 12) * 4) != ~0u &&
	       !peek8(A_V_LAZY) && !peek(A_S_QUEUED);
}

static enum outcome expected(void)
{
	if (in_fill_cache())
		return set->bytes == 8 && can_be_filled() ? FILLED : IN_TABLE;
	if (!in_linear_memory(entry))
		return IN_C;
	return head_of(gpfn_of(entry)) == A_SHADOW_NONE ? DONE : STORED;
}

/* fill_cache_fill() */
static void check_fill(const struct asm_call *c)
{
	u32 pde[2] = {peek(A_S_FILL_CACHE_PDE), peek(A_S_FILL_CACHE_PDE + 4)},
	    va = flags & 0xFFFFF000;
	u32 mfn = MFN(low >> 12), slot = peek(A_S_FILL_CACHE_L1) + (va >> 12 & 511) * 8;
	u32 write = low & A_PTE_D ? A_PTE_RW : 0;

	assert_int_equal(c->gpr[EAX], A_HYPERCALL_UPDATE_VA);
	assert_int_equal(c->gpr[EBX], va);
	assert_int_equal(c->gpr[ECX],
			 mfn << 12 | P | A | A_PTE_D | (pde[0] & low & (A_PTE_US | write)));
	assert_int_equal(c->gpr[EDX], mfn >> 20 | ((pde[1] | high) & 1u << 31));
	assert_int_equal(c->gpr[ESI], peek(slot) & P ? A_UVMF_INVLPG : 0);
	want(DIRTY + (va >> 20 & 1) * 4,
	     before(DIRTY + (va >> 20 & 1) * 4) | 1u << (va >> 15 & 31));
	want(A_N_WANTED, before(A_N_WANTED) + 1);
	want(A_N_UPDATE_VA, before(A_N_UPDATE_VA) + 1);
}

/* --- states ---------------------------------------------------------------------------- */

static void some_table_cached(u32 table)
{
	bool wide = !one_in(4);
	u32 pde_at = LINEAR + DIRECTORY * 4096 + below(512) * 8;

	poke(A_S_FILL_CACHE_AT, LINEAR + table * 4096);
	poke(A_S_FILL_CACHE_LONG_AT, wide ? LINEAR + table * 4096 : A_NO_CACHED_TABLE);
	poke(A_S_FILL_CACHE_FLAGS, below(0x7A0) << 21 | A_CURRENT_AS_PT);
	poke(A_S_FILL_CACHE_PDE_AT, pde_at);
	poke(A_S_FILL_CACHE_L1, WIN_POOL + below(4) * 4096);
	poke(A_S_FILL_CACHE_DIRTY, DIRTY);
	poke(A_S_FILL_CACHE_BAD_HIGH, one_in(2) ? 0x000FFFFF : 0x800FFFFF);
	poke(A_S_FILL_CACHE_PDE, rnd() | P);
	poke(A_S_FILL_CACHE_PDE + 4, wide && one_in(4) ? 1u << 31 : 0);
	poke(pde_at, peek(A_S_FILL_CACHE_PDE));
	poke(pde_at + 4, peek(A_S_FILL_CACHE_PDE + 4));
	if (one_in(8))
		poke(pde_at + 4 * below(2), rnd());
}

static void nothing_cached(void)
{
	poke(A_S_FILL_CACHE_AT, A_NO_CACHED_TABLE);
	poke(A_S_FILL_CACHE_LONG_AT, A_NO_CACHED_TABLE);
}

static u32 some_entry(void)
{
	static const u32 odd[] = {0, 1, 4, 8, 12, WIN_TEXT, WIN_TEXT + 8, WIN_VCPU, ~7u, ~0u};
	static const u32 frames[] = {TABLE,	      TABLE,	   TABLE,    TABLE, TABLE,
				     OTHER,	      OTHER,	   HOLE - 1, HOLE,  HOLE_END,
				     GUEST_PAGES - 1, GUEST_PAGES, 0x5FF,    0x600, 0x800};
	u32 at = LINEAR + frames[below(ARRAY_SIZE(frames))] * 4096 +
		 below(4096 / set->bytes) * set->bytes;

	if (one_in(16))
		return one_in(2) ? odd[below(ARRAY_SIZE(odd))] : rnd();
	return one_in(12) ? at + 1 + below(set->bytes - 1) : at;
}

/* An entry's value and the flags, as a guest would have them in the cached table, or nearly. */
static void some_arguments(void)
{
	low = (below(GUEST_PAGES + 40) << 12) | (rnd() & 0xFFF) | (one_in(8) ? 0 : P | A);
	high = one_in(3) ? 1u << 31 : one_in(8) ? rnd() : 0;
	flags = peek(A_S_FILL_CACHE_FLAGS) | (entry >> 3 & 511) << 12 | (rnd() & 0xFEE);
	if (one_in(4))
		flags ^= 1u << below(32);
}

static void prepare(u32 seed)
{
	machine_begin(seed * 4 + (u32)(set - sets));
	mask = (u8)below(2);
	poke8(A_X_MASK, mask);
	shadowed_late = cache_left = false;
	for (u32 i = 0; i < 4; i++)
		poke(WIN_POOL + i * 4096 + below(512) * 8, P);
	some_table_cached(TABLE);
	entry = some_entry();
	some_arguments();
	poke(peek(A_S_FILL_CACHE_L1) + (flags >> 12 & 511) * 8, below(2) * P);
	if (one_in(6))
		nothing_cached();
	if (one_in(2))
		set_head(TABLE, SHADOW_PAGE);
	if (one_in(2))
		set_head(OTHER, SHADOW_PAGE);
	poke8(A_V_LAZY, one_in(6));
	poke(A_S_QUEUED, one_in(6));
	if (one_in(8))
		machine.result = (u32)-22;
	else
		machine.result = 0;
	machine.gpr[EAX] = set->update ? entry : low;
	machine.gpr[EDX] = set->update ? flags : set->bytes == 8 ? high : entry;
	machine.gpr[ECX] = set->update ? rnd() : set->bytes == 8 ? entry : flags;
	machine_push(flags);
	esp = machine.gpr[ESP];
}

/* The guest's handler, or the monitor, meanwhile: a shadow is made of what the entry is
 * then; another table is cached, or none. */
static void meanwhile(void)
{
	if (in_linear_memory(entry) && head_of(gpfn_of(entry)) == A_SHADOW_NONE && one_in(2)) {
		set_head(gpfn_of(entry), SHADOW_PAGE);
		shadowed_late = peek(entry) != low || (set->bytes == 8 && peek(entry + 4) != high);
	}
	if (one_in(3)) {
		cache_left = true;
		nothing_cached();
	} else if (one_in(2)) {
		cache_left = true;
		some_table_cached(OTHER);
	}
}

/* What has to be so when C or Xen is called. */
static bool called(struct asm_call *c)
{
	if (!strcmp(c->name, "hypercall")) {
		assert_true(in_fill_cache() && can_be_filled());
		assert_int_equal(c->mask, 1);
		check_fill(c);
	} else if (!strcmp(c->name, set->in_table)) {
		assert_true(in_fill_cache() || cache_left);
	}
	return strcmp(c->name, "pool_l1_refused") != 0;
}

static void go(void)
{
	machine.on_event = meanwhile;
	machine.on_c = called;
	stop = machine_call(set->stub);
}

/* --- what has become of it ---------------------------------------------------------------- */

static enum outcome outcome(void)
{
	const char *name = machine.calls ? machine.call[0].name : "";

	if (!machine.calls)
		return DONE;
	if (!strcmp(name, "hypercall"))
		return FILLED;
	if (!strcmp(name, set->stored))
		return STORED;
	if (!strcmp(name, set->in_table))
		return IN_TABLE;
	assert_string_equal(name, set->in_c);
	return IN_C;
}

static void check_arguments(enum outcome o)
{
	const struct asm_call *c = machine.call;
	bool is_long = set->bytes == 8;

	if (o == STORED) {
		assert_int_equal(c->gpr[EAX], gpfn_of(entry));
		assert_int_equal(c->gpr[EDX], entry);
		assert_int_equal(c->gpr[ECX], flags);
	} else if (o == IN_TABLE || o == IN_C) {
		assert_int_equal(c->gpr[EAX], set->update ? entry : low);
		assert_int_equal(c->gpr[EDX], set->update ? flags : is_long ? high : entry);
		if (!set->update)
			assert_int_equal(c->gpr[ECX], is_long ? entry : flags);
		if (!set->update && is_long)
			assert_int_equal(c->argument[0], flags);
	}
}

/* May it end so, whenever an event has come? */
static void check_sound(enum outcome o)
{
	if (o == DONE)
		assert_false(!set->update && shadowed_late);
	if (o == DONE || o == STORED)
		assert_true(in_linear_memory(entry));
}

static void check_end(enum outcome o)
{
	if (o == FILLED && (u32)machine.result) {
		assert_int_equal(stop, STOP_C);
		assert_string_equal(machine.call[1].name, "pool_l1_refused");
		assert_int_equal(machine.call[1].gpr[EAX], flags & 0xFFFFF000);
		assert_int_equal(machine.call[1].gpr[EDX], (u32)machine.result);
		return;
	}
	assert_int_equal(stop, STOP_RETURN);
	assert_int_equal(machine.calls, o != DONE);
	assert_int_equal(machine.gpr[ESP], esp);
	assert_int_equal(peek8(A_X_MASK), mask);
	check_kept(KEPT_BY_C);
	check_memory();
}

static void check(void)
{
	enum outcome o = outcome();

	reached[o]++;
	check_arguments(o);
	check_sound(o);
	if (!machine.sent)
		assert_int_equal(o, expected());
	if (!set->update && o != IN_C && !(o == IN_TABLE && set->bytes == 4)) {
		want(entry, low);
		if (set->bytes == 8)
			want(entry + 4, high);
	}
	want(counter(), before(counter()) + 1);
	check_end(o);
}

static void a_short_cut_does_what_c_would(void **state)
{
	(void)state;
	for (set = sets; set < sets + ARRAY_SIZE(sets); set++) {
		memset(reached, 0, sizeof(reached));
		each_state(3000, prepare, go, check);
		for (enum outcome o = DONE; o <= IN_C; o++)
			if ((o != FILLED && o != IN_TABLE) || (!set->update && set->bytes == 8))
				assert_in_range(reached[o], 50, 3000);
	}
}

static void no_event_makes_a_shadow_old_or_a_fill_wrong(void **state)
{
	(void)state;
	for (set = sets; set < sets + ARRAY_SIZE(sets); set++)
		each_moment(100, prepare, go, check);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_short_cut_does_what_c_would),
		cmocka_unit_test(no_event_makes_a_shadow_old_or_a_fill_wrong),
	};

	return cmocka_run_group_tests_name("asm_set", tests, NULL, NULL);
}
