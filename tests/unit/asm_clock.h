/* SPDX-License-Identifier: GPL-2.0-only */
/* A model of GetCycleCounter, whose short cut both bindings have: time goes on at each event,
 * and some of it is stolen then. */
#ifndef ASM_CLOCK_H
#define ASM_CLOCK_H

#include "asm_machine.h"

/* Behind the begin of the machine: sets the clocks, and EAX to that of a counter. */
void clock_begin(u32 counter);
/* Makes the call. */
enum asm_stop clock_go(void);
/* Is the answer of one moment, or has C been asked? */
void clock_check(void);

#endif
