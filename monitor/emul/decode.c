/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An instruction is read from front to back: prefixes, opcode, ModRM with SIB and
 * displacement, immediates.  One row of opcodes.def decides everything behind the
 * opcode.  Rows are packed into integers, because the ROM has neither relocations nor
 * writable data.
 *
 * Undefined x87 and SSE encodings, and prefixes that mean nothing, are not errors to
 * processors; we do not report them either and decode them as INSN_OTHER.  For the
 * operations that we emulate, everything that decides between the instruction and a #UD
 * is checked: the lock prefix, registers that do not exist, register forms of
 * instructions that need memory.
 */
#include "decode.h"

/* A row has its fields from bit 0 up, as the shifts say.  A row of 0 is a bad opcode. */
#define ROW_FORM_SHIFT 7
#define ROW_SIZE_SHIFT 11
#define ROW_IMM_SHIFT 13
#define ROW_RM_SHIFT 16
#define ROW_VALID (1u << 20)
#define ROW_GROUP (1u << 21) /* the operation field is an enum group */
#define LOCKABLE (1u << 22)
#define MEM (1u << 23)
#define NOMOD (1u << 24)
#define REP (1u << 25)

#define ROW_OP(row) ((row) & ((1u << ROW_FORM_SHIFT) - 1))
#define ROW_FORM(row) ((row) >> ROW_FORM_SHIFT & 15)
#define ROW_SIZE(row) ((row) >> ROW_SIZE_SHIFT & 3)
#define ROW_IMM(row) ((row) >> ROW_IMM_SHIFT & 7)
#define ROW_RM(row) ((row) >> ROW_RM_SHIFT & 7)

enum { SIZE_B, SIZE_W, SIZE_D, SIZE_V };
enum { IMM_NONE, IMM_8, IMM_S8, IMM_16, IMM_V, IMM_RELV, IMM_FAR, IMM_ENTER };

enum { RM_KIND_0 = 1, RM_KIND_1, RM_KIND_2, RM_KIND_6, RM_KIND_8, RM_KIND_FAR, RM_KIND_M16 };
#define RM_0 (RM_KIND_0 << ROW_RM_SHIFT)
#define RM_1 (RM_KIND_1 << ROW_RM_SHIFT)
#define RM_2 (RM_KIND_2 << ROW_RM_SHIFT)
#define RM_6 (RM_KIND_6 << ROW_RM_SHIFT)
#define RM_8 (RM_KIND_8 << ROW_RM_SHIFT)
#define RM_FAR (RM_KIND_FAR << ROW_RM_SHIFT)
#define RM_M16 (RM_KIND_M16 << ROW_RM_SHIFT)

enum group { G80, G81, G83, G8F, GC6, GC7, GF6, GF7, GFE, GFF, G0F00, G0F01, G0FBA, G0FC7, GROUPS };

/* The table: one-byte map, two-byte map, 0F 01 with mod 3, groups of eight. */
#define ROW_INDEX(code) ((code)&0x1FF) /* 0x0F00 has bit 8 */
#define ROW_M01(modrm) (0x200 + ((modrm)&0x3F))
#define ROW_G(group, reg) (0x240 + (group)*8 + (reg))

#define ROW(op, form, size, imm, flags)                                                            \
	((u32)INSN_##op | (u32)FORM_##form << ROW_FORM_SHIFT |                                     \
	 (u32)SIZE_##size << ROW_SIZE_SHIFT | (u32)IMM_##imm << ROW_IMM_SHIFT | (u32)(flags) |     \
	 ROW_VALID)

#define OP(code, op, form, size, imm, flags) [ROW_INDEX(code)] = ROW(op, form, size, imm, flags),
#define OPS(first, last, op, form, size, imm, flags)                                               \
	[ROW_INDEX(first)... ROW_INDEX(last)] = ROW(op, form, size, imm, flags),
#define GROUP(code, group) [ROW_INDEX(code)] = (group) | ROW_GROUP | ROW_VALID,
#define G(group, reg, op, form, size, imm, flags)                                                  \
	[ROW_G(group, reg)] = ROW(op, form, size, imm, flags),
