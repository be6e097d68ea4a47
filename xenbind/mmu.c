/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page-table hypercalls (mmu.h).
 *
 * Where an error may pass by itself the call is made again: mmuext_op and a single write
 * change nothing when they fail.  A call that is a part of each page fault, or of many
 * entries, is not: its caller has another way.
 */
#include <xen/errno.h>

#include "mmu.h"
#include "hypercall.h"

/* How often a call is made at most. */
#define TRIES 8u

/* May the error pass by itself? */
static bool passes(int err)
{
	return err == -XEN_EAGAIN || err == -XEN_EBUSY;
}

/* Makes the operation again that has failed so. */
static __attribute__((noinline)) int ext_again(const struct mmuext_op *op, int err)
{
	for (u32 n = 1; n < TRIES && passes(err); n++)
		err = xen_mmuext_op(op, 1);
	return err;
}

_Static_assert(sizeof(struct mmu_entry) == sizeof(struct mmu_update), "the queue is Xen's");
_Static_assert(MMU_FLUSH_NONE == UVMF_NONE && MMU_FLUSH_PAGE == (UVMF_INVLPG | UVMF_LOCAL),
	       "so are the flags");

/* One MMUEXT_ operation; arg: an address for INVLPG, else a machine frame or nothing. */
static int ext(u32 cmd, u32 arg)
{
	struct mmuext_op op = {.cmd = cmd};
	int err;

	COUNT(mmuext[cmd]);
	if (cmd == MMUEXT_INVLPG_LOCAL)
		op.arg1.linear_addr = arg;
	else
		op.arg1.mfn = arg;
	err = xen_mmuext_op(&op, 1);
	return err ? ext_again(&op, err) : 0;
}

int mmu_write(const struct mmu_entry *e, u32 count)
{
	COUNT(batch[batch_class(count)]);
	return xen_mmu_update((const struct mmu_update *)e, count, NULL);
}

int mmu_write_one(u64 ptr, u64 val)
{
	struct mmu_entry e = {ptr, val};
	int err = mmu_write(&e, 1);

	for (u32 n = 1; n < TRIES && passes(err); n++)
		err = mmu_write(&e, 1);
	return err;
}

int mmu_map(gva_t va, u64 pte)
{
	int err = mmu_write_va(va, pte, MMU_FLUSH_PAGE);

	for (u32 n = 1; n < TRIES && passes(err); n++)
		err = mmu_write_va(va, pte, MMU_FLUSH_PAGE);
	return err;
}

int mmu_pin_l1(u32 mfn)
{
	return ext(MMUEXT_PIN_L1_TABLE, mfn);
}

int mmu_pin_l3(u32 mfn)
{
	return ext(MMUEXT_PIN_L3_TABLE, mfn);
}

int mmu_unpin(u32 mfn)
{
	return ext(MMUEXT_UNPIN_TABLE, mfn);
}

int mmu_load(u32 l3_mfn)
{
	return ext(MMUEXT_NEW_BASEPTR, l3_mfn);
}

int mmu_invlpg(gva_t va)
{
	return ext(MMUEXT_INVLPG_LOCAL, va);
}

int mmu_flush_tlb(void)
{
	return ext(MMUEXT_TLB_FLUSH_LOCAL, 0);
}

u32 mmu_mfn_to_pfn(u32 mfn)
{
	return ((const u32 *)(uintptr_t)MACH2PHYS_VIRT_START)[mfn];
}
