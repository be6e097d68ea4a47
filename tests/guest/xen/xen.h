/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The test guest's third binding: no VMI, no ROM, but Xen's own hypercalls, as
 * Linux's native port (arch/x86/xen of 2.6.32) makes them.  It is there to be
 * measured against: see bench.c.
 *
 *   start.asm   entry, interrupt flag, IRET
 *   main.c      the domain's start, from start_info to bench()
 *   ops.c       `ops` by hypercalls
 *   mmu.c       page tables that Xen validates: direct paging
 */
#ifndef GUEST_XEN_H
#define GUEST_XEN_H

#include "../mm.h"
#include "../ops.h"

#define __XEN_INTERFACE_VERSION__ __XEN_LATEST_INTERFACE_VERSION__
#include <xen/callback.h>
#include <xen/event_channel.h>
#include <xen/io/console.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/xen.h>

extern char hypercall_page[], shared_page[];

#define SHARED ((volatile struct shared_info *)shared_page)

/* Five arguments at most, in EBX, ECX, EDX, ESI, EDI. */
static inline int hypercall(u32 number, u32 a, u32 b, u32 c, u32 d, u32 e)
{
	int result;

	asm volatile("call *%[entry]"
		     : "=a"(result), "+b"(a), "+c"(b), "+d"(c), "+S"(d), "+D"(e)
		     : [entry] "0"(hypercall_page + number * 32)
		     : "memory", "cc");
	return result;
}

/* A refusal of Xen's is a mistake of ours. */
#define MUST(call) ((call) < 0 ? died("Xen refused: " #call) : (void)0)

/* mmu.c */
void mmu_start(const struct start_info *si); /* maps all memory; sets init_mm.pgd */
u32 mmu_first_free(void);		     /* the first byte that is nobody's */
void mmu_read_only(const void *page);
void mmu_bind(void); /* its part of `ops` */
extern const u32 *p2m;

/* ops.c */
void ops_bind(void);

#endif
