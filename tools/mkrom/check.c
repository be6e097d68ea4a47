/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Would a guest, or a BIOS, take this image?  What Linux's check_vmi_rom()
 * tests, what the specification says and what a BIOS's option ROM scan tests,
 * one line a check, for every header at a 2 KB boundary.
 *
 * A file may hold several images, one behind the other as the PCI firmware
 * specification has them (5.1), and some of them by others.  Each is judged as
 * if it were alone; offsets count from the file's start.  Of vmixen's own there
 * may be one for each binding, and their PCI headers must tell which is the last.
 * Of an image in two parts guest and BIOS see the first; what the body must be is
 * checkparts.c's.
 */
#include <stdarg.h>
#include <string.h>

#include "mkrom.h"

#define RETF 0xCB
#define JMP_REL8 0xEB
#define JMP_REL16 0xE9
#define VENDOR_VMWARE 0x15ADu
#define DEVICE_VMI 0x0801u
#define PNP_UNIT 16u
/* A guest of the time has its kernel at 0xC0000000 and needs room above it. */
#define TOP_LOWEST 0xD0000000u
#define MAJOR_3 3
#define MAJOR_13 13
#define MINOR_WITH_GET_RELOC 3
#define ROM13_SLOT_GET_RELOC 85u

void check_row(struct checker *c, enum verdict verdict, const char *name, const char *expected,
	       const char *found, ...)
{
	static const char *const words[] = {"ok", "warning", "FAILED"};
	char raw[160], text[4 * sizeof(raw)];
	va_list ap;

	va_start(ap, found);
	vsnprintf(raw, sizeof(raw), found, ap);
	va_end(ap);
	escape(text, sizeof(text), raw);
	if (verdict == CHECK_FAILED && !c->failed++ && c->first)
		refuse(c->first, "header at 0x%04zx: %s: expected %s, found %s", c->at + c->v.base,
		       name, expected, text);
	if (!c->out)
		return;
	fprintf(c->out, "0x%04zx %-12s %s", c->at + c->v.base, name, words[verdict]);
	if (verdict == CHECK_OK)
		fprintf(c->out, " (%s)\n", text);
	else
		fprintf(c->out, ": expected %s, found %s\n", expected, text);
}

static enum verdict must(bool good)
{
	return good ? CHECK_OK : CHECK_FAILED;
}

static enum verdict should(bool good)
{
	return good ? CHECK_OK : CHECK_WARNING;
}

static void check_signatures(struct checker *c)
{
	check_row(c, must(c->v.h.signature == ROM_SIGNATURE), "signature", "0xaa55", "0x%04x",
		  c->v.h.signature);
	check_row(c, must(c->v.h.vmi_signature == VMI_SIGNATURE), "VMI", "0x696d5663", "0x%08x",
		  c->v.h.vmi_signature);
}

/* Nothing but the byte with which flash memory is filled? */
static bool is_filling(const struct blob *b)
{
	for (size_t i = 0; i < b->n; i++) {
		if (b->p[i] != b->p[0] || (b->p[0] != 0xFF && b->p[0] != 0))
			return false;
	}
	return true;
}

/* Does another image follow this one?  Of a VMI ROM that is broken its own checks tell. */
static bool is_followed(const struct checker *c)
{
	return rom_image_size(&c->rest, c->rom.n) || rom_is_header(&c->rest, c->rom.n);
}

/* Every header of an image counts to the image's end, or to that of the first of its
 * parts.  The file may go on with another image, and with filling. */
static void check_length(struct checker *c)
{
	size_t bytes = c->v.h.length * ROM_UNIT, end = c->seen - c->v.base;
	bool good = bytes == end;
	struct blob behind = blob_part(&c->rest, c->rom.n, c->rest.n);
	bool stray = good && !c->v.base && behind.n && !is_followed(c);
	const char *what = c->seen < c->rom.n ? "first part" : "image";
	char expected[40];

	snprintf(expected, sizeof(expected), "%zu bytes, to the %s's end", stray ? c->rest.n : end,
		 stray ? "file" : what);
	if (stray)
		bytes = c->rom.n;
	if (stray && is_filling(&behind))
		check_row(c, CHECK_WARNING, "length", expected, "%zu bytes and filling", bytes);
	else
		check_row(c, must(good && !stray), "length", expected, "%zu bytes", bytes);
}

static void check_checksum(struct checker *c)
{
	u8 sum = blob_sum(&c->v.in, 0, c->v.in.n);

	check_row(c, must(sum == 0), "checksum", "bytes that sum to 0", "sum 0x%02x", sum);
}

