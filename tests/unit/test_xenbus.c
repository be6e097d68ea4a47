/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices in xenstore: disks and networks that connect, go, come back, are plugged and unplugged,
 * with a xenstored and backends that are played here; and a xenstored that answers anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xenbind/xenbus.h"
#include "xenstored.h"

#define BACK "/local/domain/0/backend/vbd/7/"

static struct xenstore_domain_interface ring;
static struct store store;
static struct xenbus bus;

/* --- the owner, who notes what he is told ------------------------------------------------- */

static char notes[4096];
static bool prepares, accepts, is_empty;

static void note(const char *what, unsigned unit)
{
	size_t n = strlen(notes);

	snprintf(notes + n, sizeof(notes) - n, "%s%u ", what, unit);
}

static bool told(const char *expected)
{
	bool same = !strcmp(notes, expected);

	if (!same)
		print_message("told: %s\n", notes);
	notes[0] = 0;
	return same;
}

bool xenbus_prepare(unsigned unit, struct xenbus_device *d)
{
	note("prepare", unit);
	d->ring_ref = 8 + unit;
	d->port = 20 + unit;
	d->rx_ref = 108 + unit;
	return prepares;
}

bool xenbus_connected(unsigned unit, struct xenbus_device *d)
{
	(void)d;
	note("connected", unit);
	return accepts;
}

bool xenbus_closing(unsigned unit)
{
	note("closing", unit);
	return is_empty;
}

void xenbus_lost(unsigned unit)
{
	note("lost", unit);
}

void xenbus_gone(unsigned unit)
{
	note("gone", unit);
}

void xenbus_no_place(enum xenbus_kind kind, u32 number)
{
	note(kind == XENBUS_NET ? "no_net_place" : "no_place", number);
}

/* --- the world ------------------------------------------------------------------------------ */

static bool refused; /* the conversation has ended */

static void look(void)
{
	struct store_message m;

	store_look(&store);
	while (store_next(&store, &m))
		if (!xenbus_message(&bus, &m)) {
			refused = true;
			store_break(&store);
		}
	xenbus_push(&bus);
}

/* Until nobody has anything to do any more. */
static void settle(void)
{
	look();
	while (stored_serve())
		look();
}

static void set(const char *number, const char *node, const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), BACK "%s/%s", number, node);
	stored_write(path, value);
}

static const char *ours(const char *number, const char *node)
{
	char path[96];

	snprintf(path, sizeof(path), "device/vbd/%s/%s", number, node);
	return stored_read(path);
}

static void device(const char *number, const char *node, const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), "device/vbd/%s/%s", number, node);
	stored_write(path, value);
}

/* A disk as xl makes it. */
static void plug(const char *number)
{
	char path[96];

	set(number, "state", "2");
	set(number, "online", "1");
	snprintf(path, sizeof(path), BACK "%s", number);
	device(number, "backend", path);
	device(number, "backend-id", "0");
	device(number, "device-type", "disk");
	device(number, "state", "1");
	snprintf(path, sizeof(path), "device/vbd/%s", number);
	stored_write(path, "");
}

/* What blkback writes when it connects. */
static void connect(const char *number)
{
	set(number, "sectors", "4096");
	set(number, "sector-size", "512");
	set(number, "info", "0");
	set(number, "feature-flush-cache", "1");
	set(number, "feature-barrier", "1");
	set(number, "state", "4");
}

static int start(void **state)
{
	(void)state;
	stored_start(&ring);
	store_start(&store, &ring);
	prepares = accepts = is_empty = true;
	refused = false;
	notes[0] = 0;
	return 0;
}

static void run(void)
{
	xenbus_start(&bus, &store);
	settle();
}

/* Unit 0 is connected. */
static void one_disk(void)
{
	plug("2048");
	run();
	connect("2048");
	settle();
	assert_true(told("prepare0 connected0 "));
}

static void one_disk_more(const char *number)
{
	plug(number);
	run();
	connect(number);
	settle();
}

/* --- the tests -------------------------------------------------------------------------------- */

static void without_devices_there_are_two_requests_a_kind(void **state)
{
	(void)state;
	xenbus_start(&bus, &store);
	assert_false(xenbus_settled(&bus));
	settle();
	assert_true(xenbus_settled(&bus));
	assert_int_equal(stored.requests, 2 * XENBUS_KINDS); /* WATCH, DIRECTORY */
	assert_true(told(""));
}

