/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mkrom wrap: the domain's file as Xen's builder reads it, and which kernels,
 * entries and ROMs are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mkrom_make.h"

/* The first page behind the fake entry's bss. */
#define PAYLOAD_AT 0xC0103000u

static struct err err;

static void assert_refused(const char *words)
{
	if (!strstr(err.text, words) || !strstr(err.text, "expected"))
		fail_msg("refused with \"%s\", expected \"%s\"", err.text, words);
}

static bool wrap(const struct blob *entry, const struct blob *kernel, struct blob *out)
{
	struct blob rom = make_rom();
	bool good = domain_wrap(&rom, entry, kernel, out, &err);

	blob_free(&rom);
	return good;
}

static void assert_kernel_refused(struct blob kernel, const char *words)
{
	assert_false(bzimage_check(&kernel, &err));
	assert_refused(words);
	blob_free(&kernel);
}

static void assert_entry_refused(struct blob entry, const char *words)
{
	struct blob kernel = make_kernel(0x0209), out = {0};

	assert_false(wrap(&entry, &kernel, &out));
	assert_null(out.p);
	assert_refused(words);
	blob_free(&kernel);
	blob_free(&entry);
}

static struct blob make_domain(void)
{
	struct blob entry = make_entry(), kernel = make_kernel(0x0209), out = {0};

	if (!wrap(&entry, &kernel, &out))
		fail_msg("refused: %s", err.text);
	blob_free(&kernel);
	blob_free(&entry);
	return out;
}

/* The bytes that the builder puts at a virtual address. */
static const u8 *loaded_at(const struct blob *domain, u32 addr, u32 len)
{
	struct elf e;

	assert_true(elf_open(&e, domain, &err));
	for (unsigned i = 0; i < e.eh.e_phnum; i++) {
		Elf32_Phdr ph = elf_phdr(&e, i);

		if (ph.p_type == PT_LOAD && addr >= ph.p_vaddr &&
		    addr - ph.p_vaddr + len <= ph.p_filesz)
			return domain->p + ph.p_offset + (addr - ph.p_vaddr);
	}
	fail_msg("nothing is loaded at 0x%x", addr);
	return NULL;
}

static void domain_holds_entry_rom_and_kernel_at_the_told_addresses(void **state)
{
	struct blob domain = make_domain(), rom = make_rom(), kernel = make_kernel(0x0209);
	struct payload p;

	(void)state;
	memcpy(&p, loaded_at(&domain, ENTRY_PAYLOAD, sizeof(p)), sizeof(p));
	assert_memory_equal(p.magic, PAYLOAD_MAGIC, 8);
	assert_int_equal(p.rom[0].addr, PAYLOAD_AT);
	assert_int_equal(p.rom[0].size, rom.n);
	assert_int_equal(p.rom[1].addr, 0);
	assert_int_equal(p.rom[1].size, 0);
	assert_int_equal(p.kernel.addr, PAYLOAD_AT + 0x2000);
	assert_int_equal(p.kernel.size, kernel.n);
	assert_memory_equal(loaded_at(&domain, p.rom[0].addr, rom.n), rom.p, rom.n);
	assert_memory_equal(loaded_at(&domain, p.kernel.addr, kernel.n), kernel.p, kernel.n);
	assert_memory_equal(loaded_at(&domain, ENTRY_TEXT, 2), "\xEB\xFE", 2);
	blob_free(&kernel);
	blob_free(&rom);
	blob_free(&domain);
}

static void segments_keep_their_distance_and_do_not_overlap(void **state)
{
	struct blob domain = make_domain();
	struct elf e;
	u32 end = 0;

	(void)state;
	assert_true(elf_open(&e, &domain, &err));
	assert_int_equal(e.eh.e_shnum, 0);
	assert_int_equal(e.eh.e_entry, ENTRY_TEXT);
	for (unsigned i = 0; i < e.eh.e_phnum; i++) {
		Elf32_Phdr ph = elf_phdr(&e, i);

		if (ph.p_type != PT_LOAD)
			continue;
		assert_int_equal(ph.p_vaddr - ph.p_paddr, ENTRY_BASE);
		assert_int_equal(ph.p_offset % PAGE_SIZE, ph.p_vaddr % PAGE_SIZE);
		assert_true(ph.p_vaddr >= end);
		assert_true(ph.p_flags & (PF_R | PF_W | PF_X));
		end = ph.p_vaddr + ph.p_memsz;
	}
	assert_int_equal(end, PAYLOAD_AT + 0x2000 + KERNEL_SIZE);
	blob_free(&domain);
}

