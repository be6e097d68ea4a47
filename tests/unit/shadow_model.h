/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A simple model of an MMU, which the shadow MMU is held against.
 *
 * It walks the guest's own tables, 2-level or PAE, of which it keeps a copy.
 * shadow_play.c plays a guest: it tells the model of what the guest writes,
 * announces and flushes, and has it judge each access.
 */
#ifndef TEST_SHADOW_MODEL_H
#define TEST_SHADOW_MODEL_H

#include <setjmp.h>

#include "xen.h"
#include "monitor/pv/mmu/paging.h"
#include "monitor/pv/mmu/shadow.h"

#define GUEST_PAGES 1024u

/* The guest's page tables, by guest frame. */
#define TABLES 32u    /* the first */
#define LINEAR_PT 32u /* of the linear mapping; never changed */
#define KERNEL_PD 36u /* directories with the linear mapping: PAE slot 3, or 2-level */
#define KERNEL_PDS 5u
#define USER_PD 42u
#define PTS 50u
#define PGD 92u /* PAE: top tables, 32 bytes each */
#define TABLES_END 96u
#define TABLE_COUNT (TABLES_END - TABLES)

extern struct model {
	bool trace, pae, nx;
	u32 pdpt[4]; /* directories as the processor holds them, GPFN_NONE for none */
	u8 tables[TABLE_COUNT][PAGE_SIZE]; /* as the guest wrote them, and the processor */
	char failure[512 + sizeof(xen.console)];
	jmp_buf out; /* where model_failed() goes */
} model;

/* What guests have reached since the process began. */
struct shadow_model_count {
	u32 steps, permitted, faults, mmio, stale, evicted, rewritten, paravirtual;
};
extern struct shadow_model_count shadow_model_count;

/* A step, to stderr if model.trace is set. */
void model_trace(const char *fmt, ...) printf_like(1, 2);
/* The ROM did otherwise than a processor. */
noreturn void model_failed(const char *fmt, ...) printf_like(1, 2);

/* --- the guest's tables */

struct place {
	u32 gpfn, index; /* GPFN_NONE: nowhere */
};

static const struct place nowhere = {GPFN_NONE, 0};

static inline u32 entry_bytes(void)
{
	return model.pae ? 8 : 4;
}

static inline u32 entries(void)
{
	return PAGE_SIZE / entry_bytes();
}

u64 model_read(struct place p);
/* Entries of the linear mapping. */
bool model_is_fixed(struct place p);
/* What has been there may live on in caches. */
void model_remember(struct place p, u64 old);
/* The guest's own store, remembered. */
void model_store(struct place p, u64 value);
void model_announced(struct place p);
void model_announced_table(u32 gpfn);
/* A flush of everything; all: of what was not announced, too. */
void model_flushed(bool all);

/* --- the processor */

struct translation {
	bool present, reserved, large;
	bool rw, us, nx;
	u64 gpa;
	struct place pde, pte;
};

struct place model_pde(gva_t va);
struct place model_pte(gva_t va, u64 pde);
struct translation model_walk(gva_t va);
bool model_has_memory(u64 gpa);

/* --- what is judged */

enum outcome { PERMITTED, FAULT, MMIO };

/* An access as the shadow answers it. */
enum outcome model_touch(gva_t va, u32 bits, u32 *mfn, u32 *code, u64 *gpa);
/* The same, judged.  leaf_now: the last level must be as the tables say. */
void model_access(gva_t va, u32 bits, bool leaf_now);
/* A and D of the entries of a translation. */
void model_check_accessed(gva_t va, const struct translation *t, u32 bits, bool permitted);
/* The shadow's own order. */
void model_check_shadow(void);
/* The same, and that no table has changed by itself. */
void model_check(void);

#endif
