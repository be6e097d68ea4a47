/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The domain entry's first and last instructions, of both bindings, as they are linked, on an
 * emulated processor (unicorn).  Its control registers are ours, and so is paging: what the
 * loaded directory has for the two addresses that matter is mapped there.
 */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <unicorn/unicorn.h>
#include <xen/elfnote.h>

#include "asm_offsets.h"
#include "include/base.h"
#include "include/layout.h"

__asm__(".pushsection .rodata\n\t.balign 16\nentry_elf:\n\t.incbin \"" ENTRY_ELF
	"\"\n\t.popsection");
extern const u8 entry_elf[];

#define VIRT_BASE 0xC0000000u
#define P(va) ((va)-VIRT_BASE)
#define MB 0x100000u
#define MEMORY (32 * MB)
#define MOVED (8 * MB)
#define MOVED_BYTES (2 * MB + 4)
#define OWN (16 * MB) /* the monitor's directory, and what is in its window */
#define WINDOW_MEMORY (20 * MB)
#define STACK_IN_WINDOW (WINDOW_BASE + 0x8000u)
#define PDE 0x83u /* present, writable, 4 MB; without accessed and dirty */
#define ENTRY_PDES 128u
#define PDE_FRAME 0xFFC00000u
#define CR0_PG (1u << 31)
#define CR4_PSE (1u << 4)
#define DF 0x400u
#define FLAT_CS 8u
#define FLAT_DS 16u

static uc_engine *uc;
static _Alignas(4096) u8 memory[MEMORY];
static u32 cr[5];

static u32 label(const char *name)
{
	const Elf32_Ehdr *e = (const void *)entry_elf;
	const Elf32_Shdr *s = (const void *)(entry_elf + e->e_shoff);

	for (u32 i = 0; i < e->e_shnum; i++) {
		const Elf32_Sym *symbol = (const void *)(entry_elf + s[i].sh_offset);
		const char *names = (const char *)entry_elf + s[s[i].sh_link].sh_offset;

		if (s[i].sh_type != SHT_SYMTAB)
			continue;
		for (u32 n = 0; n < s[i].sh_size / sizeof(*symbol); n++)
			if (!strcmp(names + symbol[n].st_name, name))
				return symbol[n].st_value;
	}
	fail_msg("the domain entry has no %s", name);
	return 0;
}

/* --- what Xen reads ------------------------------------------------------------------------ */

static u32 note(u32 type)
{
	const Elf32_Ehdr *e = (const void *)entry_elf;
	const Elf32_Phdr *p = (const void *)(entry_elf + e->e_phoff);
	const u8 *at, *end;
	u32 value;

	while (p->p_type != PT_NOTE)
		p++;
	for (at = entry_elf + p->p_offset, end = at + p->p_filesz; at < end;) {
		const Elf32_Nhdr *n = (const void *)at;

		at += sizeof(*n) + 4; /* "Xen" */
		memcpy(&value, at, 4);
		if (n->n_type == type)
			return value;
		at += (n->n_descsz + 3) & ~3u;
	}
	fail_msg("there is no note of type %u", type);
	return 0;
}

static void notes_tell_xen_where_each_binding_begins(void **state)
{
	(void)state;
	assert_int_equal(note(XEN_ELFNOTE_VIRT_BASE), VIRT_BASE);
	assert_int_equal(note(XEN_ELFNOTE_PADDR_OFFSET), 0);
	assert_int_equal(note(XEN_ELFNOTE_ENTRY), label("_start"));
	assert_int_equal(note(XEN_ELFNOTE_HYPERCALL_PAGE), label("hypercall_page"));
	assert_int_equal(note(XEN_ELFNOTE_HYPERCALL_PAGE) % 4096, 0);
	assert_int_equal(note(XEN_ELFNOTE_PHYS32_ENTRY), P(label("start_pvh")));
}

/* --- the processor ------------------------------------------------------------------------- */

static u32 get(int id)
{
	u32 value = 0;

	uc_reg_read(uc, id, &value);
	return value;
}

static void set(int id, u32 value)
{
	uc_reg_write(uc, id, &value);
}

static u32 peek(u32 pa)
{
	u32 value;

	memcpy(&value, memory + pa, 4);
	return value;
}

static void poke(u32 pa, u32 value)
{
	memcpy(memory + pa, &value, 4);
}

static bool is_move_of_cr(u32 at)
{
	u8 code[2] = {0};

	uc_mem_read(uc, at, code, sizeof(code));
	return code[0] == 0x0F && (code[1] & ~2) == 0x20;
}

