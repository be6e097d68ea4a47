/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The monitor's data of the domain; what is one virtual CPU's lies in struct vcpu.  The
 * ROM never writes to itself: whatever changes lies in struct monitor, in struct vcpu, or in
 * the binding's own blocks (WIN_BINDING, WIN_VCPU_BINDING), each at a constant address in
 * the window.
 */
#ifndef VMIXEN_MONITOR_H
#define VMIXEN_MONITOR_H

#include "xenbind/console.h"
#include "xenbind/hypercall.h"
#include "fronts.h"
#include "pc/pc.h"
#include "start.h"
#include "xenbind/orders.h"
#include "vcpu.h"

/* The end that xl has ordered.  Until honour_until, in ns of time_ns(), any end of the
 * guest's is taken for the answer to it. */
struct shutdown_order {
	u32 reason;	  /* SHUTDOWN_ code */
	u64 honour_until; /* 0: there is no order */
};

#define EVENT_PORTS (4 + 8 + 2) /* timer, console, xenstore, ourselves, disks and networks */

struct events {
	evtchn_port_t awaited[EVENT_PORTS]; /* whose events end a wait for an interrupt */
	u32 awaited_count;
	u32 console_port;
	u32 store_port;	    /* 0: no xenstore */
	bool key;	    /* the next byte of input is a command to the monitor */
	int input;	    /* a byte that the 16550 had no room for, or -1 */
	bool spoke;	    /* the guest has printed something */
	u64 silence;	    /* ns when its silence is worth a word, or PIT_NEVER */
	u64 silence_stolen; /* ns that had been taken off the guest's time when that was set */
};

struct monitor {
	struct start start;
	struct console console;
	struct pc pc;
	struct events events;
	struct store store;
	struct orders orders;
	struct fronts fronts;
	struct shutdown_order shutdown_order;
	bool suspend_asked; /* and not yet done */
	u32 ends;	    /* that have begun: report.c */
	u64 counters_since; /* when they were 0, in ns */
	u32 wc_version_seen;
};

#define MON ((struct monitor *)WIN_MONITOR)

_Static_assert(sizeof(struct monitor) <= WIN_MONITOR_PAGES * 4096u,
	       "struct monitor fits its pages");
_Static_assert(sizeof(struct vcpu) <= WIN_VCPU_INFO - WIN_VCPU, "struct vcpu fits its pages");
_Static_assert(sizeof(struct vcpu_info) <= WIN_COUNTERS - WIN_VCPU_INFO, "so does vcpu_info");

#endif
