/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The console against a ring in which the backend is played: one that drains, one
 * that does not, one that lies, and none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "domain.h"
#include "monitor/io/events.h"
#include "monitor/io/time.h"
#include "monitor/monitor.h"
#include "monitor/vcpu.h"

#define RING_OUT 2048u
#define RING_IN 1024u

static struct console console;
static volatile struct xencons_interface *const ring = (void *)(uintptr_t)WIN_CONSOLE;

static int start(void **state)
{
	(void)state;
	xen_start(GUEST_PAGES, 0, 0, 128);
	XEN_VCPU->time.tsc_timestamp = time_cycles();
	XEN_VCPU->time.system_time = 1000000000;
	ring->out_prod = ring->out_cons = 0xFFFFFF00; /* the indices wrap soon */
	ring->in_prod = ring->in_cons = 0xFFFFFF00;
	console_init(&console, ring, 2);
	return 0;
}

static void put(u32 bytes)
{
	while (bytes--)
		console_put(&console, 'x');
}

static void type(u32 bytes)
{
	for (; bytes; bytes--, ring->in_prod++)
		ring->in[ring->in_prod % RING_IN] = (char)ring->in_prod;
}

static void text_goes_round_the_ring(void **state)
{
	(void)state;
	for (u32 i = 0; i < 300; i++) {
		xen.console_len = 0;
		console_text(&console, "a line of some words\n");
		assert_int_equal(xen.console_len, 22);
		assert_memory_equal(xen.console, "a line of some words\r\n", 22);
	}
	assert_int_equal(xen.polls, 0);
}

static void drain(void)
{
	if (xen.polls == 3) /* it takes its time */
		ring->out_cons = ring->out_prod - 1;
}

static void a_full_ring_is_waited_for(void **state)
{
	(void)state;
	xen.stalled = true;
	xen.on_poll = drain;
	put(RING_OUT);
	assert_int_equal(xen.polls, 0);
	put(1);
	assert_int_equal(xen.polls, 3);
	assert_int_equal(ring->out_prod - ring->out_cons, 2);
}

static void pass_time(void)
{
	XEN_VCPU->time.system_time += 2000000000;
}

static void a_dead_backend_is_waited_for_once(void **state)
{
	u32 polls;

	(void)state;
	xen.stalled = true;
	xen.on_poll = pass_time;
	put(RING_OUT + 1);
	polls = xen.polls;
	assert_in_range(polls, 2, 3); /* 5 s */
	put(10000);
	console_text(&console, "nobody reads this\n");
	assert_int_equal(xen.polls, polls);
	assert_int_equal(ring->out_prod - ring->out_cons, RING_OUT);
}

/* One that has been away is waited for again. */
static void a_backend_may_come_back(void **state)
{
	(void)state;
	a_dead_backend_is_waited_for_once(state);
	ring->out_cons = ring->out_prod - 5;
	put(RING_OUT - 5);
	xen.polls = 0;
	xen.on_poll = drain;
	put(1);
	assert_int_equal(xen.polls, 3);
	assert_int_equal(ring->out_prod - ring->out_cons, 2);
}

static void drain_all(void)
{
	if (xen.polls == 3)
		ring->out_cons = ring->out_prod;
}

static void what_was_written_is_out_before_a_suspend(void **state)
{
	u32 sent = xen.sent[2];

	(void)state;
	console_drain(&console);
	assert_int_equal(xen.polls, 0);
	xen.stalled = true;
	xen.on_poll = drain_all;
	put(5);
	console_drain(&console);
	assert_int_equal(xen.polls, 3);
	assert_int_equal(ring->out_cons, ring->out_prod);
	assert_false(console.dead);
	assert_int_not_equal(xen.sent[2], sent);
	/* Nor is a dead one waited for twice. */
	xen.on_poll = pass_time;
	put(5);
	console_drain(&console);
	xen.polls = 0;
	console_drain(&console);
	assert_int_equal(xen.polls, 0);
}

static void an_index_that_cannot_be_is_not_waited_for(void **state)
{
	u32 prod = ring->out_prod;

	(void)state;
	xen.stalled = true;
	for (u32 lie = RING_OUT + 1; lie; lie *= 2) {
		ring->out_cons = prod - lie;
		put(5);
		assert_int_equal(ring->out_prod, prod);
	}
	assert_int_equal(xen.polls, 0);
	ring->out_cons = prod;
	put(5);
	assert_int_equal(ring->out_prod, prod + 5);
}

