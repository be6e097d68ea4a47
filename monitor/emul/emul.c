/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instruction at EIP has trapped, and is carried out as ring 0 would do it.  Before
 * Init, when the guest's kernel runs without the privileges of ring 0, these are all the
 * instructions that need them; after Init they are those that VMI leaves native.  User
 * mode may use ports as far as its IOPL and its TSS allow, and CLI and STI with IOPL 3.
 * What is not emulated becomes the exception that hardware has raised.
 */
#include "emul.h"
#include "monitor/binding.h"
#include "monitor/cpu/inject.h"
#include "monitor/cpu/segment.h"
#include "monitor/io/events.h"
#include "monitor/life.h"
#include "counters.h"
#include "lib/mem.h"

#define UD2_MARK 4	      /* bytes of "VMXN" behind the ud2 of VMI_Init */
#define WITH_ERROR 0x00027D00 /* bit per vector: exceptions that have an error code */

/* --- the instruction ------------------------------------------------------- */

/* Does cs make 16-bit code?  A kernel that has just loaded a GDT may still run in a segment
 * that the new table does not have; that one counts as a 32-bit segment. */
static bool is_code16(u64 cs)
{
	const u64 present_code = 1ull << 47 | 1ull << 43;

	return (cs & (present_code | SEGMENT_BIG)) == present_code;
}

/* Fetches up to INSN_MAX_LEN bytes, page by page, and returns how many the guest can have,
 * with *f set to the exception that it meets at the next.  For user mode they end at the
 * limit of its segment. */
static u32 fetch_pages(struct vcpu *v, u64 cs, gva_t at, u8 *bytes, struct access_fault *f)
{
	u32 n = INSN_MAX_LEN, got = 0, limit = segment_limit(cs);

	if (!guest_in_kernel(v) && v->r.eip > limit)
		n = 0;
	else if (!guest_in_kernel(v) && limit - v->r.eip < n - 1)
		n = limit - v->r.eip + 1;
	while (got < n) {
		u32 room = PAGE_SIZE - ((at + got) & (PAGE_SIZE - 1));
		u32 part = n - got < room ? n - got : room;

		if (guest_access(v, at + got, bytes + got, part, PF_I, f) < 0)
			return got;
		got += part;
	}
	emul_gp(f, 0);
	return n;
}

int emul_fetch(struct vcpu *v, struct insn *i, u8 bytes[INSN_MAX_LEN], struct access_fault *f)
{
	u64 cs = segment_descriptor((u16)v->r.cs);
	gva_t at = descriptor_base(cs) + v->r.eip;
	u32 n = INSN_MAX_LEN;

	if (!guest_in_kernel(v) || guest_read(v, at, bytes, n, f))
		n = fetch_pages(v, cs, at, bytes, f);
	return decode_insn(bytes, n, is_code16(cs), i);
}

/* A short cut for what a kernel needs most, IN and OUT without a prefix.  Sets only the
 * fields of *i that execute() uses for them.  false if it is another instruction, or if a
 * page is missing. */
static bool fetch_port(struct vcpu *v, struct insn *i)
{
	u64 cs = segment_descriptor((u16)v->r.cs);
	gva_t at = descriptor_base(cs) + v->r.eip;
	u8 bytes[2], opcode;

	if (!guest_in_kernel(v) || is_code16(cs) || at >= WINDOW_BASE - 1 ||
	    copy_from_linear(bytes, at, 2))
		return false;
	opcode = bytes[0];
	if ((opcode & 0xF4) != 0xE4) /* E4 to E7, EC to EF */
		return false;
	i->op = opcode & 2 ? INSN_OUT : INSN_IN;
	i->size = opcode & 1 ? 4 : 1;
	i->form = opcode & 8 ? FORM_DX : FORM_IMM;
	i->len = opcode & 8 ? 1 : 2;
	i->imm = bytes[1];
	return true;
}

/* --- its end --------------------------------------------------------------- */

static void raise(struct vcpu *v, const struct access_fault *f)
{
	if (f->vector == EXC_PF)
		inject_page_fault(v, f->va, f->error);
	else
		inject_exception(v, f->vector, WITH_ERROR >> f->vector & 1, f->error);
}

/* EIP is 32 bits wide in 16-bit code as well; an EIP behind the limit is a fault of the
 * next fetch.  RF was for the instruction that is over now. */
void emul_end(struct vcpu *v, u32 len, enum emul_result how, const struct access_fault *f)
{
	u32 *eflags = &v->r.eflags;

	if (how <= EMUL_SHADOWS)
		v->r.eip += len;
	if (how <= EMUL_JUMPED)
		*eflags &= ~EFLAGS_RF;
	if (how == EMUL_FAULT)
		raise(v, f);
	if (how <= EMUL_AGAIN && (*eflags & EFLAGS_TF) && how != EMUL_SHADOWS) {
		control_single_step(v);
		inject_exception(v, EXC_DB, false, 0);
	}
}

/* --- what user mode may do, too ---------------------------------------------- */