static void notes_arrive_whole(void **state)
{
	struct blob domain = make_domain(), entry = make_entry();
	const Elf32_Shdr *note = section_of(&entry, ".note.Xen");
	unsigned found = 0;
	struct elf e;

	(void)state;
	assert_true(elf_open(&e, &domain, &err));
	for (unsigned i = 0; i < e.eh.e_phnum; i++) {
		Elf32_Phdr ph = elf_phdr(&e, i);

		if (ph.p_type != PT_NOTE)
			continue;
		found++;
		assert_int_not_equal(ph.p_offset, 0);
		assert_int_equal(ph.p_filesz, note->sh_size);
		assert_memory_equal(domain.p + ph.p_offset, entry.p + note->sh_offset, ph.p_filesz);
	}
	assert_int_equal(found, 1);
	blob_free(&entry);
	blob_free(&domain);
}

static void kernels_from_protocol_2_02_to_2_15_are_taken(void **state)
{
	(void)state;
	for (u16 version = 0x0202; version <= 0x020F; version++) {
		struct blob kernel = make_kernel(version);

		if (!bzimage_check(&kernel, &err))
			fail_msg("0x%04x: %s", version, err.text);
		blob_free(&kernel);
	}
	assert_kernel_refused(make_kernel(0x0201), "boot protocol 2.01, 2.02 to 2.15");
	assert_kernel_refused(make_kernel(0x0210), "boot protocol 2.16");
}

