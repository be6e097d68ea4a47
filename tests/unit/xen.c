/* SPDX-License-Identifier: GPL-2.0-only */
/* See xen.h. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "xen.h"
#include "mmu.h"

#define EINVAL_ (-22)
#define BOOTSTRAP_L3 1u /* machine frames: the tables that a domain builder makes */
#define BOOTSTRAP_L2 2u
#define WINDOW_L1_FIRST 8u
#define POOL_FIRST 32u
#define POOL_MAX 512u
#define GUEST_FIRST (POOL_FIRST + POOL_MAX)
#define POOL_FIRST_PFN 0x10000u
#define FLAGS (PTE_P | PTE_RW | PTE_A | PTE_D)

struct frame {
	u16 count; /* references as its type */
	u8 type;   /* enum frame_type */
	bool pinned;
};

_Static_assert(sizeof(struct shared_info) <= 4096, "Xen's layout is that of 32 bits");

struct xen xen;

static struct frame frames[XEN_FRAMES];
static u8 *memory; /* all frames */
static int memory_fd;

/* The window's L1s and the TLB have one entry for each page of the address space. */
static u64 tlb_pte[1u << 20];
static u32 tlb_epoch[1u << 20], epoch = 1;

/* The sanitizer's map of addresses has a hole where our window lies. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "protect_shadow_gap=0:detect_leaks=0";
}

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
	map(WIN_MONITOR, WIN_MONITOR_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, -1, 0);
	map(WIN_GMFN, 0x1000 * 4, PROT_READ | PROT_WRITE, -1, 0);
	map(WIN_HEADS, 0x1000 * 2, PROT_READ | PROT_WRITE, -1, 0);
}

void xen_set_window(u32 slot, gva_t va, u32 pages, u32 gpfn)
{
	MON->shadow.window[slot].va = va;
	MON->shadow.window[slot].pages = pages;
	MON->shadow.window[slot].gpfn = gpfn;
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

/* --- types -------------------------------------------------------------------- */

static void flush_all(void)
{
	epoch++;
}

void xen_tlb_drop(gva_t va)
{
	tlb_epoch[va >> 12] = 0;
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
	flush_all();
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
	if (f->type != FRAME_L1)
		flush_all();
	return true;
}

/* --- mmu.h --------------------------------------------------------------------- */

int mmu_write(const struct mmu_entry *e, u32 count)
{
	for (; count; count--, e++)
		if (e->ptr >> 12 >= XEN_FRAMES || (e->ptr & 7) ||
		    !entry_write((u32)(e->ptr >> 12), (e->ptr & 4095) / 8, e->val))
			return EINVAL_;
	return 0;
}

static u64 *l1_of(gva_t va, u64 *l2e)
{
	const u64 *l3 = xen_frame(xen.root), *l2;

	*l2e = 0;
	if (!(l3[va >> 30] & PTE_P))
		return NULL;
	l2 = xen_frame(mfn_of(l3[va >> 30]));
	*l2e = l2[va >> 21 & 511];
	return *l2e & PTE_P ? xen_frame(mfn_of(*l2e)) : NULL;
}

static void show(gva_t va, u64 pte)
{
	if (!(pte & PTE_P))
		map(va, PAGE_SIZE, PROT_NONE, -1, 0);
	else
		map(va, PAGE_SIZE, pte & PTE_RW ? PROT_READ | PROT_WRITE : PROT_READ, memory_fd,
		    pte & PTE_FRAME);
}

int mmu_write_va(gva_t va, u64 pte, enum mmu_flush flush)
{
	u64 l2e;
	u64 *l1 = l1_of(va, &l2e);

	if (!l1 || !entry_write(mfn_of(l2e), va >> 12 & 511, pte))
		return EINVAL_;
	if (flush == MMU_FLUSH_PAGE)
		xen_tlb_drop(va);
	if (flush == MMU_FLUSH_ALL)
		flush_all();
	if (va >= WINDOW_BASE)
		show(va & ~(PAGE_SIZE - 1), pte);
	return 0;
}

static int pin(u32 mfn, u8 type)
{
	if (mfn >= XEN_FRAMES || frames[mfn].pinned || !type_get(mfn, type))
		return EINVAL_;
	frames[mfn].pinned = true;
	return 0;
}

int mmu_pin_l1(u32 mfn)
{
	return pin(mfn, FRAME_L1);
}

int mmu_pin_l3(u32 mfn)
{
	return pin(mfn, FRAME_L3);
}

int mmu_unpin(u32 mfn)
{
	if (mfn >= XEN_FRAMES || !frames[mfn].pinned)
		return EINVAL_;
	frames[mfn].pinned = false;
	type_put(mfn);
	return 0;
}

int mmu_load(u32 l3_mfn)
{
	u32 old = xen.root;

	if (l3_mfn >= XEN_FRAMES || !type_get(l3_mfn, FRAME_L3))
		return EINVAL_;
	xen.root = l3_mfn;
	flush_all();
	if (old)
		type_put(old);
	return 0;
}

