/* SPDX-License-Identifier: GPL-2.0-only */
/* Network interfaces between xenstore, backends and cards: xenstored and netback are played. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "domain.h"
#include "monitor/io/events.h"
#include "monitor/io/time.h"
#include "monitor/monitor.h"
#include "xenstored.h"

#define STORE_PORT 5u
#define BACK "/local/domain/0/backend/vif/1/"
#define MAC "00:16:3e:12:34:56"
#define BAR 0xFEBC0000u
#define TX_RING DATA
#define RX_RING (DATA + 0x1000)
#define BUFFERS (DATA + 0x2000)

#define NET (MON->fronts.net[0])

static void pending(u32 port)
{
	XEN_SHARED->evtchn_pending[0] |= 1u << port;
	XEN_VCPU->evtchn_pending_sel = 1;
	XEN_VCPU->evtchn_upcall_pending = 1;
}

static void set(u32 number, const char *node, const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), BACK "%u/%s", number, node);
	stored_write(path, value);
}

static const char *ours(u32 number, const char *node)
{
	char path[96];

	snprintf(path, sizeof(path), "device/vif/%u/%s", number, node);
	return stored_read(path);
}

static void device(u32 number, const char *node, const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), "device/vif/%u%s", number, node);
	stored_write(path, value);
}

static void plug(u32 number)
{
	char back[96];

	set(number, "state", "2");
	set(number, "feature-rx-copy", "1");
	set(number, "feature-sg", "1");
	set(number, "feature-gso-tcpv4", "1");
	snprintf(back, sizeof(back), BACK "%u", number);
	device(number, "/backend", back);
	device(number, "/mac", MAC);
	device(number, "/state", "1");
	device(number, "", "");
}

/* netback, and whatever else goes on outside: one step of it. */
static bool outside(void)
{
	bool moved = false;

	for (u32 i = 0; i < STORED_NODES; i++) {
		u32 number;
		char path[96];

		if (sscanf(stored.node[i].path, "device/vif/%u/state", &number) != 1 ||
		    strcmp(stored.node[i].value, "4"))
			continue;
		snprintf(path, sizeof(path), BACK "%u/state", number);
		if (stored_read(path) && !strcmp(stored_read(path), "2")) {
			stored_write(path, "4");
			moved = true;
		}
	}
	return stored_serve() || moved;
}

static void on_poll(void)
{
	XEN_VCPU->time.system_time += 1000000; /* ns */
	if (outside())
		pending(STORE_PORT);
}

/* The guest runs, and time passes. */
static void settle(void)
{
	do {
		pending(STORE_PORT);
		events_take();
	} while (outside());
	pending(STORE_PORT);
	events_take();
}

static int start(void **state)
{
	(void)state;
	domain_init(true);
	MON->events = (struct events){0}; /* for it starts once more, with a xenstored */
	XEN_SHARED->evtchn_mask[0] = 0;
	memset((void *)WIN_DISKS, 0, WIN_DISKS_PAGES * PAGE_SIZE);
	for (u32 i = 0; i < WIN_DISKS_PAGES; i++)
		MON->start.disk_frame[i] = 0x80 + i;
	stored_start((void *)(uintptr_t)WIN_STORE);
	MON->start.store_evtchn = STORE_PORT;
	xen.on_poll = on_poll;
	xen.polls = 0;
	return 0;
}

/* --- the guest's driver ------------------------------------------------------------------------
 */

static u32 in(u32 offset)
{
	u32 value = 0xA5A5A5A5;

	assert_true(pc_mmio_read(&MON->pc, BAR + offset, &value, 4));
	return value;
}

static void out(u32 offset, u32 value)
{
	assert_true(pc_mmio_write(&MON->pc, BAR + offset, &value, 4));
}

static void put32(u32 at, u32 value)
{
	memcpy(PHYS(at), &value, 4);
}

static int start_with_a_driver(void **state)
{
	struct pc_time now = {0};

	start(state);
	plug(0);
	events_start();
	pc_out(&MON->pc, 0xCF8, 4, 0x80001804, &now);
	pc_out(&MON->pc, 0xCFC, 2, 7, &now);
	out(0x3800, TX_RING);
	out(0x3808, 128);
	out(0x0400, 2);
	out(0x2800, RX_RING);
	out(0x2808, 128);
	memset(PHYS(RX_RING), 0, 128);
	for (u32 i = 0; i < 8; i++)
		put32(RX_RING + i * 16, BUFFERS + i * 2048);
	out(0x2818, 3);
	out(0x0100, 0x8002);
	out(0x00D0, 0x85);
	return 0;
}

static void send(u32 slot, u32 at, u32 bytes)
{
	put32(TX_RING + slot * 16, at);
	put32(TX_RING + slot * 16 + 4, 0);
	put32(TX_RING + slot * 16 + 8, 0x09000000 | bytes);
	put32(TX_RING + slot * 16 + 12, 0);
	out(0x3818, slot + 1);
}

