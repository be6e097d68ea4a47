/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shadow MMU plays random guests against the model of shadow_model.h; the
 * seeds are fixed.  With numbers as arguments it plays those scripts, told step
 * by step.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "xen.h"
#include "shadow_model.h"
#include "shadow_play.h"
#include "monitor/pv/mmu/paging.h"

#define SCRIPTS 800u
#define SCRIPT_BYTES 6000u

static const char *play(u32 seed, bool trace)
{
	static u8 script[SCRIPT_BYTES];
	u64 state = seed * 0x9E3779B97F4A7C15ull + 1;

	for (u32 i = 0; i < SCRIPT_BYTES; i++) {
		state = state * 6364136223846793005ull + 1442695040888963407ull;
		script[i] = (u8)(state >> 56);
	}
	return shadow_play(script, SCRIPT_BYTES, trace);
}

static void random_guests_see_what_a_processor_shows(void **state)
{
	(void)state;
	for (u32 seed = 1; seed <= SCRIPTS; seed++) {
		const char *failure = play(seed, false);

		if (failure)
			fail_msg("script %u: %s\n(build/unit/test_shadow %u tells its steps)", seed,
				 failure, seed);
	}
}

/* A model that nothing happens in proves nothing. */
static void the_guests_meet_everything(void **state)
{
	const struct shadow_model_count *c = &shadow_model_count;

	(void)state;
	assert_true(c->permitted > SCRIPTS * 50);
	assert_true(c->faults > SCRIPTS * 50);
	assert_true(c->mmio > SCRIPTS * 5);
	assert_true(c->stale > SCRIPTS / 2);
	assert_true(c->evicted > SCRIPTS / 8);
	assert_true(c->rewritten > SCRIPTS / 8);
	assert_true(c->paravirtual > SCRIPTS / 2);
}

static int argument_count;
static char **arguments;

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_guests_see_what_a_processor_shows),
		cmocka_unit_test(the_guests_meet_everything),
	};

	for (int i = 1; i < argument_count; i++) {
		const char *failure = play((u32)atoi(arguments[i]), true);

		print_message("script %s: %s\n", arguments[i], failure ? failure : "as it should");
	}
	return argument_count > 1 ? 0 : cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
	argument_count = argc;
	arguments = argv;
	return xen_on_low_stack(run);
}
