/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls of entry/pvh/ that are done in ring 1, or in ring 0 without C. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <unicorn/unicorn.h>

#include "asm_clock.h"
#include "asm_pvh.h"
#include "monitor/pvh/pvh.h"

#define IF A_EFLAGS_IF
#define CR4_PAE A_CR4_PAE

static enum asm_stop stop;
static u32 esp;

static void check_returned(u32 kept)
{
	pvh_check_events();
	assert_int_equal(stop, STOP_RETURN);
	assert_int_equal(machine.gpr[ESP], esp);
	check_kept(kept);
}

static void begin(u32 seed)
{
	pvh_begin(seed);
	esp = machine.gpr[ESP];
}

/* --- the flag ------------------------------------------------------------------------------ */

static u32 wanted_flags;

static void set_mask(void)
{
	wanted_flags = machine.gpr[EAX];
	stop = machine_call("vmi_SetInterruptMask");
}

static void check_set_mask(void)
{
	check_returned(ALL_REGISTERS);
	assert_int_equal(pvh_vif(), (wanted_flags & IF) != 0);
	check_memory();
}

static void only_the_flag_of_a_mask_counts(void **state)
{
	(void)state;
	each_moment(30, begin, set_mask, check_set_mask);
}

static void get_mask(void)
{
	stop = machine_call("vmi_GetInterruptMask");
}

static void check_got_mask(void)
{
	check_returned(ALL_REGISTERS & ~(1u << EAX));
	assert_int_equal(machine.gpr[EAX], pvh_flag ? IF : 0);
	check_memory();
}

static void the_mask_is_the_flag(void **state)
{
	(void)state;
	each_moment(10, begin, get_mask, check_got_mask);
}

/* --- the clock ------------------------------------------------------------------- */

static void begin_counter(u32 seed)
{
	begin(seed);
	clock_begin(below(3));
}

static void get_counter(void)
{
	stop = clock_go();
}

static void check_counter(void)
{
	check_returned(KEPT_BY_C);
	clock_check();
}

static void available_time_is_of_one_moment(void **state)
{
	(void)state;
	each_moment(100, begin_counter, get_counter, check_counter);
}

/* --- descriptors -------------------------------------------------------------------------------
 */

#define TABLE GUEST_STACK + 0x1000

static u32 slot, low, high;
static bool same;

static void begin_entry(u32 seed)
{
	begin(seed);
	slot = 64 + below(40); /* the first are the machine's own */
	low = rnd();
	high = rnd();
	poke(A_V_GDTR_BASE, TABLE);
	poke(A_V_GDT_ENTRIES, 96);
	poke(WIN_GDT + slot * 8, low);
	poke(WIN_GDT + slot * 8 + 4, high ^ (one_in(2) ? A_DESCRIPTOR_ACCESSED : 0));
	same = slot < 96;
	if (one_in(3)) {
		u32 bit = below(64);

		same = same && bit == 40; /* the accessed bit, 8 of the high word */
		if (bit != 40)
			poke(WIN_GDT + slot * 8 + bit / 32 * 4,
			     peek(WIN_GDT + slot * 8 + bit / 32 * 4) ^ 1u << bit % 32);
	}
	machine.gpr[EAX] = TABLE;
	if (one_in(8)) {
		machine.gpr[EAX] += 8;
		same = false;
	}
	machine.gpr[EDX] = slot;
	machine.gpr[ECX] = low;
	machine_push(high);
	esp = machine.gpr[ESP];
}

static void write_entry(void)
{
	stop = machine_call("stub_WriteGDTEntry");
}

static void check_entry(void)
{
	check_returned(KEPT_BY_C);
	assert_int_equal(machine.calls, !same);
	if (same) {
		assert_int_equal(peek(TABLE + slot * 8), low);
		assert_int_equal(peek(TABLE + slot * 8 + 4), high);
	} else {
		assert_int_equal(machine.call[0].gpr[ECX], low);
		assert_int_equal(machine.call[0].argument[0], high);
	}
}

static void an_entry_that_the_processor_has_is_written_without_c(void **state)
{
	(void)state;
	each_state(2000, begin_entry, write_entry, check_entry);
	each_moment(20, begin_entry, write_entry, check_entry);
}

/* --- page tables
 * ---------------------------------------------------------------------------------- */

/* An entry that C need not see is stored as C would store it. */
static u32 entry_at, entry_low, entry_high;
static bool entry_is_long, stored;

static void begin_set(u32 seed)
{
	static const u32 frames[] = {0,	       0x1000,	  0x12345000, PCI_HOLE - 0x1000,
				     PCI_HOLE, 0xFEBF0000};

	begin(seed);
	entry_is_long = one_in(2);
	entry_low = frames[below(ARRAY_SIZE(frames))] | (rnd() & 0xFFF);
	entry_high = rnd();
	entry_at = TABLE + below(16);
	if (one_in(8))
		entry_at = WINDOW_BASE + (entry_at & 0xFF8);
	stored = entry_low < PCI_HOLE && entry_at < WINDOW_BASE &&
		 !(entry_at & (entry_is_long ? 7 : 3));
	machine.gpr[EAX] = entry_low;
	machine.gpr[EDX] = entry_is_long ? entry_high : entry_at;
	machine.gpr[ECX] = entry_is_long ? entry_at : rnd();
}

