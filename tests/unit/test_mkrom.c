/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mkrom link: what the image is, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mkrom_make.h"

#define ELSEWHERE 0xF5000000u

static struct err err;

static void assert_refused(const char *words)
{
	if (!strstr(err.text, words))
		fail_msg("refused with \"%s\", expected \"%s\"", err.text, words);
	assert_non_null(strchr(err.text, ':'));
}

/* Links elf, frees it, and wants a refusal with these words. */
static void assert_link_refused(struct blob elf, const char *words)
{
	struct link_result r = {0};

	assert_false(rom_link(&elf, NULL, &r, &err));
	assert_null(r.rom.p);
	assert_refused(words);
	blob_free(&elf);
}

static struct link_result link_fake(void)
{
	struct blob elf = make_rom_elf(0, NULL);
	struct link_result r = {0};

	assert_true(rom_link(&elf, NULL, &r, &err));
	blob_free(&elf);
	return r;
}

static void image_holds_the_sections_and_is_padded_to_2_kb(void **state)
{
	struct link_result r = link_fake();

	(void)state;
	assert_int_equal(r.used, FAKE_USED);
	assert_int_equal(r.rom.n, FAKE_PADDED);
	assert_memory_equal(r.rom.p + FAKE_LICENCE, "GPL", 4);
	assert_int_equal(r.rom.p[FAKE_TEXT], 0xC3);
	assert_int_equal(r.rom.p[FAKE_USED - 1], 0xC3);
	assert_int_equal(r.rom.p[FAKE_USED], 0);
	blob_free(&r.rom);
}

static void lengths_count_from_each_header_to_the_end(void **state)
{
	struct link_result r = link_fake();
	struct pci_header pci;

	(void)state;
	assert_int_equal(r.rom.p[2], FAKE_PADDED / 512);
	assert_int_equal(r.rom.p[ROM13_HEADER + 2], (FAKE_PADDED - ROM13_HEADER) / 512);
	blob_get(&r.rom, FAKE_PCI, &pci, sizeof(pci));
	assert_int_equal(pci.chunks, FAKE_PADDED / 512);
	blob_get(&r.rom, FAKE_PCI13, &pci, sizeof(pci));
	assert_int_equal(pci.chunks, (FAKE_PADDED - ROM13_HEADER) / 512);
	blob_free(&r.rom);
}

static void every_checksum_holds(void **state)
{
	struct link_result r = link_fake();

	(void)state;
	assert_int_equal(blob_sum(&r.rom, 0, r.rom.n), 0);
	assert_int_equal(blob_sum(&r.rom, ROM13_HEADER, r.rom.n), 0);
	assert_int_equal(blob_sum(&r.rom, FAKE_PNP, 32), 0);
	blob_free(&r.rom);
}

static void ext_end_is_the_used_size(void **state)
{
	struct link_result r = link_fake();
	struct rom_header h;

	(void)state;
	blob_get(&r.rom, 0, &h, sizeof(h));
	assert_int_equal(h.ext_end, FAKE_USED);
	blob_free(&r.rom);
}

static void two_links_that_agree_are_position_independent(void **state)
{
	struct blob a = make_rom_elf(0, NULL), b = make_rom_elf(ELSEWHERE, NULL);
	struct link_result r = {0};

	(void)state;
	assert_true(rom_link(&a, &b, &r, &err));
	blob_free(&r.rom);
	blob_free(&a);
	blob_free(&b);
}

static void compiled_in_address_is_reported_with_offset_and_symbol(void **state)
{
	struct blob a = make_rom_elf(0, NULL), b = make_rom_elf(ELSEWHERE, NULL);
	struct link_result r = {0};

	(void)state;
	b.p[section_of(&b, ".text")->sh_offset + 5] = 0xF5;
	assert_false(rom_link(&a, &b, &r, &err));
	assert_refused("not position independent: offset 0x1605 (start+0x5)");
	blob_free(&a);
	blob_free(&b);
}

static void second_link_at_the_same_address_proves_nothing(void **state)
{
	struct blob a = make_rom_elf(0, NULL), b = make_rom_elf(0, NULL);
	struct link_result r = {0};

	(void)state;
	assert_false(rom_link(&a, &b, &r, &err));
	assert_refused("another address was expected");
	blob_free(&a);
	blob_free(&b);
}

