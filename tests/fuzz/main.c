/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libFuzzer's driver on a stack below 4 GB, where the monitor's pointers fit
 * (tests/unit/xen.h).  Each fuzz_*.c is one target: LLVMFuzzerTestOneInput.
 */
#include "xen.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*target)(const u8 *, size_t));

static int argument_count;
static char **arguments;

static int run(void)
{
	return LLVMFuzzerRunDriver(&argument_count, &arguments, LLVMFuzzerTestOneInput);
}

int main(int argc, char **argv)
{
	argument_count = argc;
	arguments = argv;
	return xen_on_low_stack(run);
}
