/* SPDX-License-Identifier: GPL-2.0-only */
/* The ways from Xen into C and back, and what C has from entry/pv/traps.asm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <unicorn/unicorn.h>

#include "asm_machine.h"
#include "include/layout.h"

#define IF A_EFLAGS_IF
#define KERNEL_CS 0x61u
#define USER_CS 0x73u
#define USER_DS 0x7Bu
#define FLAT_CS 0xE019u
#define FLAT_DS 0xE021u
#define USER_EIP 0x08048000u
#define KERNEL_SS 0x69u

static enum asm_stop stop;
static u32 vector, frame[5], words, esp, was[8];
static u32 after[8], frame_after[5]; /* what the monitor makes of them */

static bool has_error(u32 n)
{
	return n == 8 || (n >= 10 && n <= 14) || n == 17;
}

/* --- a trap, and the guest goes on elsewhere -------------------------------------------- */

/* monitor_trap(): the guest's registers are in struct vcpu, and become others. */
static bool monitor(u32 how)
{
	assert_int_equal(how, vector | (has_error(vector) ? A_VECTOR_HAS_ERROR : 0));
	assert_int_equal(machine.gpr[ESP], A_WIN_STACK_TOP - 4);
	assert_int_equal(machine.eflags & 0x400, 0);
	assert_int_equal(selector(UC_X86_REG_DS), FLAT_DS);
	assert_int_equal(selector(UC_X86_REG_ES), FLAT_DS);
	assert_int_equal(peek(A_V_DS), USER_DS);
	assert_int_equal(peek(A_V_ES), 0);
	assert_int_equal(peek(A_V_SS), KERNEL_SS);
	assert_int_equal(peek(A_V_TRAP_ESP), esp);
	for (u32 i = 0; i < words; i++)
		assert_int_equal(peek(esp + (has_error(vector) ? 4 : 0) + i * 4), frame[i]);
	for (u32 i = 0; i < 8; i++) {
		if (i == ESP)
			continue;
		assert_int_equal(peek(A_V_EAX + i * 4), was[i]);
		poke(A_V_EAX + i * 4, after[i]);
	}
	poke(A_V_EXIT_ESP, GUEST_STACK - 512);
	for (u32 i = 0; i < 5; i++)
		poke(GUEST_STACK - 512 + i * 4, frame_after[i]);
	poke(A_V_SS, 0x71);
	machine.on_trap = NULL; /* events are taken from now on */
	return true;
}

static void prepare(u32 seed)
{
	machine_begin(seed);
	machine.on_trap = monitor;
	poke8(A_X_MASK, 1);
	poke8(A_X_PENDING, one_in(4));
	poke(A_V_PAGE_FAULT, 0);
	set_selector(UC_X86_REG_ES, 0);
	machine.ss = KERNEL_SS;
	machine.eflags |= one_in(2) ? 0x400 : 0;
	words = one_in(2) ? 5 : 3;
	for (u32 i = 0; i < 5; i++)
		frame[i] = rnd() & 0x7FFFFFFF;
	frame[1] = words == 5 ? USER_CS : KERNEL_CS;
	for (u32 i = words; i--;)
		machine_push(frame[i]);
	if (has_error(vector))
		machine_push(rnd());
	esp = machine.gpr[ESP];
	memcpy(was, machine.gpr, sizeof(was));
	for (u32 i = 0; i < 8; i++)
		after[i] = rnd();
	frame_after[0] = USER_EIP;
	frame_after[1] = USER_CS;
	frame_after[2] = one_in(2) ? IF : 0;
	frame_after[3] = rnd();
	frame_after[4] = USER_DS;
}

static void go(void)
{
	char name[16];

	snprintf(name, sizeof(name), "trap_%u", vector);
	stop = machine_run(label(name));
}

static void check(void)
{
	assert_int_equal(stop, STOP_IRET);
	assert_memory_equal(machine.frame, frame_after, sizeof(frame_after));
	for (u32 i = 0; i < 8; i++)
		if (i != ESP)
			assert_int_equal(machine.gpr[i], after[i]);
	assert_int_equal(machine.ss, 0x71);
	assert_int_equal(selector(UC_X86_REG_DS), USER_DS);
	assert_int_equal(selector(UC_X86_REG_ES), 0);
	assert_int_equal(peek8(A_X_MASK), !(frame_after[2] & IF));
	check_memory();
}

static void a_trap_has_all_of_the_guest_and_goes_on_with_what_the_monitor_made_of_it(void **state)
{
	(void)state;
	for (vector = 0; vector < 32; vector++)
		if (vector != 2)
			each_moment(4, prepare, go, check);
}

