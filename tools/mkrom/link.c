/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the linker's output to the flat image.
 *
 * The image runs in the monitor's window, its first part where the guest's scan
 * finds it, too, and it never writes to itself.  So a section that is writable,
 * a relocation, or an undefined symbol is an error here; that no address is
 * compiled in is proved by linking twice, at two addresses, and comparing; and
 * what runs at the guest's place is followed to see that it stays there.
 */
#include <stdlib.h>
#include <string.h>

#include "mkrom.h"

#define HEADER_SECTION ".header"

/* One link on its way. */
struct flat {
	struct elf elf;
	u32 base;  /* the address of .header */
	u32 used;  /* bytes from there to the last one */
	u32 first; /* of them in the first part, by its header */
	u8 *taken; /* per byte of the image: some section holds it */
	struct blob rom;
};

static bool in_image(const Elf32_Shdr *sh)
{
	return (sh->sh_flags & SHF_ALLOC) && sh->sh_size;
}

/*
 * Position-independent C code computes with the address of the global offset
 * table, so the linker makes one even when it is unused: three words of 0,
 * formally writable.  Used entries are addresses, hence not 0.
 */
static bool is_unused_got(const struct flat *f, const Elf32_Shdr *sh)
{
	struct blob got = blob_part(f->elf.file, sh->sh_offset, sh->sh_size);
	const char *name = elf_section_name(&f->elf, sh);

	if (sh->sh_type != SHT_PROGBITS || (strcmp(name, ".got") && strcmp(name, ".got.plt")))
		return false;
	for (size_t i = 0; i < got.n; i++) {
		if (got.p[i])
			return false;
	}
	return true;
}

