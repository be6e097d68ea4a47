/* SPDX-License-Identifier: GPL-2.0-only */
/* See asm_machine.h.  What of it lies in memory is in asm_memory.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "asm_memory.h"

#define STEPS_MOST 2000u

struct asm_machine machine;

static uc_engine *uc;
static u32 at_begin[8];
static bool begun; /* the first run of this machine_begin() */

/* Why the processor has stopped before the instruction at machine.eip. */
static enum {
	NO_REASON,
	LIMIT,
	EVENT,
	OUT,	  /* it is the guest's */
	FUNCTION, /* a C function, or a hypercall */
	SPECIAL,  /* an instruction that is done here */
} reason;

static u32 seed_state = 1;

u32 rnd(void)
{
	seed_state ^= seed_state << 13;
	seed_state ^= seed_state >> 17;
	seed_state ^= seed_state << 5;
	return seed_state;
}

u32 below(u32 n)
{
	return (u32)((u64)rnd() * n >> 32);
}

bool one_in(u32 n)
{
	return !below(n);
}

static void before_instruction(uc_engine *engine, u64 address, u32 size, void *user)
{
	u32 at = (u32)address;

	(void)size;
	(void)user;
	machine.eip = at;
	if (machine.steps == machine.event_at)
		reason = EVENT;
	else if (machine.steps++ == STEPS_MOST)
		reason = LIMIT;
	else if (at - WIN_RUN < 4096)
		return;
	else if (!image_has(at) && !in_hypercall_page(at))
		reason = OUT;
	else if (!image_is_assembly(at))
		reason = FUNCTION;
	else if (world_has(at))
		reason = SPECIAL;
	else
		return;
	uc_emu_stop(engine);
}

static bool bad_access(uc_engine *engine, uc_mem_type type, u64 address, int size, s64 value,
		       void *user)
{
	(void)engine;
	(void)type;
	(void)size;
	(void)value;
	(void)user;
	machine.fault = (u32)address;
	return false;
}

static void at_branch(uc_engine *engine, u64 address, u32 size, void *user)
{
	(void)engine;
	(void)size;
	(void)user;
	if (machine.on_branch)
		machine.on_branch((u32)address);
}

static void registers(int (*move)(uc_engine *, int, void *))
{
	static const int ids[] = {UC_X86_REG_EAX, UC_X86_REG_ECX, UC_X86_REG_EDX, UC_X86_REG_EBX,
				  UC_X86_REG_ESP, UC_X86_REG_EBP, UC_X86_REG_ESI, UC_X86_REG_EDI};

	for (u32 i = 0; i < 8; i++)
		move(uc, ids[i], &machine.gpr[i]);
	move(uc, UC_X86_REG_EFLAGS, &machine.eflags);
}

static int get(uc_engine *engine, int id, void *value)
{
	return uc_reg_read(engine, id, value);
}

static int set(uc_engine *engine, int id, void *value)
{
	return uc_reg_write(engine, id, value);
}

u32 selector(int id)
{
	u32 value = 0;

	uc_reg_read(uc, id, &value);
	return value & 0xFFFF;
}

void set_selector(int id, u32 value)
{
	assert_int_equal(uc_reg_write(uc, id, &value), UC_ERR_OK);
}

/* Answers whether the machine stops with what has stopped the processor. */
static bool deal_with(uc_err error, enum asm_stop *stop)
{
	if (error == UC_ERR_EXCEPTION)
		*stop = STOP_EXCEPTION;
	else if (error != UC_ERR_OK)
		*stop = STOP_FAULT;
	if (error != UC_ERR_OK)
		return true;
	switch (reason) {
	case EVENT:
		world_event();
		return false;
	case FUNCTION:
		*stop = STOP_C;
		return !world_call();
	case SPECIAL:
		return world_instruction(stop);
	case OUT:
		*stop = STOP_RETURN;
		return true;
	default:
		fail_msg("%u instructions, and no end, at %08x", machine.steps, machine.eip);
	}
	return true;
}

enum asm_stop machine_run(u32 eip)
{
	enum asm_stop stop = STOP_RETURN;
	uc_err error;

