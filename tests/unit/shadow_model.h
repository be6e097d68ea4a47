/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shadow MMU against a simple model of an MMU.
 *
 * A script of bytes is a guest: it builds page tables, 2-level or PAE, changes
 * them with and without telling the ROM, loads them, flushes, and touches
 * memory, before and after VMI_Init.  The model walks the guest's own tables.
 */
#ifndef TEST_SHADOW_MODEL_H
#define TEST_SHADOW_MODEL_H

#include "base.h"

/* Plays a script; NULL, or what the ROM did otherwise than a processor.
 * trace: every step to stderr. */
const char *shadow_model(const u8 *script, size_t bytes, bool trace);

/* What scripts have reached since the process began. */
struct shadow_model_count {
	u32 steps, permitted, faults, mmio, stale, evicted, paravirtual;
};
extern struct shadow_model_count shadow_model_count;

#endif
