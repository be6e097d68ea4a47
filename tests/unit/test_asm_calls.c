/* SPDX-License-Identifier: GPL-2.0-only */
/* The stubs of entry/pv/vmi.asm: from the guest's call to C and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "asm_machine.h"

#define C true
#define ASM false
#define ABSENT false
#define VMI_CALL(id, slot, name, kind, how, text) {#name, how},
static const struct row {
	const char *name;
	bool in_c;
} rows[] = {
#include "rom/calls.def"
};
#undef C

static const struct row *row;
static enum asm_stop stop;
static u32 words[2], esp, first[3]; /* words on the stack, and EAX, EDX, ECX */
static u8 mask;
static bool raises;

static u32 words_of(const char *name)
{
	static const char *const one[] = {"WriteGDTEntry", "WriteLDTEntry", "WriteIDTEntry",
					  "SetPxELong", "SetLinearMapping"};

	for (u32 i = 0; i < ARRAY_SIZE(one); i++)
		if (!strcmp(name, one[i]))
			return 1;
	return strcmp(name, "SetAlarm") ? 0 : 2;
}

/* As any guest may be: with upcalls masked something may wait. */
static void begin(u32 seed)
{
	machine_begin(seed);
	mask = (u8)below(2);
	poke8(A_X_MASK, mask);
	poke8(A_X_PENDING, mask && one_in(2));
}

/* C sometimes makes something pending. */
static bool perhaps_raise(struct asm_call *c)
{
	(void)c;
	if (raises) {
		machine.sent += !peek8(A_X_PENDING);
		poke8(A_X_PENDING, 1);
	}
	return true;
}

/* With arguments that no short cut is for. */
static void prepare(u32 seed)
{
	begin(seed);
	raises = one_in(3);
	machine.on_c = perhaps_raise;
	machine.gpr[EAX] &= 0x7FFFFFFF;
	machine.gpr[EDX] &= 0x7FFFFFFF;
	machine.gpr[ECX] &= 0x7FFFFFFF;
	if (!strcmp(row->name, "SetLazyMode"))
		machine.gpr[EAX] = 0;
	if (!strcmp(row->name, "GetCycleCounter") || !strcmp(row->name, "SetLinearMapping"))
		machine.gpr[EAX] |= 4;
	poke(A_S_QUEUED, 1);
	poke(A_S_FILL_CACHE_AT, A_NO_CACHED_TABLE);
	poke(A_S_FILL_CACHE_LONG_AT, A_NO_CACHED_TABLE);
	first[0] = machine.gpr[EAX];
	first[1] = machine.gpr[EDX];
	first[2] = machine.gpr[ECX];
	for (u32 i = 2; i--;)
		machine_push(words[i] = rnd());
	esp = machine.gpr[ESP];
}

static void go(void)
{
	char name[64];

	snprintf(name, sizeof(name), "stub_%s", row->name);
	stop = machine_call(name);
}

static void check(void)
{
	const struct asm_call *c = machine.call;

	assert_int_equal(stop, STOP_RETURN);
	assert_int_equal(machine.calls, 1);
	assert_string_equal(c->name + strlen("vmi_"), row->name);
	assert_int_equal(c->gpr[EAX], first[0]);
	assert_int_equal(c->gpr[EDX], first[1]);
	assert_int_equal(c->gpr[ECX], first[2]);
	for (u32 i = 0; i < words_of(row->name); i++)
		assert_int_equal(c->argument[i], words[i]);
	check_kept(KEPT_BY_C);
	assert_int_equal(machine.gpr[ESP], esp);
	assert_true(machine.gpr[EDX] == (u32)(machine.result >> 32) &&
		    machine.gpr[EAX] == (u32)machine.result);
	assert_int_equal(peek8(A_X_MASK), mask);
	want(A_N_VMI + 4 * (u32)(row - rows), before(A_N_VMI + 4 * (u32)(row - rows)) + 1);
	if (!strcmp(row->name, "SetLazyMode"))
		want8(A_V_LAZY, 0);
	check_memory();
}

static void a_call_in_c_keeps_its_caller_and_no_event_is_lost(void **state)
{
	(void)state;
	for (row = rows; row < rows + ARRAY_SIZE(rows); row++)
		if (row->in_c)
			each_moment(3, prepare, go, check);
}

/* --- where the stack ends -------------------------------------------------------------- */

static void a_stack_that_ends_before_the_words_is_the_guests_own_fault(void **state)
{
	(void)state;
	for (row = rows; row < rows + ARRAY_SIZE(rows); row++)
		for (u32 there = 0; row->in_c && there < words_of(row->name); there++) {
			prepare(there + 1);
			machine.gpr[ESP] = EDGE - there * 4;
			go();
			assert_int_equal(stop, STOP_FAULT);
			assert_int_equal(machine.fault, EDGE);
			assert_int_equal(machine.calls, 0);
			assert_int_equal(peek8(A_X_MASK), mask);
			assert_true(EDGE - machine.gpr[ESP] < 64);
		}
}

/* --- ports ------------------------------------------------------------------------------- */

static const struct port {
	const char *name, *function;
	u32 bytes, in;
} ports[] = {
	{"vmi_IN", "port_register", 4, 1},   {"vmi_INB", "port_register", 1, 1},
	{"vmi_INW", "port_register", 2, 1},  {"vmi_OUT", "port_register", 4, 0},
	{"vmi_OUTB", "port_register", 1, 0}, {"vmi_OUTW", "port_register", 2, 0},
	{"once_INS", "port_string", 4, 1},   {"once_INSB", "port_string", 1, 1},
	{"once_INSW", "port_string", 2, 1},  {"once_OUTS", "port_string", 4, 0},
	{"once_OUTSB", "port_string", 1, 0}, {"once_OUTSW", "port_string", 2, 0},
};
static const struct port *port;
static u32 left, flags_before, answer;

