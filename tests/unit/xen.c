/* SPDX-License-Identifier: GPL-2.0-only */
/* See xen.h; the hypercalls on page tables are in machine.c. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "xen.h"
#include "machine.h"
#include "monitor/cpu/segment.h"
#include "monitor/monitor.h"
#include "monitor/pv/pv.h"
#include "monitor/vcpu.h"
#include "monitor/pv/mmu/block.h"

#include <xen/grant_table.h>

_Static_assert(sizeof(struct shared_info) <= 4096, "Xen's layout is that of 32 bits");

struct xen xen;

void xen_set_highpte(u32 number, gva_t va, u32 pages, u32 gpfn)
{
	SHADOW_CPU->highpte[number].va = va;
	SHADOW_CPU->highpte[number].pages = pages;
	SHADOW_CPU->highpte[number].gpfn = gpfn;
}

void xen_start(u32 guest_pages, u32 hole, u32 hole_pages, u32 pool_pages)
{
	jmp_buf *death = xen.death;

	memset(&xen, 0, sizeof(xen));
	xen.death = death;
	machine_start(guest_pages, hole, hole_pages, pool_pages);
	MON->start.console_evtchn = 2;
	console_init(&MON->console, (void *)WIN_CONSOLE, 2);
	XEN_VCPU->time.tsc_to_system_mul = 0x80000000; /* 2 GHz */
}

/* --- hypercalls ----------------------------------------------------------------- */

static void drain_console(void)
{
	struct xencons_interface *ring = (void *)WIN_CONSOLE;

	for (; !xen.stalled && ring->out_cons != ring->out_prod; ring->out_cons++)
		if (xen.console_len + 1 < sizeof(xen.console))
			xen.console[xen.console_len++] =
				ring->out[MASK_XENCONS_IDX(ring->out_cons, ring->out)];
}

static int console_read(u32 to)
{
	int byte = xen.type();

	if (byte >= 0)
		*(u8 *)(uintptr_t)to = (u8)byte;
	return byte >= 0;
}

static int event_channel(u32 cmd, u32 arg)
{
	struct evtchn_bind_virq *bind = (void *)(uintptr_t)arg;

	if (cmd == EVTCHNOP_send)
		drain_console();
	if (cmd == EVTCHNOP_bind_virq)
		bind->port = bind->virq == VIRQ_TIMER ? 3 : 4;
	if (cmd == EVTCHNOP_alloc_unbound)
		((struct evtchn_alloc_unbound *)(uintptr_t)arg)->port = 10 + xen.ports++;
	if (cmd == EVTCHNOP_bind_ipi)
		((struct evtchn_bind_ipi *)(uintptr_t)arg)->port = XEN_IPI_PORT;
	if (cmd == EVTCHNOP_send) {
		u32 port = ((const struct evtchn_send *)(uintptr_t)arg)->port;

		xen.sent[port % ARRAY_SIZE(xen.sent)]++;
	}
	return xen.answer[__HYPERVISOR_event_channel_op];
}

#define WAITS_FOR_EVER 100000

