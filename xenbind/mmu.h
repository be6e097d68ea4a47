/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the shadow MMU asks of Xen, in its own words.
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

struct mmu_entry {
	u64 ptr; /* machine address of the entry */
	u64 val;
};

/* Of the local TLB; Xen's UVMF_ flags. */
enum mmu_flush { MMU_FLUSH_NONE, MMU_FLUSH_PAGE = 2 };

/* All return 0, or Xen's negative errno.  But for mmu_write() and mmu_write_va(), of
 * which each instruction counts, they have tried a few times where that may pass by
 * itself (EAGAIN, EBUSY). */

/* Entries of any tables; those before the one that Xen refuses are done. */
int mmu_write(const struct mmu_entry *e, u32 count);
int mmu_write_one(u64 ptr, u64 val);
/* The entry of va in the loaded root: a part of each page fault, hence inline. */
static inline int mmu_write_va(gva_t va, u64 pte, enum mmu_flush flush)
{
	return xen_update_va_mapping(va, pte, flush);
}
/* The same for what is no part of a page fault, and va is flushed. */
int mmu_map(gva_t va, u64 pte);
int mmu_pin_l1(u32 mfn);
int mmu_pin_l3(u32 mfn);
int mmu_unpin(u32 mfn);
int mmu_load(u32 l3_mfn);
int mmu_invlpg(gva_t va);
int mmu_flush_tlb(void);

/* The pseudo-physical frame that Xen's table gives for an mfn of ours. */
u32 mmu_mfn_to_pfn(u32 mfn);

#endif
