/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes with an end.  All of mkrom's reading goes through here: offsets are
 * 64 bits wide, so a sum of two 32-bit fields of a file cannot wrap before it
 * is compared with the end.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "mkrom.h"

/* Structures are copied from files as they are. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "mkrom needs a little-endian host");

void escape(char *to, size_t size, const char *from)
{
	size_t n = 0;

	for (; *from && n + sizeof("\\x00") <= size; from++) {
		u8 c = (u8)*from;

		if (c < 0x20 || c >= 0x7F)
			n += (size_t)sprintf(to + n, "\\x%02x", c);
		else
			to[n++] = (char)c;
	}
	to[n] = 0;
}

bool refuse(struct err *err, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	escape(err->text, sizeof(err->text), text);
	return false;
}

bool blob_has(const struct blob *b, u64 off, u64 len)
{
	return off <= b->n && len <= b->n - off;
}

bool blob_get(const struct blob *b, u64 off, void *out, size_t len)
{
	if (!blob_has(b, off, len))
		return false;
	memcpy(out, b->p + off, len);
	return true;
}

bool blob_put(struct blob *b, u64 off, const void *in, size_t len)
{
	if (!blob_has(b, off, len))
		return false;
	if (len)
		memcpy(b->p + off, in, len);
	return true;
}

const char *blob_str(const struct blob *b, u64 off)
{
	if (off >= b->n || !memchr(b->p + off, 0, b->n - off))
		return NULL;
	return (const char *)b->p + off;
}

struct blob blob_part(const struct blob *b, u64 off, u64 len)
{
	struct blob part = {.name = b->name, .p = b->p, .n = 0};

	if (off > b->n)
		return part;
	if (len > b->n - off)
		len = b->n - off;
	part.p = b->p + off;
	part.n = len;
	return part;
}

u8 blob_sum(const struct blob *b, u64 off, u64 len)
{
	struct blob part = blob_part(b, off, len);
	u8 sum = 0;

	for (size_t i = 0; i < part.n; i++)
		sum += part.p[i];
	return sum;
}

bool blob_alloc(struct blob *b, const char *name, u64 n, struct err *err)
{
	b->name = name;
	b->n = 0;
	b->p = n <= SIZE_MAX ? calloc(1, n ? n : 1) : NULL;
	if (!b->p)
		return refuse(err, "%s: no memory for %llu bytes", name, (unsigned long long)n);
	b->n = n;
	return true;
}

void blob_free(struct blob *b)
{
	free(b->p);
	b->p = NULL;
	b->n = 0;
}
