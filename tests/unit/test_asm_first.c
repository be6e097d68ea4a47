/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The image's first part where a guest finds it, with nothing behind it, of both
 * bindings: what runs there reads nothing else but, in the PVH binding outside of ring 0,
 * two bytes of the vCPU: whether Init has been, and whether the guest has a device with
 * registers in memory.  All else goes on in the window.
 */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <unicorn/unicorn.h>

#include "asm_offsets.h"
#include "include/image.h"
#include "include/layout.h"

#define IMAGE(name, file)                                                                          \
	__asm__(".pushsection .rodata\n\t.balign 16\n" #name ":\n\t.incbin \"" file                \
		"\"\n\t.popsection");                                                              \
	extern const u8 name[];
IMAGE(first_pv, ROM_ELF)
IMAGE(first_pvh, PVH_ELF)

#define PLACE 0xC8000u
#define ROOM 0x4000u /* pages there */
#define STACK 0x20000u
#define CALLER 0x30000u
#define GDT 0x40000u /* a code segment for each ring, and one for the stack */
#define STACK_SEGMENT 0x28u

#define VMI_CALL(id, slot, name, kind, how, text) {id, slot, ROM_##kind, ROM_##how},
static const struct row {
	s16 id, slot;
	u8 kind, how;
} rows[] = {
#include "rom/calls.def"
};

static uc_engine *uc;
static struct rom_header h;
static const u8 *h_image;
static const struct rom_call *table; /* what the image says of its calls */
static u32 first, image;	     /* bytes */
static u32 strayed;		     /* an access behind the first part */
static u32 eax, edx, to;	     /* what came of a call: where the path left the first part */

static void on_read(uc_engine *engine, uc_mem_type type, u64 at, int size, s64 value, void *user)
{
	(void)engine, (void)type, (void)value, (void)user;
	if (at - PLACE < ROOM && at + (u32)size > PLACE + first)
		strayed = (u32)at;
}

static bool on_fetch(uc_engine *engine, uc_mem_type type, u64 at, int size, s64 value, void *user)
{
	(void)engine, (void)type, (void)size, (void)value, (void)user;
	to = (u32)at;
	return false;
}

static void place(const u8 *elf)
{
	const Elf32_Phdr *load = (const void *)(elf + ((const Elf32_Ehdr *)elf)->e_phoff);
	uc_hook hook;

	memcpy(&h, elf + load->p_offset, sizeof(h));
	h_image = elf + load->p_offset;
	table = (const void *)(h_image + h.ext_calls);
	first = (h.ext_first + ROM_UNIT - 1) / ROM_UNIT * ROM_UNIT;
	image = load->p_filesz;
	assert_in_range(h.ext_first, 1, ROOM);
	assert_int_equal(uc_open(UC_ARCH_X86, UC_MODE_32, &uc), UC_ERR_OK);
	uc_mem_map(uc, PLACE, ROOM, UC_PROT_READ | UC_PROT_EXEC);
	uc_mem_map(uc, STACK - 4096, 4096, UC_PROT_READ | UC_PROT_WRITE);
	for (u32 i = 0; i < ROOM; i++)
		uc_mem_write(uc, PLACE + i, i < first ? elf + load->p_offset + i : (u8[]){0xFF}, 1);
	uc_hook_add(uc, &hook, UC_HOOK_MEM_READ, (void *)on_read, NULL, (u64)1, (u64)0);
	uc_hook_add(uc, &hook, UC_HOOK_MEM_FETCH_UNMAPPED, (void *)on_fetch, NULL, (u64)1, (u64)0);
}

/* A call of what stands at that offset, until it leaves the part. */
static void call(u32 offset, u32 number)
{
	u32 esp = STACK - 64, back = CALLER;

	eax = number;
	edx = 0x5A5A5A5A;
	strayed = to = 0;
	uc_mem_write(uc, esp, &back, 4);
	uc_reg_write(uc, UC_X86_REG_ESP, &esp);
	uc_reg_write(uc, UC_X86_REG_EAX, &eax);
	uc_reg_write(uc, UC_X86_REG_EDX, &edx);
	uc_emu_start(uc, PLACE + offset, CALLER, 0, 1000);
	uc_reg_read(uc, UC_X86_REG_EAX, &eax);
	uc_reg_read(uc, UC_X86_REG_EDX, &edx);
	uc_reg_read(uc, UC_X86_REG_EIP, &back);
	if (!to)
		to = back;
	if (strayed)
		fail_msg("what stands at %x, with %x, uses %x", offset, number, strayed - PLACE);
}

