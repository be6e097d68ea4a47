/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one place in which gates of the guest's IDT are decoded, so that Xen, the processor
 * and the monitor go through a gate under the same conditions.
 */
#include "gate.h"
#include "access.h"
#include "segment.h"
#include "monitor/binding.h"

struct gate gate_decode(const struct vcpu *v, u64 raw)
{
	struct gate g = {
		.eip = (u32)((raw >> 32 & 0xFFFF0000) | (raw & 0xFFFF)),
		.cs = (u16)((raw >> 16 & 0xFFFC) | v->kernel_rpl),
		.type = raw >> 40 & 0x1F,
		.dpl = raw >> 45 & 3,
		.present = raw >> 47 & 1,
	};

	g.usable = g.present && (g.type == GATE_INTERRUPT || g.type == GATE_TRAP) &&
		   segment_is_kernel_code(v, g.cs);
	return g;
}

struct gate idt_gate(struct vcpu *v, u32 vector)
{
	struct access_fault f;
	u64 raw = 0;

	if (vector * 8 + 7 > v->idtr.limit || guest_read(v, v->idtr.base + vector * 8, &raw, 8, &f))
		raw = 0;
	else if (!v->paravirtual) /* no call announces the descriptor before Init */
		segment_late(v, (u32)(raw >> 16) & 0xFFFC);
	return gate_decode(v, raw);
}