static int sched(u32 cmd, u32 arg)
{
	const struct sched_shutdown *s = (void *)(uintptr_t)arg;

	if (cmd == SCHEDOP_poll) {
		if (++xen.polls > WAITS_FOR_EVER) {
			fprintf(stderr, "xen: the domain waits for ever\n");
			abort();
		}
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

#define D_PRESENT (1ull << 47)
#define D_SEGMENT (1ull << 44)
#define D_CODE (1ull << 43)
#define D_CONFORMING (1ull << 42) /* of code */
#define D_ACCESS (1ull << 41)	  /* code: may be read; data: may be written */
#define D_LONG (1ull << 53)
#define D_BIG_LIMIT 0x000F00000000FFFFull

static u32 dpl_of(u64 d)
{
	return d >> 45 & 3;
}

/* As Xen has it for a 32-bit domain: what is not present may be anything, DPL 0 is
 * made 1, a flat segment ends behind Xen's hole; no long mode, and of the system's
 * descriptors none but type 0 (a call gate to a code segment, which Xen would take,
 * is none of ours). */
static bool check_descriptor(u64 *d)
{
	u64 base = (*d >> 16 & 0xFFFFFF) | (*d >> 32 & 0xFF000000);
	u64 end = ((*d & 0xFFFF) | (*d >> 32 & 0xF0000)) + 1;

	if (!(*d & D_PRESENT))
		return true;
	if (!(*d & D_SEGMENT))
		return !(*d >> 40 & 0xF);
	if (*d & D_LONG)
		return false;
	if (!dpl_of(*d))
		*d |= 1ull << 45;
	if (!base && (*d >> 55 & 1 ? end << 12 : end) > WINDOW_END)
		*d |= D_BIG_LIMIT;
	return true;
}

static int update_descriptor(u64 maddr, u64 d)
{
	if (xen.answer[__HYPERVISOR_update_descriptor])
		return xen.answer[__HYPERVISOR_update_descriptor];
	if (maddr >> 12 >= XEN_FRAMES || (maddr & 7) || !check_descriptor(&d))
		return MACHINE_EINVAL;
	((u64 *)xen_frame((u32)(maddr >> 12)))[(maddr & 4095) / 8] = d;
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

/* The table's frames are the machine's last. */
static int grant_table_op(u32 cmd, struct gnttab_setup_table *setup)
{
	if (xen.answer[__HYPERVISOR_grant_table_op] || cmd != GNTTABOP_setup_table)
		return xen.answer[__HYPERVISOR_grant_table_op];
	for (u32 i = 0; i < setup->nr_frames; i++)
		setup->frame_list.p[i] = XEN_FRAMES - 8 + i;
	setup->status = xen.grant_status;
	return 0;
}

static int mmuext_op(const struct mmuext_op *op)
{
	if (op->cmd != MMUEXT_SET_LDT)
		return machine_mmuext_op(op);
	if (xen.at_set_ldt)
		xen.at_set_ldt();
	xen.ldt_entries = op->arg2.nr_ents;
	if (xen.at_set_ldt)
		xen.at_set_ldt();
	return xen.answer[__HYPERVISOR_mmuext_op];
}

int hypercall(unsigned number, u32 a, u32 b, u32 c, u32 d, u32 e)
{
	if (xen_refuses(number, a))
		return xen_refusal.error;
	xen.last[number % ARRAY_SIZE(xen.last)] = (struct xen_call){true, {a, b, c, d, e}};
	switch (number) {
	case __HYPERVISOR_mmu_update:
		return machine_mmu_update((const void *)(uintptr_t)a, b);
	case __HYPERVISOR_update_va_mapping:
		return machine_update_va_mapping(a, (u64)c << 32 | b, d);
	case __HYPERVISOR_mmuext_op:
		return mmuext_op((const void *)(uintptr_t)a);
	case __HYPERVISOR_event_channel_op:
		return event_channel(a, b);
	case __HYPERVISOR_sched_op:
		return sched(a, b);
	case __HYPERVISOR_grant_table_op:
		return grant_table_op(a, (void *)(uintptr_t)b);
	case __HYPERVISOR_set_timer_op:
		xen.singleshot = (u64)b << 32 | a;
		break;
	case __HYPERVISOR_set_trap_table:
		return set_trap_table(a);
	case __HYPERVISOR_update_descriptor:
		return update_descriptor((u64)b << 32 | a, (u64)d << 32 | c);
	case __HYPERVISOR_set_gdt:
		xen.gdt_entries = b;
		break;
	case __HYPERVISOR_stack_switch:
		xen.stack_ss = a;
		xen.stack_esp = b;
		break;
	case __HYPERVISOR_fpu_taskswitch:
		xen.ts = a;
		break;
	case __HYPERVISOR_console_io:
		return a == CONSOLEIO_read && xen.type ? console_read(c) : 0;
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

void nmi_unblock(void)
{
	xen.nmis_unblocked++;
}

void xen_set_cr4(u32 value)
{
	xen.cr4 = value;
	xen.cr4_writes++;
}

/* --- segment registers ------------------------------------------------------------ */

/* A descriptor of Xen's own tables; 0 where there is none. */
static u64 slot(u16 selector)
{
	u32 table = selector & 4 ? WIN_LDT : WIN_GDT, index = selector >> 3;

	if ((selector & 0xFFFC) == (FLAT_RING1_DS & 0xFFFC))
		return 0x00CFB3000000FFFFull;
	if (index >= (selector & 4 ? xen.ldt_entries : xen.gdt_entries))
		return 0;
	return ((const volatile u64 *)(uintptr_t)table)[index];
}

/* Intel SDM vol. 2, MOV to a data segment register, at privilege level cpl. */
static bool load(enum seg seg, u16 selector, u32 cpl)
{
	u64 d = slot(selector);
	u32 rpl = selector & 3;

	if ((selector & 0xFFFC) && ((d & (D_PRESENT | D_SEGMENT)) != (D_PRESENT | D_SEGMENT) ||
				    (d & (D_CODE | D_ACCESS)) == D_CODE ||
				    ((d & (D_CODE | D_CONFORMING)) != (D_CODE | D_CONFORMING) &&
				     dpl_of(d) < (rpl > cpl ? rpl : cpl))))
		return false;
	xen.selector[seg] = selector;
	xen.hidden[seg] = selector & 0xFFFC ? d : 0;
	return true;
}

bool xen_load_selector(enum seg seg, u16 selector)
{
	return load(seg, selector, VCPU->kernel_rpl);
}

bool xen_context_switch(u32 before[4])
{
	static const enum seg order[] = {SEG_DS, SEG_ES, SEG_FS, SEG_GS};
	bool all = true;

	for (u32 i = 0; i < ARRAY_SIZE(order); i++) {
		before[i] = xen.selector[order[i]];
		if (!load(order[i], (u16)before[i], 0)) {
			load(order[i], 0, 0);
			all = false;
		}
	}
	return all;
}

u16 cpu_selector(enum seg seg)
{
	return xen.selector[seg];
}

void cpu_load_selector(enum seg seg, u16 selector)
{
	if (!xen_load_selector(seg, selector)) {
		fprintf(stderr, "xen: %04x in register %u: #GP in the monitor\n", (u32)selector,
			(u32)seg);
		abort();
	}
}

const struct xen_call *xen_last(unsigned number)
{
	return xen.last[number].made ? &xen.last[number] : NULL;
}

/* What entry/ gives the monitor in the ROM. */
const u32 nm_offset = 0x80, upcall_offset = 0x100, failsafe_offset = 0x200;
const u32 iret_window_offset[2] = {0x2F0, 0x310};
const u32 iret_offset = 0x300, iret_disabled_offset = 0x301, fixup_count = 1;
const s32 fixup_table[1][2] = {{0x400, 0x500}};
const u32 trap_table[32] = {[0 ... 31] = 0x600};