int mmu_invlpg(gva_t va)
{
	xen_tlb_drop(va);
	return 0;
}

int mmu_flush_tlb(void)
{
	flush_all();
	return 0;
}

u32 mmu_mfn_to_pfn(u32 mfn)
{
	return mfn - POOL_FIRST + POOL_FIRST_PFN;
}

/* --- the processor ------------------------------------------------------------- */

static bool allows(u64 pte, u32 bits)
{
	return (pte & PTE_P) && (!(bits & PF_W) || (pte & PTE_RW)) &&
	       (!(bits & PF_U) || (pte & PTE_US)) && (!(bits & PF_I) || !(pte & PTE_NX));
}

u32 xen_access(gva_t va, u32 bits, u32 *mfn)
{
	u32 page = va >> 12;
	u64 l2e, pte = 0, *l1;

	if (tlb_epoch[page] != epoch || !allows(tlb_pte[page], bits)) {
		l1 = l1_of(va, &l2e);
		if (l1 && (l1[page & 511] & PTE_P)) {
			pte = l1[page & 511];
			pte &= ~(PTE_RW | PTE_US) | (l2e & (PTE_RW | PTE_US));
			pte |= l2e & PTE_NX;
		}
		tlb_epoch[page] = 0;
		if (!allows(pte, bits))
			return (bits | (pte & PTE_P ? PF_P : 0)) + 1;
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

u32 regparm3 linear_read(void *to, gva_t from, u32 bytes)
{
	return linear(from, to, bytes, false);
}

u32 regparm3 linear_write(gva_t to, const void *from, u32 bytes)
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
		mmu_pin_l1(mfn);
		MON->start.window_l1[i] = mfn;
		l2[WINDOW_L2 - 3 * 512 + i] = (u64)mfn << 12 | FLAGS;
	}
	mmu_pin_l3(BOOTSTRAP_L3);
	mmu_load(BOOTSTRAP_L3);
	MON->start.bootstrap_root = BOOTSTRAP_L3;
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
		HEADS[i] = GMFN[i] == GMFN_NONE ? HEAD_NO_MEMORY : SHADOW_NONE;
		if (!same && none)
			map(va, PAGE_SIZE, PROT_NONE, -1, 0);
		else if (!same)
			map(va, PAGE_SIZE, PROT_READ | PROT_WRITE, memory_fd, (u64)GMFN[i] << 12);
	}
	shown = pages;
	shown_hole = hole;
	shown_hole_pages = hole_pages;
}

void xen_start(u32 guest_pages, u32 hole, u32 hole_pages, u32 pool_pages)
{
	make_memory();
	if (guest_pages % 8 || pool_pages > POOL_MAX || GUEST_FIRST + guest_pages > XEN_FRAMES)
		abort();
	memset(&xen, 0, sizeof(xen));
	memset(frames, 0, sizeof(frames));
	memset(MON, 0, sizeof(*MON));
	memset(VCPU, 0, 4 * PAGE_SIZE);
	memset((void *)WIN_SHARED, 0, 0x3000);
	map(WIN_GDT, (WIN_GDT_PAGES + 2) * PAGE_SIZE, PROT_NONE, -1, 0);
	map(WIN_LDT, WIN_LDT_PAGES * PAGE_SIZE, PROT_NONE, -1, 0);
	map(WIN_SLOTS, WIN_SLOT_COUNT * PAGE_SIZE, PROT_NONE, -1, 0);
	map(WIN_POOL, WINDOW_END - WIN_POOL, PROT_NONE, -1, 0);
	flush_all();
	make_bootstrap();
	MON->start.guest_pages = guest_pages;
	MON->start.pool_pages = pool_pages;
	MON->start.pool_first_pfn = POOL_FIRST_PFN;
	for (u32 i = 0; i < pool_pages; i++)
		MON->start.pool_mfn[i] = POOL_FIRST + i;
	memset(xen_frame(POOL_FIRST), 0xA5, pool_pages * PAGE_SIZE); /* whatever was there */
	give_memory(guest_pages, hole, hole_pages);
	MON->start.console_evtchn = 2;
	console_init(&MON->console, (void *)WIN_CONSOLE, 2);
	XEN_VCPU->time.tsc_to_system_mul = 0x80000000; /* 2 GHz */
}

/* --- hypercalls ----------------------------------------------------------------- */

static void drain_console(void)
{
	struct xencons_interface *ring = (void *)WIN_CONSOLE;

	for (; ring->out_cons != ring->out_prod; ring->out_cons++)
		if (xen.console_len + 1 < sizeof(xen.console))
			xen.console[xen.console_len++] =
				ring->out[MASK_XENCONS_IDX(ring->out_cons, ring->out)];
}

static int event_channel(u32 cmd, u32 arg)
{
	struct evtchn_bind_virq *bind = (void *)(uintptr_t)arg;

	if (cmd == EVTCHNOP_send)
		drain_console();
	if (cmd == EVTCHNOP_bind_virq)
		bind->port = bind->virq == VIRQ_TIMER ? 3 : 4;
	return xen.answer[__HYPERVISOR_event_channel_op];
}

