/* SPDX-License-Identifier: GPL-2.0-only */
/* See decode_oracle.h. */
#include <stdio.h>
#include <string.h>

#include <Zydis/Zydis.h>

#include "decode_oracle.h"
#include "monitor/emul/decode.h"

struct oracle {
	ZydisDecodedInstruction z;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

static ZydisDecoder decoder32, decoder16;
unsigned decode_mismatches;

/* Our operation of Zydis's mnemonic; see oracle_op() for those that mean several. */
static const u8 op_of_mnemonic[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
#define SAME(name) [ZYDIS_MNEMONIC_##name] = INSN_##name
#define ALSO(name, op) [ZYDIS_MNEMONIC_##name] = INSN_##op
#define STRING(name) ALSO(name##B, name), ALSO(name##W, name), ALSO(name##D, name)
	SAME(ADD),	   SAME(OR),	   SAME(ADC),	     SAME(SBB),		SAME(AND),
	SAME(SUB),	   SAME(XOR),	   SAME(CMP),	     SAME(TEST),	SAME(NOT),
	SAME(NEG),	   SAME(INC),	   SAME(DEC),	     SAME(MOV),		SAME(MOVZX),
	SAME(MOVSX),	   SAME(XCHG),	   SAME(CMPXCHG),    SAME(XADD),	SAME(CMPXCHG8B),
	SAME(BT),	   SAME(BTS),	   SAME(BTR),	     SAME(BTC),		SAME(PUSH),
	SAME(POP),	   SAME(IN),	   SAME(OUT),	     SAME(INT3),	SAME(INTO),
	SAME(UD2),	   SAME(IRET),	   SAME(SYSENTER),   SAME(SYSEXIT),	SAME(PUSHF),
	SAME(POPF),	   SAME(CLI),	   SAME(STI),	     SAME(HLT),		SAME(CLTS),
	SAME(INVD),	   SAME(WBINVD),   SAME(INVLPG),     SAME(SGDT),	SAME(SIDT),
	SAME(LGDT),	   SAME(LIDT),	   SAME(SLDT),	     SAME(STR),		SAME(LLDT),
	SAME(LTR),	   SAME(SMSW),	   SAME(LMSW),	     SAME(RDMSR),	SAME(WRMSR),
	SAME(RDTSC),	   SAME(RDTSCP),   SAME(RDPMC),	     SAME(CPUID),	SAME(MONITOR),
	SAME(MWAIT),	   SAME(XSETBV),   ALSO(LES, LXS),   ALSO(LSS, LXS),	ALSO(LDS, LXS),
	ALSO(LFS, LXS),	   ALSO(LGS, LXS), ALSO(INT, INT_N), ALSO(IRETD, IRET), ALSO(PUSHFD, PUSHF),
	ALSO(POPFD, POPF), STRING(MOVS),   STRING(CMPS),     STRING(STOS),	STRING(LODS),
	STRING(SCAS),	   STRING(INS),	   STRING(OUTS),
#undef SAME
#undef ALSO
#undef STRING
};

void decode_oracle_start(void)
{
	ZydisDecoderInit(&decoder32, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
	ZydisDecoderInit(&decoder16, ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
}

#define ANY_ENCODING ZYDIS_OPERAND_ENCODING_MAX_VALUE

/* The first operand of that type, hidden ones included; NULL if there is none. */
static const ZydisDecodedOperand *operand(const struct oracle *o, ZydisOperandType type,
					  ZydisOperandEncoding encoding)
{
	for (unsigned i = 0; i < o->z.operand_count; i++)
		if (o->operands[i].type == type &&
		    (encoding == ANY_ENCODING || o->operands[i].encoding == encoding))
			return &o->operands[i];
	return NULL;
}

static bool is_class(const ZydisDecodedOperand *op, ZydisRegisterClass class)
{
	return op->type == ZYDIS_OPERAND_TYPE_REGISTER &&
	       ZydisRegisterGetClass(op->reg.value) == class;
}

/* The segment register that is an operand, or SEG_NONE. */
static enum seg oracle_sreg(const struct oracle *o)
{
	for (unsigned i = 0; i < o->z.operand_count; i++)
		if (is_class(&o->operands[i], ZYDIS_REGCLASS_SEGMENT))
			return (enum seg)ZydisRegisterGetId(o->operands[i].reg.value);
	return SEG_NONE;
}

static enum insn_op oracle_op(const struct oracle *o)
{
	enum insn_op op = op_of_mnemonic[o->z.mnemonic];
	bool far = o->z.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
	bool sreg = oracle_sreg(o) != SEG_NONE;

	switch (o->z.mnemonic) {
	case ZYDIS_MNEMONIC_CALL:
		return far ? INSN_CALL_FAR : INSN_OTHER;
	case ZYDIS_MNEMONIC_JMP:
		return far ? INSN_JMP_FAR : INSN_OTHER;
	case ZYDIS_MNEMONIC_RET:
		return far ? INSN_RETF : INSN_OTHER;
	case ZYDIS_MNEMONIC_MOVSD:
	case ZYDIS_MNEMONIC_CMPSD:
		return o->z.meta.category == ZYDIS_CATEGORY_STRINGOP ? op : INSN_OTHER;
	case ZYDIS_MNEMONIC_PUSH:
		return sreg ? INSN_PUSH_SREG : op;
	case ZYDIS_MNEMONIC_POP:
		return sreg ? INSN_POP_SREG : op;
	case ZYDIS_MNEMONIC_MOV:
		if (is_class(&o->operands[0], ZYDIS_REGCLASS_SEGMENT))
			return INSN_MOV_SREG;
		if (is_class(&o->operands[1], ZYDIS_REGCLASS_SEGMENT))
			return INSN_MOV_FROM_SREG;
		if (is_class(&o->operands[0], ZYDIS_REGCLASS_CONTROL))
			return INSN_MOV_TO_CR;
		if (is_class(&o->operands[1], ZYDIS_REGCLASS_CONTROL))
			return INSN_MOV_FROM_CR;
		if (is_class(&o->operands[0], ZYDIS_REGCLASS_DEBUG))
			return INSN_MOV_TO_DR;
		if (is_class(&o->operands[1], ZYDIS_REGCLASS_DEBUG))
			return INSN_MOV_FROM_DR;
		return op;
	default:
		return op;
	}
}

static void mismatch(const u8 *bytes, const char *what, long ours, long theirs)
{
	if (decode_mismatches++ >= 40)
		return;
	for (unsigned i = 0; i < INSN_MAX_LEN; i++)
		fprintf(stderr, "%02X ", bytes[i]);
	fprintf(stderr, " %s: ours %ld, Zydis %ld\n", what, ours, theirs);
}

#define SAME(what, ours, theirs)                                                                   \
	do {                                                                                       \
		long ours_ = (long)(ours), theirs_ = (long)(theirs);                               \
		if (ours_ != theirs_)                                                              \
			mismatch(bytes, what, ours_, theirs_);                                     \
	} while (0)

static int gpr_number(ZydisRegister reg)
{
	return reg == ZYDIS_REGISTER_NONE ? -1 : ZydisRegisterGetId(reg);
}

static void compare_mem(const u8 *bytes, const struct insn *insn, const struct oracle *o)
{
	const ZydisDecodedOperand *mem =
		operand(o, ZYDIS_OPERAND_TYPE_MEMORY, ZYDIS_OPERAND_ENCODING_MODRM_RM);

	if (mem == NULL)
		mem = operand(o, ZYDIS_OPERAND_TYPE_MEMORY, ZYDIS_OPERAND_ENCODING_DISP16_32_64);
	SAME("memory operand", insn->mem, mem != NULL);
	if (mem == NULL || !insn->mem)
		return;
	SAME("base", insn->base, gpr_number(mem->mem.base));
	SAME("index", insn->index, gpr_number(mem->mem.index));
	if (insn->index >= 0)
		SAME("scale", insn->scale, mem->mem.scale);
	u32 mask = insn->addrsize16 ? 0xFFFF : 0xFFFFFFFF;
	SAME("displacement", insn->disp & mask, (u32)mem->mem.disp.value & mask);
	/* lea has no segment, and 3E before an indirect near jump is CET's notrack */
	if (mem->mem.type != ZYDIS_MEMOP_TYPE_AGEN && !(o->z.attributes & ZYDIS_ATTRIB_HAS_NOTRACK))
		SAME("segment", insn->seg, ZydisRegisterGetId(mem->mem.segment));
	if (insn->op != INSN_OTHER && insn->op != INSN_INVLPG)
		SAME("width at r/m", insn->rm_size * 8, mem->size);
}

static void compare_register(const u8 *bytes, const char *what, unsigned n, unsigned size,
			     const ZydisDecodedOperand *reg)
{
	/* Zydis numbers the byte registers AL to BL, AH to BH, SPL ... as the encodings do */
	SAME(what, n, ZydisRegisterGetId(reg->reg.value));
	SAME("width of register", size * 8, reg->size);
}

static void compare_registers(const u8 *bytes, const struct insn *insn, const struct oracle *o)
{
	const ZydisDecodedOperand *rm =
		operand(o, ZYDIS_OPERAND_TYPE_REGISTER, ZYDIS_OPERAND_ENCODING_MODRM_RM);
	const ZydisDecodedOperand *reg =
		operand(o, ZYDIS_OPERAND_TYPE_REGISTER, ZYDIS_OPERAND_ENCODING_MODRM_REG);
	const ZydisDecodedOperand *opcode =
		operand(o, ZYDIS_OPERAND_TYPE_REGISTER, ZYDIS_OPERAND_ENCODING_OPCODE);

	if (rm != NULL)
		compare_register(bytes, "r/m register", insn->rm, insn->rm_size, rm);
	if (reg != NULL && insn->sreg != SEG_NONE && insn->op != INSN_LXS)
		SAME("segment register", insn->sreg, ZydisRegisterGetId(reg->reg.value));
	else if (reg != NULL)
		compare_register(bytes, "register", insn->reg, insn->size, reg);
	if (opcode != NULL && insn->op != INSN_PUSH_SREG && insn->op != INSN_POP_SREG)
		compare_register(bytes, "opcode's register", insn->reg, insn->size, opcode);
	bool r = insn->form == FORM_R || insn->form == FORM_R_IMM || insn->form == FORM_ACC_R;
	SAME("has opcode's register", r, opcode != NULL);
	bool modrm_reg = insn->form == FORM_RM_R || insn->form == FORM_R_RM;
	if (insn->sreg == SEG_NONE && (insn->op < INSN_MOV_FROM_CR || insn->op > INSN_MOV_TO_DR))
		SAME("has a register", modrm_reg, reg != NULL);
	SAME("segment register", insn->sreg, oracle_sreg(o));

	/* the destination is the form's first name */
	if (modrm_reg && insn->op != INSN_XCHG && insn->op != INSN_XADD)
		SAME("destination is reg", insn->form == FORM_R_RM,
		     o->operands[0].encoding == ZYDIS_OPERAND_ENCODING_MODRM_REG);
}

static void compare_immediates(const u8 *bytes, const struct insn *insn, const struct oracle *o)
{
	u32 first = 0, mask = 0xFFFFFFFF;
	u16 second = 0;

	for (unsigned i = 0, seen = 0; i < o->z.operand_count_visible; i++) {
		const ZydisDecodedOperand *op = &o->operands[i];
		if (op->type == ZYDIS_OPERAND_TYPE_POINTER) {
			first = op->ptr.offset;
			second = op->ptr.segment;
		} else if (op->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && seen++ == 0) {
			first = (u32)op->imm.value.u;
			/* Zydis extends by sign even what fills the operand */
			if (op->imm.is_signed && insn->size < 4)
				mask = (1u << 8 * insn->size) - 1;
		} else if (op->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
			second = (u16)op->imm.value.u;
		}
	}
	SAME("immediate", insn->imm & mask, first & mask);
	SAME("second immediate", insn->sel16, second);
}

/* Operand size and source segment of instructions whose operands are implied. */
static void compare_implied(const u8 *bytes, const struct insn *insn, const struct oracle *o)
{
	const ZydisDecodedOperand *mem = operand(o, ZYDIS_OPERAND_TYPE_MEMORY, ANY_ENCODING);

	switch (insn->op) {
	case INSN_MOVS:
	case INSN_CMPS:
	case INSN_STOS:
	case INSN_LODS:
	case INSN_SCAS:
	case INSN_INS:
	case INSN_OUTS:
		SAME("width of string", insn->size * 8, mem->size);
		for (unsigned i = 0; i < o->z.operand_count; i++)
			if (o->operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
			    ZydisRegisterGetId(o->operands[i].mem.base) == GPR_ESI)
				SAME("source segment", insn->seg,
				     ZydisRegisterGetId(o->operands[i].mem.segment));
		SAME("rep", insn->rep,
		     (o->z.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE)) != 0);
		break;
	case INSN_IN:
		SAME("width of port", insn->size * 8, o->operands[0].size);
		break;
	case INSN_OUT:
		SAME("width of port", insn->size * 8, o->operands[1].size);
		break;
	case INSN_MOV:
		if (!insn->modrm)
			SAME("width of moffs", insn->size * 8, o->operands[0].size);
		break;
	case INSN_IRET:
	case INSN_PUSHF:
	case INSN_POPF:
	case INSN_RETF:
	case INSN_PUSH:
	case INSN_POP:
	case INSN_PUSH_SREG:
	case INSN_POP_SREG:
	case INSN_JMP_FAR:
	case INSN_CALL_FAR:
		SAME("operand width", insn->size * 8, o->z.operand_width);
		break;
	default:
		break;
	}
}

/*
 * What we accept and Zydis does not: 66, F2 and F3 before MONITOR, MWAIT and
 * XSETBV, where they mean nothing.  Today's manual makes some of it #UD; the
 * processors of the time ignored it, and no kernel writes it.
 */
static bool known_difference(const struct insn *insn)
{
	bool prefixed = insn->len > 3;

	return prefixed &&
	       (insn->op == INSN_MONITOR || insn->op == INSN_MWAIT || insn->op == INSN_XSETBV);
}

/* What Zydis accepts and we do not: virtual machine monitors, and what came after 2011. */
static bool beyond_our_time(const ZydisDecodedInstruction *z)
{
	static const u8 isa_sets[] = {
		ZYDIS_ISA_SET_VTX,	 ZYDIS_ISA_SET_SVM,	    ZYDIS_ISA_SET_VMFUNC,
		ZYDIS_ISA_SET_SMX,	 ZYDIS_ISA_SET_SSE4A,	    ZYDIS_ISA_SET_RTM,
		ZYDIS_ISA_SET_CET,	 ZYDIS_ISA_SET_CLZERO,	    ZYDIS_ISA_SET_MCOMMIT,
		ZYDIS_ISA_SET_MONITORX,	 ZYDIS_ISA_SET_PCONFIG,	    ZYDIS_ISA_SET_PKU,
		ZYDIS_ISA_SET_RDPID,	 ZYDIS_ISA_SET_RDPRU,	    ZYDIS_ISA_SET_RDRAND,
		ZYDIS_ISA_SET_RDSEED,	 ZYDIS_ISA_SET_SERIALIZE,   ZYDIS_ISA_SET_SGX,
		ZYDIS_ISA_SET_SGX_ENCLV, ZYDIS_ISA_SET_SMAP,	    ZYDIS_ISA_SET_SNP,
		ZYDIS_ISA_SET_TDX,	 ZYDIS_ISA_SET_TSX_LDTRK,   ZYDIS_ISA_SET_XSAVEC,
		ZYDIS_ISA_SET_XSAVES,	 ZYDIS_ISA_SET_AMD_INVLPGB,
	};

	/* VEX, EVEX, XOP */
	if (z->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
		return true;
	if (z->mnemonic == ZYDIS_MNEMONIC_UD0 || z->mnemonic == ZYDIS_MNEMONIC_UD1)
		return true; /* #UD either way */
	/* One that not every Zydis has a number for. */
	if (strcmp(ZydisISASetGetString(z->meta.isa_set), "WRMSRNS") == 0)
		return true;
	return memchr(isa_sets, (int)z->meta.isa_set, sizeof(isa_sets)) != NULL;
}

void decode_compare(const u8 *bytes, bool code16)
{
	struct insn insn;
	struct oracle o = {.operands[0].type = ZYDIS_OPERAND_TYPE_UNUSED};
	int result = decode_insn(bytes, INSN_MAX_LEN, code16, &insn);
	bool valid = ZYAN_SUCCESS(ZydisDecoderDecodeFull(code16 ? &decoder16 : &decoder32, bytes,
							 INSN_MAX_LEN, &o.z, o.operands));

	if (result != DECODE_OK) {
		SAME("result", result, DECODE_BAD);
		if (valid && (oracle_op(&o) != INSN_OTHER || !beyond_our_time(&o.z)))
			mismatch(bytes, "rejected", -1, oracle_op(&o));
		return;
	}
	if (!valid) {
		if (insn.op != INSN_OTHER && !known_difference(&insn))
			mismatch(bytes, "accepted", insn.op, -1);
		return;
	}
	SAME("length", insn.len, o.z.length);
	SAME("operation", insn.op, oracle_op(&o));
	compare_mem(bytes, &insn, &o);
	if (insn.op == INSN_OTHER || insn.op != oracle_op(&o))
		return;
	compare_immediates(bytes, &insn, &o);
	compare_registers(bytes, &insn, &o);
	compare_implied(bytes, &insn, &o);
	SAME("lock", insn.lock, (o.z.attributes & ZYDIS_ATTRIB_HAS_LOCK) != 0);
	SAME("addrsize16", insn.addrsize16, o.z.address_width == 16);
}

void decode_cut_off(const u8 *bytes)
{
	struct insn insn, again;

	if (decode_insn(bytes, INSN_MAX_LEN, false, &insn) != DECODE_OK)
		return;
	for (unsigned n = 0; n < insn.len; n++)
		SAME("result when cut off", decode_insn(bytes, n, false, &again), DECODE_SHORT);
	SAME("result at full length", decode_insn(bytes, insn.len, false, &again), DECODE_OK);
	SAME("length at full length", again.len, insn.len);
}
