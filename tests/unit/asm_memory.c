/* SPDX-License-Identifier: GPL-2.0-only */
/* See asm_memory.h and asm_machine.h. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "asm_memory.h"

/* The linked ROMs, at address 0; they are position independent. */
#define IMAGE(name, file)                                                                          \
	__asm__(".pushsection .rodata\n\t.balign 16\n" #name ":\n\t.incbin \"" file                \
		"\"\n\t.popsection");                                                              \
	extern const u8 name[];
IMAGE(pv_elf, ROM_ELF)
IMAGE(pvh_elf, PVH_ELF)
static const u8 *rom_elf = pv_elf;

#define PAGES(n) ((n)*4096u)
#define EVERYTHING (UC_PROT_READ | UC_PROT_WRITE | UC_PROT_EXEC)

static struct region {
	u32 base, size;
	uc_prot prot;
	u8 *host;
} regions[] = {
	{WIN_TEXT, PAGES(WIN_TEXT_PAGES), UC_PROT_READ | UC_PROT_EXEC, NULL},
	{WIN_HYPERCALL, PAGES(1), UC_PROT_READ | UC_PROT_EXEC, NULL},
	{WIN_SHARED, PAGES(3), UC_PROT_READ | UC_PROT_WRITE, NULL},
	{WIN_VCPU, PAGES(4), UC_PROT_READ | UC_PROT_WRITE, NULL},
	{WIN_GDT, PAGES(WIN_GDT_PAGES), UC_PROT_READ | UC_PROT_WRITE, NULL},
	{WIN_GDT + PAGES(WIN_GDT_PAGES), PAGES(1), UC_PROT_READ | UC_PROT_WRITE,
	 NULL}, /* and TSS */
	{WIN_STACK, PAGES(WIN_STACK_PAGES), UC_PROT_READ | UC_PROT_WRITE, NULL},
	{WIN_RUN, PAGES(1), UC_PROT_READ | UC_PROT_EXEC, NULL},
	{WIN_VCPU_BINDING, PAGES(WIN_VCPU_BINDING_PAGES), UC_PROT_READ | UC_PROT_WRITE, NULL},
	{WIN_MONITOR, PAGES(WIN_MONITOR_PAGES + WIN_BINDING_PAGES), UC_PROT_READ | UC_PROT_WRITE,
	 NULL},
	{WIN_GMFN, PAGES(2), UC_PROT_READ | UC_PROT_WRITE, NULL},
	{WIN_HEADS, PAGES(1), UC_PROT_READ | UC_PROT_WRITE, NULL},
	{WIN_POOL, PAGES(8), UC_PROT_READ, NULL},
	{LINEAR, PAGES(HOLE), EVERYTHING, NULL},
	{LINEAR + PAGES(HOLE_END), PAGES(GUEST_PAGES - HOLE_END), EVERYTHING, NULL},
	{EDGE - PAGES(1), PAGES(1), UC_PROT_READ | UC_PROT_WRITE, NULL},
};

/* A byte that was written, and what it was. */
static struct written {
	u32 at;
	u8 old;
	bool free; /* nobody asks why */
} written[65536];
static u32 writes, first_of_run;

static struct wanted {
	u32 at;
	u8 value;
} wanted[256];
static u32 wants;

void *host_address(u32 at, u32 bytes)
{
	for (u32 i = 0; i < ARRAY_SIZE(regions); i++)
		if (at - regions[i].base < regions[i].size &&
		    regions[i].size - (at - regions[i].base) >= bytes)
			return regions[i].host + (at - regions[i].base);
	fail_msg("nothing is at %08x", at);
	return NULL;
}

u32 peek(u32 at)
{
	u32 value;

	memcpy(&value, host_address(at, 4), 4);
	return value;
}

u8 peek8(u32 at)
{
	return *(u8 *)host_address(at, 1);
}

static void note(u32 at, u32 bytes, bool is_free)
{
	for (u32 i = 0; i < bytes; i++) {
		if (writes == ARRAY_SIZE(written))
			fail_msg("too many writes");
		written[writes++] = (struct written){at + i, peek8(at + i), is_free};
	}
}

void scribble(u32 at, u32 value)
{
	note(at, 4, true);
	memcpy(host_address(at, 4), &value, 4);
}

