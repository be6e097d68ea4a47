/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instruction decoder: by hand for each operation that the monitor
 * emulates, and against Zydis for everything else that bytes can say.
 *
 * Against Zydis the rules are: what we accept has the same length; an
 * operation of ours is Zydis's mnemonic, with the same operands; what Zydis
 * takes for one of our operations is never rejected by us.  The exceptions are
 * in known_difference() and beyond_our_time(), with the reasons.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <Zydis/Zydis.h>

#include "decode.h"

/* ---- by hand -------------------------------------------------------------------------------- */

/* Decodes "0F 20 D8"; the bytes lie at the end of an allocation, so that ASan sees over-reads. */
static int decode_hex(const char *hex, struct insn *insn)
{
	u8 bytes[32] = {0};
	unsigned n = 0;

	for (char *end; *hex != '\0'; hex = end) {
		assert_true(n < sizeof(bytes));
		bytes[n++] = (u8)strtoul(hex, &end, 16);
	}
	u8 *copy = malloc(n);
	assert_non_null(copy);
	memcpy(copy, bytes, n);
	int result = decode_insn(copy, n, false, insn);
	free(copy);
	if (result == DECODE_OK)
		assert_int_equal(insn->len, n);
	return result;
}

static struct insn decode(const char *hex)
{
	struct insn insn;

	if (decode_hex(hex, &insn) != DECODE_OK)
		fail_msg("%s is rejected", hex);
	return insn;
}

struct encoding {
	const char *hex;
	enum insn_op op;
	unsigned size;
};

