/* SPDX-License-Identifier: GPL-2.0-only */
/* See machine.h. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine.h"
#include "xenbind/mmu.h"
#include "monitor/pv/mmu/paging.h"
#include "monitor/binding.h"
#include "monitor/monitor.h"
#include "monitor/pv/mmu/shadow.h"
#include "monitor/vcpu.h"
#include "monitor/pv/mmu/block.h"

#define BOOTSTRAP_L3 1u /* machine frames: the tables that a domain builder makes */
#define BOOTSTRAP_L2 2u
#define WINDOW_L1_FIRST 8u
#define POOL_FIRST 32u
#define POOL_MAX 512u
#define GUEST_FIRST (POOL_FIRST + POOL_MAX)
#define POOL_FIRST_PFN 0x10000u
#define FLAGS (PTE_P | PTE_RW | PTE_A | PTE_D)
#define MACH2PHYS ((uintptr_t)WINDOW_END) /* where a 32-bit guest has it */

struct frame {
	u16 count; /* references as its type */
	u8 type;   /* enum frame_type */
	bool pinned;
};

static struct frame frames[XEN_FRAMES];
static u8 *memory; /* all frames */
static int memory_fd;

/*
 * The TLB has one entry for each page of the address space, and one for each 2 MB of
 * it that holds what the directory said, through which a processor goes on walking
 * (Intel SDM vol. 3A, 4.10.3).
 *
 * It forgets what Xen's public headers promise to be flushed, and nothing more: an
 * address by UVMF_INVLPG, MMUEXT_INVLPG_LOCAL and its page fault, all by UVMF_TLB_FLUSH,
 * MMUEXT_TLB_FLUSH_LOCAL and MMUEXT_NEW_BASEPTR.  For a write of an entry of any
 * level nothing is promised, nor for a page that loses its type.
 */
static u64 tlb_pte[1u << 20], tlb_pde[1u << 11];
static u32 tlb_epoch[1u << 20], pde_epoch[1u << 11], epoch = 1;

/* --- machine memory and the window ------------------------------------------- */

static void map(u32 va, u32 bytes, int prot, int fd, u64 offset)
{
	int flags = MAP_FIXED | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED);

	if (mmap((void *)(uintptr_t)va, bytes, prot, flags, fd, (off_t)offset) == MAP_FAILED) {
		perror("xen: mmap");
		abort();
	}
}

static void make_memory(void)
{
	if (memory)
		return;
	memory_fd = memfd_create("machine", 0);
	if (memory_fd < 0 || ftruncate(memory_fd, XEN_FRAMES * PAGE_SIZE))
		abort();
	memory = mmap(NULL, XEN_FRAMES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd,
		      0);
	if (memory == MAP_FAILED)
		abort();
	map(LINEAR, WINDOW_END - LINEAR, PROT_NONE, -1, 0);
	map(WIN_SHARED, 0x3000, PROT_READ | PROT_WRITE, -1, 0);
	map(WIN_VCPU, 0x4000, PROT_READ | PROT_WRITE, -1, 0);
	map(WIN_FRAME_TOP - PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE, -1, 0);
	map(WIN_STACK, WIN_STACK_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, -1, 0);
	map(WIN_RUN, PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, -1, 0);
	map(WIN_VCPU_BINDING, WIN_VCPU_BINDING_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, -1, 0);
	map(WIN_MONITOR, (WIN_MONITOR_PAGES + WIN_BINDING_PAGES) * PAGE_SIZE,
	    PROT_READ | PROT_WRITE, -1, 0);
	map(WIN_DISKS, WIN_DISKS_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, -1, 0);
	map(WIN_GMFN, 0x1000 * 4, PROT_READ | PROT_WRITE, -1, 0);
	map(WIN_HEADS, 0x1000 * 2, PROT_READ | PROT_WRITE, -1, 0);
	map(MACH2PHYS, XEN_FRAMES * 4, PROT_READ | PROT_WRITE, -1, 0);
	for (u32 mfn = POOL_FIRST; mfn < XEN_FRAMES; mfn++)
		((u32 *)MACH2PHYS)[mfn] = mfn - POOL_FIRST + POOL_FIRST_PFN;
}

void *xen_frame(u32 mfn)
{
	return memory + (size_t)mfn * PAGE_SIZE;
}

void *guest_frame(u32 gpfn)
{
	return gpfn < MON->start.guest_pages && GMFN[gpfn] != GMFN_NONE ? xen_frame(GMFN[gpfn])
									: NULL;
}

