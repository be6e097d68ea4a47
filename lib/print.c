/* SPDX-License-Identifier: GPL-2.0-only */
/* See print.h. */
#include "print.h"

struct sink {
	char *out;
	unsigned size, used;
};

static void put(struct sink *s, char c)
{
	if (s->used + 1 < s->size)
		s->out[s->used++] = c;
}

static void put_text(struct sink *s, const char *text, int width)
{
	int n = 0;

	for (; *text; text++, n++)
		put(s, *text);
	for (; n < width; n++)
		put(s, ' ');
}

static void put_number(struct sink *s, u64 value, unsigned base, int width, char fill)
{
	char digits[20];
	int n = 0;

	do {
		unsigned d;

		if (base == 16) {
			d = value & 15;
			value >>= 4;
		} else {
			d = (u32)value % 10;
			value = (u32)value / 10;
		}
		digits[n++] = (char)(d < 10 ? '0' + d : 'a' + d - 10);
	} while (value);
	for (; width > n; width--)
		put(s, fill);
	while (n)
		put(s, digits[--n]);
}

unsigned format_text(char *out, unsigned size, const char *fmt, va_list ap)
{
	struct sink s = {out, size, 0};

	for (; *fmt; fmt++) {
		int width = 0, longs = 0;
		char fill = ' ';

		if (*fmt != '%') {
			put(&s, *fmt);
			continue;
		}
		if (*++fmt == '0')
			fill = '0';
		for (; *fmt >= '0' && *fmt <= '9'; fmt++)
			width = width * 10 + *fmt - '0';
		for (; *fmt == 'l'; fmt++)
			longs++;
		switch (*fmt) {
		case 'd': {
			int v = va_arg(ap, int);

			if (v < 0)
				put(&s, '-');
			put_number(&s, v < 0 ? 0u - (u32)v : (u32)v, 10, width, fill);
			break;
		}
		case 'u':
			put_number(&s, va_arg(ap, u32), 10, width, fill);
			break;
		case 'x':
			put_number(&s, longs == 2 ? va_arg(ap, u64) : va_arg(ap, u32), 16, width,
				   fill);
			break;
		case 'c':
			put(&s, (char)va_arg(ap, int));
			break;
		case 's':
			put_text(&s, va_arg(ap, const char *), width);
			break;
		case '%':
			put(&s, '%');
			break;
		default: /* an error of ours: show it */
			put(&s, '?');
		}
		if (!*fmt)
			break;
	}
	out[s.used] = 0;
	return s.used;
}
