/* SPDX-License-Identifier: GPL-2.0-only */
/* See asm_pvh.h; the model is of monitor/pvh/trap.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "asm_memory.h"
#include "asm_pvh.h"
#include "monitor/pvh/pvh.h"

#define IF A_EFLAGS_IF

u8 pvh_flag;
static bool asks; /* the 8259 has an interrupt */
static u32 asked; /* for so many */

struct context {
	u32 eip, cs, eflags, esp, ss;
};

static bool in_code(const struct context *c, const char *from, const char *to)
{
	return !(c->cs & 2) && c->eip >= label(from) && c->eip < label(to);
}

/* The frame at ESP, which IRET was about to take. */
static void iret_context(struct context *c)
{
	u32 at = c->esp;

	if (!asks) {
		c->eip = label("iret_window");
		c->eflags &= ~IF;
		return;
	}
	c->eip = peek(at);
	c->cs = peek(at + 4) & 0xFFFF;
	c->eflags = peek(at + 8);
	c->esp = c->cs & 2 ? peek(at + 12) : at + 12;
	if (c->cs & 2)
		c->ss = peek(at + 16);
}

static void deliver(struct context *c)
{
	if (in_code(c, "iret_window", "iret_window_end")) {
		c->eip = label("iret_window");
		c->eflags &= ~IF;
	}
	if (asks && (c->eflags & IF) && !in_code(c, "exception_code", "exception_code_end")) {
		asks = false;
		machine.taken++;
		if (!(c->cs & 2))
			guest_was_elsewhere(c->esp);
		else if (machine.on_event)
			machine.on_event();
	}
	scribble8(A_V_PEND, asks ? A_PEND : 0);
}

static bool monitor(u32 vector)
{
	u32 f = peek(A_V_TRAP_ESP), out = A_WIN_STACK_TOP - 20;
	struct context c = {peek(f), peek(f + 4) & 0xFFFF, peek(f + 8), peek(f + 12), peek(f + 16)};

	if (!(c.cs & 2))
		c.eflags = (c.eflags & ~IF) | (peek(A_V_VIF) & IF);
	if (machine.comes) {
		asked += !asks;
		asks = true;
		machine.comes = false;
	}
	if (vector == VECTOR_IRET)
		iret_context(&c);
	else if (vector != A_VECTOR_UPCALL)
		fail_msg("trap %x", vector);
	deliver(&c);
	scribble(A_V_VIF, c.eflags & IF);
	scribble(out, c.eip);
	scribble(out + 4, c.cs);
	scribble(out + 8, c.eflags | IF);
	scribble(out + 12, c.esp);
	scribble(out + 16, c.ss);
	scribble(A_V_EXIT_ESP, out);
	return true;
}

void pvh_begin(u32 seed)
{
	memory_of_pvh();
	machine_begin(seed);
	machine.pvh = true;
	machine.on_trap = monitor;
	pvh_flag = (u8)below(2);
	asks = !pvh_flag && one_in(2);
	asked = asks;
	poke(A_V_VIF, (rnd() & ~IF) | (pvh_flag ? IF : 0)); /* no other bit counts */
	poke(A_V_DUE, 0);
	poke8(A_V_PEND, asks ? A_PEND : 0);
	poke8(A_V_PARAVIRTUAL, 1);
	poke8(A_V_TS_REAL, 0);
	poke8(A_V_PDPTE_FLAW, 0);
}

bool pvh_vif(void)
{
	return peek(A_V_VIF) & IF;
}

void pvh_raise(void)
{
	asked += !asks;
	asks = true;
	scribble8(A_V_PEND, A_PEND);
}

void pvh_check_events(void)
{
	if (asks && pvh_vif())
		fail_msg("an interrupt waits, and the flag is on");
	pvh_check_count();
}

void pvh_check_count(void)
{
	assert_int_equal(peek8(A_V_PEND), asks ? A_PEND : 0);
	assert_int_equal(machine.taken + asks + machine.comes, asked + machine.comes);
}
