/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest memory, as the guest's own instructions reach it; access.c says more. */
#ifndef VMIXEN_ACCESS_H
#define VMIXEN_ACCESS_H

#include "base.h"
#include "monitor/vcpu.h"

struct access_fault {
	u32 vector; /* EXC_PF, or of a segment that forbids it EXC_GP or EXC_SS */
	gva_t va;   /* of a page fault */
	u32 error;  /* the exception's error code */
};

/* An access that an instruction of the guest's makes, with the rights of its CPL:
 * to the linear address va, or to bytes of a segment from offset on; bits is 0 to
 * read, PF_W to write, PF_I to fetch.  -1, with *f set, if the guest may not: of a
 * write nothing is done then.  Else 0, or ACCESS_MMIO if some of it is no memory. */
#define ACCESS_MMIO 1
int guest_access(struct vcpu *v, gva_t va, void *data, u32 bytes, u32 bits, struct access_fault *f);
int operand_access(struct vcpu *v, enum seg seg, u32 offset, void *data, u32 bytes, u32 bits,
		   struct access_fault *f);
/* The same question without the access: 0 if it may. */
int guest_may(struct vcpu *v, gva_t va, u32 bytes, u32 bits, struct access_fault *f);
int operand_may(struct vcpu *v, enum seg seg, u32 offset, u32 bytes, u32 bits,
		struct access_fault *f);
/* Where the operand lies; false, with *f set, if the segment does not allow it. */
bool operand_linear(struct vcpu *v, enum seg seg, u32 offset, u32 bytes, u32 bits, gva_t *va,
		    struct access_fault *f);
/* What the guest has in a segment register. */
u16 guest_selector(const struct vcpu *v, enum seg seg);

#endif
