/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions that a processor allows to ring 0 alone: control, debug and model-specific
 * registers, descriptor tables, and the segment loads and far transfers that name RPL 0.
 * Before Init the guest's kernel needs all of them; after Init it needs those that VMI
 * leaves native.
 */
#include "emul.h"
#include "monitor/binding.h"
#include "monitor/cpu/msr.h"
#include "monitor/cpu/segment.h"
#include "monitor/life.h"
#include "monitor/life/ends.h"
#include "xenbind/hypercall.h"

/* Loads CS or SS; false, with *f set, if the selector cannot be loaded. */
static bool load(struct vcpu *v, enum seg seg, u32 selector, struct access_fault *f)
{
	*f = (struct access_fault){.vector = segment_load(v, seg, selector),
				   .error = selector & 0xFFFC};
	if (f->vector)
		return false;
	if (seg == SEG_SS && v->paravirtual)
		control_check_stack(v, (u16)selector);
	return true;
}

/* Reads the first bytes of the memory operand; 0, or -1 with *f set. */
static int read_operand(struct vcpu *v, const struct insn *i, void *to, u32 bytes,
			struct access_fault *f)
{
	return operand_access(v, i->seg, emul_offset(v, i), to, bytes, 0, f) < 0 ? -1 : 0;
}

static int read_stack(struct vcpu *v, void *to, u32 bytes, struct access_fault *f)
{
	return operand_access(v, SEG_SS, v->r.gpr[GPR_ESP], to, bytes, 0, f) < 0 ? -1 : 0;
}

/* Reads a word from the r/m operand, a register or memory; 0, or -1 with *f set. */
static int read_word(struct vcpu *v, const struct insn *i, u16 *word, struct access_fault *f)
{
	*word = (u16)v->r.gpr[i->rm];
	return i->mem ? read_operand(v, i, word, 2, f) : 0;
}

/* Only SS demands an RPL that is the CPL, so only a load of SS traps for its RPL. */
static enum emul_result op_mov_sreg(struct vcpu *v, const struct insn *i, struct access_fault *f)
{
	u16 sel;

	if (i->sreg != SEG_SS)
		return EMUL_UNKNOWN;
	return read_word(v, i, &sel, f) || !load(v, SEG_SS, sel, f) ? EMUL_FAULT : EMUL_SHADOWS;
}

static enum emul_result op_pop_sreg(struct vcpu *v, const struct insn *i, struct access_fault *f)
{
	u32 sel = 0;

	if (i->sreg != SEG_SS)
		return EMUL_UNKNOWN;
	if (read_stack(v, &sel, i->size, f) || !load(v, SEG_SS, sel, f))
		return EMUL_FAULT;
	v->r.gpr[GPR_ESP] += i->size;
	return EMUL_SHADOWS;
}

static enum emul_result op_lxs(struct vcpu *v, const struct insn *i, struct access_fault *f)
{
	struct {
		u32 offset;
		u16 sel;
	} packed far = {0};

	if (i->sreg != SEG_SS || i->size != 4)
		return EMUL_UNKNOWN;
	if (read_operand(v, i, &far, 6, f) || !load(v, SEG_SS, far.sel, f))
		return EMUL_FAULT;
	v->r.gpr[i->reg] = far.offset;
	return EMUL_DONE;
}

/* Far jumps and returns within the kernel trap because their selector has RPL 0. */
static enum emul_result op_jmp_far(struct vcpu *v, const struct insn *i, struct access_fault *f)
{
	struct {
		u32 offset;
		u16 sel;
	} packed far = {i->imm, i->sel16};

	if ((i->mem && read_operand(v, i, &far, 6, f)) || !load(v, SEG_CS, far.sel, f))
		return EMUL_FAULT;
	v->r.eip = far.offset;
	return EMUL_JUMPED;
}

static enum emul_result op_retf(struct vcpu *v, const struct insn *i, struct access_fault *f)
{
	u32 frame[2];

	if (read_stack(v, frame, 8, f) || !load(v, SEG_CS, frame[1], f))
		return EMUL_FAULT;
	v->r.gpr[GPR_ESP] += 8 + i->imm;
	v->r.eip = frame[0];
	return EMUL_JUMPED;
}

/* A native IRET within the kernel.  After Init one comes only from a place that the guest
 * has not patched.  The flags become those of the frame; a TF among them takes effect
 * behind the next instruction, so none is due now. */
static enum emul_result op_iret(struct vcpu *v, struct access_fault *f)
{
	u32 frame[3];

	if (read_stack(v, frame, 12, f))
		return EMUL_FAULT;
	if (frame[2] & EFLAGS_VM) /* as IRET in entry/pv/vmi_fast.asm */
		return emul_gp(f, 0);
	if (v->paravirtual && (frame[1] & 3) == 3)
		return emul_gp(f, frame[1] & 0xFFFC);
	if (!load(v, SEG_CS, frame[1], f))
		return EMUL_FAULT;
	v->r.gpr[GPR_ESP] += 12;
	v->r.eip = frame[0];
	v->r.eflags = v->paravirtual ? frame[2] : frame[2] & ~EFLAGS_IF;
	return EMUL_LEFT;
}

static enum emul_result op_table(struct vcpu *v, const struct insn *i, struct access_fault *f)
{
	struct {
		u16 limit;
		u32 base;
	} packed t;