static void set_entry(void)
{
	stop = machine_call(entry_is_long ? "stub_SetPxELong" : "stub_SetPxE");
}

static void check_set(void)
{
	check_returned(KEPT_BY_C);
	assert_int_equal(machine.calls, !stored);
	if (!stored) {
		assert_string_equal(machine.call[0].name,
				    entry_is_long ? "vmi_SetPxELong" : "vmi_SetPxE");
		return;
	}
	want(entry_at, entry_low);
	if (entry_is_long)
		want(entry_at + 4, entry_high);
	check_memory();
}

static void an_entry_that_leads_to_memory_is_set_without_c(void **state)
{
	(void)state;
	each_state(2000, begin_set, set_entry, check_set);
	each_moment(20, begin_set, set_entry, check_set);
}

#define LIMIT (HOLE * 4096)

static u32 top;
static bool loads;

static void begin_cr3(u32 seed)
{
	bool wide, in_reach, has_window = one_in(2), present = !one_in(4);
	u32 pde = rnd(), directory = (0x40 + below(8)) * 4096;

	begin(seed);
	wide = one_in(2);
	in_reach = !one_in(4);
	poke(A_V_CR4, wide ? CR4_PAE : 0);
	poke(A_V_LINEAR_BASE, LINEAR);
	poke(A_V_LINEAR_LIMIT, LIMIT);
	poke(A_V_NARROW_LIMIT, wide ? 0 : LIMIT);
	poke(A_V_WINDOW_PDE, pde);
	top = machine.gpr[EAX] = (0x30 + below(8)) * 4096;
	if (wide) {
		poke(LINEAR + top + 24, directory | present | (in_reach ? 0 : 0x01000000));
		poke(LINEAR + directory + (WINDOW_BASE >> 21 & 511) * 8, has_window ? pde : ~pde);
		loads = has_window && present && in_reach;
	} else {
		poke(LINEAR + top + (WINDOW_BASE >> 22) * 4, has_window ? pde : ~pde);
		if (!in_reach)
			machine.gpr[EAX] = LIMIT + top;
		loads = has_window && in_reach;
	}
}

static void set_cr3(void)
{
	stop = machine_call("stub_SetCR3");
}

static void check_cr3(void)
{
	check_returned(KEPT_BY_C);
	assert_int_equal(machine.calls, 1);
	assert_string_equal(machine.call[0].name, loads ? "mov to cr" : "vmi_SetCR3");
	if (!loads)
		return;
	assert_int_equal(machine.cr[3], top);
	assert_int_equal(peek(A_V_CR3), top);
}

static void a_directory_with_the_window_is_loaded_without_c(void **state)
{
	(void)state;
	each_state(500, begin_cr3, set_cr3, check_cr3);
	each_moment(20, begin_cr3, set_cr3, check_cr3);
}

/* --- CR0.TS ---------------------------------------------------------------------------------- */

#define OTHER_BITS 0x80050033u

static u32 cr0;
static u8 ts_real;
static bool ts_alone;

static void begin_cr0(u32 seed)
{
	begin(seed);
	ts_alone = one_in(2);
	ts_real = one_in(2);
	cr0 = OTHER_BITS | (one_in(2) ? A_CR0_TS : 0);
	poke(A_V_CR0, (OTHER_BITS | (one_in(2) ? A_CR0_TS : 0)) ^ (ts_alone ? 0 : 0x10000));
	poke8(A_V_TS_REAL, ts_real);
	poke8(A_V_TS_DUE, one_in(2));
	machine.gpr[EAX] = cr0;
}

static void set_cr0(void)
{
	stop = machine_call("stub_SetCR0");
}

static void check_cr0(void)
{
	bool set = cr0 & A_CR0_TS;

	check_returned(KEPT_BY_C);
	if (!ts_alone) {
		assert_int_equal(machine.calls, 1);
		assert_string_equal(machine.call[0].name, "vmi_SetCR0");
		assert_int_equal(machine.call[0].gpr[EAX], cr0);
		return;
	}
	assert_int_equal(machine.calls, !set && ts_real);
	if (machine.calls)
		assert_string_equal(machine.call[0].name, "clts");
	assert_int_equal(peek(A_V_CR0), cr0);
	assert_int_equal(peek8(A_V_TS_DUE), set && !ts_real);
	assert_int_equal(peek8(A_V_TS_REAL), set && ts_real);
}

static void a_change_of_ts_alone_is_no_exit_but_to_clear_it(void **state)
{
	(void)state;
	each_state(200, begin_cr0, set_cr0, check_cr0);
	each_moment(20, begin_cr0, set_cr0, check_cr0);
}

/* --- what ring 0 does in an instruction
 * -------------------------------------------------------------- */

