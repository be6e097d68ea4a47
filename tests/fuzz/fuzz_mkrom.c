/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mkrom's parsers.  The first byte says which file the rest is: ELF files to
 * link or to wrap with, a kernel, a ROM image; 0x10 of it, that ROMs have two
 * parts; 0x20, that an image's file has one for each binding; 0x40, that it is
 * joined and wrapped instead of looked at.  With its top bit the rest are
 * changes of a good one (two bytes where, one byte what), which reaches
 * further than bytes from nowhere.
 *
 * A file is taken, or refused in a sentence; what is taken gives a result that
 * can be read again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mkrom_make.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

static struct err err;

static void demand(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "mkrom: %s: %s\n", what, err.text);
	abort();
}

static void taken_or_refused(bool taken)
{
	demand(taken || strstr(err.text, ": "), "refused without a sentence");
}

static void link_file(const struct blob *elf, bool twice)
{
	struct link_result r = {0};
	bool good = rom_link(elf, twice ? elf : NULL, &r, &err);

	taken_or_refused(good);
	demand(!good || (r.rom.p && r.used <= r.rom.n && r.rom.n % 512 == 0), "a bad image");
	if (good)
		demand(blob_sum(&r.rom, 0, r.rom.n) == 0, "the image's sum");
	blob_free(&r.rom);
}

static void check_file(const struct blob *rom)
{
	FILE *out = fopen("/dev/null", "w");
	struct err first = {""};
	unsigned failed = rom_check(rom, out, &first);

	demand(!failed == !first.text[0], "failures and the first of them");
	fclose(out);
}

static void inspect_file(const struct blob *rom, bool json)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	bool good = rom_inspect(rom, json, out, &err);

	fclose(out);
	taken_or_refused(good);
	demand(!good || !json || is_json(text), "no JSON");
	free(text);
}

static void wrap_files(const struct blob *rom, const struct blob *entry, const struct blob *kernel)
{
	struct blob domain = {0};
	struct elf e;
	bool good = domain_wrap(rom, entry, kernel, &domain, &err);

	taken_or_refused(good);
	demand(!good || elf_open(&e, &domain, &err), "a domain that is no ELF file");
	blob_free(&domain);
}

/* An image's file with one for PVH, which it may have already. */
static void join_files(const struct blob *rom, bool first)
{
	struct blob pvh = make_parts_of(ROM_PVH), out = {0}, images[ROM_BINDINGS];
	bool good = first ? rom_join(rom, &pvh, &out, &err) : rom_join(&pvh, rom, &out, &err);

	taken_or_refused(good);
	demand(!good || (rom_images(&out, images, &err) && images[0].n && images[1].n &&
			 images[0].n + images[1].n == out.n),
	       "a bad chain");
	blob_free(&out);
	blob_free(&pvh);
}

static void join_or_wrap(const struct blob *rom, unsigned more)
{
	struct blob entry = make_entry(), kernel = make_kernel(0x0209);

	if (more & 1)
		join_files(rom, more & 2);
	else
		wrap_files(rom, &entry, &kernel);
	blob_free(&kernel);
	blob_free(&entry);
}

static struct blob good_file(unsigned kind, u8 how)
{
	bool parts = how & 0x10;

	if (kind == 1 && (how & 0x20))
		return make_chain();
	switch (kind) {
	case 0:
		return parts ? make_parts_elf(0, NULL) : make_rom_elf(0, NULL);
	case 1:
		return parts ? make_parts() : make_rom();
	case 2:
		return make_entry();
	default:
		return make_kernel(0x0209);
	}
}

static struct blob make_file(unsigned kind, u8 how, const u8 *data, size_t bytes)
{
	struct blob b = {.name = "input"};

	if (!(how & 0x80)) {
		demand(blob_alloc(&b, "input", bytes, &err), "no memory");
		if (bytes)
			memcpy(b.p, data, bytes);
		return b;
	}
	b = good_file(kind, how);
	for (; bytes >= 3; data += 3, bytes -= 3)
		b.p[(data[0] | data[1] << 8) % b.n] = data[2];
	return b;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct blob file, rom, other = {0};
	unsigned kind, more;

	if (!bytes)
		return 0;
	rom = good_file(1, data[0]);
	kind = data[0] & 3;
	more = data[0] >> 2 & 3;
	file = make_file(kind, data[0], data + 1, bytes - 1);
	switch (kind) {
	case 0:
		link_file(&file, more & 1);
		break;
	case 1:
		if ((data[0] & 0x40 || more & 2) && file.n > ROM13_HEADER + 7) {
			if (data[0] & 0x20)
				sum_chain_again(&file);
			else if (data[0] & 0x10)
				sum_first_again(&file);
			else
				sum_again(&file);
		}
		if (data[0] & 0x40)
			join_or_wrap(&file, more);
		else if (more & 1)
			inspect_file(&file, more & 2);
		else
			check_file(&file);
		break;
	case 2:
		other = make_kernel(0x0209);
		wrap_files(&rom, &file, &other);
		break;
	default:
		other = make_entry();
		wrap_files(&rom, &other, &file);
	}
	blob_free(&other);
	blob_free(&file);
	blob_free(&rom);
	return 0;
}
