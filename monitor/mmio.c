/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accesses to frames without memory behind them.  One device lives there, the
 * local APIC, for a kernel sends its IPIs by stores and not by APICWrite.
 * Everywhere else reads give ones and writes go nowhere, as on a PC's bus;
 * so do string instructions at the APIC.
 */
#include "emul.h"
#include "mem.h"

static u32 ones(unsigned size)
{
	return size == 4 ? 0xFFFFFFFFu : (1u << size * 8) - 1;
}

static bool is_lapic(u64 gpa)
{
	return gpa >> PAGE_SHIFT == LAPIC_BASE >> PAGE_SHIFT;
}

void mmio_read(u64 gpa, void *to, u32 bytes)
{
	u8 *out = to;

	if (!is_lapic(gpa)) {
		memset(to, 0xFF, bytes);
		return;
	}
	for (u32 at = (u32)gpa & (PAGE_SIZE - 1); bytes; at++, bytes--)
		*out++ = (u8)(lapic_read(&MON->lapic, at & ~3u) >> at % 4 * 8);
}

/* A register of the APIC is written as a whole, or not at all (SDM 10.4.1). */
void mmio_write(u64 gpa, const void *from, u32 bytes)
{
	u32 value;

	if (!is_lapic(gpa) || bytes != 4 || (gpa & 3))
		return;
	memcpy(&value, from, 4);
	lapic_write(&MON->lapic, (u32)gpa & (PAGE_SIZE - 1), value);
}

static u32 device_read(u64 gpa, unsigned size)
{
	u32 value = 0;

	mmio_read(gpa, &value, size);
	return value;
}

static void device_write(u64 gpa, unsigned size, u32 value)
{
	mmio_write(gpa, &value, size);
}

/* Moves a string instruction's pointer over the rest of this page; false with
 * EIP kept while there is more to do behind it. */
static enum emul_result string_step(struct vcpu *v, const struct insn *i, u32 *pointer)
{
	bool down = v->r.eflags & EFLAGS_DF, repeated = i->rep || i->repne;
	u32 offset = *pointer & (PAGE_SIZE - 1);
	u32 room = (down ? offset : PAGE_SIZE - 1 - offset) / i->size + 1;
	u32 count = !repeated ? 1 : v->r.gpr[GPR_ECX] < room ? v->r.gpr[GPR_ECX] : room;

	*pointer += down ? 0u - i->size * count : i->size * count;
	if (!repeated)
		return EMUL_DONE;
	v->r.gpr[GPR_ECX] -= count;
	return v->r.gpr[GPR_ECX] ? EMUL_AGAIN : EMUL_DONE;
}

/* A string move, element by element; one side may be memory. */
static enum emul_result move_string(struct vcpu *v, const struct insn *i, gva_t fault,
				    struct access_fault *f)
{
	u32 step = v->r.eflags & EFLAGS_DF ? 0u - i->size : i->size, all = ones(i->size);

	do {
		if (i->rep && !v->r.gpr[GPR_ECX])
			break;
		if (v->r.gpr[GPR_ESI] >> PAGE_SHIFT == fault >> PAGE_SHIFT &&
		    guest_access(v, v->r.gpr[GPR_EDI], &all, i->size, PF_W, f) < 0) {
			return EMUL_FAULT;
		}
		v->r.gpr[GPR_ESI] += step;
		v->r.gpr[GPR_EDI] += step;
		if (i->rep)
			v->r.gpr[GPR_ECX]--;
	} while (i->rep && ((v->r.gpr[GPR_ESI] ^ fault) >> PAGE_SHIFT == 0 ||
			    (v->r.gpr[GPR_EDI] ^ fault) >> PAGE_SHIFT == 0));
	if (i->rep && v->r.gpr[GPR_ECX]) /* the rest is ordinary memory again */
		return EMUL_AGAIN;
	return EMUL_DONE;
}

/* Sets ZF, SF, PF, CF, OF of a and b compared, as CMP and TEST do. */
static void set_flags(struct vcpu *v, const struct insn *i, u32 a, u32 b)
{
	unsigned long flags;

	if (i->op == INSN_TEST)
		__asm__("test %2, %1; pushf; pop %0" : "=r"(flags) : "r"(a), "r"(b) : "cc");
	else
		__asm__("cmp %2, %1; pushf; pop %0" : "=r"(flags) : "r"(a), "r"(b) : "cc");
	v->r.eflags = (v->r.eflags & ~0x8D5u) | ((u32)flags & 0x8D5);
}

