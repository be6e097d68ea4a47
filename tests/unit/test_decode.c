/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instruction decoder: by hand for each operation that the monitor
 * emulates, and against Zydis (decode_oracle.h) for everything else that bytes
 * can say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode_oracle.h"
#include "monitor/emul/decode.h"

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
	{"0F AE 00", INSN_OTHER, 0},			     /* fxsave */
	{"0F AE F0", INSN_OTHER, 0},			     /* mfence */
	{"DB E3", INSN_OTHER, 0},			     /* fninit */
	{"0F E7 07", INSN_OTHER, 0},			     /* movntq */
	{"F3 0F B8 C1", INSN_OTHER, 0},			     /* popcnt */
	{"0F 0F C1 9E", INSN_OTHER, 0},			     /* pfadd */
	{"66 0F 73 FA 08", INSN_OTHER, 0},		     /* pslldq */
	{"0F 38 00 44 24 08", INSN_OTHER, 0},		     /* pshufb */
	{"66 0F 3A 0F 04 85 00 00 10 C0 05", INSN_OTHER, 0}, /* palignr */
	{"0F 1F 84 00 00 00 00 00", INSN_OTHER, 0},	     /* nop */
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

static void immediates_are_the_last_bytes(void **state)
{
	(void)state;
	assert_int_equal(decode("83 C0 FF").imm_len, 1);
	assert_int_equal(decode("66 81 05 00 00 00 00 FE FF").imm_len, 2);
	assert_int_equal(decode("C7 44 24 04 EF CD AB 89").imm_len, 4);
	assert_int_equal(decode("EA 44 33 22 11 60 00").imm_len, 6);
	assert_int_equal(decode("C8 34 12 05").imm_len, 3);
	assert_int_equal(decode("66 0F 3A 0F 00 07").imm_len, 1);
	assert_int_equal(decode("89 44 24 04").imm_len, 0);
	assert_int_equal(decode("A1 20 00 E0 FE").imm_len, 0); /* an address */
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

static int set_up(void **state)
{
	(void)state;
	decode_oracle_start();
	return 0;
}

static void end_of_comparison(void)
{
	unsigned n = decode_mismatches;

	decode_mismatches = 0;
	assert_int_equal(n, 0);
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
	decode_compare(bytes, code16);
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

static void zydis_agrees_in_the_three_byte_maps(void **state)
{
	(void)state;
	for (unsigned opcode = 0; opcode < 0x200; opcode++)
		for (unsigned modrm = 0; modrm < 0x100; modrm++)
			for (unsigned i = 0; i < 6; i++) {
				u8 tail[10] = {(u8)modrm};

				memcpy(tail + 1, tails[0], sizeof(tail) - 1);
				compare_with(prefix_sets[i], opcode & 0x100 ? 0x13A : 0x138,
					     opcode & 0xFF, tail, false);
			}
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
			decode_cut_off(bytes);	   /* with operand size prefix */
			decode_cut_off(bytes + 1); /* without */
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
		decode_compare(bytes, false);
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
		cmocka_unit_test(immediates_are_the_last_bytes),
		cmocka_unit_test(segment_instructions_name_their_register),
		cmocka_unit_test(string_instructions_name_their_source_segment),
		cmocka_unit_test(the_width_at_rm_can_differ_from_the_operand_size),
		cmocka_unit_test(control_register_moves_ignore_mod),
		cmocka_unit_test(registers_are_read_and_written_by_size),
		cmocka_unit_test(zydis_agrees_on_every_opcode_and_modrm),
		cmocka_unit_test(zydis_agrees_in_the_three_byte_maps),
		cmocka_unit_test(zydis_agrees_on_every_modrm_and_sib),
		cmocka_unit_test(less_bytes_than_the_length_are_short),
		cmocka_unit_test(zydis_agrees_in_16_bit_code),
		cmocka_unit_test(zydis_agrees_on_two_million_random_instructions),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
