/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Years are counted from 1 March, so that the leap day is a year's last; the
 * day of such a year at which month m (March is 0) begins is (153m + 2) / 5.
 * They and the days are numbered from 1 March of the year -400, which keeps
 * all integers positive and the 400-year cycle in step.
 */
#include "calendar.h"
#include "lib/muldiv.h"

#define DAY_S 86400u
#define ORIGIN_YEAR 400u
#define EPOCH_DAY 865565u /* 1970-01-01 */
#define FIRST_DAY 146037u /* 0000-01-01 */
#define LAST_DAY 3798461u /* 9999-12-31 */

static u32 day_of_year(u32 year)
{
	return year * 365 + year / 4 - year / 100 + year / 400;
}

static void set_date(struct calendar *t, u32 day)
{
	u32 year, m;

	t->weekday = (day + 3) % 7 + 1;
	for (year = day / 366; day_of_year(year + 1) <= day; year++)
		;
	day -= day_of_year(year);
	m = (5 * day + 2) / 153;
	t->day = day - (153 * m + 2) / 5 + 1;
	t->month = m < 10 ? m + 3 : m - 9;
	t->year = year - ORIGIN_YEAR + (m >= 10);
}

void calendar_from_seconds(struct calendar *t, s64 seconds)
{
	const s64 first = (s64)FIRST_DAY * DAY_S;
	const s64 last = (s64)(LAST_DAY + 1) * DAY_S - 1;
	const s64 epoch = (s64)EPOCH_DAY * DAY_S;
	s64 s = seconds > last - epoch ? last : seconds < first - epoch ? first : seconds + epoch;
	u32 second;

	set_date(t, (u32)div64((u64)s, DAY_S, &second));
	t->hour = second / 3600;
	t->minute = second / 60 % 60;
	t->second = second % 60;
}

s64 calendar_to_seconds(const struct calendar *t)
{
	u32 month = t->month > 12 ? 12 : t->month ? t->month : 1;
	u32 m = month > 2 ? month - 3 : month + 9;
	u32 year = t->year + ORIGIN_YEAR - (month <= 2);
	u32 day = day_of_year(year) + (153 * m + 2) / 5 + t->day - 1;

	return ((s64)day - EPOCH_DAY) * DAY_S + t->hour * 3600 + t->minute * 60 + t->second;
}
