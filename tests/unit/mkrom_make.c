/* SPDX-License-Identifier: GPL-2.0-only */
/* Inputs for mkrom's tests; see mkrom_make.h. */
#include <stdlib.h>
#include <string.h>

#include "mkrom_make.h"

static struct blob make_blob(size_t n)
{
	struct blob b = {.name = "made"};
	struct err err = {""};

	if (!blob_alloc(&b, "made", n, &err))
		abort();
	return b;
}

static void make_header(u8 *p, u8 major, u8 minor, u8 slots)
{
	struct rom_header h = {
		.signature = ROM_SIGNATURE,
		.entry16 = {0xCB},
		.vmi_signature = VMI_SIGNATURE,
		.api_major = major,
		.api_minor = minor,
		.jump_slots = slots,
		.virtual_top = 0xF4000000,
		.licence = FAKE_LICENCE,
		.pci_header = FAKE_PCI,
	};

	memcpy(p, &h, sizeof(h));
}

static void make_pci(u8 *p)
{
	struct pci_header pci = {.vendor = 0x15AD, .device = 0x0801, .size = 24, .last = 0x80};

	memcpy(&pci.signature, "PCIR", 4);
	memcpy(p, &pci, sizeof(pci));
}

static void make_pnp(u8 *p)
{
	struct pnp_header pnp = {
		.size = 2,
		.manufacturer = FAKE_VENDOR_STRING,
		.product = FAKE_PRODUCT_STRING,
	};

	memcpy(&pnp.signature, "$PnP", 4);
	memcpy(p, &pnp, sizeof(pnp));
}

/* Two calls that are there and one that is not. */
static void make_table(u8 *p)
{
	static const struct rom_call rows[FAKE_ROWS] = {
		{0, 5, ROM_CALL, ROM_ASM, FAKE_NAMES, FAKE_TEXT},
		{1, 6, ROM_CALL, ROM_C, FAKE_NAMES + 8, FAKE_TEXT + 16},
		{-1, 28, ROM_NONE, ROM_ABSENT, FAKE_NAMES + 16, 0},
	};

	memcpy(p + FAKE_TABLE, rows, sizeof(rows));
	memcpy(p + FAKE_NAMES, "CPUID\0\0\0WRMSR\0\0\0INVD", 20);
}

void make_rom_bytes(u8 *p)
{
	struct rom_header *h = (void *)p, *h13 = (void *)(p + ROM13_HEADER);

	memset(p, 0, FAKE_USED);
	make_header(p, 3, 0, 76);
	h->pnp_header = FAKE_PNP;
	h->ext_signature = ROM_EXT_SIGNATURE;
	h->ext_calls = FAKE_TABLE;
	h->ext_call_count = FAKE_ROWS;
	h->ext_start = FAKE_TEXT;
	h->ext_binding = ROM_PV;
	memset(p + ROM_SLOT_INIT, 0x90, 76 * ROM_SLOT_SIZE);
	memcpy(p + FAKE_LICENCE, "GPL", 4);
	memcpy(p + FAKE_VENDOR_STRING, "vmixen", 7);
	memcpy(p + FAKE_PRODUCT_STRING, "test \"ROM\"", 11);
	make_pci(p + FAKE_PCI);
	make_pnp(p + FAKE_PNP);
	make_table(p);

	make_header((u8 *)h13, 13, 3, ROM13_SLOTS);
	h13->licence = 0x1310 - ROM13_HEADER;
	h13->pci_header = FAKE_PCI13 - ROM13_HEADER;
	memset(p + ROM13_HEADER + ROM13_SLOT_INIT * ROM13_SLOT_SIZE, 0x90,
	       (ROM13_SLOTS - ROM13_SLOT_INIT) * ROM13_SLOT_SIZE);
	memcpy(p + 0x1310, "GPL v2", 7);
	make_pci(p + FAKE_PCI13);
	memset(p + FAKE_TEXT, 0xC3, FAKE_USED - FAKE_TEXT);
}

