/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ring to xenstored, and the orders that come by it, against a ring in which the
 * other side is played: what a xenstored does, what a broken one might, and nothing at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xenbind/orders.h"

#include <xen/io/xs_wire.h>

static struct xenstore_domain_interface ring;
static struct store store;
static struct orders orders;

/* What the client has sent next: its header; the payload in text. */
static struct xsd_sockmsg sent(char text[64])
{
	struct xsd_sockmsg head = {.type = XS_INVALID};
	char *to = (char *)&head;

	if (ring.req_cons == ring.req_prod)
		return head;
	for (unsigned i = 0; i < sizeof(head); i++)
		to[i] = ring.req[MASK_XENSTORE_IDX(ring.req_cons++)];
	assert_true(head.len <= 64);
	for (unsigned i = 0; i < head.len; i++)
		text[i] = ring.req[MASK_XENSTORE_IDX(ring.req_cons++)];
	assert_true((int)(ring.req_prod - ring.req_cons) >= 0);
	return head;
}

static void put(const void *from, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		ring.rsp[MASK_XENSTORE_IDX(ring.rsp_prod++)] = ((const char *)from)[i];
}

static void reply(unsigned type, unsigned id, const char *text, unsigned bytes)
{
	struct xsd_sockmsg head = {.type = type, .req_id = id, .len = bytes};

	put(&head, sizeof(head));
	put(text, bytes);
}

static void start_as(bool suspends)
{
	memset(&ring, 0, sizeof(ring));
	store_start(&store, &ring);
	orders_start(&orders, &store, suspends);
}

static void start(void)
{
	start_as(true);
}

/* As monitor/io/events.c takes what has come: the last order of a look, or that there is
 * nobody to talk to. */
static enum order take(void)
{
	enum order last = ORDER_NOTHING, order;
	struct store_message m;

	store_look(&store);
	while (store_next(&store, &m)) {
		if (!orders_message(&orders, &store, &m, &order))
			store_break(&store);
		else if (order != ORDER_NOTHING)
			last = order;
	}
	order = orders_looked(&orders, &store);
	return order == ORDER_NOTHING ? last : order;
}

/* Up to the state in which a client stays: everything asked for and granted. */
static void settle(void)
{
	char text[64];
	struct xsd_sockmsg head;

	start();
	while ((head = sent(text)).type != XS_INVALID)
		reply(head.type, head.req_id, "OK", 3);
	assert_int_equal(take(), ORDER_NOTHING);
}

static void fire(void)
{
	static const char event[] = "control/shutdown\0vmixen";

	reply(XS_WATCH_EVENT, 0, event, sizeof(event));
}

/* The node changes to this; what the client makes of it. */
static enum order change(const char *value)
{
	char text[64];
	struct xsd_sockmsg head;

	fire();
	assert_int_equal(take(), ORDER_NOTHING);
	head = sent(text);
	assert_int_equal(head.type, XS_READ);
	assert_string_equal(text, "control/shutdown");
	reply(XS_READ, head.req_id, value, (unsigned)strlen(value));
	return take();
}

static void says_what_it_can_do_and_watches(void **state)
{
	char text[64];
	struct xsd_sockmsg head;

	(void)state;
	start();
	assert_true(store.bell);
	head = sent(text);
	assert_int_equal(head.type, XS_WRITE);
	assert_int_equal(head.len, sizeof("control/feature-poweroff"
					  "1"));
	assert_memory_equal(text, "control/feature-poweroff\0001", head.len);
	head = sent(text);
	assert_int_equal(head.type, XS_WRITE);
	assert_memory_equal(text, "control/feature-reboot\0001", head.len);
	head = sent(text);
	assert_int_equal(head.type, XS_WRITE);
	assert_int_equal(head.len, sizeof("control/feature-suspend"
					  "1"));
	assert_memory_equal(text, "control/feature-suspend\0001", head.len);
	head = sent(text);
	assert_int_equal(head.type, XS_WATCH);
	assert_memory_equal(text, "control/shutdown\0vmixen", head.len);
	assert_int_equal(head.len, sizeof("control/shutdown\0vmixen"));
	assert_int_equal(sent(text).type, XS_INVALID);
}