static void input_comes_in_order(void **state)
{
	(void)state;
	assert_int_equal(console_get(&console), -1);
	for (u32 i = 0; i < 40; i++) {
		u32 first = ring->in_prod;

		type(i * 25 + 3);
		for (u32 n = 0; n < i * 25 + 3; n++)
			assert_int_equal(console_get(&console), (u8)(first + n));
		assert_int_equal(console_get(&console), -1);
		assert_int_equal(ring->in_cons, ring->in_prod);
	}
}

static void input_that_cannot_be_is_none(void **state)
{
	u32 cons = ring->in_cons;

	(void)state;
	for (u32 lie = RING_IN + 1; lie; lie *= 2) {
		ring->in_prod = cons + lie;
		assert_int_equal(console_get(&console), -1);
		assert_int_equal(ring->in_cons, cons);
	}
	ring->in_prod = cons;
	type(RING_IN);
	for (u32 n = 0; n < RING_IN; n++)
		assert_int_equal(console_get(&console), (u8)(cons + n));
	assert_int_equal(console_get(&console), -1);
}

/* The page is the backend's, too: it may write what is ours. */
static void our_own_indices_are_not_read_back(void **state)
{
	u32 cons = ring->in_cons, prod = ring->out_prod;

	(void)state;
	type(2);
	ring->in_cons = cons + 500;
	assert_int_equal(console_get(&console), (u8)cons);
	ring->in_cons = 3;
	assert_int_equal(console_get(&console), (u8)(cons + 1));
	assert_int_equal(ring->in_cons, cons + 2);
	ring->out_prod = prod + 700;
	xen.stalled = true;
	put(1);
	assert_int_equal(ring->out_prod, prod + 1);
}

/* Sanitizers watch. */
static void garbage_harms_nothing(void **state)
{
	u32 *index[] = {(u32 *)&ring->in_cons, (u32 *)&ring->in_prod, (u32 *)&ring->out_cons,
			(u32 *)&ring->out_prod};

	(void)state;
	srand(1);
	xen.stalled = true;
	xen.on_poll = pass_time;
	for (u32 round = 0; round < 20000; round++) {
		*index[rand() % 4] = (u32)rand() * 3u;
		put((u32)rand() % 8);
		for (u32 n = 0; n < 8; n++)
			console_get(&console);
	}
}

static u32 typed;

static int type_commands(void)
{
	return typed++ % 2 ? 'q' : 0x1E; /* which the monitor does not know */
}

static int type_a_command(void)
{
	return typed++ == 5 * RING_IN ? -1 : typed % 2 ? 0x1E : 'z';
}

/* The domain's input is looked at with each event and each access to a port: what a
 * backend that never ends has for us is not taken at once. */
static void input_without_end_is_taken_by_and_by(void **state)
{
	(void)state;
	domain_init(true);
	console_init(&MON->console, NULL, 0);
	xen.type = type_commands;
	port_in(VCPU, 0x3F8, 1);
	assert_in_range(typed, 2, RING_IN);
	xen.type = type_a_command;
	typed = 0;
	port_in(VCPU, 0x3F8, 1);
	assert_in_range(typed, RING_IN - 2, RING_IN + 2);
}

static void without_a_ring_it_is_the_hypervisors(void **state)
{
	(void)state;
	console_init(&console, NULL, 0);
	console_text(&console, "text\n");
	assert_int_equal(xen_last(__HYPERVISOR_console_io)->arg[0], CONSOLEIO_write);
	assert_int_equal(xen_last(__HYPERVISOR_console_io)->arg[1], 6);
	put(300);
	assert_int_equal(xen_last(__HYPERVISOR_console_io)->arg[1], sizeof(console.line));
	assert_int_equal(console_get(&console), -1);
	typed = 0;
	xen.type = type_commands;
	assert_int_equal(console_get(&console), 0x1E);
	assert_int_equal(console_get(&console), 'q');
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(text_goes_round_the_ring, start),
		cmocka_unit_test_setup(a_full_ring_is_waited_for, start),
		cmocka_unit_test_setup(a_dead_backend_is_waited_for_once, start),
		cmocka_unit_test_setup(a_backend_may_come_back, start),
		cmocka_unit_test_setup(what_was_written_is_out_before_a_suspend, start),
		cmocka_unit_test_setup(an_index_that_cannot_be_is_not_waited_for, start),
		cmocka_unit_test_setup(input_comes_in_order, start),
		cmocka_unit_test_setup(input_that_cannot_be_is_none, start),
		cmocka_unit_test_setup(our_own_indices_are_not_read_back, start),
		cmocka_unit_test_setup(garbage_harms_nothing, start),
		cmocka_unit_test_setup(input_without_end_is_taken_by_and_by, start),
		cmocka_unit_test_setup(without_a_ring_it_is_the_hypervisors, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