/* File: header, segments, contents one after the other, section headers. */
struct blob make_elf(const struct section *s, unsigned count, u32 entry)
{
	char names[256] = "";
	u32 name_end = 1, segments = 0, at;
	struct blob b;
	Elf32_Shdr sh[32] = {{0}};
	Elf32_Phdr ph[32] = {{0}};
	Elf32_Ehdr eh = {
		.e_ident = {0x7F, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_386,
		.e_version = EV_CURRENT,
		.e_entry = entry,
		.e_ehsize = sizeof(eh),
		.e_phentsize = sizeof(ph[0]),
		.e_shentsize = sizeof(sh[0]),
		.e_shnum = (u16)(count + 2),
		.e_shstrndx = (u16)(count + 1),
	};

	for (unsigned i = 0; i < count; i++)
		segments += s[i].segment != PT_NULL;
	at = sizeof(eh) + segments * sizeof(ph[0]);
	segments = 0;
	for (unsigned i = 0; i < count; i++) {
		sh[i + 1] = (Elf32_Shdr){name_end,  s[i].type, s[i].flags, s[i].addr, at,
					 s[i].size, s[i].link, 0,	   1,	      0};
		strcpy(names + name_end, s[i].name);
		name_end += strlen(s[i].name) + 1;
		if (s[i].segment != PT_NULL)
			ph[segments++] = (Elf32_Phdr){
				s[i].segment, at,
				s[i].addr,    s[i].addr - ENTRY_BASE,
				s[i].size,    s[i].mem_size ? s[i].mem_size : s[i].size,
				PF_R,	      4};
		if (s[i].type != SHT_NOBITS)
			at += s[i].size;
	}
	strcpy(names + name_end, ".shstrtab");
	sh[count + 1] = (Elf32_Shdr){name_end, SHT_STRTAB, 0, 0, at, name_end + 10, 0, 0, 1, 0};
	eh.e_phoff = segments ? sizeof(eh) : 0;
	eh.e_phnum = (u16)segments;
	eh.e_shoff = at + name_end + 10;
	b = make_blob(eh.e_shoff + (count + 2) * sizeof(sh[0]));
	blob_put(&b, 0, &eh, sizeof(eh));
	blob_put(&b, sizeof(eh), ph, segments * sizeof(ph[0]));
	for (unsigned i = 0; i < count; i++) {
		if (s[i].type != SHT_NOBITS)
			blob_put(&b, sh[i + 1].sh_offset, s[i].data, s[i].size);
	}
	blob_put(&b, at, names, name_end + 10);
	blob_put(&b, eh.e_shoff, sh, (count + 2) * sizeof(sh[0]));
	return b;
}

/* Slots that go to the window, as many as the header counts. */
static void make_slots(u8 *p, u32 size, u32 first, u32 end)
{
	static const u8 code[8] = {0x68, FAKE_TEXT & 0xFF, FAKE_TEXT >> 8, 0, 0xF4, 0xC3, 0xCC,
				   0xCC};

	for (u32 n = first; n < end; n++) {
		memset(p + n * size, 0xCC, size);
		memcpy(p + n * size, code, sizeof(code));
	}
}

static void make_jump(u8 *p, u32 at, u32 to)
{
	u32 distance = to - at - 5;

	p[at] = 0xE9;
	memcpy(p + at + 1, &distance, 4);
}

static void make_parts_bytes(u8 *p)
{
	static const u8 get_reloc[] = {
		0xE8, 0,    0,	  0,	0,	 /* call, pop ecx */
		0x59, 0x83, 0xF8, 3,		 /* cmp eax, 3 */
		0x73, 6,			 /* jae */
		0x8B, 0x84, 0xC1, 0x2B, 0, 0, 0, /* mov eax, [ecx + 0x2B + eax * 8] */
		0xC3, 0x31, 0xC0, 0xC3,		 /* ret; xor eax, eax; ret */
	};
	struct rom_header *h = (void *)p;
	struct rom_call rows[FAKE_ROWS];

	make_rom_bytes(p);
	memcpy(rows, p + FAKE_TABLE, sizeof(rows));
	for (u32 i = 0; i < FAKE_ROWS; i++)
		rows[i].name += PARTS_NAMES - FAKE_NAMES;
	memcpy(p + PARTS_TABLE, rows, sizeof(rows));
	memcpy(p + PARTS_NAMES, p + FAKE_NAMES, 20);
	memset(p + FAKE_TABLE, 0, FAKE_NAMES + 20 - FAKE_TABLE);
	h->ext_calls = PARTS_TABLE;
	h->ext_first = PARTS_USED;
	make_slots(p + ROM_SLOT_INIT, ROM_SLOT_SIZE, 0, 76);
	make_slots(p + ROM13_HEADER, ROM13_SLOT_SIZE, ROM13_SLOT_INIT, ROM13_SLOTS);
	make_jump(p, ROM_SLOT_INIT, PARTS_INIT);
	make_jump(p, ROM_SLOT_GET_RELOC, PARTS_GET_RELOC);
	make_jump(p, ROM13_HEADER + ROM13_SLOT_INIT * ROM13_SLOT_SIZE, PARTS_INIT);
	memcpy(p + PARTS_INIT, (u8[]){0x31, 0xC0, 0xC3}, 3);
	memcpy(p + PARTS_GET_RELOC, get_reloc, sizeof(get_reloc));
}

static struct blob make_linked(u8 *bytes, u32 base, const struct section *more)
{
	static const char strings[] = "\0start\0missing";
	const Elf32_Sym symbols[] = {
		{0},
		{1, base + FAKE_TEXT, 0, ELF32_ST_INFO(STB_GLOBAL, STT_FUNC), 0, 2},
	};
	struct section s[] = {
		{".header", SHT_PROGBITS, SHF_ALLOC, base, bytes, FAKE_TEXT, 0, 0, 0},
		{".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, base + FAKE_TEXT,
		 bytes + FAKE_TEXT, FAKE_USED - FAKE_TEXT, 0, 0, 0},
		{".symtab", SHT_SYMTAB, 0, 0, symbols, sizeof(symbols), 4, 0, 0},
		{".strtab", SHT_STRTAB, 0, 0, strings, sizeof(strings), 0, 0, 0},
		{0},
	};

