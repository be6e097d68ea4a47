/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The monitor's one data block.  The ROM never writes to itself: whatever changes
 * lies in struct monitor or struct vcpu, at constant addresses in the window.
 */
#ifndef VMIXEN_MONITOR_H
#define VMIXEN_MONITOR_H

#include "base.h"
#include "xenbind/clock.h"
#include "xenbind/console.h"
#include "counters.h"
#include "xenbind/hypercall.h"
#include "pc/lapic.h"
#include "pc/pc.h"
#include "monitor/pv/mmu/shadow.h"
#include "start.h"
#include "xenbind/store.h"
#include "vcpu.h"

struct alarm {
	bool armed, periodic;
	bool lvtt;	    /* wired to the local APIC's timer, else to IRQ0 */
	u64 expiry, period; /* in cycles of the counter */
};

/* The end that xl has asked for. */
struct asked {
	u32 reason;	/* SHUTDOWN_ code */
	u64 believe_ns; /* until then an end of the guest's is taken for the answer */
};

struct events {
	u32 timer_port, console_port;
	u32 store_port;	    /* 0: no xenstore */
	bool key;	    /* the next byte of input is a command to the monitor */
	int input;	    /* a byte that the 16550 had no room for, or -1 */
	u64 alarm_set;	    /* the deadline Xen has, in ns; PIT_NEVER for none */
	bool spoke;	    /* the guest has printed something */
	u64 silence;	    /* ns when its silence is worth a word, or PIT_NEVER */
	u64 silence_stolen; /* ns that had been taken off the guest's time when that was set */
};

/* What time.c has said: divisions are dear and their operands rarely change, and
 * no clock may go back. */
struct clock_cache {
	struct clock_rate rate; /* of which khz was made */
	u32 khz;
	u64 hz;	       /* of time_frequency(), for good */
	u64 ns;	       /* what time_ns() said last */
	u64 entry;     /* state_entry_time of the runstate area at the last look */
	u64 stolen_ns; /* what it said then, which has become stolen_cycles */
	u64 stolen_cycles;
	u64 available; /* what time_available() said last */
};

struct segments {
	struct xen_table {
		u32 pages; /* frames there are; Xen's GDT has all of them */
		u32 mfn[WIN_LDT_PAGES];
	} table[2];	 /* GDT, LDT */
	u32 ldt_entries; /* what Xen has been given */
	bool kept;	 /* a slot had to keep a descriptor that is the guest's no more */
};

_Static_assert(WIN_GDT_PAGES <= WIN_LDT_PAGES, "xen_table.mfn has room for both tables");

/* guard.c: the frames of the guest's GDT and LDT before Init. */
#define GUARD_FRAMES (2 * 17) /* 64 KB may begin anywhere in a page */

struct guard {
	u32 frames; /* in gpfn[] */
	u32 gpfn[GUARD_FRAMES];
	u32 opened; /* of them, in open[]: where they are writable */
	struct {
		u32 gpfn;
		gva_t va;
	} open[4];
	bool stepping; /* TF is set, for one instruction */
	bool traced;   /* and was before */
	bool pushes;   /* that is PUSHF */
};

struct monitor {
	struct start start;
	struct console console;
	struct pc pc;
	struct lapic lapic;
	struct events events;
	struct store store;
	struct asked asked;
	u32 ends; /* that have begun: report.c */
	struct segments segments;
	struct guard guard;
	u64 counters_since; /* when they were 0, in ns */
	struct clock_cache clock;
	struct alarm alarm[2]; /* by cycle counter: 0 real, 1 available */
	u32 wc_version_seen;
	struct vcpu_runstate_info runstate; /* Xen writes it */
	struct shadow shadow;
};

#define MON ((struct monitor *)WIN_MONITOR)

_Static_assert(sizeof(struct monitor) <= WIN_MONITOR_PAGES * 4096u,
	       "struct monitor fits its pages");
_Static_assert(sizeof(struct vcpu) <= WIN_COUNTERS - WIN_VCPU, "struct vcpu fits its pages");

#endif
