/* SPDX-License-Identifier: GPL-2.0-only */
/* The shadow MMU against the model of an MMU; the input is a guest. */
#include <stdio.h>
#include <stdlib.h>

#include "shadow_play.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	const char *failure = shadow_play(data, bytes, false);

	if (failure) {
		shadow_play(data, bytes, true);
		fprintf(stderr, "shadow: %s\n", failure);
		abort();
	}
	return 0;
}
