/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The descriptor tables that the processor reads, at WIN_GDT and WIN_LDT, as
 * segment.c writes to them.  A binding has them in its own way: tables.c by Xen,
 * pvh/tables.c as memory of its own.
 */
#ifndef VMIXEN_TABLES_H
#define VMIXEN_TABLES_H

#include "monitor/emul/decode.h"

/* TI of a selector: which table. */
enum { GDT, LDT };

/* The entry, which is in the table, becomes d. */
void tables_write(u32 table, u32 index, u64 d);
/* The table has room for so many entries. */
void tables_need(u32 table, u32 entries);
/* The LDT has so many from now on, 0 for none. */
void tables_set_ldt(u32 entries);
/* Are the guest's DS and ES in struct regs, the processor's being the monitor's? */
bool tables_in_trap(void);
/* In a call: what the guest has in CS, or SS. */
u16 tables_call_selector(enum seg seg);

#endif
