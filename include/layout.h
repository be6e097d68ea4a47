/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ROM's window: the part of every address space of the domain that belongs to vmixen.
 * Every root maps it through the same L1 pages, for the supervisor only.  So a constant
 * address is valid in every address space, and the position-independent code needs no
 * pointer to its own data.
 *
 * The domain entry fills it (entry/pv/window.c, entry/pvh/window.c); nothing else maps
 * pages below WIN_SLOTS.  monitor/pvh/pvh.h has what is different in the PVH binding.
 */
#ifndef VMIXEN_LAYOUT_H
#define VMIXEN_LAYOUT_H

#define WINDOW_BASE 0xF4000000u /* the header's virtual_top */
#define WINDOW_END 0xF5800000u	/* Xen's hole for a 32-bit guest begins */
#define WINDOW_L2 (WINDOW_BASE >> 21)
#define WINDOW_L1S ((WINDOW_END - WINDOW_BASE) >> 21)

#define WIN_TEXT (WINDOW_BASE + 0x000000) /* the image, read-only */
#define WIN_TEXT_PAGES 96		  /* the most that it can have */
#define WIN_DATA (WIN_TEXT + WIN_TEXT_PAGES * 4096)
#define WIN_HYPERCALL (WIN_DATA + 0x0000)  /* Xen's hypercall page */
#define WIN_SHARED (WIN_DATA + 0x1000)	   /* shared_info */
#define WIN_CONSOLE (WIN_DATA + 0x2000)	   /* console ring; absent in a dom0 */
#define WIN_STORE (WIN_DATA + 0x3000)	   /* xenstore ring; absent in a dom0 */
#define WIN_VCPU (WIN_DATA + 0x4000)	   /* struct vcpu */
#define WIN_VCPU_INFO (WIN_COUNTERS - 64)  /* Xen's struct vcpu_info, at its end */
#define WIN_COUNTERS (WIN_VCPU + 3 * 4096) /* struct counters, the vCPU's */
#define WIN_GDT (WIN_DATA + 0x8000)	   /* the GDT that Xen sees, read-only */
#define WIN_GDT_PAGES 14
#define WIN_LDT (WIN_DATA + 0x18000) /* the LDT that Xen sees, read-only */
#define WIN_LDT_PAGES 16
#define WIN_FRAME_TOP (WIN_DATA + 0x2A000) /* Xen's frames from CPL 3 before Init */
#define WIN_STACK (WIN_DATA + 0x2B000)	   /* the monitor's stack, a hole below it */
#define WIN_STACK_PAGES 4
#define WIN_STACK_TOP (WIN_STACK + WIN_STACK_PAGES * 4096)
#define WIN_RUN (WIN_DATA + 0x30000)	      /* redirect.c's code: one page, for one call */
#define WIN_VCPU_BINDING (WIN_DATA + 0x38000) /* what the binding has of the vCPU */
#define WIN_VCPU_BINDING_PAGES 4
#define WIN_MONITOR (WIN_DATA + 0x40000) /* struct monitor */
#define WIN_MONITOR_PAGES 15
#define WIN_BINDING (WIN_MONITOR + WIN_MONITOR_PAGES * 4096) /* the binding's own block */
#define WIN_BINDING_PAGES 36
#define WIN_DISKS (WIN_DATA + 0x80000) /* of each disk: the ring, and a page for odd memory */
#define WIN_DISKS_PAGES 16
#define WIN_GRANTS (WIN_DATA + 0x90000) /* the grant table, as far as there are devices */
#define WIN_GRANTS_PAGES 8
#define WIN_SLOTS (WINDOW_BASE + 0x200000) /* map slots for guest frames */
#define WIN_SLOT_COUNT 512
#define WIN_GMFN (WINDOW_BASE + 0x400000)  /* u32 mfn of every guest frame */
#define WIN_HEADS (WINDOW_BASE + 0x800000) /* u16 shadow chain of every guest frame */
#define WIN_POOL (WINDOW_BASE + 0xA00000)  /* the shadow pool, read-only once typed */
#define WIN_POOL_MAX 3072
#define WIN_TEMP (WINDOW_BASE + 0x1600000) /* one page, for filling a frame by hand */

_Static_assert(WIN_BINDING + WIN_BINDING_PAGES * 4096 <= WIN_DISKS, "the binding's block ends");
_Static_assert(WIN_GRANTS + WIN_GRANTS_PAGES * 4096 <= WIN_SLOTS, "the window's first 2 MB");

/* RAM ends below the PCI window and the APICs; WIN_GMFN has room for it. */
#define GUEST_PAGES_MAX 0xE0000u

#define FRAMES_4GB 0x100000u

#endif
