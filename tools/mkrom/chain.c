/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file of several images, one behind the other, as the PCI firmware specification has
 * them (5.1): each begins with a header of its own, its PCI header tells how long it is,
 * and that of the last one says that it is.  vmixen's file has an image for each binding
 * to Xen; a domain gets that of the way it was started.
 *
 * A BIOS would take the first one of the machine's code type and leave the others alone.
 */
#include "mkrom.h"

static bool take(const struct blob *file, size_t at, size_t size, struct blob images[ROM_BINDINGS],
		 struct err *err)
{
	struct blob image = blob_part(file, at, size);
	struct rom_view v;

	if (!rom_is_header(&image, 0) || !rom_view(&image, 0, &v) || !rom_has_ext(&v) ||
	    !rom_binding_name(v.h.ext_binding))
		return refuse(err,
			      "%s: the image at 0x%zx is another ROM, one of vmixen was expected: "
			      "the domain entry starts the monitor in it",
			      file->name, at);
	images[v.h.ext_binding - 1] = image;
	return true;
}

bool rom_images(const struct blob *file, struct blob images[ROM_BINDINGS], struct err *err)
{
	struct err why = {""};
	size_t at = 0, size;

	for (unsigned i = 0; i < ROM_BINDINGS; i++)
		images[i] = (struct blob){.name = file->name};
	if (rom_check(file, NULL, &why))
		return refuse(err, "%s: was expected to pass mkrom check, but: %.400s", file->name,
			      why.text);
	for (; (size = rom_image_size(file, at)) != 0; at += size) {
		if (!take(file, at, size, images, err))
			return false;
	}
	return true;
}

/* Both files' images, of which only one has each binding. */
static bool gather(const struct blob *a, const struct blob *b, struct blob images[ROM_BINDINGS],
		   struct err *err)
{
	struct blob more[ROM_BINDINGS];

	if (!rom_images(a, images, err) || !rom_images(b, more, err))
		return false;
	for (unsigned i = 0; i < ROM_BINDINGS; i++) {
		if (images[i].n && more[i].n)
			return refuse(err,
				      "%s: has an image for %s domains, as %s has, one for others "
				      "was expected",
				      b->name, rom_binding_name(i + 1), a->name);
		if (more[i].n)
			images[i] = more[i];
	}
	return true;
}

bool rom_join(const struct blob *a, const struct blob *b, struct blob *out, struct err *err)
{
	struct blob images[ROM_BINDINGS];
	size_t n = 0, at = 0;
	bool good = true;

	if (!gather(a, b, images, err))
		return false;
	for (unsigned i = 0; i < ROM_BINDINGS; i++)
		n += images[i].n;
	if (!blob_alloc(out, a->name, n, err))
		return false;
	for (unsigned i = 0; good && i < ROM_BINDINGS; at += images[i++].n) {
		struct blob part = blob_part(out, at, images[i].n);

		if (!part.n)
			continue;
		blob_put(&part, 0, images[i].p, images[i].n);
		good = rom_set_last(&part, at + part.n == n, err);
	}
	if (!good)
		blob_free(out);
	return good;
}
