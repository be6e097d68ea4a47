/* SPDX-License-Identifier: GPL-2.0-only */
/* A fuzzer's input, taken byte by byte; behind its end there are zeros. */
#ifndef VMIXEN_FUZZ_INPUT_H
#define VMIXEN_FUZZ_INPUT_H

#include <stddef.h>

#include "base.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

static struct input {
	const u8 *p;
	size_t left;
} in;

static inline u8 next(void)
{
	if (!in.left)
		return 0;
	in.left--;
	return *in.p++;
}

/* 16 and 32 bits, little endian. */
static inline u32 next_word(void)
{
	u32 a = next(), b = next();

	return a | b << 8;
}

static inline u32 next_long(void)
{
	u32 a = next_word();

	return a | next_word() << 16;
}

#endif
