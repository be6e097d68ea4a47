/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fields of an image that only its final size and bytes decide.  The
 * order matters: lengths, ext_end and the PnP checksums first, since the
 * others cover them; then the 13.x header's checksum, over itself and all
 * that follows; at last the main header's, over the whole image.
 *
 * Of an image in two parts that is the first one; the body has a checksum of
 * its own, and the PCI headers' lengths cover both.
 */
#include "mkrom.h"

#define PNP_UNIT 16u
#define HEADER_FIXED offsetof(struct rom_header, ext_signature)

/* rom is the part that the headers are in, all the bytes of the whole image. */
struct finished {
	struct blob rom;
	u32 all, used;
};

static bool fill_pci(struct finished *f, const struct rom_view *v, struct err *err)
{
	struct blob *rom = &f->rom;
	u64 at = v->base + v->h.pci_header;
	struct pci_header pci;

	if (!v->h.pci_header)
		return true;
	if (v->h.pci_header < HEADER_FIXED || !blob_get(rom, at, &pci, sizeof(pci)))
		return refuse(err,
			      "%s: the PCI header's offset is 0x%x, one behind the VMI header and "
			      "inside the image was expected",
			      rom->name, v->h.pci_header);
	pci.chunks = (u16)((f->all - v->base) / ROM_UNIT);
	return blob_put(rom, at, &pci, sizeof(pci));
}

static bool fill_pnp(struct blob *rom, const struct rom_view *v, struct err *err)
{
	u64 at = v->base + v->h.pnp_header;
	struct pnp_header pnp;

	if (!v->h.pnp_header)
		return true;
	if (v->h.pnp_header < HEADER_FIXED || !blob_get(rom, at, &pnp, sizeof(pnp)) ||
	    !blob_has(rom, at, pnp.size * PNP_UNIT))
		return refuse(err,
			      "%s: the PnP header's offset is 0x%x, one behind the VMI header and "
			      "inside the image was expected",
			      rom->name, v->h.pnp_header);
	if (pnp.size * PNP_UNIT < sizeof(pnp))
		return refuse(err, "%s: the PnP header says %u bytes, at least %zu were expected",
			      rom->name, pnp.size * PNP_UNIT, sizeof(pnp));
	pnp.checksum = (u8)(pnp.checksum - blob_sum(rom, at, pnp.size * PNP_UNIT));
	return blob_put(rom, at, &pnp, sizeof(pnp));
}

/* All but the header's own checksum. */
static bool fill_header(struct finished *f, size_t base, struct err *err)
{
	struct blob *rom = &f->rom;
	struct rom_view v;

	if (!rom_view(rom, base, &v))
		return refuse(err, "%s: has %zu bytes, a header was expected at 0x%zx", rom->name,
			      rom->n, base);
	v.h.length = (u8)((rom->n - base) / ROM_UNIT);
	if (rom_has_ext(&v))
		v.h.ext_end = f->used;
	return blob_put(rom, base, &v.h, sizeof(v.h)) && fill_pci(f, &v, err) &&
	       fill_pnp(rom, &v, err);
}

static void fill_checksum(struct blob *rom, size_t base)
{
	u8 *checksum = rom->p + base + offsetof(struct rom_header, checksum);

	*checksum = (u8)(*checksum - blob_sum(rom, base, rom->n - base));
}

/* The 13.x header goes first, since the main header's sum covers it. */
static void fill_checksums(struct blob *part)
{
	if (rom_is_header(part, ROM13_HEADER))
		fill_checksum(part, ROM13_HEADER);
	fill_checksum(part, 0);
}

/* The part that the headers are in. */
static bool first_part(const struct blob *rom, struct blob *part, struct err *err)
{
	struct rom_view v;
	size_t first;

	if (!rom_is_header(rom, 0) || !rom_view(rom, 0, &v))
		return refuse(err,
			      "%s: has no VMI header at its start, signatures 0x%x and 0x%x "
			      "were expected",
			      rom->name, ROM_SIGNATURE, VMI_SIGNATURE);
	first = rom_first_size(&v);
	if (first > ROM_MAX || v.h.ext_first > ROM_MAX)
		return refuse(err, "%s: the first part needs %u bytes, at most %u were expected",
			      rom->name, v.h.ext_first, ROM_MAX);
	if (first >= rom->n)
		return refuse(err, "%s: ends in the first part of 0x%zx bytes, a body was expected",
			      rom->name, first);
	*part = blob_part(rom, 0, first ? first : rom->n);
	return true;
}

/* The 13.x header goes first: where both headers share one PCI header, the
 * length that BIOSes compare it with is the main header's. */
bool rom_finish(struct blob *rom, u32 used, struct err *err)
{
	struct finished f = {.all = (u32)rom->n, .used = used};
	bool two;

	if (!first_part(rom, &f.rom, err))
		return false;
	two = rom_is_header(&f.rom, ROM13_HEADER);
	if (two && !fill_header(&f, ROM13_HEADER, err))
		return false;
	if (!fill_header(&f, 0, err))
		return false;
	fill_checksums(&f.rom);
	if (f.rom.n < rom->n)
		rom->p[f.rom.n] = (u8)(rom->p[f.rom.n] - blob_sum(rom, f.rom.n, rom->n));
	return true;
}

static void set_last(struct blob *part, size_t base, bool last)
{
	struct pci_header pci;
	struct rom_view v;

	if (!rom_view(part, base, &v) || !v.h.pci_header ||
	    !blob_get(part, base + v.h.pci_header, &pci, sizeof(pci)))
		return;
	pci.last = last ? PCI_LAST : 0;
	blob_put(part, base + v.h.pci_header, &pci, sizeof(pci));
}

bool rom_set_last(struct blob *rom, bool last, struct err *err)
{
	struct blob part;

	if (!first_part(rom, &part, err))
		return false;
	set_last(&part, 0, last);
	if (rom_is_header(&part, ROM13_HEADER))
		set_last(&part, ROM13_HEADER, last);
	fill_checksums(&part);
	return true;
}
