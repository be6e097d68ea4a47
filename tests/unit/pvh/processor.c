/* SPDX-License-Identifier: GPL-2.0-only */
/* See processor.h. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "monitor/pvh/cpu_pvh.h"
#include "processor.h"
#include "monitor/pvh/pvh.h"
#include "monitor/binding.h"
#include "monitor/cpu/segment.h"
#include "monitor/monitor.h"
#include "monitor/vcpu.h"

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

#define WINDOW_BYTES 0x400000u
#define LOWEST 0x10000u /* that a process may map */
#define RAM (GUEST_PAGES * PAGE_SIZE)
/* The monitor's own: behind the guest's memory. */
#define OWN_NARROW (RAM + 0x1000)
#define OWN_WIDE (RAM + 0x2000)
#define L1_NARROW (RAM + 0x3000)
#define L1_WIDE (RAM + 0x4000)

struct xen xen;
struct processor cpu;
static int memory = -1;

/* --- memory ----------------------------------------------------------------------- */

static void map(u32 va, u32 bytes, int fd, u32 offset)
{
	int flags = MAP_FIXED | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);

	if (mmap((void *)(uintptr_t)va, bytes, PROT_READ | PROT_WRITE, flags, fd, offset) ==
	    MAP_FAILED) {
		perror("processor: mmap");
		abort();
	}
}

void xen_start(u32 guest_pages, u32 hole, u32 hole_pages, u32 pool_pages)
{
	jmp_buf *death = xen.death;

	(void)hole, (void)hole_pages, (void)pool_pages;
	if (memory < 0) {
		memory = memfd_create("memory", 0);
		if (memory < 0 || ftruncate(memory, RAM))
			abort();
		map(LINEAR, RAM, memory, 0);
		map(LOWEST, RAM - LOWEST, memory, LOWEST);
	}
	map(WINDOW_BASE, WINDOW_BYTES, -1, 0);
	memset(&xen, 0, sizeof(xen));
	memset(&cpu, 0, sizeof(cpu));
	xen.death = death;
	xen.selector[SEG_DS] = xen.selector[SEG_ES] = OWN_DS0;
	cpu.cr3 = OWN_NARROW;
	MON->start.guest_pages = guest_pages;
	PVH->start = (struct start_pvh){.narrow = OWN_NARROW,
					.wide = OWN_WIDE,
					.l1_narrow = L1_NARROW,
					.l1_wide = {L1_WIDE, L1_WIDE + PAGE_SIZE},
					.own_first = guest_pages,
					.own_end = guest_pages,
					.low_end = guest_pages,
					.high_end = FRAMES_4GB};
	MON->start.console_evtchn = 2;
	console_init(&MON->console, (void *)WIN_CONSOLE, 2);
	XEN_VCPU->time.tsc_to_system_mul = 0x80000000;
}

static u64 word(u32 pa, u32 bytes)
{
	u64 value = 0;

	if (pa < RAM)
		memcpy(&value, (void *)(uintptr_t)(LINEAR + pa), bytes);
	return value;
}

/* The processor's walk; kernel mode, so only writes to what is read-only are refused. */
static bool walk(u32 va, bool write, u32 *pa)
{
	bool pae = cpu.cr4 & CR4_PAE;
	u32 bytes = pae ? 8 : 4, bits = pae ? 9 : 10, top = 12 + bits;
	u64 e = cpu.cr3 & (pae ? ~31u : ~4095u);

	if (cpu.cr3 == OWN_NARROW || cpu.cr3 == OWN_WIDE) {
		*pa = va;
		return true;
	}
	if (pae) {
		e = word((u32)e + (va >> 30) * 8, 8);
		if (!(e & 1))
			return false;
	}
	e = word((u32)(e & 0xFFFFF000) + (va >> top & ((1u << bits) - 1)) * bytes, bytes);
	if (!(e & 1) || (write && !(e & 2)))
		return false;
	if (!(e & 0x80)) {
		e = word((u32)(e & 0xFFFFF000) + (va >> 12 & ((1u << bits) - 1)) * bytes, bytes);
		if (!(e & 1) || (write && !(e & 2)))
			return false;
		top = 12;
	}
	*pa = ((u32)e & 0xFFFFF000 & ~((1u << top) - 1)) | (va & ((1u << top) - 1));
	return true;
}

