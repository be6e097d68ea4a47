/* SPDX-License-Identifier: GPL-2.0-only */
/* The interrupt flag's calls, IRET, SYSEXIT and GetCycleCounter (entry/pv/vmi_fast.asm). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "asm_clock.h"

#define IF A_EFLAGS_IF
#define NT A_EFLAGS_NT
#define VM A_EFLAGS_VM
#define KERNEL_CS 0x61u
#define USER_CS 0x73u
#define SITE 0xC0200000u /* where IRET was called */

static enum asm_stop stop;
static u8 mask;
static u32 esp;

static void begin(u32 seed)
{
	machine_begin(seed);
	mask = (u8)below(2);
	poke8(A_X_MASK, mask);
	poke8(A_X_PENDING, mask && one_in(2));
	poke(A_V_IF_BELIEVED, one_in(2) ? IF : 0);
	esp = machine.gpr[ESP];
}

static void check_returned(u32 kept)
{
	assert_int_equal(stop, STOP_RETURN);
	assert_int_equal(machine.gpr[ESP], esp);
	assert_int_equal(machine.calls, 0);
	check_kept(kept);
	check_memory();
}

/* --- the calls of the flag ----------------------------------------------------------------- */

static void enable(void)
{
	stop = machine_call("vmi_EnableInterrupts");
}

static void check_enabled(void)
{
	check_returned(ALL_REGISTERS);
	assert_int_equal(peek8(A_X_MASK), 0);
}

static void enable_turns_upcalls_on_and_takes_what_waits(void **state)
{
	(void)state;
	each_moment(20, begin, enable, check_enabled);
}

static void disable(void)
{
	stop = machine_call("vmi_DisableInterrupts");
}

static void check_disabled(void)
{
	check_returned(ALL_REGISTERS);
	assert_int_equal(peek8(A_X_MASK), 1);
}

static void disable_turns_upcalls_off(void **state)
{
	(void)state;
	each_moment(20, begin, disable, check_disabled);
}

static void get_mask(void)
{
	stop = machine_call("vmi_GetInterruptMask");
}

static void check_got_mask(void)
{
	check_returned(ALL_REGISTERS & ~(1u << EAX));
	assert_int_equal(machine.gpr[EAX], mask ? 0 : IF);
	assert_int_equal(peek8(A_X_MASK), mask);
}

static void the_mask_is_the_flags_complement(void **state)
{
	(void)state;
	each_moment(20, begin, get_mask, check_got_mask);
}

static u32 wanted_flags;

static void set_mask(void)
{
	wanted_flags = machine.gpr[EAX];
	stop = machine_call("vmi_SetInterruptMask");
}

static void check_set_mask(void)
{
	check_returned(ALL_REGISTERS);
	assert_int_equal(peek8(A_X_MASK), !(wanted_flags & peek(A_V_IF_BELIEVED)));
}

static void only_the_flag_of_a_mask_counts_and_only_if_it_is_believed(void **state)
{
	(void)state;
	each_moment(40, begin, set_mask, check_set_mask);
}

/* --- IRET ------------------------------------------------------------------------------------ */

static u32 frame[5], words;
static bool inside; /* an event has been taken in the ROM, not behind the return */

static void guest_handles(void)
{
	inside = image_has(peek(peek(A_V_TRAP_ESP)));
}

static void begin_iret(u32 seed)
{
	begin(seed);
	machine.on_event = guest_handles;
	inside = false;
	words = one_in(2) ? 5 : 3;
	frame[0] = 0xC0300000 + below(0x1000);
	frame[1] = words == 5 ? USER_CS : KERNEL_CS;
	frame[2] = (rnd() & 0xCD5) | 2 | (one_in(2) ? IF : 0) | (one_in(3) ? NT : 0);
	frame[3] = rnd();
	frame[4] = 0x7B;
	for (u32 i = words; i--;)
		machine_push(frame[i]);
	esp = machine.gpr[ESP] + words * 4;
	machine_push(SITE);
}

static void iret(void)
{
	stop = machine_run(label("vmi_IRET"));
}

static void check_iret(void)
{
	assert_int_equal(stop, STOP_IRET);
	assert_int_equal(machine.frame_words, words);
	if (words == 3 && (frame[2] & NT))
		frame[2] &= ~NT;
	assert_memory_equal(machine.frame, frame, words * 4);
	assert_int_equal(machine.gpr[ESP], esp);
	assert_int_equal(peek8(A_X_MASK), !(frame[2] & IF));
	check_kept(ALL_REGISTERS);
	if (!machine.taken || inside)
		assert_int_equal(peek(A_V_IRET_SITE), SITE);
	want(A_V_IRET_SITE, peek(A_V_IRET_SITE));
	check_memory();
}

