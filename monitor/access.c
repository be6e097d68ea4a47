/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest-virtual memory as the guest's kernel sees it.  The monitor runs on the
 * guest's own root, so it reads and writes linearly; where the shadow has no
 * entry yet, the access is filled like one of the guest's and tried again.
 */
#include "monitor.h"

static int refill(struct vcpu *v, gva_t va, bool write, struct access_fault *f)
{
	u64 gpa;

	f->va = va;
	return shadow_fault(v, va, write ? PF_W : 0, true, &f->error, &gpa) == SHADOW_FILLED ? 0
											     : -1;
}

/* Never into the ROM's window. */
static bool in_guest(gva_t va, u32 bytes, struct access_fault *f)
{
	f->va = va;
	f->error = 0;
	return va < WINDOW_BASE && bytes <= WINDOW_BASE - va;
}

int guest_read(struct vcpu *v, gva_t va, void *to, u32 bytes, struct access_fault *f)
{
	u8 *out = to;

	if (!in_guest(va, bytes, f))
		return -1;
	for (u32 left = bytes;;) {
		left = linear_read(out + (bytes - left), va + (bytes - left), left);
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
		left = linear_write(va + (bytes - left), in + (bytes - left), left);
		if (!left)
			return 0;
		if (refill(v, va + (bytes - left), true, f))
			return -1;
	}
}