static void check_api(struct checker *c)
{
	u8 major = c->v.h.api_major;

	check_row(c, must(major == MAJOR_3 || major == MAJOR_13), "API", "3.x or 13.x", "%u.%u",
		  major, c->v.h.api_minor);
}

static void check_licence(struct checker *c)
{
	u16 off = c->v.h.licence;
	const char *s = off ? blob_str(&c->v.in, off) : NULL;

	check_row(c, must(s && (!strcmp(s, "GPL") || !strcmp(s, "GPL v2"))), "licence",
		  "\"GPL\" or \"GPL v2\"", "%s at 0x%x", s ? s : "no string", off);
}

static void check_pci(struct checker *c)
{
	u16 off = c->v.h.pci_header;
	struct pci_header pci = {0};
	bool good = off && blob_get(&c->v.in, off, &pci, sizeof(pci)) &&
		    memcmp(&pci.signature, "PCIR", sizeof(pci.signature)) == 0;

	check_row(c, must(good), "PCI", "\"PCIR\" inside the image", "0x%08x at 0x%x",
		  pci.signature, off);
	if (!good)
		return;
	check_row(c, should(pci.vendor == VENDOR_VMWARE && pci.device == DEVICE_VMI), "PCI device",
		  "15ad:0801", "%04x:%04x", pci.vendor, pci.device);
	good = !(pci.last & PCI_LAST) == is_followed(c);
	check_row(c, c->ours ? must(good) : should(good), "PCI last",
		  is_followed(c) ? "bit 7 clear, for an image follows" : "bit 7 set", "0x%02x",
		  pci.last);
}

/* The main header and the 13.x one can share a PCI header, which then has the
 * main header's length.  It is the image's, to the body's end where there is one. */
static void check_pci_length(struct checker *c)
{
	struct pci_header pci;
	bool parts = c->seen < c->rom.n;
	u32 bytes, own = parts ? (u32)(c->rom.n - c->v.base) : c->v.h.length * ROM_UNIT;
	u64 at = c->v.base + c->v.h.pci_header;
	struct rom_view first;
	bool shared;

	if (!c->v.h.pci_header || !blob_get(&c->v.in, c->v.h.pci_header, &pci, sizeof(pci)))
		return;
	shared = c->v.base && rom_is_header(&c->rom, 0) && rom_view(&c->rom, 0, &first) &&
		 first.h.pci_header == at;
	bytes = !shared ? own : parts ? (u32)c->rom.n : first.h.length * ROM_UNIT;
	check_row(c, must(pci.chunks * ROM_UNIT == bytes), "PCI length", "the image's length",
		  "%u bytes of %u", pci.chunks * ROM_UNIT, shared ? bytes : own);
}

static void check_pnp_string(struct checker *c, const char *name, u16 off)
{
	const char *s = off ? blob_str(&c->v.in, off) : "none";

	check_row(c, must(s != NULL), name, "a NUL-ended string inside the image", "%s at 0x%x",
		  s ? s : "no end", off);
}

static void check_pnp(struct checker *c)
{
	u16 off = c->v.h.pnp_header;
	struct pnp_header pnp = {0};
	bool good;
	u32 bytes;

	if (!off) {
		check_row(c, CHECK_OK, "PnP", "", "none");
		return;
	}
	good = blob_get(&c->v.in, off, &pnp, sizeof(pnp)) &&
	       memcmp(&pnp.signature, "$PnP", sizeof(pnp.signature)) == 0;
	check_row(c, must(good), "PnP", "\"$PnP\" inside the image", "0x%08x at 0x%x",
		  pnp.signature, off);
	if (!good)
		return;
	bytes = pnp.size * PNP_UNIT;
	good = bytes >= sizeof(pnp) && blob_has(&c->v.in, off, bytes);
	check_row(c, must(good), "PnP length", "32 bytes or more inside the image", "%u", bytes);
	check_row(c, must(blob_sum(&c->v.in, off, bytes) == 0), "PnP checksum",
		  "bytes that sum to 0", "sum 0x%02x", blob_sum(&c->v.in, off, bytes));
	check_pnp_string(c, "manufacturer", pnp.manufacturer);
	check_pnp_string(c, "product", pnp.product);
}

static void check_top(struct checker *c)
{
	u32 top = c->v.h.virtual_top;

	check_row(c, must(top % PAGE_SIZE == 0 && top >= TOP_LOWEST), "virtual_top",
		  "a page's address from 0xd0000000 on", "0x%08x", top);
}

/* A BIOS far-calls it: it must return at once, or jump to something in the
 * image that does. */