static const struct encoding encodings[] = {
	/* privileged, and what reads or writes the processor's state */
	{"FA", INSN_CLI, 4},
	{"FB", INSN_STI, 4},
	{"F4", INSN_HLT, 4},
	{"9C", INSN_PUSHF, 4},
	{"66 9C", INSN_PUSHF, 2},
	{"9D", INSN_POPF, 4},
	{"CF", INSN_IRET, 4},
	{"66 CF", INSN_IRET, 2},
	{"0F 06", INSN_CLTS, 4},
	{"0F 08", INSN_INVD, 4},
	{"0F 09", INSN_WBINVD, 4},
	{"0F 00 00", INSN_SLDT, 4},
	{"0F 00 C8", INSN_STR, 4},
	{"0F 00 D0", INSN_LLDT, 2},
	{"0F 00 D8", INSN_LTR, 2},
	{"0F 01 05 00 00 10 C0", INSN_SGDT, 4},
	{"0F 01 0D 00 00 10 C0", INSN_SIDT, 4},
	{"0F 01 15 00 00 10 C0", INSN_LGDT, 4},
	{"66 0F 01 10", INSN_LGDT, 2},
	{"0F 01 18", INSN_LIDT, 4},
	{"0F 01 E0", INSN_SMSW, 4},
	{"0F 01 F0", INSN_LMSW, 2},
	{"0F 01 30", INSN_LMSW, 2},
	{"0F 01 38", INSN_INVLPG, 1},
	{"0F 20 D8", INSN_MOV_FROM_CR, 4},
	{"0F 22 D8", INSN_MOV_TO_CR, 4},
	{"0F 21 F8", INSN_MOV_FROM_DR, 4},
	{"0F 23 F8", INSN_MOV_TO_DR, 4},
	{"0F 30", INSN_WRMSR, 4},
	{"0F 31", INSN_RDTSC, 4},
	{"0F 32", INSN_RDMSR, 4},
	{"0F 33", INSN_RDPMC, 4},
	{"0F 34", INSN_SYSENTER, 4},
	{"0F 35", INSN_SYSEXIT, 4},
	{"0F A2", INSN_CPUID, 4},
	{"0F 01 C8", INSN_MONITOR, 4},
	{"0F 01 C9", INSN_MWAIT, 4},
	{"0F 01 D1", INSN_XSETBV, 4},
	{"0F 01 F9", INSN_RDTSCP, 4},
	{"0F 0B", INSN_UD2, 4},

	/* ports */
	{"E4 71", INSN_IN, 1},
	{"E5 71", INSN_IN, 4},
	{"EC", INSN_IN, 1},
	{"ED", INSN_IN, 4},
	{"66 ED", INSN_IN, 2},
	{"E6 70", INSN_OUT, 1},
	{"E7 70", INSN_OUT, 4},
	{"EE", INSN_OUT, 1},
	{"66 EF", INSN_OUT, 2},
	{"F3 6C", INSN_INS, 1},
	{"F3 66 6D", INSN_INS, 2},
	{"F3 6E", INSN_OUTS, 1},
	{"6F", INSN_OUTS, 4},

	/* segments and far transfers */
	{"8E D8", INSN_MOV_SREG, 2},
	{"8E 10", INSN_MOV_SREG, 2},
	{"8C D8", INSN_MOV_FROM_SREG, 4},
	{"8C 18", INSN_MOV_FROM_SREG, 4},
	{"1F", INSN_POP_SREG, 4},
	{"0F A1", INSN_POP_SREG, 4},
	{"0E", INSN_PUSH_SREG, 4},
	{"0F A8", INSN_PUSH_SREG, 4},
	{"0F B2 20", INSN_LXS, 4},
	{"C5 36", INSN_LXS, 4},
	{"EA 00 00 10 C0 60 00", INSN_JMP_FAR, 4},
	{"FF 2D 00 00 10 C0", INSN_JMP_FAR, 4},
	{"9A 00 00 10 C0 60 00", INSN_CALL_FAR, 4},
	{"FF 18", INSN_CALL_FAR, 4},
	{"CB", INSN_RETF, 4},
	{"CA 08 00", INSN_RETF, 4},
	{"CD 80", INSN_INT_N, 4},
	{"CC", INSN_INT3, 4},
	{"CE", INSN_INTO, 4},

	/* moves */
	{"88 03", INSN_MOV, 1},
	{"89 85 B0 00 00 00", INSN_MOV, 4},
	{"66 8B 03", INSN_MOV, 2},
	{"A1 20 00 E0 FE", INSN_MOV, 4},
	{"A2 20 00 E0 FE", INSN_MOV, 1},
	{"C6 03 5A", INSN_MOV, 1},
	{"C7 05 B0 B0 FF FF 00 00 00 00", INSN_MOV, 4},
	{"66 C7 03 34 12", INSN_MOV, 2},
	{"B8 78 56 34 12", INSN_MOV, 4},
	{"B4 12", INSN_MOV, 1},
	{"0F B6 03", INSN_MOVZX, 4},
	{"66 0F B6 03", INSN_MOVZX, 2},
	{"0F BF 03", INSN_MOVSX, 4},
	{"A4", INSN_MOVS, 1},
	{"F3 A5", INSN_MOVS, 4},
	{"F3 AB", INSN_STOS, 4},
	{"AC", INSN_LODS, 1},
	{"F3 A6", INSN_CMPS, 1},
	{"F2 AE", INSN_SCAS, 1},
	{"50", INSN_PUSH, 4},
	{"FF 30", INSN_PUSH, 4},
	{"6A FF", INSN_PUSH, 4},
	{"68 78 56 34 12", INSN_PUSH, 4},
	{"58", INSN_POP, 4},
	{"8F 00", INSN_POP, 4},

	/* arithmetic */
	{"01 03", INSN_ADD, 4},
	{"83 03 01", INSN_ADD, 4},
	{"0A 03", INSN_OR, 1},
	{"80 0B 01", INSN_OR, 1},
	{"82 0B 01", INSN_OR, 1},
	{"11 03", INSN_ADC, 4},
	{"1B 03", INSN_SBB, 4},
	{"F0 83 23 FE", INSN_AND, 4},
	{"25 FF FF FF 7F", INSN_AND, 4},
	{"81 2B 00 01 00 00", INSN_SUB, 4},
	{"66 31 03", INSN_XOR, 2},
	{"3C 05", INSN_CMP, 1},
	{"83 3D 00 00 10 C0 00", INSN_CMP, 4},
	{"84 03", INSN_TEST, 1},
	{"A8 01", INSN_TEST, 1},
	{"F6 03 01", INSN_TEST, 1},
	{"F7 03 01 00 00 00", INSN_TEST, 4},
	{"F7 13", INSN_NOT, 4},
	{"F6 1B", INSN_NEG, 1},
	{"FE 03", INSN_INC, 1},
	{"F0 FF 03", INSN_INC, 4},
	{"40", INSN_INC, 4},
	{"FF 0B", INSN_DEC, 4},
	{"4F", INSN_DEC, 4},
	{"87 03", INSN_XCHG, 4},
	{"93", INSN_XCHG, 4},
	{"F0 0F B1 0B", INSN_CMPXCHG, 4},
	{"0F B0 0B", INSN_CMPXCHG, 1},
	{"F0 0F C1 03", INSN_XADD, 4},
	{"F0 0F C7 0E", INSN_CMPXCHG8B, 4},
	{"0F A3 03", INSN_BT, 4},
	{"0F BA 23 05", INSN_BT, 4},
	{"F0 0F AB 03", INSN_BTS, 4},
	{"F0 0F BA 33 05", INSN_BTR, 4},
	{"0F B3 03", INSN_BTR, 4},
	{"0F BB 03", INSN_BTC, 4},

	/* the others, of which only the length counts */
	{"90", INSN_OTHER, 0},
	{"F3 90", INSN_OTHER, 0},
	{"3E 8D 74 26 00", INSN_OTHER, 0}, /* lea as padding */
	{"E8 00 00 00 00", INSN_OTHER, 0},
	{"66 E8 00 00", INSN_OTHER, 0},
	{"0F 85 00 00 00 00", INSN_OTHER, 0},
	{"C8 10 00 00", INSN_OTHER, 0},
	{"0F AE 00", INSN_OTHER, 0},		    /* fxsave */
	{"0F AE F0", INSN_OTHER, 0},		    /* mfence */
	{"DB E3", INSN_OTHER, 0},		    /* fninit */
	{"0F E7 07", INSN_OTHER, 0},		    /* movntq */
	{"F3 0F B8 C1", INSN_OTHER, 0},		    /* popcnt */
	{"0F 0F C1 9E", INSN_OTHER, 0},		    /* pfadd */
	{"66 0F 73 FA 08", INSN_OTHER, 0},	    /* pslldq */
	{"0F 1F 84 00 00 00 00 00", INSN_OTHER, 0}, /* nop */
};

