/* SPDX-License-Identifier: GPL-2.0-only */
/* The calls of entry/pvh/, from ring 1 into ring 0 and back, and its exceptions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <unicorn/unicorn.h>

#include "asm_memory.h"
#include "asm_pvh.h"
#include "monitor/pvh/pvh.h"

#define IF A_EFLAGS_IF
#define KERNEL_CS 0x61u
#define USER_CS 0x73u
#define SITE 0xC0200000u
#define GUEST_DS 0x7Bu

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
static u32 words[2], esp, first[3], flags_before;

static u32 words_of(const char *name)
{
	static const char *const one[] = {"WriteGDTEntry", "WriteLDTEntry", "WriteIDTEntry",
					  "SetPxELong", "SetLinearMapping"};

	for (u32 i = 0; i < ARRAY_SIZE(one); i++)
		if (!strcmp(name, one[i]))
			return 1;
	return strcmp(name, "SetAlarm") ? 0 : 2;
}

/* Calls that never come to C. */
static bool is_short(const char *name)
{
	return !strcmp(name, "UpdateKernelStack") || !strcmp(name, "FlushTLB") ||
	       !strcmp(name, "CLTS");
}

static bool raises;
static u32 raised_with_flag; /* so often */

static bool perhaps_raise(struct asm_call *c)
{
	(void)c;
	raised_with_flag += raises && pvh_flag;
	if (raises)
		pvh_raise();
	return true;
}

static void prepare(u32 seed)
{
	pvh_begin(seed);
	raises = seed % 2;
	machine.on_c = perhaps_raise;
	machine.gpr[EAX] |= PCI_HOLE | 4; /* for no short cut */
	poke(A_V_LINEAR_LIMIT, 0);
	poke(A_V_NARROW_LIMIT, 0);
	poke(A_V_GDT_ENTRIES, 0);
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

	pvh_check_events();
	assert_int_equal(stop, STOP_RETURN);
	assert_int_equal(machine.calls, 1);
	assert_string_equal(c->name + strlen("vmi_"), row->name);
	assert_true(c->gpr[EAX] == first[0] && c->gpr[EDX] == first[1] && c->gpr[ECX] == first[2]);
	for (u32 i = 0; i < words_of(row->name); i++)
		assert_int_equal(c->argument[i], words[i]);
	check_kept(KEPT_BY_C);
	assert_int_equal(machine.gpr[ESP], esp);
	assert_true(machine.gpr[EAX] == (u32)machine.result &&
		    machine.gpr[EDX] == (u32)(machine.result >> 32));
	assert_int_equal(pvh_vif(), pvh_flag);
	want(A_N_VMI + 4 * (u32)(row - rows), before(A_N_VMI + 4 * (u32)(row - rows)) + 1);
	check_memory();
}

static void a_call_in_ring_0_keeps_its_caller_and_no_event_is_lost(void **state)
{
	(void)state;
	for (row = rows; row < rows + ARRAY_SIZE(rows); row++)
		if (row->in_c && !is_short(row->name))
			each_moment(6, prepare, go, check);
	assert_true(raised_with_flag);
}

static void a_stack_that_ends_before_the_words_is_ring_1s_fault(void **state)
{
	(void)state;
	for (row = rows; row < rows + ARRAY_SIZE(rows); row++)
		for (u32 there = 0; row->in_c && there < words_of(row->name); there++) {
			prepare(there + 1);
			machine.gpr[ESP] = EDGE - there * 4;
			go();
			assert_int_equal(stop, STOP_FAULT);
			assert_int_equal(machine.fault, EDGE);
			assert_false(machine.ring0);
			assert_int_equal(machine.calls, 0);
		}
}

/* --- ports --------------------------------------------------------------------------------- */

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

/* struct port_call: EDI ESI EBP ESP EBX EDX ECX EAX EFLAGS; EAX, ECX, ESI, EDI change. */
static bool port_in_c(struct asm_call *c)
{
	static const u32 changed[] = {0, 1, 6, 7};
	u32 at = c->gpr[EAX];

	for (u32 i = 0; i < ARRAY_SIZE(changed); i++)
		poke(at + changed[i] * 4, peek(at + changed[i] * 4) + 1);
	assert_int_equal(peek(at + 32) & ~IF, flags_before & ~IF);
	return true;
}

static void prepare_port(u32 seed)
{
	pvh_begin(seed);
	machine.eflags |= seed & 1 ? 0x400 : 0;
	flags_before = machine.eflags;
	machine.on_c = port_in_c;
	esp = machine.gpr[ESP];
	memcpy(first, machine.gpr, sizeof(first));
}

static void go_port(void)
{
	stop = machine_call(port->name);
}

static void check_port(void)
{
	const struct asm_call *c = machine.call;

	pvh_check_events();
	assert_int_equal(stop, STOP_RETURN);
	assert_int_equal(machine.calls, 1);
	assert_string_equal(c->name, port->function);
	assert_true(c->gpr[EDX] == port->bytes && c->gpr[ECX] == port->in);
	assert_int_equal(machine.gpr[ESP], esp);
	assert_true(machine.gpr[EAX] == first[EAX] + 1 && machine.gpr[ECX] == first[ECX] + 1);
	check_kept(1u << EBX | 1u << EBP | 1u << EDX);
	assert_int_equal(machine.eflags & ~IF, flags_before & ~IF);
	check_memory();
}

