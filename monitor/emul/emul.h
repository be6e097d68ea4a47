/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the emulator share: emul.c, system.c, string.c, mmio.c and
 * redirect.c.
 *
 * An instruction that is emulated has changed nothing when it ends with a fault.  Only a
 * string instruction may have: it is then between two of its elements.
 */
#ifndef VMIXEN_EMUL_H
#define VMIXEN_EMUL_H

#include "base.h"
#include "decode.h"
#include "monitor/cpu/access.h"
#include "monitor/vcpu.h"

/* The instruction at EIP has trapped with vector, EXC_GP or EXC_UD.  Carries it out, or
 * injects the exception. */
void emulate(struct vcpu *v, u32 vector);
/* mmio.c: carries out the instruction at EIP, which has faulted at the linear address va.
 * The guest's tables lead from there to gpa, in a frame without memory. */
void emulate_mmio(struct vcpu *v, gva_t va, u64 gpa);

/* How an instruction has ended.  emul_end() relies on the order. */
enum emul_result {
	EMUL_DONE,    /* EIP must move on behind it */
	EMUL_SHADOWS, /* the same; it loaded SS, so no single-step trap comes behind it */
	EMUL_JUMPED,  /* it has set EIP */
	EMUL_AGAIN,   /* a string instruction that has more to do: EIP stays */
	EMUL_LEFT,    /* struct regs is complete, and nothing may be added */
	EMUL_FAULT,   /* it meets the exception in *f: EIP stays */
	EMUL_UNKNOWN, /* it is not emulated here */
};

/* Fetches the bytes of the instruction at EIP into bytes and decodes them into *i.  An enum
 * decode_result; with DECODE_SHORT *f is the exception that the guest meets at the next
 * byte. */
int emul_fetch(struct vcpu *v, struct insn *i, u8 bytes[INSN_MAX_LEN], struct access_fault *f);
/* Does what is left to do for an instruction of len bytes that has ended as how says, which
 * is not EMUL_UNKNOWN: sets EIP and RF, injects the exception *f, or the #DB of a single
 * step. */
void emul_end(struct vcpu *v, u32 len, enum emul_result how, const struct access_fault *f);

/* Sets *f to a #GP with this error code. */
static inline enum emul_result emul_gp(struct access_fault *f, u32 error)
{
	*f = (struct access_fault){.vector = EXC_GP, .error = error};
	return EMUL_FAULT;
}

/* The offset of the memory operand in its segment; see insn_ea(). */
static inline u32 emul_offset(const struct vcpu *v, const struct insn *i)
{
	return insn_ea(i, v->r.gpr);
}

/* system.c: carries out an instruction that only the guest's kernel may execute. */
enum emul_result emul_system(struct vcpu *v, const struct insn *i, struct access_fault *f);

/* string.c: carries out a string instruction with its prefix, STRING_MAX elements at most.
 * MOVS, CMPS, STOS, LODS and SCAS stop with EMUL_AGAIN behind the first element that meets
 * nothing but memory: the processor can do the others itself. */
enum emul_result string_run(struct vcpu *v, const struct insn *i, struct access_fault *f);

#endif
