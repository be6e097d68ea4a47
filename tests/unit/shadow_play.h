/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shadow MMU against the model of shadow_model.h.
 *
 * A script of bytes is a guest: it builds page tables, 2-level or PAE, changes
 * them with and without telling the ROM, loads them, flushes, and touches
 * memory, before and after VMI_Init.
 */
#ifndef TEST_SHADOW_PLAY_H
#define TEST_SHADOW_PLAY_H

#include "base.h"

/* Plays a script; NULL, or what the ROM did otherwise than a processor.
 * trace: every step to stderr. */
const char *shadow_play(const u8 *script, size_t bytes, bool trace);

/* What is not in order with the shadow of the domain that there is, or NULL. */
const char *shadow_disorder(void);

#endif