static void every_operation_is_recognised(void **state)
{
	bool seen[INSN_OP_COUNT] = {false};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(encodings); i++) {
		const struct encoding *e = &encodings[i];
		struct insn insn = decode(e->hex);
		if (insn.op != e->op || (e->size != 0 && insn.size != e->size))
			fail_msg("%s is op %u, size %u", e->hex, insn.op, insn.size);
		seen[e->op] = true;
	}
	for (unsigned op = 0; op < INSN_OP_COUNT; op++)
		if (!seen[op])
			fail_msg("operation %u has no encoding here", op);
}

static void every_beginning_of_an_instruction_is_short(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(encodings); i++) {
		char hex[64];
		struct insn insn;
		strcpy(hex, encodings[i].hex);
		for (char *space; (space = strrchr(hex, ' ')) != NULL;) {
			*space = '\0';
			if (decode_hex(hex, &insn) != DECODE_SHORT)
				fail_msg("%s of %s", hex, encodings[i].hex);
		}
		assert_int_equal(decode_insn(NULL, 0, false, &insn), DECODE_SHORT);
	}
}

static void undefined_and_unknown_instructions_are_bad(void **state)
{
	static const char *const bad[] = {
		"0F 04", /* nothing there */
		"0F 0A",
		"0F FF C0", /* ud0, ud1 */
		"0F B9 C0",
		"0F 38 00 C0", /* three-byte maps */
		"0F 3A 0F C0 00",
		"C4 E2 79 18 00", /* VEX, EVEX, XOP */
		"C5 F8 77",
		"62 F1 7C 48 10 00",
		"8F E8 78 C0 C0 00",
		"0F 20 C8", /* cr1, cr5 */
		"0F 22 E8",
		"8E C8", /* mov to cs, and segments 6 and 7 */
		"8E F0",
		"8C F8",
		"FE 10", /* no such member of the group */
		"FF 38",
		"0F 00 F0",
		"0F 01 28",
		"0F BA 00 00",
		"0F 01 C0",
		"0F 01 F8",
		"FF D8", /* memory only */
		"FF E8",
		"0F C7 C8",
		"0F B8 00 00 00 00", /* popcnt without F3 */
		"F0 90",	     /* lock of what has no lock, or of a register */
		"F0 FA",
		"F0 89 03",
		"F0 38 03",
		"F0 F6 03 01",
		"F0 0F A3 03",
		"F0 01 C3",
		"F0 87 C3",
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		u8 bytes[32] = {0};
		unsigned n = 0;
		struct insn insn;
		char *end;
		for (const char *p = bad[i]; *p != '\0'; p = end)
			bytes[n++] = (u8)strtoul(p, &end, 16);
		int result = decode_insn(bytes, sizeof(bytes), false, &insn);
		if (result != DECODE_BAD)
			fail_msg("%s gives %d", bad[i], result);
	}
}

