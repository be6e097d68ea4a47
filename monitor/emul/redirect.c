/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An instruction whose operand is in a frame without memory is executed by the processor
 * all the same, as a copy whose operand is in a buffer of the monitor's.  So the result
 * and the flags are the processor's own, whatever the instruction is.  The FPU's registers
 * are the guest's while the copy runs, because the ROM uses none of them.
 *
 * The buffer is filled by an access of the guest's own (access.c): with ones where there
 * is no memory, and with the contents of memory where an operand is half in memory.  What
 * the copy leaves in it is written back in the same way.  Where the guest may not write,
 * nothing is executed.  An instruction that stores its operand as a whole does not read it,
 * for a device may change by being read; the stores of the x87 and FXSAVE do, because they
 * may leave all of the operand, or some of it, as it was.
 *
 * The copy is made of what decode.c has found out, not of the guest's bytes: an operand
 * size prefix, a mandatory prefix, the opcode, a ModRM byte that names ESI or EDI, and the
 * immediate.  operands.def lists every instruction for which this is done.  None of them
 * has an effect on anything but general registers, status flags, the FPU's registers and
 * its one operand, so it is safe to run one for user mode with the monitor's privileges.
 * The copy lies in a page that is writable and executable, which nobody can reach but the
 * guest's kernel and the monitor, and these trust each other.
 *
 * An exception of the copy becomes the guest's, at its instruction: nested_trap() finds
 * the address of the copy in the fixup table.  For this the vectors that arithmetic can
 * raise stay the monitor's after Init (idt.c).  The x87's last instruction pointer is
 * that of the copy.
 */
#include "redirect.h"
#include "monitor/binding.h"
#include "lib/mem.h"

/* --- what may be executed ---------------------------------------------------- */

#define WRITES 1
#define GENERAL 2
#define AT_EDI 4
#define NO_FPU 8
#define IS_INTEGER 16
#define STORES (32 | WRITES)

/* What stands for a number of bytes in the X87 and XAE rows.  ENV and SAVE are 14 less with
 * an operand size of 16 bits; FXSAVE means OPERAND_MAX. */
#define ENV 28
#define SAVE 108
#define FXSAVE 127
#define W(n) (0x80 | (n))

struct row {
	u16 first, last;
	u8 bytes[4], flags;
};

static const struct row rows[] = {
#define INTEGER(first, last, flags) {first, last, {0}, IS_INTEGER | (flags)},
#define VECTOR(first, last, a, b, c, d, flags) {first, last, {a, b, c, d}, flags},
#define X87(opcode, ...)
#define XAE(...)
#include "operands.def"
#undef INTEGER
#undef VECTOR
#undef X87
#undef XAE
};

static const u8 by_reg[9][8] = {
#define INTEGER(first, last, flags)
#define VECTOR(first, last, a, b, c, d, flags)
#define X87(opcode, ...) [(opcode)&7] = {__VA_ARGS__},
#define XAE(...) [8] = {__VA_ARGS__},
#include "operands.def"
};

/* Does the instruction have a prefix 66, whatever it means there? */
static bool has_66(const struct insn *i)
{
	return i->opsize16 != i->code16;
}

/* Which of the prefixes that choose among the instructions of one opcode counts, as an
 * index of row.bytes: 0 none, 1 prefix 66, 2 prefix F3, 3 prefix F2. */
static u32 chosen(const struct insn *i)
{
	return i->rep ? 2 : i->repne ? 3 : has_66(i);
}

static bool operand_by_reg(const struct insn *i, u32 line, struct operand *o)
{
	u32 bytes = by_reg[line][i->reg] & 0x7F;

	if (!i->mem || !bytes)
		return false;
	o->fpu = true;
	o->writes = by_reg[line][i->reg] & 0x80;
	o->bytes = (u16)(bytes == FXSAVE ? OPERAND_MAX : bytes);
	if (i->opsize16 && (bytes == ENV || bytes == SAVE))
		o->bytes -= 14;
	return true;
}

static bool operand_by_row(const struct insn *i, struct operand *o)
{
	u32 opcode =
		i->opcode == 0x0F38 || i->opcode == 0x0F3A ? i->opcode << 8 | i->third : i->opcode;

	opcode &= 0xFFFF; /* 0x3800 | byte, 0x3A00 | byte */
	for (u32 n = 0; n < ARRAY_SIZE(rows); n++) {
		const struct row *r = &rows[n];
		u32 bytes = r->flags & IS_INTEGER ? i->rm_size : r->bytes[chosen(i)];

		if (opcode < r->first || opcode > r->last || !bytes)
			continue;
		o->bytes = (u16)bytes;
		o->writes = r->flags & WRITES;
		o->stores = (r->flags & STORES) == STORES;
		o->chosen = !(r->flags & IS_INTEGER);
		o->fpu = o->chosen && !(r->flags & NO_FPU);
		o->general = r->flags & GENERAL;
		o->at_edi = r->flags & AT_EDI;
		return i->mem != o->at_edi;
	}
	return false;
}

/* For operations that have a name of their own the form tells the operands. */
static bool operand_by_form(const struct insn *i, struct operand *o)
{
	bool to_rm = i->form == FORM_RM || i->form == FORM_RM_R || i->form == FORM_RM_IMM;

	o->bytes = i->rm_size;
	o->writes = to_rm && i->op != INSN_CMP && i->op != INSN_TEST && i->op != INSN_BT;
	o->general = i->size > 1 && (i->form == FORM_RM_R || i->form == FORM_R_RM);
	return i->mem;
}