static bool is_port_io(const struct insn *i)
{
	return i->op == INSN_IN || i->op == INSN_OUT || i->op == INSN_INS || i->op == INSN_OUTS;
}

static u16 port_of(const struct vcpu *v, const struct insn *i)
{
	return (u16)(i->form == FORM_IMM ? i->imm : v->r.gpr[GPR_EDX]);
}

/* Without IOPL 3 the guest's TSS must have a clear bit for every port of the access (Intel
 * SDM vol. 1, 19.5.2).  A processor reads them with the rights of ring 0. */
static bool bitmap_allows(struct vcpu *v, u16 port, unsigned size)
{
	struct access_fault f;
	gva_t tss;
	u32 limit;
	u16 map, bits;

	if (!segment_tss(v, v->tr, &tss, &limit) || guest_read(v, tss + 0x66, &map, 2, &f) ||
	    map + port / 8 + 1u > limit || guest_read(v, tss + map + port / 8, &bits, 2, &f))
		return false;
	return !(bits >> (port & 7) & ((1u << size) - 1));
}

static bool may_execute(struct vcpu *v, const struct insn *i)
{
	if (guest_in_kernel(v))
		return true;
	if (is_port_io(i))
		return v->iopl == 3 || bitmap_allows(v, port_of(v, i), i->size);
	return v->iopl == 3 && (i->op == INSN_CLI || i->op == INSN_STI);
}

/* CLI and STI.  In user mode they do nothing, as in Xen's own guests: POPF does not trap, so
 * a flag that a program saves, clears and restores would stay clear. */
static enum emul_result op_flags(struct vcpu *v, const struct insn *i)
{
	if (!guest_in_kernel(v))
		return EMUL_DONE;
	if (v->paravirtual)
		v->r.eflags =
			i->op == INSN_STI ? v->r.eflags | EFLAGS_IF : v->r.eflags & ~EFLAGS_IF;
	else if (i->op == INSN_CLI)
		prelude_cli(v, v->r.eip);
	else
		guest_die("interrupts are enabled before VMI_Init, and none can come: a kernel "
			  "without VMI support, or that did not find the ROM, or an early panic "
			  "of the kernel");
	return EMUL_DONE;
}

/* Xen learns of an INT n by the #GP of its own IDT, whose error code names the vector.
 * QEMU's TCG puts twice the vector there (n * 16 + 2), so Xen finds another gate of the
 * guest's or none, and the fault comes here. */
static enum emul_result op_int(struct vcpu *v, const struct insn *i)
{
	inject_int(v, i->imm, v->r.eip + i->len);
	return EMUL_LEFT;
}

static enum emul_result execute(struct vcpu *v, const struct insn *i, struct access_fault *f)
{
	if (i->op == INSN_INT_N)
		return op_int(v, i);
	if ((i->op == INSN_CPUID || i->op == INSN_RDTSC) && cpu_unprivileged(v, i))
		return EMUL_DONE;
	if (!may_execute(v, i))
		return EMUL_UNKNOWN;
	switch (i->op) {
	case INSN_CLI:
	case INSN_STI:
		return op_flags(v, i);
	case INSN_IN:
		insn_reg_set(v->r.gpr, GPR_EAX, i->size, port_in(v, port_of(v, i), i->size));
		return EMUL_DONE;
	case INSN_OUT:
		port_out(v, port_of(v, i), i->size, v->r.gpr[GPR_EAX]);
		return EMUL_DONE;
	case INSN_INS:
	case INSN_OUTS:
		return string_run(v, i, f);
	default:
		return emul_system(v, i, f);
	}
}

/* --- traps ------------------------------------------------------------------- */

/* Is EIP at the mark of VMI_Init, which both bindings' vmi.asm have in init_in_place? */
static bool is_init(struct vcpu *v)
{
	u8 bytes[2 + UD2_MARK];
	struct access_fault f;

	return !v->paravirtual &&
	       !guest_read(v, segment_base(v, (u16)v->r.cs) + v->r.eip, bytes, sizeof(bytes), &f) &&
	       !memcmp(bytes, "\x0F\x0BVMXN", sizeof(bytes));
}

static enum emul_result carry_out(struct vcpu *v, struct insn *i, struct access_fault *f)
{
	u8 bytes[INSN_MAX_LEN];
	int decoded = fetch_port(v, i) ? DECODE_OK : emul_fetch(v, i, bytes, f);

	if (decoded == DECODE_SHORT)
		return EMUL_FAULT;
	if (decoded != DECODE_OK)
		return EMUL_UNKNOWN;
	COUNT(emulated[i->op]);
	return execute(v, i, f);
}

void emulate(struct vcpu *v, u32 vector)
{
	struct access_fault f;
	struct insn insn;
	enum emul_result how;

	if (vector == EXC_UD) {
		if (is_init(v))
			vmi_init(v);
		else
			inject_exception(v, EXC_UD, false, 0);
		return;
	}
	how = carry_out(v, &insn, &f);
	if (how == EMUL_UNKNOWN)
		inject_exception(v, EXC_GP, true, v->r.error);
	else
		emul_end(v, insn.len, how, &f);
}