	if (begun) {
		memcpy(at_begin, machine.gpr, sizeof(at_begin));
		memory_begins();
		begun = false;
		uc_ctl_remove_cache(uc, (u64)WIN_RUN,
				    (u64)WIN_RUN + 4096); /* what a test put there */
	}
	machine.eip = eip;
	do {
		reason = NO_REASON;
		registers(set);
		error = uc_emu_start(uc, machine.eip, 0, 0, 0);
		registers(get);
	} while (!deal_with(error, &stop));
	return stop;
}

enum asm_stop machine_call(const char *name)
{
	machine.gpr[ESP] -= 4;
	scribble(machine.gpr[ESP], GUEST_CODE);
	return machine_run(label(name));
}

/* --- from the beginning ---------------------------------------------------------------- */

static void open_machine(void)
{
	const u32 gdt_at = WIN_GDT;
	uc_x86_mmr gdtr = {.base = gdt_at, .limit = 0xFFFF - 0x1000};
	u32 cs = FLAT_RING1_CS, ss = RING0_SS;
	uc_hook hook;

	assert_int_equal(uc_open(UC_ARCH_X86, UC_MODE_32, &uc), UC_ERR_OK);
	memory_open(uc);
	uc_hook_add(uc, &hook, UC_HOOK_CODE, (void *)before_instruction, NULL, (u64)1, (u64)0);
	uc_hook_add(uc, &hook, UC_HOOK_BLOCK, (void *)at_branch, NULL, (u64)1, (u64)0);
	uc_hook_add(uc, &hook, UC_HOOK_MEM_INVALID, (void *)bad_access, NULL, (u64)1, (u64)0);
	assert_int_equal(uc_reg_write(uc, UC_X86_REG_GDTR, &gdtr), UC_ERR_OK);
	assert_int_equal(uc_reg_write(uc, UC_X86_REG_CS, &cs), UC_ERR_OK);
	assert_int_equal(uc_reg_write(uc, UC_X86_REG_SS, &ss), UC_ERR_OK);
}

void machine_begin(u32 seed)
{
	if (!uc)
		open_machine();
	memory_restore();
	memset(&machine, 0, sizeof(machine));
	seed_state = seed * 2654435761u | 1;
	for (u32 i = 0; i < 8; i++)
		rnd();
	for (u32 i = 0; i < 8; i++)
		machine.gpr[i] = rnd();
	machine.gpr[ESP] = GUEST_STACK - 64;
	for (u32 i = 0; i < 64; i++)
		poke(GUEST_STACK - 4 - i * 4, rnd());
	machine.eflags = (rnd() & 0x8D5) | 0x202;
	machine.event_at = NEVER;
	machine.result = (u64)rnd() << 32 | rnd();
	machine.ss = FLAT_RING1_SS;
	set_selector(UC_X86_REG_DS, USER_DS);
	set_selector(UC_X86_REG_ES, USER_DS);
	begun = true;
}

void machine_push(u32 word)
{
	machine.gpr[ESP] -= 4;
	poke(machine.gpr[ESP], word);
}

void check_kept(u32 kept)
{
	for (u32 i = 0; i < 8; i++)
		if ((kept & 1u << i) && machine.gpr[i] != at_begin[i])
			fail_msg("register %u was %08x and is %08x", i, at_begin[i],
				 machine.gpr[i]);
}

void check_events(void)
{
	bool waits = peek8(A_X_PENDING);

	if (machine.pvh)
		return; /* asm_pvh.c */
	if (waits && !peek8(A_X_MASK))
		fail_msg("an event waits, and upcalls are on");
	if (machine.taken + waits != machine.sent + (before8(A_X_PENDING) != 0))
		fail_msg("%u events came, %u were taken, %u waits", machine.sent, machine.taken,
			 waits);
}

void each_state(u32 seeds, void (*prepare)(u32 seed), void (*go)(void), void (*check)(void))
{
	for (u32 seed = 1; seed <= seeds; seed++) {
		prepare(seed);
		go();
		check();
		check_events();
	}
}

void each_moment(u32 seeds, void (*prepare)(u32 seed), void (*go)(void), void (*check)(void))
{
	for (u32 seed = 1; seed <= seeds; seed++) {
		u32 steps = 0, at = NEVER;

		do {
			prepare(seed);
			machine.event_at = at;
			go();
			if (at == NEVER)
				steps = machine.steps;
			check();
			check_events();
			at++;
		} while (at < steps);
	}
}
