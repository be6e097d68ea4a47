/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest, laid out as a PC's boot loader leaves it (Linux boot protocol,
 * Documentation/x86/boot.txt): the protected-mode kernel at 1 MB, boot_params and the
 * command line below it, the ROM in the option-ROM area, and in the BIOS data area what a
 * BIOS leaves there.  mkrom wrap has checked the bzImage.
 */
#include "entry.h"
#include "lib/mem.h"

#define BOOT_PARAMS 0x10000u
#define COMMAND_LINE 0x11000u
#define OPTION_ROM 0xC8000u
#define EBDA 0x9FC00u

/* Setup header and boot_params offsets. */
#define HDR_SETUP_SECTS 0x1F1
#define HDR_JUMP 0x201 /* its operand tells where the header ends */
#define HDR_TYPE_OF_LOADER 0x210
#define HDR_CODE32_START 0x214
#define HDR_RAMDISK_IMAGE 0x218
#define HDR_RAMDISK_SIZE 0x21C
#define HDR_CMD_LINE_PTR 0x228
#define HDR_CMDLINE_SIZE 0x238
#define BP_EXT_MEM_K 0x002
#define BP_ALT_MEM_K 0x1E0
#define BP_E820_COUNT 0x1E8
#define BP_E820 0x2D0

#define E820_RAM 1u
#define E820_RESERVED 2u

static u32 get32(const u8 *p, u32 at)
{
	u32 v;

	memcpy(&v, p + at, 4);
	return v;
}

static void put32(u8 *p, u32 at, u32 v)
{
	memcpy(p + at, &v, 4);
}

/* PV: maps one page at a time in the window's first map slot.  PVH: physical memory is there
 * one to one. */
void copy_to_guest(u32 gpa, const void *from, u32 bytes)
{
	const u8 *in = from;

	if (entry_is_pvh) {
		memcpy((void *)gpa, from, bytes);
		return;
	}
	while (bytes) {
		u32 offset = gpa & (PAGE_SIZE - 1), part = PAGE_SIZE - offset;

		if (part > bytes)
			part = bytes;
		window_map(WIN_SLOTS, ((const u32 *)WIN_GMFN)[gpa >> 12], true);
		memcpy((u8 *)WIN_SLOTS + offset, in, part);
		gpa += part;
		in += part;
		bytes -= part;
	}
}

static u32 text_length(const char *s)
{
	u32 n = 0;

	while (s[n])
		n++;
	return n;
}

static void load_kernel(const u8 *image)
{
	u32 sects = image[HDR_SETUP_SECTS] ? image[HDR_SETUP_SECTS] : 4;
	u32 offset = (sects + 1) * 512;

	copy_to_guest(KERNEL_AT, image + offset, payload.kernel.size - offset);
}

/* Adds entry n to the E820 map, from start to end; the number of entries then. */
static u32 add_e820(u8 *bp, u32 n, u64 start, u64 end, u32 type)
{
	u8 *e = bp + BP_E820 + n * 20;
	u64 size = end - start;

	memcpy(e, &start, 8);
	memcpy(e + 8, &size, 8);
	put32(e, 16, type);
	return n + 1;
}

/* What a PVH domain has behind the monitor's own pages. */
static u32 describe_more(struct layout *l, u8 *bp, u32 n)
{
	const u64 own = (u64)l->guest_pages << 12, more = (u64)l->more_first << 12;

	if (l->more_first < l->more_end) {
		n = add_e820(bp, n, own, more, E820_RESERVED);
		n = add_e820(bp, n, more, (u64)l->more_end << 12, E820_RAM);
	}
	if (l->high_end > FRAMES_4GB)
		n = add_e820(bp, n, (u64)FRAMES_4GB << 12, (u64)l->high_end << 12, E820_RAM);
	return n;
}

