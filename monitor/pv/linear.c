/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest-virtual memory as the processor's own accesses find it (access.c).  The monitor
 * runs on the guest's root, so it reads and writes the guest's linear addresses.  Where
 * the shadow has no entry yet, one is filled as for an access of the guest's, and the
 * access is tried again.
 */
#include "monitor/cpu/access.h"
#include "monitor/pv/mmu/shadow.h"

/* Fills the shadow for an access to va with the rights of ring 0: 0, or -1 with *f set. */
static int refill(struct vcpu *v, gva_t va, bool write, struct access_fault *f)
{
	enum space_result result;
	u64 gpa;

	f->vector = EXC_PF;
	f->va = va;
	result = shadow_fault(v, va, write ? PF_W : 0, true, &f->error, &gpa);
	return result == SPACE_FILLED || result == SPACE_OPENED ? 0 : -1;
}

/* Are all these bytes below the ROM's window?  If not, *f becomes a page fault at va. */
static bool in_guest(gva_t va, u32 bytes, struct access_fault *f)
{
	if (va < WINDOW_BASE && bytes <= WINDOW_BASE - va)
		return true;
	*f = (struct access_fault){.vector = EXC_PF, .va = va};
	return false;
}

int guest_read(struct vcpu *v, gva_t va, void *to, u32 bytes, struct access_fault *f)
{
	u8 *out = to;

	if (!in_guest(va, bytes, f))
		return -1;
	for (u32 left = bytes;;) {
		left = copy_from_linear(out + (bytes - left), va + (bytes - left), left);
		if (!left)
			return 0;
		if (refill(v, va + (bytes - left), false, f))
			return -1;
	}
}

int guest_write(struct vcpu *v, gva_t va, const void *from, u32 bytes, struct access_fault *f)
{
	const u8 *in = from;

	if (!in_guest(va, bytes, f))
		return -1;
	for (u32 left = bytes;;) {
		left = copy_to_linear(va + (bytes - left), in + (bytes - left), left);
		if (!left)
			return 0;
		if (refill(v, va + (bytes - left), true, f))
			return -1;
	}
}
