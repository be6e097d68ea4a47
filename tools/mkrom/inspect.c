/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is in a file's images: headers, sizes, and every VMI call of both ABI
 * generations, those that an image does not have included.  An image's offset is
 * its place in the file, every other one counts from the image's start.  Numbers and
 * names of the calls are those of rom/calls.def; what get_reloc answers is in
 * the image's own table, which only vmixen's ROMs have.
 */
#include <string.h>

#include "mkrom.h"

static void put_pci(struct doc *d, const struct rom_view *v)
{
	struct pci_header pci;

	if (!v->h.pci_header || !blob_get(&v->all, v->h.pci_header, &pci, sizeof(pci))) {
		doc_null(d, "pci");
		return;
	}
	doc_open(d, "pci", '{');
	doc_hex(d, "offset", v->h.pci_header);
	doc_bool(d, "signature_ok", memcmp(&pci.signature, "PCIR", 4) == 0);
	doc_hex(d, "vendor", pci.vendor);
	doc_hex(d, "device", pci.device);
	doc_num(d, "revision", pci.revision);
	doc_hex(d, "class",
		(u32)pci.class_code[2] << 16 | pci.class_code[1] << 8 | pci.class_code[0]);
	doc_num(d, "bytes", (s64)pci.chunks * ROM_UNIT);
	doc_num(d, "rom_major", pci.version_maj);
	doc_num(d, "rom_minor", pci.version_min);
	doc_num(d, "code_type", pci.code_type);
	doc_bool(d, "last", pci.last & 0x80);
	doc_close(d, '}');
}

static void put_string_at(struct doc *d, const char *key, const struct rom_view *v, u32 off)
{
	doc_str(d, key, off ? blob_str(&v->all, off) : NULL);
}

static void put_pnp(struct doc *d, const struct rom_view *v)
{
	struct pnp_header pnp;

	if (!v->h.pnp_header || !blob_get(&v->all, v->h.pnp_header, &pnp, sizeof(pnp))) {
		doc_null(d, "pnp");
		return;
	}
	doc_open(d, "pnp", '{');
	doc_hex(d, "offset", v->h.pnp_header);
	doc_bool(d, "signature_ok", memcmp(&pnp.signature, "$PnP", 4) == 0);
	doc_num(d, "revision", pnp.revision);
	doc_num(d, "bytes", pnp.size * 16);
	doc_hex(d, "device_id", pnp.device_id);
	put_string_at(d, "manufacturer", v, pnp.manufacturer);
	put_string_at(d, "product", v, pnp.product);
	doc_close(d, '}');
}

static void put_header(struct doc *d, const struct rom_view *v)
{
	u32 bytes = v->h.length * ROM_UNIT;
	char text[32];

	snprintf(text, sizeof(text), "header at 0x%04zx", v->base);
	doc_item(d, text);
	doc_hex(d, "offset", (u32)v->base);
	snprintf(text, sizeof(text), "%u.%u", v->h.api_major, v->h.api_minor);
	doc_str(d, "api", text);
	doc_num(d, "bytes", bytes);
	doc_hex(d, "checksum", v->h.checksum);
	doc_bool(d, "checksum_ok", bytes && v->in.n == bytes && !blob_sum(&v->in, 0, bytes));
	doc_num(d, "jump_slots", v->h.jump_slots);
	doc_hex(d, "virtual_top", v->h.virtual_top);
	put_string_at(d, "licence", v, v->h.licence);
	put_pci(d, v);
	put_pnp(d, v);
	doc_close(d, '}');
}

static void put_sizes(struct doc *d, const struct blob *rom, const struct rom_view *main_header)
{
	bool known = rom_has_ext(main_header);
	u32 used = main_header->h.ext_end;

	doc_num(d, "bytes", (s64)rom->n);
	doc_str(d, "binding", known ? rom_binding_name(main_header->h.ext_binding) : NULL);
	if (known) {
		doc_num(d, "used", used);
		doc_num(d, "left", (s64)(rom_first_size(main_header) ? IMAGE_MAX : ROM_MAX) - used);
		doc_hex(d, "start", main_header->h.ext_start);
		doc_hex(d, "call_table", main_header->h.ext_calls);
	} else {
		doc_null(d, "used");
		doc_null(d, "left");
		doc_null(d, "start");
		doc_null(d, "call_table");
	}
}

static void put_part(struct doc *d, const char *name, u32 start, u32 end, u32 used, u32 most)
{
	doc_item(d, name);
	doc_str(d, "name", name);
	doc_hex(d, "offset", start);
	doc_num(d, "bytes", (s64)end - start);
	doc_num(d, "used", (s64)used - start);
	doc_num(d, "left", (s64)most - used);
}

/* Of an image in two parts: where each is, and what is used and left of it. */
static void put_parts(struct doc *d, const struct rom_view *v)
{
	u32 first = (u32)rom_first_size(v), end = (u32)v->image.n;

	if (!first || end <= first) {
		doc_null(d, "parts");
		return;
	}
	doc_open(d, "parts", '[');
	put_part(d, "first", 0, first, v->h.ext_first, ROM_MAX);
	doc_bool(d, "checksum_ok", !blob_sum(&v->image, 0, first));
	doc_close(d, '}');
	put_part(d, "body", first, end, v->h.ext_end, IMAGE_MAX);
	doc_bool(d, "checksum_ok", !blob_sum(&v->image, first, end));
	doc_close(d, '}');
	doc_close(d, ']');
}

/* A line of the list: what the image says of a call, and what calls.def does. */
struct line {
	s16 id, slot;
	const char *name, *kind, *how, *registers; /* NULL: not known */
	u32 entry;
};

static void put_number(struct doc *d, const char *key, s16 n)
{
	if (n >= 0)
		doc_num(d, key, n);
	else
		doc_null(d, key);
}

