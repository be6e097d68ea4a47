/* SPDX-License-Identifier: GPL-2.0-only */
/* A judge of JSON for mkrom's tests: RFC 8259, as much as mkrom can write. */
#include <ctype.h>
#include <string.h>

#include "mkrom_make.h"

static bool value(const char **s);

static void space(const char **s)
{
	*s += strspn(*s, " \t\r\n");
}

static bool take(const char **s, char c)
{
	space(s);
	if (**s != c)
		return false;
	++*s;
	return true;
}

static bool string(const char **s)
{
	if (!take(s, '"'))
		return false;
	while (**s != '"') {
		if ((u8) * *s < 0x20 || (u8) * *s > 0x7E)
			return false;
		if (**s != '\\') {
			++*s;
		} else if ((*s)[1] == 'u') {
			if (strspn(*s + 2, "0123456789abcdefABCDEF") < 4)
				return false;
			*s += 6;
		} else if ((*s)[1] && strchr("\"\\/bfnrt", (*s)[1])) {
			*s += 2;
		} else {
			return false;
		}
	}
	++*s;
	return true;
}

static bool number(const char **s)
{
	*s += **s == '-';
	if (!isdigit(**s))
		return false;
	if (**s == '0')
		++*s;
	else
		*s += strspn(*s, "0123456789");
	return true;
}

static bool word(const char **s)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strncmp(*s, words[i], strlen(words[i])) == 0) {
			*s += strlen(words[i]);
			return true;
		}
	}
	return false;
}

static bool list(const char **s, bool keys, char end)
{
	++*s;
	if (take(s, end))
		return true;
	do {
		if (keys && !(string(s) && take(s, ':')))
			return false;
		if (!value(s))
			return false;
	} while (take(s, ','));
	return take(s, end);
}

static bool value(const char **s)
{
	space(s);
	if (**s == '{')
		return list(s, true, '}');
	if (**s == '[')
		return list(s, false, ']');
	if (**s == '"')
		return string(s);
	return word(s) || number(s);
}

bool is_json(const char *s)
{
	if (!value(&s))
		return false;
	space(&s);
	return !*s;
}