enum frame_type xen_frame_type(u32 mfn)
{
	return frames[mfn].count ? frames[mfn].type : FRAME_NONE;
}

bool xen_frame_pinned(u32 mfn)
{
	return frames[mfn].pinned;
}

/* --- types -------------------------------------------------------------------- */

static void flush_all(void)
{
	epoch++;
}

void xen_tlb_drop(gva_t va)
{
	tlb_epoch[va >> 12] = 0;
}

static void flush_address(gva_t va)
{
	xen_tlb_drop(va);
	pde_epoch[va >> 21] = 0;
}

static bool type_get(u32 mfn, u8 type);

static void type_put(u32 mfn);

static u32 entries_of(u8 type)
{
	return type == FRAME_L3 ? 4 : 512;
}

static u32 mfn_of(u64 e)
{
	return (u32)((e & PTE_FRAME) >> 12);
}

static bool ours(u64 e)
{
	return (e & PTE_FRAME) >> 12 < XEN_FRAMES && mfn_of(e) >= BOOTSTRAP_L3;
}

static bool entry_get(u8 table, u64 e)
{
	if (!(e & PTE_P))
		return true;
	if (!ours(e))
		return false;
	switch (table) {
	case FRAME_L1:
		return !(e & PTE_RW) || type_get(mfn_of(e), FRAME_WRITABLE);
	case FRAME_L2:
		return !(e & PTE_PSE) && type_get(mfn_of(e), FRAME_L1);
	default:
		return !(e & (PTE_RW | PTE_US | PTE_PSE | PTE_NX)) && type_get(mfn_of(e), FRAME_L2);
	}
}

static void entry_put(u8 table, u64 e)
{
	if ((e & PTE_P) && (table != FRAME_L1 || (e & PTE_RW)))
		type_put(mfn_of(e));
}

static bool validate(u32 mfn, u8 type)
{
	const u64 *e = xen_frame(mfn);

	if (type == FRAME_L3 && !(e[3] & PTE_P))
		return false;
	for (u32 i = 0; i < entries_of(type); i++) {
		if (entry_get(type, e[i]))
			continue;
		while (i--)
			entry_put(type, e[i]);
		return false;
	}
	return true;
}

static bool type_get(u32 mfn, u8 type)
{
	struct frame *f = &frames[mfn];

	if (f->count) {
		f->count += f->type == type;
		return f->type == type;
	}
	f->type = type;
	f->count = 1;
	if (type == FRAME_WRITABLE || validate(mfn, type))
		return true;
	f->count = 0;
	return false;
}

static void type_put(u32 mfn)
{
	struct frame *f = &frames[mfn];
	const u64 *e = xen_frame(mfn);

	if (--f->count || f->type == FRAME_WRITABLE)
		return;
	for (u32 i = 0; i < entries_of(f->type); i++)
		entry_put(f->type, e[i]);
}

static bool entry_write(u32 table, u32 index, u64 value)
{
	struct frame *f = &frames[table];
	u64 *e = (u64 *)xen_frame(table) + index, old = *e;

	if (!f->count || f->type < FRAME_L1 || index >= entries_of(f->type) ||
	    (f->type == FRAME_L3 && index == 3))
		return false;
	if (!entry_get(f->type, value))
		return false;
	*e = value;
	entry_put(f->type, old);
	return true;
}

/* --- map slots ------------------------------------------------------------------- */

static gva_t lent[PAGE_USES];

/* A slot that has been lent before may be gone at any time: it is, now. */
void slot_lent(enum page_use use, gva_t at)
{
	if (lent[use] == at)
		return;
	if (lent[use])
		mprotect((void *)(uintptr_t)lent[use], PAGE_SIZE, PROT_NONE);
	mprotect((void *)(uintptr_t)at, PAGE_SIZE, PROT_READ | PROT_WRITE);
	lent[use] = at;
}

/* --- hypercalls ------------------------------------------------------------------- */

int machine_mmu_update(const struct mmu_update *req, u32 count)
{
	for (; count; count--, req++)
		if (req->ptr >> 12 >= XEN_FRAMES || (req->ptr & 7) ||
		    !entry_write((u32)(req->ptr >> 12), (req->ptr & 4095) / 8, req->val))
			return MACHINE_EINVAL;
	return 0;
}

static u64 l2_entry(gva_t va)
{
	const u64 *l3 = xen_frame(xen.root), *l2;

	if (!(l3[va >> 30] & PTE_P))
		return 0;
	l2 = xen_frame(mfn_of(l3[va >> 30]));
	return l2[va >> 21 & 511];
}

