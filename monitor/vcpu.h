/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual CPU: everything the guest believes its processor holds, and the save
 * area of the entry points in entry/.  It lies at a constant address, so these reach it
 * with an SS override and need no register for it.
 *
 * A trap, an upcall and a VMI call that is written in C all run on the monitor's one
 * stack with upcalls masked; they never nest.  entry/offsets.c gives the assembly the
 * offsets of the members.
 */
#ifndef VMIXEN_VCPU_H
#define VMIXEN_VCPU_H

#include "base.h"
#include "regs.h"
#include "layout.h"
#include "pc/lapic.h"
#include "xenbind/clock.h"
#include "xenbind/hypercall.h"

/* The guest's registers while the monitor works on them. */
struct regs {
	u32 gpr[8]; /* by enum gpr; ESP is the guest's own at the trap */
	u32 eip, eflags;
	u32 cs, ss, ds, es;
	u32 error; /* of exceptions that have one, else 0 */
	u32 vector;
};

/* What the entry points of traps put into regs.vector: the vector of an exception with or
 * without VECTOR_HAS_ERROR, or VECTOR_UPCALL alone. */
#define VECTOR_NUMBER 0x0FF    /* the bits of the vector */
#define VECTOR_HAS_ERROR 0x100 /* the processor has pushed an error code */
#define VECTOR_UPCALL 0x200    /* Xen's event upcall */

struct table_reg {
	u16 limit;
	u32 base;
};

/* Before Init, in the PVH binding (monitor/pvh/guard.c): entries of a table that may be
 * open; and how the way back to the guest loads ES and DS. */
struct written {
	u32 first, end;
};
struct reload {
	u32 slot;	/* the address of the entry */
	u32 taken[2];	/* what the register has taken from it */
	u32 shut[2];	/* what it has while the guest runs */
	u32 nowhere[2]; /* the entry of what is none of the guest's */
};
struct guard_pvh {
	struct reload reload[2]; /* ES, DS */
	u32 held[2];		 /* the selectors that these are of */
	struct written written[2];
	u32 late[2];   /* entries that are open for the instruction that is stepped */
	bool stepping; /* TF is set, for one instruction */
	bool traced;   /* and was before */
};

/* One of the guest's alarms; events.c fires it. */
struct alarm {
	bool armed, periodic;
	bool lvtt;	    /* wired to the local APIC's timer, else to IRQ0 */
	u64 expiry, period; /* in cycles of the counter */
};

/* What time.c has said: divisions are dear and their operands rarely change, and
 * no clock may go back. */
struct clock_cache {
	struct clock_rate rate; /* of which khz was made */
	u32 khz;
	u64 hz;	       /* of time_frequency(), for good */
	u64 ns;	       /* what Xen's clock said last */
	u64 ns_offset; /* from it to time_ns(): not 0 on the host to which the domain was migrated
			*/
	u64 entry;     /* state_entry_time of the runstate area at the last look */
	u64 stolen_ns; /* what it said then, which has become stolen_cycles */
	u64 stolen_cycles;
	u64 available; /* what time_available() said last */
};

/* Of the descriptor tables that the processor reads; segment.c. */
struct segments {
	u32 pages[2];	 /* of the GDT and of the LDT that the processor reads */
	u32 ldt_entries; /* what the processor has been given, or is just being given */
	bool kept;	 /* a slot had to keep a descriptor that is the guest's no more */
};

struct vcpu {
	struct regs r;
	u32 trap_esp;	   /* ESP on entry: where Xen's frame stands */
	u32 exit_esp;	   /* where the frame that the exit's iret takes stands */
	u32 frame;	   /* where EIP stood in the last frame from Xen */
	u32 call_esp;	   /* during a C-coded call: the caller's stack */
	u32 argument[2];   /* and what the caller has put there, of calls that have such */
	u32 iret_site;	   /* return address of the guest's last IRET call */
	u32 nested_vector; /* of the last fault of the monitor's own that it had a place for */

	u32 cr0, cr2, cr3, cr4;
	u64 efer;
	u32 if_believed; /* mask for SetInterruptMask: 0 until the first real enable, then EFLAGS_IF
			  */
	bool halted;	 /* the guest waits in Halt */
	bool nmi;	 /* one has come and the guest has not had it */
	u32 vif;	 /* the interrupt flag, as far as it is known, at its place in EFLAGS */
	gva_t flags_save, flags_restore; /* prelude.c's breakpoints, 0 for none */
	u32 kernel_first;		 /* where the guest's kernel begins, 0 if not known */
	u8 iopl;			 /* for user mode, by SetIOPLMask */
	bool paravirtual;		 /* Init has succeeded: the kernel is in ring 1 */
	u8 kernel_rpl;			 /* of the guest's kernel: 3 before Init, then 1 */
	u32 ts_cleared; /* CR0_TS while Xen has cleared it and the guest not, at an #NM */
	bool tlb_stale; /* an entry became weaker and Xen was not told to flush since */
	u8 lazy;	/* SetLazyMode's argument */