static u32 transfer(u32 va, void *own, u32 bytes, bool write)
{
	u8 *p = own;

	if (va >= WINDOW_BASE && va < WINDOW_BASE + WINDOW_BYTES) { /* is in every directory */
		memcpy(write ? (void *)(uintptr_t)va : own, write ? own : (void *)(uintptr_t)va,
		       bytes);
		return 0;
	}
	for (; bytes; bytes--, va++, p++) {
		u32 pa;

		if (!walk(va, write, &pa) || pa >= RAM) {
			cpu.cr2 = va;
			VCPU->nested_vector = EXC_PF;
			VCPU->nested_error = write ? PF_W : 0;
			return bytes;
		}
		if (write)
			*(u8 *)(uintptr_t)(LINEAR + pa) = *p;
		else
			*p = *(u8 *)(uintptr_t)(LINEAR + pa);
	}
	return 0;
}

u32 regparm3 copy_from_linear(void *to, gva_t from, u32 bytes)
{
	return transfer(from, to, bytes, false);
}

u32 regparm3 copy_to_linear(gva_t to, const void *from, u32 bytes)
{
	return transfer(to, (void *)(uintptr_t)from, bytes, true);
}

/* --- registers ---------------------------------------------------------------------- */

u32 cpu_cr2(void)
{
	return cpu.cr2;
}

void cpu_set_cr2(u32 value)
{
	cpu.cr2 = value;
}

void cpu_set_cr3(u32 value)
{
	cpu.cr3 = value;
}

void cpu_set_cr4(u32 value)
{
	cpu.cr4 = value;
}

/* A slot shows what its entries say from now on. */
void cpu_invlpg(u32 va)
{
	u32 n = (va - WINDOW_BASE) >> 12, pa = ((u32 *)WIN_L1_NARROW)[n] & 0xFFFFF000;

	cpu.invalidated = va;
	if (va - WIN_SLOTS < PHYS_USES * PAGE_SIZE && pa < RAM)
		map(va, PAGE_SIZE, memory, pa);
}

u32 cpu_dr6(void)
{
	return cpu.dr[6];
}

u32 cpu_dr7(void)
{
	return cpu.dr[7];
}

void cpu_set_dr(u32 reg, u32 value)
{
	cpu.dr[reg] = value;
}

void cpu_lidt(u32 base, u16 limit)
{
	if (limit != 2047)
		abort();
	cpu.idt = base;
}

void cpu_lldt(u16 selector)
{
	cpu.ldt = selector;
}

void cpu_ltr(u16 selector)
{
	cpu.tr = selector;
}

u16 cpu_selector(enum seg seg)
{
	return xen.selector[seg];
}

void cpu_load_selector(enum seg seg, u16 selector)
{
	xen.selector[seg] = selector;
}

void segments_load(void);
void segments_load(void)
{
}

void regparm3 leave_cpuid(u32 regs[4])
{
	memcpy(regs, cpu.cpuid, sizeof(cpu.cpuid));
}

void regparm3 leave_set_cr0(u32 value)
{
	cpu.cr0 = value;
	cpu.cr0_writes++;
}

void regparm3 leave_wrmsr(u32 low, u32 high, u32 msr)
{
	if (msr == MSR_TSC) {
		cpu.tsc = (u64)high << 32 | low;
		return;
	}
	cpu.msr = msr;
	cpu.msr_low = low;
}

void regparm3 paging_switch(u32 from, u32 to, u32 cr4);
void regparm3 paging_switch(u32 from, u32 to, u32 cr4)
{
	(void)from;
	cpu.cr3 = to;
	cpu.cr4 = cr4;
	cpu.switches++;
}

/* What entry/pvh gives the monitor in the ROM. */
const u32 iret_window_offset[2] = {0x2F0, 0x310}, exception_code_offset[2] = {0x1000, 0x2000};
const u32 iret_offset = 0x300, iret_disabled_offset = 0x301, fixup_count = 1;
const u32 exit_iret_offset = 0x600, hypercall_offset[2] = {0x800, 0x880};
const s32 fixup_table[1][2] = {{0x400, 0x500}};
const u32 trap_table = 0x3000, quick_table[VEC_COUNT] = {[0 ... VEC_COUNT - 1] = 0x700};

/* --- Xen ---------------------------------------------------------------------------- */

static void drain_console(void)
{
	struct xencons_interface *ring = (void *)WIN_CONSOLE;

	for (; !xen.stalled && ring->out_cons != ring->out_prod; ring->out_cons++)
		if (xen.console_len + 1 < sizeof(xen.console))
			xen.console[xen.console_len++] =
				ring->out[MASK_XENCONS_IDX(ring->out_cons, ring->out)];
}

static int sched(u32 cmd, u32 arg)
{
	const struct sched_shutdown *s = (void *)(uintptr_t)arg;

	if (cmd == SCHEDOP_poll) {
		xen.polls++;
		if (xen.on_poll)
			xen.on_poll();
		else /* nothing comes before the time is up */
			XEN_VCPU->time.system_time = ((struct sched_poll *)(uintptr_t)arg)->timeout;
	}
	if (cmd != SCHEDOP_shutdown)
		return 0;
	if (s->reason == SHUTDOWN_suspend && xen.on_suspend)
		return xen.on_suspend();
	xen.dead = true;
	drain_console();
	if (!xen.death) {
		fprintf(stderr, "xen: the domain died:\n%s\n", xen.console);
		abort();
	}
	xen.reason = s->reason;
	longjmp(*xen.death, 1);
}

