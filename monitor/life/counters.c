/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The report of the counters: lines of the form
 *
 *   vmixen: counter GROUP: NAME=VALUE NAME=VALUE ...
 *
 * A counter at 0 is left out, and so is a group in which all are at 0; a long group has
 * several lines.  docs/counters.md promises this form to programs.
 */
#include "monitor/binding.h"
#include "monitor/io/time.h"
#include "monitor/life.h"
#include "monitor/monitor.h"
#include "image.h"
#include "lib/mem.h"
#include "lib/muldiv.h"

#define LINE_FULL 90 /* columns behind which another line begins */

/* Positions in struct counters, in words. */
#define AT(member) (offsetof(struct counters, member) / 4)

struct row {
	char group[10], name[10]; /* name: empty where names[] has it */
	u16 at, size;
};

static const struct row rows[] = {
#define COUNTER(group, name, what) {#group, #name, AT(group##_##name), 1},
#define COUNTERS_BY(group, size, index) {#group, "", AT(group), size},
#define NAME(group, index, name)
#define POOL(name, what)
#include "counters.def"
#undef COUNTER
#undef COUNTERS_BY
#undef NAME
};

static const struct {
	u16 at;
	char name[26];
} names[] = {
#define COUNTER(group, name, what)
#define COUNTERS_BY(group, size, index)
#define NAME(group, index, name) {AT(group) + (index), #name},
#include "counters.def"
#undef COUNTER
#undef COUNTERS_BY
#undef NAME
#undef POOL
};

/* Prints one counter.  column is how many columns of the line are written, 0 before the
 * first counter of a group; returns what it is then. */
static u32 show(u32 column, const char *group, const char *name, u32 value)
{
	u32 length = 0;

	if (!value)
		return column;
	while (name[length])
		length++;
	if (column > LINE_FULL) {
		say("\n");
		column = 0;
	}
	if (!column)
		say("vmixen: counter %s:", group);
	say(" %s=%u", name, value);
	return column + length + 8;
}

static u32 show_row(u32 column, const struct row *r)
{
	const u32 *words = (const u32 *)COUNTERS;

	if (r->name[0])
		return show(column, r->group, r->name, words[r->at]);
	for (u32 i = 0; i < r->size; i++) {
		char number[] = {(char)('0' + i / 100), (char)('0' + i / 10 % 10),
				 (char)('0' + i % 10), 0};
		const char *name = number;

		for (u32 n = 0; n < ARRAY_SIZE(names); n++)
			if (names[n].at == r->at + i)
				name = names[n].name;
		column = show(column, r->group, name, words[r->at + i]);
	}
	return column;
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

void counters_report(void)
{
	struct pool_use use;
	u32 column, rem;

	pool_count(&use);
	say("\nvmixen: counter time: ms=%u\n",
	    (u32)div64(time_ns() - MON->counters_since, 1000000, &rem));
	column = 0;
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		if (column && !same(rows[i].group, rows[i - 1].group)) {
			say("\n");
			column = 0;
		}
		column = show_row(column, &rows[i]);
	}
	if (column)
		say("\n");
	column = 0;
#define COUNTER(group, name, what)
#define COUNTERS_BY(group, size, index)
#define NAME(group, index, name)
#define POOL(name, what) column = show(column, "pool", #name, use.name);
#include "counters.def"
	say("\n");
}

void counters_zero(void)
{
	memset(COUNTERS, 0, sizeof(*COUNTERS));
	MON->counters_since = time_ns();
}
