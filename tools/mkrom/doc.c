/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One walk over an image, written as JSON or as indented text.  In text an
 * object is its key on a line of its own with the members indented below.
 */
#include "mkrom.h"

static void indent(const struct doc *d)
{
	for (unsigned i = 0; i < d->depth; i++)
		fputs("  ", d->f);
}

/* Image strings are bytes in no known encoding: taken as Latin-1 they are
 * always valid JSON, and escaped they are harmless on a terminal. */
static void put_string(const struct doc *d, const char *s)
{
	if (d->json)
		fputc('"', d->f);
	for (; *s; s++) {
		u8 c = (u8)*s;

		if (c < 0x20 || c >= 0x7F)
			fprintf(d->f, d->json ? "\\u%04x" : "\\x%02x", c);
		else if (d->json && (c == '"' || c == '\\'))
			fprintf(d->f, "\\%c", c);
		else
			fputc(c, d->f);
	}
	if (d->json)
		fputc('"', d->f);
}

/* A new line, after a comma where JSON wants one. */
static void next(struct doc *d)
{
	if (d->json && d->more)
		fputc(',', d->f);
	if (d->json && d->depth)
		fputc('\n', d->f);
	indent(d);
	d->more = true;
}

static void put_key(struct doc *d, const char *key)
{
	next(d);
	if (d->json) {
		put_string(d, key);
		fputs(": ", d->f);
	} else {
		fprintf(d->f, "%-14s ", key);
	}
}

static void end_line(const struct doc *d)
{
	if (!d->json)
		fputc('\n', d->f);
}

static void enter(struct doc *d, char bracket)
{
	if (d->json)
		fputc(bracket, d->f);
	d->depth++;
	d->more = false;
}

void doc_start(struct doc *d)
{
	if (d->json)
		enter(d, '{');
}

void doc_open(struct doc *d, const char *key, char bracket)
{
	if (d->json) {
		put_key(d, key);
	} else {
		next(d);
		fprintf(d->f, "%s\n", key);
	}
	enter(d, bracket);
}

void doc_item(struct doc *d, const char *title)
{
	next(d);
	if (!d->json)
		fprintf(d->f, "%s\n", title);
	enter(d, '{');
}

void doc_close(struct doc *d, char bracket)
{
	if (d->depth)
		d->depth--;
	d->more = true;
	if (!d->json)
		return;
	fputc('\n', d->f);
	indent(d);
	fputc(bracket, d->f);
	if (!d->depth)
		fputc('\n', d->f);
}

void doc_str(struct doc *d, const char *key, const char *s)
{
	put_key(d, key);
	if (s)
		put_string(d, s);
	else
		fputs(d->json ? "null" : "none", d->f);
	end_line(d);
}

void doc_num(struct doc *d, const char *key, s64 n)
{
	put_key(d, key);
	fprintf(d->f, "%lld", (long long)n);
	end_line(d);
}

void doc_hex(struct doc *d, const char *key, u32 n)
{
	put_key(d, key);
	fprintf(d->f, d->json ? "%u" : "0x%x", n);
	end_line(d);
}

void doc_bool(struct doc *d, const char *key, bool b)
{
	put_key(d, key);
	if (d->json)
		fputs(b ? "true" : "false", d->f);
	else
		fputs(b ? "yes" : "no", d->f);
	end_line(d);
}

void doc_null(struct doc *d, const char *key)
{
	doc_str(d, key, NULL);
}
