/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A reader for static 32-bit i386 executables.  elf_open() proves once that
 * every table, section and segment lies inside the file; the rest relies on
 * it.
 */
#include <string.h>

#include "mkrom.h"

struct field {
	u32 found, expected;
	const char *what;
};

static bool check_ident(const struct elf *e, struct err *err)
{
	const Elf32_Ehdr *h = &e->eh;
	const struct field fields[] = {
		{h->e_ident[EI_CLASS], ELFCLASS32, "ELF class"},
		{h->e_ident[EI_DATA], ELFDATA2LSB, "byte order"},
		{h->e_type, ET_EXEC, "ELF type"},
		{h->e_machine, EM_386, "machine"},
	};

	if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0)
		return refuse(err,
			      "%s: is no ELF file, a static ELF32 i386 executable was expected",
			      e->file->name);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (fields[i].found != fields[i].expected)
			return refuse(
				err, "%s: %s is %u, %u was expected (static ELF32 i386 executable)",
				e->file->name, fields[i].what, fields[i].found, fields[i].expected);
	}
	return true;
}

static bool check_table(const struct elf *e, const char *what, const u32 shape[3], size_t size,
			struct err *err)
{
	u32 offset = shape[0], entry = shape[1], count = shape[2];

	if (count && entry != size)
		return refuse(err, "%s: a %s header has %u bytes, %zu were expected", e->file->name,
			      what, entry, size);
	if (!blob_has(e->file, offset, (u64)count * size))
		return refuse(err,
			      "%s: the %s headers end beyond the file, at most %zu was expected",
			      e->file->name, what, e->file->n);
	return true;
}

static bool check_segments(const struct elf *e, struct err *err)
{
	for (unsigned i = 0; i < e->eh.e_phnum; i++) {
		Elf32_Phdr ph = elf_phdr(e, i);

		if (!blob_has(e->file, ph.p_offset, ph.p_filesz))
			return refuse(
				err,
				"%s: segment %u ends beyond the file, at most %zu was expected",
				e->file->name, i, e->file->n);
		if (ph.p_type == PT_LOAD && ph.p_filesz > ph.p_memsz)
			return refuse(err,
				      "%s: segment %u has %u bytes in the file, at most %u "
				      "were expected (its size in memory)",
				      e->file->name, i, ph.p_filesz, ph.p_memsz);
	}
	return true;
}

static bool check_sections(const struct elf *e, struct err *err)
{
	for (unsigned i = 0; i < e->eh.e_shnum; i++) {
		Elf32_Shdr sh = elf_shdr(e, i);

		if (sh.sh_type == SHT_NULL || sh.sh_type == SHT_NOBITS)
			continue;
		if (!blob_has(e->file, sh.sh_offset, sh.sh_size))
			return refuse(
				err,
				"%s: section %u ends beyond the file, at most %zu was expected",
				e->file->name, i, e->file->n);
	}
	return true;
}

bool elf_open(struct elf *e, const struct blob *file, struct err *err)
{
	e->file = file;
	if (!blob_get(file, 0, &e->eh, sizeof(e->eh)))
		return refuse(err, "%s: has %zu bytes, an ELF header of %zu was expected",
			      file->name, file->n, sizeof(e->eh));

	const u32 segments[3] = {e->eh.e_phoff, e->eh.e_phentsize, e->eh.e_phnum};
	const u32 sections[3] = {e->eh.e_shoff, e->eh.e_shentsize, e->eh.e_shnum};

	return check_ident(e, err) &&
	       check_table(e, "program", segments, sizeof(Elf32_Phdr), err) &&
	       check_table(e, "section", sections, sizeof(Elf32_Shdr), err) &&
	       check_segments(e, err) && check_sections(e, err);
}

Elf32_Phdr elf_phdr(const struct elf *e, unsigned i)
{
	Elf32_Phdr ph = {0};

	blob_get(e->file, e->eh.e_phoff + (u64)i * sizeof(ph), &ph, sizeof(ph));
	return ph;
}

Elf32_Shdr elf_shdr(const struct elf *e, unsigned i)
{
	Elf32_Shdr sh = {0};

	blob_get(e->file, e->eh.e_shoff + (u64)i * sizeof(sh), &sh, sizeof(sh));
	return sh;
}

/* A string of string table number strtab; NULL when there is none. */
static const char *elf_str(const struct elf *e, u32 strtab, u32 off)
{
	Elf32_Shdr sh;
	struct blob strings;

	if (strtab >= e->eh.e_shnum)
		return NULL;
	sh = elf_shdr(e, strtab);
	if (sh.sh_type != SHT_STRTAB)
		return NULL;
	strings = blob_part(e->file, sh.sh_offset, sh.sh_size);
	return blob_str(&strings, off);
}

const char *elf_section_name(const struct elf *e, const Elf32_Shdr *sh)
{
	const char *name = elf_str(e, e->eh.e_shstrndx, sh->sh_name);

	return name ? name : "(unnamed)";
}

bool elf_find_section(const struct elf *e, const char *name, Elf32_Shdr *out)
{
	for (unsigned i = 1; i < e->eh.e_shnum; i++) {
		*out = elf_shdr(e, i);
		if (strcmp(elf_section_name(e, out), name) == 0)
			return true;
	}
	return false;
}

/* The first symbol table's section; a file has one at most. */
static bool find_symtab(const struct elf *e, Elf32_Shdr *out)
{
	for (unsigned i = 1; i < e->eh.e_shnum; i++) {
		*out = elf_shdr(e, i);
		if (out->sh_type == SHT_SYMTAB)
			return true;
	}
	return false;
}

static Elf32_Sym symbol(const struct elf *e, const Elf32_Shdr *symtab, u32 i)
{
	Elf32_Sym sym = {0};

	blob_get(e->file, symtab->sh_offset + (u64)i * sizeof(sym), &sym, sizeof(sym));
	return sym;
}

/* A weak one counts too: it would resolve to address 0 wherever the ROM is. */
bool elf_no_undefined(const struct elf *e, struct err *err)
{
	Elf32_Shdr tab;

	if (!find_symtab(e, &tab))
		return true;
	for (u32 i = 1; i < tab.sh_size / sizeof(Elf32_Sym); i++) {
		Elf32_Sym sym = symbol(e, &tab, i);
		const char *name = elf_str(e, tab.sh_link, sym.st_name);

		if (sym.st_shndx == SHN_UNDEF && ELF32_ST_BIND(sym.st_info) != STB_LOCAL)
			return refuse(err, "%s: symbol %s is undefined, none was expected to be",
				      e->file->name, name ? name : "(unnamed)");
	}
	return true;
}

const char *elf_symbol_at(const struct elf *e, u32 addr, u32 *distance)
{
	const char *best = NULL;
	Elf32_Shdr tab;

	if (!find_symtab(e, &tab))
		return NULL;
	for (u32 i = 1; i < tab.sh_size / sizeof(Elf32_Sym); i++) {
		Elf32_Sym sym = symbol(e, &tab, i);
		const char *name = elf_str(e, tab.sh_link, sym.st_name);
		u8 type = ELF32_ST_TYPE(sym.st_info);

		if (!name || !*name || type == STT_FILE || type == STT_SECTION)
			continue;
		if (sym.st_shndx == SHN_UNDEF || sym.st_shndx >= SHN_LORESERVE)
			continue;
		if (sym.st_value > addr || (best && addr - sym.st_value >= *distance))
			continue;
		best = name;
		*distance = addr - sym.st_value;
	}
	return best;
}