	if (read_operand(v, i, &t, 6, f))
		return EMUL_FAULT;
	if (i->op == INSN_LGDT) {
		segment_load_gdt(v, t.limit, t.base);
		prelude_lgdt(v);
	} else {
		idt_load(v, t.limit, t.base);
		prelude_lidt(v);
	}
	return EMUL_DONE;
}

static enum emul_result op_selector(struct vcpu *v, const struct insn *i, struct access_fault *f)
{
	u16 sel;

	if (read_word(v, i, &sel, f))
		return EMUL_FAULT;
	if (i->op == INSN_LTR)
		v->tr = sel;
	else if (!segment_load_ldt(v, sel))
		return emul_gp(f, sel & 0xFFFC);
	return EMUL_DONE;
}

static enum emul_result op_from_cr(struct vcpu *v, const struct insn *i, struct access_fault *f)
{
	u32 *to = &v->r.gpr[i->rm];

	switch (i->reg) {
	case 0:
		*to = v->cr0;
		return EMUL_DONE;
	case 2:
		*to = control_get_cr2(v);
		return EMUL_DONE;
	case 3:
		*to = v->cr3;
		return EMUL_DONE;
	case 4:
		*to = v->cr4;
		return EMUL_DONE;
	}
	return emul_gp(f, 0);
}

static enum emul_result op_to_cr(struct vcpu *v, const struct insn *i, struct access_fault *f)
{
	u32 value = v->r.gpr[i->rm];

	switch (i->reg) {
	case 0:
		control_mov_cr0(v, value);
		return EMUL_DONE;
	case 2:
		control_set_cr2(v, value);
		return EMUL_DONE;
	case 3:
		return control_mov_cr3(v, value) ? EMUL_DONE : emul_gp(f, 0);
	case 4:
		control_set_cr4(v, value);
		return EMUL_DONE;
	}
	return emul_gp(f, 0);
}

static enum emul_result op_lmsw(struct vcpu *v, const struct insn *i, struct access_fault *f)
{
	u16 value;

	if (read_word(v, i, &value, f))
		return EMUL_FAULT;
	control_set_cr0(v, (v->cr0 & ~0xEu) | (value & 0xF));
	return EMUL_DONE;
}

static enum emul_result op_rdmsr(struct vcpu *v, struct access_fault *f)
{
	u64 value;

	if (!msr_read(v, v->r.gpr[GPR_ECX], &value))
		return emul_gp(f, 0);
	v->r.gpr[GPR_EAX] = (u32)value;
	v->r.gpr[GPR_EDX] = (u32)(value >> 32);
	return EMUL_DONE;
}

static enum emul_result op_wrmsr(struct vcpu *v, struct access_fault *f)
{
	u64 value = (u64)v->r.gpr[GPR_EDX] << 32 | v->r.gpr[GPR_EAX];

	return msr_write(v, v->r.gpr[GPR_ECX], value) ? EMUL_DONE : emul_gp(f, 0);
}

static enum emul_result op_hlt(struct vcpu *v)
{
	if (!v->paravirtual)
		guest_die("halted before VMI_Init: a kernel without VMI support, or an early "
			  "panic of the kernel");
	if (!(v->r.eflags & EFLAGS_IF)) { /* nothing can wake it: Xen, too, ends such a domain */
		say("vmixen: the guest halted with interrupts off\n");
		domain_shutdown(SHUTDOWN_poweroff);
	}
	control_halt(v);
	return EMUL_DONE;
}

enum emul_result emul_system(struct vcpu *v, const struct insn *i, struct access_fault *f)
{
	switch (i->op) {
	case INSN_HLT:
		return op_hlt(v);
	case INSN_CLTS:
		control_set_cr0(v, v->cr0 & ~CR0_TS);
		return EMUL_DONE;
	case INSN_INVD:
	case INSN_WBINVD:
		return EMUL_DONE;
	case INSN_INVLPG:
		space_invlpg(v, segment_base(v, guest_selector(v, i->seg)) + emul_offset(v, i));
		return EMUL_DONE;
	case INSN_LGDT:
	case INSN_LIDT:
		return op_table(v, i, f);
	case INSN_LLDT:
	case INSN_LTR:
		return op_selector(v, i, f);
	case INSN_LMSW:
		return op_lmsw(v, i, f);
	case INSN_MOV_FROM_CR:
		return op_from_cr(v, i, f);
	case INSN_MOV_TO_CR:
		return op_to_cr(v, i, f);
	case INSN_MOV_FROM_DR:
		v->r.gpr[i->rm] = control_get_dr(v, i->reg);
		return EMUL_DONE;
	case INSN_MOV_TO_DR:
		control_set_dr(v, i->reg, v->r.gpr[i->rm]);
		return EMUL_DONE;
	case INSN_RDMSR:
		return op_rdmsr(v, f);
	case INSN_WRMSR:
		return op_wrmsr(v, f);
	case INSN_MOV_SREG:
		return op_mov_sreg(v, i, f);
	case INSN_POP_SREG:
		return op_pop_sreg(v, i, f);
	case INSN_LXS:
		return op_lxs(v, i, f);
	case INSN_JMP_FAR:
		return op_jmp_far(v, i, f);
	case INSN_RETF:
		return op_retf(v, i, f);
	case INSN_IRET:
		return op_iret(v, f);
	default:
		return EMUL_UNKNOWN;
	}
}
