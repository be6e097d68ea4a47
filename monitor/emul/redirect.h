/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions of the guest's that are executed with their memory operand elsewhere;
 * redirect.c holds the essay.
 */
#ifndef VMIXEN_REDIRECT_H
#define VMIXEN_REDIRECT_H

#include "emul.h"

/* The memory operand of an instruction that can be executed so. */
struct operand {
	u16 bytes;
	bool writes;  /* else it is only read */
	bool stores;  /* written as a whole, and not read */
	bool fpu;     /* of x87, MMX or SSE */
	bool chosen;  /* by its prefixes 66, F3 and F2: they mean nothing else */
	bool general; /* ModRM.reg is a general register of 2 or 4 bytes */
	bool at_edi;  /* it is at DS:[E]DI, and r/m a register */
};

#define OPERAND_MAX 512 /* bytes: FXSAVE */

/* Describes the memory operand of *i in *o.  false if *i has none, or must not be executed
 * so. */
bool operand_of(const struct insn *i, struct operand *o);

/* Executes the instruction *i, which was decoded from bytes.  EMUL_DONE, EMUL_FAULT with *f
 * set, or EMUL_UNKNOWN if it must not be executed so. */
enum emul_result redirect(struct vcpu *v, const struct insn *i, const u8 *bytes,
			  struct access_fault *f);

#endif
