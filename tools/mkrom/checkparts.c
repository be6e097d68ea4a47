/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of mkrom check that is about an image in two parts: the first as large as
 * its header says, a body that has room in the window and is whole, and nothing that
 * goes from the one into the other where the guest has found only the one.
 */
#include "mkrom.h"

static enum verdict must(bool good)
{
	return good ? CHECK_OK : CHECK_FAILED;
}

static void check_body(struct checker *c, size_t first)
{
	u8 sum = blob_sum(&c->rom, first, c->rom.n);
	u32 used = c->v.h.ext_end;
	char most[48];

	snprintf(most, sizeof(most), "at most %zu bytes, some of them used",
		 IMAGE_MAX - (first < IMAGE_MAX ? first : IMAGE_MAX));
	check_row(c, must(c->rom.n <= IMAGE_MAX && used > first), "body", most,
		  "%zu bytes, %lld used", c->rom.n - first, (long long)used - (long long)first);
	check_row(c, must(sum == 0), "body checksum", "bytes that sum to 0", "sum 0x%02x", sum);
}

static void check_apart(struct checker *c)
{
	struct err why = {""};
	bool good = rom_keeps_apart(&c->v, &why);

	check_row(c, must(good), "parts", "nothing that leaves the first but to the window",
		  "%.120s", good ? "apart" : why.text);
}

void check_parts(struct checker *c)
{
	size_t first = rom_first_size(&c->v);
	u32 used = c->v.h.ext_first;
	bool good = used > sizeof(c->v.h) && used <= ROM_MAX && first < c->rom.n;

	if (!first)
		return;
	check_row(c, must(good), "first part", "at most 130560 bytes, and a body behind them",
		  "%u used", used);
	if (!good)
		return;
	check_body(c, first);
	check_apart(c);
}
