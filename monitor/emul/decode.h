/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instruction decoder: bytes in, struct insn out.
 *
 * Pure and total: no state, no memory access but the bytes given, the same
 * answer every time.  It knows the one-byte map and that part of the 0F map
 * that 32-bit code of 2005 to 2011 uses, x87, MMX and SSE included; of the maps
 * 0F38 and 0F3A it knows how long an instruction is and where its operand lies.
 * VEX, EVEX and XOP are DECODE_BAD.  What the monitor emulates has an operation
 * of its own in enum insn_op; the rest is INSN_OTHER.
 *
 * The opcodes themselves stand in opcodes.def.
 */
#ifndef VMIXEN_DECODE_H
#define VMIXEN_DECODE_H

#include "base.h"

#define INSN_MAX_LEN 15 /* bytes, SDM vol. 2A, 2.3.11 */

enum decode_result {
	DECODE_OK = 0,
	DECODE_SHORT = -1, /* the instruction goes on behind the last byte given */
	DECODE_BAD = -2,   /* undefined or unknown to us: #UD; or longer than INSN_MAX_LEN: #GP */
};

/* General registers by their number in ModRM; 16-bit ones are the low halves. */
enum gpr {
	GPR_EAX,
	GPR_ECX,
	GPR_EDX,
	GPR_EBX,
	GPR_ESP,
	GPR_EBP,
	GPR_ESI,
	GPR_EDI,
};

/* Segment registers by their number in ModRM. */
enum seg {
	SEG_ES,
	SEG_CS,
	SEG_SS,
	SEG_DS,
	SEG_FS,
	SEG_GS,
	SEG_NONE,
};

enum insn_op {
	INSN_OTHER, /* decodable, and nothing that the monitor emulates */

	/* Arithmetic; the order is that of ModRM.reg in groups 80 to 83. */
	INSN_ADD,
	INSN_OR,
	INSN_ADC,
	INSN_SBB,
	INSN_AND,
	INSN_SUB,
	INSN_XOR,
	INSN_CMP,
	INSN_TEST,
	INSN_NOT,
	INSN_NEG,
	INSN_INC,
	INSN_DEC,

	/* Data moves. */
	INSN_MOV,
	INSN_MOVZX, /* from rm_size to size */
	INSN_MOVSX,
	INSN_XCHG,
	INSN_CMPXCHG,
	INSN_XADD,
	INSN_CMPXCHG8B,
	INSN_BT, /* RM_R with memory: the bit offset in reg moves the address, see insn_ea */
	INSN_BTS,
	INSN_BTR,
	INSN_BTC,
	INSN_PUSH,
	INSN_POP,

	/* String instructions: source seg:[E]SI, destination ES:[E]DI, mem is false. */
	INSN_MOVS,
	INSN_CMPS,
	INSN_STOS,
	INSN_LODS,
	INSN_SCAS,
	INSN_INS,
	INSN_OUTS,

	/* Ports: FORM_IMM has the port in imm, FORM_DX in DX. */
	INSN_IN,
	INSN_OUT,

	/* Segments: sreg says which, whatever way the encoding names it. */
	INSN_MOV_SREG,	    /* r/m to sreg */
	INSN_MOV_FROM_SREG, /* sreg to r/m */
	INSN_PUSH_SREG,
	INSN_POP_SREG,
	INSN_LXS, /* LES, LSS, LDS, LFS, LGS: far pointer in memory to sreg and reg */

	/* Control transfer: FORM_IMM has sel16:imm, FORM_RM a far pointer in memory. */
	INSN_JMP_FAR,
	INSN_CALL_FAR,
	INSN_RETF,  /* imm: bytes to release, 0 without an immediate */
	INSN_INT_N, /* imm: the vector */
	INSN_INT3,
	INSN_INTO,
	INSN_UD2,
	INSN_IRET,
	INSN_SYSENTER,
	INSN_SYSEXIT,

	/* Flags and processor state. */
	INSN_PUSHF,
	INSN_POPF,
	INSN_CLI,
	INSN_STI,
	INSN_HLT,
	INSN_CLTS,
	INSN_INVD,
	INSN_WBINVD,
	INSN_INVLPG,
	INSN_SGDT,
	INSN_SIDT,
	INSN_LGDT,
	INSN_LIDT,
	INSN_SLDT,
	INSN_STR,
	INSN_LLDT,
	INSN_LTR,
	INSN_SMSW,
	INSN_LMSW,
	INSN_MOV_FROM_CR, /* control register reg to general register rm */
	INSN_MOV_TO_CR,
	INSN_MOV_FROM_DR,
	INSN_MOV_TO_DR,
	INSN_RDMSR,
	INSN_WRMSR,
	INSN_RDTSC,
	INSN_RDTSCP,
	INSN_RDPMC,
	INSN_CPUID,
	INSN_MONITOR,
	INSN_MWAIT,
	INSN_XSETBV,
	INSN_OP_COUNT
};

/* Where the operands are; the destination is named first. */
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
 * One decoded instruction.  Of INSN_OTHER, size and rm_size mean something only
 * where the operands are general registers and integers in memory.
 *
 * imm is zero-extended, but for a byte that the instruction extends itself
 * (83, 6A, 6B) and for relative targets, which are sign-extended to 32 bits:
 * cut it to size before use.
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
 * Decodes the instruction that starts at bytes[0], of which avail bytes can be
 * read; more than INSN_MAX_LEN are never looked at.  code16: the code segment's
 * D bit is clear.  Fills *out only as far as DECODE_OK says; see enum
 * decode_result for the rest.
 */
int decode_insn(const u8 *bytes, unsigned avail, bool code16, struct insn *out);

/*
 * The offset part of the memory operand's address, the segment's base not
 * added, wrapped to 16 bits where the instruction does so.  gpr is indexed by
 * enum gpr.  Two instructions differ from it: POP to memory computes with ESP
 * after the pop, and BT, BTS, BTR, BTC in FORM_RM_R add the signed
 * (reg / 8 / size) * size.
 */
gva_t insn_ea(const struct insn *insn, const u32 gpr[8]);

/* Register n of 1, 2 or 4 bytes, zero-extended; of one byte 4 to 7 are AH to BH. */
u32 insn_reg_get(const u32 gpr[8], unsigned n, unsigned size);

/* Writes the low size bytes of value and keeps the register's other bytes. */
void insn_reg_set(u32 gpr[8], unsigned n, unsigned size, u32 value);

#endif
