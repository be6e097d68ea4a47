/* SPDX-License-Identifier: GPL-2.0-only */
/* What redirect.c knows of operands in memory, against Zydis. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <Zydis/Zydis.h>
#include <cmocka.h>

#include "monitor/emul/redirect.h"
#include "monitor/emul/decode.h"

static unsigned mismatches;

static void mismatch(const u8 *bytes, const char *what, long ours, long theirs)
{
	if (mismatches++ >= 40)
		return;
	for (unsigned i = 0; i < INSN_MAX_LEN; i++)
		fprintf(stderr, "%02X ", bytes[i]);
	fprintf(stderr, " %s: ours %ld, Zydis %ld\n", what, ours, theirs);
}

static void same(const u8 *bytes, const char *what, long ours, long theirs)
{
	if (ours != theirs)
		mismatch(bytes, what, ours, theirs);
}

/* Instructions with an operand in memory that are not executed elsewhere. */
static bool is_left_out(const ZydisDecodedInstruction *z)
{
	static const u16 left_out[] = {
		ZYDIS_MNEMONIC_CALL,	    ZYDIS_MNEMONIC_JMP, /* control flow */
		ZYDIS_MNEMONIC_PUSH,	    ZYDIS_MNEMONIC_POP,
		ZYDIS_MNEMONIC_MOV,				/* mmio.c */
		ZYDIS_MNEMONIC_LES,	    ZYDIS_MNEMONIC_LDS, /* segments, the system */
		ZYDIS_MNEMONIC_LSS,	    ZYDIS_MNEMONIC_LFS,
		ZYDIS_MNEMONIC_LGS,	    ZYDIS_MNEMONIC_SGDT,
		ZYDIS_MNEMONIC_SIDT,	    ZYDIS_MNEMONIC_LGDT,
		ZYDIS_MNEMONIC_LIDT,	    ZYDIS_MNEMONIC_SLDT,
		ZYDIS_MNEMONIC_STR,	    ZYDIS_MNEMONIC_LLDT,
		ZYDIS_MNEMONIC_LTR,	    ZYDIS_MNEMONIC_VERR,
		ZYDIS_MNEMONIC_VERW,	    ZYDIS_MNEMONIC_SMSW,
		ZYDIS_MNEMONIC_LMSW,	    ZYDIS_MNEMONIC_INVLPG,
		ZYDIS_MNEMONIC_LAR,	    ZYDIS_MNEMONIC_LSL,
		ZYDIS_MNEMONIC_BOUND,	    ZYDIS_MNEMONIC_ARPL, /* nobody's */
		ZYDIS_MNEMONIC_XSAVE,	    ZYDIS_MNEMONIC_XRSTOR,
		ZYDIS_MNEMONIC_XSAVEOPT,    ZYDIS_MNEMONIC_CLFLUSH,
		ZYDIS_MNEMONIC_CLFLUSHOPT,  ZYDIS_MNEMONIC_CLWB,
		ZYDIS_MNEMONIC_PREFETCH,    ZYDIS_MNEMONIC_PREFETCHW, /* no access at all */
		ZYDIS_MNEMONIC_PREFETCHWT1, ZYDIS_MNEMONIC_PREFETCHNTA,
		ZYDIS_MNEMONIC_PREFETCHT0,  ZYDIS_MNEMONIC_PREFETCHT1,
		ZYDIS_MNEMONIC_PREFETCHT2,  ZYDIS_MNEMONIC_NOP,
		ZYDIS_MNEMONIC_CLDEMOTE,    ZYDIS_MNEMONIC_PTWRITE,
		ZYDIS_MNEMONIC_MOVBE,	    ZYDIS_MNEMONIC_CRC32,
	};
	static const u8 too_new[] = {
		ZYDIS_ISA_SET_SSE4A,
		ZYDIS_ISA_SET_SHA,
		ZYDIS_ISA_SET_ADOX_ADCX,
		ZYDIS_ISA_SET_CET,
		ZYDIS_ISA_SET_MOVDIR,
		ZYDIS_ISA_SET_ENQCMD,
		ZYDIS_ISA_SET_GFNI,
		ZYDIS_ISA_SET_VTX,
		ZYDIS_ISA_SET_INVPCID,
		ZYDIS_ISA_SET_KEYLOCKER,
		ZYDIS_ISA_SET_KEYLOCKER_WIDE,
		ZYDIS_ISA_SET_XSAVEC,
		ZYDIS_ISA_SET_XSAVES,
		ZYDIS_ISA_SET_WAITPKG,
		ZYDIS_ISA_SET_LWP,
		ZYDIS_ISA_SET_MPX,
	};
	/* What Zydis 4.0 has no constants for. */
	static const char *const newer[] = {"RAO_INT", "ICACHE_PREFETCH"};

	for (u32 i = 0; i < ARRAY_SIZE(left_out); i++)
		if (z->mnemonic == left_out[i])
			return true;
	for (u32 i = 0; i < ARRAY_SIZE(too_new); i++)
		if (z->meta.isa_set == too_new[i])
			return true;
	for (u32 i = 0; i < ARRAY_SIZE(newer); i++)
		if (!strcmp(ZydisISASetGetString(z->meta.isa_set), newer[i]))
			return true;
	return z->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY;
}

