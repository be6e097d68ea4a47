/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * String instructions, element by element: those on ports, and those on memory of which
 * an operand is in a frame without memory.  VMI's calls for strings on ports are carried
 * out by the same function (vmi_ports.c).
 *
 * Between two elements the registers are exact, so a fault, a single step or an interrupt
 * finds what a processor would show.  STRING_MAX bounds how long an interrupt has to
 * wait, whatever the count is.  [E]SI, [E]DI and [E]CX are as wide as the address size;
 * with 16 bits their upper halves stay.
 */
#include "emul.h"
#include "monitor/io/events.h"
#include "xenbind/hypercall.h"

#define STRING_MAX 1024 /* elements done at a time */

/* What an instruction does with its operands. */
enum {
	FROM = 1, /* it reads seg:[E]SI, and moves that on */
	TO = 2,	  /* it writes ES:[E]DI, and moves that on */
	WITH = 4, /* it compares with ES:[E]DI, and moves that on */
	PORT = 8,
};

static u32 shape(const struct insn *i)
{
	static const u8 shapes[] = {
		[INSN_MOVS - INSN_MOVS] = FROM | TO,   [INSN_CMPS - INSN_MOVS] = FROM | WITH,
		[INSN_STOS - INSN_MOVS] = TO,	       [INSN_LODS - INSN_MOVS] = FROM,
		[INSN_SCAS - INSN_MOVS] = WITH,	       [INSN_INS - INSN_MOVS] = PORT | TO,
		[INSN_OUTS - INSN_MOVS] = FROM | PORT,
	};

	return shapes[i->op - INSN_MOVS];
}

static u32 address_size(const struct insn *i)
{
	return i->addrsize16 ? 2 : 4;
}

static u32 pointer(const struct vcpu *v, const struct insn *i, u32 reg)
{
	return insn_reg_get(v->r.gpr, reg, address_size(i));
}

static void add(struct vcpu *v, const struct insn *i, u32 reg, u32 n)
{
	insn_reg_set(v->r.gpr, reg, address_size(i), v->r.gpr[reg] + n);
}

/* The status flags that CMP of a and b sets, with operands of size bytes. */
static u32 compare(u32 a, u32 b, u32 size)
{
	unsigned long flags;

	if (size == 1)
		__asm__("cmpb %b2, %b1; pushf; pop %0" : "=r"(flags) : "q"(a), "q"(b) : "cc");
	else if (size == 2)
		__asm__("cmpw %w2, %w1; pushf; pop %0" : "=r"(flags) : "r"(a), "r"(b) : "cc");
	else
		__asm__("cmpl %k2, %k1; pushf; pop %0" : "=r"(flags) : "r"(a), "r"(b) : "cc");
	return (u32)flags & EFLAGS_STATUS;
}

/* Gets the value that an element moves or compares.  The result is that of guest_access().
 * A port is read only when its value can be stored, for the device may not give it twice. */
static int take(struct vcpu *v, const struct insn *i, u32 *value, struct access_fault *f)
{
	*value = v->r.gpr[GPR_EAX];
	if (shape(i) & FROM) {
		*value = 0;
		return operand_access(v, i->seg, pointer(v, i, GPR_ESI), value, i->size, 0, f);
	}
	if (i->op != INSN_INS)
		return 0;
	if (operand_may(v, SEG_ES, pointer(v, i, GPR_EDI), i->size, PF_W, f))
		return -1;
	*value = port_in(v, (u16)v->r.gpr[GPR_EDX], i->size);
	return 0;
}

/* Stores, compares or outputs the value.  The result is that of guest_access(). */
static int give(struct vcpu *v, const struct insn *i, u32 value, struct access_fault *f)
{
	u32 other = 0, di = pointer(v, i, GPR_EDI);
	int met;

	if (shape(i) & TO)
		return operand_access(v, SEG_ES, di, &value, i->size, PF_W, f);
	if (shape(i) & WITH) {
		met = operand_access(v, SEG_ES, di, &other, i->size, 0, f);
		if (met >= 0)
			v->r.eflags =
				(v->r.eflags & ~EFLAGS_STATUS) | compare(value, other, i->size);
		return met;
	}
	if (i->op == INSN_OUTS)
		port_out(v, (u16)v->r.gpr[GPR_EDX], i->size, value);
	else
		insn_reg_set(v->r.gpr, GPR_EAX, i->size, value);
	return 0;
}

/* Carries out one element.  The result is that of guest_access(); after -1 no register has
 * moved on. */
static int element(struct vcpu *v, const struct insn *i, struct access_fault *f)
{
	u32 value, step = v->r.eflags & EFLAGS_DF ? 0u - i->size : i->size;
	int first, second;

	first = take(v, i, &value, f);
	if (first < 0)
		return first;
	second = give(v, i, value, f);
	if (second < 0)
		return second;
	if (shape(i) & FROM)
		add(v, i, GPR_ESI, step);
	if (shape(i) & (TO | WITH))
		add(v, i, GPR_EDI, step);
	return first | second;
}

/* Does a comparison end the loop of REPE (F3) or REPNE (F2)? */
static bool decided(const struct vcpu *v, const struct insn *i)
{
	return (shape(i) & WITH) && !(v->r.eflags & EFLAGS_ZF) == i->rep;
}

enum emul_result string_run(struct vcpu *v, const struct insn *i, struct access_fault *f)
{
	bool repeated = i->rep || i->repne;

	for (u32 n = 0; !repeated || pointer(v, i, GPR_ECX);) {
		int met = element(v, i, f);

		if (met < 0)
			return EMUL_FAULT;
		if (repeated)
			add(v, i, GPR_ECX, 0u - 1);
		if (!repeated || decided(v, i) || !pointer(v, i, GPR_ECX))
			return EMUL_DONE;
		if (++n == STRING_MAX || (v->r.eflags & EFLAGS_TF) ||
		    (met != ACCESS_MMIO && !(shape(i) & PORT)))
			return EMUL_AGAIN;
	}
	return EMUL_DONE;
}