static void iret_goes_where_the_frame_says_and_takes_what_waits_first(void **state)
{
	(void)state;
	each_moment(100, begin_iret, iret, check_iret);
}

/* --- and of virtual-8086 mode ------------------------------------------------------------------
 */

static bool v86_trap(u32 vector)
{
	u32 at = peek(A_V_TRAP_ESP);

	assert_int_equal(vector, 13 | A_VECTOR_HAS_ERROR);
	assert_int_equal(peek(at), 0);
	assert_int_equal(peek(at + 4), label("iret_insn"));
	assert_int_equal(at + 16, esp);
	for (u32 i = 0; i < 5; i++)
		assert_int_equal(peek(esp + i * 4), frame[i]);
	assert_int_equal(peek(A_V_IRET_SITE), SITE);
	assert_int_equal(peek8(A_X_MASK), 1);
	return false;
}

static void a_frame_of_virtual_8086_mode_is_a_fault_where_it_stands(void **state)
{
	(void)state;
	for (u32 seed = 1; seed < 50; seed++) {
		begin_iret(seed);
		frame[2] |= VM;
		poke(machine.gpr[ESP] + 12, frame[2]);
		for (u32 i = 0; i < 5; i++)
			frame[i] = peek(machine.gpr[ESP] + 4 + i * 4);
		esp = machine.gpr[ESP] + 4;
		machine.on_trap = v86_trap;
		iret();
		assert_int_equal(stop, STOP_C);
	}
}

/* --- SYSEXIT
 * -------------------------------------------------------------------------------------- */

static void begin_sysexit(u32 seed)
{
	begin(seed);
	machine.on_event = guest_handles;
	inside = false;
	poke(A_V_SYSEXIT_CS, USER_CS);
	poke(A_V_SYSEXIT_SS, 0x7B);
	machine.eflags |= one_in(2) ? NT : 0;
	frame[0] = machine.gpr[EDX] &= 0x7FFFFFFF;
	frame[1] = USER_CS;
	frame[2] = machine.eflags;
	frame[3] = machine.gpr[ECX];
	frame[4] = 0x7B;
	machine_push(SITE);
}

static void sysexit(void)
{
	stop = machine_run(label("vmi_SYSEXIT"));
}

static void check_sysexit(void)
{
	assert_int_equal(stop, STOP_IRET);
	assert_int_equal(machine.frame_words, 5);
	assert_int_equal(machine.frame[2] & (IF | NT), IF);
	machine.frame[2] = frame[2]; /* of the others nothing is said */
	assert_memory_equal(machine.frame, frame, 20);
	assert_int_equal(peek8(A_X_MASK), 0);
	assert_int_equal(machine.gpr[ESP], esp);
	check_kept(ALL_REGISTERS);
	if (!machine.taken || inside)
		assert_int_equal(peek(A_V_IRET_SITE), SITE);
	want(A_V_IRET_SITE, peek(A_V_IRET_SITE));
	check_memory();
}

static void sysexit_goes_to_edx_with_interrupts_on(void **state)
{
	(void)state;
	each_moment(40, begin_sysexit, sysexit, check_sysexit);
}

/* --- GetCycleCounter ---------------------------------------------------------------- */

static void begin_counter(u32 seed)
{
	begin(seed);
	clock_begin(one_in(8) ? rnd() : below(3));
}

static void get_counter(void)
{
	stop = clock_go();
}

static void check_counter(void)
{
	assert_int_equal(stop, STOP_RETURN);
	assert_int_equal(machine.gpr[ESP], esp);
	assert_int_equal(peek8(A_X_MASK), mask);
	check_kept(KEPT_BY_C);
	clock_check();
}

static void available_time_is_of_one_moment_and_c_is_asked_when_some_was_stolen(void **state)
{
	(void)state;
	each_moment(150, begin_counter, get_counter, check_counter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enable_turns_upcalls_on_and_takes_what_waits),
		cmocka_unit_test(disable_turns_upcalls_off),
		cmocka_unit_test(the_mask_is_the_flags_complement),
		cmocka_unit_test(only_the_flag_of_a_mask_counts_and_only_if_it_is_believed),
		cmocka_unit_test(iret_goes_where_the_frame_says_and_takes_what_waits_first),
		cmocka_unit_test(a_frame_of_virtual_8086_mode_is_a_fault_where_it_stands),
		cmocka_unit_test(sysexit_goes_to_edx_with_interrupts_on),
		cmocka_unit_test(
			available_time_is_of_one_moment_and_c_is_asked_when_some_was_stolen),
	};

	return cmocka_run_group_tests_name("asm_flags", tests, NULL, NULL);
}