#define M01(first, last, op, form, size, imm, flags)                                               \
	[ROW_M01(first)... ROW_M01(last)] = ROW(op, form, size, imm, flags),

static const u32 rows[ROW_G(GROUPS, 0)] = {
#include "opcodes.def" // every opcode known
};

_Static_assert(INSN_OP_COUNT <= 1 << ROW_FORM_SHIFT, "operations have outgrown their field");
_Static_assert(FORM_DX < 1 << (ROW_SIZE_SHIFT - ROW_FORM_SHIFT), "forms have, too");

/*
 * The position in the bytes.  error is an enum decode_result and stays once it is set:
 * after the first failed fetch every other returns 0, and the caller throws away what it
 * has made of them.
 */
struct cursor {
	const u8 *bytes;
	unsigned avail, pos;
	int error;
};

/* The next n bytes, 1 to 4, little endian. */
static u32 fetch(struct cursor *c, unsigned n)
{
	if (c->error == DECODE_OK && c->pos + n > INSN_MAX_LEN)
		c->error = DECODE_BAD;
	if (c->error == DECODE_OK && c->pos + n > c->avail)
		c->error = DECODE_SHORT;
	if (c->error != DECODE_OK)
		return 0;

	u32 value = 0;
	for (unsigned i = 0; i < n; i++)
		value |= (u32)c->bytes[c->pos + i] << 8 * i;
	c->pos += n;
	return value;
}

static u32 sign_extend(u32 value, unsigned bytes)
{
	u32 sign = 1u << (8 * bytes - 1);
	return (value ^ sign) - sign;
}

static bool take_prefix(struct insn *insn, u8 byte, bool code16)
{
	switch (byte) {
	case 0x26:
	case 0x2E:
	case 0x36:
	case 0x3E:
		insn->seg_override = SEG_ES + (byte >> 3 & 3);
		return true;
	case 0x64:
	case 0x65:
		insn->seg_override = SEG_FS + (byte & 1);
		return true;
	case 0x66:
		insn->opsize16 = !code16;
		return true;
	case 0x67:
		insn->addrsize16 = !code16;
		return true;
	case 0xF0:
		insn->lock = true;
		return true;
	case 0xF2:
	case 0xF3:
		insn->repne = byte == 0xF2;
		insn->rep = byte == 0xF3;
		return true;
	default:
		return false;
	}
}

/* Reads the prefixes, and the opcode behind them. */
static void read_opcode(struct cursor *c, bool code16, struct insn *insn)
{
	u8 byte = (u8)fetch(c, 1);
	while (c->error == DECODE_OK && take_prefix(insn, byte, code16))
		byte = (u8)fetch(c, 1);
	insn->opcode = byte;
	if (byte == 0x0F)
		insn->opcode = 0x0F00 | (u8)fetch(c, 1);
	if (insn->opcode == 0x0F38 || insn->opcode == 0x0F3A)
		insn->third = (u8)fetch(c, 1);
}

/* Reads the rest of a memory operand in 16-bit addressing (SDM vol. 2A, table 2-1). */
static void read_mem16(struct cursor *c, struct insn *insn)
{
	static const s8 base[8] = {GPR_EBX, GPR_EBX, GPR_EBP, GPR_EBP,
				   GPR_ESI, GPR_EDI, GPR_EBP, GPR_EBX};
	static const s8 index[8] = {GPR_ESI, GPR_EDI, GPR_ESI, GPR_EDI, -1, -1, -1, -1};
	bool absolute = insn->mod == 0 && insn->rm == 6;

	insn->base = absolute ? -1 : base[insn->rm];
	insn->index = index[insn->rm];
	if (insn->mod == 1)
		insn->disp = (s32)sign_extend(fetch(c, 1), 1);
	else if (insn->mod == 2 || absolute)
		insn->disp = (s32)sign_extend(fetch(c, 2), 2);
}