	if (more)
		s[4] = *more;
	return make_elf(s, more ? 5 : 4, base);
}

struct blob make_rom_elf(u32 base, const struct section *more)
{
	static u8 bytes[FAKE_USED];

	make_rom_bytes(bytes);
	return make_linked(bytes, base, more);
}

struct blob make_parts_elf(u32 base, const struct section *more)
{
	static u8 bytes[FAKE_USED];

	make_parts_bytes(bytes);
	return make_linked(bytes, base, more);
}

static struct blob make_finished(void (*make)(u8 *))
{
	struct blob rom = make_blob(FAKE_PADDED);
	struct err err = {""};

	make(rom.p);
	if (!rom_finish(&rom, FAKE_USED, &err))
		abort();
	return rom;
}

struct blob make_rom(void)
{
	return make_finished(make_rom_bytes);
}

struct blob make_parts(void)
{
	return make_finished(make_parts_bytes);
}

struct blob make_parts_of(enum rom_binding binding)
{
	struct blob rom = make_parts();

	rom.p[offsetof(struct rom_header, ext_binding)] = (u8)binding;
	sum_first_again(&rom);
	return rom;
}

struct blob make_chain(void)
{
	struct blob pv = make_parts_of(ROM_PV), pvh = make_parts_of(ROM_PVH), chain;
	struct err err = {""};

	if (!rom_join(&pv, &pvh, &chain, &err))
		abort();
	blob_free(&pvh);
	blob_free(&pv);
	return chain;
}

struct blob make_entry(void)
{
	static const u8 code[32] = {0xEB, 0xFE};
	/* Name size, content size, type, name, content: the second is Xen's ENTRY. */
	static const u32 notes[] = {4, 4, 1, 0x00554E47, 7, 4, 4, 1, 0x006E6558, ENTRY_TEXT};
	const struct payload payload = {.magic = {'V', 'M', 'X', 'E', 'N', 'P', 'L', '2'}};
	const struct section s[] = {
		{".text", SHT_PROGBITS, SHF_ALLOC, ENTRY_TEXT, code, sizeof(code), 0, PT_LOAD, 0},
		{".note.Xen", SHT_NOTE, 0, 0, notes, sizeof(notes), 0, PT_NOTE, 0},
		{".payload", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, ENTRY_PAYLOAD, &payload,
		 sizeof(payload), 0, PT_LOAD, ENTRY_BSS},
	};

	return make_elf(s, ARRAY_SIZE(s), ENTRY_TEXT);
}

/* One setup sector, 0xE00 bytes of protected-mode code. */
struct blob make_kernel(u16 version)
{
	struct blob k = make_blob(KERNEL_SIZE);
	const u32 syssize = (KERNEL_SIZE - 0x400) / 16, code32_start = 0x100000;
	const u16 boot_flag = 0xAA55;

	memset(k.p + 0x400, 0x55, KERNEL_SIZE - 0x400);
	k.p[0x1F1] = 1;
	memcpy(k.p + 0x1F4, &syssize, 4);
	memcpy(k.p + 0x1FE, &boot_flag, 2);
	memcpy(k.p + 0x200, "\xEB\x66HdrS", 6);
	memcpy(k.p + 0x206, &version, 2);
	k.p[0x211] = 1;
	memcpy(k.p + 0x214, &code32_start, 4);
	return k;
}

struct blob make_prefix(const struct blob *b, size_t n)
{
	struct blob part = make_blob(n);

	blob_put(&part, 0, b->p, n);
	return part;
}

struct blob make_damaged(const struct blob *b, u32 seed)
{
	struct blob copy = make_prefix(b, b->n);

	srand(seed);
	for (int n = 1 + rand() % 8; n > 0; n--)
		copy.p[(size_t)rand() % copy.n] = (u8)(rand() % 3 ? rand() : 0xFF);
	return copy;
}

Elf32_Shdr *section_of(struct blob *elf, const char *name)
{
	const Elf32_Ehdr *eh = (void *)elf->p;
	Elf32_Shdr *sh = (void *)(elf->p + eh->e_shoff);

	for (unsigned i = 1; i < eh->e_shnum; i++) {
		if (strcmp((char *)elf->p + sh[eh->e_shstrndx].sh_offset + sh[i].sh_name, name) ==
		    0)
			return &sh[i];
	}
	abort();
}

void sum_again(struct blob *rom)
{
	rom->p[ROM13_HEADER + 7] -= blob_sum(rom, ROM13_HEADER, rom->n);
	rom->p[7] -= blob_sum(rom, 0, rom->n);
}

void sum_first_again(struct blob *rom)
{
	struct blob first = blob_part(rom, 0, PARTS_BODY);

	sum_again(&first);
}

void sum_chain_again(struct blob *rom)
{
	for (size_t at = 0; at + FAKE_PADDED <= rom->n; at += FAKE_PADDED) {
		struct blob image = blob_part(rom, at, FAKE_PADDED);

		sum_first_again(&image);
	}
}
