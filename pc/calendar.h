/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Seconds since 1970 and the Gregorian date, both ways, for years 0 to 9999.
 */
#ifndef VMIXEN_PC_CALENDAR_H
#define VMIXEN_PC_CALENDAR_H

#include "base.h"

struct calendar {
	u32 year;
	u8 month;   /* 1..12 */
	u8 day;	    /* 1..31 */
	u8 weekday; /* 1 Sunday .. 7 Saturday; ignored by calendar_to_seconds() */
	u8 hour, minute, second;
};

/* A time out of range gives the nearest one that is in it. */
void calendar_from_seconds(struct calendar *t, s64 seconds);

/* Any values are accepted: a month out of range is the nearest one, what else is
 * too large carries on.  year is at most 30000. */
s64 calendar_to_seconds(const struct calendar *t);

#endif
