/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of mkrom check that is about vmixen's own ROMs: the extension in
 * the header's reserved area and the call table that it points to.  ROMs by
 * others have none, and pass.
 */
#include <string.h>

#include "mkrom.h"

#define SLOT_LAST (ROM13_SLOTS - 1)

/* What is wrong with a row; NULL: nothing. */
static const char *row_fault(const struct rom_view *v, const struct rom_call *r)
{
	const struct {
		bool wrong;
		const char *what;
	} rules[] = {
		{r->id < 0 && r->slot < 0, "neither number nor slot"},
		{r->id < -1 || r->slot < -1 || r->slot > SLOT_LAST, "number or slot out of range"},
		{r->slot >= 0 && r->slot <= ROM13_SLOT_INIT, "a slot of the header or Init"},
		{r->kind > ROM_NOP, "unknown kind"},
		{r->how > ROM_C, "unknown implementation"},
		{!blob_str(&v->image, r->name), "no name"},
		{r->how == ROM_ABSENT && r->entry, "code though absent"},
		{r->how == ROM_ABSENT && r->kind != ROM_NONE, "offered though absent"},
		{r->how != ROM_ABSENT && !r->entry, "no code"},
		{r->entry >= v->h.ext_end, "code outside the image"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		if (rules[i].wrong)
			return rules[i].what;
	}
	return NULL;
}

/* Two rows for one call? */
static bool is_twice(const struct rom_view *v, unsigned i, const struct rom_call *r)
{
	struct rom_call other;

	for (unsigned j = 0; j < i && rom_ext_row(v, j, &other); j++) {
		if ((r->id >= 0 && r->id == other.id) || (r->slot >= 0 && r->slot == other.slot))
			return true;
	}
	return false;
}

static void check_rows(struct checker *c)
{
	struct rom_call r;

	for (unsigned i = 0; rom_ext_row(&c->v, i, &r); i++) {
		const char *fault = row_fault(&c->v, &r);

		if (!fault && is_twice(&c->v, i, &r))
			fault = "a call that another row has";
		if (fault) {
			check_row(c, CHECK_FAILED, "call table", "every row consistent",
				  "row %u (number %d, slot %d): %s", i, r.id, r.slot, fault);
			return;
		}
	}
	check_row(c, CHECK_OK, "call table", "", "%u rows", c->v.h.ext_call_count);
}

/* A ROM of another version may differ from this mkrom's table: a warning. */
static void check_names(struct checker *c)
{
	unsigned same = 0;
	struct rom_call r;

	for (unsigned i = 0; rom_ext_row(&c->v, i, &r); i++) {
		const struct call *call = call_find(r.id, r.slot);
		const char *name = blob_str(&c->v.image, r.name);

		same += call && name && call->id == r.id && call->slot == r.slot &&
			strcmp(call->name, name) == 0;
	}
	check_row(c, same == call_count && same == c->v.h.ext_call_count ? CHECK_OK : CHECK_WARNING,
		  "call names", "this mkrom's call table", "%u rows of %zu", same, call_count);
}

/* A domain gets the image of its binding: there can be one. */
static void check_binding(struct checker *c)
{
	u32 binding = c->v.h.ext_binding;
	const char *name = rom_binding_name(binding);
	unsigned bit = name ? 1u << binding : 0;
	bool again = c->bindings & bit;

	c->bindings |= bit;
	check_row(c, name && !again ? CHECK_OK : CHECK_FAILED, "binding",
		  "1 (PV) or 2 (PVH), each once", "%u (%s%s)", binding, name ? name : "none",
		  again ? ", again" : "");
}

void check_ext(struct checker *c)
{
	const struct rom_header *h = &c->v.h;
	u64 table = (u64)h->ext_call_count * sizeof(struct rom_call);
	struct blob seen = blob_part(&c->rom, 0, c->seen);
	bool good, old;

	if (!rom_has_ext(&c->v)) {
		check_row(c, CHECK_OK, "extension", "", "none");
		return;
	}
	good = h->ext_end && h->ext_end <= c->v.image.n;
	check_row(c, good ? CHECK_OK : CHECK_FAILED, "used", "at most the image's length", "%u",
		  h->ext_end);
	check_row(c, h->ext_start && h->ext_start < h->ext_end ? CHECK_OK : CHECK_FAILED, "start",
		  "an offset in the used part", "0x%x", h->ext_start);
	check_binding(c);
	old = rom_is_header(&seen, ROM13_HEADER);
	check_row(c, old ? CHECK_OK : CHECK_FAILED, "13.x header", "one at 0x800", "%s",
		  old ? "one" : "none");
	if (!h->ext_calls || !h->ext_call_count || !blob_has(&c->v.image, h->ext_calls, table)) {
		check_row(c, CHECK_FAILED, "call table", "rows inside the image", "%u rows at 0x%x",
			  h->ext_call_count, h->ext_calls);
		return;
	}
	check_rows(c);
	check_names(c);
}
