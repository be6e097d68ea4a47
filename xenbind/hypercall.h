/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Xen's hypercalls as typed functions, and the pages that Xen shares with us, at their
 * places in the window.  Every function returns what Xen has returned: 0 or a positive
 * result, or a negative errno of xen/errno.h.
 *
 * The domain entry runs before the window exists; it has a hypercall page in its own
 * image.
 */
#ifndef VMIXEN_HYPERCALL_H
#define VMIXEN_HYPERCALL_H

#include "base.h"
#include "counters.h"
#include "layout.h"
#include "regs.h"

/* Unit tests are 64-bit programs, but must see the structures of a 32-bit guest. */
#ifdef VMIXEN_HOSTED
#pragma push_macro("__x86_64__")
#undef __x86_64__
#define __i386__ 1
#define long int
#endif
#define __XEN_INTERFACE_VERSION__ __XEN_LATEST_INTERFACE_VERSION__
#include <xen/xen.h>
#include <xen/callback.h>
#include <xen/event_channel.h>
#include <xen/io/console.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include <xen/memory.h>
#ifdef VMIXEN_HOSTED
#undef long
#undef __i386__
#pragma pop_macro("__x86_64__")
#endif

#ifdef VMIXEN_ENTRY
extern char hypercall_page[];
#define HYPERCALL_PAGE ((u32)hypercall_page)
#else
#define HYPERCALL_PAGE WIN_HYPERCALL
#endif

#define XEN_SHARED ((volatile struct shared_info *)WIN_SHARED)
/* Not in the shared page: in the vCPU's own (events_own_page() in monitor/io/events.c). */
#define XEN_VCPU ((volatile struct vcpu_info *)WIN_VCPU_INFO)

/* Makes a hypercall by its number; no hypercall has more than these five arguments, which
 * go in EBX, ECX, EDX, ESI and EDI. */
#ifdef VMIXEN_HOSTED
int hypercall(unsigned number, u32 a, u32 b, u32 c, u32 d, u32 e); /* tests/unit/xen.c */
#else
static inline int hypercall(unsigned number, u32 a, u32 b, u32 c, u32 d, u32 e)
{
	int ret;

	COUNT(hypercall[number]);
	__asm__ volatile("call *%[code]"
			 : "=a"(ret), "+b"(a), "+c"(b), "+d"(c), "+S"(d), "+D"(e)
			 : [code] "0"(HYPERCALL_PAGE + number * 32)
			 : "memory", "cc");
	return ret;
}
#endif

/* t: a list that ends with a trap_info of zeros; NULL takes all away. */
static inline int xen_set_trap_table(const struct trap_info *t)
{
	return hypercall(__HYPERVISOR_set_trap_table, (u32)t, 0, 0, 0, 0);
}

/* count requests; *done, unless done is NULL, becomes how many were carried out. */
static inline int xen_mmu_update(const struct mmu_update *req, u32 count, u32 *done)
{
	return hypercall(__HYPERVISOR_mmu_update, (u32)req, count, (u32)done, DOMID_SELF, 0);
}

static inline int xen_mmuext_op(const struct mmuext_op *op, u32 count)
{
	return hypercall(__HYPERVISOR_mmuext_op, (u32)op, count, 0, DOMID_SELF, 0);
}

/* Writes the entry of the current root that maps va.  flags: UVMF_NONE, UVMF_INVLPG |
 * UVMF_LOCAL or UVMF_TLB_FLUSH | UVMF_LOCAL. */
static inline int xen_update_va_mapping(u32 va, u64 pte, u32 flags)
{
	return hypercall(__HYPERVISOR_update_va_mapping, va, (u32)pte, (u32)(pte >> 32), flags, 0);
}

/* frames: machine frame numbers of the GDT's pages; entries: how many descriptors it has. */
static inline int xen_set_gdt(const unsigned long *frames, u32 entries)
{
	return hypercall(__HYPERVISOR_set_gdt, (u32)frames, entries, 0, 0, 0);
}

