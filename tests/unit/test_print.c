/* SPDX-License-Identifier: GPL-2.0-only */
/* Formatted text, as printf makes it where both know the format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/print.h"

static char out[64];

static unsigned format(unsigned size, const char *fmt, ...)
{
	va_list ap;
	unsigned n;

	va_start(ap, fmt);
	n = format_text(out, size, fmt, ap);
	va_end(ap);
	return n;
}

#define SAME_AS_PRINTF(...)                                                                        \
	do {                                                                                       \
		char want[64];                                                                     \
		snprintf(want, sizeof(want), __VA_ARGS__);                                         \
		assert_int_equal(format(sizeof(out), __VA_ARGS__), strlen(want));                  \
		assert_string_equal(out, want);                                                    \
	} while (0)

static void numbers(void **state)
{
	(void)state;
	SAME_AS_PRINTF("%d %d %d", 0, -1, -2147483647 - 1);
	SAME_AS_PRINTF("%u %u", 0u, 4294967295u);
	SAME_AS_PRINTF("%5u|%05u|%2u", 42u, 42u, 12345u);
	SAME_AS_PRINTF("%x %08x %3x", 0xABCDu, 0xABCDu, 0xABCDu);
	SAME_AS_PRINTF("%llx %016llx", 0x123456789ABCDEF0ull, 0xFull);
}

static void texts(void **state)
{
	(void)state;
	SAME_AS_PRINTF("%s, %c%%", "text", 'x');
	SAME_AS_PRINTF("%s|", "");
	assert_int_equal(format(sizeof(out), "%6s|", "left"),
			 7); /* fills behind, as a table does */
	assert_string_equal(out, "left  |");
}

static void what_is_too_long_is_cut(void **state)
{
	(void)state;
	assert_int_equal(format(5, "123456"), 4);
	assert_string_equal(out, "1234");
	assert_int_equal(format(3, "%u", 98765u), 2);
	assert_string_equal(out, "98");
}

static void an_unknown_format_shows(void **state)
{
	const char *bad = "a%q%";

	(void)state;
	assert_int_equal(format(sizeof(out), bad), 3);
	assert_string_equal(out, "a??");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(texts),
		cmocka_unit_test(what_is_too_long_is_cut),
		cmocka_unit_test(an_unknown_format_shows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
