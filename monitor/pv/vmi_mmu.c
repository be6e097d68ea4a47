/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMI calls on page tables.  The guest's tables are its own memory, and a Set stores the
 * page-table entry there at once.  What the shadow has of it is weakened or cleared, at
 * once, or in lazy mode with the next flush.  A Set that names the address which the entry
 * maps in the current space fills the shadow, if that saves a fault.
 */
#include "monitor/life.h"
#include "monitor/pv/mmu/paging.h"
#include "monitor/vmi/vmi.h"

static struct shadow *const s = &PV->shadow;

/* entry_at for an entry that is not in the guest's linear mapping, or is misaligned. */
static u32 *entry_elsewhere(gva_t ptep, u32 size, u32 *gpfn)
{
	*gpfn = shadow_ptep_gpfn(VCPU, ptep);
	if (*gpfn == GPFN_NONE || (ptep & (size - 1)))
		guest_die("VMI page table call: no entry can be at %08x", ptep);
	return (u32 *)((u8 *)guest_page(*gpfn, PAGE_ENTRY) + (ptep & (PAGE_SIZE - 1)));
}

/* Where the monitor can reach the page-table entry of size bytes that the guest has at ptep;
 * *gpfn becomes its frame.  Ends the domain if no entry can be there. */
static inline u32 *entry_at(gva_t ptep, u32 size, u32 *gpfn)
{
	u32 page = (ptep - s->linear_base) >> PAGE_SHIFT;

	if (!linear_address(page) || (ptep & (size - 1)))
		return entry_elsewhere(ptep, size, gpfn);
	*gpfn = page;
	return (u32 *)(uintptr_t)ptep;
}

/* Brings the shadow up to date with the entry at e in the guest's frame gpfn; flags are those
 * of the call. */
static inline void changed(u32 gpfn, const u32 *e, u32 flags)
{
	if ((flags & CURRENT_AS_PT) == CURRENT_AS_PT)
		shadow_entry_wanted(gpfn, e, flags & ~(PAGE_SIZE - 1));
	else
		shadow_entry_changed(gpfn, e);
}

void regparm3 vmi_SetPxE_stored(u32 gpfn, const u32 *e, u32 flags)
{
	changed(gpfn, e, flags);
}

/* The same for an Update.  In lazy mode a guest changes many entries and uses few of them.
 * Otherwise it is in a page fault and about to use this one. */
void regparm3 vmi_Update_stored(u32 gpfn, const u32 *e, u32 flags)
{
	if (VCPU->lazy)
		shadow_entry_changed(gpfn, e);
	else
		changed(gpfn, e, flags);
}

/* The rest of a SetPxELong in a 2-level table, where its 8 bytes are two entries. */
static __attribute__((noinline)) void changed_pair(u32 gpfn, const u32 *e, u32 flags)
{
	shadow_entry_changed(gpfn, e + 1);
	changed(gpfn, e, flags);
}

void regparm3 vmi_SetPxELong_stored(u32 gpfn, const u32 *e, u32 flags)
{
	if (guest_is_wide(VCPU))
		changed(gpfn, e, flags);
	else
		changed_pair(gpfn, e, flags);
}

void regparm3 vmi_SetPxE(u32 pte, gva_t ptep, u32 flags)
{
	u32 gpfn;
	u32 *e = entry_at(ptep, 4, &gpfn);

	*(volatile u32 *)e = pte;
	changed(gpfn, e, flags);
}

/* The low half makes an entry present: so of an entry that becomes present it is written
 * last, and of one that becomes absent first. */
static void set_long(u32 low, u32 high, gva_t ptep, u32 flags)
{
	u32 gpfn;
	u32 *e = entry_at(ptep, 8, &gpfn);
	volatile u32 *word = e;

	if (!(low & PTE_P))
		word[0] = low;
	word[1] = high;
	word[0] = low;
	changed(gpfn, e, flags);
	if (!guest_is_wide(VCPU)) /* two entries of a 2-level table */
		shadow_entry_changed(gpfn, e + 1);
}

void regparm3 vmi_SetPxELong(u32 low, u32 high, gva_t ptep)
{
	set_long(low, high, ptep, stack_argument(0));
}

/* --- API 13.x, before updates had flags ------------------------------------- */

void regparm3 vmi_SetPxEPlain(gva_t ptep, u32 pte)
{
	vmi_SetPxE(pte, ptep, 0);
}

u32 regparm3 vmi_GetPxE(gva_t ptep)
{
	u32 gpfn;

	return *entry_at(ptep, 4, &gpfn);
}

u32 regparm3 vmi_SwapPxE(gva_t ptep, u32 pte)
{
	u32 old = vmi_GetPxE(ptep);

	vmi_SetPxE(pte, ptep, 0);
	return old;
}

u64 regparm3 vmi_GetPxELong(gva_t ptep)
{
	u32 gpfn;
	volatile u32 *e = entry_at(ptep, 8, &gpfn);

	return (u64)e[1] << 32 | e[0];
}

