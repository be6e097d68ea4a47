/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mkrom check and mkrom inspect: every fault of an image has its line, and
 * every call is listed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mkrom_make.h"

static struct err err;

/* What check or inspect prints; free it. */
static char *checked(const struct blob *rom, unsigned *failed)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	*failed = rom_check(rom, f, NULL);
	fclose(f);
	return text;
}

static char *inspected(const struct blob *rom, bool json)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	bool good = rom_inspect(rom, json, f, &err);

	fclose(f);
	if (good)
		return text;
	free(text);
	return NULL;
}

static void assert_has(const char *text, const char *words)
{
	if (!text || !strstr(text, words))
		fail_msg("\"%s\" is not in:\n%s", words, text ? text : "(nothing)");
}

/* The same where only the words of JSON count, with one blank for each white space. */
static void assert_in(const char *json, const char *words)
{
	char *flat = strdup(json), *to = flat;

	for (const char *from = json; *from; from++) {
		bool white = strchr(" \n", *from) != NULL;

		if (!white || to == flat || to[-1] != ' ')
			*to++ = white ? ' ' : *from;
	}
	*to = 0;
	assert_has(flat, words);
	free(flat);
}

/* A ROM as others made them: one header, no extension. */
static struct blob make_foreign(void)
{
	struct blob rom = make_rom();

	memset(rom.p + 0x20, 0, 16);
	memset(rom.p + ROM13_HEADER, 0, 2);
	sum_again(&rom);
	return rom;
}

static void linked_image_passes_every_check(void **state)
{
	struct blob rom = make_rom();
	unsigned failed;
	char *text = checked(&rom, &failed);

	(void)state;
	assert_int_equal(failed, 0);
	assert_has(text, "0x0000 licence      ok (GPL at 0x300)");
	assert_has(text, "0x0800 licence      ok (GPL v2 at 0xb10)");
	assert_has(text, "0x0000 call table   ok (3 rows)");
	free(text);
	blob_free(&rom);
}

/* A change of up to 4 bytes, and the line it leads to. */
struct fault {
	u32 at;
	u8 bytes[4];
	u8 size;
	bool resum; /* keep the checksums right */
	const char *line;
};