/* What may leave the operand, or some of it, as it was. */
static bool may_store_in_part(const struct insn *i)
{
	bool maskmov = i->opcode == 0x0FF7, fxsave = i->opcode == 0x0FAE;

	return (i->opcode >= 0xD8 && i->opcode <= 0xDF) || fxsave || maskmov;
}

static bool is_general(const ZydisDecodedOperand *o)
{
	ZydisRegisterClass class = o->type == ZYDIS_OPERAND_TYPE_REGISTER
					   ? ZydisRegisterGetClass(o->reg.value)
					   : ZYDIS_REGCLASS_INVALID;

	return o->encoding == ZYDIS_OPERAND_ENCODING_MODRM_REG &&
	       (class == ZYDIS_REGCLASS_GPR16 || class == ZYDIS_REGCLASS_GPR32);
}

/* What is executed in ring 1 for user mode may change general registers but ESP, the
 * status flags, and the FPU's registers. */
static bool is_harmless(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *o)
{
	for (u32 i = 0; i < z->operand_count; i++, o++) {
		ZydisRegister reg = o->reg.value;

		if (o->type != ZYDIS_OPERAND_TYPE_REGISTER ||
		    !(o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
			continue;
		switch (ZydisRegisterGetClass(reg)) {
		case ZYDIS_REGCLASS_GPR8:
		case ZYDIS_REGCLASS_GPR16:
		case ZYDIS_REGCLASS_GPR32:
			if (o->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
			    (reg == ZYDIS_REGISTER_ESP || reg == ZYDIS_REGISTER_SP))
				return false;
			break;
		case ZYDIS_REGCLASS_FLAGS:
		case ZYDIS_REGCLASS_X87:
		case ZYDIS_REGCLASS_MMX:
		case ZYDIS_REGCLASS_XMM:
			break;
		default:
			if (reg != ZYDIS_REGISTER_X87CONTROL && reg != ZYDIS_REGISTER_X87STATUS &&
			    reg != ZYDIS_REGISTER_X87TAG && reg != ZYDIS_REGISTER_MXCSR)
				return false;
		}
	}
	return z->meta.branch_type == ZYDIS_BRANCH_TYPE_NONE &&
	       !(z->attributes & ZYDIS_ATTRIB_IS_PRIVILEGED);
}

static void compare(const u8 *bytes, bool code16)
{
	static ZydisDecoder decoder[2];
	ZydisDecodedInstruction z;
	ZydisDecodedOperand o[ZYDIS_MAX_OPERAND_COUNT], *mem = NULL;
	struct insn insn;
	struct operand ours;
	bool general = false, known;

	ZydisDecoderInit(&decoder[0], ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
	ZydisDecoderInit(&decoder[1], ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
	if (decode_insn(bytes, INSN_MAX_LEN, code16, &insn) != DECODE_OK)
		return;
	known = operand_of(&insn, &ours);
	if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder[code16], bytes, INSN_MAX_LEN, &z, o))) {
		if (known && insn.opcode != 0x0F0F) /* few of 3DNow's last bytes are defined */
			mismatch(bytes, "not even defined", 1, 0);
		return;
	}
	if (known && !is_harmless(&z, o))
		mismatch(bytes, "not harmless", 1, 0);
	for (u32 i = 0; i < z.operand_count; i++) {
		bool at_rm = o[i].encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM ||
			     o[i].encoding == ZYDIS_OPERAND_ENCODING_DISP16_32_64;

		if (o[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    (at_rm || (z.mnemonic == ZYDIS_MNEMONIC_MASKMOVQ) ||
		     z.mnemonic == ZYDIS_MNEMONIC_MASKMOVDQU) &&
		    o[i].mem.type != ZYDIS_MEMOP_TYPE_AGEN)
			mem = &o[i];
		general |= is_general(&o[i]);
	}
	if (!mem || !known) {
		if (known || (mem && !is_left_out(&z)))
			mismatch(bytes, "operand in memory", known, mem != NULL);
		return;
	}
	same(bytes, "bytes", ours.bytes, mem->size / 8);
	if (!may_store_in_part(&insn))
		same(bytes, "stores", ours.stores,
		     !(mem->actions & ZYDIS_OPERAND_ACTION_MASK_READ));
	same(bytes, "writes", ours.writes, !!(mem->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE));
	same(bytes, "general register", ours.general, general);
}

/* Every opcode of a map with every ModRM. */
static void compare_map(const char *prefixes, const char *map, u32 map_len, bool code16)
{
	for (u32 n = 0; n < 0x10000; n++) {
		u8 bytes[32] = {0}, *at = bytes;

		for (const char *p = prefixes; *p; p++)
			*at++ = (u8)*p;
		memcpy(at, map, map_len);
		at[map_len] = (u8)(n >> 8);
		at[map_len + 1] = (u8)n;
		compare(bytes, code16);
	}
}

static void zydis_agrees_on_every_operand(void **state)
{
	static const char *const prefixes[] = {"",	   "\x66",     "\xF3", "\xF2",
					       "\x66\xF3", "\x66\xF2", "\x67"};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(prefixes) * 2; i++) {
		compare_map(prefixes[i / 2], "", 0, i & 1);
		compare_map(prefixes[i / 2], "\x0F", 1, i & 1);
		compare_map(prefixes[i / 2], "\x0F\x38", 2, i & 1);
		compare_map(prefixes[i / 2], "\x0F\x3A", 2, i & 1);
	}
	assert_int_equal(mismatches, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zydis_agrees_on_every_operand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