static void more_than_15_bytes_are_bad(void **state)
{
	struct insn insn;
	u8 bytes[16];
	(void)state;

	memset(bytes, 0x66, sizeof(bytes));
	assert_int_equal(decode_insn(bytes, 16, false, &insn), DECODE_BAD);
	assert_int_equal(decode_insn(bytes, 15, false, &insn), DECODE_BAD);
	assert_int_equal(decode_insn(bytes, 14, false, &insn), DECODE_SHORT);
	bytes[14] = 0x90;
	assert_int_equal(decode_insn(bytes, 15, false, &insn), DECODE_OK);
	assert_int_equal(insn.len, 15);
	bytes[14] = 0x04; /* add al, imm8: 16 bytes */
	assert_int_equal(decode_insn(bytes, 16, false, &insn), DECODE_BAD);
}

static void a_memory_operand_has_base_index_scale_and_displacement(void **state)
{
	struct insn insn = decode("8B 44 8D F0"); /* mov eax, [ebp + ecx*4 - 0x10] */
	(void)state;

	assert_true(insn.mem && insn.modrm);
	assert_int_equal(insn.form, FORM_R_RM);
	assert_int_equal(insn.reg, GPR_EAX);
	assert_int_equal(insn.base, GPR_EBP);
	assert_int_equal(insn.index, GPR_ECX);
	assert_int_equal(insn.scale, 4);
	assert_int_equal(insn.disp, -0x10);
	assert_int_equal(insn.seg, SEG_SS);
	assert_int_equal(insn.seg_override, SEG_NONE);

	insn = decode("64 89 1D 10 00 00 C0"); /* mov fs:[0xC0000010], ebx */
	assert_int_equal(insn.form, FORM_RM_R);
	assert_int_equal(insn.base, -1);
	assert_int_equal(insn.index, -1);
	assert_int_equal((u32)insn.disp, 0xC0000010);
	assert_int_equal(insn.seg, SEG_FS);

	insn = decode("A3 10 00 00 C0");
	assert_int_equal(insn.form, FORM_MOFFS_ACC);
	assert_true(insn.mem && !insn.modrm);
	assert_int_equal((u32)insn.disp, 0xC0000010);
	assert_int_equal(insn.seg, SEG_DS);
}

static void an_address_is_the_sum_of_its_parts(void **state)
{
	static const u32 gpr[8] = {0x1000,     0x10,	   0xFFFFFFF0, 0x8000FFF0,
				   0xC0002000, 0x80003000, 0x20,       0x40};
	static const struct {
		const char *hex;
		gva_t ea;
	} cases[] = {
		{"8B 00", 0x1000},
		{"8B 44 8D F0", 0x80003030},
		{"8B 04 24", 0xC0002000},
		{"8B 84 D2 00 01 00 00", 0x70}, /* edx*9 + 0x100 wraps at 4 GB */
		{"8B 05 B0 B0 FF FF", 0xFFFFB0B0},
		{"8B 04 8D 00 00 00 C0", 0xC0000040},
		{"67 8B 00", 0x10},	 /* bx + si wraps at 64 KB */
		{"67 8B 42 FE", 0x301E}, /* bp + si - 2 */
		{"67 8B 06 FE FF", 0xFFFE},
		{"67 A1 FE FF", 0xFFFE},
		{"A1 FE FF FF FF", 0xFFFFFFFE},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct insn insn = decode(cases[i].hex);
		if (insn_ea(&insn, gpr) != cases[i].ea)
			fail_msg("%s: %x", cases[i].hex, insn_ea(&insn, gpr));
	}
}