static const struct fault faults[] = {
	{0x00, {0x56}, 1, true, "0x0000 signature    FAILED: expected 0xaa55, found 0xaa56"},
	{0x02, {0x0B}, 1, true, "0x0000 length       FAILED"},
	{0x02, {0x00}, 1, true, "0x0000 length       FAILED"},
	{0x02, {0xFF}, 1, true, "0x0000 length       FAILED"},
	{0x802, {0x09}, 1, true, "0x0800 length       FAILED"},
	{0x07, {0x99}, 1, false, "0x0000 checksum     FAILED: expected bytes that sum to 0"},
	{0x807, {0x99}, 1, false, "0x0800 checksum     FAILED"},
	{0x08, {0x64}, 1, true, "0x0000 VMI          FAILED"},
	{0x0D, {4}, 1, true, "0x0000 API          FAILED: expected 3.x or 13.x, found 4.0"},
	{0x80D, {12}, 1, true, "0x0800 API          FAILED"},
	{0x10, {1, 0, 0, 0xF4}, 4, true, "0x0000 virtual_top  FAILED"},
	{0x10, {0, 0, 0, 0xC0}, 4, true, "0x0000 virtual_top  FAILED"},
	{0x10, {0, 0, 0, 0}, 4, true, "0x0000 virtual_top  FAILED"},
	{0x16, {0, 0}, 2, true, "0x0000 licence      FAILED"},
	{0x16, {0xFF, 0xFF}, 2, true, "0x0000 licence      FAILED"},
	{0x303, {'3'}, 1, true, "0x0000 licence      FAILED"},
	{0x18, {0, 0}, 2, true, "0x0000 PCI          FAILED"},
	{0x18, {0xF0, 0xFF}, 2, true, "0x0000 PCI          FAILED"},
	{0x320, {'Q'}, 1, true, "0x0000 PCI          FAILED"},
	{0x324, {0x86, 0x80}, 2, true, "0x0000 PCI device   warning"},
	{0x330, {1}, 1, true, "0x0000 PCI length   FAILED"},
	{0x335, {0}, 1, true, "0x0000 PCI last     FAILED: expected bit 7 set, found 0x00"},
	{0x1A, {0xF0, 0xFF}, 2, true, "0x0000 PnP          FAILED"},
	{0x340, {'?'}, 1, true, "0x0000 PnP          FAILED"},
	{0x345, {1}, 1, true, "0x0000 PnP length   FAILED"},
	{0x349, {0x99}, 1, true, "0x0000 PnP checksum FAILED"},
	{0x34E, {0xFF, 0xFF}, 2, true, "0x0000 manufacturer FAILED"},
	{0x350, {0xFF, 0xFF}, 2, true, "0x0000 product      FAILED"},
	{0x03, {0x90}, 1, true, "0x0000 entry16      FAILED"},
	{0x03, {0xEB, 0x80}, 2, true, "0x0000 entry16      FAILED"},
	{0x03, {0xEB, 0x20}, 2, true, "0x0000 entry16      ok"},
	{0x03, {0xE9, 0xFF, 0x7F}, 3, true, "0x0000 entry16      FAILED"},
	{0x03, {0xE9, 0x00, 0x10}, 3, true, "0x0000 entry16      ok"},
	{0x0E, {0}, 1, true, "0x0000 slots        ok"},
	{0x0E, {0xFF}, 1, true, "0x0000 slots        FAILED"},
	{0x2C, {0, 0, 1}, 3, true, "0x0000 used         FAILED"},
	{0x28, {0, 0, 1}, 3, true, "0x0000 start        FAILED"},
	{0x34,
	 {0},
	 1,
	 true,
	 "0x0000 binding      FAILED: expected 1 (PV) or 2 (PVH), each once, found 0 (none)"},
	{0x34, {3}, 1, true, "0x0000 binding      FAILED"},
	{0x37,
	 {1},
	 1,
	 true,
	 "0x0000 binding      FAILED: expected 1 (PV) or 2 (PVH), each once, found 16777217"},
	{0x34, {2}, 1, true, "0x0000 binding      ok (2 (PVH))"},
	{0x24, {0xFF, 0xFF}, 2, true, "0x0000 call table   FAILED: expected rows inside"},
	{0x26, {0xFF, 0xFF}, 2, true, "0x0000 call table   FAILED: expected rows inside"},
	{0x404, {9}, 1, true, "row 0 (number 0, slot 5): unknown kind"},
	{0x405, {9}, 1, true, "row 0 (number 0, slot 5): unknown implementation"},
	{0x406, {0xFF, 0xFF}, 2, true, "row 0 (number 0, slot 5): no name"},
	{0x408, {0, 0, 0, 0}, 4, true, "row 0 (number 0, slot 5): no code"},
	{0x40A, {0xFF}, 1, true, "row 0 (number 0, slot 5): code outside the image"},
	{0x402, {4, 0}, 2, true, "row 0 (number 0, slot 4): a slot of the header"},
	{0x402, {99, 0}, 2, true, "row 0 (number 0, slot 99): number or slot out of range"},
	{0x40C, {0, 0}, 2, true, "row 1 (number 0, slot 6): a call that another row has"},
	{0x41A, {0xFF, 0xFF}, 2, true, "row 2 (number -1, slot -1): neither number nor slot"},
	{0x41C, {1}, 1, true, "row 2 (number -1, slot 28): offered though absent"},
	{0x420, {1}, 1, true, "row 2 (number -1, slot 28): code though absent"},
	{0x440, {'X'}, 1, true, "0x0000 call names   warning"},
	{0x800, {0}, 1, true, "0x0000 13.x header  FAILED"},
};

