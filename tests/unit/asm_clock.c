/* SPDX-License-Identifier: GPL-2.0-only */
/* See asm_clock.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "asm_clock.h"

#define PASSES 5000u /* cycles at an event, of which so many are stolen: */
#define STEALS 1000u

static u64 stolen, tsc_first;
static bool off_its_cpu;
static u32 which;

static void poke64(u32 at, u64 value)
{
	poke(at, (u32)value);
	poke(at + 4, (u32)(value >> 32));
}

static u64 peek64(u32 at)
{
	return (u64)peek(at + 4) << 32 | peek(at);
}

static void time_goes_on(void)
{
	u64 entry = peek64(A_R_ENTRY) + 77;

	machine.tsc += PASSES;
	poke64(A_R_ENTRY, entry);
	poke64(A_C_ENTRY, entry);
	poke64(A_C_STOLEN_CYCLES, stolen + STEALS);
}

void clock_begin(u32 counter)
{
	machine.on_event = time_goes_on;
	which = machine.gpr[EAX] = counter;
	tsc_first = machine.tsc = (u64)(rnd() | 1u << 31) << 32 | rnd();
	stolen = (u64)below(2) << 32 | rnd();
	poke64(A_R_ENTRY, (u64)rnd() << 32 | rnd());
	poke64(A_C_ENTRY, peek64(A_R_ENTRY));
	off_its_cpu = one_in(3);
	if (off_its_cpu)
		poke64(A_R_ENTRY, peek64(A_R_ENTRY) ^ 1ull << below(64));
	poke64(A_C_STOLEN_CYCLES, stolen);
}

enum asm_stop clock_go(void)
{
	return machine_call("stub_GetCycleCounter");
}

void clock_check(void)
{
	u64 time = (u64)machine.gpr[EDX] << 32 | machine.gpr[EAX];

	if (which > 1 || (which && off_its_cpu && !machine.away)) {
		assert_int_equal(machine.calls, 1);
		assert_int_equal(machine.call[0].gpr[EAX], which);
	} else if (!which) {
		assert_true(time == tsc_first || (machine.away && time == machine.tsc));
	} else if (!machine.calls) {
		assert_true(time == tsc_first - stolen ||
			    (machine.away && time == tsc_first + PASSES - stolen - STEALS));
		assert_true(peek64(A_C_AVAILABLE) == time);
	} else {
		assert_true(machine.away);
		assert_int_equal(machine.call[0].gpr[EAX], 1);
	}
}
