/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instruction decoder: bytes in, struct insn out.
 *
 * The decoder keeps no state, reads no memory but the bytes that it is given, and has an
 * answer for any bytes.  It knows the one-byte map and the part of the 0F map that 32-bit
 * code of 2005 to 2011 uses, with x87, MMX and SSE.  Of the maps 0F38 and 0F3A it knows
 * how long an instruction is and where its operand lies.  VEX, EVEX and XOP are
 * DECODE_BAD.  What the monitor emulates has an operation of its own in enum insn_op; the
 * rest is INSN_OTHER.
 *
 * The opcodes themselves are in opcodes.def.
 */
#ifndef VMIXEN_DECODE_H
#define VMIXEN_DECODE_H

#include "base.h"
#include "insn_op.h"
#include "regs.h"

#define INSN_MAX_LEN 15 /* bytes, SDM vol. 2A, 2.3.11 */

enum decode_result {
	DECODE_OK = 0,
	DECODE_SHORT = -1, /* the instruction goes on behind the last byte given */
	DECODE_BAD = -2,   /* undefined or unknown to us: #UD; or longer than INSN_MAX_LEN: #GP */
};

/* Where the operands are.  A name has the destination first. */
enum insn_form {
	FORM_NONE, /* implied by the opcode */

	/* With ModRM: RM is a register (mod 3) or memory. */
	FORM_RM,
	FORM_RM_R,
	FORM_R_RM,
	FORM_RM_IMM,

	/* Without: R is the register in the opcode's low three bits, also in reg. */
	FORM_R,
	FORM_R_IMM,
	FORM_ACC_R,
	FORM_ACC_IMM,
	FORM_ACC_MOFFS, /* from memory; mem, disp and seg say where */
	FORM_MOFFS_ACC,
	FORM_IMM,
	FORM_DX,
};

/*
 * One decoded instruction.  For INSN_OTHER size and rm_size mean something only where the
 * operands are general registers and integers in memory.
 *
 * imm is zero-extended.  Only a byte that the instruction itself extends (83, 6A, 6B) and
 * the target of a relative jump are sign-extended, to 32 bits; a user of imm cuts it to
 * size first.
 */
struct insn {
	u16 opcode; /* 0x00 to 0xFF, or 0x0F00 | second byte */
	u8 third;   /* the byte behind 0F 38 or 0F 3A, else 0 */
	u8 op;	    /* enum insn_op */
	u8 form;    /* enum insn_form */
	u8 len;	    /* bytes, prefixes included */
	u8 size;    /* operand size in bytes: 1, 2 or 4 */
	u8 rm_size; /* bytes read or written at r/m, register or memory; 0: address only (INVLPG) */

	bool opsize16, addrsize16; /* in effect, whatever the prefixes were */
	bool code16;		   /* as decode_insn() was told */
	bool rep, repne, lock;	   /* of F3 and F2 the last one counts */
	enum seg seg_override;	   /* the last one, or SEG_NONE */

	bool modrm;
	u8 mod, reg, rm; /* of CR and DR moves mod reads 3 */

	bool mem;	/* a memory operand by ModRM or moffs */
	s8 base, index; /* enum gpr, or -1 */
	u8 scale;	/* 1, 2, 4 or 8 */
	s32 disp;	/* sign-extended; moffs zero-extended */
	enum seg seg;	/* of the memory operand, and of a string instruction's source */
	enum seg sreg;	/* the operand of the segment instructions, else SEG_NONE */

	u8 imm_len; /* bytes of the immediates, the instruction's last ones */
	u32 imm;
	u16 sel16; /* selector of a far pointer; ENTER's second immediate */
};

/*
 * Decodes the instruction that starts at bytes[0].  avail is how many bytes can be read;
 * more than INSN_MAX_LEN are never looked at.  code16 says that the code segment's D bit
 * is clear.  The result is an enum decode_result; *out is complete only with DECODE_OK.
 */
int decode_insn(const u8 *bytes, unsigned avail, bool code16, struct insn *out);

/*
 * The offset of the memory operand in its segment, in bytes, wrapped to 16 bits where the
 * instruction does so.  gpr is indexed by enum gpr.  For two kinds of instruction the
 * caller must do more: POP to memory computes with ESP after the pop, and BT, BTS, BTR and
 * BTC in FORM_RM_R add the signed (reg / 8 / size) * size.
 */
gva_t insn_ea(const struct insn *insn, const u32 gpr[8]);

/* The value of register n, of size 1, 2 or 4 bytes, zero-extended.  With size 1 the numbers
 * 4 to 7 are AH, CH, DH and BH. */
u32 insn_reg_get(const u32 gpr[8], unsigned n, unsigned size);

/* Writes the low size bytes of value and keeps the register's other bytes. */
void insn_reg_set(u32 gpr[8], unsigned n, unsigned size, u32 value);

#endif
