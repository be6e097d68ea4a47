/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the PVH binding has in the window (layout.h) beside what both bindings have there,
 * and what its domain entry hands to its monitor.
 *
 * The window is 4 MB here: one page-directory entry of a 2-level guest, two of a PAE
 * guest.  Its page tables exist in both formats and map the same pages.
 */
#ifndef VMIXEN_PVH_H
#define VMIXEN_PVH_H

#include "base.h"
#include "layout.h"

/* Our own descriptors, where Xen has its own for a PV guest, so that the FLAT_
 * selectors of xen/arch-x86_32.h mean the same. */
#define WIN_GDT_OWN (WIN_GDT + WIN_GDT_PAGES * 4096) /* entries E000 to E1FF, and the TSS */
#define OWN_CS0 0xE008u
#define OWN_DS0 0xE010u
#define OWN_TSS 0xE030u
#define OWN_LDT 0xE040u
#define OWN_GDT_LIMIT 0xE0FFu
#define WIN_TSS (WIN_GDT_OWN + 0x800)

#define WIN_IDT_V86 (WIN_IDT + 2048)	    /* the same for virtual-8086 mode: all into ring 0 */
#define WIN_IDT (WIN_DATA + 0x28000)	    /* 256 gates */
#define WIN_L1_NARROW (WIN_DATA + 0x31000)  /* the window's tables, 2-level */
#define WIN_L1_WIDE (WIN_DATA + 0x32000)    /* and PAE: two pages */
#define WIN_OWN_NARROW (WIN_DATA + 0x34000) /* the monitor's directory: memory one to one */
#define WIN_OWN_WIDE (WIN_DATA + 0x35000)   /* the same for PAE: four directories, PDPT */

/* Vectors of the ROM's own, which its code in ring 1 uses by INT.  quick_table in
 * entry/pvh/traps.asm has their entry points in this order. */
#define VEC_FIRST 0xF0
#define VEC_EVENT 0xF0 /* Xen's events */
#define VEC_CALL 0xF1  /* a VMI call in C: EBX row; ESI, EDI words of the caller's stack */
#define VEC_TAKE 0xF2  /* what is pending, if vcpu.vif */
#define VEC_CR2 0xF3   /* EAX = CR2 */
#define VEC_CR3 0xF4   /* CR3 = EAX */
#define VEC_FLUSH 0xF5
#define VEC_INVLPG 0xF6 /* EAX address */
#define VEC_CLEAR_TS 0xF7
#define VEC_SET_TS 0xF8
#define VEC_KERNEL_FAULT 0xF9
#define VEC_IRET 0xFA /* the frame at ESP is the context to interrupt */
#define VEC_V86 0xFB  /* the frame at ESP is one of virtual-8086 mode */
#define VEC_PORT 0xFC /* a VMI call on ports: EBX says which */
#define VEC_COUNT 13

/* What regs.vector can have beside the VECTOR_ values of vcpu.h: a page fault of the kernel's
 * where it may have a device, an IRET with an interrupt pending, an IRET to virtual-8086
 * mode. */
#define VECTOR_DEVICE 0x800
#define VECTOR_IRET 0x1000
#define VECTOR_V86 0x2000

/* Where the grant table is in guest-physical memory: no RAM, and nothing of a PC's. */
#define GRANTS_AT 0xFE800000u

/* The first frame's address that cannot be memory: from here to 4 GB are devices' registers,
 * the monitor's grant table, and pages of Xen's. */
#define PCI_HOLE 0xFC000000u

#define FIXMAP_FROM 0xF0000000u /* kernels map the local APIC above */

#define PVH_MONITOR_PAGES (WIN_MONITOR_PAGES + 1) /* its own block is a page */
/* The pages of the monitor's own: an image of so many, and one for the rest of WIN_TEXT;
 * hypercalls, shared info; vcpu; GDT with its own page, LDT, IDT; code to run; stack; tables;
 * disks, monitor */
#define PVH_OWN_PAGES(text)                                                                        \
	((text) + 1 + 1 + 1 + 4 + (WIN_GDT_PAGES + 1) + WIN_LDT_PAGES + 1 + 1 + WIN_STACK_PAGES +  \
	 1 + 2 + 1 + 5 + WIN_DISKS_PAGES + PVH_MONITOR_PAGES)

#define PVH_PDES_WIDE 2u /* directory entries of the window */

/* From the domain entry.  All addresses are physical. */
struct start_pvh {
	u32 narrow;    /* the monitor's own directory */
	u32 wide;      /* its PDPT */
	u32 l1_narrow; /* the window's tables */
	u32 l1_wide[PVH_PDES_WIDE];
	u32 text; /* the image in the window */
	/* The guest's RAM, in frames: from 0 to own_first, where the monitor's own pages are;
	 * from own_end to low_end, and from 4 GB to high_end.  Either may be empty. */
	u32 own_first, own_end, low_end, high_end;
};

/* The binding's own data, behind the monitor's. */
struct pvh {
	struct start_pvh start;
};

#define PVH ((struct pvh *)WIN_BINDING)

#endif
