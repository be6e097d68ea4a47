/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is around the processor of asm_machine.h: Xen, the monitor's C, and the guest
 * while it is elsewhere; and instructions that depend on the ring.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "asm_memory.h"

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
	LEAVES, /* by which ring 0 of a PVH domain leaves it, beside CLTS and moves to CR0 */
};

static const struct leaving {
	const char *name;
	u8 code[3], size;
} leavings[] = {{"vmmcall", {0x0F, 0x01, 0xD9}, 3},
		{"vmcall", {0x0F, 0x01, 0xC1}, 3},
		{"cpuid", {0x0F, 0xA2}, 2},
		{"wrmsr", {0x0F, 0x30}, 2}};

static const struct leaving *leaving_at(const u8 *code)
{
	for (u32 i = 0; machine.ring0 && i < ARRAY_SIZE(leavings); i++)
		if (!memcmp(code, leavings[i].code, leavings[i].size))
			return &leavings[i];
	return NULL;
}

static enum special special_at(const u8 *code, u32 *size)
{
	u32 prefix = *code == 0x36; /* SS */

	if (leaving_at(code)) {
		*size = leaving_at(code)->size;
		return LEAVES;
	}
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

bool world_has(u32 at)
{
	u32 size;

	return special_at(host_address(at, 8), &size) != PLAIN;
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

/* The offset in the image of the entry point of a vector of the ROM's own. */
static u32 entry_of(u32 vector)
{
	return peek(label("quick_table") + (vector - PVH_VECTORS) * 4);
}

/* A gate of the PVH binding, from ring 1 into ring 0; entry is an offset in the image. */
static void enter_ring0(u32 entry)
{
	u32 esp = machine.gpr[ESP];

	machine.gpr[ESP] = A_WIN_STACK_TOP;
	push(machine.ss);
	push(esp);
	push(machine.eflags);
	push(FLAT_RING1_CS);
	push(machine.eip);
	machine.ring0 = true;
	machine.eip = WIN_TEXT + entry;
}

/* An NMI.  In ring 0 the processor stays on its stack. */
static void come_nmi(void)
{
	u32 entry = label("trap_entries") - WIN_TEXT + A_EXC_NMI * 16;

	machine.nmis++;
	if (!machine.ring0) {
		enter_ring0(entry);
		return;
	}
	push(machine.eflags);
	push(A_OWN_CS0);
	push(machine.eip);
	machine.eip = WIN_TEXT + entry;
}

/* Xen calls upcall, if upcalls are on.  In a PVH domain it waits for the end of ring 0. */
void world_event(void)
{
	machine.event_at = NEVER;
	if (machine.nmi) {
		come_nmi();
		return;
	}
	if (machine.pvh) {
		machine.sent++;
		machine.comes = true;
		if (!machine.ring0)
			enter_ring0(entry_of(PVH_VECTORS));
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

	machine.away++;
	for (u32 i = 0; i < ARRAY_SIZE(changed); i++)
		scribble(changed[i], rnd());
	for (u32 i = 1; i <= 16; i++)
		scribble(stack - i * 4, rnd());
	if (machine.on_event)
		machine.on_event();
}

/* monitor_trap() of an upcall: iret_restart() and events, in few words. */
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
	if (vector != A_VECTOR_UPCALL)
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

/* The processor leaves a PVH domain, and comes back with an answer of Xen's. */
static void leave(const char *name)
{
	note_call(name);
	if (machine.on_leave)
		machine.on_leave();
	if (!strcmp(name, "vmmcall") || !strcmp(name, "vmcall"))
		machine.gpr[EAX] = (u32)machine.result;
	if (!strcmp(name, "cpuid"))
		for (u32 i = EAX; i <= EBX; i++)
			machine.gpr[i] = (u32)machine.result + i;
}

/* Answers whether it returns. */
bool world_call(void)
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

	if (machine.ring0 && !(peek(machine.gpr[ESP] + 4) & 3)) { /* from a trap of ring 0's own */
		machine.eip = pop();
		pop();
		machine.eflags = pop();
		return false;
	}
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
			enter_ring0(entry_of(PVH_VECTORS));
		return false;
	}
	while ((cs & 2) && machine.frame_words < 5)
		machine.frame[machine.frame_words++] = pop();
	return true;
}

bool world_instruction(enum asm_stop *stop)
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
		leave("mov to cr");
		break;
	case CLEAR_TS:
		leave("clts");
		break;
	case LEAVES:
		leave(leaving_at(host_address(machine.eip, 8))->name);
		break;
	case DROP_PAGE:
		note_call("invlpg");
		break;
	default:
		machine.frame[0] = peek8(machine.eip + 1);
		if (machine.pvh) {
			machine.eip += 2;
			enter_ring0(entry_of(machine.frame[0]));
			return false;
		}
		*stop = STOP_INT;
		return true;
	}
	machine.eip += size;
	return false;
}
