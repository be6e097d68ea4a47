/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest memory, in two views.
 *
 * guest_read and guest_write are the accesses that a processor makes by itself: to
 * descriptor tables, to the TSS, to the stack of an exception.  They have the rights of
 * ring 0, whoever runs, and reach memory alone.  Each binding has its own, in
 * monitor/pv/linear.c and monitor/pvh/mmu.c.
 *
 * guest_access, guest_may and the operand_ functions, which are here, are accesses that
 * an instruction of the guest's makes.  They have the rights of its CPL and no others,
 * whatever the monitor itself could do: the guest's own tables are asked for each page,
 * and for user mode the segment is checked as well.  A frame without memory is what
 * mmio.c makes of it.
 */
#include "access.h"
#include "segment.h"
#include "monitor/binding.h"
#include "monitor/io/events.h"

/* How many of the bytes from va on are in va's page. */
static u32 in_page(gva_t va, u32 bytes)
{
	u32 room = PAGE_SIZE - (va & (PAGE_SIZE - 1));

	return bytes < room ? bytes : room;
}

static enum space_result look(struct vcpu *v, gva_t va, u32 bits, u64 *gpa, struct access_fault *f)
{
	*f = (struct access_fault){.vector = EXC_PF, .va = va};
	return space_look(v, va, bits, guest_in_kernel(v), &f->error, gpa);
}

int guest_may(struct vcpu *v, gva_t va, u32 bytes, u32 bits, struct access_fault *f)
{
	u64 gpa;

	for (u32 n; bytes; va += n, bytes -= n) {
		n = in_page(va, bytes);
		if (look(v, va, bits, &gpa, f) == SPACE_FAULT)
			return -1;
	}
	return 0;
}

int guest_access(struct vcpu *v, gva_t va, void *data, u32 bytes, u32 bits, struct access_fault *f)
{
	int met = 0;
	u8 *at = data;
	u64 gpa;

	if ((bits & PF_W) && in_page(va, bytes) < bytes && guest_may(v, va, bytes, bits, f))
		return -1;
	for (u32 n; bytes; va += n, at += n, bytes -= n) {
		n = in_page(va, bytes);
		switch (look(v, va, bits, &gpa, f)) {
		case SPACE_FAULT:
			return -1;
		case SPACE_MMIO:
			met = ACCESS_MMIO;
			if (bits & PF_W)
				mmio_write(gpa, at, n);
			else
				mmio_read(gpa, at, n);
			break;
		case SPACE_FILLED:
		case SPACE_OPENED:
			if (bits & PF_W ? guest_write(v, va, at, n, f)
					: guest_read(v, va, at, n, f))
				return -1;
		}
	}
	return met;
}

/* The monitor itself uses DS and ES; the guest's are in struct regs. */
u16 guest_selector(const struct vcpu *v, enum seg seg)
{
	switch (seg) {
	case SEG_ES:
		return (u16)v->r.es;
	case SEG_CS:
		return (u16)v->r.cs;
	case SEG_SS:
		return (u16)v->r.ss;
	case SEG_FS:
	case SEG_GS:
		return cpu_selector(seg);
	default:
		return (u16)v->r.ds;
	}
}

/* Checks type and limit as a processor does (Intel SDM vol. 3A, 5.3 and 5.5).  This is
 * done for user mode alone, whose segment registers hold what the tables say.  A kernel
 * may have written to a descriptor since it loaded it, and it is trusted. */
static bool segment_allows(u64 d, u32 offset, u32 bytes, bool write)
{
	u32 type = d >> 40 & 0xF, limit = segment_limit(d), last = offset + bytes - 1;
	bool code = type & 8, down = !code && (type & 4);

	if (!(d >> 47 & 1) || last < offset || (code && write) || (!(type & 2) && (code || write)))
		return false;
	if (down)
		return offset > limit && ((d & SEGMENT_BIG) || last <= 0xFFFF);
	return last <= limit;
}

bool operand_linear(struct vcpu *v, enum seg seg, u32 offset, u32 bytes, u32 bits, gva_t *va,
		    struct access_fault *f)
{
	u16 selector = guest_selector(v, seg);

	*va = segment_base(v, selector) + offset;
	*f = (struct access_fault){.vector = seg == SEG_SS ? EXC_SS : EXC_GP};
	return guest_in_kernel(v) ||
	       ((selector & 0xFFFC) &&
		segment_allows(segment_descriptor(selector), offset, bytes, bits & PF_W));
}

int operand_may(struct vcpu *v, enum seg seg, u32 offset, u32 bytes, u32 bits,
		struct access_fault *f)
{
	gva_t va;

	return operand_linear(v, seg, offset, bytes, bits, &va, f)
		       ? guest_may(v, va, bytes, bits, f)
		       : -1;
}

int operand_access(struct vcpu *v, enum seg seg, u32 offset, void *data, u32 bytes, u32 bits,
		   struct access_fault *f)
{
	gva_t va;

	return operand_linear(v, seg, offset, bytes, bits, &va, f)
		       ? guest_access(v, va, data, bytes, bits, f)
		       : -1;
}