/* libxl gives up at once when it cannot bind what this node names. */
static void a_domain_that_cannot_be_suspended_names_no_event_channel_for_it(void **state)
{
	static const char none[] = "device/suspend/event-channel\0000";
	struct xsd_sockmsg head;
	char text[64];

	(void)state;
	start_as(false);
	sent(text);
	sent(text);
	head = sent(text);
	assert_int_equal(head.type, XS_WRITE);
	assert_int_equal(head.len, sizeof(none) - 1);
	assert_memory_equal(text, none, sizeof(none) - 1);
	assert_int_equal(sent(text).type, XS_WATCH);
	assert_int_equal(sent(text).type, XS_INVALID);
}

static void orders_are_acknowledged_by_clearing_the_node(void **state)
{
	static const struct {
		const char *word;
		enum order order;
	} words[] = {{"poweroff", ORDER_POWEROFF}, {"reboot", ORDER_REBOOT},
		     {"halt", ORDER_POWEROFF},	   {"suspend", ORDER_SUSPEND},
		     {"power", ORDER_UNKNOWN},	   {"poweroff now", ORDER_UNKNOWN}};
	char text[64];

	(void)state;
	settle();
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		struct xsd_sockmsg head;

		assert_int_equal(change(words[i].word), words[i].order);
		head = sent(text);
		assert_int_equal(head.type, XS_WRITE);
		assert_int_equal(head.len, sizeof("control/shutdown"));
		assert_string_equal(text, "control/shutdown");
		reply(XS_WRITE, head.req_id, "OK", 3);
		assert_int_equal(change(""), ORDER_NOTHING); /* our own change */
		assert_int_equal(sent(text).type, XS_INVALID);
	}
	assert_int_equal(change("suspended"), ORDER_UNKNOWN);
	assert_string_equal(orders.word, "suspended");
	assert_int_equal(sent(text).type, XS_WRITE); /* the clearing */
	assert_int_equal(change("\x1b[31m\xff\r"), ORDER_UNKNOWN);
	assert_string_equal(orders.word, "?[31m??");
}

/* The page is the other side's, too: it may write what is ours. */
static void our_own_indices_are_not_read_back(void **state)
{
	char text[64];
	struct xsd_sockmsg head;
	unsigned prod, cons;

	(void)state;
	settle();
	prod = ring.req_prod;
	cons = ring.rsp_cons;
	ring.req_prod = prod + 500;
	ring.rsp_cons = cons - 7;
	fire();
	assert_int_equal(take(), ORDER_NOTHING);
	assert_int_equal(ring.req_prod, prod + sizeof(head) + sizeof("control/shutdown"));
	assert_int_equal(ring.rsp_cons, ring.rsp_prod);
	head = sent(text);
	assert_int_equal(head.type, XS_READ);
	reply(XS_READ, head.req_id, "reboot", 6);
	ring.rsp_cons = ring.rsp_prod; /* as if it were taken */
	assert_int_equal(take(), ORDER_REBOOT);
}

/* However much there is, a look at the ring takes no more than the ring holds. */
static void a_look_is_bounded(void **state)
{
	unsigned before;

	(void)state;
	settle();
	before = store.rsp_cons;
	for (unsigned i = 0; i < XENSTORE_RING_SIZE / sizeof(struct xsd_sockmsg); i++)
		reply(XS_WRITE, 1, "", 0);
	assert_int_equal(take(), ORDER_NOTHING);
	assert_int_equal(store.rsp_cons - before, XENSTORE_RING_SIZE);
}

static void the_ring_may_go_round(void **state)
{
	char text[64];

	(void)state;
	settle();
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(change("reboot"), ORDER_REBOOT);
		assert_int_equal(sent(text).type, XS_WRITE);
	}
}

static void a_message_may_come_byte_by_byte(void **state)
{
	struct xsd_sockmsg head = {.type = XS_READ, .len = 8};
	char text[64];

	(void)state;
	settle();
	fire();
	assert_int_equal(take(), ORDER_NOTHING);
	assert_int_equal(sent(text).type, XS_READ);
	for (unsigned i = 0; i < sizeof(head); i++) {
		put((char *)&head + i, 1);
		assert_int_equal(take(), ORDER_NOTHING);
	}
	for (unsigned i = 0; i < 7; i++) {
		put("poweroff" + i, 1);
		assert_int_equal(take(), ORDER_NOTHING);
	}
	put("f", 1);
	assert_int_equal(take(), ORDER_POWEROFF);
}

