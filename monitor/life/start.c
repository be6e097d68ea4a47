/* SPDX-License-Identifier: GPL-2.0-only */
/* See start.h. */
#include "start.h"
#include "monitor/binding.h"
#include "monitor/cpu/access.h"
#include "monitor/cpu/segment.h"
#include "monitor/monitor.h"

#define BOOT_CS 0x10u /* __BOOT_CS and __BOOT_DS of the boot protocol */
#define BOOT_DS 0x18u

void start_registers(struct vcpu *v, u8 rpl)
{
	struct regs *r = &v->r;

	*v = (struct vcpu){.cr0 = CR0_PE | 0x10, .kernel_rpl = rpl};
	r->eip = MON->start.code32;
	r->gpr[GPR_ESI] = MON->start.boot_params;
	r->cs = BOOT_CS | rpl;
	r->ss = r->ds = r->es = BOOT_DS | rpl;
	r->eflags = 2;
}

void start_segments(struct vcpu *v)
{
	segment_start();
	segment_gdt_entry(v, BOOT_CS / 8, 0x00CF9B000000FFFFull);
	segment_gdt_entry(v, BOOT_DS / 8, 0x00CF93000000FFFFull);
}

void start_pc(void)
{
	pc_reset(&MON->pc);
	lapic_start(&VCPU->lapic);
	cmos_set_memory(&MON->pc.cmos, (u64)MON->start.guest_pages << PAGE_SHIFT);
}

#define UD2_LEN (2 + 4) /* with its mark, "VMXN" */

bool start_init(struct vcpu *v)
{
	struct regs *r = &v->r;
	struct access_fault f;
	u32 ret;

	if (!(v->cr0 & CR0_PG) || guest_read(v, r->gpr[GPR_ESP], &ret, 4, &f)) {
		r->gpr[GPR_EAX] = 0xFFFFFFFFu;
		r->eip += UD2_LEN;
		return false;
	}
	r->gpr[GPR_ESP] += 4;
	r->eip = ret;
	r->gpr[GPR_EAX] = 0;
	return true;
}
