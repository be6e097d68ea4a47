/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instruction decoder against Zydis.
 *
 * The rules are: what we accept has the same length; an operation of ours is
 * Zydis's mnemonic, with the same operands; what Zydis takes for one of our
 * operations is never rejected by us.  The exceptions are in
 * known_difference() and beyond_our_time(), with the reasons.
 */
#ifndef TEST_DECODE_ORACLE_H
#define TEST_DECODE_ORACLE_H

#include "monitor/emul/decode.h"

/* Counts disagreements; the first 40 are printed. */
extern unsigned decode_mismatches;

void decode_oracle_start(void);
/* INSN_MAX_LEN bytes. */
void decode_compare(const u8 *bytes, bool code16);
/* Of what is valid, less bytes are short, and more do not matter. */
void decode_cut_off(const u8 *bytes);

#endif
