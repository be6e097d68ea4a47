/* SPDX-License-Identifier: GPL-2.0-only */
/* Gates of the guest's IDT. */
#ifndef VMIXEN_GATE_H
#define VMIXEN_GATE_H

#include "base.h"
#include "monitor/vcpu.h"

/* A gate of the guest's IDT (Intel SDM vol. 3A, 6.11). */
struct gate {
	gva_t eip;
	u16 cs; /* with the kernel's RPL; of a task gate the TSS's */
	u8 type, dpl;
	bool present;
	bool usable; /* an interrupt or trap gate, present, to the kernel's code */
};

#define GATE_TASK 0x5
#define GATE_INTERRUPT 0xE
#define GATE_TRAP 0xF

/* Reads the gate of a vector from the guest's IDT.  Where the table has none, or cannot be
 * read, the gate has type 0 and is neither present nor usable. */
struct gate idt_gate(struct vcpu *v, u32 vector);
/* Decodes the eight bytes of a gate. */
struct gate gate_decode(const struct vcpu *v, u64 raw);

#endif