static void show(gva_t va, u64 pte)
{
	if (!(pte & PTE_P))
		map(va, PAGE_SIZE, PROT_NONE, -1, 0);
	else
		map(va, PAGE_SIZE, pte & PTE_RW ? PROT_READ | PROT_WRITE : PROT_READ, memory_fd,
		    pte & PTE_FRAME);
}

int machine_update_va_mapping(gva_t va, u64 pte, u32 flags)
{
	u64 l2e = l2_entry(va);

	if (!(l2e & PTE_P) || !entry_write(mfn_of(l2e), va >> 12 & 511, pte))
		return MACHINE_EINVAL;
	if ((flags & UVMF_FLUSHTYPE_MASK) == UVMF_INVLPG)
		flush_address(va);
	if ((flags & UVMF_FLUSHTYPE_MASK) == UVMF_TLB_FLUSH)
		flush_all();
	if (va >= WINDOW_BASE)
		show(va & ~(PAGE_SIZE - 1), pte);
	return 0;
}

static int pin(u32 mfn, u8 type)
{
	if (mfn >= XEN_FRAMES || frames[mfn].pinned || !type_get(mfn, type))
		return MACHINE_EINVAL;
	frames[mfn].pinned = true;
	return 0;
}

static int unpin(u32 mfn)
{
	if (mfn >= XEN_FRAMES || !frames[mfn].pinned)
		return MACHINE_EINVAL;
	frames[mfn].pinned = false;
	type_put(mfn);
	return 0;
}

static int load(u32 l3_mfn)
{
	u32 old = xen.root;

	if (l3_mfn >= XEN_FRAMES || !type_get(l3_mfn, FRAME_L3))
		return MACHINE_EINVAL;
	xen.root = l3_mfn;
	flush_all();
	if (old)
		type_put(old);
	return 0;
}

int machine_mmuext_op(const struct mmuext_op *op)
{
	switch (op->cmd) {
	case MMUEXT_PIN_L1_TABLE:
		return pin(op->arg1.mfn, FRAME_L1);
	case MMUEXT_PIN_L3_TABLE:
		return pin(op->arg1.mfn, FRAME_L3);
	case MMUEXT_UNPIN_TABLE:
		return unpin(op->arg1.mfn);
	case MMUEXT_NEW_BASEPTR:
		return load(op->arg1.mfn);
	case MMUEXT_INVLPG_LOCAL:
		flush_address(op->arg1.linear_addr);
		return 0;
	case MMUEXT_TLB_FLUSH_LOCAL:
		xen.flushes++;
		flush_all();
		return 0;
	default:
		return MACHINE_EINVAL;
	}
}

/* --- the processor ------------------------------------------------------------- */

static bool allows(u64 pte, u32 bits)
{
	return (pte & PTE_P) && (!(bits & PF_W) || (pte & PTE_RW)) &&
	       (!(bits & PF_U) || (pte & PTE_US)) && (!(bits & PF_I) || !(pte & PTE_NX));
}

/* What a walk finds for va, from the directory's entry on that the TLB may have. */
static u64 walk(gva_t va)
{
	u32 page = va >> 12, l2i = va >> 21;
	u64 pde, pte;

	if (pde_epoch[l2i] != epoch) {
		pde = l2_entry(va);
		if (!(pde & PTE_P))
			return 0;
		tlb_pde[l2i] = pde;
		pde_epoch[l2i] = epoch;
	}
	pde = tlb_pde[l2i];
	pte = ((const u64 *)xen_frame(mfn_of(pde)))[page & 511];
	return pte & PTE_P ? (pte & (~(PTE_RW | PTE_US) | pde)) | (pde & PTE_NX) : 0;
}

u32 xen_access(gva_t va, u32 bits, u32 *mfn)
{
	u32 page = va >> 12;

	if (tlb_epoch[page] != epoch || !allows(tlb_pte[page], bits)) {
		u64 pte = walk(va);

		if (!allows(pte, bits)) {
			flush_address(va);
			return (bits | (pte & PTE_P ? PF_P : 0)) + 1;
		}
		tlb_pte[page] = pte;
		tlb_epoch[page] = epoch;
	}
	*mfn = mfn_of(tlb_pte[page]);
	return 0;
}

