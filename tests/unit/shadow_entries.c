/* SPDX-License-Identifier: GPL-2.0-only */
/* See shadow_guest.h: steps that change entries of the guest's tables, or announce them. */
#include <string.h>

#include "monitor/pv/mmu/paging.h"
#include "shadow_guest.h"
#include "monitor/vmi/vmi.h"
#include "monitor/monitor.h"
#include "monitor/vcpu.h"
#include "monitor/pv/mmu/block.h"

void fill_cache_SetPxE(u32 pte, u32 *entry, u32 flags);
void fill_cache_SetPxELong(u32 low, u32 high, u32 *entry);
void vmi_SetPxE(u32 pte, gva_t ptep, u32 flags);
void vmi_SetPxELong(u32 low, u32 high, gva_t ptep);
void vmi_UpdatePxE(gva_t ptep, u32 flags);
void vmi_UpdatePxELong(gva_t ptep, u32 flags);
void vmi_AllocatePage(u32 gpfn, u32 flags, u32 source);
void vmi_ReleasePage(u32 gpfn, u32 flags);
void vmi_SetLazyMode(u32 mode);

static void announce_update(struct place p)
{
	if (!VCPU->paravirtual)
		return;
	model_trace("Update %x:%u", p.gpfn, p.index);
	if (model.pae)
		vmi_UpdatePxELong(pointer_to(p), 1);
	else
		vmi_UpdatePxE(pointer_to(p), 1);
	model_announced(p);
}

static u32 *address(gva_t va)
{
	return (u32 *)(uintptr_t)va;
}

static void set_entry(struct place p, u64 value, u32 flags, gva_t ptep)
{
	model_trace("Set %x:%u = %llx flags %x", p.gpfn, p.index, (unsigned long long)value, flags);
	model_remember(p, model_read(p));
	stack_word(0, flags);
	/* as entry/pv/vmi.asm looks for it */
	if ((ptep & ~(PAGE_SIZE - entry_bytes())) == SHADOW_CPU->fill_cache.at) {
		if (model.pae)
			fill_cache_SetPxELong((u32)value, (u32)(value >> 32), address(ptep));
		else
			fill_cache_SetPxE((u32)value, address(ptep), flags);
	} else if (model.pae) {
		vmi_SetPxELong((u32)value, (u32)(value >> 32), ptep);
	} else {
		vmi_SetPxE((u32)value, ptep, flags);
	}
	if (model_read(p) != (model.pae ? value : (u32)value))
		model_failed("SetPxE did not write %x:%u", p.gpfn, p.index);
	memcpy(model.tables[p.gpfn - TABLES] + p.index * entry_bytes(), &value, entry_bytes());
	model_announced(p);
}

void step_set(void)
{
	bool directory;
	struct place p = some_place(&directory);
	u8 a = script_byte();
	u64 value = a & 1	? one_bit_changed(model_read(p), a >> 1)
		    : directory ? some_pde()
				: some_pte();
	u32 flags = script_byte() & 0x23;
	gva_t va = some_address();

	if (model_is_fixed(p))
		return;
	if (!VCPU->paravirtual) {
		model_trace("store %x:%u = %llx", p.gpfn, p.index, (unsigned long long)value);
		model_store(p, value);
		return;
	}
	if (flags & 1)
		flags |= 0x10 | (va & 0xFFFFF000);
	if (flags & 0x20) { /* through a HIGHPTE window */
		xen_set_highpte(1 + (flags & 1), 0xE0000000, 1, p.gpfn);
		set_entry(p, value, flags, 0xE0000000 + p.index * entry_bytes());
		xen_set_highpte(1 + (flags & 1), 0, 0, 0);
		return;
	}
	set_entry(p, value, flags, pointer_to(p));
}

/* The entry that maps an address, with the address, as a kernel's set_pte_at; or
 * the last such entry again, which may map nothing any more, or another page. */