void scribble8(u32 at, u8 value)
{
	note(at, 1, true);
	*(u8 *)host_address(at, 1) = value;
}

void poke(u32 at, u32 value)
{
	scribble(at, value);
}

void poke8(u32 at, u8 value)
{
	scribble8(at, value);
}

static void on_write(uc_engine *uc, uc_mem_type type, u64 at, int size, s64 value, void *user)
{
	(void)uc;
	(void)type;
	(void)value;
	(void)user;
	note((u32)at, (u32)size, false);
}

void memory_restore(void)
{
	while (writes) {
		const struct written *w = &written[--writes];

		*(u8 *)host_address(w->at, 1) = w->old;
	}
	first_of_run = wants = 0;
}

void memory_begins(void)
{
	first_of_run = writes;
}

u8 before8(u32 at)
{
	for (u32 i = first_of_run; i < writes; i++)
		if (written[i].at == at)
			return written[i].old;
	return peek8(at);
}

u32 before(u32 at)
{
	return before8(at) | (u32)before8(at + 1) << 8 | (u32)before8(at + 2) << 16 |
	       (u32)before8(at + 3) << 24;
}

/* --- what a run may write ------------------------------------------------------------- */

void want8(u32 at, u8 value)
{
	assert_true(wants < ARRAY_SIZE(wanted));
	wanted[wants++] = (struct wanted){at, value};
}

void want(u32 at, u32 value)
{
	for (u32 i = 0; i < 4; i++)
		want8(at + i, (u8)(value >> i * 8));
}

static bool is_wanted(u32 at)
{
	for (u32 i = 0; i < wants; i++)
		if (wanted[i].at == at)
			return true;
	return false;
}

static bool is_scratch(u32 at)
{
	static const struct {
		u32 at, bytes;
	} own[] = {
		{WIN_STACK, PAGES(WIN_STACK_PAGES)},
		{A_V_EAX, 32},
		{A_V_SS, 4},
		{A_V_DS, 4},
		{A_V_ES, 4},
		{A_V_VECTOR, 4},
		{A_V_TRAP_ESP, 4},
		{A_V_EXIT_ESP, 4},
		{A_V_CALL_ESP, 4},
		{A_V_ARGUMENT, 8},
		{A_V_ERROR, 4},
		{A_V_NMI, 1},
		{A_V_VIF, 4},
		{A_V_PEND, 1},
		{A_X_PENDING, 1},
		{A_X_MASK, 1},
	};

	for (u32 i = 0; i < ARRAY_SIZE(own); i++)
		if (at - own[i].at < own[i].bytes)
			return true;
	return machine.gpr[ESP] - 1 - at < 128;
}

void check_memory(void)
{
	for (u32 i = 0; i < wants; i++)
		if (peek8(wanted[i].at) != wanted[i].value)
			fail_msg("the byte at %08x is %02x and should be %02x", wanted[i].at,
				 peek8(wanted[i].at), wanted[i].value);
	for (u32 i = first_of_run; i < writes; i++)
		if (!written[i].free && !is_wanted(written[i].at) && !is_scratch(written[i].at))
			fail_msg("the byte at %08x was written", written[i].at);
}

/* --- the image -------------------------------------------------------------------------- */

void memory_of_pvh(void)
{
	rom_elf = pvh_elf;
}

static const Elf32_Ehdr *elf_header(void)
{
	return (const Elf32_Ehdr *)rom_elf;
}

static const Elf32_Shdr *sections(void)
{
	return (const Elf32_Shdr *)(rom_elf + elf_header()->e_shoff);
}

static const Elf32_Shdr *section(u32 type)
{
	const Elf32_Shdr *s = sections();

	for (u32 i = 0; i < elf_header()->e_shnum; i++)
		if (s[i].sh_type == type)
			return &s[i];
	fail_msg("the ROM's ELF file has no section of type %u", type);
	return NULL;
}

static const Elf32_Sym *symbols(u32 *count, const char **names)
{
	const Elf32_Shdr *s = section(SHT_SYMTAB);

	*count = s->sh_size / sizeof(Elf32_Sym);
	*names = (const char *)rom_elf + sections()[s->sh_link].sh_offset;
	return (const Elf32_Sym *)(rom_elf + s->sh_offset);
}

