/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inputs for mkrom's tests, made in memory: a ROM as the linker leaves it, a
 * domain entry, a kernel.  Every blob is a heap block of exactly its size, so
 * that the address sanitizer sees the first byte read beyond its end.
 */
#ifndef MKROM_MAKE_H
#define MKROM_MAKE_H

#include "tools/mkrom/mkrom.h"

#define FAKE_USED 0x1700u /* bytes of the ROM before padding */
#define FAKE_PADDED 0x1800u
#define FAKE_TEXT 0x1600u /* where .text follows .header */
#define FAKE_LICENCE 0x300u
#define FAKE_VENDOR_STRING 0x308u
#define FAKE_PRODUCT_STRING 0x310u
#define FAKE_PCI 0x320u
#define FAKE_PNP 0x340u
#define FAKE_TABLE 0x400u
#define FAKE_ROWS 3u
#define FAKE_NAMES 0x440u
#define FAKE_PCI13 0x1320u

/* The same in two parts: what a guest runs in the gap before the second header, the
 * call table and the code in the body. */
#define PARTS_INIT 0x3C0u
#define PARTS_GET_RELOC 0x3D0u
#define PARTS_USED 0x1340u /* of the first part */
#define PARTS_BODY 0x1400u
#define PARTS_TABLE 0x1410u
#define PARTS_NAMES 0x1450u

#define ENTRY_BASE 0xC0000000u /* virtual minus physical */
#define ENTRY_TEXT 0xC0100000u
#define ENTRY_PAYLOAD 0xC0101000u
#define ENTRY_BSS 0x1234u /* the last segment's size in memory */

#define KERNEL_SIZE 0x1200u

struct section {
	const char *name;
	u32 type, flags, addr;
	const void *data;
	u32 size;
	u32 link;     /* for a symbol table: its strings' number, from 1 */
	u32 segment;  /* program header type to make for it, PT_NULL: none */
	u32 mem_size; /* of the segment; 0: size */
};

/* The header, tables and code; FAKE_USED bytes at p. */
void make_rom_bytes(u8 *p);
struct blob make_elf(const struct section *s, unsigned count, u32 entry);
/* The ROM linked at base.  With more, that section is put behind. */
struct blob make_rom_elf(u32 base, const struct section *more);
/* The finished image. */
struct blob make_rom(void);
/* Both in two parts. */
struct blob make_parts_elf(u32 base, const struct section *more);
struct blob make_parts(void);
/* The same of a binding; make_parts() is of PV. */
struct blob make_parts_of(enum rom_binding binding);
/* An image of each binding, joined: PV, and from FAKE_PADDED on PVH. */
struct blob make_chain(void);
struct blob make_entry(void);
struct blob make_kernel(u16 version);

/* The first n bytes of b, as a block of their own. */
struct blob make_prefix(const struct blob *b, size_t n);
/* b with some random bytes changed; seed tells which. */
struct blob make_damaged(const struct blob *b, u32 seed);
/* A pointer into an ELF file of make_elf(). */
Elf32_Shdr *section_of(struct blob *elf, const char *name);
/* Sum up again after a change; of an image in two parts its first. */
void sum_again(struct blob *rom);
void sum_first_again(struct blob *rom);
/* The same of both images of make_chain(). */
void sum_chain_again(struct blob *rom);
/* Is this one complete JSON value? */
bool is_json(const char *s);

#endif