static void a_call_on_ports_keeps_the_flags(void **state)
{
	(void)state;
	for (port = ports; port < ports + ARRAY_SIZE(ports); port++)
		each_moment(2, prepare_port, go_port, check_port);
}

static bool general_protection(u32 vector)
{
	assert_int_equal(vector, 13);
	return false;
}

static void an_int_that_names_no_call_is_refused(void **state)
{
	static const u8 good[] = {1, 2, 4, 9, 10, 12, 17, 18, 20, 25, 26, 28};

	(void)state;
	for (u32 code = 0; code < 300; code++) {
		bool known = code < 256 && memchr(good, (int)code, sizeof(good));

		pvh_begin(code);
		machine.on_trap = general_protection;
		machine.gpr[EBX] = code < 256 ? code : rnd() | 0x100;
		machine.ring0 = true;
		machine.gpr[ESP] = A_WIN_STACK_TOP;
		for (u32 i = 0; i < 5; i++)
			machine_push(i == 1 ? GUEST_STACK : i == 3 ? KERNEL_CS : GUEST_CODE);
		stop = machine_run(label("port_in_c"));
		assert_int_equal(stop, known ? STOP_RETURN : STOP_C);
		assert_int_equal(machine.calls, known);
	}
}

/* --- the flag, and returns ---------------------------------------------------------------------
 */

static void enable(void)
{
	stop = machine_call("vmi_EnableInterrupts");
}

static void check_enabled(void)
{
	pvh_check_events();
	assert_int_equal(stop, STOP_RETURN);
	assert_true(pvh_vif());
	check_kept(ALL_REGISTERS);
	check_memory();
}

static void enable_takes_what_waits(void **state)
{
	(void)state;
	each_moment(20, pvh_begin, enable, check_enabled);
}

static u32 frame[5], frame_words;
static bool ts;

static void begin_iret(u32 seed)
{
	pvh_begin(seed);
	ts = one_in(2);
	poke8(A_V_TS_DUE, ts);
	frame_words = one_in(2) ? 5 : 3;
	frame[0] = 0xC0300000;
	frame[1] = frame_words == 5 ? USER_CS : KERNEL_CS;
	frame[2] = (rnd() & 0xCD5) | 2 | (one_in(2) ? IF : 0);
	frame[3] = rnd();
	frame[4] = 0x7B;
	for (u32 i = frame_words; i--;)
		machine_push(frame[i]);
	esp = machine.gpr[ESP] + frame_words * 4;
	machine_push(SITE);
}

static void iret(void)
{
	stop = machine_run(label("vmi_IRET"));
}

static void check_iret(void)
{
	bool user = frame_words == 5, set = user && ts && (frame[2] & IF) && !machine.taken;

	pvh_check_events();
	assert_int_equal(stop, STOP_IRET);
	assert_int_equal(machine.frame[0], frame[0]);
	assert_int_equal(machine.frame[1] & 0xFFFF, frame[1]);
	assert_int_equal((machine.frame[2] ^ frame[2]) & ~IF, 0);
	if (user)
		assert_memory_equal(machine.frame + 3, frame + 3, 8);
	else
		assert_int_equal(machine.gpr[ESP], esp);
	assert_int_equal(pvh_vif(), (frame[2] & IF) != 0);
	if (machine.eip != label("exit_iret")) /* a fault would be reported there */
		assert_int_equal(peek(A_V_IRET_SITE), SITE);
	check_kept(ALL_REGISTERS);
	if (set)
		assert_true(peek8(A_V_TS_REAL) && !peek8(A_V_TS_DUE) && (machine.cr[0] & A_CR0_TS));
	else if (!user)
		assert_false(peek8(A_V_TS_REAL));
}

static void iret_takes_what_waits_and_sets_ts_for_user_mode(void **state)
{
	(void)state;
	each_moment(60, begin_iret, iret, check_iret);
}

/* --- exceptions in ring 1 -------------------------------------------------------------------- */

static u32 vector, is_user;