static void describe_memory(struct layout *l, u8 *bp)
{
	u32 top = l->guest_pages << 12, n = 0, ext = (top - KERNEL_AT) >> 10;

	n = add_e820(bp, n, 0, EBDA, E820_RAM);
	n = add_e820(bp, n, EBDA, 0xA0000, E820_RESERVED);
	n = add_e820(bp, n, 0xE0000, KERNEL_AT, E820_RESERVED);
	n = add_e820(bp, n, KERNEL_AT, top, E820_RAM);
	bp[BP_E820_COUNT] = (u8)describe_more(l, bp, n);
	put32(bp, BP_ALT_MEM_K, ext);
	bp[BP_EXT_MEM_K] = bp[BP_EXT_MEM_K + 1] = 0xFF;
}

static void describe_initrd(struct layout *l, u8 *bp)
{
	if (!l->initrd_bytes)
		return;
	put32(bp, HDR_RAMDISK_IMAGE, l->initrd);
	put32(bp, HDR_RAMDISK_SIZE, l->initrd_bytes);
}

/* Is word one of the words of text, which blanks separate? */
static bool has_word(const char *text, const char *word)
{
	u32 n = text_length(word);

	for (; *text; text++) {
		bool same = true;

		for (u32 i = 0; i < n && same; i++)
			same = text[i] == word[i];
		if (same && (!text[n] || text[n] == ' '))
			return true;
		while (text[1] && *text != ' ')
			text++;
	}
	return false;
}

static void make_boot_params(struct layout *l, struct start *start, const u8 *image)
{
	static u8 bp[4096];
	const char *text = l->cmd_line;
	u32 end = 0x202u + image[HDR_JUMP];

	memcpy(bp + HDR_SETUP_SECTS, image + HDR_SETUP_SECTS, end - HDR_SETUP_SECTS);
	bp[HDR_TYPE_OF_LOADER] = 0xFF;
	put32(bp, HDR_CMD_LINE_PTR, COMMAND_LINE);
	describe_memory(l, bp);
	describe_initrd(l, bp);
	copy_to_guest(BOOT_PARAMS, bp, sizeof(bp));
	copy_to_guest(COMMAND_LINE, text, text_length(text) + 1);
	start->counters = has_word(text, "vmixen.counters");
	start->boot_params = BOOT_PARAMS;
	start->code32 = get32(image, HDR_CODE32_START);
}

/* Fills the BIOS data area: COM1's port, the EBDA's segment, equipment (an FPU, one serial
 * port) and base memory in KB; and the EBDA's length. */
static void make_bios_data(void)
{
	static const u16 com1 = 0x3F8, ebda = EBDA >> 4, equipment = 0x0202, base = EBDA >> 10;
	static const u8 ebda_kb = 1;

	copy_to_guest(0x400, &com1, 2);
	copy_to_guest(0x40E, &ebda, 2);
	copy_to_guest(0x410, &equipment, 2);
	copy_to_guest(0x413, &base, 2);
	copy_to_guest(EBDA, &ebda_kb, 1);
}

/* Below 1 MB: zeros in RAM, the ROM's first part, and everywhere else from C0000 on ones, as
 * a PC without further ROMs reads there and in which no table can be found. */
static void make_rom_area(void)
{
	static u8 page[PAGE_SIZE];

	for (u32 gpa = 0; gpa < KERNEL_AT; gpa += PAGE_SIZE) {
		if (gpa >= 0xA0000 && gpa < 0xC0000)
			continue;
		memset(page, gpa >= 0xC0000 ? 0xFF : 0, PAGE_SIZE);
		copy_to_guest(gpa, page, PAGE_SIZE);
	}
	copy_to_guest(OPTION_ROM, entry_rom, entry_rom->length * ROM_UNIT);
}

void load_guest(struct layout *l, struct start *start)
{
	const u8 *image = (const u8 *)payload.kernel.addr;

	make_rom_area();
	make_bios_data();
	make_acpi_tables();
	make_smbios_table();
	load_kernel(image);
	make_boot_params(l, start, image);
}