static u32 sign_extend(u32 value, unsigned size)
{
	return size == 1 ? (u32)(s8)value : size == 2 ? (u32)(s16)value : value;
}

static enum emul_result move(struct vcpu *v, const struct insn *i, u64 gpa)
{
	u32 *gpr = v->r.gpr;

	switch (i->form) {
	case FORM_R_RM:
		insn_reg_set(gpr, i->reg, i->size, device_read(gpa, i->size));
		return EMUL_DONE;
	case FORM_ACC_MOFFS:
		insn_reg_set(gpr, GPR_EAX, i->size, device_read(gpa, i->size));
		return EMUL_DONE;
	case FORM_RM_R:
		device_write(gpa, i->size, insn_reg_get(gpr, i->reg, i->size));
		return EMUL_DONE;
	case FORM_MOFFS_ACC:
		device_write(gpa, i->size, insn_reg_get(gpr, GPR_EAX, i->size));
		return EMUL_DONE;
	case FORM_RM_IMM:
		device_write(gpa, i->size, i->imm);
		return EMUL_DONE;
	default:
		return EMUL_UNKNOWN;
	}
}

static enum emul_result access(struct vcpu *v, const struct insn *i, u64 gpa)
{
	u32 *gpr = v->r.gpr, there = device_read(gpa, i->size);

	switch (i->op) {
	case INSN_MOV:
		return move(v, i, gpa);
	case INSN_MOVZX:
		insn_reg_set(gpr, i->reg, i->size, device_read(gpa, i->rm_size));
		return EMUL_DONE;
	case INSN_MOVSX:
		insn_reg_set(gpr, i->reg, i->size,
			     sign_extend(device_read(gpa, i->rm_size), i->rm_size));
		return EMUL_DONE;
	case INSN_XCHG:
		device_write(gpa, i->size, insn_reg_get(gpr, i->reg, i->size));
		insn_reg_set(gpr, i->reg, i->size, there);
		return EMUL_DONE;
	case INSN_LODS:
		insn_reg_set(gpr, GPR_EAX, i->size, ones(i->size));
		return string_step(v, i, &gpr[GPR_ESI]);
	case INSN_STOS:
		return string_step(v, i, &gpr[GPR_EDI]);
	case INSN_CMP:
	case INSN_TEST: {
		u32 other = i->form == FORM_RM_IMM ? i->imm : insn_reg_get(gpr, i->reg, i->size);

		other = sign_extend(other, i->size);
		there = sign_extend(there, i->size);
		if (i->form == FORM_R_RM)
			set_flags(v, i, other, there);
		else
			set_flags(v, i, there, other);
		return EMUL_DONE;
	}
	case INSN_XADD:
		if (is_lapic(gpa))
			return EMUL_UNKNOWN;
		insn_reg_set(gpr, i->reg, i->size, there);
		return EMUL_DONE;
	case INSN_ADD:
	case INSN_OR:
	case INSN_AND:
	case INSN_SUB:
	case INSN_XOR:
		/* a read and a write that goes nowhere */
		return i->form == FORM_R_RM || is_lapic(gpa) ? EMUL_UNKNOWN : EMUL_DONE;
	default:
		return EMUL_UNKNOWN;
	}
}

void emulate_mmio(struct vcpu *v, gva_t va, u64 gpa)
{
	u8 bytes[INSN_MAX_LEN];
	struct access_fault f;
	struct insn insn;
	enum emul_result how = EMUL_UNKNOWN;

	switch (emul_fetch(v, &insn, bytes, &f)) {
	case DECODE_OK:
		how = insn.op == INSN_MOVS ? move_string(v, &insn, va, &f) : access(v, &insn, gpa);
		break;
	case DECODE_SHORT:
		how = EMUL_FAULT;
		break;
	}
	if (how == EMUL_UNKNOWN && guest_in_kernel(v))
		guest_die("access to %08x, guest-physical %08llx, where there is no memory%s", va,
			  gpa, is_lapic(gpa) ? " but the local APIC" : " and no device");
	if (how == EMUL_UNKNOWN)
		how = emul_gp(&f, 0);
	emul_end(v, insn.len, how, &f);
}
