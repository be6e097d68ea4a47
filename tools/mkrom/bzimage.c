/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is this a kernel that the domain entry can start?  Field names and offsets
 * are those of Linux's Documentation/x86/boot.txt.
 *
 * 64-bit kernels have a 32-bit entry too, but behind it they switch to long
 * mode, which no 32-bit domain can.  From protocol 2.12 on xloadflags tells.
 * Between about 2.6.22 and 2.11 the decompressor itself enters long mode, in
 * its first page, so its write of EFER.LME is looked for.  Older ones
 * decompress in 32-bit mode and switch in the compressed kernel proper: those
 * cannot be told here.
 */
#define _GNU_SOURCE // memmem
#include <string.h>

#include "layout.h"
#include "mkrom.h"
#include "entry/boot/room.h"

#define SECTOR 512u
#define PARAGRAPH 16u
#define BOOT_FLAG 0xAA55u
#define JUMP_SHORT 0xEBu
#define LOADED_HIGH 0x01u
#define XLF_KERNEL_64 0x0001u
#define VERSION_OLDEST 0x0202u
#define VERSION_SYSSIZE_32 0x0204u
#define VERSION_XLOADFLAGS 0x020Cu
#define VERSION_NEWEST 0x020Fu

struct setup {
	u8 setup_sects; /* 0x1F1: sectors behind the boot sector; 0 means 4 */
	u16 root_flags;
	u32 syssize; /* 0x1F4: in paragraphs; before 2.04 only its low half */
	u16 ram_size, vid_mode, root_dev;
	u16 boot_flag; /* 0x1FE */
	u8 jump;       /* 0x200 */
	u8 length;     /* 0x201: of the header from 0x202 on */
	char header[4];
	u16 version; /* 0x206 */
	u8 unused0[9];
	u8 loadflags; /* 0x211 */
	u16 setup_move_size;
	u32 code32_start; /* 0x214 */
	u8 unused1[30];
	u16 xloadflags; /* 0x236 */
} packed;

#define SETUP_AT 0x1F1u
#define AT(field) (SETUP_AT + offsetof(struct setup, field))
_Static_assert(AT(boot_flag) == 0x1FE && AT(version) == 0x206, "boot protocol");
_Static_assert(AT(loadflags) == 0x211 && AT(code32_start) == 0x214, "boot protocol");
_Static_assert(AT(xloadflags) == 0x236, "boot protocol");

static u32 setup_bytes(const struct setup *s)
{
	return ((s->setup_sects ? s->setup_sects : 4u) + 1) * SECTOR;
}

static bool check_signatures(const struct blob *k, const struct setup *s, struct err *err)
{
	if (s->boot_flag != BOOT_FLAG)
		return refuse(err, "%s: is no bzImage: it has 0x%04x at 0x1fe, 0x%04x was expected",
			      k->name, s->boot_flag, BOOT_FLAG);
	if (s->jump != JUMP_SHORT || memcmp(s->header, "HdrS", sizeof(s->header)) != 0)
		return refuse(err,
			      "%s: is no bzImage: a setup header was expected at 0x200, with a "
			      "jump and \"HdrS\"",
			      k->name);
	return true;
}

static bool check_version(const struct blob *k, const struct setup *s, struct err *err)
{
	size_t need = s->version < VERSION_XLOADFLAGS ? AT(unused1) : AT(xloadflags) + 2;

	if (s->version < VERSION_OLDEST || s->version > VERSION_NEWEST)
		return refuse(err, "%s: has boot protocol %u.%02u, 2.02 to 2.15 was expected",
			      k->name, s->version >> 8, s->version & 0xFFu);
	if (0x202u + s->length < need)
		return refuse(err,
			      "%s: its setup header ends at 0x%x, 0x%zx or more was expected of "
			      "boot protocol %u.%02u",
			      k->name, 0x202u + s->length, need, s->version >> 8,
			      s->version & 0xFFu);
	return true;
}