/* The vCPU's pages are there, zero but for one byte. */
static void with_vcpu(u32 at, u8 value)
{
	uc_mem_map(uc, A_VCPU & ~4095u, 4 * 4096, UC_PROT_READ);
	uc_mem_write(uc, at, &value, 1);
}

static void without_vcpu(void)
{
	uc_mem_unmap(uc, A_VCPU & ~4095u, 4 * 4096);
}

/* Code of the body's, in the window. */
static bool in_body(u32 at)
{
	return at >= WIN_TEXT + first && at < WIN_TEXT + image;
}

static const struct row *row_of(u32 id)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].id == (s32)id)
			return &rows[i];
	return NULL;
}

/* What the image's own table says that get_reloc answers. */
static u8 told_kind(u32 id)
{
	for (u32 i = 0; i < h.ext_call_count; i++)
		if (table[i].id == (s32)id)
			return table[i].kind;
	return ROM_NONE;
}

/* Calls that are the kernel's own unless it has a device with registers in memory. */
static bool sets_an_entry(u32 id)
{
	const char *names = (const char *)h_image;

	for (u32 i = 0; i < h.ext_call_count; i++)
		if (table[i].id == (s32)id)
			return !strcmp(names + table[i].name, "SetPxE") ||
			       !strcmp(names + table[i].name, "SetPxELong");
	return false;
}

/* Every number that a guest may ask for, and where the answer is a call, its slot. */
static void check_get_reloc(bool all, bool mmio)
{
	u32 calls = h.jump_slots - 2u;

	for (u32 number = 0; number < 4096; number++) {
		const struct row *row = row_of(number);
		u32 answer;

		call(ROM_SLOT_GET_RELOC, number);
		assert_int_equal(to, CALLER);
		answer = edx & 0xFF;
		assert_int_equal(answer,
				 mmio && sets_an_entry(number) ? ROM_CALL : told_kind(number));
		if (number >= calls || !row)
			assert_int_equal(answer, ROM_NONE);
		else if (all || answer != ROM_NONE)
			assert_int_equal(answer, row->kind);
		if (answer != ROM_CALL)
			continue;
		assert_true(in_body(eax));
		answer = eax;
		call(ROM_SLOT_CALLS + number * ROM_SLOT_SIZE, 0);
		assert_int_equal(to, answer);
	}
	call(ROM_SLOT_GET_RELOC, 0x80000000);
	assert_int_equal(edx & 0xFF, ROM_NONE);
	call(ROM_SLOT_GET_RELOC, ~0u);
	assert_int_equal(edx & 0xFF, ROM_NONE);
}

/* --- Init ---------------------------------------------------------------------------------- */

static void make_gdt(void)
{
	uc_x86_mmr gdtr = {.base = GDT, .limit = STACK_SEGMENT + 7};
	u64 data = 0x00CF93000000FFFFull;
	u32 ss = STACK_SEGMENT;

	uc_mem_map(uc, GDT, 4096, UC_PROT_READ);
	for (u32 ring = 0; ring < 4; ring++) {
		u64 code = 0x00CF9B000000FFFFull | (u64)ring << 45;

		uc_mem_write(uc, GDT + (ring + 1) * 8, &code, 8);
	}
	uc_mem_write(uc, GDT + STACK_SEGMENT, &data, 8);
	uc_reg_write(uc, UC_X86_REG_GDTR, &gdtr);
	assert_int_equal(uc_reg_write(uc, UC_X86_REG_SS, &ss), UC_ERR_OK);
}

/* Init in this ring, by both headers' slots: fails and changes nothing, or is the
 * monitor's, which knows its mark. */