static int sched(u32 cmd, u32 arg)
{
	const struct sched_shutdown *s = (void *)(uintptr_t)arg;

	if (cmd == SCHEDOP_poll) {
		xen.polls++;
		if (xen.on_poll)
			xen.on_poll();
		return 0;
	}
	if (cmd != SCHEDOP_shutdown)
		return 0;
	xen.dead = true;
	drain_console();
	if (!xen.death) {
		fprintf(stderr, "xen: the domain died:\n%s\n", xen.console);
		abort();
	}
	xen.reason = s->reason;
	longjmp(*xen.death, 1);
}

static int vcpu_op(u32 cmd, u32 arg)
{
	const struct vcpu_set_singleshot_timer *t = (void *)(uintptr_t)arg;

	if (cmd == VCPUOP_set_singleshot_timer)
		xen.singleshot = t->timeout_abs_ns;
	if (cmd == VCPUOP_stop_singleshot_timer)
		xen.singleshot = 0;
	return xen.answer[__HYPERVISOR_vcpu_op];
}

static int update_descriptor(u64 maddr, u64 d)
{
	if (xen.answer[__HYPERVISOR_update_descriptor])
		return xen.answer[__HYPERVISOR_update_descriptor];
	if (maddr >> 12 >= XEN_FRAMES)
		return EINVAL_;
	*(u64 *)(memory + maddr) = d;
	return 0;
}

static int set_trap_table(u32 at)
{
	const struct trap_info *t = (void *)(uintptr_t)at;

	if (xen.answer[__HYPERVISOR_set_trap_table])
		return xen.answer[__HYPERVISOR_set_trap_table];
	if (!at)
		memset(xen.trap, 0, sizeof(xen.trap));
	for (; at && t->address; t++)
		xen.trap[t->vector] = *t;
	return 0;
}

int hypercall(unsigned number, u32 a, u32 b, u32 c, u32 d, u32 e)
{
	xen.call[xen.calls++ % ARRAY_SIZE(xen.call)] = (struct xen_call){number, {a, b, c, d, e}};
	switch (number) {
	case __HYPERVISOR_event_channel_op:
		return event_channel(a, b);
	case __HYPERVISOR_sched_op:
		return sched(a, b);
	case __HYPERVISOR_vcpu_op:
		return vcpu_op(a, c);
	case __HYPERVISOR_set_trap_table:
		return set_trap_table(a);
	case __HYPERVISOR_update_descriptor:
		return update_descriptor((u64)b << 32 | a, (u64)d << 32 | c);
	case __HYPERVISOR_set_gdt:
		xen.gdt_entries = b;
		break;
	case __HYPERVISOR_mmuext_op:
		xen.ldt_entries = ((const struct mmuext_op *)(uintptr_t)a)->arg2.nr_ents;
		break;
	case __HYPERVISOR_stack_switch:
		xen.stack_ss = a;
		xen.stack_esp = b;
		break;
	case __HYPERVISOR_fpu_taskswitch:
		xen.ts = a;
		break;
	case __HYPERVISOR_set_debugreg:
		xen.debugreg[a & 7] = b;
		break;
	case __HYPERVISOR_get_debugreg:
		return (int)xen.debugreg[a & 7];
	default:
		break;
	}
	return xen.answer[number % ARRAY_SIZE(xen.answer)];
}

const struct xen_call *xen_last(unsigned number)
{
	u32 n = xen.calls < ARRAY_SIZE(xen.call) ? xen.calls : ARRAY_SIZE(xen.call);

	for (u32 i = 1; i <= n; i++) {
		const struct xen_call *c = &xen.call[(xen.calls - i) % ARRAY_SIZE(xen.call)];

		if (c->number == number)
			return c;
	}
	return NULL;
}

/* What entry/ gives the monitor in the ROM. */
const u32 nm_offset = 0x80, upcall_offset = 0x100, failsafe_offset = 0x200;
const u32 iret_window_offset[2] = {0x2F0, 0x310};
const u32 iret_offset = 0x300, iret_disabled_offset = 0x301, fixup_count = 1;
const s32 fixup_table[1][2] = {{0x400, 0x500}};
const u32 trap_table[32] = {[0 ... 31] = 0x600};

/* --- the stack ------------------------------------------------------------------- */

#define STACK_BYTES (1u << 20)

static int (*low_function)(void);
static int low_result;

static void *low_thread(void *unused)
{
	low_result = low_function();
	return unused;
}

int xen_on_low_stack(int (*f)(void))
{
	void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	pthread_attr_t attr;
	pthread_t thread;

	low_function = f;
	if (stack == MAP_FAILED || pthread_attr_init(&attr) ||
	    pthread_attr_setstack(&attr, stack, STACK_BYTES) ||
	    pthread_create(&thread, &attr, low_thread, NULL) || pthread_join(thread, NULL))
		abort();
	return low_result;
}
