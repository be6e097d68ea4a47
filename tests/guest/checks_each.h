/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A test of checks_each.c: it makes one call by call() and answers whether its
 * result and its effect are right.  It leaves things as it found them.
 *
 * The tests are in one file for each subject, each with its table at the end.
 */
#ifndef GUEST_CHECKS_EACH_H
#define GUEST_CHECKS_EACH_H

#include "ops.h"
#include "rom.h"

/* Registers beside EBX, ESI, EDI, EBP that a call keeps (+) or sets (-). */
#define KEEPS_ALL 1u /* EDX and ECX too */
#define KEEPS_EAX 2u
#define SETS_EBX 4u /* CPUID */
#define MOVES_ESI 8u
#define MOVES_EDI 16u
#define FLAG_FREE 32u /* what becomes of the interrupt flag is its purpose */
#define FRAME 64u     /* pops three words more */

struct each_test {
	u32 row; /* of call_table */
	bool (*run)(void);
	u32 keeps;
};

/* The last has no run(). */
extern const struct each_test each_cpu[], each_irq[], each_mmu[], each_port[], each_time[];

extern u32 each_frame, each_other; /* two frames with marks */
extern bool each_flag;		   /* the interrupt flag before the call */

#define FILL_EAX 0xa1a2a3a4u

/* The call at hand with EAX, EDX, ECX as far as they are given. */
void each_call(u32 eax, u32 edx, u32 ecx);
#define EACH_THREE(a, b, c, ...) a, b, c
#define call(...) each_call(EACH_THREE(__VA_ARGS__, KEEP_EDX, KEEP_ECX, 0))
#define call0() each_call(FILL_EAX, KEEP_EDX, KEEP_ECX)

/* The registers after it. */
static u32 *const out = vmi_call.out;

static inline u64 out64(void)
{
	return (u64)out[OUT_EDX] << 32 | out[OUT_EAX];
}

static inline void stack_arguments(u32 a, u32 b)
{
	vmi_call.stack[0] = a;
	vmi_call.stack[1] = b;
}

#endif