/* monitor/vmi/vmi_ports.c has these registers and flags, and changes some of them. */
static bool port_in_c(struct asm_call *c)
{
	static const u32 order[] = {EDI, ESI, EBP, ESP, EBX, EDX, ECX, EAX};
	u32 at = c->gpr[EAX];

	assert_int_equal(at, machine.gpr[ESP] + 4);
	for (u32 i = 0; i < 8; i++)
		if (order[i] == EDX || order[i] >= EBP || order[i] == EAX || order[i] == ECX)
			poke(at + 4 * i, peek(at + 4 * i) + 1);
	assert_int_equal(peek(at + 32) & ~0x200u, flags_before & ~0x200u);
	answer = peek(at + 4 * 7);
	return true;
}

static void prepare_port(u32 seed)
{
	begin(seed);
	machine.eflags |= seed & 1 ? 0x400 : 0;
	flags_before = machine.eflags;
	machine.on_c = port_in_c;
	esp = machine.gpr[ESP];
	memcpy(first, machine.gpr, 12);
}

static void go_port(void)
{
	stop = machine_call(port->name);
}

static void check_port(void)
{
	const struct asm_call *c = machine.call;

	assert_int_equal(stop, STOP_RETURN);
	assert_int_equal(machine.calls, 1);
	assert_string_equal(c->name, port->function);
	assert_int_equal(c->gpr[EDX], port->bytes);
	assert_int_equal(c->gpr[ECX], port->in);
	assert_int_equal(machine.gpr[ESP], esp);
	check_kept(1u << EBX);
	assert_true(machine.gpr[EAX] == first[EAX] + 1 && machine.gpr[EDX] == first[EDX] + 1 &&
		    machine.gpr[ECX] == first[ECX] + 1);
	assert_int_equal(machine.eflags & ~0x200u, flags_before & ~0x200u);
	assert_int_equal(peek8(A_X_MASK), mask);
	check_memory();
}

static void a_call_on_ports_changes_what_c_changes_and_keeps_the_flags(void **state)
{
	(void)state;
	for (port = ports; port < ports + ARRAY_SIZE(ports); port++)
		each_moment(3, prepare_port, go_port, check_port);
}

/* port_string() does some of ECX at a time. */
static bool some_of_them(struct asm_call *c)
{
	u32 ecx = c->gpr[EAX] + 24, done = below(peek(ecx)) + 1;

	assert_int_equal(peek(ecx), left);
	left -= done;
	poke(ecx, left);
	return true;
}

static void prepare_string(u32 seed)
{
	begin(seed);
	left = machine.gpr[ECX] = below(4) + 1;
	machine.on_c = some_of_them;
}

static void go_string(void)
{
	stop = machine_call("vmi_OUTSB");
}

static void check_string(void)
{
	assert_int_equal(stop, STOP_RETURN);
	assert_int_equal(left, 0);
	assert_int_equal(machine.gpr[ECX], 0);
	check_kept(ALL_REGISTERS & ~(1u << ECX));
	check_memory();
}

static void a_string_is_moved_to_its_end(void **state)
{
	(void)state;
	each_moment(8, prepare_string, go_string, check_string);
}

/* --- short cuts of one or two instructions ------------------------------------------------ */

static void lazy_mode_is_set_without_c_unless_it_ends_with_something_queued(void **state)
{
	(void)state;
	for (u32 mode = 0; mode < 3; mode++)
		for (u32 queued = 0; queued < 2; queued++) {
			begin(mode);
			machine.gpr[EAX] = mode;
			poke(A_S_QUEUED, queued);
			assert_int_equal(machine_call("stub_SetLazyMode"), STOP_RETURN);
			assert_int_equal(machine.calls, !mode && queued);
			assert_int_equal(peek8(A_V_LAZY), mode);
		}
}

static void mappings_of_highpte_are_noted_without_c(void **state)
{
	(void)state;
	for (u32 number = 0; number < 5; number++) {
		u32 at = A_S_HIGHPTE + number * 12;

		begin(number);
		machine.gpr[EAX] = number;
		machine_push(0x1234);
		assert_int_equal(machine_call("stub_SetLinearMapping"), STOP_RETURN);
		assert_int_equal(machine.calls, number < 1 || number > 2);
		if (number < 1 || number > 2)
			continue;
		check_kept(KEPT_BY_C | 1u << EDX);
		assert_int_equal(peek(at), machine.gpr[EDX]);
		assert_int_equal(peek(at + 8), 0x1234);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_in_c_keeps_its_caller_and_no_event_is_lost),
		cmocka_unit_test(a_stack_that_ends_before_the_words_is_the_guests_own_fault),
		cmocka_unit_test(a_call_on_ports_changes_what_c_changes_and_keeps_the_flags),
		cmocka_unit_test(a_string_is_moved_to_its_end),
		cmocka_unit_test(lazy_mode_is_set_without_c_unless_it_ends_with_something_queued),
		cmocka_unit_test(mappings_of_highpte_are_noted_without_c),
	};

	return cmocka_run_group_tests_name("asm_calls", tests, NULL, NULL);
}
