/* SPDX-License-Identifier: GPL-2.0-only */
/* The instruction decoder against Zydis: a byte for the mode, then an instruction. */
#include <stdlib.h>
#include <string.h>

#include "decode_oracle.h"
#include "monitor/emul/decode.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	u8 insn[INSN_MAX_LEN] = {0};

	if (!bytes)
		return 0;
	decode_oracle_start();
	bytes--;
	if (bytes)
		memcpy(insn, data + 1, bytes < sizeof(insn) ? bytes : sizeof(insn));
	decode_compare(insn, data[0] & 1);
	if (!(data[0] & 1))
		decode_cut_off(insn);
	if (decode_mismatches)
		abort();
	return 0;
}