/* Of an image in two parts. */
static const struct fault faults_of_parts[] = {
	{0x02,
	 {0x0B},
	 1,
	 true,
	 "0x0000 length       FAILED: expected 5120 bytes, to the first part's"},
	{0x802,
	 {0x08},
	 1,
	 true,
	 "0x0800 length       FAILED: expected 3072 bytes, to the first part's"},
	{0x07, {0x99}, 1, false, "0x0000 checksum     FAILED"},
	{0x807, {0x99}, 1, false, "0x0800 checksum     FAILED"},
	{0x1500, {0x99}, 1, false, "0x0000 body checksum FAILED: expected bytes that sum to 0"},
	{0x1400, {0x99}, 1, false, "0x0000 body checksum FAILED"},
	{0x330, {9}, 1, true, "0x0000 PCI length   FAILED"},  /* ends in the first part */
	{0x330, {13}, 1, true, "0x0000 PCI length   FAILED"}, /* behind the file */
	{0x1330,
	 {7},
	 1,
	 true,
	 "0x0800 PCI length   FAILED: expected the image's length, found 3584"},
	{0x16, {0, 0x15}, 2, true, "0x0000 licence      FAILED"}, /* in the body */
	{0x18, {0, 0x15}, 2, true, "0x0000 PCI          FAILED"},
	{0x1A, {0, 0x15}, 2, true, "0x0000 PnP          FAILED"},
	{0x2C, {0xFF, 0x13}, 2, true, "0x0000 body         FAILED"},
	{0x2C, {0x01, 0x18}, 2, true, "0x0000 used         FAILED"},
	{0x30, {0x20, 0}, 2, true, "0x0000 first part   FAILED"},
	{0x30, {0x00, 0x18}, 2, true, "0x0000 first part   FAILED"},
	{0x30, {0xFF, 0xFF, 0xFF, 0xFF}, 4, true, "0x0000 first part   FAILED"},
	{0x30, {0x01, 0x14}, 2, true, "0x0000 length       FAILED"},
	{0x80,
	 {0xE9, 0x7B, 0x15},
	 3,
	 true,
	 "0x0000 parts        FAILED: expected nothing that leaves"},
	{0x24, {0, 0x18}, 2, true, "0x0000 call table   FAILED: expected rows inside"},
	{0x1416, {0xFF, 0xFF}, 2, false, "row 0 (number 0, slot 5): no name"},
	{0x800, {0}, 1, true, "0x0000 13.x header  FAILED"},
	{0x324, {0x86, 0x80}, 2, true, "0x0000 PCI device   warning"},
	{0x04, {0x90}, 1, true, "0x0000 first part   ok (4928 used)"},
	{0x04, {0x90}, 1, true, "0x0000 body         ok (1024 bytes, 768 used)"},
	{0x04, {0x90}, 1, true, "0x0000 call table   ok (3 rows)"},
};

static void assert_faults(struct blob (*make)(void), void (*sum)(struct blob *),
			  const struct fault *f, size_t count)
{
	for (; count; count--, f++) {
		struct blob rom = make();
		bool fails = !strstr(f->line, " ok") && !strstr(f->line, "warning");
		unsigned failed;
		char *text;

		blob_put(&rom, f->at, f->bytes, f->size);
		if (f->resum)
			sum(&rom);
		text = checked(&rom, &failed);
		assert_has(text, f->line);
		if (fails != (failed > 0))
			fail_msg("%u checks failed for: %s", failed, f->line);
		free(text);
		blob_free(&rom);
	}
}

static void every_fault_has_its_line(void **state)
{
	(void)state;
	assert_faults(make_rom, sum_again, faults, ARRAY_SIZE(faults));
}

static void every_fault_of_an_image_in_two_parts_has_its_line(void **state)
{
	(void)state;
	assert_faults(make_parts, sum_first_again, faults_of_parts, ARRAY_SIZE(faults_of_parts));
}