static void a_disk_connects(void **state)
{
	const struct xenbus_answers *a = &bus.device[0].answers;

	(void)state;
	plug("2048");
	xenbus_start(&bus, &store);
	settle();
	assert_true(told("prepare0 "));
	assert_false(xenbus_settled(&bus));
	assert_string_equal(ours("2048", "ring-ref"), "8");
	assert_string_equal(ours("2048", "event-channel"), "20");
	assert_string_equal(ours("2048", "protocol"), "x86_32-abi");
	assert_string_equal(ours("2048", "state"), "3");
	connect("2048");
	settle();
	assert_true(told("connected0 "));
	assert_string_equal(ours("2048", "state"), "4");
	assert_true(xenbus_settled(&bus));
	assert_int_equal(bus.device[0].number, 2048);
	assert_int_equal(a->sectors, 4096);
	assert_int_equal(a->sector_size, 512);
	assert_true(a->flush && a->barrier && !a->cdrom);
	assert_true(stored.requests < 25);
}

static void all_of_it_is_read(void **state)
{
	const struct xenbus_answers *a = &bus.device[0].answers;

	(void)state;
	plug("5632");
	device("5632", "device-type", "cdrom");
	device("5632", "backend-id", "12");
	run();
	connect("5632");
	set("5632", "info", "5");
	set("5632", "sectors", "36028797018963967");
	set("5632", "sector-size", "2048");
	set("5632", "feature-flush-cache", "0");
	settle();
	assert_int_equal(bus.device[0].domain, 12);
	assert_int_equal(a->info, 5);
	assert_true(a->sectors == ~(u64)0 >> 9);
	assert_int_equal(a->sector_size, 2048);
	assert_true(!a->flush && a->barrier && a->cdrom);
}

/* What is no number is none, what is not there has its usual value. */
static void nonsense_is_no_number(void **state)
{
	static const char *const nonsense[] = {"",
					       "-1",
					       "0x10",
					       "1 ",
					       "18446744073709551616",
					       "99999999999999999999999999",
					       "36028797018963968"};
	const struct xenbus_answers *a = &bus.device[0].answers;

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(nonsense); i++) {
		start(NULL);
		plug("2048");
		run();
		connect("2048");
		set("2048", "sectors", nonsense[i]);
		set("2048", "sector-size", nonsense[i]);
		set("2048", "info", nonsense[i]);
		set("2048", "feature-barrier", nonsense[i]);
		settle();
		assert_true(told("prepare0 connected0 "));
		assert_int_equal(a->sectors, 0);
		assert_int_equal(a->sector_size, 0);
		assert_int_equal(a->info, 0);
		assert_false(a->barrier);
	}
	start(NULL);
	plug("2048");
	run();
	set("2048", "state", "4"); /* and nothing else */
	settle();
	assert_int_equal(a->sectors, 0);
	assert_int_equal(a->sector_size, 512);
	assert_false(a->flush || a->barrier);
}

static void a_path_that_cannot_be_is_no_backend(void **state)
{
	static const char *const paths[] = {
		"",
		"relative",
		"/with blank",
		"/with\x1b[31m",
		"/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/"
		"long/lon",
	};

	(void)state;
	assert_true(strlen(paths[4]) < XENBUS_PATH);
	for (u32 i = 0; i < ARRAY_SIZE(paths); i++) {
		start(NULL);
		plug("2048");
		device("2048", "backend", paths[i]);
		run();
		assert_int_equal(bus.device[0].used, i == 4);
		assert_true(told(""));
		assert_true(xenbus_settled(&bus));
	}
}

static void names_that_are_no_numbers_are_no_devices(void **state)
{
	(void)state;
	plug("x");
	plug("99999999999");
	plug("768");
	run();
	assert_true(told("prepare0 "));
	assert_int_equal(bus.device[0].number, 768);
	assert_false(bus.device[1].used);
}

static void a_disk_is_plugged_while_the_guest_runs(void **state)
{
	(void)state;
	one_disk();
	plug("2064");
	settle();
	connect("2064");
	settle();
	assert_true(told("prepare1 connected1 "));
	assert_int_equal(bus.device[1].number, 2064);
}