/* The same in 32-bit addressing (tables 2-2 and 2-3). */
static void read_mem32(struct cursor *c, struct insn *insn)
{
	insn->base = (s8)insn->rm;
	if (insn->rm == GPR_ESP) {
		u32 sib = fetch(c, 1);
		insn->base = sib & 7;
		insn->index = sib >> 3 & 7;
		insn->scale = (u8)(1u << (sib >> 6));
		if (insn->index == GPR_ESP) { /* means: no index */
			insn->index = -1;
			insn->scale = 1;
		}
	}
	if (insn->base == GPR_EBP && insn->mod == 0)
		insn->base = -1;
	if (insn->mod == 1)
		insn->disp = (s32)sign_extend(fetch(c, 1), 1);
	else if (insn->mod == 2 || insn->base < 0)
		insn->disp = (s32)fetch(c, 4);
}

/* Reads the memory operand of a ModRM or moffs form, and sets its segment, which the string
 * instructions need as well. */
static void read_mem(struct cursor *c, struct insn *insn)
{
	bool moffs = insn->form == FORM_ACC_MOFFS || insn->form == FORM_MOFFS_ACC;

	insn->mem = moffs || (insn->modrm && insn->mod != 3);
	if (moffs)
		insn->disp = (s32)fetch(c, insn->addrsize16 ? 2 : 4);
	else if (insn->mem && insn->addrsize16)
		read_mem16(c, insn);
	else if (insn->mem)
		read_mem32(c, insn);

	insn->seg = insn->seg_override;
	if (insn->seg == SEG_NONE)
		insn->seg = insn->base == GPR_ESP || insn->base == GPR_EBP ? SEG_SS : SEG_DS;
}

static void read_imm(struct cursor *c, unsigned kind, struct insn *insn)
{
	enum { V = 0xF }; /* a word or a doubleword by operand size */
	static const struct {
		u8 bytes, sel_bytes;
		bool sign;
	} imm[] = {
		[IMM_8] = {.bytes = 1},
		[IMM_S8] = {.bytes = 1, .sign = true},
		[IMM_16] = {.bytes = 2},
		[IMM_V] = {.bytes = V},
		[IMM_RELV] = {.bytes = V, .sign = true},
		[IMM_FAR] = {.bytes = V, .sel_bytes = 2},
		[IMM_ENTER] = {.bytes = 2, .sel_bytes = 1},
	};
	unsigned bytes = imm[kind].bytes, start = c->pos;

	if (bytes == V)
		bytes = insn->opsize16 ? 2 : 4;
	if (bytes != 0)
		insn->imm = fetch(c, bytes);
	if (imm[kind].sign)
		insn->imm = sign_extend(insn->imm, bytes);
	if (imm[kind].sel_bytes != 0)
		insn->sel16 = (u16)fetch(c, imm[kind].sel_bytes);
	insn->imm_len = (u8)(c->pos - start);
}

static void set_sizes(u32 row, struct insn *insn)
{
	static const u8 rm_bytes[] = {
		[RM_KIND_1] = 1, [RM_KIND_2] = 2, [RM_KIND_6] = 6, [RM_KIND_8] = 8};
	unsigned size = ROW_SIZE(row);
	unsigned kind = ROW_RM(row);

	if (size == SIZE_V)
		size = insn->opsize16 ? SIZE_W : SIZE_D;
	insn->size = (u8)(1u << size); /* SIZE_B, SIZE_W, SIZE_D */
	insn->rm_size = insn->size;
	if (kind == RM_KIND_FAR)
		insn->rm_size = insn->size + 2;
	else if (kind == RM_KIND_M16)
		insn->rm_size = insn->mem ? 2 : insn->size;
	else if (kind != 0)
		insn->rm_size = rm_bytes[kind];
}

/* Names the segment register; false when the encoding names none that the operation can have. */
static bool set_sreg(struct insn *insn)
{
	switch (insn->op) {
	case INSN_MOV_SREG:
		insn->sreg = insn->reg;
		return insn->reg < SEG_NONE && insn->reg != SEG_CS;
	case INSN_MOV_FROM_SREG:
		insn->sreg = insn->reg;
		return insn->reg < SEG_NONE;
	case INSN_PUSH_SREG:
	case INSN_POP_SREG:
		insn->sreg = insn->opcode >> 3 & 7;
		return true;
	case INSN_LXS:
		insn->sreg = insn->opcode & 7; /* 0FB2, 0FB4, 0FB5 */
		if (insn->opcode == 0xC4)
			insn->sreg = SEG_ES;
		else if (insn->opcode == 0xC5)
			insn->sreg = SEG_DS;
		return true;
	default:
		return true;
	}
}