static void check_entry16(struct checker *c)
{
	const u8 *e = c->v.h.entry16;
	s32 at = offsetof(struct rom_header, entry16), to = -1;

	if (e[0] == JMP_REL8)
		to = at + 2 + (s8)e[1];
	else if (e[0] == JMP_REL16)
		to = at + 3 + (s16)(e[1] | e[2] << 8);
	check_row(c, must(e[0] == RETF || (to >= 0 && (size_t)to < c->v.in.n)), "entry16",
		  "retf, or jmp to inside the image", "%02x %02x %02x", e[0], e[1], e[2]);
}

static bool is_empty(const struct blob *b, u32 off, u32 len)
{
	struct blob slot = blob_part(b, off, len);

	for (size_t i = 0; i < slot.n; i++) {
		if (slot.p[i])
			return false;
	}
	return true;
}

static void check_slot(struct checker *c, const char *name, u32 off, u32 len)
{
	bool good = !is_empty(&c->v.in, off, len);

	check_row(c, must(good), name, "code", "%s at 0x%x", good ? "code" : "nothing", off);
}

/* Slots first ... end - 1 of size bytes each, slot 0 at start. */
static void check_slots(struct checker *c, u32 start, u32 size, u32 first, u32 end)
{
	u32 n = first;

	while (n < end && !is_empty(&c->v.in, start + n * size, size))
		n++;
	if (n < end)
		check_row(c, CHECK_FAILED, "slots", "code in every counted one",
			  "slot %u of %u empty at 0x%x", n, end, start + n * size);
	else
		check_row(c, CHECK_OK, "slots", "", "%u", c->v.h.jump_slots);
}

/* Where others count the calls only and not the two slots before them, the
 * last two are not looked at. */
static void check_code(struct checker *c)
{
	const struct rom_header *h = &c->v.h;

	if (h->api_major == MAJOR_3) {
		check_slot(c, "init", ROM_SLOT_INIT, ROM_SLOT_SIZE);
		check_slot(c, "get_reloc", ROM_SLOT_GET_RELOC, ROM_SLOT_SIZE);
		check_slots(c, ROM_SLOT_INIT, ROM_SLOT_SIZE, 0, h->jump_slots);
	} else {
		check_slot(c, "init", ROM13_SLOT_INIT * ROM13_SLOT_SIZE, ROM13_SLOT_SIZE);
		if (h->api_minor >= MINOR_WITH_GET_RELOC)
			check_slot(c, "get_reloc", ROM13_SLOT_GET_RELOC * ROM13_SLOT_SIZE,
				   ROM13_SLOT_SIZE);
		check_slots(c, 0, ROM13_SLOT_SIZE, ROM13_SLOT_INIT, h->jump_slots);
	}
}

static void (*const checks[])(struct checker *) = {
	check_signatures, check_length,	    check_checksum, check_api, check_licence,
	check_pci,	  check_pci_length, check_pnp,	    check_top, check_entry16,
	check_code,	  check_ext,	    check_parts,
};

static void check_header(struct checker *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		checks[i](c);
}

/* The image at c->at, and every VMI header in it. */
static void check_image(struct checker *c, const struct blob *file)
{
	size_t size = rom_image_size(file, c->at), first;
	struct blob seen;

	c->rest = blob_part(file, c->at, file->n);
	c->rom = blob_part(&c->rest, 0, size ? size : c->rest.n);
	if (!rom_view(&c->rom, 0, &c->v)) {
		check_row(c, CHECK_FAILED, "header", "48 bytes or more", "%zu", c->rom.n);
		return;
	}
	c->ours = rom_has_ext(&c->v);
	first = rom_first_size(&c->v);
	c->seen = first && first < c->rom.n ? first : c->rom.n;
	seen = blob_part(&c->rom, 0, c->seen);
	check_header(c);
	for (size_t base = ROM_ALIGN; rom_next_header(&seen, &base); base += ROM_ALIGN) {
		rom_view(&c->rom, base, &c->v);
		check_header(c);
	}
}

unsigned rom_check(const struct blob *file, FILE *out, struct err *first)
{
	struct checker c = {.out = out, .first = first};
	size_t size;

	/* Without any, what is wrong with the file's start is told. */
	if (!rom_next_image(file, &c.at)) {
		c.at = 0;
		check_image(&c, file);
		return c.failed;
	}
	do {
		check_image(&c, file);
		size = rom_image_size(file, c.at);
		c.at += size;
	} while (size && rom_next_image(file, &c.at));
	return c.failed;
}
