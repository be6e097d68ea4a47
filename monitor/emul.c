/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instruction at EIP, carried out as ring 0 would: all of it before Init,
 * when the guest's kernel runs at CPL 3, and what VMI leaves native after it.
 * What is not emulated becomes the exception that hardware raised.
 *
 * An emulator function returns true if the instruction is done and EIP moves
 * on; false if the exception that it meets has been injected or EIP is set.
 */
#include "monitor.h"
#include "mem.h"

#define STRING_MAX 1024 /* elements of a string instruction done at a time */
#define UD2_MARK 4	/* bytes of "VMXN" behind the ud2 of VMI_Init */

static bool raise_gp(struct vcpu *v, u32 error)
{
	inject_exception(v, EXC_GP, true, error);
	return false;
}

static bool raise_fault(struct vcpu *v, const struct access_fault *f)
{
	if (f->vector == EXC_PF)
		inject_page_fault(v, f->va, f->error);
	else
		inject_exception(v, f->vector, true, f->error);
	return false;
}

static gva_t linear_address(struct vcpu *v, const struct insn *i)
{
	return segment_base(v, guest_selector(v, i->seg)) + insn_ea(i, v->r.gpr);
}

/* A selector as the guest's kernel may have it where hardware wants RPL 0. */
static u32 kernel_selector(const struct vcpu *v, u32 sel)
{
	return sel & 0xFFFC ? (sel & 0xFFFC) | v->kernel_rpl : 0;
}

/* Loads SS, the one data segment whose RPL must be the CPL. */
static bool load_ss(struct vcpu *v, u32 sel)
{
	v->r.ss = kernel_selector(v, sel);
	return true;
}

static bool op_mov_sreg(struct vcpu *v, const struct insn *i)
{
	u16 sel;
	struct access_fault f;

	if (i->sreg != SEG_SS)
		return raise_gp(v, v->r.error);
	if (!i->mem)
		return load_ss(v, v->r.gpr[i->rm]);
	if (guest_read(v, linear_address(v, i), &sel, 2, &f))
		return raise_fault(v, &f);
	return load_ss(v, sel);
}

static bool op_pop_sreg(struct vcpu *v, const struct insn *i)
{
	u32 sel = 0;
	struct access_fault f;

	if (i->sreg != SEG_SS)
		return raise_gp(v, v->r.error);
	if (guest_read(v, v->r.gpr[GPR_ESP], &sel, i->size, &f))
		return raise_fault(v, &f);
	v->r.gpr[GPR_ESP] += i->size;
	return load_ss(v, sel);
}

static bool op_lxs(struct vcpu *v, const struct insn *i)
{
	struct {
		u32 offset;
		u16 sel;
	} packed far = {0};
	struct access_fault f;

	if (i->sreg != SEG_SS || i->size != 4)
		return raise_gp(v, v->r.error);
	if (guest_read(v, linear_address(v, i), &far, 6, &f))
		return raise_fault(v, &f);
	v->r.gpr[i->reg] = far.offset;
	return load_ss(v, far.sel);
}

/* Far control transfers within the kernel that name RPL 0. */
static bool op_jmp_far(struct vcpu *v, const struct insn *i)
{
	struct {
		u32 offset;
		u16 sel;
	} packed far = {i->imm, i->sel16};
	struct access_fault f;

	if (i->mem && guest_read(v, linear_address(v, i), &far, 6, &f))
		return raise_fault(v, &f);
	v->r.cs = kernel_selector(v, far.sel);
	v->r.eip = far.offset;
	return false;
}

static bool op_retf(struct vcpu *v, const struct insn *i)
{
	u32 frame[2];
	struct access_fault f;

	if (guest_read(v, v->r.gpr[GPR_ESP], frame, 8, &f))
		return raise_fault(v, &f);
	v->r.gpr[GPR_ESP] += 8 + i->imm;
	v->r.eip = frame[0];
	v->r.cs = kernel_selector(v, frame[1]);
	return false;
}

/* A native IRET within the kernel; after Init only a guest that left a site
 * unpatched comes here. */