static void immediates_are_extended_as_the_encoding_says(void **state)
{
	(void)state;
	assert_int_equal(decode("83 C0 FF").imm, 0xFFFFFFFF);
	assert_int_equal(decode("80 C0 FF").imm, 0xFF);
	assert_int_equal(decode("66 81 C0 FE FF").imm, 0xFFFE);
	assert_int_equal(decode("C7 00 EF CD AB 89").imm, 0x89ABCDEF);
	assert_int_equal(decode("CD 80").imm, 0x80);
	assert_int_equal(decode("E4 F0").imm, 0xF0);
	assert_int_equal(decode("CA 08 80").imm, 0x8008);
	assert_int_equal(decode("CB").imm, 0);
	assert_int_equal(decode("EB FE").imm, 0xFFFFFFFE);

	struct insn far = decode("EA 44 33 22 11 60 00");
	assert_int_equal(far.form, FORM_IMM);
	assert_int_equal(far.imm, 0x11223344);
	assert_int_equal(far.sel16, 0x60);
	far = decode("66 EA 22 11 60 00");
	assert_int_equal(far.imm, 0x1122);
	assert_int_equal(far.sel16, 0x60);
	struct insn enter = decode("C8 34 12 05");
	assert_int_equal(enter.imm, 0x1234);
	assert_int_equal(enter.sel16, 5);
}

