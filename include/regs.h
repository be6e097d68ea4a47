/* SPDX-License-Identifier: GPL-2.0-only */
/* The registers of an x86 by their numbers in ModRM. */
#ifndef VMIXEN_REGS_H
#define VMIXEN_REGS_H

/* General registers by their number in ModRM; 16-bit ones are the low halves. */
enum gpr {
	GPR_EAX,
	GPR_ECX,
	GPR_EDX,
	GPR_EBX,
	GPR_ESP,
	GPR_EBP,
	GPR_ESI,
	GPR_EDI,
};

/* Segment registers by their number in ModRM. */
enum seg {
	SEG_ES,
	SEG_CS,
	SEG_SS,
	SEG_DS,
	SEG_FS,
	SEG_GS,
	SEG_NONE,
};

#endif
