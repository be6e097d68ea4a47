/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers of an x86: their numbers in ModRM, and bits that have names. */
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

/* DR6 (Intel SDM vol. 3B, 17.2.3). */
#define DR6_ONES 0xFFFF0FF0u	/* reserved, and read so */
#define DR6_BREAKPOINTS 0x000Fu /* B0 to B3 */
#define DR6_BS 0x4000u		/* a single step */
#define DR6_CAUSES 0xE00Fu	/* all bits that name a cause */

#endif