static void check_init_in(u32 ring, bool fails)
{
	static const u32 slots[] = {ROM_SLOT_INIT,
				    ROM13_HEADER + ROM13_SLOT_INIT * ROM13_SLOT_SIZE};
	static const int others[] = {UC_X86_REG_EBX, UC_X86_REG_ECX, UC_X86_REG_ESI, UC_X86_REG_EDI,
				     UC_X86_REG_EBP};
	u32 cs = (ring + 1) * 8 | ring, word = 0x12345678;

	for (u32 i = 0; i < ARRAY_SIZE(slots); i++) {
		u8 code[6] = {0};

		assert_int_equal(uc_reg_write(uc, UC_X86_REG_CS, &cs), UC_ERR_OK);
		for (u32 r = 0; r < ARRAY_SIZE(others); r++)
			uc_reg_write(uc, others[r], &word);
		call(slots[i], 0);
		for (u32 r = 0; r < ARRAY_SIZE(others); r++) {
			u32 value = 0;

			uc_reg_read(uc, others[r], &value);
			assert_int_equal(value, word);
		}
		assert_int_equal(edx, 0x5A5A5A5A);
		if (fails) {
			assert_int_equal(to, CALLER);
			assert_int_equal(eax, ~0u);
			continue;
		}
		assert_in_range(to, PLACE, PLACE + first - 1);
		uc_mem_read(uc, to, code, sizeof(code));
		assert_memory_equal(code, "\x0F\x0BVMXN", sizeof(code));
	}
}

/* The same with the window there; paravirtual says whether Init has been. */
static void check_init_with(u8 paravirtual, u32 ring, bool fails)
{
	with_vcpu(A_V_PARAVIRTUAL, paravirtual);
	check_init_in(ring, fails);
	without_vcpu();
}

/* In ring 0 there is no monitor, and no window to look into. */
static void init_of_the_pv_image_fails_in_ring_0_and_after_init(void **state)
{
	(void)state;
	place(first_pv);
	make_gdt();
	check_init_in(0, true);
	check_init_in(3, false);
	check_init_in(1, true);
	uc_close(uc);
}

static void init_of_the_pvh_image_fails_in_ring_0_and_after_init(void **state)
{
	(void)state;
	place(first_pvh);
	make_gdt();
	check_init_in(0, true);
	check_init_with(0, 1, false);
	check_init_with(1, 1, true);
	uc_close(uc);
}

/* --- all else ------------------------------------------------------------------------------- */

/* Slots keep all registers. */
static void check_slots(void)
{
	for (u32 i = 0; i < h.jump_slots - 2u; i++) {
		call(ROM_SLOT_CALLS + i * ROM_SLOT_SIZE, 0x1234567);
		assert_true(in_body(to));
		assert_int_equal(eax, 0x1234567);
		assert_int_equal(edx, 0x5A5A5A5A);
	}
	for (u32 i = ROM13_SLOT_INIT + 1; i < ROM13_SLOTS; i++) {
		call(ROM13_HEADER + i * ROM13_SLOT_SIZE, 0x1234567);
		assert_true(in_body(to));
		assert_int_equal(eax, 0x1234567);
	}
}

static void first_part_of_the_pv_image_stands_alone(void **state)
{
	(void)state;
	place(first_pv);
	check_get_reloc(true, false);
	check_slots();
	uc_close(uc);
}

static void first_part_of_the_pvh_image_stands_alone(void **state)
{
	(void)state;
	place(first_pvh);
	with_vcpu(A_V_HAS_MMIO, 0);
	check_get_reloc(false, false);
	without_vcpu();
	with_vcpu(A_V_HAS_MMIO, 1);
	check_get_reloc(false, true);
	without_vcpu();
	check_slots();
	uc_close(uc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_part_of_the_pv_image_stands_alone),
		cmocka_unit_test(first_part_of_the_pvh_image_stands_alone),
		cmocka_unit_test(init_of_the_pv_image_fails_in_ring_0_and_after_init),
		cmocka_unit_test(init_of_the_pvh_image_fails_in_ring_0_and_after_init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
