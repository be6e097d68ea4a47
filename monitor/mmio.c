/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accesses to frames without memory behind them.  One device lives there, the
 * local APIC, for a kernel sends its IPIs by stores and not by APICWrite.
 * Everywhere else reads give ones and writes go nowhere, as on a PC's bus.
 */
#include "emul.h"
#include "mem.h"

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

static bool is_string(const struct insn *i)
{
	return i->op >= INSN_MOVS && i->op <= INSN_SCAS;
}

void emulate_mmio(struct vcpu *v, gva_t va, u64 gpa)
{
	u8 bytes[INSN_MAX_LEN];
	struct access_fault f;
	struct insn insn;
	enum emul_result how = EMUL_UNKNOWN;

	switch (emul_fetch(v, &insn, bytes, &f)) {
	case DECODE_OK:
		how = is_string(&insn) ? string_run(v, &insn, &f) : access(v, &insn, gpa);
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