static bool op_iret(struct vcpu *v)
{
	u32 frame[3];
	struct access_fault f;

	if (guest_read(v, v->r.gpr[GPR_ESP], frame, 12, &f))
		return raise_fault(v, &f);
	if (frame[2] & EFLAGS_VM) /* as IRET in entry/vmi_fast.asm */
		return raise_gp(v, 0);
	if (v->paravirtual && (frame[1] & 3) == 3)
		return raise_gp(v, frame[1] & 0xFFFC);
	v->r.gpr[GPR_ESP] += 12;
	v->r.eip = frame[0];
	v->r.cs = kernel_selector(v, frame[1]);
	v->r.eflags = v->paravirtual ? frame[2] : frame[2] & ~EFLAGS_IF;
	return false;
}

static bool op_table(struct vcpu *v, const struct insn *i)
{
	struct {
		u16 limit;
		u32 base;
	} packed t;
	struct access_fault f;

	if (guest_read(v, linear_address(v, i), &t, 6, &f))
		return raise_fault(v, &f);
	if (i->op == INSN_LGDT) {
		segment_load_gdt(v, t.limit, t.base);
		flags_lgdt(v);
	} else {
		segment_load_idt(v, t.limit, t.base);
		flags_lidt(v);
	}
	return true;
}

static bool op_selector(struct vcpu *v, const struct insn *i)
{
	u16 sel = (u16)v->r.gpr[i->rm];
	struct access_fault f;

	if (i->mem && guest_read(v, linear_address(v, i), &sel, 2, &f))
		return raise_fault(v, &f);
	if (i->op == INSN_LTR)
		v->tr = sel;
	else if (!segment_load_ldt(v, sel))
		return raise_gp(v, sel & 0xFFFC);
	return true;
}

static bool op_from_cr(struct vcpu *v, const struct insn *i)
{
	u32 *to = &v->r.gpr[i->rm];

	switch (i->reg) {
	case 0:
		*to = v->cr0;
		return true;
	case 2:
		*to = v->cr2;
		return true;
	case 3:
		*to = v->cr3;
		return true;
	case 4:
		*to = v->cr4;
		return true;
	}
	return raise_gp(v, 0);
}

static bool op_to_cr(struct vcpu *v, const struct insn *i)
{
	u32 value = v->r.gpr[i->rm];

	switch (i->reg) {
	case 0:
		control_set_cr0(v, value);
		return true;
	case 2:
		v->cr2 = value;
		return true;
	case 3:
		return control_set_cr3(v, value) || raise_gp(v, 0);
	case 4:
		control_set_cr4(v, value);
		return true;
	}
	return raise_gp(v, 0);
}

static bool op_lmsw(struct vcpu *v, const struct insn *i)
{
	u16 value = (u16)v->r.gpr[i->rm];
	struct access_fault f;

	if (i->mem && guest_read(v, linear_address(v, i), &value, 2, &f))
		return raise_fault(v, &f);
	control_set_cr0(v, (v->cr0 & ~0xEu) | (value & 0xF));
	return true;
}

static bool op_rdmsr(struct vcpu *v)
{
	u64 value;

	if (!msr_read(v, v->r.gpr[GPR_ECX], &value))
		return raise_gp(v, 0);
	v->r.gpr[GPR_EAX] = (u32)value;
	v->r.gpr[GPR_EDX] = (u32)(value >> 32);
	return true;
}

static bool op_wrmsr(struct vcpu *v)
{
	u64 value = (u64)v->r.gpr[GPR_EDX] << 32 | v->r.gpr[GPR_EAX];

	return msr_write(v, v->r.gpr[GPR_ECX], value) || raise_gp(v, 0);
}

/* User mode needs IOPL 3, or a clear bit for every port in the guest's TSS
 * (Intel SDM vol. 1, 19.5.2). */
static bool may_use_port(struct vcpu *v, u16 port, unsigned size)
{
	struct access_fault f;
	gva_t tss;
	u32 limit;
	u16 map, bits;

	if (guest_in_kernel(v) || v->iopl == 3)
		return true;
	if (!segment_tss(v, &tss, &limit) || guest_read(v, tss + 0x66, &map, 2, &f) ||
	    map + port / 8 + 1u > limit || guest_read(v, tss + map + port / 8, &bits, 2, &f))
		return false;
	return !(bits >> (port & 7) & ((1u << size) - 1));
}