static void before_instruction(uc_engine *engine, u64 address, u32 size, void *user)
{
	(void)size, (void)user;
	if (is_move_of_cr((u32)address))
		uc_emu_stop(engine);
}

/* What the loaded directory has for va, and 4 MB from there on. */
static void show(u32 va)
{
	u32 pde = cr[0] & CR0_PG ? peek(cr[3] + (va >> 22) * 4) : 0;
	u32 rights = pde & 2 ? UC_PROT_ALL : UC_PROT_READ | UC_PROT_EXEC;

	uc_mem_unmap(uc, va, 4 * MB);
	if (!(pde & 1) || (pde & PDE_FRAME) >= MEMORY)
		return;
	assert_true((cr[4] & CR4_PSE) && (pde & 0x80));
	uc_mem_map_ptr(uc, va, 4 * MB, rights, memory + (pde & PDE_FRAME));
}

static void move_of_cr(u32 at)
{
	static const int ids[] = {UC_X86_REG_EAX, UC_X86_REG_ECX, UC_X86_REG_EDX, UC_X86_REG_EBX,
				  UC_X86_REG_ESP, UC_X86_REG_EBP, UC_X86_REG_ESI, UC_X86_REG_EDI};
	u8 code[3];
	u32 number;

	uc_mem_read(uc, at, code, sizeof(code));
	number = code[2] >> 3 & 7;
	assert_in_range(number, 0, ARRAY_SIZE(cr) - 1);
	if (code[1] == 0x20) {
		set(ids[code[2] & 7], cr[number]);
		return;
	}
	cr[number] = get(ids[code[2] & 7]);
	show(VIRT_BASE);
	show(WINDOW_BASE);
}

/* Runs from there until the processor is there. */
static void run(u32 from, u32 until)
{
	while (from != until) {
		uc_err error = uc_emu_start(uc, from, until, 0, 1000 + MOVED_BYTES);

		from = get(UC_X86_REG_EIP);
		if (error || (from != until && !is_move_of_cr(from)))
			fail_msg("%s, at %08x", uc_strerror(error), from);
		if (from == until)
			break;
		move_of_cr(from);
		from += 3;
	}
}

/* A processor with the domain entry at the begin of memory, and other things in its
 * registers. */
static void begin(void)
{
	const Elf32_Phdr *load =
		(const void *)(entry_elf + ((const Elf32_Ehdr *)entry_elf)->e_phoff);
	uc_hook hook;

	if (uc)
		uc_close(uc);
	memset(memory, 0, MEMORY);
	memcpy(memory, entry_elf + load->p_offset, load->p_filesz);
	assert_int_equal(uc_open(UC_ARCH_X86, UC_MODE_32, &uc), UC_ERR_OK);
	uc_mem_map_ptr(uc, 0, MEMORY, UC_PROT_ALL, memory);
	uc_hook_add(uc, &hook, UC_HOOK_CODE, (void *)before_instruction, NULL, (u64)1, (u64)0);
	memset(cr, 0, sizeof(cr));
	set(UC_X86_REG_EFLAGS, DF | 2);
	set(UC_X86_REG_EBX, 0x11111111);
	set(UC_X86_REG_ESI, 0x22222222);
	set(UC_X86_REG_EDI, 0x33333333);
	set(UC_X86_REG_EBP, 0x44444444);
}

/* --- PV ------------------------------------------------------------------------------------ */

static void pv_c_gets_xens_start_info_and_the_monitor_its_stack(void **state)
{
	(void)state;
	begin();
	uc_mem_map_ptr(uc, VIRT_BASE, 4 * MB, UC_PROT_ALL, memory); /* Xen's tables */
	set(UC_X86_REG_ESP, VIRT_BASE + MB);
	run(label("_start"), label("entry_main"));
	assert_int_equal(get(UC_X86_REG_EAX), 0x22222222);
	assert_int_equal(get(UC_X86_REG_EFLAGS) & DF, 0);
	assert_int_equal(get(UC_X86_REG_ESP), VIRT_BASE + MB - 4);
	set(UC_X86_REG_EAX, VIRT_BASE + 3 * MB);
	set(UC_X86_REG_EDX, VIRT_BASE + 2 * MB);
	run(label("enter_monitor"), VIRT_BASE + 2 * MB);
	assert_int_equal(get(UC_X86_REG_ESP), VIRT_BASE + 3 * MB);
}

/* --- PVH ----------------------------------------------------------------------------------- */

/* The directory there maps memory one to one, and from VIRT_BASE on what begins at `entry`. */
static void check_directory(u32 directory, u32 entry)
{
	for (u32 i = 0; i < 1024; i++) {
		u32 n = i - (VIRT_BASE >> 22), pa = n < ENTRY_PDES ? entry + (n << 22) : i << 22;

		assert_int_equal(peek(directory + i * 4) & ~0x60u, pa | PDE);
	}
}

