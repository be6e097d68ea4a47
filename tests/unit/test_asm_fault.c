/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The short way of a page fault of user mode in entry/pv/traps.asm, against a model of
 * walk_guest() and permitted(): what it gives the guest is what C would.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "asm_machine.h"
#include "include/layout.h"

#define P A_PTE_P
#define RW A_PTE_RW
#define US A_PTE_US
#define PSE 0x80u
#define DIRECTORY (LINEAR + 0x22 * 4096)
#define HANDLER 0xC0345678u
#define KERNEL_CS 0x61u
#define USER_CS 0x73u
#define PF 14u

static enum asm_stop stop;
static bool wide, to_c;
static u32 va, error, frame[5], esp;
static u32 directory_at, pde_at, pte_at; /* 0: there is none, or none can be seen */

/* --- states ------------------------------------------------------------------------------ */

static void some_entry_for(u32 at, u32 frame_number)
{
	u32 low = frame_number << 12 | (rnd() & 0xE00) | (one_in(3) ? 0 : P) |
		  (one_in(2) ? RW : 0) | (one_in(2) ? US : 0) | (one_in(12) ? PSE : 0);

	poke(at, low);
	if (wide)
		poke(at + 4, one_in(10) ? rnd() : one_in(4) ? 1u << 31 : 0);
}

static void some_tables(void)
{
	static const u32 frames[] = {0x30,	  0x31, 0x32, HOLE + 1, GUEST_PAGES - 1,
				     GUEST_PAGES, 0x700};
	u32 table = one_in(10) ? rnd() >> 12 : frames[below(ARRAY_SIZE(frames))],
	    size = wide ? 8 : 4;

	directory_at = one_in(10) ? 0 : DIRECTORY;
	poke(A_V_DIRECTORY + (va >> 30) * 4, directory_at);
	pde_at = DIRECTORY + (wide ? (va >> 21 & 511) * 8 : (va >> 22) * 4);
	some_entry_for(pde_at, table);
	pte_at = 0;
	if (table >= GUEST_PAGES || (table >= HOLE && table < HOLE_END))
		return;
	pte_at = LINEAR + table * 4096 + (va >> 12 & (4096 / size - 1)) * size;
	some_entry_for(pte_at, rnd() >> 12);
}

static bool trap(u32 vector)
{
	assert_int_equal(vector, PF | A_VECTOR_HAS_ERROR);
	to_c = true;
	for (u32 i = 0; i < 8; i++)
		if (i != ESP)
			assert_int_equal(peek(A_V_EAX + i * 4), before(A_V_EAX + i * 4));
	return false;
}

static void prepare(u32 seed)
{
	machine_begin(seed);
	to_c = false;
	machine.on_trap = trap;
	poke8(A_X_MASK, 1);
	wide = one_in(2);
	va = rnd() % WINDOW_BASE;
	error = A_PF_U | (one_in(2) ? A_PF_W : one_in(2) ? A_PF_I : 0) | below(2);
	poke(A_X_CR2, va);
	poke(A_V_CR4, (rnd() & ~A_CR4_PAE) | (wide ? A_CR4_PAE : 0));
	poke(A_V_EFER, one_in(6) ? 0 : A_EFER_NXE);
	poke(A_V_PAGE_FAULT, one_in(16) ? 0 : HANDLER);
	poke(A_V_PAGE_FAULT + 4, KERNEL_CS | rnd() << 16);
	poke(A_S_QUEUED, one_in(10));
	some_tables();
	frame[0] = rnd();
	frame[1] = one_in(10) ? KERNEL_CS : USER_CS;
	frame[2] = rnd() | 0x200;
	frame[3] = rnd();
	frame[4] = 0x7B;
	for (u32 i = 5; i--;)
		machine_push(i == 1 ? frame[i] | rnd() << 16 : frame[i]);
	machine_push(error);
	esp = machine.gpr[ESP];
	/* what trap_common would save */
	for (u32 i = 0; i < 8; i++)
		poke(A_V_EAX + i * 4, machine.gpr[i]);
}

static void go(void)
{
	stop = machine_run(label("trap_14"));
}

/* --- the model ---------------------------------------------------------------------------- */

/* The error code that the guest has of its own tables; 0: they permit the access, or C
 * has to look. */
static u32 refusal(void)
{
	u32 code = A_PF_U | (error & (A_PF_W | (wide ? A_PF_I : 0)));
	u32 pde = peek(pde_at), pte;

	if (!(pde & P))
		return code;
	if ((pde & PSE) || !pte_at)
		return 0;
	pte = peek(pte_at);
	if (!(pte & P))
		return code;
	return (error & A_PF_W) && !(pte & RW) ? code | A_PF_P : 0;
}

static bool is_simple(void)
{
	return peek(A_V_PAGE_FAULT) && frame[1] == USER_CS && !peek(A_S_QUEUED) && directory_at &&
	       (!wide || (peek(A_V_EFER) && !(peek(pde_at + 4) & 0x7FFFFFFF)));
}

static void check_reflected(void)
{
	assert_int_equal(stop, STOP_JUMP);
	assert_int_equal(machine.frame[0], HANDLER);
	assert_int_equal(machine.frame[1], KERNEL_CS);
	assert_int_equal(machine.gpr[ESP], esp);
	check_kept(ALL_REGISTERS);
	want(esp, refusal());
	for (u32 i = 0; i < 5; i++)
		want(esp + 4 + i * 4, frame[i]);
	want(A_V_CR2, va);
	want(A_N_PAGE_FAULT, before(A_N_PAGE_FAULT) + 1);
	want(A_N_FAULT_USER, before(A_N_FAULT_USER) + 1);
	check_memory();
}

static void check(void)
{
	bool reflect = is_simple() && refusal();

	assert_int_equal(to_c, !reflect);
	assert_int_equal(peek8(A_X_MASK), 1);
	if (reflect) {
		check_reflected();
		return;
	}
	assert_int_equal(stop, STOP_C);
	assert_int_equal(peek(A_V_TRAP_ESP), esp);
	for (u32 i = 0; i < 6; i++)
		assert_int_equal(peek(esp + i * 4), before(esp + i * 4));
	want(A_V_CR2, before(A_V_CR2));
	check_memory();
}

static void what_the_guests_tables_refuse_is_the_guests_and_all_else_cs(void **state)
{
	(void)state;
	each_state(4000, prepare, go, check);
}

static void an_event_waits_until_the_fault_is_the_guests(void **state)
{
	(void)state;
	each_moment(40, prepare, go, check);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_guests_tables_refuse_is_the_guests_and_all_else_cs),
		cmocka_unit_test(an_event_waits_until_the_fault_is_the_guests),
	};

	return cmocka_run_group_tests_name("asm_fault", tests, NULL, NULL);
}