/* As xl block-detach does it. */
static void a_disk_is_unplugged(void **state)
{
	(void)state;
	one_disk();
	is_empty = false; /* something is under way */
	set("2048", "online", "0");
	set("2048", "state", "5");
	settle();
	assert_true(told("closing0 "));
	assert_string_equal(ours("2048", "state"), "4");
	is_empty = true;
	xenbus_drained(&bus, 0);
	settle();
	assert_true(told("closing0 lost0 "));
	assert_string_equal(ours("2048", "state"), "6");
	set("2048", "state", "6");
	settle();
	assert_string_equal(ours("2048", "state"), "6");
	assert_true(told(""));
	stored_remove("device/vbd/2048");
	settle();
	assert_true(told("gone0 "));
	assert_false(bus.device[0].used);
	for (u32 i = 0; i < STORED_WATCHES; i++)
		assert_null(strstr(stored.watch[i].token, "vbd0"));
	/* Its place is free again. */
	plug("2080");
	settle();
	assert_true(told("prepare0 "));
	assert_int_equal(bus.device[0].number, 2080);
}

static void a_disk_that_vanishes_is_gone(void **state)
{
	(void)state;
	one_disk();
	stored_remove("device/vbd/2048");
	settle();
	assert_true(told("gone0 "));
}

/* A backend that is at 2 while we are at 4 is a new one. */
static void a_backend_that_comes_back_is_connected_again(void **state)
{
	(void)state;
	one_disk();
	set("2048", "state", "2");
	settle();
	assert_true(told("prepare0 "));
	assert_string_equal(ours("2048", "state"), "3");
	set("2048", "state", "4");
	settle();
	assert_true(told("connected0 "));
	assert_string_equal(ours("2048", "state"), "4");
}

/* The domain is restored elsewhere: another xenstored, with other backends, and without what was
 * under way. */
static void in_a_new_domain_a_device_keeps_its_place(void **state)
{
	(void)state;
	plug("768");
	one_disk_more("2048");
	assert_true(told("prepare0 prepare1 connected1 "));
	stored_remove("device/vbd/768");
	set("2048", "feature-barrier", "0"); /* something is under way */
	xenbus_push(&bus);
	stored_start(&ring);
	store_start(&store, &ring);
	plug("2048");
	plug("2064");
	xenbus_resume(&bus);
	assert_true(told("lost0 lost1 "));
	assert_false(xenbus_settled(&bus));
	settle();
	assert_true(told("gone0 prepare1 prepare2 "));
	assert_string_equal(ours("2048", "ring-ref"), "9");
	assert_string_equal(ours("2064", "ring-ref"), "10");
	connect("2048");
	connect("2064");
	settle();
	assert_string_equal(ours("2048", "state"), "4");
	assert_true(xenbus_settled(&bus));
	assert_false(refused);
	/* It is told of new devices there, too. */
	plug("2080");
	settle();
	assert_non_null(strstr(notes, "prepare0 "));
}

static void a_backend_that_still_has_our_pages_goes_on(void **state)
{
	(void)state;
	one_disk();
	prepares = false;
	set("2048", "state", "2");
	settle();
	set("2048", "state", "4");
	settle();
	assert_true(told("prepare0 "));
	assert_string_equal(ours("2048", "state"), "4");
}

static void a_backend_that_closes_and_stays_is_asked_to_come_back(void **state)
{
	(void)state;
	one_disk();
	set("2048", "state", "5");
	settle();
	assert_string_equal(ours("2048", "state"), "6");
	set("2048", "state", "6");
	settle();
	assert_string_equal(ours("2048", "state"), "1");
	set("2048", "state", "2");
	settle();
	connect("2048");
	settle();
	assert_true(told("closing0 lost0 prepare0 connected0 "));
	assert_string_equal(ours("2048", "state"), "4");
}

static void a_backend_that_vanishes_is_waited_for(void **state)
{
	(void)state;
	one_disk();
	stored_remove(BACK "2048/state");
	settle();
	assert_true(told("lost0 "));
	assert_true(xenbus_settled(&bus));
	set("2048", "state", "2");
	settle();
	connect("2048");
	settle();
	assert_true(told("prepare0 connected0 "));
}