/* What a section may not be: {wrong, why}. */
static bool vet_section(struct flat *f, const Elf32_Shdr *sh, struct err *err)
{
	bool inside = in_image(sh);
	const struct {
		bool wrong;
		const char *why;
	} rules[] = {
		{sh->sh_size && (sh->sh_type == SHT_REL || sh->sh_type == SHT_RELA),
		 "holds relocations, a fully linked executable was expected"},
		{sh->sh_type == SHT_DYNAMIC, "needs a dynamic loader, a static link was expected"},
		{inside && (sh->sh_flags & SHF_WRITE) && !is_unused_got(f, sh),
		 "is writable, only read-only sections were expected: the ROM does not write to "
		 "itself"},
		{inside && sh->sh_type == SHT_NOBITS,
		 "has no contents (bss), only read-only sections were expected"},
		{inside && sh->sh_addr < f->base, "lies below .header, which was expected first"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		if (rules[i].wrong)
			return refuse(err, "%s: section %s (%u bytes) %s", f->elf.file->name,
				      elf_section_name(&f->elf, sh), sh->sh_size, rules[i].why);
	}
	return true;
}

static u32 first_part(const struct flat *f, const Elf32_Shdr *header)
{
	struct blob contents = blob_part(f->elf.file, header->sh_offset, header->sh_size);
	struct rom_view v;

	return header->sh_type != SHT_NOBITS && rom_view(&contents, 0, &v) && rom_has_ext(&v)
		       ? v.h.ext_first
		       : 0;
}

/* Vet every section; find where the image starts and how long it is. */
static bool measure(struct flat *f, struct err *err)
{
	const char *name = f->elf.file->name;
	u64 end = 0;
	u32 most;
	Elf32_Shdr sh;

	if (!elf_find_section(&f->elf, HEADER_SECTION, &sh) || !in_image(&sh))
		return refuse(err, "%s: has no section %s, which was expected first", name,
			      HEADER_SECTION);
	f->base = sh.sh_addr;
	f->first = first_part(f, &sh);
	for (unsigned i = 1; i < f->elf.eh.e_shnum; i++) {
		sh = elf_shdr(&f->elf, i);
		if (!vet_section(f, &sh, err))
			return false;
		if (in_image(&sh) && (u64)sh.sh_addr + sh.sh_size > end)
			end = (u64)sh.sh_addr + sh.sh_size;
	}
	most = f->first ? IMAGE_MAX : ROM_MAX;
	if (end - f->base > most)
		return refuse(err, "%s: the image needs %llu bytes, at most %u were expected", name,
			      (unsigned long long)(end - f->base), most);
	f->used = (u32)(end - f->base);
	return true;
}

static bool place(struct flat *f, const Elf32_Shdr *sh, struct err *err)
{
	u32 at = sh->sh_addr - f->base;

	if (memchr(f->taken + at, 1, sh->sh_size))
		return refuse(err, "%s: section %s lies over another one, none was expected to",
			      f->elf.file->name, elf_section_name(&f->elf, sh));
	memset(f->taken + at, 1, sh->sh_size);
	blob_get(f->elf.file, sh->sh_offset, f->rom.p + at, sh->sh_size);
	return true;
}

/* The last step of 2 KB does not fit into the length byte whole. */
static u32 padded(const struct flat *f)
{
	u32 size = (f->used + ROM_ALIGN - 1) / ROM_ALIGN * ROM_ALIGN;

	return f->first || size < ROM_MAX ? size : ROM_MAX;
}

static bool is_apart(const struct flat *f, struct err *err)
{
	struct err why = {""};
	struct rom_view v;

	if (!f->first || !rom_view(&f->rom, 0, &v) || rom_keeps_apart(&v, &why))
		return true;
	return refuse(err, "%s: its first part does not stand alone: %.300s", f->elf.file->name,
		      why.text);
}

static bool place_all(struct flat *f, struct err *err)
{
	for (unsigned i = 1; i < f->elf.eh.e_shnum; i++) {
		Elf32_Shdr sh = elf_shdr(&f->elf, i);

		if (in_image(&sh) && !place(f, &sh, err))
			return false;
	}
	return true;
}

/* On false f->rom has been freed. */
static bool flatten(struct flat *f, const struct blob *file, struct err *err)
{
	bool good;

	if (!elf_open(&f->elf, file, err) || !measure(f, err) || !elf_no_undefined(&f->elf, err))
		return false;
	if (!blob_alloc(&f->rom, file->name, padded(f), err))
		return false;
	f->taken = calloc(1, f->used);
	good = f->taken ? place_all(f, err) : refuse(err, "%s: no memory", file->name);
	good = good && rom_finish(&f->rom, f->used, err) && is_apart(f, err);
	free(f->taken);
	f->taken = NULL;
	if (!good)
		blob_free(&f->rom);
	return good;
}

static bool differ_at(const struct flat *a, const struct flat *b, u32 off, struct err *err)
{
	u32 distance = 0;
	const char *symbol = elf_symbol_at(&a->elf, a->base + off, &distance);

	return refuse(err,
		      "%s: is not position independent: offset 0x%x (%s+0x%x) holds 0x%02x linked "
		      "at 0x%x, the same was expected of %s linked at 0x%x, which has 0x%02x",
		      a->elf.file->name, off, symbol ? symbol : HEADER_SECTION, distance,
		      a->rom.p[off], a->base, b->elf.file->name, b->base, b->rom.p[off]);
}

static bool is_checksum(const struct flat *f, u32 off)
{
	u32 body = (f->first + ROM_UNIT - 1) / ROM_UNIT * ROM_UNIT;

	return off == ROM13_HEADER + offsetof(struct rom_header, checksum) || (body && off == body);
}

/*
 * Checksums and ext_end follow from the rest: a difference in one byte shows
 * in the header's checksum first.  So the differing byte behind the fixed
 * header is reported, and the header's only when nothing else differs.
 */
static bool compare(const struct flat *a, const struct flat *b, struct err *err)
{
	const u32 body = offsetof(struct rom_header, vmi_signature);
	u32 size = (u32)a->rom.n;

	if (a->base == b->base)
		return refuse(err, "%s: is linked at 0x%x as %s is, another address was expected",
			      b->elf.file->name, b->base, a->elf.file->name);
	if (a->used != b->used)
		return refuse(
			err, "%s: is not position independent: %u bytes, %u were expected as in %s",
			b->elf.file->name, b->used, a->used, a->elf.file->name);
	for (u32 i = 0; i < size; i++) {
		u32 off = (i + body) % size;

		if (!is_checksum(a, off) && a->rom.p[off] != b->rom.p[off])
			return differ_at(a, b, off, err);
	}
	return true;
}

bool rom_link(const struct blob *first, const struct blob *second, struct link_result *out,
	      struct err *err)
{
	struct flat a = {0}, b = {0};
	bool good = flatten(&a, first, err);

	if (good && second) {
		good = flatten(&b, second, err) && compare(&a, &b, err);
		blob_free(&b.rom);
	}
	if (!good) {
		blob_free(&a.rom);
		return false;
	}
	*out = (struct link_result){.rom = a.rom, .used = a.used, .first = a.first};
	return true;
}