void regparm3 vmi_SetPxELongPlain(u32 low, u32 high, gva_t ptep)
{
	set_long(low, high, ptep, 0);
}

u64 regparm3 vmi_SwapPxELongAtomic(u32 low, u32 high, gva_t ptep)
{
	u64 old = vmi_GetPxELong(ptep);

	set_long(low, high, ptep, 0);
	return old;
}

u64 regparm3 vmi_DeactivatePxELongAtomic(gva_t ptep)
{
	return vmi_SwapPxELongAtomic(0, 0, ptep);
}

u32 regparm3 vmi_TestAndSetPxEBit(gva_t ptep, u32 bit)
{
	u32 mask = 1u << (bit & 31);

	return (vmi_SwapPxE(ptep, vmi_GetPxE(ptep) | mask) & mask) != 0;
}

u32 regparm3 vmi_TestAndClearPxEBit(gva_t ptep, u32 bit)
{
	u32 mask = 1u << (bit & 31);

	return (vmi_SwapPxE(ptep, vmi_GetPxE(ptep) & ~mask) & mask) != 0;
}

/* Changes one bit of an entry of 8 bytes; answers whether it was set. */
static u32 change_long_bit(gva_t ptep, u32 bit, bool set)
{
	u64 old = vmi_GetPxELong(ptep), mask = 1ull << (bit & 63);
	u64 new = set ? old | mask : old & ~mask;

	set_long((u32) new, (u32)(new >> 32), ptep, 0);
	return (old & mask) != 0;
}

u32 regparm3 vmi_TestAndSetPxELongBit(gva_t ptep, u32 bit)
{
	return change_long_bit(ptep, bit, true);
}

u32 regparm3 vmi_TestAndClearPxELongBit(gva_t ptep, u32 bit)
{
	return change_long_bit(ptep, bit, false);
}

u32 regparm3 vmi_FlushDeferredCalls(u32 what)
{
	(void)what; /* only page-table changes are ever deferred */
	queue_flush();
	return 0;
}

/* --- machine frames ---------------------------------------------------------- */

#define NO_ADDRESS (~0ull)

u64 regparm3 vmi_PhysicalToMachine(u32 address)
{
	u32 gpfn = address >> PAGE_SHIFT;

	if (!has_memory(gpfn))
		return NO_ADDRESS;
	return (u64)GMFN[gpfn] << PAGE_SHIFT | (address & (PAGE_SIZE - 1));
}

/* Searches all frames: the call is rare. */
u64 regparm3 vmi_MachineToPhysical(u32 low, u32 high)
{
	u64 mfn = ((u64)high << 32 | low) >> PAGE_SHIFT;

	for (u32 gpfn = 0; gpfn < s->guest_pages; gpfn++)
		if (GMFN[gpfn] == mfn && GMFN[gpfn] != GMFN_NONE)
			return (u64)gpfn << PAGE_SHIFT | (low & (PAGE_SIZE - 1));
	return NO_ADDRESS;
}

/* --- announcements ------------------------------------------------------------ */

static void update(gva_t ptep, u32 size, u32 flags)
{
	u32 gpfn;
	const u32 *e = entry_at(ptep, size, &gpfn);

	vmi_Update_stored(gpfn, e, flags);
}

void regparm3 vmi_UpdatePxE(gva_t ptep, u32 flags)
{
	update(ptep, 4, flags);
}

void regparm3 vmi_UpdatePxELong(gva_t ptep, u32 flags)
{
	update(ptep, 8, flags);
}

/* The guest has copied what flags of CLONE announce itself, so source is not needed.  A frame
 * without memory cannot be a table. */
void regparm3 vmi_AllocatePage(u32 gpfn, u32 flags, u32 source)
{
	(void)flags;
	(void)source;
	if (has_memory(gpfn))
		shadow_reread_table(gpfn);
}

void regparm3 vmi_ReleasePage(u32 gpfn, u32 flags)
{
	(void)flags;
	if (has_memory(gpfn))
		shadow_release_table(gpfn);
}

void regparm3 vmi_InvalPage(gva_t va)
{
	space_invlpg(VCPU, va);
}

void regparm3 vmi_FlushTLB(u32 flags)
{
	(void)flags;
	shadow_flush_tlb(VCPU);
}

void regparm3 vmi_SetLazyMode(u32 mode)
{
	VCPU->lazy = (u8)mode;
	if (!mode)
		queue_flush();
}

/* SHORT_SetLinearMapping in entry/pv/vmi.asm does the whole call for the numbers 1 and 2,
 * so only the others come here. */
void regparm3 vmi_SetLinearMapping(u32 number, gva_t va, u32 pages)
{
	if (number < LINEAR_MAPPINGS)
		shadow_set_linear(VCPU, number, va, pages, stack_argument(0));
}