static void a_disk_that_is_refused_is_closed(void **state)
{
	(void)state;
	accepts = false;
	plug("2048");
	run();
	connect("2048");
	settle();
	assert_true(told("prepare0 connected0 "));
	assert_string_equal(ours("2048", "state"), "6");
	set("2048", "state", "6");
	set("2048", "state", "2");
	settle();
	assert_true(told(""));
	assert_true(xenbus_settled(&bus));
	start(NULL);
	one_disk();
	xenbus_refuse(&bus, 0);
	settle();
	assert_string_equal(ours("2048", "state"), "6");
	set("2048", "state", "2");
	settle();
	assert_true(told(""));
}

static void there_are_eight_places(void **state)
{
	char number[8];

	(void)state;
	for (u32 i = 0; i < 9; i++) {
		snprintf(number, sizeof(number), "%u", 2048 + 16 * i);
		plug(number);
	}
	xenbus_start(&bus, &store);
	settle();
	assert_non_null(strstr(notes, "no_place2176 "));
	for (u32 i = 0; i < XENBUS_DISKS; i++)
		assert_int_equal(bus.device[i].ours, 3);
	/* All at once, and never more in the ring than it holds. */
	for (u32 i = 0; i < 8; i++) {
		snprintf(number, sizeof(number), "%u", 2048 + 16 * i);
		connect(number);
		settle();
		assert_string_equal(ours(number, "state"), "4");
	}
	assert_true(xenbus_settled(&bus));
	assert_false(refused);
}

/* Of a list that is too long what is not seen is not taken for gone. */
static void a_list_that_was_cut_takes_nothing_away(void **state)
{
	char names[400] = "";

	(void)state;
	one_disk();
	for (u32 at = 0; at < sizeof(names); at += 4)
		memcpy(names + at, "abc", 4);
	bus.list[XENBUS_DISK].ask = true;
	xenbus_push(&bus);
	ring.req_cons = ring.req_prod;
	stored_send(XS_DIRECTORY, 0x10, names, sizeof(names));
	look();
	assert_true(bus.device[0].used);
	assert_true(told(""));
}

static void our_own_writes_are_no_new_devices(void **state)
{
	u32 requests;

	(void)state;
	one_disk();
	requests = stored.requests;
	device("2048", "state", "4");
	settle();
	assert_int_equal(stored.requests, requests);
}

static bool writes_are_denied(const char *path)
{
	return strstr(path, "device/vbd/2048/state");
}

static void a_write_that_is_denied_ends_the_attempt(void **state)
{
	(void)state;
	plug("2048");
	stored.deny = writes_are_denied;
	run();
	assert_true(told("prepare0 lost0 "));
	assert_true(xenbus_settled(&bus));
}

static void an_answer_to_what_was_given_up_is_ignored(void **state)
{
	struct xsd_sockmsg m;

	(void)state;
	one_disk();
	set("2048", "state", "5");
	look(); /* asks for the state */
	memcpy(&m, ring.req + MASK_XENSTORE_IDX(ring.req_cons), sizeof(m));
	xenbus_refuse(&bus, 0);
	stored_send(XS_READ, m.req_id, "2", 1);
	look();
	assert_false(refused);
	assert_true(told(""));
}

static void what_nobody_asked_for_is_told(void **state)
{
	static const struct {
		u32 type, id;
	} cases[] = {{XS_READ, 0x10}, {XS_DIRECTORY, 0x10}, {XS_READ, 0x11},
		     {XS_READ, 0x99}, {XS_READ, 0x1000A},   {XS_READ, 0x20000}};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		start(NULL);
		one_disk();
		stored_send(cases[i].type, cases[i].id, "1", 1);
		look();
		assert_true(refused);
	}
	start(NULL);
	one_disk();
	stored_send(XS_WATCH_EVENT, 0, "device/vbd\0other", 17);
	look();
	assert_true(refused);
	assert_true(xenbus_settled(&bus)); /* nothing is waited for */
}

static void without_xenstore_there_are_no_devices(void **state)
{
	struct store_message m = {.type = XS_READ, .id = 0x10, .text = ""};

	(void)state;
	memset(&bus, 0, sizeof(bus));
	assert_true(xenbus_settled(&bus));
	assert_false(xenbus_message(&bus, &m));
	xenbus_push(&bus);
}

/* --- network interfaces ------------------------------------------------------------------------
 */

#define NET_BACK "/local/domain/0/backend/vif/7/"

static void set_net(const char *number, const char *node, const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), NET_BACK "%s/%s", number, node);
	stored_write(path, value);
}

static const char *our_net(const char *number, const char *node)
{
	char path[96];

	snprintf(path, sizeof(path), "device/vif/%s/%s", number, node);
	return stored_read(path);
}

