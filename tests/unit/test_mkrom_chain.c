/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file with an image for each binding: mkrom join makes it, and check, inspect and
 * wrap find each image, or say what is wrong with the chain.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mkrom_make.h"

#define SECOND FAKE_PADDED /* where the second image stands */
#define LAST offsetof(struct pci_header, last)
#define CHUNKS offsetof(struct pci_header, chunks)
#define BINDING offsetof(struct rom_header, ext_binding)

static struct err err;

static void assert_has(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("\"%s\" is not in:\n%s", words, text);
}

static char *checked(const struct blob *rom, unsigned *failed)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	*failed = rom_check(rom, f, NULL);
	fclose(f);
	return text;
}

static char *inspected(const struct blob *rom)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_true(rom_inspect(rom, true, f, &err));
	fclose(f);
	return text;
}

/* The chain with size bytes behind it. */
static struct blob make_longer(size_t size, u8 byte)
{
	struct blob chain = make_chain(), file;

	assert_true(blob_alloc(&file, "made", chain.n + size, &err));
	blob_put(&file, 0, chain.p, chain.n);
	memset(file.p + chain.n, byte, size);
	blob_free(&chain);
	return file;
}

static u8 *last_of(struct blob *rom, size_t image, size_t pci)
{
	return rom->p + image + pci + LAST;
}

/* Neither is its file to be joined nor to be wrapped. */
static void assert_nowhere_taken(const struct blob *rom, const char *words)
{
	struct blob entry = make_entry(), kernel = make_kernel(0x0209), out = {0};
	struct blob images[ROM_BINDINGS], other = make_parts_of(ROM_PVH);

	assert_false(domain_wrap(rom, &entry, &kernel, &out, &err));
	assert_has(err.text, words);
	assert_has(err.text, "expected");
	assert_false(rom_join(rom, &other, &out, &err));
	assert_has(err.text, words);
	assert_false(rom_images(rom, images, &err));
	assert_null(out.p);
	blob_free(&other);
	blob_free(&kernel);
	blob_free(&entry);
}

static void joined_images_are_those_of_before_but_for_who_is_the_last(void **state)
{
	struct blob pv = make_parts_of(ROM_PV), pvh = make_parts_of(ROM_PVH), chain;
	size_t differ = 0;

	(void)state;
	assert_true(rom_join(&pv, &pvh, &chain, &err));
	assert_int_equal(chain.n, 2 * FAKE_PADDED);
	assert_int_equal(rom_check(&chain, NULL, NULL), 0);
	assert_memory_equal(chain.p + SECOND, pvh.p, pvh.n);
	assert_int_equal(*last_of(&chain, 0, FAKE_PCI), 0);
	assert_int_equal(*last_of(&chain, 0, FAKE_PCI13), 0);
	assert_int_equal(*last_of(&chain, SECOND, FAKE_PCI), PCI_LAST);
	assert_int_equal(*last_of(&chain, SECOND, FAKE_PCI13), PCI_LAST);
	for (size_t i = 0; i < pv.n; i++)
		differ += chain.p[i] != pv.p[i];
	assert_int_equal(differ, 4); /* and both sums */
	blob_free(&chain);
	blob_free(&pvh);
	blob_free(&pv);
}

static void pv_comes_first_whatever_the_order_and_what_follows_is_left_out(void **state)
{
	struct blob pv = make_parts_of(ROM_PV), pvh = make_parts_of(ROM_PVH);
	struct blob want = make_chain(), chain, filled;

	(void)state;
	assert_true(blob_alloc(&filled, "made", pvh.n + 5000, &err));
	memset(filled.p, 0xFF, filled.n);
	blob_put(&filled, 0, pvh.p, pvh.n);
	assert_true(rom_join(&filled, &pv, &chain, &err));
	assert_int_equal(chain.n, want.n);
	assert_memory_equal(chain.p, want.p, want.n);
	blob_free(&chain);
	blob_free(&filled);
	blob_free(&want);
	blob_free(&pvh);
	blob_free(&pv);
}

/* What a chain was made of is got back as it was. */
static void images_of_one_part_are_joined_too(void **state)
{
	struct blob pv = make_rom(), pvh = make_rom(), chain, images[ROM_BINDINGS];

	(void)state;
	pvh.p[BINDING] = ROM_PVH;
	sum_again(&pvh);
	assert_true(rom_join(&pv, &pvh, &chain, &err));
	assert_true(rom_images(&chain, images, &err));
	assert_ptr_equal(images[ROM_PVH - 1].p, chain.p + pv.n);
	assert_true(rom_set_last(&images[ROM_PV - 1], true, &err));
	assert_memory_equal(images[ROM_PV - 1].p, pv.p, pv.n);
	assert_memory_equal(images[ROM_PVH - 1].p, pvh.p, pvh.n);
	blob_free(&chain);
	blob_free(&pvh);
	blob_free(&pv);
}