/* A selector that cannot be loaded: nested_trap() goes on where the table says. */
static void a_selector_that_is_gone_becomes_null(void **state)
{
	u32 table = label("fixup_table");

	(void)state;
	for (u32 i = 0; i < 2; i++) {
		u32 at = WIN_TEXT + peek(table + i * 8);

		machine_begin(i);
		poke(A_V_ES, i == 0 ? 0x0FF3 : USER_DS);
		poke(A_V_DS, i == 1 ? 0x0FF3 : USER_DS);
		poke(A_V_EXIT_ESP, GUEST_STACK - 64);
		poke(GUEST_STACK - 64, USER_EIP);
		poke(GUEST_STACK - 60, USER_CS);
		poke(GUEST_STACK - 56, 0);
		assert_int_equal(machine_run(label("exit_guest")), STOP_EXCEPTION);
		assert_int_equal(machine.eip, at);
		assert_int_equal(machine_run(WIN_TEXT + peek(table + i * 8 + 4)), STOP_IRET);
		assert_int_equal(selector(i ? UC_X86_REG_DS : UC_X86_REG_ES), 0);
		assert_int_equal(selector(i ? UC_X86_REG_ES : UC_X86_REG_DS), USER_DS);
	}
}

/* --- traps of ours, and NMI --------------------------------------------------------------- */

static bool nested(struct asm_call *c)
{
	u32 at = c->gpr[EAX];

	assert_string_equal(c->name, "nested_trap");
	for (u32 i = 0; i < 8; i++)
		if (i != ESP)
			assert_int_equal(peek(at + 28 - i * 4), was[i]);
	assert_int_equal(peek(at + 32), vector);
	if (has_error(vector))
		assert_int_equal(peek(at + 36), 0x5555);
	assert_int_equal(peek(at + 40), frame[0]);
	poke(at + 40, label("run_fault"));
	return false;
}

static void a_trap_on_the_monitors_stack_is_nested_with_all_registers(void **state)
{
	(void)state;
	for (vector = 0; vector < 32; vector++) {
		if (vector == 2)
			continue;
		machine_begin(vector);
		poke(A_V_PAGE_FAULT, 0);
		poke8(A_X_MASK, 1);
		machine.on_c = nested;
		machine.gpr[ESP] = A_WIN_STACK_TOP - 256;
		frame[0] = WIN_TEXT + 0x5000;
		machine_push(0x202);
		machine_push(FLAT_CS);
		machine_push(frame[0]);
		if (has_error(vector))
			machine_push(0x5555);
		memcpy(was, machine.gpr, sizeof(was));
		go();
		assert_int_equal(stop, STOP_C);
		assert_int_equal(machine.calls, 1);
	}
}

static bool nmi_of_the_guest(u32 how)
{
	assert_int_equal(how, 2);
	return false;
}

static bool upcall(u32 how)
{
	assert_int_equal(how, A_VECTOR_UPCALL);
	return false;
}

/* EIP and CS of what is interrupted, its flag, and whether the guest has it at once. */
static void nmi_in(u32 eip, u32 cs, u32 flag, bool guests)
{
	machine_begin(eip);
	poke8(A_X_MASK, 1);
	machine.on_trap = guests ? nmi_of_the_guest : upcall;
	machine_push(flag);
	machine_push(cs);
	machine_push(eip);
	stop = machine_run(label("trap_2"));
	assert_int_equal(stop, STOP_C);
	assert_int_equal(peek8(A_V_NMI), !guests);
	assert_int_equal(peek8(A_X_PENDING), !guests);
}

static bool hypercall_iret(struct asm_call *c)
{
	assert_string_equal(c->name, "hypercall");
	return false;
}

static void an_nmi_between_our_instructions_waits(void **state)
{
	(void)state;
	nmi_in(USER_EIP, USER_CS, IF, true);
	nmi_in(GUEST_CODE, KERNEL_CS, IF, true);
	nmi_in(WIN_TEXT + 0x3000, USER_CS, IF, true); /* user mode says so, it is not there */
	nmi_in(WIN_TEXT + 0x3000, KERNEL_CS, IF, false);
	machine_begin(1);
	machine.on_c = hypercall_iret;
	poke8(A_X_MASK, 1);
	machine_push(0);
	machine_push(FLAT_CS);
	machine_push(WIN_TEXT + 0x3000);
	assert_int_equal(machine_run(label("trap_2")), STOP_C);
	assert_int_equal(machine.calls, 1);
	check_kept(ALL_REGISTERS);
	want8(A_V_NMI, 1);
	want8(A_X_PENDING, 1);
}

/* --- the failsafe callback ------------------------------------------------------------------- */

static bool failsafe(struct asm_call *c)
{
	assert_string_equal(c->name, "segment_failsafe");
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(peek(c->gpr[EAX] + i * 4), 0x100 + i);
	assert_int_equal(selector(UC_X86_REG_DS), FLAT_DS);
	assert_int_equal(selector(UC_X86_REG_ES), FLAT_DS);
	return true;
}

