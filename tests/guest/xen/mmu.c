/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Direct paging: the guest's tables are what the processor walks, and Xen
 * validates what is written to them.
 *
 * What is kept true, as in Linux 2.6.32: an address space is made of ordinary
 * writable frames and filled with plain stores.  When it is loaded first, all
 * its tables become read-only in the linear mapping and the top is pinned;
 * from then on entries are written by hypercalls, or by stores that fault and
 * that Xen emulates.  When it ends it is unpinned before it is taken apart.
 * typed[] says of each frame whether it is a table of Xen's.  Slot 3 cannot be
 * shared between spaces, so each has a directory of its own for the kernel.
 */
#include "xen.h"

#define HOLE 0xf5800000u /* Xen's own from here on */
#define TABLE_BYTES (PT_ENTRIES * PAGE_SIZE)
#define KERNEL_SLOT 3u
#define SPACES 72u
#define QUEUE 32u

static struct space {
	u32 top, kernel; /* frames: of the four entries, of slot 3's directory */
	bool used, pinned;
} spaces[SPACES];

static u8 *typed;
static u32 first_free, cr3;
static struct mmu_update queue[QUEUE];
static u32 queued;
static bool lazy;

const u32 *p2m;

static u32 frame_of(const void *p)
{
	return virt_to_phys(p) >> PAGE_SHIFT;
}

static u64 machine(const void *p)
{
	return (u64)p2m[frame_of(p)] << PAGE_SHIFT | ((u32)p & (PAGE_SIZE - 1));
}

static void flush_queue(void)
{
	if (queued)
		MUST(hypercall(__HYPERVISOR_mmu_update, (u32)queue, queued, 0, DOMID_SELF, 0));
	queued = 0;
}

static void enqueue(const pte_t *ptep, pte_t value)
{
	if (queued == QUEUE)
		flush_queue();
	queue[queued++] = (struct mmu_update){machine(ptep) | MMU_NORMAL_PT_UPDATE, value};
}

static void extended(u32 command, u32 mfn, u32 address)
{
	struct mmuext_op op = {.cmd = command};

	flush_queue();
	if (address)
		op.arg1.linear_addr = address;
	else
		op.arg1.mfn = mfn;
	MUST(hypercall(__HYPERVISOR_mmuext_op, (u32)&op, 1, 0, DOMID_SELF, 0));
}

static void set_mapping(u32 va, pte_t value, u32 flags)
{
	MUST(hypercall(__HYPERVISOR_update_va_mapping, va, (u32)value, (u32)((u64)value >> 32),
		       flags, 0));
}

/* --- the linear mapping of a frame that is, or is no more, a table --------------- */

static void queue_type(u32 pfn, bool table)
{
	u64 bits = table ? PTE_KERNEL & ~PTE_RW : PTE_KERNEL;

	if (typed[pfn] == table)
		return;
	typed[pfn] = table;
	enqueue(pte_of(&init_mm, (u32)page_address(pfn)), pte_make(pfn, bits));
}

void mmu_read_only(const void *page)
{
	set_mapping((u32)page, pte_make(frame_of(page), PTE_P | PTE_A | PTE_D),
		    UVMF_INVLPG | UVMF_LOCAL);
}

/* --- the domain's start ------------------------------------------------------------ */

static void *boot_page(void)
{
	void *page = phys_to_virt(first_free);

	memset(page, 0, PAGE_SIZE);
	first_free += PAGE_SIZE;
	return page;
}

/* One more table of the linear mapping. */
static void map_table(u32 va, u32 end)
{
	pte_t *table = boot_page(), *pmd = pmd_of(&init_mm, va);
	u32 pfn = (va - PAGE_OFFSET) >> PAGE_SHIFT;
	struct mmu_update hook = {machine(pmd) | MMU_NORMAL_PT_UPDATE,
				  pte_make(frame_of(table), PTE_TABLE)};

	for (u32 i = 0; i < PT_ENTRIES && pfn + i < end; i++)
		table[i] = pte_make(pfn + i, PTE_KERNEL);
	mmu_read_only(table);
	MUST(hypercall(__HYPERVISOR_mmu_update, (u32)&hook, 1, 0, DOMID_SELF, 0));
}

/* The domain builder has mapped the kernel, its own tables, a stack behind
 * them, and 512 KB more, up to a multiple of 4 MB. */
void mmu_start(const struct start_info *si)
{
	u32 tables = virt_to_phys((void *)si->pt_base), frames = si->nr_pages, first, end;

	p2m = (const u32 *)si->mfn_list;
	pte_m2p = (const u32 *)HOLE;
	pte_p2m = p2m;
	init_mm.pgd = (pte_t *)si->pt_base;
	cr3 = tables;
	end = tables + si->nr_pt_frames * PAGE_SIZE;
	first_free = end + PAGE_SIZE;
	if (frames > LOWMEM_MAX >> PAGE_SHIFT)
		frames = LOWMEM_MAX >> PAGE_SHIFT;
	first = PAGE_OFFSET + ((first_free + 0x80000 + 0x3fffff) & ~0x3fffffu);
	typed = phys_to_virt(first_free);
	for (u32 i = 0; i < frames; i += PAGE_SIZE)
		boot_page();
	for (u32 va = first; va < PAGE_OFFSET + frames * PAGE_SIZE; va += TABLE_BYTES) {
		typed[first_free >> PAGE_SHIFT] = true;
		map_table(va, frames);
	}
	for (u32 pa = tables; pa < end; pa += PAGE_SIZE)
		typed[pa >> PAGE_SHIFT] = true;
}

