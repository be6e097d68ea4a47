/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's own processor, for instructions that a guest and a 64-bit program
 * have alike: what run_code() of entry/pv/traps.asm does in the ROM, done here in a
 * 64-bit program.  The guest's FPU registers are an image beside the program's own.
 */
#ifndef TEST_CPU_H
#define TEST_CPU_H

#include "base.h"

/* The guest's FPU registers as FXSAVE stores them. */
extern u8 cpu_fpu[512];

/* As after a reset and FNINIT. */
void cpu_reset(void);

/* Calls code, which ends with RET, with these registers, ESP apart, and flags.
 * RUN_DONE, or the vector of the exception that it met. */
u32 cpu_run(const void *code, u32 gpr[8], u32 *eflags);

#endif
