/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PVH binding's part of a suspend.  Xen keeps memory by guest-physical frame and all
 * registers of the processor, its descriptor tables, debug registers and MSRs among them.  Of
 * its own pages none is left in a domain that was restored, and those of the rings are empty.
 *
 * The task register is loaded again, because Xen gives a restored processor a busy TSS, as
 * hardware has one, and QEMU's TCG, which never makes its TSS busy, aborts when it meets that.
 *
 * CPUID faulting is one of those MSRs.  It is set again all the same, because Xen has not kept
 * it in every version, and without it the guest would see another processor.
 */
#include "cpu_pvh.h"
#include "pvh.h"
#include "monitor/binding.h"
#include "monitor/life.h"
#include "monitor/monitor.h"

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

#define MSR_TSC 0x10u

bool suspend_able(void)
{
	return true;
}

void cycles_set(u64 tsc)
{
	leave_wrmsr((u32)tsc, (u32)(tsc >> 32), MSR_TSC);
}

static u32 param(u32 index)
{
	struct xen_hvm_param p = {.domid = DOMID_SELF, .index = index};

	xen_must(hypercall(__HYPERVISOR_hvm_op, HVMOP_get_param, (u32)&p, 0, 0, 0), NEED_PARAMETER);
	return (u32)p.value;
}

/* Xen's shared page takes the place that it had. */
static void show_shared(void)
{
	struct xen_add_to_physmap add = {.domid = DOMID_SELF,
					 .space = XENMAPSPACE_shared_info,
					 .gpfn = window_frame(WIN_SHARED)};

	xen_must(xen_memory_op(XENMEM_add_to_physmap, &add), NEED_SHARED);
}

bool suspend_xen(void)
{
	struct sched_shutdown s = {.reason = SHUTDOWN_suspend};
	int cancelled = xen_sched_op(SCHEDOP_shutdown, &s);

	if (cancelled)
		return false;
	show_shared();
	window_show(WIN_CONSOLE, param(HVM_PARAM_CONSOLE_PFN));
	window_show(WIN_STORE, param(HVM_PARAM_STORE_PFN));
	MON->start.console_evtchn = param(HVM_PARAM_CONSOLE_EVTCHN);
	MON->start.store_evtchn = param(HVM_PARAM_STORE_EVTCHN);
	processor_start();
	tables_load_tss();
	return true;
}
