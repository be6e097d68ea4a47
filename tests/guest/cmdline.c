/* SPDX-License-Identifier: GPL-2.0-only */
/* Words of the command line. */
#include "guest.h"

extern char boot_cmdline[256];

/* The text behind `key` when it begins a word, or NULL. */
static const char *find(const char *key)
{
	size_t len = strlen(key);

	for (const char *p = boot_cmdline; *p; p++) {
		if ((p == boot_cmdline || p[-1] == ' ') && !memcmp(p, key, len))
			return p + len;
	}
	return NULL;
}

static bool ends(const char *p)
{
	return !*p || *p == ' ' || *p == '\n';
}

bool option(const char *word)
{
	const char *p = find(word);

	return p && ends(p);
}

bool option_given(const char *key)
{
	const char *p = find(key);

	return p && *p == '=';
}

bool option_is(const char *key, const char *value)
{
	const char *p = find(key);
	size_t len = strlen(value);

	return p && *p == '=' && !memcmp(p + 1, value, len) && ends(p + 1 + len);
}

bool option_starts(const char *key, const char *text)
{
	const char *p = find(key);

	if (!p || *p != '=')
		return false;
	for (p++; !ends(p); p++, text++) {
		if (*p != *text)
			return false;
	}
	return true;
}

/* Is word one of those that key=a,b,c lists? */
bool option_lists(const char *key, const char *word)
{
	const char *p = find(key);
	size_t len = strlen(word);

	for (; p && !ends(p); p++) {
		if ((*p == '=' || *p == ',') && !memcmp(p + 1, word, len) &&
		    (p[1 + len] == ',' || ends(p + 1 + len)))
			return true;
	}
	return false;
}

u32 option_number(const char *key, u32 otherwise)
{
	const char *p = find(key);
	u32 n = 0;

	if (!p || *p != '=')
		return otherwise;
	for (p++; *p >= '0' && *p <= '9'; p++)
		n = n * 10 + (u32)(*p - '0');
	return n;
}
