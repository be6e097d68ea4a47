/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accesses to frames without memory.  There are the local APIC, because a kernel sends its
 * IPIs by stores and not by APICWrite, and what the virtual PC has (pc.h).  Everywhere else
 * reads give ones and writes are lost, as on a PC's bus.
 *
 * The instruction that made the access is carried out as a whole.  Each of its operands is
 * accessed with the guest's own tables and rights (access.c), so it does not matter which
 * of them has faulted.
 */
#include "redirect.h"
#include "monitor/cpu/segment.h"
#include "monitor/io/events.h"
#include "monitor/life.h"
#include "monitor/monitor.h"
#include "lib/mem.h"

static bool is_lapic(u64 gpa)
{
	return gpa >> PAGE_SHIFT == LAPIC_BASE >> PAGE_SHIFT;
}

void mmio_read(u64 gpa, void *to, u32 bytes)
{
	u8 *out = to;

	if (!is_lapic(gpa)) {
		if (!pc_mmio_read(&MON->pc, gpa, to, bytes))
			memset(to, 0xFF, bytes);
		return;
	}
	for (u32 at = (u32)gpa & (PAGE_SIZE - 1); bytes; at++, bytes--)
		*out++ = (u8)(lapic_read(&VCPU->lapic, at & ~3u) >> at % 4 * 8);
}

/* A register of the APIC is written by an aligned store of 4 bytes; any other store is
 * undefined (SDM vol. 3A, 10.4.1) and is ignored here. */
void mmio_write(u64 gpa, const void *from, u32 bytes)
{
	u32 value;

	if (!is_lapic(gpa)) {
		pc_mmio_write(&MON->pc, gpa, from, bytes);
		return;
	}
	if (bytes != 4 || (gpa & 3))
		return;
	memcpy(&value, from, 4);
	lapic_write(&VCPU->lapic, (u32)gpa & (PAGE_SIZE - 1), value);
}

/* The bits of ESP that are the stack pointer: all, or 16 in a small stack segment. */
static u32 stack_mask(const struct vcpu *v)
{
	return guest_in_kernel(v) || (segment_descriptor((u16)v->r.ss) & SEGMENT_BIG) ? ~0u
										      : 0xFFFF;
}

static enum emul_result push(struct vcpu *v, const struct insn *i, struct access_fault *f)
{
	u32 value, esp = v->r.gpr[GPR_ESP], mask = stack_mask(v), at = (esp - i->size) & mask;

	if (operand_access(v, i->seg, emul_offset(v, i), &value, i->size, 0, f) < 0 ||
	    operand_access(v, SEG_SS, at, &value, i->size, PF_W, f) < 0)
		return EMUL_FAULT;
	v->r.gpr[GPR_ESP] = (esp & ~mask) | at;
	return EMUL_DONE;
}

/* The operand's address is computed with ESP after the pop. */
static enum emul_result pop(struct vcpu *v, const struct insn *i, struct access_fault *f)
{
	u32 value, esp = v->r.gpr[GPR_ESP], mask = stack_mask(v);

	if (operand_access(v, SEG_SS, esp & mask, &value, i->size, 0, f) < 0)
		return EMUL_FAULT;
	v->r.gpr[GPR_ESP] = (esp & ~mask) | ((esp + i->size) & mask);
	if (operand_access(v, i->seg, emul_offset(v, i), &value, i->size, PF_W, f) >= 0)
		return EMUL_DONE;
	v->r.gpr[GPR_ESP] = esp;
	return EMUL_FAULT;
}

/* MOV, which is what a kernel uses at its APIC.  It sets no flags, so the processor need not
 * execute it (redirect.c). */
static enum emul_result move(struct vcpu *v, const struct insn *i, struct access_fault *f)
{
	bool loads = i->form == FORM_R_RM || i->form == FORM_ACC_MOFFS;
	u32 reg = i->modrm ? i->reg : GPR_EAX, bits = loads ? 0 : PF_W;
	u32 value = i->form == FORM_RM_IMM ? i->imm : insn_reg_get(v->r.gpr, reg, i->size);

	if (operand_access(v, i->seg, emul_offset(v, i), &value, i->size, bits, f) < 0)
		return EMUL_FAULT;
	if (loads)
		insn_reg_set(v->r.gpr, reg, i->size, value);
	return EMUL_DONE;
}

static enum emul_result store_selector(struct vcpu *v, const struct insn *i, struct access_fault *f)
{
	u16 selector = guest_selector(v, i->sreg);

	return operand_access(v, i->seg, emul_offset(v, i), &selector, 2, PF_W, f) < 0 ? EMUL_FAULT
										       : EMUL_DONE;
}

static enum emul_result carry_out(struct vcpu *v, struct insn *i, struct access_fault *f)
{
	u8 bytes[INSN_MAX_LEN];
	int decoded = emul_fetch(v, i, bytes, f);

	if (decoded == DECODE_SHORT)
		return EMUL_FAULT;
	if (decoded != DECODE_OK)
		return EMUL_UNKNOWN;
	switch (i->op) {
	case INSN_MOVS:
	case INSN_CMPS:
	case INSN_STOS:
	case INSN_LODS:
	case INSN_SCAS:
		return string_run(v, i, f);
	case INSN_MOV:
		return i->mem ? move(v, i, f) : EMUL_UNKNOWN;
	case INSN_PUSH:
		return i->mem ? push(v, i, f) : EMUL_UNKNOWN;
	case INSN_POP:
		return i->mem ? pop(v, i, f) : EMUL_UNKNOWN;
	case INSN_MOV_FROM_SREG:
		return store_selector(v, i, f);
	default:
		return redirect(v, i, bytes, f);
	}
}

void emulate_mmio(struct vcpu *v, gva_t va, u64 gpa)
{
	struct access_fault f;
	struct insn insn;
	enum emul_result how = carry_out(v, &insn, &f);

	if (how == EMUL_UNKNOWN && guest_in_kernel(v))
		guest_die("access to %08x, guest-physical %08llx, where there is no memory%s", va,
			  gpa,
			  is_lapic(gpa)			? " but the local APIC"
			  : pc_mmio_page(&MON->pc, gpa) ? " but registers"
							: " and no device");
	if (how == EMUL_UNKNOWN)
		how = emul_gp(&f, 0);
	emul_end(v, insn.len, how, &f);
}