static u32 error_words(void)
{
	return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

static void begin_exception(u32 seed)
{
	pvh_begin(seed);
	poke(A_V_HANDLER + vector * 4, GUEST_CODE);
	machine.cr[2] = rnd() & 0x7FFFFFFF;
	poke(A_V_DEVICES_FROM, 0x80000000);
	is_user = one_in(2);
	for (u32 i = 5; i--;)
		frame[i] = rnd();
	frame[1] = is_user ? USER_CS : KERNEL_CS;
	frame[2] = rnd() | IF;
	for (u32 i = is_user ? 5 : 3; i--;)
		machine_push(frame[i]);
	if (error_words())
		machine_push(0x7777);
	esp = machine.gpr[ESP];
}

static u32 gate; /* 1: an interrupt gate */

static void exception(void)
{
	stop = machine_run(label("exception_code") + (vector * 2 + gate) * 64);
}

static void check_exception(void)
{
	u32 at = esp + error_words() * 4;

	pvh_check_count(); /* behind a trap gate one may wait for the handler's return */
	assert_int_equal(stop, STOP_RETURN);
	assert_int_equal(machine.eip, GUEST_CODE);
	assert_int_equal(machine.gpr[ESP], esp);
	check_kept(ALL_REGISTERS);
	assert_int_equal(pvh_vif(), gate ? 0 : pvh_flag);
	if (error_words())
		want(esp, 0x7777);
	want(at, frame[0]);
	want(at + 4, frame[1]);
	want(at + 8, is_user ? frame[2] : (frame[2] & ~IF) | (pvh_flag ? IF : 0));
	check_memory();
}

static void an_exception_shows_the_kernel_its_own_flag(void **state)
{
	(void)state;
	for (vector = 0; vector < 32; vector++)
		for (gate = 0; gate < 2; gate++)
			each_moment(6, begin_exception, exception, check_exception);
}

/* Ring 0 has the kernel's frame, and goes on for it. */
static u32 device_traps;

static bool device_trap(u32 number)
{
	u32 f = peek(A_V_TRAP_ESP), out = A_WIN_STACK_TOP - 20;

	assert_int_equal(number, A_VECTOR_DEVICE);
	assert_int_equal(peek(f + 12), esp);
	device_traps++;
	scribble(out, GUEST_CODE);
	scribble(out + 4, peek(f + 4));
	scribble(out + 8, peek(f + 8));
	scribble(out + 12, esp);
	scribble(out + 16, peek(f + 16));
	scribble(A_V_EXIT_ESP, out);
	return true;
}

static void begin_kernel_fault(u32 seed)
{
	vector = 14;
	gate = 1;
	begin_exception(seed);
	machine.nmi = false;
	machine.on_trap = device_trap;
	device_traps = 0;
	poke(A_V_DEVICES_FROM, rnd());
	machine.cr[2] = one_in(4) ? peek(A_V_DEVICES_FROM) - one_in(2) : rnd();
}

static void check_kernel_fault(void)
{
	assert_int_equal(stop, STOP_RETURN);
	assert_int_equal(machine.eip, GUEST_CODE);
	check_kept(ALL_REGISTERS);
	assert_int_equal(device_traps, !is_user && machine.cr[2] >= peek(A_V_DEVICES_FROM));
}

static void a_kernel_fault_where_devices_may_be_comes_to_ring_0(void **state)
{
	(void)state;
	each_state(500, begin_kernel_fault, exception, check_kernel_fault);
}

/* --- faults in ring 0 ------------------------------------------------------------------------ */

static bool nested(struct asm_call *c)
{
	assert_string_equal(c->name, "nested_trap");
	assert_int_equal(c->gpr[EAX], A_WIN_STACK_TOP - 13 * 4);
	assert_int_equal(selector(UC_X86_REG_DS), A_OWN_DS0);
	poke(A_WIN_STACK_TOP - 3 * 4, GUEST_CODE); /* EIP: where to go on */
	return true;
}

/* In a call the guest's are loaded, and what has them again afterwards goes on with them. */
static void a_fault_in_ring_0_finds_the_monitors_segments(void **state)
{
	const u32 stack[] = {0x206, A_OWN_CS0, 0xF4000000, 0x7777, A_EXC_GP};
	const u32 ds[] = {A_OWN_DS0, GUEST_DS};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(ds); i++) {
		pvh_begin(i + 1);
		machine.on_c = nested;
		machine.ring0 = true;
		machine.gpr[ESP] = A_WIN_STACK_TOP;
		for (u32 k = 0; k < ARRAY_SIZE(stack); k++)
			machine_push(stack[k]);
		set_selector(UC_X86_REG_DS, ds[i]);
		set_selector(UC_X86_REG_ES, GUEST_DS);
		assert_int_equal(machine_run(label("trap_nested")), STOP_RETURN);
		assert_int_equal(machine.calls, 1);
		assert_int_equal(selector(UC_X86_REG_DS), ds[i]);
		assert_int_equal(selector(UC_X86_REG_ES), GUEST_DS);
		assert_int_equal(machine.gpr[ESP], A_WIN_STACK_TOP);
		check_kept(ALL_REGISTERS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_in_ring_0_keeps_its_caller_and_no_event_is_lost),
		cmocka_unit_test(a_stack_that_ends_before_the_words_is_ring_1s_fault),
		cmocka_unit_test(a_call_on_ports_keeps_the_flags),
		cmocka_unit_test(an_int_that_names_no_call_is_refused),
		cmocka_unit_test(enable_takes_what_waits),
		cmocka_unit_test(iret_takes_what_waits_and_sets_ts_for_user_mode),
		cmocka_unit_test(an_exception_shows_the_kernel_its_own_flag),
		cmocka_unit_test(a_kernel_fault_where_devices_may_be_comes_to_ring_0),
		cmocka_unit_test(a_fault_in_ring_0_finds_the_monitors_segments),
	};

	return cmocka_run_group_tests_name("asm_pvh", tests, NULL, NULL);
}
