/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the emulator share: emul.c, system.c, string.c, mmio.c and
 * redirect.c.
 *
 * An instruction that is emulated has changed nothing yet when it meets a fault,
 * but for a string instruction, which is then between two of its elements.
 */
#ifndef VMIXEN_EMUL_H
#define VMIXEN_EMUL_H

#include "base.h"
#include "decode.h"
#include "monitor/cpu/access.h"
#include "monitor/vcpu.h"

/* The instruction at EIP has trapped with vector, EXC_GP or EXC_UD: it is carried out, or
 * the guest has its exception. */
void emulate(struct vcpu *v, u32 vector);
/* mmio.c: the instruction at EIP has met the address va, which is that of a frame without
 * memory. */
void emulate_mmio(struct vcpu *v, gva_t va, u64 gpa);

/* How an instruction ended.  emul_end() relies on the order. */
enum emul_result {
	EMUL_DONE,    /* EIP moves on behind it */
	EMUL_SHADOWS, /* the same; it loaded SS, so no trap comes before the next one */
	EMUL_JUMPED,  /* it has set EIP */
	EMUL_AGAIN,   /* a string instruction that has more to do: EIP stays */
	EMUL_LEFT,    /* nothing is left to do: the next context is complete */
	EMUL_FAULT,   /* it meets an exception: *f says which */
	EMUL_UNKNOWN, /* it is none that is emulated here */
};

/* Decodes the instruction at EIP: an enum decode_result.  bytes: where its bytes go.
 * Of DECODE_SHORT *f says why the guest cannot have more of them. */
int emul_fetch(struct vcpu *v, struct insn *i, u8 bytes[INSN_MAX_LEN], struct access_fault *f);
/* What is left of an instruction of len bytes that ended so, EMUL_UNKNOWN apart:
 * EIP, the exception, the trap of a single step. */
void emul_end(struct vcpu *v, u32 len, enum emul_result how, const struct access_fault *f);

static inline enum emul_result emul_gp(struct access_fault *f, u32 error)
{
	*f = (struct access_fault){.vector = EXC_GP, .error = error};
	return EMUL_FAULT;
}

/* Where the memory operand stands in its segment. */
static inline u32 emul_offset(const struct vcpu *v, const struct insn *i)
{
	return insn_ea(i, v->r.gpr);
}

/* system.c: instructions that only the guest's kernel may execute. */
enum emul_result emul_system(struct vcpu *v, const struct insn *i, struct access_fault *f);

/* string.c: a string instruction, with its prefix, up to a bound of its own.  Of
 * MOVS, CMPS, STOS, LODS and SCAS it leaves to the processor what meets nothing
 * but memory. */
enum emul_result string_run(struct vcpu *v, const struct insn *i, struct access_fault *f);

#endif