static void empty_slots_are_found_in_both_generations(void **state)
{
	static const struct {
		u32 at, size;
		const char *line;
	} cases[] = {
		{0x80, 8, "0x0000 init         FAILED: expected code, found nothing at 0x80"},
		{0x88, 8, "0x0000 get_reloc    FAILED"},
		{0x90, 8,
		 "0x0000 slots        FAILED: expected code in every counted one, found slot "
		 "2 of 76 empty at 0x90"},
		{0x2D8, 8, "slot 75 of 76 empty at 0x2d8"},
		{0x880, 32, "0x0800 init         FAILED"},
		{0x12A0, 32, "0x0800 get_reloc    FAILED"},
		{0x12E0, 32, "slot 87 of 88 empty at 0xae0"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct blob rom = make_rom();
		unsigned failed;
		char *text;

		memset(rom.p + cases[i].at, 0, cases[i].size);
		sum_again(&rom);
		text = checked(&rom, &failed);
		assert_has(text, cases[i].line);
		assert_true(failed);
		free(text);
		blob_free(&rom);
	}
}

static void rom_by_others_passes_and_is_listed_without_kinds(void **state)
{
	struct blob rom = make_foreign();
	unsigned failed;
	char *text = checked(&rom, &failed);

	(void)state;
	assert_int_equal(failed, 0);
	assert_has(text, "0x0000 extension    ok (none)");
	free(text);
	text = inspected(&rom, true);
	assert_has(text, "\"kind\": null");
	assert_has(text, "\"used\": null");
	assert_has(text, "\"parts\": null");
	free(text);
	blob_free(&rom);
}

static void header_at_a_later_boundary_is_found_and_checked(void **state)
{
	struct blob rom = make_rom();
	struct rom_header h;
	unsigned failed;
	char *text;

	(void)state;
	blob_get(&rom, 0, &h, sizeof(h));
	blob_put(&rom, 0x1000, &h, sizeof(h));
	text = checked(&rom, &failed);
	assert_has(text, "0x1000 length       FAILED");
	free(text);
	blob_free(&rom);
}

/* Images in one file, up to three, and behind them size bytes of filling. */
static struct blob make_file(const struct blob *a, const struct blob *b, const struct blob *c,
			     size_t size, u8 filling)
{
	size_t n[] = {a->n, b ? b->n : 0, c ? c->n : 0};
	struct blob file;

	blob_alloc(&file, "made", n[0] + n[1] + n[2] + size, &err);
	blob_put(&file, 0, a->p, n[0]);
	if (b)
		blob_put(&file, n[0], b->p, n[1]);
	if (c)
		blob_put(&file, n[0] + n[1], c->p, n[2]);
	memset(file.p + n[0] + n[1] + n[2], filling, size);
	return file;
}

/* An option ROM that is no VMI ROM, of two units. */
static struct blob make_other(void)
{
	struct blob rom;

	blob_alloc(&rom, "made", 2 * ROM_UNIT, &err);
	memset(rom.p, 0x90, rom.n);
	memcpy(rom.p, (u8[]){0x55, 0xAA, 2, 0xCB}, 4);
	return rom;
}

static void assert_checked(struct blob file, unsigned failed, const char *line)
{
	unsigned found;
	char *text = checked(&file, &found);

	assert_has(text, line);
	if (found != failed)
		fail_msg("%u checks failed, not %u:\n%s", found, failed, text);
	free(text);
	blob_free(&file);
}

static void filling_behind_an_image_is_a_warning(void **state)
{
	struct blob rom = make_rom(), bad;

	(void)state;
	assert_checked(make_file(&rom, NULL, NULL, 0x2000, 0xFF), 0,
		       "0x0000 length       warning: expected 14336 bytes, to the file's end, "
		       "found 6144 bytes and filling");
	assert_checked(make_file(&rom, NULL, NULL, 1, 0), 0, "0x0000 length       warning");
	assert_checked(make_file(&rom, NULL, NULL, 0x2000, 0xFE), 1,
		       "0x0000 length       FAILED: expected 14336 bytes, to the file's end, "
		       "found 6144 bytes\n");
	bad = make_file(&rom, NULL, NULL, 0x2000, 0xFF);
	bad.p[bad.n - 1] = 0;
	assert_checked(bad, 1, "0x0000 length       FAILED");
	bad = make_file(&rom, NULL, NULL, 0x2000, 0xFF);
	bad.p[bad.n / 2] = 0;
	assert_checked(bad, 1, "0x0000 length       FAILED");
	blob_free(&rom);
}

static void images_of_others_may_stand_before_and_behind(void **state)
{
	struct blob rom = make_rom(), foreign = make_foreign(), other = make_other();

	(void)state;
	assert_checked(make_file(&other, &rom, NULL, 0, 0), 0, "0x0400 VMI          ok");
	assert_checked(make_file(&other, &other, &rom, 100, 0xFF), 0,
		       "0x1000 API          ok (13.3)");
	assert_checked(make_file(&foreign, &other, NULL, 0, 0), 0,
		       "0x0000 PCI last     warning: expected bit 7 clear, for an image follows");
	assert_checked(make_file(&foreign, &foreign, NULL, 0, 0), 0, "0x1800 VMI          ok");
	assert_checked(make_file(&rom, &other, NULL, 0, 0), 2,
		       "0x0000 PCI last     FAILED: expected bit 7 clear, for an image follows");
	foreign.p[FAKE_PCI + offsetof(struct pci_header, last)] = 0;
	sum_again(&foreign);
	assert_checked(make_file(&foreign, &other, NULL, 0, 0), 0, "0x0000 PCI last     ok (0x00)");
	assert_checked(make_file(&other, &foreign, NULL, 0, 0), 0,
		       "0x0400 PCI last     warning: expected bit 7 set");
	rom.p[7]++;
	assert_checked(make_file(&other, &rom, NULL, 0, 0), 1, "0x0400 checksum     FAILED");
	blob_free(&foreign);
	assert_checked(make_file(&other, &other, NULL, 0, 0), 9, "0x0000 VMI          FAILED");
	blob_free(&other);
	blob_free(&rom);
}

/* Padded, and followed by another, an image in two parts is as good as one of one. */
static void image_in_two_parts_ends_where_its_pci_header_says(void **state)
{
	struct blob rom = make_parts(), other = make_other(), bad;

	(void)state;
	assert_checked(make_file(&rom, NULL, NULL, 0, 0), 0, "0x0000 length       ok (5120 bytes)");
	assert_checked(make_file(&rom, NULL, NULL, 0x2000, 0xFF), 0,
		       "0x0000 length       warning: expected 14336 bytes, to the file's end, "
		       "found 6144 bytes and filling");
	assert_checked(make_file(&rom, NULL, NULL, 0x2000, 0xFE), 1,
		       "0x0000 length       FAILED: expected 14336 bytes, to the file's end, "
		       "found 6144 bytes\n");
	assert_checked(make_file(&rom, &other, NULL, 0, 0), 2,
		       "0x0000 PCI last     FAILED: expected bit 7 clear, for an image follows");
	assert_checked(make_chain(), 0, "0x2000 API          ok (13.3)");
	assert_checked(make_file(&other, &rom, NULL, 10, 0xFF), 0,
		       "0x0400 body         ok (1024 bytes, 768 used)");
	bad = make_file(&other, &rom, NULL, 0, 0);
	bad.p[bad.n - 1] ^= 1;
	assert_checked(bad, 1, "0x0400 body checksum FAILED");
	assert_checked(make_prefix(&rom, PARTS_BODY), 5, "0x0000 PCI length   FAILED");
	blob_free(&other);
	blob_free(&rom);
}

/* No guest finds it there. */
static void header_in_a_body_is_none(void **state)
{
	struct blob rom = make_parts();
	struct rom_header h;
	unsigned failed;
	char *text;

	(void)state;
	blob_get(&rom, 0, &h, sizeof(h));
	h.ext_first = 0xE00; /* to 0xE00, so that what stands at 0x1000 is in the body */
	blob_put(&rom, 0, &h, sizeof(h));
	blob_put(&rom, 0x1000, &h, sizeof(h));
	text = inspected(&rom, true);
	assert_in(text, "\"offset\": 2048, \"api\"");
	assert_null(strstr(text, " \"offset\": 4096,"));
	free(text);
	text = checked(&rom, &failed);
	assert_has(text, "0x0800 API");
	assert_null(strstr(text, "0x1000 "));
	free(text);
	blob_free(&rom);
}

static void inspect_tells_what_is_used_and_left_of_each_part(void **state)
{
	struct blob rom = make_parts();
	char *json = inspected(&rom, true), *text = inspected(&rom, false);

	(void)state;
	assert_true(is_json(json));
	assert_in(json, "\"binding\": \"PV\", \"used\": 5888, \"left\": 387328,");
	assert_in(json, "\"call_table\": 5136, \"parts\": [ { \"name\": \"first\", \"offset\": 0, "
			"\"bytes\": 5120, \"used\": 4928, \"left\": 125632, "
			"\"checksum_ok\": true }, { \"name\": \"body\", \"offset\": 5120, "
			"\"bytes\": 1024, \"used\": 768, \"left\": 387328, "
			"\"checksum_ok\": true } ],");
	assert_in(json, "\"bytes\": 6144, \"rom_major\"");
	assert_has(text, "  body\n");
	assert_has(text, "   0    5  CPUID                   CALL_REL asm    0x1600 ");
	free(text);
	free(json);
	rom.p[PARTS_BODY + 0x80] ^= 1;
	json = inspected(&rom, true);
	assert_in(json, "\"left\": 125632, \"checksum_ok\": true");
	assert_in(json, "\"left\": 387328, \"checksum_ok\": false");
	free(json);
	blob_free(&rom);
}

static void text_of_an_image_does_nothing_to_a_terminal(void **state)
{
	struct blob rom = make_rom();
	char *text;

	(void)state;
	memcpy(rom.p + FAKE_VENDOR_STRING, "\x1b[1m\xe9\x07", 7);
	memcpy(rom.p + FAKE_LICENCE, "G\x9b\n", 4);
	memcpy(rom.p + FAKE_NAMES, "\x1b[2J", 5);
	rom.p[FAKE_TABLE] = 99;
	sum_again(&rom);
	assert_checked(make_prefix(&rom, rom.n), 1,
		       "manufacturer ok (\\x1b[1m\\xe9\\x07 at 0x308)");
	assert_true(rom_check(&rom, NULL, &err) == 1);
	assert_has(err.text, "found G\\x9b\\x0a at 0x300");
	text = inspected(&rom, false);
	assert_has(text, "  99    5  \\x1b[2J");
	assert_null(strchr(text, 0x1b));
	free(text);
	blob_free(&rom);
}

static void what_is_escaped_has_its_room(void **state)
{
	char room[16], all[4] = "";

	(void)state;
	escape(room, sizeof(room), "abc\x01\xff\x7f tail");
	assert_string_equal(room, "abc\\x01\\xff\\x7f");
	escape(room, sizeof(room), "0123456789abcdefghi");
	assert_string_equal(room, "0123456789ab");
	escape(all, sizeof(all), "x");
	assert_string_equal(all, "");
}

static void no_prefix_passes(struct blob rom)
{
	for (size_t n = 0; n < rom.n; n++) {
		struct blob part = make_prefix(&rom, n);
		char *text;

		assert_true(rom_check(&part, NULL, &err) > 0);
		assert_has(err.text, "expected");
		text = inspected(&part, true);
		assert_true(!text || is_json(text));
		free(text);
		blob_free(&part);
	}
	blob_free(&rom);
}

static void no_prefix_of_an_image_passes(void **state)
{
	(void)state;
	no_prefix_passes(make_rom());
	no_prefix_passes(make_parts());
}

static void json_is_valid_and_holds_every_call(void **state)
{
	struct blob rom = make_rom();
	char *json = inspected(&rom, true), *text = inspected(&rom, false), want[64];

	(void)state;
	assert_true(is_json(json));
	for (size_t i = 0; i < call_count; i++) {
		snprintf(want, sizeof(want), "\"name\": \"%s\"", calls[i].name);
		assert_has(json, want);
		assert_has(json, calls[i].registers);
		assert_has(text, calls[i].name);
	}
	assert_has(json, "\"product\": \"test \\\"ROM\\\"\"");
	assert_has(text, "   0    5  CPUID                   CALL_REL asm    0x1600 ");
	assert_has(text, "   -   28  INVD                    NONE     absent - ");
	assert_has(text, "  29   35  EnableInterrupts        NONE     absent - ");
	free(text);
	free(json);
	blob_free(&rom);
}

static void call_that_mkrom_does_not_know_is_listed(void **state)
{
	struct blob rom = make_rom();
	char *json, *text;

	(void)state;
	rom.p[FAKE_TABLE] = 99;
	memcpy(rom.p + FAKE_NAMES, "N\"\x80\n", 5);
	json = inspected(&rom, true);
	text = inspected(&rom, false);
	assert_true(is_json(json));
	assert_has(json, "\"name\": \"N\\\"\\u0080\\u000a\"");
	assert_has(text, "  99    5  N\"");
	free(text);
	free(json);
	blob_free(&rom);
}

static void file_without_a_header_is_not_inspected(void **state)
{
	struct blob rom = make_kernel(0x0204);

	(void)state;
	assert_null(inspected(&rom, false));
	assert_has(err.text, "made: has no VMI header at any 2 KB boundary");
	blob_free(&rom);
}

/* The sanitizers judge, and JSON stays valid whatever is in the image. */
static void damaged_are_checked_and_listed(struct blob rom)
{
	for (u32 seed = 0; seed < 1500; seed++) {
		struct blob bad = make_damaged(&rom, seed);
		char *json;

		/* Headers and tables are hit too seldom by chance. */
		bad.p[0x10 + seed % 0x30] ^= (u8)(seed >> 3);
		bad.p[FAKE_PCI + seed % 0x150] ^= (u8)(seed >> 2);
		rom_check(&bad, NULL, &err);
		json = inspected(&bad, true);
		if (json && !is_json(json))
			fail_msg("seed %u gives bad JSON:\n%s", seed, json);
		free(json);
		blob_free(&bad);
	}
	blob_free(&rom);
}

static void damaged_images_are_checked_and_listed(void **state)
{
	(void)state;
	damaged_are_checked_and_listed(make_rom());
	damaged_are_checked_and_listed(make_parts());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(linked_image_passes_every_check),
		cmocka_unit_test(every_fault_has_its_line),
		cmocka_unit_test(every_fault_of_an_image_in_two_parts_has_its_line),
		cmocka_unit_test(empty_slots_are_found_in_both_generations),
		cmocka_unit_test(rom_by_others_passes_and_is_listed_without_kinds),
		cmocka_unit_test(header_at_a_later_boundary_is_found_and_checked),
		cmocka_unit_test(filling_behind_an_image_is_a_warning),
		cmocka_unit_test(images_of_others_may_stand_before_and_behind),
		cmocka_unit_test(image_in_two_parts_ends_where_its_pci_header_says),
		cmocka_unit_test(header_in_a_body_is_none),
		cmocka_unit_test(inspect_tells_what_is_used_and_left_of_each_part),
		cmocka_unit_test(text_of_an_image_does_nothing_to_a_terminal),
		cmocka_unit_test(what_is_escaped_has_its_room),
		cmocka_unit_test(no_prefix_of_an_image_passes),
		cmocka_unit_test(json_is_valid_and_holds_every_call),
		cmocka_unit_test(call_that_mkrom_does_not_know_is_listed),
		cmocka_unit_test(file_without_a_header_is_not_inspected),
		cmocka_unit_test(damaged_images_are_checked_and_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
