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
#define TRAP_UPCALL 0x200u

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

/* --- instructions that are done here: what depends on the ring, and time -------------- */

enum special {
	PLAIN,
	IRETD,
	FAR_JUMP,
	TO_SS,
	FROM_SS,
	TSC,
	INT,
	FROM_CR, /* what only ring 0 may do */
	TO_CR,
	CLEAR_TS,
	DROP_PAGE,
};

static enum special special_at(const u8 *code, u32 *size)
{
	u32 prefix = *code == 0x36; /* SS */

	code += prefix;
	*size = prefix + 2;
	if (code[0] == 0xCF)
		return IRETD;
	if (code[0] == 0xFF && code[1] == 0x2D)
		return FAR_JUMP;
	if (code[0] == 0x8E && code[1] == 0xD0)
		return TO_SS;
	if (code[0] == 0x8C && code[1] == 0xD0)
		return FROM_SS;
	if (code[0] == 0x0F && code[1] == 0x31)
		return TSC;
	if (code[0] == 0x0F && code[1] == 0x06)
		return CLEAR_TS;
	*size = prefix + 3;
	if (code[0] == 0x0F && code[1] == 0x20)
		return FROM_CR;
	if (code[0] == 0x0F && code[1] == 0x22)
		return TO_CR;
	if (code[0] == 0x0F && code[1] == 0x01 && code[2] == 0x38)
		return DROP_PAGE;
	return code[0] == 0xCD ? INT : PLAIN;
}