/* Is the instruction, whose opcode is known, one that does not raise #UD? */
static bool is_legal(u32 row, const struct insn *insn)
{
	if (insn->lock && !((row & LOCKABLE) && insn->mem))
		return false;
	if ((row & MEM) && !insn->mem)
		return false;
	if ((row & REP) && !insn->rep)
		return false;
	if (insn->op == INSN_MOV_FROM_CR || insn->op == INSN_MOV_TO_CR)
		return insn->reg == 0 || (insn->reg >= 2 && insn->reg <= 4);
	return true;
}

/* Finds the row of the opcode, and reads ModRM where there is one.  0 if the opcode is bad. */
static u32 read_row(struct cursor *c, struct insn *insn)
{
	u32 row = rows[ROW_INDEX(insn->opcode)];
	unsigned form = ROW_FORM(row);

	insn->modrm = (row & ROW_GROUP) || (form >= FORM_RM && form <= FORM_RM_IMM);
	if (!insn->modrm) {
		insn->reg = insn->opcode & 7;
	} else {
		u32 modrm = fetch(c, 1);
		insn->mod = (row & NOMOD) ? 3 : modrm >> 6;
		insn->reg = modrm >> 3 & 7;
		insn->rm = modrm & 7;
		if (insn->opcode == 0x0F01 && insn->mod == 3)
			row = rows[ROW_M01(modrm)];
		else if (row & ROW_GROUP)
			row = rows[ROW_G(ROW_OP(row), insn->reg)];
	}
	insn->op = ROW_OP(row);
	insn->form = ROW_FORM(row);
	return row;
}

int decode_insn(const u8 *bytes, unsigned avail, bool code16, struct insn *out)
{
	struct cursor c = {.bytes = bytes, .avail = avail};

	*out = (struct insn){
		.opsize16 = code16,
		.addrsize16 = code16,
		.code16 = code16,
		.seg_override = SEG_NONE,
		.sreg = SEG_NONE,
		.base = -1,
		.index = -1,
		.scale = 1,
	};
	read_opcode(&c, code16, out);
	u32 row = read_row(&c, out);
	if (c.error != DECODE_OK)
		return c.error;
	if (row == 0)
		return DECODE_BAD;

	read_mem(&c, out);
	read_imm(&c, ROW_IMM(row), out);
	set_sizes(row, out);
	if (c.error != DECODE_OK)
		return c.error;
	if (!set_sreg(out) || !is_legal(row, out))
		return DECODE_BAD;
	out->len = (u8)c.pos;
	return DECODE_OK;
}

gva_t insn_ea(const struct insn *insn, const u32 gpr[8])
{
	u32 ea = (u32)insn->disp;

	if (insn->base >= 0)
		ea += gpr[insn->base];
	if (insn->index >= 0)
		ea += gpr[insn->index] * insn->scale;
	return insn->addrsize16 ? ea & 0xFFFF : ea;
}

u32 insn_reg_get(const u32 gpr[8], unsigned n, unsigned size)
{
	switch (size) {
	case 1:
		return gpr[n & 3] >> ((n & 4) ? 8 : 0) & 0xFF;
	case 2:
		return gpr[n] & 0xFFFF;
	default:
		return gpr[n];
	}
}

void insn_reg_set(u32 gpr[8], unsigned n, unsigned size, u32 value)
{
	unsigned shift = (size == 1 && (n & 4)) ? 8 : 0;
	u32 mask = size == 1 ? 0xFFu << shift : size == 2 ? 0xFFFF : 0xFFFFFFFF;
	u32 *reg = &gpr[size == 1 ? n & 3 : n];

	*reg = (*reg & ~mask) | (value << shift & mask);
}
