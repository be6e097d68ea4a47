/* SPDX-License-Identifier: GPL-2.0-only */
/* See shadow_guest.h: what a script chooses. */
#include "monitor/pv/mmu/paging.h"
#include "shadow_guest.h"
#include "monitor/vmi/vmi.h"
#include "monitor/vcpu.h"

struct script_guest guest;

u8 script_byte(void)
{
	if (!guest.left)
		return 0;
	guest.left--;
	return *guest.script++;
}

u32 script_below(u32 n)
{
	return script_byte() % n;
}

/* Addresses that meet again and again, at the ends of everything; most of a
 * script's are in six slots and four pages of each, and were met just before. */
gva_t some_address(void)
{
	static const u32 slots[] = {0x00000000, 0x00200000, 0x08000000, 0xC0400000, 0xED800000,
				    0xBFE00000, 0x40000000, 0x40600000, 0xBFC00000, 0x00400000,
				    0xF3E00000, 0xF3C00000, 0x80000000, 0xC0000000, 0xC0200000};
	static const u16 pages[] = {0, 1, 511, 8, 7, 255, 256, 510};
	u8 a = script_byte(), b;
	u32 slot, page;

	if (a >= 0x60)
		return guest.recent[a % ARRAY_SIZE(guest.recent)];
	b = script_byte();
	slot = a % 8 < 6 ? guest.slots + a % 8 : a / 8;
	page = b % 8 ? b % 4 : b / 8;
	guest.recent[b / 16 % ARRAY_SIZE(guest.recent)] =
		slots[slot % ARRAY_SIZE(slots)] + pages[page % ARRAY_SIZE(pages)] * PAGE_SIZE +
		(b & 0x80 ? 0xFFC : 0);
	return guest.recent[b / 16 % ARRAY_SIZE(guest.recent)];
}

/* Of tables, too, some are met more often. */
u32 some_table(void)
{
	u8 a = script_byte();

	return a & 0xC0 ? PTS + a % 8 : TABLES + 4 + a % (TABLE_COUNT - 4);
}

static u64 some_flags(void)
{
	u8 a = script_byte(), b = script_byte();
	u64 f = a & 0x67;

	if (b & 7)
		f |= PTE_P;
	if (b & 8)
		f |= PTE_A | PTE_D | PTE_RW;
	if (b & 16)
		f |= PTE_US;
	if ((b & 0xE0) == 0xE0 && model.pae && (model.nx || (a & 0x18) == 0x18))
		f |= PTE_NX;
	return f;
}

u64 some_pte(void)
{
	u8 a = script_byte();
	u64 frame = DATA + script_byte() % 40;

	if (a % 16 == 15)
		frame = HOLE + script_byte() % 40;
	else if (a % 16 == 14)
		frame = some_table();
	else if (a % 16 == 13)
		frame = GUEST_PAGES + script_byte() * 0x100u;
	return frame << 12 | some_flags() | (a & 0x80 ? 0x100 : 0);
}

u64 one_bit_changed(u64 value, u32 n)
{
	static const u64 bits[] = {PTE_RW, PTE_US, PTE_A, PTE_D, PTE_RW, PTE_US, PTE_NX, PTE_P};
	u64 bit = bits[n % ARRAY_SIZE(bits)];

	return value ^ (bit == PTE_NX && !model.pae ? PTE_RW : bit);
}

u64 some_pde(void)
{
	u8 a = script_byte();
	u64 flags = some_flags();

	if (a & 0x10)
		flags |= PTE_P | PTE_RW | PTE_US | PTE_A;
	if ((a & 15) == 15) {
		u32 size = model.pae ? 512 : 1024;

		return (u64)(script_byte() % 4 * size) << 12 | flags | PTE_PSE;
	}
	if ((a & 15) == 14)
		return (u64)(HOLE - 2 + script_byte() % 40) << 12 | flags;
	if ((a & 15) == 13) /* empty frames; they share a map slot with tables */
		return (u64)(some_table() + WIN_SLOT_COUNT) << 12 | flags;
	return (u64)some_table() << 12 | flags;
}

/* An entry that some address leads to, or any. */
struct place some_place(bool *directory)
{
	struct place p = nowhere;
	gva_t va = some_address();
	u8 a = script_byte();

	*directory = a & 1;
	if (a & 6)
		p = *directory ? model_pde(va) : model_pte(va, model_read(model_pde(va)));
	if (p.gpfn < TABLES || p.gpfn >= PGD || model_is_fixed(p))
		p = (struct place){some_table(), *directory && model.pae ? va >> 21 & 511
						 : *directory		 ? va >> 22
									 : (va >> 12) % entries()};
	if (p.gpfn >= PGD)
		p.gpfn = USER_PD;
	return p;
}

gva_t pointer_to(struct place p)
{
	return LINEAR + p.gpfn * PAGE_SIZE + p.index * entry_bytes();
}

void stack_word(u32 n, u32 value)
{
	VCPU->argument[n] = value;
}
