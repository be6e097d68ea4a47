/* SPDX-License-Identifier: GPL-2.0-only */
/* System calls and the parts of the user blob. */
#ifndef GUEST_USER_H
#define GUEST_USER_H

#include "programs.h"

static inline u32 sys(u32 number, u32 a, u32 b, u32 c)
{
	u32 result;

	asm volatile("int $0x80"
		     : "=a"(result)
		     : "a"(number), "b"(a), "c"(b), "d"(c)
		     : "memory", "cc");
	return result;
}

static inline noreturn void exit(u32 status)
{
	for (;;)
		sys(SYS_EXIT, status, 0, 0);
}

void user_main(u32 program, u32 argument);
void fault(u32 kind);  /* fault.c: does what must not be done */
u32 nowhere(u32 kind); /* nowhere.c */
u32 step(u32 kind);
u32 code16(void);
void segment(u32 kind, u32 argument); /* segment.c */
u32 registers(u32 rounds);	      /* ustart.asm: 0 when all are kept */

#endif