/* Before Init the guest is at CPL 3; the monitor itself, as here, in ring 1. */
static u32 linear(gva_t va, u8 *bytes, u32 count, bool write)
{
	u32 mfn;

	for (; count; count--, va++, bytes++) {
		if (xen_access(va, write ? PF_W : 0, &mfn)) {
			xen.linear_faults++;
			break;
		}
		if (write)
			((u8 *)xen_frame(mfn))[va & (PAGE_SIZE - 1)] = *bytes;
		else
			*bytes = ((u8 *)xen_frame(mfn))[va & (PAGE_SIZE - 1)];
	}
	return count;
}

u32 regparm3 copy_from_linear(void *to, gva_t from, u32 bytes)
{
	return linear(from, to, bytes, false);
}

u32 regparm3 copy_to_linear(gva_t to, const void *from, u32 bytes)
{
	return linear(to, (u8 *)(uintptr_t)from, bytes, true);
}

/* --- a domain ------------------------------------------------------------------ */

static void make_bootstrap(void)
{
	u64 *l3 = xen_frame(BOOTSTRAP_L3), *l2 = xen_frame(BOOTSTRAP_L2 + 3);

	memset(l3, 0, 5 * PAGE_SIZE);
	for (u32 i = 0; i < 4; i++)
		l3[i] = (u64)(BOOTSTRAP_L2 + i) << 12 | PTE_P;
	for (u32 i = 0; i < WINDOW_L1S; i++) {
		u32 mfn = WINDOW_L1_FIRST + i;

		memset(xen_frame(mfn), 0, PAGE_SIZE);
		pin(mfn, FRAME_L1);
		PV->start.window_l1[i] = mfn;
		l2[WINDOW_L2 - 3 * 512 + i] = (u64)mfn << 12 | FLAGS;
	}
	pin(BOOTSTRAP_L3, FRAME_L3);
	load(BOOTSTRAP_L3);
	PV->start.bootstrap_root = BOOTSTRAP_L3;
}

/* Guest frames in another order than machine frames. */
static void give_memory(u32 pages, u32 hole, u32 hole_pages)
{
	static u32 shown, shown_hole, shown_hole_pages;
	bool same = shown == pages && shown_hole == hole && shown_hole_pages == hole_pages;

	for (u32 i = 0; i < pages; i++) {
		bool none = i - hole < hole_pages;
		u32 va = LINEAR + i * PAGE_SIZE;

		GMFN[i] = none ? GMFN_NONE : GUEST_FIRST + (i ^ 5);
		if (!same && none)
			map(va, PAGE_SIZE, PROT_NONE, -1, 0);
		else if (!same)
			map(va, PAGE_SIZE, PROT_READ | PROT_WRITE, memory_fd, (u64)GMFN[i] << 12);
	}
	frames_complete(pages);
	shown = pages;
	shown_hole = hole;
	shown_hole_pages = hole_pages;
}

void machine_start(u32 guest_pages, u32 hole, u32 hole_pages, u32 pool_pages)
{
	make_memory();
	if (guest_pages % 8 || pool_pages > POOL_MAX || GUEST_FIRST + guest_pages > XEN_FRAMES)
		abort();
	memset(frames, 0, sizeof(frames));
	memset(lent, 0, sizeof(lent));
	map(WIN_GDT, (WIN_GDT_PAGES + 2) * PAGE_SIZE, PROT_NONE, -1, 0);
	map(WIN_LDT, WIN_LDT_PAGES * PAGE_SIZE, PROT_NONE, -1, 0);
	map(WIN_GRANTS, WIN_GRANTS_PAGES * PAGE_SIZE, PROT_NONE, -1, 0);
	map(WIN_SLOTS, WIN_SLOT_COUNT * PAGE_SIZE, PROT_NONE, -1, 0);
	map(WIN_POOL, WINDOW_END - WIN_POOL, PROT_NONE, -1, 0);
	memset(MON, 0, sizeof(*MON));
	memset(PV, 0, sizeof(*PV));
	memset(SHADOW_CPU, 0, sizeof(*SHADOW_CPU));
	memset(VCPU, 0, 4 * PAGE_SIZE);
	memset((void *)WIN_SHARED, 0, 0x3000);
	flush_all();
	make_bootstrap();
	MON->start.guest_pages = guest_pages;
	PV->start.pool_pages = pool_pages;
	PV->start.pool_first_pfn = POOL_FIRST_PFN;
	for (u32 i = 0; i < pool_pages; i++)
		PV->start.pool_mfn[i] = POOL_FIRST + i;
	memset(xen_frame(POOL_FIRST), 0xA5, pool_pages * PAGE_SIZE); /* whatever was there */
	give_memory(guest_pages, hole, hole_pages);
}
