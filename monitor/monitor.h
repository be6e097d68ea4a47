/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The monitor's one data block.  The ROM never writes to itself: whatever changes
 * lies in struct monitor, struct vcpu or the block of the binding, at constant addresses in the
 * window.
 */
#ifndef VMIXEN_MONITOR_H
#define VMIXEN_MONITOR_H

#include "xenbind/clock.h"
#include "xenbind/console.h"
#include "xenbind/hypercall.h"
#include "pc/lapic.h"
#include "pc/pc.h"
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
	u32 pages[2];	 /* of the GDT and of the LDT that the processor reads */
	u32 ldt_entries; /* what the processor has been given */
	bool kept;	 /* a slot had to keep a descriptor that is the guest's no more */
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
	u64 counters_since; /* when they were 0, in ns */
	struct clock_cache clock;
	struct alarm alarm[2]; /* by cycle counter: 0 real, 1 available */
	u32 wc_version_seen;
	struct vcpu_runstate_info runstate; /* Xen writes it */
};

#define MON ((struct monitor *)WIN_MONITOR)

_Static_assert(sizeof(struct monitor) <= WIN_MONITOR_PAGES * 4096u,
	       "struct monitor fits its pages");
_Static_assert(sizeof(struct vcpu) <= WIN_COUNTERS - WIN_VCPU, "struct vcpu fits its pages");

#endif
