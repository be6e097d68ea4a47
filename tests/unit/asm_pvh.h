/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * asm_machine.h's machine with the PVH binding's image: the guest in ring 1, and ring 0
 * in the image, entered by int and by events.  monitor_trap() is a model: an event asks
 * for an interrupt, which the guest has when its flag (vcpu.vif) allows it.
 */
#ifndef TEST_ASM_PVH_H
#define TEST_ASM_PVH_H

#include "asm_machine.h"

/* As machine_begin(); the flag and what waits behind it are random. */
void pvh_begin(u32 seed);
/* No interrupt is lost, and none comes twice; the first: nor does one wait while the flag
 * is on. */
void pvh_check_events(void);
void pvh_check_count(void);

/* What C does makes the 8259 ask. */
void pvh_raise(void);

extern u8 pvh_flag; /* at pvh_begin() */
/* The flag now. */
bool pvh_vif(void);

#endif