static void a_change_during_a_read_is_read_again(void **state)
{
	char text[64];

	(void)state;
	settle();
	fire();
	assert_int_equal(take(), ORDER_NOTHING);
	fire();
	assert_int_equal(take(), ORDER_NOTHING);
	assert_int_equal(sent(text).type, XS_READ);
	assert_int_equal(sent(text).type, XS_INVALID); /* one at a time */
	reply(XS_READ, 0, "", 0);
	assert_int_equal(take(), ORDER_NOTHING);
	assert_int_equal(sent(text).type, XS_READ);
}

static void a_node_that_is_gone_is_no_order(void **state)
{
	char text[64];
	struct xsd_sockmsg head;

	(void)state;
	settle();
	fire();
	assert_int_equal(take(), ORDER_NOTHING);
	head = sent(text);
	reply(XS_ERROR, head.req_id, "ENOENT", 7);
	assert_int_equal(take(), ORDER_NOTHING);
	assert_int_equal(change("reboot"), ORDER_REBOOT);
}

static void features_that_may_not_be_written_do_not_matter(void **state)
{
	char text[64];
	struct xsd_sockmsg head;

	(void)state;
	start();
	while ((head = sent(text)).type != XS_INVALID)
		if (head.type == XS_WRITE)
			reply(XS_ERROR, head.req_id, "EACCES", 7);
		else
			reply(head.type, head.req_id, "OK", 3);
	assert_int_equal(take(), ORDER_NOTHING);
	assert_int_equal(change("poweroff"), ORDER_POWEROFF);
}

static void a_watch_that_is_refused_ends_it(void **state)
{
	char text[64];
	struct xsd_sockmsg head;

	(void)state;
	start();
	while ((head = sent(text)).type != XS_WATCH)
		;
	reply(XS_ERROR, head.req_id, "EACCES", 7);
	assert_int_equal(take(), ORDER_BROKEN);
	assert_int_equal(take(), ORDER_NOTHING);
}

static void without_an_answer_nothing_happens(void **state)
{
	(void)state;
	start();
	store.bell = false;
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(take(), ORDER_NOTHING);
	assert_false(store.bell);
}

static void a_full_ring_ends_it(void **state)
{
	(void)state;
	memset(&ring, 0, sizeof(ring));
	ring.req_prod = 1000;
	store_start(&store, &ring);
	orders_start(&orders, &store, true);
	assert_null(store.ring);
	assert_int_equal(take(), ORDER_BROKEN);
	assert_int_equal(take(), ORDER_NOTHING);
}

static void what_nobody_asked_for_ends_it(void **state)
{
	(void)state;
	settle();
	reply(XS_READ, 0, "poweroff", 8);
	assert_int_equal(take(), ORDER_BROKEN);
	settle();
	reply(XS_TYPE_COUNT, 0, "", 0);
	assert_int_equal(take(), ORDER_BROKEN);
	settle(); /* more than fits, though it would make sense */
	for (unsigned i = 0; i <= XENSTORE_RING_SIZE / sizeof(struct xsd_sockmsg); i++)
		reply(XS_WRITE, 1, "", 0);
	assert_int_equal(take(), ORDER_BROKEN);
	settle();
	struct xsd_sockmsg head = {.type = XS_WATCH_EVENT, .len = XENSTORE_PAYLOAD_MAX + 1};
	put(&head, sizeof(head));
	assert_int_equal(take(), ORDER_BROKEN);
}

/* Sanitizers watch. */
static void garbage_harms_nothing(void **state)
{
	(void)state;
	srand(1);
	for (unsigned round = 0; round < 20000; round++) {
		unsigned broken = 0;

		settle();
		for (unsigned i = 0; i < 8; i++) {
			for (unsigned n = (unsigned)rand() % 64; n; n--)
				ring.rsp[MASK_XENSTORE_IDX(ring.rsp_prod++)] =
					(char)(rand() % 4 ? 0 : rand() % 20);
			if (rand() % 32 == 0)
				ring.rsp_prod = (unsigned)rand();
			if (rand() % 32 == 0)
				ring.req_cons = (unsigned)rand();
			if (rand() % 32 == 0)
				ring.rsp_cons = ring.req_prod = (unsigned)rand();
			for (unsigned takes = 0; takes < 4; takes++)
				broken += take() == ORDER_BROKEN;
		}
		assert_true(broken <= 1);
		assert_true(memchr(store.text, 0, sizeof(store.text)) != NULL);
		assert_true(memchr(orders.word, 0, sizeof(orders.word)) != NULL);
	}
}