/* A network interface as xl and netback make it. */
static void plug_net(const char *number, const char *mac)
{
	static const char *const features[] = {"feature-sg", "feature-gso-tcpv4", "feature-rx-copy",
					       "online"};
	char path[96], back[96];

	set_net(number, "state", "2");
	for (u32 i = 0; i < ARRAY_SIZE(features); i++)
		set_net(number, features[i], "1");
	snprintf(back, sizeof(back), NET_BACK "%s", number);
	snprintf(path, sizeof(path), "device/vif/%s/backend", number);
	stored_write(path, back);
	snprintf(path, sizeof(path), "device/vif/%s/backend-id", number);
	stored_write(path, "0");
	snprintf(path, sizeof(path), "device/vif/%s/mac", number);
	stored_write(path, mac);
	snprintf(path, sizeof(path), "device/vif/%s/state", number);
	stored_write(path, "1");
	snprintf(path, sizeof(path), "device/vif/%s", number);
	stored_write(path, "");
}

static void a_network_interface_connects(void **state)
{
	const struct xenbus_answers *a = &bus.device[8].answers;

	(void)state;
	plug_net("0", "00:16:3e:1A:bC:05");
	run();
	assert_true(told("prepare8 "));
	assert_false(xenbus_settled(&bus));
	assert_string_equal(our_net("0", "tx-ring-ref"), "16");
	assert_string_equal(our_net("0", "rx-ring-ref"), "116");
	assert_string_equal(our_net("0", "event-channel"), "28");
	assert_string_equal(our_net("0", "request-rx-copy"), "1");
	assert_string_equal(our_net("0", "feature-rx-notify"), "1");
	assert_string_equal(our_net("0", "feature-no-csum-offload"), "1");
	assert_null(our_net("0", "feature-sg"));
	assert_string_equal(our_net("0", "state"), "4"); /* the backend waits for that */
	settle();
	assert_true(told(""));
	set_net("0", "state", "4");
	settle();
	assert_true(told("connected8 "));
	assert_true(xenbus_settled(&bus));
	assert_true(a->has_mac && a->rx_copy && a->pieces && a->segments && !a->no_sums);
	assert_memory_equal(a->mac, "\x00\x16\x3E\x1A\xBC\x05", 6);
	assert_string_equal(our_net("0", "state"), "4");
}

static void an_address_is_six_numbers(void **state)
{
	static const char *const wrong[] = {"",
					    "00:16:3e:1a:bc",
					    "00:16:3e:1a:bc:0",
					    "00:16:3e:1a:bc:055",
					    "00:16:3e:1a:bc-05",
					    "0g:16:3e:1a:bc:05",
					    "00:16:3e:1a:bc:0/"};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
		start(NULL);
		plug_net("0", wrong[i]);
		run();
		set_net("0", "feature-gso-tcpv4", "2");
		set_net("0", "feature-no-csum-offload", "1");
		set_net("0", "state", "4");
		settle();
		assert_true(told("prepare8 connected8 "));
		assert_false(bus.device[8].answers.has_mac);
		assert_false(bus.device[8].answers.segments);
		assert_true(bus.device[8].answers.no_sums);
	}
}

static void disks_and_networks_have_lists_of_their_own(void **state)
{
	char number[8];

	(void)state;
	plug("2");
	for (u32 i = 1; i < 4; i++) {
		snprintf(number, sizeof(number), "%u", i);
		plug_net(number, "00:16:3e:00:00:00");
	}
	run();
	assert_non_null(strstr(notes, "no_net_place"));
	assert_true(bus.device[0].used && !bus.device[1].used);
	for (u32 unit = 8; unit < 10; unit++)
		assert_true(bus.device[unit].used);
	set_net("2", "state", "4");
	set("2", "state", "4");
	settle();
	assert_string_equal(ours("2", "state"), "4");
	notes[0] = 0;
	stored_remove("device/vif/2");
	settle();
	assert_non_null(strstr(notes, "gone"));
	assert_true(bus.device[0].used);
	assert_false(refused);
}