static bool check_sizes(const struct blob *k, const struct setup *s, struct err *err)
{
	u64 body, found;

	if (k->n <= setup_bytes(s))
		return refuse(err, "%s: has %zu bytes, more than its setup code's %u were expected",
			      k->name, k->n, setup_bytes(s));
	body = (k->n - setup_bytes(s) + PARAGRAPH - 1) / PARAGRAPH;
	if (s->version < VERSION_SYSSIZE_32) {
		found = s->syssize & 0xFFFFu;
		body &= 0xFFFFu;
		if (found == body)
			return true;
	} else {
		/* A signature may stand behind the kernel. */
		found = s->syssize;
		if (!found)
			return refuse(
				err,
				"%s: is a program of another kind (its syssize is 0), a Linux "
				"kernel was expected",
				k->name);
		if (found <= body)
			return true;
	}
	return refuse(err,
		      "%s: is cut short or damaged: syssize says %llu paragraphs, the file's %llu "
		      "were expected",
		      k->name, (unsigned long long)found, (unsigned long long)body);
}

static bool check_load(const struct blob *k, const struct setup *s, struct err *err)
{
	u64 end = KERNEL_AT + (u64)k->n - setup_bytes(s);

	if (!(s->loadflags & LOADED_HIGH))
		return refuse(err, "%s: is a zImage (LOADED_HIGH is clear), a bzImage was expected",
			      k->name);
	if (s->code32_start < KERNEL_AT || s->code32_start >= end)
		return refuse(err,
			      "%s: its code32_start is 0x%x, an address in the kernel, which is "
			      "loaded to 0x%x, was expected",
			      k->name, s->code32_start, KERNEL_AT);
	return true;
}

/* The domain entry asks the same of the domain that it finds itself in. */
static bool check_room(const struct blob *k, struct err *err)
{
	struct room room;

	room_of_kernel(k->p, (u32)k->n, &room);
	if (room.end > (u64)GUEST_PAGES_MAX * PAGE_SIZE)
		return refuse(err,
			      "%s: needs memory up to 0x%llx, at most 0x%x was expected (no domain "
			      "has more)",
			      k->name, (unsigned long long)room.end, GUEST_PAGES_MAX * PAGE_SIZE);
	return true;
}

/* mov ecx, EFER; rdmsr; bts eax, 8 (LME); wrmsr */
static bool enters_long_mode(const struct blob *k, const struct setup *s)
{
	static const u8 code[] = {0xB9, 0x80, 0x00, 0x00, 0xC0, 0x0F, 0x32,
				  0x0F, 0xBA, 0xE8, 0x08, 0x0F, 0x30};
	struct blob page = blob_part(k, setup_bytes(s), PAGE_SIZE);

	return page.n && memmem(page.p, page.n, code, sizeof(code));
}

static bool check_bits(const struct blob *k, const struct setup *s, struct err *err)
{
	bool is_64 = s->version >= VERSION_XLOADFLAGS ? s->xloadflags & XLF_KERNEL_64
						      : enters_long_mode(k, s);

	if (is_64)
		return refuse(err, "%s: is a 64-bit kernel, a 32-bit one was expected", k->name);
	return true;
}

bool bzimage_check(const struct blob *kernel, struct err *err)
{
	struct setup s;
	char elf[4] = "";

	blob_get(kernel, 0, elf, sizeof(elf));
	if (memcmp(elf, "\177ELF", sizeof(elf)) == 0)
		return refuse(err, "%s: is an ELF file, perhaps a vmlinux, a bzImage was expected",
			      kernel->name);
	if (!blob_get(kernel, SETUP_AT, &s, sizeof(s)))
		return refuse(err, "%s: has %zu bytes, a bzImage of more than %zu was expected",
			      kernel->name, kernel->n, SETUP_AT + sizeof(s));
	return check_signatures(kernel, &s, err) && check_version(kernel, &s, err) &&
	       check_sizes(kernel, &s, err) && check_load(kernel, &s, err) &&
	       check_bits(kernel, &s, err) && check_room(kernel, err);
}
