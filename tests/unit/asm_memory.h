/* SPDX-License-Identifier: GPL-2.0-only */
/* What asm_machine.h's machine is made of: its memory, the image in it, and the world
 * around it. */
#ifndef TEST_ASM_MEMORY_H
#define TEST_ASM_MEMORY_H

#include <unicorn/unicorn.h>

#include "asm_machine.h"
#include "include/layout.h"

#define FLAT_RING1_CS 0xE019u
#define FLAT_RING1_DS 0xE021u
#define FLAT_RING1_SS 0xE021u
#define USER_DS 0x7Bu
#define PVH_VECTORS 0xF0u /* monitor/pvh/pvh.h */
#define RING0_SS 0x10u	  /* unicorn's, which is in ring 0 */

void memory_open(uc_engine *uc);
/* The PVH binding's image, not the PV binding's: before the first machine_begin(). */
void memory_of_pvh(void);
/* Everything that was written since is as it was. */
void memory_restore(void);
/* What is written from now on is the run's. */
void memory_begins(void);

/* Where so many bytes are in this process. */
void *host_address(u32 at, u32 bytes);
/* Writes of the world outside: they are the run's, and nobody asks why. */
void scribble(u32 at, u32 value);
void scribble8(u32 at, u8 value);
u8 before8(u32 at);

/* A handler of the guest's has run on the stack below, and made calls. */
void guest_was_elsewhere(u32 stack);

/* asm_world.c.  An event comes before the instruction at machine.eip. */
void world_event(void);
/* The C function or hypercall there; answers whether it returns. */
bool world_call(void);
/* Is the instruction one that is done there?  Does it; answers whether the machine stops. */
bool world_has(u32 at);
bool world_instruction(enum asm_stop *stop);

bool image_is_assembly(u32 at);
bool in_hypercall_page(u32 at);
const char *function_at(u32 at);

#endif