static void prepare_failsafe(u32 seed)
{
	machine_begin(seed);
	machine.on_c = failsafe;
	poke8(A_X_MASK, 1);
	frame[0] = USER_EIP;
	frame[1] = USER_CS;
	frame[2] = one_in(2) ? IF : 0;
	frame[3] = rnd();
	frame[4] = USER_DS;
	for (u32 i = 5; i--;)
		machine_push(frame[i]);
	for (u32 i = 4; i--;)
		machine_push(0x100 + i);
}

static void go_failsafe(void)
{
	stop = machine_run(label("failsafe"));
}

static void check_failsafe(void)
{
	assert_int_equal(stop, STOP_IRET);
	assert_memory_equal(machine.frame, frame, sizeof(frame));
	assert_int_equal(machine.calls, 1);
	check_kept(ALL_REGISTERS);
	check_memory();
}

static void what_xen_could_not_load_is_told_and_the_rest_is_kept(void **state)
{
	(void)state;
	each_moment(4, prepare_failsafe, go_failsafe, check_failsafe);
}

/* --- for C: copies that may fault, and instructions of the guest's ---------------------------- */

/* nested_trap(): where to go on. */
static u32 fixed_up(u32 eip)
{
	u32 table = label("fixup_table");

	for (u32 i = 0; i < peek(label("fixup_count")); i++)
		if (WIN_TEXT + peek(table + i * 8) == eip)
			return WIN_TEXT + peek(table + i * 8 + 4);
	fail_msg("a fault at %08x", eip);
	return 0;
}

static void a_copy_says_how_many_bytes_could_not_be(void **state)
{
	(void)state;
	for (u32 seed = 1; seed < 200; seed++) {
		u32 bytes, there, from;

		machine_begin(seed);
		bytes = below(64);
		there = below(bytes + 1);
		from = EDGE - there;
		for (u32 i = 0; i < there; i++)
			poke8(from + i, (u8)rnd());
		machine.gpr[EAX] = GUEST_STACK;
		machine.gpr[EDX] = from;
		machine.gpr[ECX] = bytes;
		machine.eflags &= ~0x400u;
		esp = machine.gpr[ESP];
		stop = machine_call("copy_from_linear");
		while (stop == STOP_FAULT) {
			assert_int_equal(machine.fault, EDGE);
			stop = machine_run(fixed_up(machine.eip));
		}
		assert_int_equal(stop, STOP_RETURN);
		assert_int_equal(machine.gpr[EAX], bytes - there);
		assert_int_equal(machine.gpr[ESP], esp);
		check_kept(KEPT_BY_C);
		for (u32 i = 0; i < there; i++)
			want8(GUEST_STACK + i, peek8(from + i));
		check_memory();
	}
}

/* INC of all registers and STC, as an instruction of the guest's would change them. */
static const u8 code[] = {0x40, 0x41, 0x42, 0x43, 0x45, 0x46, 0x47, 0xF9, 0xC3};

static void code_of_the_guests_has_its_registers_and_c_keeps_its_own(void **state)
{
	const u32 registers = GUEST_STACK + 64, flags = GUEST_STACK + 128;

	(void)state;
	for (u32 faults = 0; faults < 2; faults++) {
		machine_begin(1 + faults);
		for (u32 i = 0; i < sizeof(code); i++)
			poke8(WIN_RUN + i, code[i]);
		if (faults) { /* mov eax, [0] */
			poke8(WIN_RUN, 0xA1);
			poke(WIN_RUN + 1, 0);
		}
		for (u32 i = 0; i < 8; i++)
			poke(registers + i * 4, 0x1000 + i);
		poke(flags, 2);
		poke(A_V_NESTED_VECTOR, 14);
		machine.gpr[EAX] = registers;
		machine.gpr[EDX] = flags;
		esp = machine.gpr[ESP];
		stop = machine_call("run_code");
		if (stop == STOP_FAULT)
			stop = machine_run(fixed_up(machine.eip));
		assert_int_equal(stop, STOP_RETURN);
		assert_int_equal(machine.gpr[EAX], faults ? 14 : A_RUN_DONE);
		for (u32 i = 0; i < 8; i++)
			assert_int_equal(peek(registers + i * 4),
					 0x1000 + i + (!faults && i != ESP));
		assert_int_equal(peek(flags) & 1, !faults);
		assert_int_equal(machine.gpr[ESP], esp);
		check_kept(KEPT_BY_C);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_trap_has_all_of_the_guest_and_goes_on_with_what_the_monitor_made_of_it),
		cmocka_unit_test(a_selector_that_is_gone_becomes_null),
		cmocka_unit_test(a_trap_on_the_monitors_stack_is_nested_with_all_registers),
		cmocka_unit_test(an_nmi_between_our_instructions_waits),
		cmocka_unit_test(what_xen_could_not_load_is_told_and_the_rest_is_kept),
		cmocka_unit_test(a_copy_says_how_many_bytes_could_not_be),
		cmocka_unit_test(code_of_the_guests_has_its_registers_and_c_keeps_its_own),
	};

	return cmocka_run_group_tests_name("asm_trap", tests, NULL, NULL);
}
