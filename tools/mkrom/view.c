/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An image as a guest's scan finds it: a header at any 2 KB boundary, and
 * every offset in it counted from that header.
 */
#include <string.h>

#include "mkrom.h"

bool rom_is_header(const struct blob *rom, size_t base)
{
	struct rom_header h;

	return blob_get(rom, base, &h, sizeof(h)) && h.signature == ROM_SIGNATURE &&
	       h.vmi_signature == VMI_SIGNATURE;
}

/* The bytes of both parts by the PCI header; 0: it is not there. */
static size_t both_parts(const struct rom_view *v)
{
	struct pci_header pci;

	if (!blob_get(&v->in, v->h.pci_header, &pci, sizeof(pci)) ||
	    memcmp(&pci.signature, "PCIR", sizeof(pci.signature)) != 0)
		return 0;
	return (size_t)pci.chunks * ROM_UNIT;
}

size_t rom_image_size(const struct blob *rom, size_t base)
{
	struct {
		u16 signature;
		u8 length;
	} packed start;
	struct blob rest = blob_part(rom, base, rom->n);
	struct rom_view v;
	size_t size;

	if (!blob_get(rom, base, &start, sizeof(start)) || start.signature != ROM_SIGNATURE)
		return 0;
	size = start.length * ROM_UNIT;
	if (rom_is_header(&rest, 0) && rom_view(&rest, 0, &v) && rom_first_size(&v))
		size = both_parts(&v);
	return blob_has(rom, base, size) ? size : 0;
}

bool rom_next_image(const struct blob *file, size_t *at)
{
	while (!rom_is_header(file, *at)) {
		size_t size = rom_image_size(file, *at);

		if (!size)
			return false;
		*at += size;
	}
	return true;
}

bool rom_view(const struct blob *rom, size_t base, struct rom_view *v)
{
	if (!blob_get(rom, base, &v->h, sizeof(v->h)))
		return false;
	v->base = base;
	v->all = blob_part(rom, base, rom->n);
	v->in = blob_part(rom, base, v->h.length * ROM_UNIT);
	v->image = v->in;
	if (rom_first_size(v))
		v->image = blob_part(rom, base, both_parts(v));
	return true;
}

bool rom_next_header(const struct blob *rom, size_t *base)
{
	for (; *base < rom->n; *base += ROM_ALIGN) {
		if (rom_is_header(rom, *base))
			return true;
	}
	return false;
}

/* The extension's offsets count from the image's start, so only the header
 * there has one. */
bool rom_has_ext(const struct rom_view *v)
{
	return v->base == 0 && v->h.ext_signature == ROM_EXT_SIGNATURE;
}

const char *rom_binding_name(u32 binding)
{
	static const char *const names[] = {[ROM_PV] = "PV", [ROM_PVH] = "PVH"};

	return binding < ARRAY_SIZE(names) ? names[binding] : NULL;
}

size_t rom_first_size(const struct rom_view *v)
{
	u64 used = rom_has_ext(v) ? v->h.ext_first : 0;

	return (size_t)((used + ROM_UNIT - 1) / ROM_UNIT * ROM_UNIT);
}

void rom_say_parts(FILE *out, const char *name, u32 used, u32 first)
{
	u32 start = (first + ROM_UNIT - 1) / ROM_UNIT * ROM_UNIT;

	if (!first)
		fprintf(out, "%s: %u bytes used, %u left of %u\n", name, used, ROM_MAX - used,
			ROM_MAX);
	else
		fprintf(out,
			"%s: first part %u bytes used, %u left of %u; body %u bytes used, %u left "
			"of %u\n",
			name, first, ROM_MAX - first, ROM_MAX, used - start, IMAGE_MAX - used,
			IMAGE_MAX - start);
}

bool rom_ext_row(const struct rom_view *v, unsigned i, struct rom_call *row)
{
	return rom_has_ext(v) && i < v->h.ext_call_count &&
	       blob_get(&v->image, v->h.ext_calls + (u64)i * sizeof(*row), row, sizeof(*row));
}
