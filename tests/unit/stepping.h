/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest before Init, instruction by instruction as far as guard.c can tell:
 * what it stores, with the faults of the store and the trap behind a step.
 */
#ifndef TEST_STEPPING_H
#define TEST_STEPPING_H

#include "domain.h"
#include "monitor/pv/mmu/guard.h"
#include "monitor/pv/mmu/paging.h"

/* An entry of the GDT that nobody has, and what may be there. */
#define SPARE 0x48u
#define SEGMENT(base) (0x00CF920000000000ull | 0xFFFF | (u64)((base)&0xFFFFFF) << 16)
#define ADJUSTED(base) (SEGMENT(base) | 3ull << 45)
#define STEP 0x4000u /* of DR6 */

/* Where it maps the table once more. */
#define ALIAS (USER + 0x4000)
#define MAPPED(p) ((p) | 0x63u)
void map(bool pae, gva_t va, u32 entry);

/* Paging on, its own GDT loaded. */
void guard_start(bool pae);

/* EFLAGS with which it goes on. */
u32 exit_flags(void);
/* A trap at CPL 3. */
void user_trap(u32 vector, bool has_error, u32 error);
/* false: it is dealt with; true: the guest has it. */
bool user_page_fault(gva_t va, u32 error);

/* Makes the bytes writable as an instruction that stores them needs it; false if the
 * guest gets a fault of it. */
bool can_store(gva_t va, u32 bytes);
/* It stores them, and gets to the next instruction. */
bool store(gva_t va, const void *from, u32 bytes);
void store64(gva_t va, u64 value);
bool is_writable(gva_t va);

#endif