static void put_call_json(struct doc *d, const struct line *l)
{
	doc_item(d, NULL);
	put_number(d, "id", l->id);
	put_number(d, "slot", l->slot);
	doc_str(d, "name", l->name);
	doc_str(d, "kind", l->kind);
	doc_str(d, "how", l->how);
	if (l->entry)
		doc_hex(d, "entry", l->entry);
	else
		doc_null(d, "entry");
	doc_str(d, "registers", l->registers);
	doc_close(d, '}');
}

static const char *or_dash(const char *s)
{
	return s ? s : "-";
}

static void put_call_text(struct doc *d, const struct line *l)
{
	char id[8] = "-", slot[8] = "-", entry[12] = "-", name[256];

	if (l->id >= 0)
		snprintf(id, sizeof(id), "%d", l->id);
	if (l->slot >= 0)
		snprintf(slot, sizeof(slot), "%d", l->slot);
	if (l->entry)
		snprintf(entry, sizeof(entry), "0x%x", l->entry);
	escape(name, sizeof(name), l->name);
	fprintf(d->f, "  %4s %4s  %-23s %-8s %-6s %-8s %s\n", id, slot, name, or_dash(l->kind),
		or_dash(l->how), entry, or_dash(l->registers));
}

static void put_call(struct doc *d, const struct line *l)
{
	if (d->json)
		put_call_json(d, l);
	else
		put_call_text(d, l);
}

/* The image's row for a call of calls.def. */
static bool find_row(const struct rom_view *v, const struct call *call, struct rom_call *row)
{
	for (unsigned i = 0; rom_ext_row(v, i, row); i++) {
		if (row->id == call->id && row->slot == call->slot)
			return true;
	}
	return false;
}

static struct line line_of(const struct rom_view *v, const struct call *call)
{
	struct line l = {.id = call->id,
			 .slot = call->slot,
			 .name = call->name,
			 .registers = call->registers};
	struct rom_call row;

	if (find_row(v, call, &row)) {
		l.kind = call_kind_name(row.kind);
		l.how = call_how_name(row.how);
		l.entry = row.entry;
	} else if (rom_has_ext(v)) {
		l.kind = call_kind_name(ROM_NONE);
		l.how = call_how_name(ROM_ABSENT);
	}
	return l;
}

/* Calls that the image has and this mkrom does not know. */
static void put_unknown(struct doc *d, const struct rom_view *v)
{
	struct rom_call row;

	for (unsigned i = 0; rom_ext_row(v, i, &row); i++) {
		const struct call *call = call_find(row.id, row.slot);
		struct line l = {.id = row.id, .slot = row.slot, .entry = row.entry};

		if (call && call->id == row.id && call->slot == row.slot)
			continue;
		l.name = blob_str(&v->image, row.name);
		if (!l.name)
			l.name = "?";
		l.kind = call_kind_name(row.kind);
		l.how = call_how_name(row.how);
		put_call(d, &l);
	}
}

static void put_calls(struct doc *d, const struct rom_view *v)
{
	doc_open(d, "calls", '[');
	if (!d->json)
		fprintf(d->f, "  %4s %4s  %-23s %-8s %-6s %-8s %s\n", "id", "slot", "name", "kind",
			"how", "entry", "registers");
	for (size_t i = 0; i < call_count; i++) {
		struct line l = line_of(v, &calls[i]);

		put_call(d, &l);
	}
	put_unknown(d, v);
	doc_close(d, ']');
}

/* The next image from *at on: where those before it end by their lengths, or else at a
 * 2 KB boundary. */
static bool next_image(const struct blob *file, size_t *at)
{
	size_t chained = *at;

	if (rom_next_image(file, &chained)) {
		*at = chained;
		return true;
	}
	*at = (*at + ROM_ALIGN - 1) / ROM_ALIGN * ROM_ALIGN;
	return rom_next_header(file, at);
}

/* Every header of the image that a scan can find: none is in a body. */
static void put_headers(struct doc *d, const struct blob *image, const struct rom_view *main_header)
{
	size_t first = rom_first_size(main_header);
	struct blob seen = blob_part(image, 0, first ? first : image->n);
	struct rom_view v;

	doc_open(d, "headers", '[');
	for (size_t base = 0; rom_next_header(&seen, &base) && rom_view(image, base, &v);
	     base += ROM_ALIGN)
		put_header(d, &v);
	doc_close(d, ']');
}

/* The image at *at; its length, or how far the file goes, is added to *at. */
static void put_image(struct doc *d, const struct blob *file, size_t *at)
{
	size_t size = rom_image_size(file, *at);
	struct blob image = blob_part(file, *at, size ? size : file->n);
	struct rom_view v = {0};
	char title[32];

	rom_view(&image, 0, &v);
	snprintf(title, sizeof(title), "image at 0x%04zx", *at);
	doc_item(d, title);
	doc_hex(d, "offset", (u32)*at);
	put_sizes(d, &image, &v);
	put_parts(d, &v);
	put_headers(d, &image, &v);
	put_calls(d, &v);
	doc_close(d, '}');
	*at += image.n;
}

bool rom_inspect(const struct blob *rom, bool json, FILE *out, struct err *err)
{
	struct doc d = {.f = out, .json = json};
	size_t at = 0;

	if (!next_image(rom, &at))
		return refuse(err, "%s: has no VMI header at any 2 KB boundary, one was expected",
			      rom->name);
	doc_start(&d);
	doc_str(&d, "file", rom->name);
	doc_num(&d, "bytes", (s64)rom->n);
	doc_open(&d, "images", '[');
	do
		put_image(&d, rom, &at);
	while (next_image(rom, &at));
	doc_close(&d, ']');
	doc_close(&d, '}');
	return true;
}
