/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest memory, as the guest's own instructions reach it; access.c says more. */
#ifndef VMIXEN_ACCESS_H
#define VMIXEN_ACCESS_H

#include "base.h"
#include "monitor/vcpu.h"

/* The exception that an access of the guest's ends with. */
struct access_fault {
	u32 vector; /* EXC_PF, or EXC_GP or EXC_SS where a segment forbids the access */
	gva_t va;   /* of EXC_PF: the linear address that faults */
	u32 error;  /* the exception's error code */
};

/* Carry out an access that an instruction of the guest's makes, with the rights of its
 * CPL: guest_access to bytes from the linear address va on, operand_access to bytes of a
 * segment from offset on.  bits is 0 to read into data, PF_W to write from it, PF_I to
 * fetch into it.  The result is 0, or ACCESS_MMIO if a part of it is in a frame without
 * memory, or -1, with *f set, if the guest may not do this; a write that is refused has
 * stored nothing. */
#define ACCESS_MMIO 1
int guest_access(struct vcpu *v, gva_t va, void *data, u32 bytes, u32 bits, struct access_fault *f);
int operand_access(struct vcpu *v, enum seg seg, u32 offset, void *data, u32 bytes, u32 bits,
		   struct access_fault *f);
/* Answer whether such an access is allowed, without making it: 0, or -1 with *f set. */
int guest_may(struct vcpu *v, gva_t va, u32 bytes, u32 bits, struct access_fault *f);
int operand_may(struct vcpu *v, enum seg seg, u32 offset, u32 bytes, u32 bits,
		struct access_fault *f);
/* Sets *va to the linear address of the operand.  false, with *f set, if the segment does
 * not allow the access; the page tables are not asked. */
bool operand_linear(struct vcpu *v, enum seg seg, u32 offset, u32 bytes, u32 bits, gva_t *va,
		    struct access_fault *f);
/* The selector that the guest has in a segment register: FS and GS are the processor's, the
 * others stand in struct regs. */
u16 guest_selector(const struct vcpu *v, enum seg seg);

#endif
