/* SPDX-License-Identifier: GPL-2.0-only */
/* Entries of the grant table, against a Xen that maps their frames at any moment. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "xenbind/grant.h"

#include <xen/grant_table.h>

static struct grant g;

static void an_entry_says_who_may_do_what(void **state)
{
	(void)state;
	grant_give(&g, 5, 0x1234, false);
	assert_int_equal(g.flags, GTF_permit_access);
	assert_int_equal(g.domain, 5);
	assert_int_equal(g.frame, 0x1234);
	assert_true(grant_end(&g));
	assert_int_equal(g.flags, GTF_invalid);
	assert_int_equal(g.frame, 0x1234);
	grant_give(&g, 0, 1, true);
	assert_int_equal(g.flags, GTF_permit_access | GTF_readonly);
	assert_true(grant_end(&g));
	assert_true(grant_end(&g));
}

static void what_is_mapped_is_not_ended(void **state)
{
	static const u16 mapped[] = {GTF_reading, GTF_writing, GTF_reading | GTF_writing};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(mapped); i++) {
		grant_give(&g, 0, 1, false);
		g.flags |= mapped[i];
		assert_false(grant_end(&g));
		assert_int_equal(g.flags, GTF_permit_access | mapped[i]);
		g.flags = GTF_permit_access;
		assert_true(grant_end(&g));
	}
}

#define ROUNDS 20000u

static bool lost; /* an entry has ended while it was mapped */

/* As Xen does it: a step on both flags and permission, which fails if there is none. */
static void *xen(void *unused)
{
	for (u32 mapped = 0; mapped < ROUNDS;) {
		u16 old = __atomic_load_n(&g.flags, __ATOMIC_SEQ_CST);

		if (old != GTF_permit_access ||
		    !__atomic_compare_exchange_n(&g.flags, &old, (u16)(old | GTF_reading), false,
						 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			continue;
		for (u32 i = 0; i < 20; i++)
			lost |= !(__atomic_load_n(&g.flags, __ATOMIC_SEQ_CST) & GTF_reading);
		mapped++;
		__atomic_and_fetch(&g.flags, (u16)~GTF_reading, __ATOMIC_SEQ_CST);
	}
	__atomic_store_n(&g.frame, 0, __ATOMIC_SEQ_CST);
	return unused;
}

/* Whenever it has ended, it is free: no bit of Xen's is lost, and none comes later. */
static void ending_and_mapping_are_in_some_order(void **state)
{
	pthread_t thread;

	(void)state;
	grant_give(&g, 0, 1, false);
	assert_int_equal(pthread_create(&thread, NULL, xen, NULL), 0);
	while (__atomic_load_n(&g.frame, __ATOMIC_SEQ_CST)) {
		if (!grant_end(&g))
			continue;
		assert_int_equal(__atomic_load_n(&g.flags, __ATOMIC_SEQ_CST), 0);
		__atomic_store_n(&g.flags, GTF_permit_access, __ATOMIC_SEQ_CST);
	}
	pthread_join(thread, NULL);
	assert_false(lost);
	assert_true(grant_end(&g));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_says_who_may_do_what),
		cmocka_unit_test(what_is_mapped_is_not_ended),
		cmocka_unit_test(ending_and_mapping_are_in_some_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