/* --- netback
 * ---------------------------------------------------------------------------------------- */

static u8 *page(u32 n)
{
	return (u8 *)(uintptr_t)NET.vif.memory + n * PAGE_SIZE;
}

static void answer_sent(u32 id)
{
	u32 *ring = (u32 *)page(0);

	ring[16 + ring[2] % 256 * 3] = id;
	ring[2]++;
	pending(NET.port);
}

static void deliver(const void *frame, u32 bytes)
{
	u32 *ring = (u32 *)page(1), id = ring[16 + ring[2] % 256 * 2] & 0xFFFF;

	memcpy(page(3 + id), frame, bytes);
	ring[16 + ring[2] % 256 * 2 + 1] = bytes << 16;
	ring[2]++;
	pending(NET.port);
}

static const u8 to_all[100] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0x16, 0x3E, 1, 2, 3, 8, 6};

/* --- the start
 * -------------------------------------------------------------------------------------- */

static void without_a_network_nothing_is_taken(void **state)
{
	struct net_info info;

	(void)state;
	events_start();
	net_info(0, &info);
	assert_false(info.there);
	assert_int_equal(MON->fronts.net_pages, 0);
	assert_int_equal(MON->fronts.grant_pages, 0);
	assert_false(MON->pc.nets.there);
	assert_null(xen_last(__HYPERVISOR_grant_table_op));
}

static void a_network_is_there_before_the_guest(void **state)
{
	struct net_info info;

	(void)state;
	plug(0);
	events_start();
	net_info(0, &info);
	assert_true(info.there && info.link && info.checksum && info.segments);
	assert_memory_equal(info.mac, "\x00\x16\x3E\x12\x34\x56", 6);
	assert_non_null(strstr(xen.console, "vmixen: network 0: 00:16:3e:12:34:56"));
	assert_true(MON->pc.nets.there);
	assert_string_equal(ours(0, "state"), "4");
	assert_int_equal(MON->fronts.net_pages, WIN_DISKS_PAGES - 2); /* one more disk may come */
	assert_int_equal(NET.vif.pages, WIN_DISKS_PAGES - 2 - VIF_OWN_PAGES);
	assert_ptr_equal(NET.vif.memory, WIN_DISKS + 2 * PAGE_SIZE);
	assert_int_equal(NET.vif.frame[0], 0x82);
}

static void plug_a_disk(void)
{
	stored_write("/local/domain/0/backend/vbd/1/2048/state", "1");
	stored_write("device/vbd/2048/backend", "/local/domain/0/backend/vbd/1/2048");
	stored_write("device/vbd/2048", "");
}

static void a_network_leaves_disks_their_pages(void **state)
{
	(void)state;
	plug_a_disk();
	plug(0);
	events_start();
	assert_int_equal(NET.vif.pages, WIN_DISKS_PAGES - 2 - 2 - VIF_OWN_PAGES);
}

static void networks_share_what_disks_have_left(void **state)
{
	(void)state;
	plug_a_disk();
	plug(0);
	plug(1);
	events_start();
	assert_true(NET.vif.connected && MON->fronts.net[1].vif.connected);
	assert_int_equal(NET.vif.pages, 4);
	assert_int_equal(MON->fronts.net[1].vif.pages, 4);
	assert_true(MON->fronts.net[1].vif.memory != NET.vif.memory);
}

static void a_network_that_cannot_be_used_is_told(void **state)
{
	static const struct {
		const char *node, *value, *words;
	} cases[] = {
		{"feature-rx-copy", "0", "network 0 is not used: its backend does not copy"},
		{"feature-sg", "0", "its backend takes no frames of several pieces"},
		{NULL, "no", "it has no address"},
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		start(NULL);
		plug(0);
		if (cases[i].node)
			set(0, cases[i].node, cases[i].value);
		else
			device(0, "/mac", cases[i].value);
		events_start();
		assert_non_null(strstr(xen.console, cases[i].words));
		assert_string_equal(ours(0, "state"), "6");
		assert_false(MON->pc.nets.there);
	}
}

static void what_xen_refuses_is_told(void **state)
{
	(void)state;
	plug(0);
	xen.answer[__HYPERVISOR_grant_table_op] = -12;
	events_start();
	assert_non_null(strstr(xen.console, "Xen gives no more of the grant table"));
	assert_int_equal(MON->fronts.net_pages, 0);
}

/* --- frames
 * --------------------------------------------------------------------------------------------- */