static void two_images_of_one_binding_are_not_joined(void **state)
{
	struct blob pv = make_parts_of(ROM_PV), pvh = make_parts_of(ROM_PVH), chain = make_chain();
	struct blob out = {0};

	(void)state;
	assert_false(rom_join(&pv, &pv, &out, &err));
	assert_string_equal(err.text, "made: has an image for PV domains, as made has, one for "
				      "others was expected");
	assert_false(rom_join(&pvh, &chain, &out, &err));
	assert_has(err.text, "has an image for PVH domains, as made has");
	assert_null(out.p);
	blob_free(&chain);
	blob_free(&pvh);
	blob_free(&pv);
}

/* A change of up to 4 bytes, and the line that it leads to. */
static void every_fault_of_a_chain_has_its_line_and_is_refused(void **state)
{
	static const struct {
		u32 at;
		u8 bytes[4], size;
		const char *line;
	} faults[] = {
		{SECOND + 2,
		 {0},
		 1,
		 "0x1800 length       FAILED: expected 5120 bytes, to the first part"},
		{SECOND + 2, {9}, 1, "0x1800 length       FAILED: expected 5120 bytes"},
		{SECOND + FAKE_PCI + CHUNKS, {0}, 1, "0x1800 PCI length   FAILED"},
		{SECOND + FAKE_PCI + CHUNKS, {13}, 1, "0x1800 PCI length   FAILED"},
		{SECOND + FAKE_PCI + CHUNKS, {0, 0xFF}, 2, "0x1800 PCI length   FAILED"},
		{SECOND + FAKE_PCI, {'X'}, 1, "0x1800 PCI          FAILED: expected \"PCIR\""},
		{SECOND + 0x18, {0, 0}, 2, "0x1800 PCI          FAILED: expected \"PCIR\""},
		{SECOND + FAKE_PCI + LAST,
		 {0},
		 1,
		 "0x1800 PCI last     FAILED: expected bit 7 set"},
		{SECOND + BINDING,
		 {ROM_PV},
		 1,
		 "0x1800 binding      FAILED: expected 1 (PV) or 2 (PVH), each once, found 1 (PV, "
		 "again)"},
		{SECOND + BINDING, {3}, 1, "0x1800 binding      FAILED"},
		{SECOND,
		 {0x56},
		 1,
		 "0x0000 length       FAILED: expected 12288 bytes, to the file's"},
		{SECOND + 0x20, {0}, 1, "0x1800 extension    ok (none)"}, /* another VMI ROM */
		{SECOND + PARTS_BODY + 9, {0x99}, 1, "0x1800 body checksum FAILED"},
		{FAKE_PCI + LAST,
		 {0x80},
		 1,
		 "0x0000 PCI last     FAILED: expected bit 7 clear, for an image follows"},
		{FAKE_PCI + CHUNKS, {0}, 1, "0x0000 PCI length   FAILED"},
		{FAKE_PCI + CHUNKS, {11}, 1, "0x0000 length       FAILED"},
		{FAKE_PCI + CHUNKS, {24}, 1, "0x0000 PCI last     FAILED"}, /* to the file's end */
		{FAKE_PCI + CHUNKS, {0xFF, 0xFF}, 2, "0x0000 PCI length   FAILED"},
		{FAKE_PCI, {'X'}, 1, "0x0000 PCI          FAILED: expected \"PCIR\""},
		{2, {0}, 1, "0x0000 length       FAILED"},
		{BINDING, {ROM_PVH}, 1, "0x1800 binding      FAILED"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		struct blob rom = make_chain();
		unsigned failed;
		char *text;

		blob_put(&rom, faults[i].at, faults[i].bytes, faults[i].size);
		sum_chain_again(&rom);
		text = checked(&rom, &failed);
		assert_has(text, faults[i].line);
		assert_true(failed);
		assert_nowhere_taken(&rom, "to pass mkrom check, but: header at");
		free(text);
		blob_free(&rom);
	}
}

/* mkrom check has nothing against it. */
static void image_by_others_is_no_image_of_a_chain(void **state)
{
	struct blob rom = make_chain();

	(void)state;
	rom.p[SECOND + offsetof(struct rom_header, vmi_signature)]++;
	sum_chain_again(&rom);
	assert_int_equal(rom_check(&rom, NULL, NULL), 0);
	assert_nowhere_taken(&rom, "made: the image at 0x1800 is another ROM, one of vmixen was "
				   "expected");
	blob_free(&rom);
}

static void rubbish_behind_a_chain_is_refused_and_filling_is_not(void **state)
{
	struct blob rubbish = make_longer(700, 0xFE), filled = make_longer(700, 0xFF);
	struct blob chain = make_chain(), images[ROM_BINDINGS];
	unsigned failed;
	char *text = checked(&rubbish, &failed);

	(void)state;
	assert_has(
		text,
		"0x1800 length       FAILED: expected 6844 bytes, to the file's end, found 6144");
	assert_int_equal(failed, 1);
	assert_nowhere_taken(&rubbish, "header at 0x1800: length");
	free(text);
	assert_true(rom_images(&filled, images, &err));
	assert_int_equal(images[1].n, FAKE_PADDED);
	assert_memory_equal(images[1].p, chain.p + SECOND, FAKE_PADDED);
	blob_free(&chain);
	blob_free(&filled);
	blob_free(&rubbish);
}

static void no_prefix_of_a_chain_is_taken(void **state)
{
	struct blob chain = make_chain();

	(void)state;
	for (size_t n = 0; n < chain.n; n += n % 16 == 15 ? 1 : 7) {
		struct blob part = make_prefix(&chain, n), images[ROM_BINDINGS];

		assert_false(rom_images(&part, images, &err));
		assert_has(err.text, "expected");
		blob_free(&part);
	}
	blob_free(&chain);
}

static void inspect_shows_each_image_with_its_binding(void **state)
{
	struct blob chain = make_chain(), pvh = make_parts_of(ROM_PVH);
	char *text = inspected(&chain), *second;

	(void)state;
	assert_true(is_json(text));
	assert_has(text, "\"bytes\": 12288,\n  \"images\": [\n");
	assert_has(text, "\"offset\": 0,\n      \"bytes\": 6144,\n      \"binding\": \"PV\",");
	assert_has(text, "\"offset\": 6144,\n      \"bytes\": 6144,\n      \"binding\": \"PVH\",");
	second = strstr(text, "\"PVH\"");
	assert_has(second, "\"name\": \"CPUID\",");
	assert_has(second, "\"call_table\": 5136,"); /* from the image's start, as all of it */
	assert_has(second, "\"last\": true");
	*second = 0;
	assert_has(text, "\"name\": \"CPUID\",");
	assert_has(text, "\"last\": false");
	assert_null(strstr(text, "\"last\": true"));
	free(text);
	text = inspected(&pvh);
	assert_has(text, "\"offset\": 0,\n      \"bytes\": 6144,\n      \"binding\": \"PVH\",");
	free(text);
	blob_free(&pvh);
	blob_free(&chain);
}

/* The sanitizers judge; what is taken apart lies in the file, and can be joined again. */
static void damaged_chains_are_taken_or_refused(void **state)
{
	struct blob chain = make_chain();
	unsigned taken = 0;

	(void)state;
	for (u32 seed = 0; seed < 1500; seed++) {
		struct blob bad = make_damaged(&chain, seed), images[ROM_BINDINGS];

		bad.p[(seed & 1 ? SECOND : 0) + (seed % 3 ? FAKE_PCI + seed % 24 : seed % 56)] ^=
			(u8)(seed >> 3);
		sum_chain_again(&bad);
		if (!rom_images(&bad, images, &err)) {
			assert_has(err.text, "expected");
			free(seed % 8 ? NULL : inspected(&bad));
		} else {
			taken++;
			assert_ptr_equal(images[0].p, bad.p);
			assert_true(images[1].p + images[1].n <= bad.p + bad.n);
		}
		blob_free(&bad);
	}
	assert_true(taken < 1500);
	blob_free(&chain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joined_images_are_those_of_before_but_for_who_is_the_last),
		cmocka_unit_test(pv_comes_first_whatever_the_order_and_what_follows_is_left_out),
		cmocka_unit_test(images_of_one_part_are_joined_too),
		cmocka_unit_test(two_images_of_one_binding_are_not_joined),
		cmocka_unit_test(every_fault_of_a_chain_has_its_line_and_is_refused),
		cmocka_unit_test(image_by_others_is_no_image_of_a_chain),
		cmocka_unit_test(rubbish_behind_a_chain_is_refused_and_filling_is_not),
		cmocka_unit_test(no_prefix_of_a_chain_is_taken),
		cmocka_unit_test(inspect_shows_each_image_with_its_binding),
		cmocka_unit_test(damaged_chains_are_taken_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