void step_set_current(void)
{
	gva_t va = some_address();
	struct place p = model_pte(va, model_read(model_pde(va)));
	u8 a = script_byte();
	u64 value;

	if ((a & 0x60) == 0x60) {
		va = guest.set_va;
		p = guest.set_place;
	}
	value = a & 1 ? one_bit_changed(model_read(p), a >> 1) : some_pte();
	guest.set_va = va;
	guest.set_place = p;
	if (!VCPU->paravirtual || p.gpfn < TABLES || model_is_fixed(p) || p.gpfn >= PGD)
		return;
	set_entry(p, value, 0x11 | va, pointer_to(p));
}

/* What a kernel does to many entries of one table in a lazy section: takes them
 * away, takes the right to write, or maps memory in a row. */
void step_many(void)
{
	gva_t va = some_address();
	struct place p = model_pte(va, model_read(model_pde(va)));
	u32 what = script_byte() % 4, count = 1 + script_byte() * 2u, first = script_byte() * 4u;
	u8 lazy = VCPU->lazy;

	if (!VCPU->paravirtual || p.gpfn < TABLES || p.gpfn >= PGD)
		return;
	va -= p.index * PAGE_SIZE;
	vmi_SetLazyMode(1);
	for (p.index = first % entries(); count && p.index < entries(); p.index++, count--) {
		u64 value = what == 1 ? model_read(p) & ~PTE_RW : 0;

		if (model_is_fixed(p))
			continue;
		if (what < 2) {
			model_store(p, value);
			announce_update(p);
		} else {
			value = (u64)(DATA + (first + p.index) % (GUEST_PAGES - DATA)) << 12 | 0x67;
			set_entry(p, value, 0x11 | ((va & ~0xFFFu) + p.index * PAGE_SIZE),
				  pointer_to(p));
		}
	}
	vmi_SetLazyMode(lazy);
}

void step_store(void)
{
	bool directory, tell = script_byte() & 1;
	struct place p = some_place(&directory);
	u64 value = model_read(p);
	u8 a = script_byte();

	if (model_is_fixed(p))
		return;
	if (a % 8 == 0)
		value = 0;
	else if (a % 8 == 1)
		value = directory ? some_pde() : some_pte();
	else
		value = one_bit_changed(value, a / 8);
	model_trace("store %x:%u = %llx", p.gpfn, p.index, (unsigned long long)value);
	model_store(p, value);
	if (tell)
		announce_update(p);
}

void step_update(void)
{
	bool directory;
	struct place p = some_place(&directory);

	if (!model_is_fixed(p))
		announce_update(p);
}

/* A page becomes a table: empty, a copy of another one, or frames in a row. */
void step_allocate(void)
{
	u32 gpfn = some_table(), from = some_table(), first = script_byte() % 4 * 256;
	u8 a = script_byte() % 4;

	if (gpfn >= PGD || from >= PGD)
		return;
	model_trace("Allocate %x%s", gpfn, a & 1 ? " as a copy" : a == 2 ? " with a row" : "");
	for (u32 i = 0; i < entries(); i++) {
		struct place p = {gpfn, i}, f = {from, i};
		u64 value = a & 1    ? model_read(f)
			    : a == 2 ? (u64)(first + i) << 12 | PTE_P | PTE_RW | PTE_US
				     : 0;

		if (!model_is_fixed(p) && !model_is_fixed(f) && model_read(p) != value)
			model_store(p, value);
	}
	if (VCPU->paravirtual) {
		vmi_AllocatePage(gpfn, a & 1 ? 0x22 : 0x42, from);
		model_announced_table(gpfn);
	}
}

static bool is_loaded(u32 gpfn)
{
	for (u32 i = 0; i < 4; i++)
		if (model.pae && model.pdpt[i] == gpfn)
			return true;
	return VCPU->cr3 >> 12 == gpfn;
}

/* Also of a table that is loaded: the processor goes on to use it, and is told of
 * no entry. */
void step_release(void)
{
	u32 gpfn = some_table();

	if (!VCPU->paravirtual)
		return;
	model_trace("Release %x", gpfn);
	vmi_ReleasePage(gpfn, 1);
	if (!is_loaded(gpfn))
		model_announced_table(gpfn);
}