/* To where C begins, as Xen starts a PVH domain; ESP is at its return address. */
static void start(void)
{
	begin();
	set(UC_X86_REG_ESP, 0xFFFFFFF0); /* no stack */
	run(P(label("start_pvh")), label("pvh_entry_main"));
}

static void pvh_c_begins_on_a_directory_a_stack_and_segments_of_our_own(void **state)
{
	(void)state;
	start();
	assert_int_equal(get(UC_X86_REG_EAX), 0x11111111); /* hvm_start_info */
	assert_int_equal(get(UC_X86_REG_EFLAGS) & DF, 0);
	assert_int_equal(get(UC_X86_REG_ESP), label("stack_top") - 4);
	assert_int_equal(get(UC_X86_REG_CS), FLAT_CS);
	assert_int_equal(get(UC_X86_REG_DS), FLAT_DS);
	assert_int_equal(get(UC_X86_REG_ES), FLAT_DS);
	assert_int_equal(get(UC_X86_REG_SS), FLAT_DS);
	assert_true(cr[0] & CR0_PG);
	assert_true(cr[4] & CR4_PSE);
	assert_int_equal(cr[3], P(label("directory")));
	check_directory(P(label("directory")), 0);
}

/* The domain entry moves; what is at its old place is nothing to it any more. */
static void move(void)
{
	u32 esp = get(UC_X86_REG_ESP);

	set(UC_X86_REG_EAX, MOVED);
	set(UC_X86_REG_EDX, MOVED_BYTES);
	poke(MOVED_BYTES - 4, 0x55555555);
	poke(P(esp), label("start_pvh")); /* the return address */
	run(label("pvh_move"), label("start_pvh"));
	assert_int_equal(get(UC_X86_REG_ESP), esp + 4);
}

static void pvh_the_domain_entry_goes_on_where_it_has_moved_to(void **state)
{
	u32 directory = P(label("directory"));

	(void)state;
	start();
	set(UC_X86_REG_EBX, 1);
	set(UC_X86_REG_ESI, 2);
	set(UC_X86_REG_EDI, 3);
	set(UC_X86_REG_EBP, 4);
	move();
	assert_int_equal(get(UC_X86_REG_EBX), 1);
	assert_int_equal(get(UC_X86_REG_ESI), 2);
	assert_int_equal(get(UC_X86_REG_EDI), 3);
	assert_int_equal(get(UC_X86_REG_EBP), 4);
	assert_int_equal(cr[3], MOVED + directory);
	check_directory(MOVED + directory, MOVED);
	check_directory(directory, 0);
	for (u32 at = 0; at < MOVED_BYTES; at += 4)
		if (at - directory >= 4096)
			assert_int_equal(peek(MOVED + at), peek(at));
	assert_int_equal(peek(MOVED + MOVED_BYTES), 0);
}

/* Memory one to one and the window, and nothing at VIRT_BASE. */
static void make_own_directory(void)
{
	for (u32 i = 0; i < MEMORY >> 22; i++)
		poke(OWN + i * 4, i << 22 | PDE);
	poke(OWN + (WINDOW_BASE >> 22) * 4, WINDOW_MEMORY | PDE);
}

static void pvh_the_monitor_is_entered_on_its_own_directory_and_stack(void **state)
{
	(void)state;
	start();
	move();
	for (u32 at = 0; at < MB; at += 4)
		poke(at, 0x0B0F0B0F); /* ud2 */
	make_own_directory();
	set(UC_X86_REG_EAX, OWN);
	set(UC_X86_REG_EDX, WINDOW_BASE);
	set(UC_X86_REG_ECX, STACK_IN_WINDOW);
	run(label("pvh_enter_monitor"), WINDOW_BASE);
	assert_int_equal(cr[3], OWN);
	assert_int_equal(get(UC_X86_REG_ESP), STACK_IN_WINDOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notes_tell_xen_where_each_binding_begins),
		cmocka_unit_test(pv_c_gets_xens_start_info_and_the_monitor_its_stack),
		cmocka_unit_test(pvh_c_begins_on_a_directory_a_stack_and_segments_of_our_own),
		cmocka_unit_test(pvh_the_domain_entry_goes_on_where_it_has_moved_to),
		cmocka_unit_test(pvh_the_monitor_is_entered_on_its_own_directory_and_stack),
	};

	return cmocka_run_group_tests_name("asm_start", tests, NULL, NULL);
}