static void a_frame_goes_to_the_backend(void **state)
{
	u32 *ring = (u32 *)page(0);

	(void)state;
	in(0xC0);
	send(0, DATA + 0x8000, 100);
	assert_int_equal(xen.sent[NET.port], 2); /* one of them for the pages at the start */
	assert_int_equal(ring[0], 1);
	assert_int_equal(ring[16 + 2] >> 16, 100);
	assert_false(((u8 *)PHYS(TX_RING))[12] & 1);
	answer_sent(ring[16 + 2] & 0xFFFF);
	assert_false(((u8 *)PHYS(TX_RING))[12] & 1);
	events_take();
	assert_true(((u8 *)PHYS(TX_RING))[12] & 1);
	assert_true(pic_line(&MON->pc.pic, PCI_NET_IRQ));
	assert_int_equal(in(0xC0) & 1, 1);
	assert_false(pic_line(&MON->pc.pic, PCI_NET_IRQ));
	assert_int_equal(COUNTERS->net_sent, 1);
}

static void a_frame_comes_from_the_backend(void **state)
{
	(void)state;
	in(0xC0);
	deliver(to_all, 100);
	events_take();
	assert_true(pic_line(&MON->pc.pic, PCI_NET_IRQ));
	assert_memory_equal(PHYS(BUFFERS), to_all, 100);
	assert_true(((u8 *)PHYS(RX_RING))[12] & 1);
	for (u32 i = 0; i < 4; i++)
		deliver(to_all, 60 + i);
	events_take();
	assert_int_equal(in(0x2810), 3);
	assert_true(NET.vif.stalled);
	out(0x2818, 6); /* the driver gives more buffers */
	assert_int_equal(in(0x2810), 5);
	assert_false(NET.vif.stalled);
	assert_int_equal(COUNTERS->net_received, 5);
}

static void a_guest_with_interrupts_off_can_poll(void **state)
{
	(void)state;
	in(0xC0);
	deliver(to_all, 100);
	assert_int_equal(in(0xC0) & 0x80, 0x80);
	assert_int_equal(in(0x2810), 1);
}

/* --- a backend that goes
 * --------------------------------------------------------------------------- */

static void a_backend_that_comes_back_gets_new_rings(void **state)
{
	(void)state;
	in(0xC0);
	send(0, DATA + 0x8000, 100);
	set(0, "state", "5");
	settle();
	assert_true(((u8 *)PHYS(TX_RING))[12] & 1); /* lost, as networks do */
	assert_int_equal(in(8) & 2, 0);
	assert_int_equal(in(0xC0) & 4, 4);
	send(1, DATA + 0x8000, 100);
	assert_true(((u8 *)PHYS(TX_RING))[28] & 1);
	set(0, "online", "1");
	set(0, "state", "6");
	settle();
	assert_string_equal(ours(0, "state"), "1");
	set(0, "state", "2");
	settle();
	assert_string_equal(ours(0, "state"), "4");
	assert_int_equal(in(8) & 2, 2);
	send(2, DATA + 0x8000, 100);
	assert_int_equal(*(u32 *)page(0), 1);
}

static void an_unplugged_network_leaves_a_card_without_a_link(void **state)
{
	(void)state;
	stored_remove("device/vif/0");
	settle();
	assert_non_null(strstr(xen.console, "vmixen: network 0 is gone"));
	assert_int_equal(in(8) & 2, 0);
	assert_int_equal(NET.port, 0);
	plug(0);
	settle();
	assert_int_equal(in(8) & 2, 2);
}

static void a_strange_answer_ends_the_network(void **state)
{
	(void)state;
	answer_sent(3);
	events_take();
	assert_non_null(strstr(xen.console, "the backend of network 0 has answered what nobody"));
	settle();
	assert_string_equal(ours(0, "state"), "6");
	assert_int_equal(in(8) & 2, 0);
}

static void a_network_that_comes_later_is_a_card(void **state)
{
	(void)state;
	events_start();
	plug(0);
	settle();
	assert_true(MON->pc.nets.there);
	assert_int_equal(in(8) & 0x782, 0x782);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(without_a_network_nothing_is_taken, start),
		cmocka_unit_test_setup(a_network_is_there_before_the_guest, start),
		cmocka_unit_test_setup(a_network_leaves_disks_their_pages, start),
		cmocka_unit_test_setup(networks_share_what_disks_have_left, start),
		cmocka_unit_test_setup(a_network_that_cannot_be_used_is_told, start),
		cmocka_unit_test_setup(what_xen_refuses_is_told, start),
		cmocka_unit_test_setup(a_frame_goes_to_the_backend, start_with_a_driver),
		cmocka_unit_test_setup(a_frame_comes_from_the_backend, start_with_a_driver),
		cmocka_unit_test_setup(a_guest_with_interrupts_off_can_poll, start_with_a_driver),
		cmocka_unit_test_setup(a_backend_that_comes_back_gets_new_rings,
				       start_with_a_driver),
		cmocka_unit_test_setup(an_unplugged_network_leaves_a_card_without_a_link,
				       start_with_a_driver),
		cmocka_unit_test_setup(a_strange_answer_ends_the_network, start_with_a_driver),
		cmocka_unit_test_setup(a_network_that_comes_later_is_a_card, start),
	};
	return cmocka_run_group_tests_name("nets", tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