static u16 port_of(const struct vcpu *v, const struct insn *i)
{
	return (u16)(i->form == FORM_IMM ? i->imm : v->r.gpr[GPR_EDX]);
}

/* One element of a string instruction on ports; the loop is in op_string. */
static int string_element(struct vcpu *v, const struct insn *i, struct access_fault *f)
{
	u32 reg = i->op == INSN_INS ? GPR_EDI : GPR_ESI, at = v->r.gpr[reg], value = 0;
	u16 port = (u16)v->r.gpr[GPR_EDX];

	if (i->op == INSN_OUTS) {
		if (operand_access(v, i->seg, at, &value, i->size, 0, f) < 0)
			return -1;
		port_out(v, port, i->size, value);
	} else {
		if (operand_may(v, SEG_ES, at, i->size, PF_W, f))
			return -1;
		value = port_in(v, port, i->size);
		if (operand_access(v, SEG_ES, at, &value, i->size, PF_W, f) < 0)
			return -1;
	}
	v->r.gpr[reg] += v->r.eflags & 0x400 ? 0u - i->size : i->size;
	return 0;
}

static bool op_string(struct vcpu *v, const struct insn *i)
{
	struct access_fault f;

	if (!i->rep && !i->repne)
		return string_element(v, i, &f) ? raise_fault(v, &f) : true;
	for (u32 n = 0; v->r.gpr[GPR_ECX]; v->r.gpr[GPR_ECX]--) {
		if (n++ == STRING_MAX)
			return false; /* interrupts may come in, then the rest */
		if (string_element(v, i, &f))
			return raise_fault(v, &f);
	}
	return true;
}

static bool op_flags(struct vcpu *v, const struct insn *i)
{
	if (v->paravirtual)
		v->r.eflags =
			i->op == INSN_STI ? v->r.eflags | EFLAGS_IF : v->r.eflags & ~EFLAGS_IF;
	else if (i->op == INSN_CLI)
		flags_cli(v, v->r.eip);
	else
		guest_die("interrupts are enabled before VMI_Init, and none can come: is this "
			  "a kernel with VMI support that found the ROM?");
	return true;
}

/* Xen learns of an INT n by the #GP of its own IDT, whose error code names the
 * vector; QEMU's TCG says twice the vector there (n * 16 + 2), so Xen finds no
 * gate of the guest's, or another one, and the fault comes here. */
static bool op_int(struct vcpu *v, const struct insn *i)
{
	v->r.eip += i->len;
	if (inject_int(v, i->imm))
		return false;
	v->r.eip -= i->len;
	return raise_gp(v, i->imm * 8 + 2);
}

static bool op_hlt(struct vcpu *v)
{
	if (!v->paravirtual)
		guest_die("halted before VMI_Init: is this a kernel with VMI support?");
	if (!(v->r.eflags & EFLAGS_IF)) { /* a PC that nothing can wake: off, as Xen has it */
		say("vmixen: the guest halted with interrupts off\n");
		control_shutdown(SHUTDOWN_poweroff);
	}
	control_halt(v);
	return true;
}

static bool is_port_io(const struct insn *i)
{
	return i->op == INSN_IN || i->op == INSN_OUT || i->op == INSN_INS || i->op == INSN_OUTS;
}