static u32 find_label(const char *name)
{
	const char *names;
	u32 count;
	const Elf32_Sym *s = symbols(&count, &names);

	for (; count; count--, s++)
		if (!strcmp(names + s->st_name, name) && s->st_shndx != SHN_UNDEF)
			return WIN_TEXT + s->st_value;
	fail_msg("the ROM has no label %s", name);
	return 0;
}

u32 label(const char *name)
{
	static struct {
		char name[40];
		u32 at;
	} known[64];
	u32 slot = 0;

	for (const char *c = name; *c; c++)
		slot = (slot * 31 + (u8)*c) % ARRAY_SIZE(known);
	if (strcmp(known[slot].name, name)) {
		known[slot].at = find_label(name);
		assert_true(strlen(name) < sizeof(known[slot].name));
		strcpy(known[slot].name, name);
	}
	return known[slot].at;
}

const char *function_at(u32 at)
{
	const char *names;
	u32 count;
	const Elf32_Sym *s = symbols(&count, &names);

	for (; count; count--, s++)
		if (WIN_TEXT + s->st_value == at && ELF32_ST_TYPE(s->st_info) == STT_FUNC)
			return names + s->st_name;
	return NULL;
}

bool image_has(u32 at)
{
	return at - WIN_TEXT < PAGES(WIN_TEXT_PAGES);
}

/* All of it is in the first section (rom.lds). */
bool image_is_assembly(u32 at)
{
	return at - WIN_TEXT < section(SHT_PROGBITS)->sh_size;
}

bool in_hypercall_page(u32 at)
{
	return at - WIN_HYPERCALL < PAGES(1);
}

/* --- from the beginning ------------------------------------------------------------------ */

/* Flat, for all rings: where the ring decides the machine does it itself. */
static void make_gdt(void)
{
	static const struct {
		u32 selector, access;
	} all[] = {{FLAT_RING1_CS, 0xFB}, {FLAT_RING1_DS, 0xF3}, {USER_DS, 0xF3},
		   {0x73, 0xFB},	  {0x60, 0xFB},		 {0x68, 0xF3},
		   {RING0_SS, 0x93},	  {A_OWN_DS0, 0xF3}};

	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		u32 d[2] = {0x0000FFFF, 0x00CF0000 | all[i].access << 8};

		memcpy(host_address(WIN_GDT + (all[i].selector & ~7u), 8), d, 8);
	}
}

static void make_frames(void)
{
	u32 *gmfn = host_address(WIN_GMFN, PAGES(2));
	u16 *heads = host_address(WIN_HEADS, PAGES(1)), none = (u16)A_SHADOW_NONE;

	for (u32 i = 0; i < PAGES(2) / 4; i++) {
		bool memory = i < GUEST_PAGES && (i < HOLE || i >= HOLE_END);

		gmfn[i] = memory ? MFN(i) : ~0u;
		heads[i] = memory ? none : (u16)A_HEAD_NO_MEMORY;
	}
	poke(A_S_LINEAR_BASE, LINEAR);
	poke(A_S_LINEAR_HOOKED, 7);
	poke(A_S_GUEST_PAGES, GUEST_PAGES);
}

/* libunicorn 2.1, as Debian 13 has it, keeps 32 bytes of each engine that is closed. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libunicorn";
}

void memory_open(uc_engine *uc)
{
	const Elf32_Phdr *load = (const Elf32_Phdr *)(rom_elf + elf_header()->e_phoff);
	uc_hook hook;

	for (u32 i = 0; i < ARRAY_SIZE(regions); i++) {
		struct region *r = &regions[i];

		r->host = mmap(NULL, r->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);
		assert_true(r->host != MAP_FAILED);
		assert_int_equal(uc_mem_map_ptr(uc, r->base, r->size, (u32)r->prot, r->host),
				 UC_ERR_OK);
	}
	memcpy(host_address(WIN_TEXT, load->p_filesz), rom_elf + load->p_offset, load->p_filesz);
	make_gdt();
	make_frames();
	writes = 0;
	uc_hook_add(uc, &hook, UC_HOOK_MEM_WRITE, (void *)on_write, NULL, (u64)1, (u64)0);
}