static void kernels_that_cannot_run_are_refused_by_name(void **state)
{
	static const struct {
		u32 at;
		u8 bytes[4];
		u16 version;
		const char *words;
	} cases[] = {
		{0x000, {0x7F, 'E', 'L', 'F'}, 0x0209, "perhaps a vmlinux"},
		{0x1FE, {0, 0, 0xEB, 0x66}, 0x0209, "is no bzImage: it has 0x0000 at 0x1fe"},
		{0x202, {'h', 'd', 'r', 's'}, 0x0209, "is no bzImage: a setup header"},
		{0x200, {0x90, 0x66, 'H', 'd'}, 0x0209, "is no bzImage: a setup header"},
		{0x200, {0xEB, 0x10, 'H', 'd'}, 0x0209, "setup header ends at 0x212, 0x218"},
		{0x200, {0xEB, 0x33, 'H', 'd'}, 0x020C, "setup header ends at 0x235, 0x238"},
		{0x211, {0, 0, 0, 0}, 0x0209, "is a zImage"},
		{0x236, {1, 0, 0, 0}, 0x020C, "is a 64-bit kernel"},
		{0x214, {0, 0, 0, 0}, 0x0209, "code32_start is 0x0"},
		{0x214, {0, 0xFF, 0xFF, 0xFF}, 0x0209, "code32_start is 0xffffff00"},
		{0x214, {0, 0x0E, 0x10, 0}, 0x0209, "code32_start is 0x100e00"},
		{0x260,
		 {0, 0, 0, 0xF0},
		 0x020A,
		 "needs memory up to 0xf0100000, at most 0xe0000000"},
		{0x230, {0, 0, 0, 0xE0}, 0x0205, "needs memory up to 0xe000"},
		{0x1F4, {0, 0, 0, 0}, 0x0209, "is a program of another kind (its syssize is 0)"},
		{0x1F4, {0xE1, 0, 0, 0}, 0x0209, "syssize says 225 paragraphs, the file's 224"},
		{0x1F4, {0, 0, 0, 1}, 0x0209, "is cut short or damaged"},
		{0x1F4, {0xE1, 0, 0, 0}, 0x0203, "is cut short or damaged"},
		{0x1F1, {0, 0, 0, 0xE0}, 0x0209, "is cut short or damaged"},
		{0x1F1, {0, 0, 0, 0}, 0x0209, "is a program of another kind"},
		{0x1F1, {0xFF, 0, 0, 0}, 0x0209, "more than its setup code's 131072 were"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct blob kernel = make_kernel(cases[i].version);

		blob_put(&kernel, cases[i].at, cases[i].bytes, 4);
		assert_kernel_refused(kernel, cases[i].words);
	}
}

static void old_64_bit_kernels_are_told_by_their_code(void **state)
{
	static const u8 sets_lme[] = {0xB9, 0x80, 0,	0, 0xC0, 0x0F, 0x32,
				      0x0F, 0xBA, 0xE8, 8, 0x0F, 0x30};
	struct blob kernel = make_kernel(0x0209), newer = make_kernel(0x020C);

	(void)state;
	blob_put(&kernel, 0x480, sets_lme, sizeof(sets_lme));
	assert_kernel_refused(kernel, "is a 64-bit kernel");
	blob_put(&newer, 0x480, sets_lme, sizeof(sets_lme));
	assert_true(bzimage_check(&newer, &err));
	blob_free(&newer);
}

static void old_syssize_counts_modulo_64k_and_signatures_may_follow(void **state)
{
	struct blob old = make_kernel(0x0203), k = make_kernel(0x0209);

	(void)state;
	old.p[0x1F6] = 0x77;
	assert_true(bzimage_check(&old, &err));
	k.p[0x1F4] -= 8;
	assert_true(bzimage_check(&k, &err));
	blob_free(&k);
	blob_free(&old);
}

static void entries_that_xen_or_mkrom_cannot_use_are_refused(void **state)
{
	struct blob b;

	(void)state;
	b = make_entry();
	section_of(&b, ".payload")->sh_type = SHT_NOBITS;
	assert_entry_refused(b, "has no section .payload with contents");
	b = make_entry();
	section_of(&b, ".payload")->sh_size = 31;
	assert_entry_refused(b, "has no section .payload with contents");
	b = make_entry();
	b.p[section_of(&b, ".payload")->sh_offset] = 'X';
	assert_entry_refused(b, "section .payload was expected to start with VMXENPL2");
	b = make_entry();
	((Elf32_Phdr *)(void *)(b.p + 52))[2].p_type = PT_NULL;
	assert_entry_refused(b, "section .payload was expected in a loadable segment");
	b = make_entry();
	b.p[section_of(&b, ".note.Xen")->sh_offset + 32] = 'Y';
	assert_entry_refused(b, "has no Xen note in a PT_NOTE segment");
	b = make_entry();
	((Elf32_Phdr *)(void *)(b.p + 52))[2].p_paddr += PAGE_SIZE;
	assert_entry_refused(b, "segment at 0xc0101000 is 0xbffff000 above its physical address");
	b = make_entry();
	((Elf32_Ehdr *)(void *)b.p)->e_entry = 4;
	assert_entry_refused(b, "its entry point 0x4 was expected in a loadable segment");
	b = make_entry();
	((Elf32_Phdr *)(void *)(b.p + 52))[2].p_memsz = 0x36000000;
	assert_entry_refused(b, "at most 0xf5800000 was expected");
	b = make_entry();
	((Elf32_Phdr *)(void *)(b.p + 52))[2].p_filesz = ENTRY_BSS + 1;
	assert_entry_refused(b, "segment 2");
}

static void roms_that_fail_a_check_or_are_not_ours_are_refused(void **state)
{
	struct blob rom = make_rom(), entry = make_entry(), kernel = make_kernel(0x0209);
	struct blob out = {0};

	(void)state;
	rom.p[7]++;
	assert_false(domain_wrap(&rom, &entry, &kernel, &out, &err));
	assert_refused("to pass mkrom check, but: header at 0x0000: checksum");
	memset(rom.p + 0x20, 0, 16);
	sum_again(&rom);
	assert_false(domain_wrap(&rom, &entry, &kernel, &out, &err));
	assert_refused("is another ROM, one of vmixen was expected");
	blob_free(&kernel);
	blob_free(&entry);
	blob_free(&rom);
}

/* What follows the image in its file is not the image. */
static void assert_filling_left_out(struct blob rom)
{
	struct blob entry = make_entry(), kernel = make_kernel(0x0209);
	struct blob domain = {0}, filled = {0}, file;

	blob_alloc(&file, "rom", 2 * rom.n, &err);
	memset(file.p, 0xFF, file.n);
	blob_put(&file, 0, rom.p, rom.n);
	assert_true(domain_wrap(&rom, &entry, &kernel, &domain, &err));
	assert_true(domain_wrap(&file, &entry, &kernel, &filled, &err));
	assert_int_equal(filled.n, domain.n);
	assert_memory_equal(filled.p, domain.p, domain.n);
	blob_free(&filled);
	blob_free(&domain);
	blob_free(&file);
	blob_free(&kernel);
	blob_free(&entry);
	blob_free(&rom);
}

static void filling_behind_the_rom_is_left_out(void **state)
{
	(void)state;
	assert_filling_left_out(make_rom());
	assert_filling_left_out(make_parts());
}

static void both_parts_of_the_rom_are_wrapped(void **state)
{
	struct blob rom = make_parts(), first = make_prefix(&rom, PARTS_BODY);
	struct blob entry = make_entry(), kernel = make_kernel(0x0209), domain = {0};
	struct payload payload;

	(void)state;
	assert_true(domain_wrap(&rom, &entry, &kernel, &domain, &err));
	memcpy(&payload, loaded_at(&domain, ENTRY_PAYLOAD, sizeof(payload)), sizeof(payload));
	assert_int_equal(payload.rom[0].size, FAKE_PADDED);
	assert_memory_equal(loaded_at(&domain, PAYLOAD_AT, FAKE_PADDED), rom.p, FAKE_PADDED);
	blob_free(&domain);
	assert_false(domain_wrap(&first, &entry, &kernel, &domain, &err));
	assert_refused("to pass mkrom check, but: header at 0x0000: PCI length");
	rom.p[PARTS_BODY + 9] ^= 1;
	assert_false(domain_wrap(&rom, &entry, &kernel, &domain, &err));
	assert_refused("to pass mkrom check, but: header at 0x0000: body checksum");
	blob_free(&kernel);
	blob_free(&entry);
	blob_free(&first);
	blob_free(&rom);
}

/* Where struct payload says that they are, each from a page on. */
static void the_image_of_each_binding_is_wrapped(void **state)
{
	struct blob roms[] = {make_parts_of(ROM_PV), make_parts_of(ROM_PVH), make_chain()};
	struct blob entry = make_entry(), kernel = make_kernel(0x0209);

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(roms); i++) {
		struct blob domain = {0}, images[ROM_BINDINGS];
		struct payload p;
		u32 at = PAYLOAD_AT;

		assert_true(domain_wrap(&roms[i], &entry, &kernel, &domain, &err));
		assert_true(rom_images(&roms[i], images, &err));
		memcpy(&p, loaded_at(&domain, ENTRY_PAYLOAD, sizeof(p)), sizeof(p));
		for (unsigned b = 0; b < ROM_BINDINGS; b++) {
			bool there = i == b || i == 2;

			assert_int_equal(p.rom[b].size, there ? FAKE_PADDED : 0);
			assert_int_equal(p.rom[b].addr, there ? at : 0);
			if (!there)
				continue;
			assert_memory_equal(loaded_at(&domain, at, FAKE_PADDED), images[b].p,
					    FAKE_PADDED);
			at += 0x2000;
		}
		assert_int_equal(p.kernel.addr, at);
		assert_memory_equal(loaded_at(&domain, at, kernel.n), kernel.p, kernel.n);
		blob_free(&domain);
		blob_free(&roms[i]);
	}
	blob_free(&kernel);
	blob_free(&entry);
}

