/* SPDX-License-Identifier: GPL-2.0-only */
/* What an instruction does, as the decoder names it (monitor/emul/decode.h). */
#ifndef VMIXEN_INSN_OP_H
#define VMIXEN_INSN_OP_H

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

#endif
