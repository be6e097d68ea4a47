/* SPDX-License-Identifier: GPL-2.0-only */
/* See stepping.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stepping.h"
#include "monitor/pv/mmu/guard.h"
#include "monitor/vcpu.h"

#define FAULTS_MAX 100000u /* more are a loop */

void monitor_trap(struct vcpu *v);

static struct vcpu *const v = VCPU;

u32 exit_flags(void)
{
	return ((u32 *)(uintptr_t)v->exit_esp)[2];
}

void user_trap(u32 vector, bool has_error, u32 error)
{
	u32 *f = (u32 *)(uintptr_t)(WIN_FRAME_TOP - 20);

	memcpy(f, ((u32[]){v->r.eip, v->r.cs | 0x10000, v->r.eflags, v->r.gpr[GPR_ESP], v->r.ss}),
	       20);
	if (has_error)
		*--f = error;
	v->trap_esp = (u32)(uintptr_t)f;
	v->r.vector = vector | (has_error ? VECTOR_HAS_ERROR : 0);
	monitor_trap(v);
}

bool user_page_fault(gva_t va, u32 error)
{
	u32 eip = v->r.eip;

	XEN_VCPU->arch.cr2 = va;
	user_trap(EXC_PF, true, error);
	return v->r.eip != eip; /* the guest has it */
}

static u32 faults; /* since guard_start */

bool can_store(gva_t va, u32 bytes)
{
	u32 mfn;

	for (u32 i = 0; i < bytes;) {
		u32 error = xen_access(va + i, PF_W | PF_U, &mfn);

		if (!error) {
			i++;
			continue;
		}
		assert_true(++faults < FAULTS_MAX);
		if (user_page_fault(va + i, error - 1))
			return false;
		i = 0; /* it starts again */
	}
	return true;
}

bool store(gva_t va, const void *from, u32 bytes)
{
	u32 mfn;

	if (!can_store(va, bytes))
		return false;
	for (u32 i = 0; i < bytes; i++) {
		assert_int_equal(xen_access(va + i, PF_W | PF_U, &mfn), 0);
		((u8 *)xen_frame(mfn))[(va + i) & (PAGE_SIZE - 1)] = ((const u8 *)from)[i];
	}
	v->r.eip++;
	if (exit_flags() & EFLAGS_TF) {
		xen.debugreg[6] |= STEP;
		user_trap(EXC_DB, false, 0);
	}
	return true;
}

void store64(gva_t va, u64 value)
{
	assert_true(store(va, &value, 8));
}

bool is_writable(gva_t va)
{
	u32 mfn;

	return !xen_access(va, PF_W | PF_U, &mfn);
}

void guard_start(bool pae)
{
	faults = 0;
	domain_paging(pae);
	guard_resume(v);
}

void map(bool pae, gva_t va, u32 entry)
{
	u32 index = va >> 12 & (pae ? 511 : 1023);

	if (pae)
		((u64 *)PHYS(USER_PT))[index] = entry;
	else
		((u32 *)PHYS(USER_PT))[index] = entry;
}