/* In a new domain Xen fills the areas that are registered. */
static void vcpu_op(u32 cmd)
{
	if (!cpu.restored)
		return;
	if (cmd == VCPUOP_register_vcpu_info) {
		*XEN_VCPU = XEN_SHARED->vcpu_info[0];
		XEN_VCPU->evtchn_upcall_pending = 1;
		XEN_VCPU->evtchn_pending_sel = ~0u;
	}
	if (cmd == VCPUOP_register_runstate_memory_area)
		VCPU->runstate = cpu.runstate;
	cpu.vcpu_ops |= 1u << cmd;
}

static void hvm_op(u32 cmd, struct xen_hvm_param *p)
{
	u64 *param = &cpu.param[p->index % ARRAY_SIZE(cpu.param)];

	if (cmd == HVMOP_get_param)
		p->value = *param;
	else
		*param = p->value;
}

int hypercall(unsigned number, u32 a, u32 b, u32 c, u32 d, u32 e)
{
	if (xen_refuses(number, a))
		return xen_refusal.error;
	xen.last[number % ARRAY_SIZE(xen.last)] = (struct xen_call){true, {a, b, c, d, e}};
	if (number == __HYPERVISOR_sched_op)
		return sched(a, b);
	if (number == __HYPERVISOR_event_channel_op && a == EVTCHNOP_send)
		drain_console();
	if (number == __HYPERVISOR_event_channel_op && a == EVTCHNOP_bind_virq)
		((struct evtchn_bind_virq *)(uintptr_t)b)->port = 3;
	if (number == __HYPERVISOR_memory_op && a == XENMEM_add_to_physmap)
		cpu.physmap_frame = (u32)((struct xen_add_to_physmap *)(uintptr_t)b)->gpfn;
	if (number == __HYPERVISOR_vcpu_op)
		vcpu_op(a);
	if (number == __HYPERVISOR_hvm_op)
		hvm_op(a, (void *)(uintptr_t)b);
	if (number == __HYPERVISOR_set_timer_op)
		xen.singleshot = (u64)b << 32 | a;
	return xen.answer[number % ARRAY_SIZE(xen.answer)];
}

const struct xen_call *xen_last(unsigned number)
{
	return xen.last[number].made ? &xen.last[number] : NULL;
}

/* --- the guest's way in, and out ------------------------------------------------------- */

/* The processor's frame, at the top of ring 0's stack. */
void trap(u32 vector, bool has_error, u32 error)
{
	bool v86 = VCPU->r.eflags & EFLAGS_VM;
	u32 *f = (u32 *)(uintptr_t)(WIN_STACK_TOP - (v86 ? 36 : 20));
	struct regs *r = &VCPU->r;

	f[0] = r->eip;
	f[1] = r->cs | 0xABCD0000;
	f[2] = r->eflags | (VCPU->paravirtual ? EFLAGS_IF : 0);
	f[3] = r->gpr[GPR_ESP];
	f[4] = r->ss;
	for (u32 i = 0; v86 && i < 4; i++)
		f[5 + i] = VCPU->v86_segs[i];
	xen.selector[SEG_DS] = xen.selector[SEG_ES] = OWN_DS0;
	VCPU->trap_esp = (u32)(uintptr_t)f;
	r->vector = vector | (has_error ? VECTOR_HAS_ERROR : 0);
	r->error = error;
	monitor_trap(VCPU);
}

u32 frame(u32 n)
{
	return ((u32 *)(uintptr_t)VCPU->exit_esp)[n];
}

void call_in_ring0(void)
{
	u32 *top = (u32 *)WIN_STACK_TOP;

	top[-4] = KERNEL_CS | 1;
	top[-1] = KERNEL_DS | 1;
	xen.selector[SEG_DS] = xen.selector[SEG_ES] = USER_DS;
}

static const u32 *gate(u32 idt, u32 vector)
{
	return (const u32 *)(uintptr_t)idt + vector * 2;
}

u32 gate_at(u32 idt, u32 vector)
{
	return (gate(idt, vector)[0] & 0xFFFF) | (gate(idt, vector)[1] & 0xFFFF0000);
}

u32 gate_cs(u32 idt, u32 vector)
{
	return gate(idt, vector)[0] >> 16;
}

u32 gate_type(u32 idt, u32 vector)
{
	return gate(idt, vector)[1] >> 8 & 0xFF;
}