u32 mmu_first_free(void)
{
	return first_free;
}

/* --- address spaces ----------------------------------------------------------------- */

static struct space *space_of(u32 top)
{
	for (struct space *s = spaces; s < spaces + SPACES; s++) {
		if (s->used && s->top == top)
			return s;
	}
	return NULL;
}

/* All tables of a space that are its own. */
static void queue_space(struct space *s, bool table)
{
	const pte_t *top = page_address(s->top);

	for (u32 i = 0; i < KERNEL_SLOT; i++) {
		const pte_t *pd = page_address(pte_pfn(top[i]));

		if (!(top[i] & PTE_P))
			continue;
		for (u32 j = 0; j < PT_ENTRIES; j++) {
			if (pd[j] & PTE_P)
				queue_type(pte_pfn(pd[j]), table);
		}
		queue_type(pte_pfn(top[i]), table);
	}
	queue_type(s->kernel, table);
	queue_type(s->top, table);
	flush_queue();
}

static void pin(struct space *s)
{
	queue_space(s, true);
	extended(MMUEXT_PIN_L3_TABLE, p2m[s->top], 0);
	s->pinned = true;
}

static void load(u32 pa)
{
	cr3 = pa;
	extended(MMUEXT_NEW_BASEPTR, p2m[pa >> PAGE_SHIFT], 0);
}

static void set_cr3(u32 pa)
{
	struct space *s = space_of(pa >> PAGE_SHIFT);

	if (s && !s->pinned)
		pin(s);
	load(pa);
}

static u32 get_cr3(void)
{
	return cr3;
}

static void space_ends(u32 pa)
{
	struct space *s = space_of(pa >> PAGE_SHIFT);

	if (!s || !s->pinned)
		return;
	if (cr3 == pa)
		load(virt_to_phys(init_mm.pgd));
	extended(MMUEXT_UNPIN_TABLE, p2m[s->top], 0);
	queue_space(s, false);
	s->pinned = false;
}

static void allocate_page(u32 pfn, u32 flags, u32 clone, u32 start, u32 count)
{
	pte_t *top = page_address(pfn);
	struct space *s = spaces;

	(void)clone, (void)start, (void)count;
	if (!(flags & ALLOC_CLONE))
		return;
	while (s->used)
		if (++s == spaces + SPACES)
			died("too many address spaces");
	*s = (struct space){.used = true, .top = pfn, .kernel = page_alloc_zeroed()};
	memcpy(page_address(s->kernel), pmd_of(&init_mm, PAGE_OFFSET),
	       ((HOLE - PAGE_OFFSET) >> PD_SHIFT) * sizeof(pte_t));
	top[KERNEL_SLOT] = pte_make(s->kernel, PTE_P);
}

static void release_page(u32 pfn, u32 flags)
{
	struct space *s = flags & PAGE_L2_FLAG ? space_of(pfn) : NULL;

	if (!s)
		return;
	page_put(s->kernel);
	s->used = false;
}

/* --- entries -------------------------------------------------------------------------- */

static void store(pte_t *ptep, pte_t value)
{
	volatile u32 *half = (volatile u32 *)ptep;

	half[0] = 0;
	half[1] = (u32)((u64)value >> 32);
	half[0] = (u32)value;
}

/* A table is hooked into a directory that is in use, or unhooked. */
static void set_directory(pte_t value, pte_t *ptep)
{
	pte_t old = *ptep;

	if (value & PTE_P)
		queue_type(pte_pfn(value), true);
	enqueue(ptep, value);
	if (old & PTE_P && !(value & PTE_P))
		queue_type(pte_pfn(old), false);
	if (!lazy)
		flush_queue();
}

static void set_pte(pte_t value, pte_t *ptep, u32 flags)
{
	if (!typed[frame_of(ptep)]) {
		store(ptep, value);
	} else if (flags & (PAGE_L2_FLAG | PAGE_PDP_FLAG)) {
		set_directory(value, ptep);
	} else if (flags & PAGE_CURRENT_AS && !lazy) {
		set_mapping(flags & ~(PAGE_SIZE - 1), value, 0);
	} else {
		enqueue(ptep, value);
		if (!lazy)
			flush_queue();
	}
}

/* The native store before it has faulted, and Xen has emulated it. */
static void update_pte(pte_t *ptep, u32 flags)
{
	(void)ptep, (void)flags;
}

static void inval_page(u32 va)
{
	extended(MMUEXT_INVLPG_LOCAL, 0, va);
}

static void flush_tlb(u32 what)
{
	(void)what;
	extended(MMUEXT_TLB_FLUSH_LOCAL, 0, 0);
}

static void lazy_mode(u32 mode)
{
	lazy = mode == LAZY_MMU;
	flush_queue();
}

void mmu_bind(void)
{
	ops.set_cr3 = set_cr3;
	ops.get_cr3 = get_cr3;
	ops.set_pte = set_pte;
	ops.update_pte = update_pte;
	ops.allocate_page = allocate_page;
	ops.release_page = release_page;
	ops.space_ends = space_ends;
	ops.inval_page = inval_page;
	ops.flush_tlb = flush_tlb;
	ops.lazy_mode = lazy_mode;
}