static void domain_is_no_entry_a_second_time(void **state)
{
	(void)state;
	assert_entry_refused(make_domain(), "has no section .payload");
}

static void no_prefix_of_an_entry_or_a_kernel_is_wrapped(void **state)
{
	struct blob entry = make_entry(), kernel = make_kernel(0x020C);

	(void)state;
	for (size_t n = 0; n < entry.n; n++)
		assert_entry_refused(make_prefix(&entry, n), "expected");
	for (size_t n = 0; n + 15 < kernel.n; n++)
		assert_kernel_refused(make_prefix(&kernel, n), "expected");
	blob_free(&kernel);
	blob_free(&entry);
}

/* The sanitizers judge; what is wrapped can be read again. */
static void damaged_entries_and_kernels_are_wrapped_or_refused(void **state)
{
	struct blob entry = make_entry(), kernel = make_kernel(0x020C);

	(void)state;
	for (u32 seed = 0; seed < 20000; seed++) {
		struct blob bad_entry = make_damaged(&entry, seed);
		struct blob bad_kernel = make_damaged(&kernel, seed), out = {0};
		struct elf e;

		bad_kernel.p[0x1F1 + seed % 0x47] ^= (u8)(1 << seed / 71 % 8);
		bzimage_check(&bad_kernel, &err);
		if (wrap(&bad_entry, &kernel, &out) && !elf_open(&e, &out, &err))
			fail_msg("seed %u: %s", seed, err.text);
		blob_free(&out);
		blob_free(&bad_kernel);
		blob_free(&bad_entry);
	}
	blob_free(&kernel);
	blob_free(&entry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domain_holds_entry_rom_and_kernel_at_the_told_addresses),
		cmocka_unit_test(segments_keep_their_distance_and_do_not_overlap),
		cmocka_unit_test(notes_arrive_whole),
		cmocka_unit_test(kernels_from_protocol_2_02_to_2_15_are_taken),
		cmocka_unit_test(kernels_that_cannot_run_are_refused_by_name),
		cmocka_unit_test(old_64_bit_kernels_are_told_by_their_code),
		cmocka_unit_test(old_syssize_counts_modulo_64k_and_signatures_may_follow),
		cmocka_unit_test(entries_that_xen_or_mkrom_cannot_use_are_refused),
		cmocka_unit_test(roms_that_fail_a_check_or_are_not_ours_are_refused),
		cmocka_unit_test(filling_behind_the_rom_is_left_out),
		cmocka_unit_test(both_parts_of_the_rom_are_wrapped),
		cmocka_unit_test(the_image_of_each_binding_is_wrapped),
		cmocka_unit_test(domain_is_no_entry_a_second_time),
		cmocka_unit_test(no_prefix_of_an_entry_or_a_kernel_is_wrapped),
		cmocka_unit_test(damaged_entries_and_kernels_are_wrapped_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
