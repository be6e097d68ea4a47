/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the hostile guest share: fuzz.c, which plays it,
 * fuzz_calls.c, which makes one call, fuzz_args.c, which chooses arguments.
 */
#ifndef GUEST_FUZZ_OWN_H
#define GUEST_FUZZ_OWN_H

#include "mm.h"
#include "rom.h"

#define REGION (VMALLOC_START + 0x1000000) /* what own.table maps */
#define UVA 0x30000000u			   /* what own.user_table maps */
#define LDT_ENTRIES 64u
#define FUZZ_FAMILIES ROW_GetRelocationInfo /* every call but the unassigned one */

/* What is the guest's for calls to spoil, and what it needs to be whole again. */
extern struct fuzz_own {
	u32 state; /* of rnd() */
	bool wild;
	u32 page, table, user_table; /* frames */
	u32 user_stack;		     /* the kernel's for entries from ring 3: not the one in use */
	struct mm space;
	u32 cr0, cr4;
	u32 last_row; /* the last call */
	struct descriptor ldt[LDT_ENTRIES] __attribute__((aligned(4096)));
} own;

/* fuzz_calls.c: a row of calls.def, and who makes the call */
struct fuzz_family {
	u32 row;
	void (*run)(u32 row);
};
extern const struct fuzz_family fuzz_families[];

/* fuzz_args.c */
u32 rnd(void);
u32 below(u32 n);
bool one_in(u32 n);
u32 any(void);
u32 bad_pointer(void);	      /* where nothing may be written, and little read */
u32 pointer(u32 bytes);	      /* memory of ours, at any alignment */
u32 entry_pointer(u32 bytes); /* into a table of ours */
u32 a_frame(void);
u32 an_entry(void);
u32 update_flags(void);

#endif