static void before_instruction(uc_engine *engine, u64 address, u32 size, void *user)
{
	u32 at = (u32)address, bytes;

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
	else if (special_at(host_address(at, 8), &bytes) != PLAIN)
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

static u32 pop(void)
{
	u32 word = peek(machine.gpr[ESP]);

	machine.gpr[ESP] += 4;
	return word;
}

static void push(u32 word)
{
	machine.gpr[ESP] -= 4;
	scribble(machine.gpr[ESP], word);
}

/* --- the world outside ---------------------------------------------------------------- */

/* A gate of the PVH binding, from ring 1 into ring 0. */
static void enter_ring0(u32 vector)
{
	u32 esp = machine.gpr[ESP];

	machine.gpr[ESP] = A_WIN_STACK_TOP;
	push(machine.ss);
	push(esp);
	push(machine.eflags);
	push(FLAT_RING1_CS);
	push(machine.eip);
	machine.ring0 = true;
	machine.eip = WIN_TEXT + peek(label("quick_table") + (vector - PVH_VECTORS) * 4);
}

/* Xen calls upcall, if upcalls are on.  In a PVH domain it waits for the end of ring 0. */
static void event(void)
{
	machine.event_at = NEVER;
	if (machine.pvh) {
		machine.sent++;
		machine.comes = true;
		if (!machine.ring0)
			enter_ring0(PVH_VECTORS);
		return;
	}
	machine.sent += !peek8(A_X_PENDING);
	scribble8(A_X_PENDING, 1);
	if (peek8(A_X_MASK))
		return;
	push(machine.eflags | A_EFLAGS_IF);
	push(FLAT_RING1_CS);
	push(machine.eip);
	scribble8(A_X_MASK, 1);
	machine.eip = label("upcall");
}

void guest_was_elsewhere(u32 stack)
{
	static const u32 changed[] = {A_V_CALL_ESP,  A_V_ARGUMENT, A_V_ARGUMENT + 4,
				      A_V_IRET_SITE, A_V_EXIT_ESP, A_V_VECTOR};

	for (u32 i = 0; i < ARRAY_SIZE(changed); i++)
		scribble(changed[i], rnd());
	for (u32 i = 1; i <= 16; i++)
		scribble(stack - i * 4, rnd());
	if (machine.on_event)
		machine.on_event();
}

/* monitor_trap() of an upcall: restart_iret() and events, in few words. */
static void take_event(void)
{
	u32 frame = peek(A_V_TRAP_ESP), eip = peek(frame), start = label("iret_window");
	u32 eflags = peek(frame + 8);

	if (eip >= start && eip < label("iret_window_end")) {
		scribble(frame, start);
		eflags &= ~A_EFLAGS_IF;
		scribble(frame + 8, eflags);
	}
	if (eflags & A_EFLAGS_IF) {
		machine.taken +=
			peek8(A_X_PENDING); /* 0: it had been seen, and was taken meanwhile */
		scribble8(A_X_PENDING, 0);
		guest_was_elsewhere(frame);
	}
	scribble(A_V_EXIT_ESP, frame);
}

/* monitor_trap(); answers whether it returns. */
static bool trapped(void)
{
	u32 vector = peek(A_V_VECTOR);

	assert_int_equal(machine.gpr[EAX], A_VCPU);
	if (machine.on_trap)
		return machine.on_trap(vector);
	if (vector != TRAP_UPCALL)
		fail_msg("trap %x", vector);
	take_event();
	return true;
}

/* What every C function may rely on. */
static void check_way_into_c(const char *name)
{
	if (machine.pvh) {
		assert_true(machine.ring0 && !(machine.eflags & 0x400));
		assert_true(machine.gpr[ESP] - A_WIN_STACK < A_WIN_STACK_TOP - A_WIN_STACK);
		return;
	}
	assert_int_equal(peek8(A_X_MASK), 1);
	if (!strcmp(name, "nested_trap") || !strcmp(name, "segment_failsafe"))
		return;
	if (machine.gpr[ESP] != A_WIN_STACK_TOP - 4 - (strncmp(name, "port_", 5) ? 0 : 9 * 4))
		fail_msg("%s is called with ESP %08x", name, machine.gpr[ESP]);
	if (machine.eflags & 0x400)
		fail_msg("%s is called with DF set", name);
}

static void note_call(const char *name)
{
	struct asm_call *c = &machine.call[machine.calls];

	if (machine.calls + 1 == ASM_CALLS)
		fail_msg("too many calls, the last is %s", name);
	machine.calls++;
	c->name = name;
	memcpy(c->gpr, machine.gpr, sizeof(c->gpr));
	c->argument[0] = peek(A_V_ARGUMENT);
	c->argument[1] = peek(A_V_ARGUMENT + 4);
	c->mask = peek8(A_X_MASK);
}

/* Answers whether it returns. */
static bool call_c(void)
{
	bool hypercall = in_hypercall_page(machine.eip);
	const char *name = hypercall ? "hypercall" : function_at(machine.eip);
	bool returns = true;

	if (!name)
		fail_msg("a jump to %08x", machine.eip);
	if (!hypercall)
		check_way_into_c(name);
	if (!strcmp(name, "monitor_trap")) {
		returns = trapped();
	} else {
		note_call(name);
		if (machine.on_c)
			returns = machine.on_c(&machine.call[machine.calls - 1]);
	}
	if (!returns)
		return false;
	machine.gpr[EAX] = (u32)machine.result;
	machine.gpr[EDX] = (u32)(machine.result >> 32);
	machine.gpr[ECX] = rnd();
	if (hypercall)
		machine.gpr[EBX] = rnd(), machine.gpr[ESI] = rnd(), machine.gpr[EDI] = rnd();
	machine.eflags ^= rnd() & 0x8D5;
	machine.eip = pop();
	return true;
}

/* Answers whether the machine stops with it. */
static bool iretd(void)
{
	u32 cs;

	for (machine.frame_words = 0; machine.frame_words < (machine.ring0 ? 5 : 3);)
		machine.frame[machine.frame_words++] = pop();
	cs = machine.frame[1];
	if (machine.ring0)
		machine.gpr[ESP] = machine.frame[3];
	machine.ring0 = false;
	if (!(cs & 2) && (image_has(machine.frame[0]) || machine.frame[0] == GUEST_CODE)) {
		machine.eip = machine.frame[0];
		machine.eflags = machine.frame[2];
		if (machine.comes && machine.pvh)
			enter_ring0(PVH_VECTORS);
		return false;
	}
	while ((cs & 2) && machine.frame_words < 5)
		machine.frame[machine.frame_words++] = pop();
	return true;
}

static bool special(enum asm_stop *stop)
{
	u32 size;

	switch (special_at(host_address(machine.eip, 8), &size)) {
	case IRETD:
		*stop = STOP_IRET;
		return iretd();
	case FAR_JUMP:
		machine.frame[0] = peek(peek(machine.eip + size));
		machine.frame[1] = peek(peek(machine.eip + size) + 4) & 0xFFFF;
		*stop = STOP_JUMP;
		return true;
	case TO_SS:
		machine.ss = machine.gpr[EAX] & 0xFFFF;
		break;
	case FROM_SS:
		machine.gpr[EAX] = machine.ss;
		break;
	case TSC:
		machine.gpr[EAX] = (u32)machine.tsc;
		machine.gpr[EDX] = (u32)(machine.tsc >> 32);
		break;
	case FROM_CR:
		machine.gpr[peek8(machine.eip + 2) & 7] =
			machine.cr[peek8(machine.eip + 2) >> 3 & 7];
		break;
	case TO_CR:
		machine.cr[peek8(machine.eip + 2) >> 3 & 7] =
			machine.gpr[peek8(machine.eip + 2) & 7];
		note_call("mov to cr");
		break;
	case CLEAR_TS:
		note_call("clts");
		break;
	case DROP_PAGE:
		note_call("invlpg");
		break;
	default:
		machine.frame[0] = peek8(machine.eip + 1);
		if (machine.pvh) {
			machine.eip += 2;
			enter_ring0(machine.frame[0]);
			return false;
		}
		*stop = STOP_INT;
		return true;
	}
	machine.eip += size;
	return false;
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
		event();
		return false;
	case FUNCTION:
		*stop = STOP_C;
		return !call_c();
	case SPECIAL:
		return special(stop);
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
	push(GUEST_CODE);
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