	struct table_reg gdtr, idtr;
	struct table_reg ldt; /* what LDTR has taken from the GDT; without an LDT 0 */
	u16 ldtr, tr;
	u16 kernel_ss;	  /* what the guest's kernel has in SS, RPL adjusted */
	u32 esp0;	  /* its stack for entries from ring 3 */
	gva_t nm_handler; /* of #NM, in its own IDT */
	u32 dr[8];
	u64 sysenter[3]; /* MSRs 0x174 to 0x176 */
	struct {
		u32 cs, ss;
	} sysexit;			     /* the selectors of SYSEXIT, by the first of them */
	u32 last_fault_va, last_fault_count; /* a fault that no fill cures */

	/* For fault_from_user in entry/pv/traps.asm.  directory: where the guest's
	 * directory behind each GB of the current root can be read, 0 if nowhere.
	 * page_fault: its handler, eip 0 unless that is an interrupt gate. */
	u32 directory[4];
	struct {
		u32 eip;
		u16 cs;
	} page_fault;

	struct segments segments;
	struct lapic lapic;
	struct alarm alarm[2]; /* by cycle counter: 0 real, 1 available */
	u32 timer_port;	       /* the event channel of its timer */
	u64 alarm_set;	       /* the deadline that Xen has, in ns; PIT_NEVER for none */
	struct clock_cache clock;
	struct vcpu_runstate_info runstate; /* Xen writes it */

	/* The PVH binding's (monitor/pvh, entry/pvh). */
	union {
		struct {
			u8 ts_due; /* CR0.TS is to be set before user mode runs */
			u8 pend;   /* PEND while an interrupt waits for vif, else 0 */
		};
		u32 due; /* both in one word */
	};
	u8 ts_real;		       /* the processor's own TS is set */
	u32 handler[32];	       /* of the guest's exceptions that go straight to it */
	u32 linear_base, linear_limit; /* low memory in the guest's space, in bytes */
	u32 narrow_limit;	       /* linear_limit with 2-level tables, and else 0 */
	u32 devices_from; /* a page fault of the kernel's from here on may be a device's */
	bool has_mmio;	  /* the guest has a device with registers in memory */
	u32 window_pde;	  /* what a directory has for the window, low word */
	u32 text;	  /* physical address of the image */
	u32 v86_segs[4];  /* ES DS FS GS of virtual-8086 mode, while EFLAGS.VM is set in r */
	bool v86_idt;	  /* the processor has the gates for it */
	u32 gdt_entries;  /* of the guest's table that the processor's has */
	bool on_own;	  /* the monitor's own directory is loaded: memory is one to one */
	u8 pdpte_flaw;	  /* PDPTEs must be cleaned before the domain is left */
	u32 top_at;	  /* where the PDPT that is loaded shows, if not in low memory */
	u32 nested_error; /* error code of the last fault in ring 0 */
	struct guard_pvh guard;
};

#define VCPU ((struct vcpu *)WIN_VCPU)

/* In vcpu.due this is the bit that EFLAGS has for IF. */
#define PEND 2u

#define CR0_PE 0x00000001u
#define CR0_EM 0x00000004u
#define CR0_TS 0x00000008u
#define CR0_WP 0x00010000u
#define CR0_PG 0x80000000u
#define CR4_TSD 0x00000004u
#define CR4_DE 0x00000008u
#define CR4_PSE 0x00000010u
#define CR4_PAE 0x00000020u
#define CR4_OSXSAVE 0x00040000u
#define EFER_NXE 0x00000800u

#define EFLAGS_CF 0x00000001u
#define EFLAGS_ZF 0x00000040u
#define EFLAGS_TF 0x00000100u
#define EFLAGS_IF 0x00000200u
#define EFLAGS_DF 0x00000400u
#define EFLAGS_IOPL 0x00003000u
#define EFLAGS_NT 0x00004000u
#define EFLAGS_RF 0x00010000u
#define EFLAGS_VM 0x00020000u
#define EFLAGS_STATUS 0x000008D5u /* CF PF AF ZF SF OF: what arithmetic sets */

/* Exception vectors that the monitor names. */
enum {
	EXC_DE = 0,
	EXC_DB = 1,
	EXC_NMI = 2,
	EXC_BP = 3,
	EXC_UD = 6,
	EXC_NM = 7,
	EXC_DF = 8,
	EXC_NP = 11,
	EXC_SS = 12,
	EXC_GP = 13,
	EXC_PF = 14,
	EXC_MF = 16,
	EXC_AC = 17,
	EXC_XM = 19
};

/* Page fault error code. */
#define PF_P 1u
#define PF_W 2u
#define PF_U 4u
#define PF_RSVD 8u
#define PF_I 16u

/* Was the CPU in the guest's kernel, what the guest takes for ring 0, when it trapped?
 * Before Init the guest is nothing but its kernel. */
static inline bool guest_in_kernel(const struct vcpu *v)
{
	return !v->paravirtual || !((v->r.cs & 3) == 3 || (v->r.eflags & EFLAGS_VM));
}

#endif