static void sections_that_a_rom_must_not_have_are_refused_by_name(void **state)
{
	static const u8 data[16] = {1};
	static const struct {
		struct section s;
		const char *words;
	} cases[] = {
		{{".data", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, FAKE_USED, data, 16, 0, 0, 0},
		 "section .data (16 bytes) is writable"},
		{{".bss", SHT_NOBITS, SHF_ALLOC | SHF_WRITE, FAKE_USED, NULL, 16, 0, 0, 0},
		 "section .bss (16 bytes) is writable"},
		{{".pad", SHT_NOBITS, SHF_ALLOC, FAKE_USED, NULL, 16, 0, 0, 0},
		 "section .pad (16 bytes) has no contents"},
		{{".got", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, FAKE_USED, data, 16, 0, 0, 0},
		 "section .got (16 bytes) is writable"},
		{{".rel.text", SHT_REL, 0, 0, data, 16, 0, 0, 0},
		 "section .rel.text (16 bytes) holds relocations"},
		{{".dynamic", SHT_DYNAMIC, SHF_ALLOC, FAKE_USED, data, 16, 0, 0, 0},
		 "section .dynamic (16 bytes) needs a dynamic loader"},
		{{".over", SHT_PROGBITS, SHF_ALLOC, FAKE_TEXT, data, 16, 0, 0, 0},
		 "section .over lies over another one"},
		{{".far", SHT_PROGBITS, SHF_ALLOC, 0xFFFFFFF8u, data, 16, 0, 0, 0},
		 "at most 130560 were expected"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_link_refused(make_rom_elf(0, &cases[i].s), cases[i].words);
}

static void unused_offset_table_is_no_writable_data(void **state)
{
	static const u8 zeros[12];
	const struct section got = {
		".got.plt", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, FAKE_USED, zeros, 12, 0, 0, 0};
	struct blob elf = make_rom_elf(0, &got);
	struct link_result r = {0};

	(void)state;
	assert_true(rom_link(&elf, NULL, &r, &err));
	assert_int_equal(r.used, FAKE_USED + 12);
	blob_free(&r.rom);
	blob_free(&elf);
}

static void undefined_symbol_is_refused_by_name(void **state)
{
	struct blob elf = make_rom_elf(0, NULL);
	Elf32_Sym *sym = (void *)(elf.p + section_of(&elf, ".symtab")->sh_offset);

	(void)state;
	sym[1].st_shndx = SHN_UNDEF;
	sym[1].st_name = 7;
	assert_link_refused(elf, "symbol missing is undefined");
}

static void header_must_come_first(void **state)
{
	struct blob late = make_rom_elf(0x1000, NULL), none = make_rom_elf(0, NULL);
	struct blob plain = make_rom_elf(0, NULL);

	(void)state;
	section_of(&late, ".text")->sh_addr = 0;
	assert_link_refused(late, "section .text (256 bytes) lies below .header");
	section_of(&none, ".header")->sh_flags = 0;
	assert_link_refused(none, "has no section .header");
	plain.p[section_of(&plain, ".header")->sh_offset] = 0;
	assert_link_refused(plain, "has no VMI header at its start");
}

static void image_of_exactly_the_maximum_fits(void **state)
{
	static u8 filler[ROM_MAX - FAKE_USED + 1];
	struct section s = {
		".rodata", SHT_PROGBITS, SHF_ALLOC, FAKE_USED, filler, sizeof(filler) - 1, 0, 0, 0};
	struct blob elf = make_rom_elf(0, &s);
	struct link_result r = {0};

	(void)state;
	assert_true(rom_link(&elf, NULL, &r, &err));
	assert_int_equal(r.used, ROM_MAX);
	assert_int_equal(r.rom.n, ROM_MAX);
	assert_int_equal(r.rom.p[2], 255);
	assert_int_equal(rom_check(&r.rom, NULL, NULL), 0);
	blob_free(&r.rom);
	blob_free(&elf);
	s.size++;
	assert_link_refused(make_rom_elf(0, &s), "needs 130561 bytes, at most 130560");
}

static struct link_result link_parts(const struct section *more)
{
	struct blob elf = make_parts_elf(0, more);
	struct link_result r = {0};

	if (!rom_link(&elf, NULL, &r, &err))
		fail_msg("%s", err.text);
	blob_free(&elf);
	return r;
}

static void each_part_has_its_length_and_its_checksum(void **state)
{
	struct link_result r = link_parts(NULL);
	struct pci_header pci;

	(void)state;
	assert_int_equal(r.used, FAKE_USED);
	assert_int_equal(r.first, PARTS_USED);
	assert_int_equal(r.rom.n, FAKE_PADDED);
	assert_int_equal(r.rom.p[2], PARTS_BODY / 512);
	assert_int_equal(r.rom.p[ROM13_HEADER + 2], (PARTS_BODY - ROM13_HEADER) / 512);
	blob_get(&r.rom, FAKE_PCI, &pci, sizeof(pci));
	assert_int_equal(pci.chunks, FAKE_PADDED / 512);
	blob_get(&r.rom, FAKE_PCI13, &pci, sizeof(pci));
	assert_int_equal(pci.chunks, (FAKE_PADDED - ROM13_HEADER) / 512);
	assert_int_equal(blob_sum(&r.rom, 0, PARTS_BODY), 0);
	assert_int_equal(blob_sum(&r.rom, ROM13_HEADER, PARTS_BODY - ROM13_HEADER), 0);
	assert_int_equal(blob_sum(&r.rom, FAKE_PNP, 32), 0);
	assert_int_equal(blob_sum(&r.rom, PARTS_BODY, r.rom.n), 0);
	assert_int_not_equal(r.rom.p[PARTS_BODY], 0);
	assert_int_equal(rom_check(&r.rom, NULL, NULL), 0);
	blob_free(&r.rom);
}

static void address_in_a_body_is_reported_where_it_stands(void **state)
{
	struct blob a = make_parts_elf(0, NULL), b = make_parts_elf(ELSEWHERE, NULL);
	struct link_result r = {0};

	(void)state;
	assert_true(rom_link(&a, &b, &r, &err));
	blob_free(&r.rom);
	b.p[section_of(&b, ".text")->sh_offset + 5] = 0xF5;
	assert_false(rom_link(&a, &b, &r, &err));
	assert_refused("not position independent: offset 0x1605 (start+0x5)");
	blob_free(&a);
	blob_free(&b);
}

/* A change of the code that runs where the guest has found it, and what is said. */
static void first_part_that_reaches_into_the_body_is_refused(void **state)
{
	static const struct {
		u32 at;
		u8 bytes[8], size;
		const char *words;
	} cases[] = {
		{0x80, {0xE9, 0x7B, 0x15}, 5, "the code at 0x80 goes to 0x1600"},
		{0x88, {0xE8, 0x73, 0x13}, 5, "the code at 0x88 goes to 0x1400"},
		{0x90, {0x0F, 0x84, 0x6A, 0x15}, 6, "the code at 0x90 goes to 0x1600"},
		{0x90, {0xEB, 0x80}, 2, NULL}, /* zeros and the header's end are code, too */
		{0x12E8, {0xE9, 0x13, 0x01, 0, 0}, 5, NULL}, /* no slot begins there */
		{0x12E0, {0xE9, 0x1B, 0x01, 0, 0}, 5, "the code at 0x12e0 goes to 0x1400"},
		{0x90, {0x68, 0, 0x16, 0, 0xF3}, 5, "the code at 0x95 goes to address 0xf3001600"},
		{0x90, {0x68, 0, 0x17, 0, 0xF4}, 5, "the code at 0x95 goes to address 0xf4001700"},
		{0x90, {0x68, 0xFF, 0x16, 0, 0xF4}, 5, NULL},
		{0x90, {0xFF, 0xE0}, 2, "the code at 0x90 cannot be followed"},
		{0x90, {0xFF, 0x15, 0, 0, 0, 0xF4}, 6, "the code at 0x90 cannot be followed"},
		{0x90, {0xEA, 0, 0, 0, 0, 0, 0}, 7, "the code at 0x90 cannot be followed"},
		{0x90, {0x66, 0xE9, 0, 0}, 4, "the code at 0x90 cannot be followed"},
		{0x90, {0x0F, 0xFF}, 2, "the code at 0x90 cannot be followed"},
		{PARTS_GET_RELOC + 14, {0x2A, 0x10}, 2, NULL},
		{PARTS_GET_RELOC + 14, {0x2B, 0x10}, 2, "the code at 0x3db uses 0x1400"},
		{PARTS_GET_RELOC + 14, {0, 0, 0xFF, 0xFF}, 4, "the code at 0x3db uses 0xffff03d5"},
		{PARTS_GET_RELOC + 11,
		 {0x81, 0xC1, 0x2B, 0x10, 0, 0},
		 6,
		 "what the code at 0x3db does with its address"},
		{PARTS_GET_RELOC + 11,
		 {0x8D, 0x81},
		 2,
		 "what the code at 0x3db does with its address"},
		{PARTS_GET_RELOC + 11,
		 {0x89, 0xC8},
		 2,
		 "what the code at 0x3db does with its address"},
		{PARTS_GET_RELOC + 11, {0x8B, 0x04, 0x01}, 3, NULL},
		{PARTS_GET_RELOC + 11,
		 {0x8B, 0x04, 0x48},
		 3,
		 "what the code at 0x3db does with its address"},
		{PARTS_GET_RELOC + 9, {0x73, 0x7F}, 2, NULL},
		{PARTS_INIT, {0xE9, 0x3C, 0x10, 0, 0}, 5, "the code at 0x3c0 goes to 0x1401"},
		{PARTS_INIT, {0xE9, 0xF0, 0xF0, 0xFF, 0xFF}, 5, "the code at 0x3c0 goes to 0xfff"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct blob elf = make_parts_elf(0, NULL);
		struct link_result r = {0};

		memcpy(elf.p + section_of(&elf, ".header")->sh_offset + cases[i].at, cases[i].bytes,
		       cases[i].size);
		if (cases[i].words) {
			assert_link_refused(elf, cases[i].words);
			continue;
		}
		if (!rom_link(&elf, NULL, &r, &err))
			fail_msg("case %zu: %s", i, err.text);
		blob_free(&r.rom);
		blob_free(&elf);
	}
}

static void code_that_runs_over_the_first_parts_end_is_refused(void **state)
{
	struct blob elf = make_parts_elf(0, NULL);
	u8 *p = elf.p + section_of(&elf, ".header")->sh_offset;

	(void)state;
	memset(p + PARTS_USED, 0x90, PARTS_BODY - PARTS_USED);
	memcpy(p + 0x12E0, (u8[]){0xEB, 0x60}, 2);
	assert_link_refused(elf, "code runs over the first part's end at 0x1400");
}

static void first_part_has_room_for_what_the_length_byte_counts(void **state)
{
	static u8 filler[ROM_MAX + 4];
	const struct section s = {
		".rodata", SHT_PROGBITS, SHF_ALLOC, FAKE_USED, filler, sizeof(filler), 0, 0, 0};
	static const struct {
		u32 used;
		const char *words;
	} cases[] = {
		{ROM_MAX, NULL},
		{ROM_MAX + 1, "the first part needs 130561 bytes, at most 130560 were expected"},
		{0xFFFFFFFF, "the first part needs 4294967295 bytes"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct blob elf = make_parts_elf(0, &s);
		struct link_result r = {0};

		memcpy(elf.p + section_of(&elf, ".header")->sh_offset +
			       offsetof(struct rom_header, ext_first),
		       &cases[i].used, 4);
		if (cases[i].words) {
			assert_link_refused(elf, cases[i].words);
			continue;
		}
		assert_true(rom_link(&elf, NULL, &r, &err));
		assert_int_equal(r.rom.p[2], 255);
		assert_int_equal(rom_check(&r.rom, NULL, NULL), 0);
		blob_free(&r.rom);
		blob_free(&elf);
	}
}

static void image_that_ends_in_its_first_part_is_refused(void **state)
{
	struct blob elf = make_parts_elf(0, NULL);
	const u32 used = FAKE_PADDED;

	(void)state;
	memcpy(elf.p + section_of(&elf, ".header")->sh_offset +
		       offsetof(struct rom_header, ext_first),
	       &used, 4);
	assert_link_refused(elf, "ends in the first part of 0x1800 bytes, a body was expected");
}

static void body_has_room_for_what_the_window_holds(void **state)
{
	static u8 filler[IMAGE_MAX - FAKE_USED + 1];
	struct section s = {
		".rodata", SHT_PROGBITS, SHF_ALLOC, FAKE_USED, filler, sizeof(filler) - 1, 0, 0, 0};
	struct link_result r = link_parts(&s);
	struct pci_header pci;

	(void)state;
	assert_int_equal(IMAGE_MAX, 384 << 10);
	assert_int_equal(r.used, IMAGE_MAX);
	assert_int_equal(r.rom.n, IMAGE_MAX);
	assert_int_equal(r.rom.p[2], PARTS_BODY / 512);
	blob_get(&r.rom, FAKE_PCI, &pci, sizeof(pci));
	assert_int_equal(pci.chunks, IMAGE_MAX / 512);
	assert_int_equal(rom_check(&r.rom, NULL, NULL), 0);
	blob_free(&r.rom);
	s.size++;
	assert_link_refused(make_parts_elf(0, &s), "needs 393217 bytes, at most 393216");
}

static void other_kinds_of_elf_file_are_refused(void **state)
{
	static const struct {
		size_t at;
		u8 byte;
		const char *words;
	} cases[] = {
		{0, 0, "is no ELF file"},
		{EI_CLASS, ELFCLASS64, "ELF class is 2, 1 was expected"},
		{EI_DATA, ELFDATA2MSB, "byte order is 2"},
		{offsetof(Elf32_Ehdr, e_type), ET_REL, "ELF type is 1"},
		{offsetof(Elf32_Ehdr, e_machine), EM_X86_64, "machine is 62"},
		{offsetof(Elf32_Ehdr, e_shentsize), 64, "a section header has 64 bytes"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct blob elf = make_rom_elf(0, NULL);

		elf.p[cases[i].at] = cases[i].byte;
		assert_link_refused(elf, cases[i].words);
	}
}

static void headers_outside_the_image_are_refused(void **state)
{
	static const struct {
		size_t at;
		u16 value;
		const char *words;
	} cases[] = {
		{offsetof(struct rom_header, pci_header), 0xFFF0, "PCI header's offset is 0xfff0"},
		{offsetof(struct rom_header, pci_header), 4, "PCI header's offset is 0x4"},
		{offsetof(struct rom_header, pnp_header), 0xFFF0, "PnP header's offset is 0xfff0"},
		{FAKE_PNP + 5, 1, "PnP header says 16 bytes"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct blob elf = make_rom_elf(0, NULL);

		memcpy(elf.p + section_of(&elf, ".header")->sh_offset + cases[i].at,
		       &cases[i].value, 2);
		assert_link_refused(elf, cases[i].words);
	}
}

static void no_prefix_of_a_rom_is_linked(void **state)
{
	struct blob elf = make_rom_elf(0, NULL);

	(void)state;
	for (size_t n = 0; n < elf.n; n++)
		assert_link_refused(make_prefix(&elf, n), "expected");
	blob_free(&elf);
}

/* The sanitizers judge. */
static void damaged_are_linked_or_refused(struct blob (*make)(u32, const struct section *))
{
	struct blob elf = make(0, NULL), other = make(ELSEWHERE, NULL);
	u32 linked = 0, refused = 0;

	for (u32 seed = 0; seed < 20000; seed++) {
		struct blob bad = make_damaged(&elf, seed);
		struct link_result r = {0};

		/* Most of the file is contents; damage the tables too. */
		if (seed % 2) {
			const Elf32_Ehdr *eh = (void *)elf.p;
			size_t table = elf.n - eh->e_shoff;

			bad.p[eh->e_shoff + seed % table] ^= (u8)(1 << seed / 16 % 8);
		}
		err.text[0] = 0;
		if (rom_link(&bad, seed % 3 ? NULL : &other, &r, &err)) {
			rom_check(&r.rom, NULL, NULL);
			linked++;
		} else {
			assert_string_not_equal(err.text, "");
			refused++;
		}
		blob_free(&r.rom);
		blob_free(&bad);
	}
	assert_true(linked > 1000 && refused > 1000);
	blob_free(&elf);
	blob_free(&other);
}

static void damaged_roms_are_linked_or_refused(void **state)
{
	(void)state;
	damaged_are_linked_or_refused(make_rom_elf);
	damaged_are_linked_or_refused(make_parts_elf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(image_holds_the_sections_and_is_padded_to_2_kb),
		cmocka_unit_test(lengths_count_from_each_header_to_the_end),
		cmocka_unit_test(every_checksum_holds),
		cmocka_unit_test(ext_end_is_the_used_size),
		cmocka_unit_test(two_links_that_agree_are_position_independent),
		cmocka_unit_test(compiled_in_address_is_reported_with_offset_and_symbol),
		cmocka_unit_test(second_link_at_the_same_address_proves_nothing),
		cmocka_unit_test(sections_that_a_rom_must_not_have_are_refused_by_name),
		cmocka_unit_test(unused_offset_table_is_no_writable_data),
		cmocka_unit_test(undefined_symbol_is_refused_by_name),
		cmocka_unit_test(header_must_come_first),
		cmocka_unit_test(image_of_exactly_the_maximum_fits),
		cmocka_unit_test(each_part_has_its_length_and_its_checksum),
		cmocka_unit_test(address_in_a_body_is_reported_where_it_stands),
		cmocka_unit_test(first_part_that_reaches_into_the_body_is_refused),
		cmocka_unit_test(code_that_runs_over_the_first_parts_end_is_refused),
		cmocka_unit_test(first_part_has_room_for_what_the_length_byte_counts),
		cmocka_unit_test(image_that_ends_in_its_first_part_is_refused),
		cmocka_unit_test(body_has_room_for_what_the_window_holds),
		cmocka_unit_test(other_kinds_of_elf_file_are_refused),
		cmocka_unit_test(headers_outside_the_image_are_refused),
		cmocka_unit_test(no_prefix_of_a_rom_is_linked),
		cmocka_unit_test(damaged_roms_are_linked_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