static void segment_instructions_name_their_register(void **state)
{
	static const struct {
		const char *hex;
		enum seg sreg;
	} cases[] = {
		{"06", SEG_ES},	      {"0E", SEG_CS},	    {"16", SEG_SS},	  {"1E", SEG_DS},
		{"0F A0", SEG_FS},    {"0F A8", SEG_GS},    {"07", SEG_ES},	  {"17", SEG_SS},
		{"1F", SEG_DS},	      {"0F A1", SEG_FS},    {"0F A9", SEG_GS},	  {"8E D0", SEG_SS},
		{"8E E0", SEG_FS},    {"8C C8", SEG_CS},    {"C4 00", SEG_ES},	  {"C5 00", SEG_DS},
		{"0F B2 00", SEG_SS}, {"0F B4 00", SEG_FS}, {"0F B5 00", SEG_GS}, {"90", SEG_NONE},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (decode(cases[i].hex).sreg != cases[i].sreg)
			fail_msg("%s", cases[i].hex);
}

static void string_instructions_name_their_source_segment(void **state)
{
	(void)state;
	assert_int_equal(decode("A4").seg, SEG_DS);
	assert_int_equal(decode("64 A5").seg, SEG_FS);
	assert_int_equal(decode("2E F3 6F").seg, SEG_CS);
	assert_false(decode("A4").mem);
	assert_true(decode("F3 A4").rep);
	assert_true(decode("F2 AE").repne);
	assert_true(decode("F3 F2 AE").repne);
	assert_false(decode("F3 F2 AE").rep);
	assert_true(decode("67 A4").addrsize16);
}

static void the_width_at_rm_can_differ_from_the_operand_size(void **state)
{
	static const struct {
		const char *hex;
		unsigned rm_size;
	} cases[] = {
		{"0F B6 00", 1},    {"0F B7 00", 2}, {"0F BE C0", 1}, {"8B 00", 4},
		{"8C 00", 2},	    {"8C C0", 4},    {"66 8C C0", 2}, {"0F B2 00", 6},
		{"66 0F B2 00", 4}, {"FF 28", 6},    {"0F 01 10", 6}, {"66 0F 01 10", 6},
		{"0F C7 08", 8},    {"0F 01 38", 0}, {"0F 01 20", 2}, {"0F 01 E0", 4},
		{"0F 00 10", 2},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (decode(cases[i].hex).rm_size != cases[i].rm_size)
			fail_msg("%s: %u", cases[i].hex, decode(cases[i].hex).rm_size);
}

static void control_register_moves_ignore_mod(void **state)
{
	struct insn insn = decode("0F 22 1C"); /* as if memory with SIB: mov cr3, esp */
	(void)state;

	assert_false(insn.mem);
	assert_int_equal(insn.mod, 3);
	assert_int_equal(insn.reg, 3);
	assert_int_equal(insn.rm, GPR_ESP);
}

static void registers_are_read_and_written_by_size(void **state)
{
	u32 gpr[8] = {0x11223344, 0x55667788};
	(void)state;

	assert_int_equal(insn_reg_get(gpr, GPR_EAX, 4), 0x11223344);
	assert_int_equal(insn_reg_get(gpr, GPR_EAX, 2), 0x3344);
	assert_int_equal(insn_reg_get(gpr, GPR_EAX, 1), 0x44);
	assert_int_equal(insn_reg_get(gpr, 4, 1), 0x33); /* ah */
	assert_int_equal(insn_reg_get(gpr, 5, 1), 0x77); /* ch */
	insn_reg_set(gpr, 5, 1, 0x1AA);
	assert_int_equal(gpr[GPR_ECX], 0x5566AA88);
	insn_reg_set(gpr, GPR_ECX, 1, 0xBBB);
	assert_int_equal(gpr[GPR_ECX], 0x5566AABB);
	insn_reg_set(gpr, GPR_ECX, 2, 0x123456);
	assert_int_equal(gpr[GPR_ECX], 0x55663456);
	insn_reg_set(gpr, GPR_ESP, 4, 0xDEADBEEF);
	assert_int_equal(gpr[GPR_ESP], 0xDEADBEEF);
	assert_int_equal(gpr[GPR_EAX], 0x11223344);
}

/* ---- against Zydis -------------------------------------------------------------------------- */

struct oracle {
	ZydisDecodedInstruction z;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

static ZydisDecoder decoder32, decoder16;
static unsigned mismatches;

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

static int set_up_oracle(void **state)
{
	(void)state;
	ZydisDecoderInit(&decoder32, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
	ZydisDecoderInit(&decoder16, ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
	return 0;
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
	if (mismatches++ >= 40)
		return;
	for (unsigned i = 0; i < INSN_MAX_LEN; i++)
		print_error("%02X ", bytes[i]);
	print_error(" %s: ours %ld, Zydis %ld\n", what, ours, theirs);
}

#define SAME(what, ours, theirs)                                                                   \
	do {                                                                                       \
		long ours_ = (long)(ours), theirs_ = (long)(theirs);                               \
		if (ours_ != theirs_)                                                              \
			mismatch(bytes, what, ours_, theirs_);                                     \
	} while (0)

static void end_of_comparison(void)
{
	unsigned n = mismatches;

	mismatches = 0;
	assert_int_equal(n, 0);
}

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

	/* VEX, EVEX, XOP; 0F38, 0F3A */
	if (z->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY ||
	    (z->opcode_map != ZYDIS_OPCODE_MAP_DEFAULT && z->opcode_map != ZYDIS_OPCODE_MAP_0F))
		return true;
	if (z->mnemonic == ZYDIS_MNEMONIC_UD0 || z->mnemonic == ZYDIS_MNEMONIC_UD1)
		return true; /* #UD either way */
	return memchr(isa_sets, (int)z->meta.isa_set, sizeof(isa_sets)) != NULL;
}

static void compare(const u8 *bytes, bool code16)
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

/* Opcode, ModRM and what follows, behind some prefixes. */
static void compare_with(const char *prefixes, unsigned opcode, unsigned modrm, const u8 tail[10],
			 bool code16)
{
	u8 bytes[32] = {0};
	u8 *p = bytes;

	while (*prefixes != '\0')
		*p++ = (u8)*prefixes++;
	if (opcode > 0xFF)
		*p++ = 0x0F;
	*p++ = (u8)opcode;
	*p++ = (u8)modrm;
	memcpy(p, tail, 10);
	compare(bytes, code16);
}

/* Of what is valid, less bytes are short, and more do not matter. */
static void cut_off(const u8 *bytes)
{
	struct insn insn, again;

	if (decode_insn(bytes, INSN_MAX_LEN, false, &insn) != DECODE_OK)
		return;
	for (unsigned n = 0; n < insn.len; n++)
		SAME("result when cut off", decode_insn(bytes, n, false, &again), DECODE_SHORT);
	SAME("result at full length", decode_insn(bytes, insn.len, false, &again), DECODE_OK);
	SAME("length at full length", again.len, insn.len);
}

/* The first byte is SIB, when there is one. */
static const u8 tails[][10] = {
	{0x25, 0x84, 0x93, 0xA2, 0xB1, 0x12, 0x23, 0x34, 0x45, 0x56},
	{0x8D, 0x74, 0x63, 0x52, 0x41, 0xF2, 0xE3, 0xD4, 0xC5, 0xB6},
	{0x60, 0xFE, 0xFF, 0xFF, 0xFF, 0x80, 0x00, 0x00, 0x80, 0x00},
};

static const char *const prefix_sets[] = {
	"",	"\x66",	    "\x67", "\x66\x67", "\xF2",		"\xF3",	    "\xF0",
	"\x2E", "\x64\x67", "\x36", "\x26\x65", "\x66\xF3\x3E", "\xF0\xF3", "\x66\xF2",
};

static void zydis_agrees_on_every_opcode_and_modrm(void **state)
{
	(void)state;
	for (unsigned opcode = 0; opcode < 0x200; opcode++)
		for (unsigned modrm = 0; modrm < 0x100; modrm++)
			for (unsigned i = 0; i < ARRAY_SIZE(prefix_sets); i++)
				for (unsigned t = 0; t < (i < 2 ? ARRAY_SIZE(tails) : 1); t++)
					compare_with(prefix_sets[i], opcode, modrm, tails[t],
						     false);
	end_of_comparison();
}

static void zydis_agrees_on_every_modrm_and_sib(void **state)
{
	(void)state;
	for (unsigned modrm = 0; modrm < 0xC0; modrm++)
		for (unsigned sib = 0; sib < 0x100; sib++)
			for (unsigned i = 0; i < 4; i++) {
				u8 tail[10];
				memcpy(tail, tails[1], sizeof(tail));
				tail[0] = (u8)sib;
				compare_with(prefix_sets[i], 0x89, modrm, tail, false);
			}
	end_of_comparison();
}

static void less_bytes_than_the_length_are_short(void **state)
{
	(void)state;
	for (unsigned opcode = 0; opcode < 0x200; opcode++)
		for (unsigned modrm = 0; modrm < 0x100; modrm++) {
			u8 bytes[16] = {0x66, 0x0F};
			u8 *p = bytes + (opcode > 0xFF ? 2 : 1);
			*p++ = (u8)opcode;
			*p++ = (u8)modrm;
			memcpy(p, tails[0], sizeof(tails[0]));
			cut_off(bytes);	    /* with operand size prefix */
			cut_off(bytes + 1); /* without */
		}
	end_of_comparison();
}

static void zydis_agrees_in_16_bit_code(void **state)
{
	(void)state;
	for (unsigned opcode = 0; opcode < 0x200; opcode++)
		for (unsigned modrm = 0; modrm < 0x100; modrm++)
			for (unsigned i = 0; i < 4; i++)
				compare_with(prefix_sets[i], opcode, modrm, tails[1], true);
	end_of_comparison();
}

static u32 xorshift(u32 *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

static void zydis_agrees_on_two_million_random_instructions(void **state)
{
	u32 seed = 0x564D4958;
	(void)state;

	for (unsigned n = 0; n < 2000000; n++) {
		u8 bytes[16];
		for (unsigned i = 0; i < sizeof(bytes); i += 4) {
			u32 word = xorshift(&seed);
			memcpy(bytes + i, &word, 4);
		}
		compare(bytes, false);
	}
	end_of_comparison();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operation_is_recognised),
		cmocka_unit_test(every_beginning_of_an_instruction_is_short),
		cmocka_unit_test(undefined_and_unknown_instructions_are_bad),
		cmocka_unit_test(more_than_15_bytes_are_bad),
		cmocka_unit_test(a_memory_operand_has_base_index_scale_and_displacement),
		cmocka_unit_test(an_address_is_the_sum_of_its_parts),
		cmocka_unit_test(immediates_are_extended_as_the_encoding_says),
		cmocka_unit_test(segment_instructions_name_their_register),
		cmocka_unit_test(string_instructions_name_their_source_segment),
		cmocka_unit_test(the_width_at_rm_can_differ_from_the_operand_size),
		cmocka_unit_test(control_register_moves_ignore_mod),
		cmocka_unit_test(registers_are_read_and_written_by_size),
		cmocka_unit_test(zydis_agrees_on_every_opcode_and_modrm),
		cmocka_unit_test(zydis_agrees_on_every_modrm_and_sib),
		cmocka_unit_test(less_bytes_than_the_length_are_short),
		cmocka_unit_test(zydis_agrees_in_16_bit_code),
		cmocka_unit_test(zydis_agrees_on_two_million_random_instructions),
	};

	return cmocka_run_group_tests(tests, set_up_oracle, NULL);
}
