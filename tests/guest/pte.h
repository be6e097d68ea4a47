/* SPDX-License-Identifier: GPL-2.0-only */
/* Page table entries of both formats. */
#ifndef GUEST_PTE_H
#define GUEST_PTE_H

#include "base.h"

#ifdef PAE
typedef u64 pte_t;
#define PT_ENTRIES 512u
#define PD_SHIFT 21
#define PAGING_NAME "PAE"
#define PTE_NX (1ull << 63)
#define ALLOC_FORMAT 0x10u /* VMI_PAGE_PAE */
#else
typedef u32 pte_t;
#define PT_ENTRIES 1024u
#define PD_SHIFT 22
#define PAGING_NAME "2-level"
#define PTE_NX 0u
#define ALLOC_FORMAT 0u
#endif

#define PTE_P 0x001u
#define PTE_RW 0x002u
#define PTE_US 0x004u
#define PTE_A 0x020u
#define PTE_D 0x040u
#define PTE_G 0x100u

#define PTE_KERNEL (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_G)
#define PTE_TABLE (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)

#endif
