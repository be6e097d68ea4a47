/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest that a script of shadow_play.h plays, for its parts: shadow_choices.c,
 * shadow_entries.c and shadow_play.c.  Each byte of the script is a choice.
 */
#ifndef TEST_SHADOW_GUEST_H
#define TEST_SHADOW_GUEST_H

#include "shadow_model.h"
#include "xenbind/mmu.h"

#define HOLE 160u /* frames without memory */
#define HOLE_PAGES 32u
#define DATA 200u /* frames for everything else */

extern struct script_guest {
	const u8 *script;
	size_t left;
	bool linear_set;
	u32 slots; /* the first of those that this script prefers */
	gva_t recent[8];
	gva_t set_va; /* of step_set_current */
	struct place set_place;
} guest;

/* --- choices */

u8 script_byte(void);
u32 script_below(u32 n);
gva_t some_address(void);
u32 some_table(void);
u64 some_pte(void);
u64 some_pde(void);
u64 one_bit_changed(u64 value, u32 n);
/* An entry that some address leads to, or any. */
struct place some_place(bool *directory);
/* Where the guest's kernel has it. */
gva_t pointer_to(struct place p);
/* An argument on the stack of the next call. */
void stack_word(u32 n, u32 value);

/* --- steps */

void step_set(void);
void step_set_current(void);
void step_many(void);
void step_store(void);
void step_update(void);
void step_allocate(void);
void step_release(void);

#endif
