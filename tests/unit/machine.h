/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine under the Xen of xen.h: its memory, page tables with Xen's rules
 * (types, pins, who may map what writable), and a processor's TLB.
 */
#ifndef TEST_MACHINE_H
#define TEST_MACHINE_H

#include "xen.h"

#define MACHINE_EINVAL (-22)

/* A domain's memory as xen_start() tells of it, with bootstrap tables loaded. */
void machine_start(u32 guest_pages, u32 hole, u32 hole_pages, u32 pool_pages);

/* The hypercalls on page tables, with the arguments that Xen has of them; they
 * return 0 or a negative errno. */
int machine_mmu_update(const struct mmu_update *req, u32 count);
int machine_update_va_mapping(gva_t va, u64 pte, u32 flags);
int machine_mmuext_op(const struct mmuext_op *op);

#endif