static bool execute(struct vcpu *v, const struct insn *i, u32 vector)
{
	if (i->op == INSN_INT_N)
		return op_int(v, i);
	if (is_port_io(i) ? !may_use_port(v, port_of(v, i), i->size) : !guest_in_kernel(v)) {
		inject_exception(v, vector, vector == EXC_GP, v->r.error);
		return false;
	}
	switch (i->op) {
	case INSN_CLI:
	case INSN_STI:
		return op_flags(v, i);
	case INSN_HLT:
		return op_hlt(v);
	case INSN_CLTS:
		control_set_cr0(v, v->cr0 & ~CR0_TS);
		return true;
	case INSN_INVD:
	case INSN_WBINVD:
		return true;
	case INSN_INVLPG:
		shadow_invlpg(v, linear_address(v, i));
		return true;
	case INSN_LGDT:
	case INSN_LIDT:
		return op_table(v, i);
	case INSN_LLDT:
	case INSN_LTR:
		return op_selector(v, i);
	case INSN_LMSW:
		return op_lmsw(v, i);
	case INSN_MOV_FROM_CR:
		return op_from_cr(v, i);
	case INSN_MOV_TO_CR:
		return op_to_cr(v, i);
	case INSN_MOV_FROM_DR:
		v->r.gpr[i->rm] = control_get_dr(v, i->reg);
		return true;
	case INSN_MOV_TO_DR:
		control_set_dr(v, i->reg, v->r.gpr[i->rm]);
		return true;
	case INSN_RDMSR:
		return op_rdmsr(v);
	case INSN_WRMSR:
		return op_wrmsr(v);
	case INSN_IN:
		insn_reg_set(v->r.gpr, GPR_EAX, i->size, port_in(v, port_of(v, i), i->size));
		return true;
	case INSN_OUT:
		port_out(v, port_of(v, i), i->size, v->r.gpr[GPR_EAX]);
		return true;
	case INSN_INS:
	case INSN_OUTS:
		return op_string(v, i);
	case INSN_MOV_SREG:
		return op_mov_sreg(v, i);
	case INSN_POP_SREG:
		return op_pop_sreg(v, i);
	case INSN_LXS:
		return op_lxs(v, i);
	case INSN_JMP_FAR:
		return op_jmp_far(v, i);
	case INSN_RETF:
		return op_retf(v, i);
	case INSN_IRET:
		return op_iret(v);
	default:
		inject_exception(v, vector, vector == EXC_GP, v->r.error);
		return false;
	}
}

/* VMI_Init's mark: what entry/vmi.asm has behind init_in_place. */
static bool is_init(const struct vcpu *v, const u8 *bytes, u32 n)
{
	return !v->paravirtual && n >= 2 + UD2_MARK && !memcmp(bytes, "\x0F\x0BVMXN", 2 + UD2_MARK);
}

static u32 fetch(struct vcpu *v, u8 *bytes, struct access_fault *f)
{
	gva_t at = segment_base(v, (u16)v->r.cs) + v->r.eip;
	u32 n = 0;

	if (!guest_read(v, at, bytes, INSN_MAX_LEN, f))
		return INSN_MAX_LEN;
	while (n < INSN_MAX_LEN && !guest_read(v, at + n, bytes + n, 1, f))
		n++;
	return n;
}

/* What a kernel needs most of all this, IN and OUT without a prefix, is decoded
 * at a glance: only what execute() asks of them. */
static bool decode_port(const u8 *bytes, u32 n, struct insn *i)
{
	u8 opcode = bytes[0];

	if (n < 2 || (opcode & 0xF4) != 0xE4) /* E4 to E7, EC to EF */
		return false;
	i->op = opcode & 2 ? INSN_OUT : INSN_IN;
	i->size = opcode & 1 ? 4 : 1;
	i->form = opcode & 8 ? FORM_DX : FORM_IMM;
	i->len = opcode & 8 ? 1 : 2;
	i->imm = bytes[1];
	return true;
}

void emulate(struct vcpu *v, u32 vector)
{
	u8 bytes[INSN_MAX_LEN];
	struct access_fault f;
	struct insn insn;
	u32 n = fetch(v, bytes, &f);

	if (vector == EXC_UD && is_init(v, bytes, n)) {
		vmi_init(v);
		return;
	}
	if (!decode_port(bytes, n, &insn) && decode_insn(bytes, n, false, &insn) != DECODE_OK) {
		inject_exception(v, vector, vector == EXC_GP, v->r.error);
		return;
	}
	COUNT(emulated[insn.op]);
	if (execute(v, &insn, vector))
		v->r.eip += insn.len;
}