/* maddr: machine address of the descriptor's slot, in a GDT or LDT of ours. */
static inline int xen_update_descriptor(u64 maddr, u64 desc)
{
	return hypercall(__HYPERVISOR_update_descriptor, (u32)maddr, (u32)(maddr >> 32), (u32)desc,
			 (u32)(desc >> 32), 0);
}

/* The stack that Xen takes for frames of traps from ring 3. */
static inline int xen_stack_switch(u32 ss, u32 esp)
{
	return hypercall(__HYPERVISOR_stack_switch, ss, esp, 0, 0, 0);
}

/* Sets or clears CR0.TS. */
static inline int xen_fpu_taskswitch(bool set)
{
	return hypercall(__HYPERVISOR_fpu_taskswitch, set, 0, 0, 0, 0);
}

/* Loads CR4.  Of a MOV in ring 1 Xen takes the bits TSD, DE and OSXSAVE and ignores the
 * others. */
#ifdef VMIXEN_HOSTED
void xen_set_cr4(u32 value); /* tests/unit/xen.c */
#else
static inline void xen_set_cr4(u32 value)
{
	__asm__ volatile("mov %0, %%cr4" ::"r"(value) : "memory");
}
#endif

static inline int xen_set_debugreg(u32 reg, u32 value)
{
	return hypercall(__HYPERVISOR_set_debugreg, reg, value, 0, 0, 0);
}

static inline u32 xen_get_debugreg(u32 reg)
{
	return (u32)hypercall(__HYPERVISOR_get_debugreg, reg, 0, 0, 0, 0);
}

/* DR6 for the #DB that has come.  A Xen below ours that runs it as an HVM domain, as below a
 * shim, keeps the debug registers lazily: when it has run another domain in between, DR6
 * is again what it was before the trap.  So a #DB without a cause is taken for a single
 * step, which is the usual one; that it was a breakpoint cannot be known.  (An INT1, which
 * has no cause either, is a step to the guest, too.) */
static inline u32 xen_debug_status(void)
{
	u32 dr6 = xen_get_debugreg(6);

	return dr6 & DR6_CAUSES ? dr6 : dr6 | DR6_BS;
}

static inline int xen_callback_op(u32 cmd, const void *arg)
{
	return hypercall(__HYPERVISOR_callback_op, cmd, (u32)arg, 0, 0, 0);
}

static inline int xen_event_channel_op(u32 cmd, void *arg)
{
	return hypercall(__HYPERVISOR_event_channel_op, cmd, (u32)arg, 0, 0, 0);
}

static inline int xen_sched_op(u32 cmd, void *arg)
{
	return hypercall(__HYPERVISOR_sched_op, cmd, (u32)arg, 0, 0, 0);
}

/* Sets the vCPU's one-shot timer to this time of Xen's clock, in ns; 0 stops it.
 * VCPUOP_set_singleshot_timer does the same but has its argument in memory, for which Xen
 * must walk an HVM guest's tables. */
static inline int xen_set_timer(u64 ns)
{
	return hypercall(__HYPERVISOR_set_timer_op, (u32)ns, (u32)(ns >> 32), 0, 0, 0);
}

static inline int xen_vcpu_op(u32 cmd, u32 vcpu, const void *arg)
{
	return hypercall(__HYPERVISOR_vcpu_op, cmd, vcpu, (u32)arg, 0, 0);
}

static inline int xen_console_io(u32 cmd, u32 count, void *buffer)
{
	return hypercall(__HYPERVISOR_console_io, cmd, count, (u32)buffer, 0, 0);
}

static inline int xen_memory_op(u32 cmd, void *arg)
{
	return hypercall(__HYPERVISOR_memory_op, cmd, (u32)arg, 0, 0, 0);
}

/* Ends the domain; reason is a SHUTDOWN_ code. */
static inline noreturn void xen_shutdown(u32 reason)
{
	struct sched_shutdown s = {.reason = reason};

	for (;;)
		xen_sched_op(SCHEDOP_shutdown, &s);
}

#endif
