/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the shadow MMU asks of Xen, in its own words: entries of page tables, pins, the TLB.
 */
#ifndef VMIXEN_MMU_H
#define VMIXEN_MMU_H

#include "base.h"
#include "hypercall.h"

/* Page table entries as Xen's PAE tables have them. */
#define PTE_P 0x001ull
#define PTE_RW 0x002ull
#define PTE_US 0x004ull
#define PTE_A 0x020ull
#define PTE_D 0x040ull
#define PTE_PSE 0x080ull
#define PTE_NX (1ull << 63)
#define PTE_FRAME 0x000FFFFFFFFFF000ull

/* A write of one entry; struct mmu_update. */
struct mmu_entry {
	u64 ptr; /* machine address of the entry */
	u64 val; /* what it becomes */
};

/* What Xen flushes of this vCPU's TLB with a write: Xen's UVMF_ flags. */
enum mmu_flush { MMU_FLUSH_NONE, MMU_FLUSH_PAGE = 2 };

/* All functions that return int return 0 or Xen's negative errno.  mmu_write() and
 * mmu_write_va() ask once, for each of their instructions counts; the others ask again a few
 * times where an error may pass by itself (EAGAIN, EBUSY). */

/* Writes count entries, of any tables.  On an error those before the one that Xen refuses
 * are written. */
int mmu_write(const struct mmu_entry *e, u32 count);
/* Writes the entry at machine address ptr. */
int mmu_write_one(u64 ptr, u64 val);
/* Writes the L1 entry for va in the loaded root: a part of each page fault, hence inline. */
static inline int mmu_write_va(gva_t va, u64 pte, enum mmu_flush flush)
{
	return xen_update_va_mapping(va, pte, flush);
}
/* The same where it is no part of a page fault; va is flushed. */
int mmu_map(gva_t va, u64 pte);
/* Pins a frame as an L1, or as an L3 with its L2s: Xen validates every entry, and the frame
 * keeps its type until mmu_unpin().  No writable mapping of it may exist. */
int mmu_pin_l1(u32 mfn);
int mmu_pin_l3(u32 mfn);
int mmu_unpin(u32 mfn);
/* Loads the L3, as CR3 would; the TLB is flushed. */
int mmu_load(u32 l3_mfn);
/* Flushes one address, or all, of this vCPU's TLB. */
int mmu_invlpg(gva_t va);
int mmu_flush_tlb(void);

/* The pseudo-physical frame that Xen's table has for a machine frame of this domain. */
u32 mmu_mfn_to_pfn(u32 mfn);

#endif