/* What is longer than its place is cut, and known to be. */
static void a_long_message_is_cut(void **state)
{
	struct store_message m;
	char text[STORE_TEXT];

	(void)state;
	start();
	memset(text, 'x', sizeof(text));
	for (unsigned bytes = STORE_TEXT - 2; bytes <= STORE_TEXT; bytes++) {
		reply(XS_READ, 77, text, bytes);
		store_look(&store);
		assert_true(store_next(&store, &m));
		assert_int_equal(m.type, XS_READ);
		assert_int_equal(m.id, 77);
		assert_int_equal(m.bytes, bytes < STORE_TEXT ? bytes : STORE_TEXT - 1);
		assert_int_equal(m.whole, bytes < STORE_TEXT);
		assert_int_equal(strlen(m.text), m.bytes);
		assert_false(store_next(&store, &m));
	}
}

static void a_request_without_room_is_not_put(void **state)
{
	char text[100] = "";
	unsigned prod;

	(void)state;
	memset(&ring, 0, sizeof(ring));
	store_start(&store, &ring);
	for (unsigned i = 0; i < XENSTORE_RING_SIZE / 116; i++)
		assert_true(store_request(&store, XS_READ, 99, text, 100));
	prod = ring.req_prod;
	assert_false(store_request(&store, XS_READ, 99, text, 100));
	assert_int_equal(ring.req_prod, prod);
	assert_true(store_request(&store, XS_READ, 99, text, XENSTORE_RING_SIZE - prod - 16));
	assert_false(store_request(&store, XS_READ, 99, text, 0));
	ring.req_cons = ring.req_prod + 5; /* an index that cannot be: no room */
	assert_false(store_request(&store, XS_READ, 99, text, 0));
	store_break(&store);
	assert_false(store_request(&store, XS_READ, 99, text, 0));
}

/* Device's events and answers are left to others. */
static void what_is_not_an_order_is_left_to_others(void **state)
{
	static const char event[] = "device/vbd\0vbd", no_token[] = {'x'};
	struct store_message m;
	enum order order;

	(void)state;
	settle();
	reply(XS_WATCH_EVENT, 0, event, sizeof(event));
	reply(XS_READ, ORDERS_IDS, "x", 1);
	reply(XS_WATCH_EVENT, 0, no_token, 1);
	store_look(&store);
	assert_true(store_next(&store, &m));
	assert_string_equal(store_token(&m), "vbd");
	assert_false(orders_message(&orders, &store, &m, &order));
	assert_true(store_next(&store, &m));
	assert_null(store_token(&m));
	assert_false(orders_message(&orders, &store, &m, &order));
	assert_true(store_next(&store, &m));
	assert_null(store_token(&m));
	assert_true(orders_message(&orders, &store, &m, &order)); /* which ends it */
	assert_int_equal(take(), ORDER_BROKEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_it_can_do_and_watches),
		cmocka_unit_test(a_domain_that_cannot_be_suspended_names_no_event_channel_for_it),
		cmocka_unit_test(orders_are_acknowledged_by_clearing_the_node),
		cmocka_unit_test(our_own_indices_are_not_read_back),
		cmocka_unit_test(a_look_is_bounded),
		cmocka_unit_test(the_ring_may_go_round),
		cmocka_unit_test(a_message_may_come_byte_by_byte),
		cmocka_unit_test(a_change_during_a_read_is_read_again),
		cmocka_unit_test(a_node_that_is_gone_is_no_order),
		cmocka_unit_test(features_that_may_not_be_written_do_not_matter),
		cmocka_unit_test(a_watch_that_is_refused_ends_it),
		cmocka_unit_test(without_an_answer_nothing_happens),
		cmocka_unit_test(a_full_ring_ends_it),
		cmocka_unit_test(what_nobody_asked_for_ends_it),
		cmocka_unit_test(a_long_message_is_cut),
		cmocka_unit_test(a_request_without_room_is_not_put),
		cmocka_unit_test(what_is_not_an_order_is_left_to_others),
		cmocka_unit_test(garbage_harms_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