bool operand_of(const struct insn *i, struct operand *o)
{
	*o = (struct operand){0};
	if (i->op >= INSN_ADD && i->op <= INSN_BTC && i->op != INSN_MOV) /* mmio.c does that */
		return operand_by_form(i, o);
	if (i->op != INSN_OTHER)
		return false;
	if (i->opcode >= 0xD8 && i->opcode <= 0xDF)
		return operand_by_reg(i, i->opcode & 7, o);
	if (i->opcode == 0x0FAE)
		return !chosen(i) && operand_by_reg(i, 8, o);
	return operand_by_row(i, o);
}

/* --- the copy ----------------------------------------------------------------- */

/* The registers that the copy uses. */
struct plan {
	u8 base;  /* holds the operand's address */
	u8 guest; /* what ModRM.reg names, as far as that is a general register */
	u8 reg;	  /* stands in for it: ESP is the monitor's */
};

static struct plan plan(const struct insn *i, const struct operand *o)
{
	struct plan p = {.base = GPR_EDI, .guest = i->reg, .reg = i->reg};

	if (!o->at_edi && i->reg == GPR_EDI)
		p.base = GPR_ESI;
	if (o->general && i->reg == GPR_ESP)
		p.reg = GPR_EBP;
	return p;
}

static void build(const struct insn *i, const struct operand *o, struct plan p, const u8 *bytes)
{
	u8 *code = (u8 *)(uintptr_t)WIN_RUN;
	bool two_bytes = i->opcode > 0xFF;

	if (o->chosen ? has_66(i) : i->opsize16)
		*code++ = 0x66;
	if (i->op == INSN_OTHER && two_bytes && (i->rep || i->repne))
		*code++ = i->rep ? 0xF3 : 0xF2;
	if (two_bytes)
		*code++ = 0x0F;
	*code++ = i->opcode == 0x82 ? 0x80 : (u8)i->opcode; /* an alias */
	if (i->opcode == 0x0F38 || i->opcode == 0x0F3A)
		*code++ = i->third;
	*code++ = (u8)(p.reg << 3 | (o->at_edi ? 0xC0 | i->rm : p.base));
	memcpy(code, bytes + i->len - i->imm_len, i->imm_len);
	code[i->imm_len] = 0xC3;
}

/* Is it a bit test whose bit number may lead away from the word that the address names? */
static bool is_far_bit(const struct insn *i)
{
	return i->op >= INSN_BT && i->op <= INSN_BTC && i->form == FORM_RM_R;
}

/* Executes the copy with its operand at data: RUN_DONE, with the guest's registers and flags
 * changed, or the vector of the exception that it met. */
static u32 run(struct vcpu *v, const struct insn *i, struct plan p, const u8 *data)
{
	const u32 *own = v->r.gpr;
	u32 gpr[8], result, flags = v->r.eflags & EFLAGS_STATUS, vector;

	memcpy(gpr, own, sizeof(gpr));
	gpr[p.reg] = is_far_bit(i) ? own[p.guest] & (i->size * 8 - 1u) : own[p.guest];
	gpr[p.base] = (u32)(uintptr_t)data;
	vector = run_code(gpr, &flags);
	if (vector != RUN_DONE)
		return vector;
	result = is_far_bit(i) ? own[p.guest] : gpr[p.reg];
	gpr[p.reg] = own[p.reg];
	gpr[p.base] = own[p.base];
	gpr[GPR_ESP] = own[GPR_ESP];
	if (p.guest != p.base)
		gpr[p.guest] = result;
	memcpy(v->r.gpr, gpr, sizeof(gpr));
	v->r.eflags = (v->r.eflags & ~EFLAGS_STATUS) | (flags & EFLAGS_STATUS);
	return RUN_DONE;
}

/* The operand's offset in its segment; insn_ea() tells what a bit test adds. */
static u32 offset_of(const struct vcpu *v, const struct insn *i, const struct operand *o)
{
	u32 offset = o->at_edi ? v->r.gpr[GPR_EDI] : emul_offset(v, i);

	if (is_far_bit(i)) {
		s32 bits = i->size == 2 ? (s16)v->r.gpr[i->reg] : (s32)v->r.gpr[i->reg];

		offset += (u32)(bits >> (i->size == 2 ? 4 : 5)) * i->size;
	}
	return i->addrsize16 ? offset & 0xFFFF : offset;
}

enum emul_result redirect(struct vcpu *v, const struct insn *i, const u8 *bytes,
			  struct access_fault *f)
{
	u8 buffer[OPERAND_MAX + 2 * 64], *data;
	struct operand o;
	struct plan p;
	gva_t va;
	u32 bits, vector;

	if (!operand_of(i, &o))
		return EMUL_UNKNOWN;
	bits = o.writes ? PF_W : 0;
	if (o.fpu && control_fpu_is_off(v)) {
		*f = (struct access_fault){.vector = EXC_NM};
		return EMUL_FAULT;
	}
	if (!operand_linear(v, i->seg, offset_of(v, i, &o), o.bytes, bits, &va, f))
		return EMUL_FAULT;
	/* Some instructions demand alignment: the buffer is as aligned as the guest's operand. */
	data = (u8 *)(((uintptr_t)buffer + 63) & ~(uintptr_t)63) + (va & 63);
	if ((bits && guest_may(v, va, o.bytes, bits, f)) ||
	    (!o.stores && guest_access(v, va, data, o.bytes, 0, f) < 0))
		return EMUL_FAULT;
	p = plan(i, &o);
	build(i, &o, p, bytes);
	vector = run(v, i, p, data);
	if (vector != RUN_DONE) {
		*f = (struct access_fault){.vector = vector};
		return EMUL_FAULT;
	}
	if (o.writes)
		guest_access(v, va, data, o.bytes, PF_W, f);
	return EMUL_DONE;
}