static const struct {
	const char *stub, *name;
	u32 eax;
} quick[] = {
	{"stub_FlushTLB", "mov to cr", 1},
	{"stub_InvalPage", "invlpg", 0xC0123000},
	{"stub_InvalPage", "vmi_InvalPage", FIXMAP_FROM},
	{"stub_CLTS", "clts", 0},
};
static u32 nth;

static void begin_quick(u32 seed)
{
	begin(seed);
	machine.gpr[EAX] = quick[nth].eax;
	machine.cr[3] = 0x12345000;
	poke8(A_V_TS_REAL, 1);
	poke(A_V_CR0, 0x80050033 | A_CR0_TS);
}

static void do_quick(void)
{
	stop = machine_call(quick[nth].stub);
}

static void check_quick(void)
{
	check_returned(KEPT_BY_C);
	assert_int_equal(machine.calls, 1);
	assert_string_equal(machine.call[0].name, quick[nth].name);
	assert_int_equal(machine.cr[3], 0x12345000);
	if (nth == 3)
		assert_true(!peek8(A_V_TS_REAL) && !(peek(A_V_CR0) & A_CR0_TS));
}

static void tlb_and_ts_are_ring_0s_in_an_instruction(void **state)
{
	(void)state;
	for (nth = 0; nth < ARRAY_SIZE(quick); nth++)
		each_moment(3, begin_quick, do_quick, check_quick);
}

/* --- the way out before Init -------------------------------------------------------------------
 */

#define SELECTOR(i) (0x400u + (i)*8) /* of ES, of DS */

static u32 gone; /* bit for each of the two: its entry cannot be loaded any more */

static void begin_exit(u32 seed)
{
	begin(seed);
	gone = seed; /* not both: unicorn makes a third exception the machine's end */
	poke8(A_V_PARAVIRTUAL, 0);
	for (u32 i = 0; i < 2; i++) {
		u32 reload = i ? A_V_RELOAD_DS : A_V_RELOAD_ES;

		poke(i ? A_V_DS : A_V_ES, SELECTOR(i));
		poke(reload + A_RELOAD_SLOT, WIN_GDT + SELECTOR(i));
		poke(reload + A_RELOAD_TAKEN, 0x0000FFFF);
		poke(reload + A_RELOAD_TAKEN + 4, gone & 1u << i ? 0 : 0x00CFF300);
		poke(reload + A_RELOAD_SHUT, 0x5A5A0000 + i);
		poke(reload + A_RELOAD_SHUT + 4, 0x6B);
	}
	poke(A_V_EXIT_ESP, A_WIN_STACK_TOP - 20);
	for (u32 i = 0; i < 5; i++)
		poke(A_WIN_STACK_TOP - 20 + i * 4, i == 1 ? 0x61 : 0xC0300000);
	for (u32 i = 0; i < 8; i++)
		poke(A_V_EAX + i * 4, rnd());
	machine.ring0 = true;
	machine.gpr[ESP] = A_WIN_STACK_TOP - 64;
}

/* nested_trap() goes on where the table says. */
static void go_out(void)
{
	u32 table = label("fixup_table"), at = label("exit_guest");

	while ((stop = machine_run(at)) == STOP_EXCEPTION)
		for (u32 i = 0; i < peek(label("fixup_count")); i++)
			if (WIN_TEXT + peek(table + i * 8) == machine.eip)
				at = WIN_TEXT + peek(table + i * 8 + 4);
}

static void a_register_takes_again_what_its_entry_was_and_the_entry_is_shut(void **state)
{
	(void)state;
	for (u32 seed = 0; seed < 3; seed++) {
		begin_exit(seed);
		go_out();
		assert_int_equal(stop, STOP_IRET);
		for (u32 i = 0; i < 8; i++)
			if (i != ESP)
				assert_int_equal(machine.gpr[i], peek(A_V_EAX + i * 4));
		for (u32 i = 0; i < 2; i++) {
			assert_int_equal(selector(i ? UC_X86_REG_DS : UC_X86_REG_ES),
					 gone & 1u << i ? 0 : SELECTOR(i));
			want(WIN_GDT + SELECTOR(i), 0x5A5A0000 + i);
			want(WIN_GDT + SELECTOR(i) + 4, 0x6B);
		}
		check_memory();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_flag_of_a_mask_counts),
		cmocka_unit_test(the_mask_is_the_flag),
		cmocka_unit_test(available_time_is_of_one_moment),
		cmocka_unit_test(an_entry_that_the_processor_has_is_written_without_c),
		cmocka_unit_test(an_entry_that_leads_to_memory_is_set_without_c),
		cmocka_unit_test(a_directory_with_the_window_is_loaded_without_c),
		cmocka_unit_test(a_change_of_ts_alone_is_no_exit_but_to_clear_it),
		cmocka_unit_test(tlb_and_ts_are_ring_0s_in_an_instruction),
		cmocka_unit_test(a_register_takes_again_what_its_entry_was_and_the_entry_is_shut),
	};

	return cmocka_run_group_tests_name("asm_pvh_short", tests, NULL, NULL);
}
