/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMI calls on page tables in the PVH binding.  The processor uses the guest's own tables,
 * so a Set is a store.  For the calls that are used most get_reloc answers NONE, and the
 * guest keeps its native code, unless it has a device with registers in memory: entries that
 * lead to these are to be seen here (space_shut).
 */
#include "cpu_pvh.h"
#include "pvh.h"
#include "monitor/binding.h"
#include "monitor/life.h"
#include "monitor/monitor.h"
#include "monitor/vmi/vmi.h"

#define NO_ADDRESS (~0ull)

/* Store and load a page-table entry of so many bytes.  A misaligned or unmapped address ends
 * the domain. */
static void store(gva_t at, const void *entry, u32 bytes)
{
	if (at & (bytes - 1))
		guest_die("VMI page table call: no entry can be at %08x", at);
	write_argument(at, entry, bytes);
}

static u64 load(gva_t at, u32 bytes)
{
	u64 value = 0;

	if (at & (bytes - 1))
		guest_die("VMI page table call: no entry can be at %08x", at);
	read_argument(at, &value, bytes);
	return value;
}

static void set_narrow(u32 pte, gva_t ptep)
{
	u32 entry = (u32)space_shut(pte);

	store(ptep, &entry, 4);
}

void regparm3 vmi_SetPxE(u32 pte, gva_t ptep, u32 flags)
{
	(void)flags;
	set_narrow(pte, ptep);
}

/* The low half makes the entry present: it is absent while the high half is written. */
static void set_long(u64 pte, gva_t ptep)
{
	u32 none = 0, high = (u32)(pte >> 32), low = (u32)space_shut(pte);

	store(ptep, &none, 4);
	store(ptep + 4, &high, 4);
	store(ptep, &low, 4);
}

void regparm3 vmi_SetPxELong(u32 low, u32 high, gva_t ptep)
{
	set_long((u64)high << 32 | low, ptep);
}

void regparm3 vmi_SetPxEPlain(gva_t ptep, u32 pte)
{
	set_narrow(pte, ptep);
}

u32 regparm3 vmi_GetPxE(gva_t ptep)
{
	return (u32)load(ptep, 4);
}

u32 regparm3 vmi_SwapPxE(gva_t ptep, u32 pte)
{
	u32 old = vmi_GetPxE(ptep);

	set_narrow(pte, ptep);
	return old;
}

u64 regparm3 vmi_GetPxELong(gva_t ptep)
{
	return load(ptep, 8);
}

void regparm3 vmi_SetPxELongPlain(u32 low, u32 high, gva_t ptep)
{
	set_long((u64)high << 32 | low, ptep);
}

u64 regparm3 vmi_SwapPxELongAtomic(u32 low, u32 high, gva_t ptep)
{
	u64 old = load(ptep, 8);

	set_long((u64)high << 32 | low, ptep);
	return old;
}

u64 regparm3 vmi_DeactivatePxELongAtomic(gva_t ptep)
{
	return vmi_SwapPxELongAtomic(0, 0, ptep);
}

/* Changes one bit of an entry of 4 bytes, or 8 (wide); answers whether it was set. */
static u32 change_bit(gva_t ptep, u32 bit, bool set, bool wide)
{
	u64 old = load(ptep, wide ? 8 : 4), mask = 1ull << (bit & (wide ? 63 : 31));
	u64 new = set ? old | mask : old & ~mask;

	if (wide)
		set_long(new, ptep);
	else
		set_narrow((u32) new, ptep);
	return (old & mask) != 0;
}

u32 regparm3 vmi_TestAndSetPxEBit(gva_t ptep, u32 bit)
{
	return change_bit(ptep, bit, true, false);
}

u32 regparm3 vmi_TestAndClearPxEBit(gva_t ptep, u32 bit)
{
	return change_bit(ptep, bit, false, false);
}

u32 regparm3 vmi_TestAndSetPxELongBit(gva_t ptep, u32 bit)
{
	return change_bit(ptep, bit, true, true);
}

u32 regparm3 vmi_TestAndClearPxELongBit(gva_t ptep, u32 bit)
{
	return change_bit(ptep, bit, false, true);
}

u32 regparm3 vmi_FlushDeferredCalls(u32 what)
{
	(void)what;
	return 0;
}

static bool is_memory(u64 address)
{
	return guest_has_ram(address) && (address < 0xA0000 || address >= 0xC0000);
}

u64 regparm3 vmi_PhysicalToMachine(u32 address)
{
	return is_memory(address) ? address : NO_ADDRESS;
}

u64 regparm3 vmi_MachineToPhysical(u32 low, u32 high)
{
	u64 address = (u64)high << 32 | low;

	return is_memory(address) ? address : NO_ADDRESS;
}

void regparm3 vmi_UpdatePxE(gva_t ptep, u32 flags)
{
	(void)ptep;
	(void)flags;
}

void regparm3 vmi_UpdatePxELong(gva_t ptep, u32 flags)
{
	(void)ptep;
	(void)flags;
}

void regparm3 vmi_AllocatePage(u32 gpfn, u32 flags, u32 source)
{
	(void)gpfn;
	(void)flags;
	(void)source;
}

void regparm3 vmi_ReleasePage(u32 gpfn, u32 flags)
{
	(void)gpfn;
	(void)flags;
}

void regparm3 vmi_InvalPage(gva_t va)
{
	space_invlpg(VCPU, va);
}

void regparm3 vmi_FlushTLB(u32 flags)
{
	(void)flags;
	space_flush_tlb(VCPU);
}

void regparm3 vmi_SetLazyMode(u32 mode)
{
	VCPU->lazy = (u8)mode;
}

/* The linear mapping of low memory is found without it (space_find_linear), and of others the
 * processor knows. */
void regparm3 vmi_SetLinearMapping(u32 slot, gva_t va, u32 pages)
{
	(void)slot;
	(void)va;
	(void)pages;
}
