/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An image as a guest's scan finds it: a header at any 2 KB boundary, and
 * every offset in it counted from that header.
 */
#include "mkrom.h"

bool rom_is_header(const struct blob *rom, size_t base)
{
	struct rom_header h;

	return blob_get(rom, base, &h, sizeof(h)) && h.signature == ROM_SIGNATURE &&
	       h.vmi_signature == VMI_SIGNATURE;
}

size_t rom_image_size(const struct blob *rom, size_t base)
{
	struct {
		u16 signature;
		u8 length;
	} packed start;

	if (!blob_get(rom, base, &start, sizeof(start)) || start.signature != ROM_SIGNATURE ||
	    !blob_has(rom, base, start.length * ROM_UNIT))
		return 0;
	return start.length * ROM_UNIT;
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

bool rom_ext_row(const struct rom_view *v, unsigned i, struct rom_call *row)
{
	return rom_has_ext(v) && i < v->h.ext_call_count &&
	       blob_get(&v->in, v->h.ext_calls + (u64)i * sizeof(*row), row, sizeof(*row));
}
