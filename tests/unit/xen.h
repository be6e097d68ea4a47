/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A Xen in a process, for the monitor's unit tests and fuzzers: machine
 * memory, page tables with Xen's rules (types, pins, who may map what
 * writable), a TLB that forgets only what it is told to, and the other
 * hypercalls, which are noted down and answered.
 *
 * The window of include/layout.h is mapped at its own addresses; a page that
 * the monitor maps there appears there, and one that it does not is a SIGSEGV.
 * Guest memory also shows at LINEAR.
 */
#ifndef TEST_XEN_H
#define TEST_XEN_H

#include <setjmp.h>
#include "monitor/monitor.h"

#define LINEAR 0xC0000000u
#define XEN_FRAMES 4096u /* of machine memory */

#define XEN_IPI_PORT 9u

enum frame_type { FRAME_NONE, FRAME_WRITABLE, FRAME_L1, FRAME_L2, FRAME_L3 };

struct xen_call {
	bool made;
	u32 arg[5];
};

struct xen {
	u32 root;	     /* mfn of the loaded L3 */
	bool dead;	     /* SCHEDOP_shutdown has been called */
	u32 reason;	     /* SHUTDOWN_x */
	jmp_buf *death;	     /* where a shutdown goes; without one the process aborts */
	char console[16384]; /* what the domain has printed */
	u32 console_len;
	bool stalled;		  /* nobody drains the console's ring */
	int (*type)(void);	  /* what HYPERVISOR_console_io reads: a byte, or -1 */
	struct xen_call last[64]; /* by __HYPERVISOR_x: the last call of each */
	int answer[64]; /* by number: what the call returns, where the mock does not know better */
	u32 flushes;	/* of the whole TLB, that were asked for by themselves */
	u32 ports;	/* of backends, that were made */
	u32 sent[32];	/* events, by port */
	s16 grant_status;
	u32 polls;
	void (*on_poll)(void);	 /* SCHEDOP_poll: the world outside */
	int (*on_suspend)(void); /* SCHEDOP_shutdown to be suspended: what it returns, later */
	u64 singleshot;		 /* ns, or 0 */
	u32 debugreg[8];
	u32 cr4, cr4_writes; /* by the MOV that Xen carries out */
	u32 nmis_unblocked;
	u32 stack_ss, stack_esp;
	u32 gdt_entries, ldt_entries;
	void (*at_set_ldt)(void); /* before Xen has the new one, and when it has */
	struct trap_info trap[256];
	u16 selector[6]; /* the processor's segment registers, by enum seg, and what */
	u64 hidden[6];	 /* stood in Xen's table when they were loaded */
	bool ts;
	/* What the hardware's registers hold, for copy_from_linear and copy_to_linear. */
	u32 linear_faults;
};

extern struct xen xen;

/* Xen refuses hypercalls: count of them from number first on, with that errno; an
 * end of the domain it does not refuse.  It goes on when another domain starts. */
struct xen_refusal {
	u32 first, count;
	int error;
	bool (*which)(unsigned number, u32 argument); /* are counted; NULL: all */
	u32 made;				      /* of these hypercalls so far */
	u32 refused;
	u64 numbers; /* bit for each __HYPERVISOR_x that was refused */
};

extern struct xen_refusal xen_refusal;
/* A hypercall is made, with this first argument: is it one to be refused? */
bool xen_refuses(unsigned number, u32 argument);

/* A domain as the entry leaves it: window mapped, WIN_GMFN, WIN_HEADS and
 * struct start filled, everything else zero. hole: guest frames without memory. */
void xen_start(u32 guest_pages, u32 hole, u32 hole_pages, u32 pool_pages);

/* A frame of machine memory, or of the guest's (NULL without memory). */
void *xen_frame(u32 mfn);
/* What SHORT_SetLinearMapping in entry/pv/vmi.asm does with slots 1 and 2. */
void xen_set_highpte(u32 number, gva_t va, u32 pages, u32 gpfn);
void *guest_frame(u32 gpfn);

/* The CPU's side: an access with error code bits PF_W, PF_U, PF_I.  0 and *mfn,
 * or the error code of the page fault + 1. */
u32 xen_access(gva_t va, u32 bits, u32 *mfn);
/* A TLB may lose an entry at any time. */
void xen_tlb_drop(gva_t va);

enum frame_type xen_frame_type(u32 mfn);
bool xen_frame_pinned(u32 mfn);

/* Loads a data segment register as the processor would; false: it faults. */
bool xen_load_selector(enum seg seg, u16 selector);
/* Xen runs another vCPU for a while: every register is loaded anew, and null if that
 * fails.  Before says what they held, as the failsafe callback's frame does: DS, ES, FS, GS.
 * false: one is null now. */
bool xen_context_switch(u32 before[4]);

/* The last call of that number, or NULL. */
const struct xen_call *xen_last(unsigned number);

/* Runs f where pointers fit 32 bits, as the monitor's arguments to Xen must. */
int xen_on_low_stack(int (*f)(void));

#endif
