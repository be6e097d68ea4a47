/* SPDX-License-Identifier: GPL-2.0-only */
/* Page-table hypercalls; see mmu.h. */
#include "mmu.h"
#include "hypercall.h"

_Static_assert(sizeof(struct mmu_entry) == sizeof(struct mmu_update), "the queue is Xen's");
_Static_assert(MMU_FLUSH_NONE == UVMF_NONE && MMU_FLUSH_ALL == (UVMF_TLB_FLUSH | UVMF_LOCAL) &&
		       MMU_FLUSH_PAGE == (UVMF_INVLPG | UVMF_LOCAL),
	       "so are the flags");

static int ext(u32 cmd, u32 arg)
{
	struct mmuext_op op = {.cmd = cmd};

	COUNT(mmuext[cmd]);
	if (cmd == MMUEXT_INVLPG_LOCAL)
		op.arg1.linear_addr = arg;
	else
		op.arg1.mfn = arg;
	return xen_mmuext_op(&op, 1);
}

int mmu_write(const struct mmu_entry *e, u32 count)
{
	COUNT(batch[batch_class(count)]);
	return xen_mmu_update((const struct mmu_update *)e, count, NULL);
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