static void a_networks_backend_comes_back_at_2(void **state)
{
	(void)state;
	plug_net("0", "00:16:3e:00:00:00");
	run();
	set_net("0", "state", "4");
	settle();
	assert_true(told("prepare8 connected8 "));
	set_net("0", "state", "2"); /* unbound and bound again */
	settle();
	assert_true(told("prepare8 "));
	set_net("0", "state", "4");
	settle();
	assert_true(told("connected8 "));
	set_net("0", "state", "5");
	settle();
	assert_true(told("closing8 lost8 "));
	assert_string_equal(our_net("0", "state"), "6");
}

static void a_network_that_is_refused_is_closed(void **state)
{
	(void)state;
	accepts = false;
	plug_net("0", "00:16:3e:00:00:00");
	run();
	set_net("0", "state", "4");
	settle();
	assert_string_equal(our_net("0", "state"), "6");
	assert_true(xenbus_settled(&bus));
}

/* Sanitizers watch. */
static void garbage_harms_nothing(void **state)
{
	(void)state;
	srand(1);
	for (u32 round = 0; round < 3000; round++) {
		start(NULL);
		plug("2048");
		plug_net("0", "00:16:3e:00:00:00");
		xenbus_start(&bus, &store);
		for (u32 i = 0; i < 60 && store.ring; i++) {
			static const u32 types[] = {XS_READ,  XS_DIRECTORY,   XS_WATCH,	 XS_WRITE,
						    XS_ERROR, XS_WATCH_EVENT, XS_UNWATCH};
			char text[64];
			u32 bytes = (u32)rand() % sizeof(text);

			prepares = rand() % 2;
			accepts = rand() % 2;
			is_empty = rand() % 2;
			notes[0] = 0;
			if (rand() % 3) {
				look();
				if (rand() % 2)
					stored_serve();
				continue;
			}
			for (u32 at = 0; at < bytes; at++)
				text[at] = "0123456/vbd\0\0"[rand() % 13];
			stored_send(types[rand() % 7],
				    rand() % 2	 ? 0x10 + 2 * (rand() % 2)
				    : rand() % 2 ? 0x10000 | bus.device[0].serial << 8 | rand() % 2
						 : 0x10008 | bus.device[8].serial << 8,
				    text, bytes);
			look();
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(without_devices_there_are_two_requests_a_kind, start),
		cmocka_unit_test_setup(a_disk_connects, start),
		cmocka_unit_test_setup(all_of_it_is_read, start),
		cmocka_unit_test_setup(nonsense_is_no_number, start),
		cmocka_unit_test_setup(a_path_that_cannot_be_is_no_backend, start),
		cmocka_unit_test_setup(names_that_are_no_numbers_are_no_devices, start),
		cmocka_unit_test_setup(a_disk_is_plugged_while_the_guest_runs, start),
		cmocka_unit_test_setup(a_disk_is_unplugged, start),
		cmocka_unit_test_setup(a_disk_that_vanishes_is_gone, start),
		cmocka_unit_test_setup(a_backend_that_comes_back_is_connected_again, start),
		cmocka_unit_test_setup(in_a_new_domain_a_device_keeps_its_place, start),
		cmocka_unit_test_setup(a_backend_that_still_has_our_pages_goes_on, start),
		cmocka_unit_test_setup(a_backend_that_closes_and_stays_is_asked_to_come_back,
				       start),
		cmocka_unit_test_setup(a_backend_that_vanishes_is_waited_for, start),
		cmocka_unit_test_setup(a_disk_that_is_refused_is_closed, start),
		cmocka_unit_test_setup(there_are_eight_places, start),
		cmocka_unit_test_setup(a_list_that_was_cut_takes_nothing_away, start),
		cmocka_unit_test_setup(our_own_writes_are_no_new_devices, start),
		cmocka_unit_test_setup(a_write_that_is_denied_ends_the_attempt, start),
		cmocka_unit_test_setup(an_answer_to_what_was_given_up_is_ignored, start),
		cmocka_unit_test_setup(what_nobody_asked_for_is_told, start),
		cmocka_unit_test_setup(without_xenstore_there_are_no_devices, start),
		cmocka_unit_test_setup(a_network_interface_connects, start),
		cmocka_unit_test_setup(an_address_is_six_numbers, start),
		cmocka_unit_test_setup(disks_and_networks_have_lists_of_their_own, start),
		cmocka_unit_test_setup(a_networks_backend_comes_back_at_2, start),
		cmocka_unit_test_setup(a_network_that_is_refused_is_closed, start),
		cmocka_unit_test_setup(garbage_harms_nothing, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
