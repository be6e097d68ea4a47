/* SPDX-License-Identifier: GPL-2.0-only */
/* Disks between xenstore, backends and the models of controllers: xenstored and blkback are
 * played, and so is a model. */
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
#include "monitor/pv/mmu/shadow.h"
#include "pc/dma.h"
#include "xenstored.h"

#define STORE_PORT 5u
#define BACK "/local/domain/0/backend/vbd/1/"

static u8 disk[64][512];
static bool deaf; /* xenstored does not answer */

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

	snprintf(path, sizeof(path), "device/vbd/%u/%s", number, node);
	return stored_read(path);
}

static void plug(u32 number)
{
	char path[96], back[96];

	set(number, "state", "2");
	set(number, "sectors", "64");
	set(number, "sector-size", "512");
	set(number, "feature-flush-cache", "1");
	snprintf(back, sizeof(back), BACK "%u", number);
	snprintf(path, sizeof(path), "device/vbd/%u/backend", number);
	stored_write(path, back);
	snprintf(path, sizeof(path), "device/vbd/%u/state", number);
	stored_write(path, "1");
	snprintf(path, sizeof(path), "device/vbd/%u", number);
	stored_write(path, "");
}

/* blkback, and whatever else goes on outside: one step of it. */
static bool outside(void)
{
	bool moved = false;

	for (u32 i = 0; i < STORED_NODES; i++) {
		u32 number;

		if (sscanf(stored.node[i].path, "device/vbd/%u/state", &number) == 1 &&
		    !strcmp(stored.node[i].value, "3")) {
			char path[96];

			snprintf(path, sizeof(path), BACK "%u/state", number);
			if (stored_read(path) && !strcmp(stored_read(path), "2")) {
				stored_write(path, "4");
				moved = true;
			}
		}
	}
	return stored_serve() || moved;
}

static void on_poll(void)
{
	XEN_VCPU->time.system_time += deaf ? 1000000000 : 1000000; /* ns */
	if (!deaf && outside())
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
	for (u32 i = 0; i < sizeof(disk); i++)
		disk[i / 512][i % 512] = (u8)(i * 3 + i / 512);
	stored_start((void *)(uintptr_t)WIN_STORE);
	MON->start.store_evtchn = STORE_PORT;
	xen.on_poll = on_poll;
	xen.polls = 0;
	deaf = false;
	return 0;
}

static int start_with_a_disk(void **state)
{
	start(state);
	plug(2048);
	events_start();
	return 0;
}

static bool is_awaited(u32 port)
{
	for (u32 i = 0; i < MON->events.awaited_count; i++)
		if (MON->events.awaited[i] == port)
			return true;
	return false;
}

/* --- a request ------------------------------------------------------------------------------- */

static struct disk_request request;
static struct disk_piece piece;
static int status;

static bool next_piece(struct disk_request *r, struct disk_piece *p)
{
	(void)r;
	*p = piece;
	return true;
}

static void done(struct disk_request *r, enum disk_status s)
{
	assert_ptr_equal(r, &request);
	assert_int_equal(status, -1);
	status = s;
}

static void submit(enum disk_op op, u32 sector, u32 sectors)
{
	request = (struct disk_request){.op = (u8)op,
					.sector = sector,
					.sectors = sectors,
					.next = next_piece,
					.done = done};
	piece = (struct disk_piece){.gpa = DATA, .bytes = 64 * 512};
	status = -1;
	disk_submit(0, &request);
	assert_int_equal(status, -1);
}

/* blkback takes what is in the ring of unit 0 and answers. */
static void serve(s16 answer)
{
	u32 *ring = (void *)(uintptr_t)WIN_DISKS;

	for (; ring[1] - 1 != ring[0]; ring[1]++) {
		u8 *r = (u8 *)ring + 64 + (ring[1] - 1) % 32 * 108;
		u32 id = *(u32 *)(r + 4), sector = *(u32 *)(r + 12);

		for (u32 i = 0; i < r[1]; i++) {
			u32 ref = *(u32 *)(r + 20 + i * 8), first = r[24 + i * 8],
			    last = r[25 + i * 8];
			const struct grant *g = (const struct grant *)(uintptr_t)WIN_GRANTS + ref;
			u8 *at = (u8 *)xen_frame(g->frame) + first * 512;

			assert_true(g->flags & 1);
			for (u32 n = first; n <= last; n++, sector++, at += 512)
				memcpy(r[0] ? disk[sector] : at, r[0] ? at : disk[sector], 512);
		}
		memset(r, 0, 12);
		*(u32 *)r = id;
		*(s16 *)(r + 10) = answer;
		ring[2]++;
	}
	pending(MON->fronts.port[0]);
}

/* --- the start ------------------------------------------------------------------------------- */

static void without_a_disk_the_guest_starts_at_once(void **state)
{
	struct disk_info info;

	(void)state;
	events_start();
	assert_true(xen.polls < 12); /* an answer each: two lists, two watches and their events */
	assert_int_equal(MON->events.awaited_count, 3);
	for (u32 unit = 0; unit < DISKS; unit++) {
		disk_info(unit, &info);
		assert_int_equal(info.sectors, 0);
	}
	assert_null(strstr(xen.console, "disk"));
	assert_null(xen_last(__HYPERVISOR_grant_table_op));
}

static void disks_are_there_before_the_guest(void **state)
{
	struct disk_info info;

	(void)state;
	plug(768);
	plug(2048);
	set(768, "info", "4");
	set(768, "sectors", "4194304");
	events_start();
	disk_info(0, &info);
	assert_int_equal(info.sectors, 4194304);
	assert_int_equal(info.vdev, 768);
	assert_true(info.read_only && info.flush && !info.cdrom);
	disk_info(1, &info);
	assert_int_equal(info.vdev, 2048);
	assert_non_null(strstr(xen.console, "disk 768: 2048 MB, read-only"));
	assert_true(is_awaited(MON->fronts.port[0]) && is_awaited(MON->fronts.port[1]));
	assert_string_equal(ours(2048, "state"), "4");
}

static void a_xenstored_that_is_silent_costs_five_seconds(void **state)
{
	(void)state;
	plug(2048);
	deaf = true;
	events_start();
	assert_true(xen.polls >= 5 && xen.polls < 7);
	assert_non_null(strstr(xen.console, "not all devices are there"));
	deaf = false; /* it wakes up, and the disk is as one that is plugged */
	settle();
	assert_non_null(strstr(xen.console, "disk 2048: 0 MB"));
	assert_int_equal(xen.polls, 6 - (xen.polls < 6));
}

static void a_disk_that_cannot_be_used_is_told(void **state)
{
	static const struct {
		u32 number;
		const char *node, *value, *words;
	} cases[] = {
		{2048, "sector-size", "4096",
		 "disk 2048 is not used: its sectors have not 512 bytes"},
		{2048, "sectors", "0", "it has no sectors"},
		{24, "info", "0", "there is no controller for its number"},
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct disk_info info;

		start(NULL);
		plug(cases[i].number);
		set(cases[i].number, cases[i].node, cases[i].value);
		events_start();
		assert_non_null(strstr(xen.console, cases[i].words));
		assert_string_equal(ours(cases[i].number, "state"), "6");
		disk_info(0, &info);
		assert_int_equal(info.sectors, 0);
	}
}

static void what_xen_refuses_is_told(void **state)
{
	(void)state;
	plug(2048);
	xen.answer[__HYPERVISOR_grant_table_op] = -12;
	events_start();
	assert_non_null(strstr(xen.console, "Xen gives no more of the grant table"));
	start(NULL);
	plug(2048);
	xen.grant_status = -1;
	events_start();
	assert_non_null(strstr(xen.console, "Xen gives no more of the grant table"));
}

/* --- requests -------------------------------------------------------------------------------- */

static void data_go_to_the_guests_memory_and_back(void **state)
{
	(void)state;
	submit(DISK_READ, 3, 20);
	assert_int_equal(xen.sent[MON->fronts.port[0]], 1);
	serve(0);
	assert_int_equal(status, -1);
	events_take();
	assert_int_equal(status, DISK_OK);
	assert_memory_equal(PHYS(DATA), disk[3], 20 * 512);
	memset(PHYS(DATA), 0x77, 512);
	submit(DISK_WRITE, 9, 1);
	serve(0);
	events_take();
	assert_int_equal(status, DISK_OK);
	assert_int_equal(disk[9][511], 0x77);
	assert_int_not_equal(disk[10][0], 0x77);
	assert_int_equal(COUNTERS->disk_request, 2);
}

/* The domain is restored: what was in flight is sent to the backend of the new one. */
static void a_new_domain_has_its_disks_again(void **state)
{
	struct disk_info info;

	(void)state;
	submit(DISK_READ, 3, 20);
	fronts_suspend();
	memset((void *)WIN_GRANTS, 0xFF, PAGE_SIZE);
	MON->events.awaited_count = 0;
	MON->fronts.self_port = 7; /* of the old domain */
	stored_start((void *)(uintptr_t)WIN_STORE);
	store_start(&MON->store, (void *)WIN_STORE);
	orders_start(&MON->orders, &MON->store, true);
	plug(2048);
	fronts_resume();
	assert_int_equal(MON->fronts.self_port, 0);
	assert_int_equal(MON->fronts.port[0], 0);
	settle();
	assert_string_equal(ours(2048, "state"), "4");
	assert_true(is_awaited(MON->fronts.port[0]));
	disk_info(0, &info);
	assert_int_equal(info.sectors, 64);
	assert_int_equal(status, -1);
	serve(0);
	events_take();
	assert_int_equal(status, DISK_OK);
	assert_memory_equal(PHYS(DATA), disk[3], 20 * 512);
}

static void what_ends_at_once_ends_by_an_event(void **state)
{
	(void)state;
	submit(DISK_READ, 64, 1);
	assert_int_equal(xen.sent[XEN_IPI_PORT], 1);
	assert_true(is_awaited(XEN_IPI_PORT));
	pending(XEN_IPI_PORT);
	events_take();
	assert_int_equal(status, DISK_REFUSED);
	MON->fronts.blk[0].flush_op = 0;
	submit(DISK_FLUSH, 0, 0);
	pending(XEN_IPI_PORT);
	events_take();
	assert_int_equal(status, DISK_OK);
}

static void a_guest_with_interrupts_off_can_poll(void **state)
{
	(void)state;
	submit(DISK_READ, 0, 1);
	disk_poll(0);
	assert_int_equal(status, -1);
	serve(0);
	disk_poll(0);
	assert_int_equal(status, DISK_OK);
}

static void dma_reaches_memory_alone(void **state)
{
	static u8 buffer[2 * PAGE_SIZE];

	(void)state;
	memset(PHYS(DATA), 1, PAGE_SIZE);
	memset(PHYS(DATA + PAGE_SIZE), 2, PAGE_SIZE);
	assert_true(dma_read(DATA + 100, buffer, PAGE_SIZE));
	assert_int_equal(buffer[PAGE_SIZE - 101], 1);
	assert_int_equal(buffer[PAGE_SIZE - 100], 2);
	memset(buffer, 3, sizeof(buffer));
	assert_true(dma_write(DATA + PAGE_SIZE - 1, buffer, 2));
	assert_int_equal(*(u8 *)PHYS(DATA + PAGE_SIZE - 2), 1);
	assert_int_equal(*(u8 *)PHYS(DATA + PAGE_SIZE - 1), 3);
	assert_int_equal(*(u8 *)PHYS(DATA + PAGE_SIZE), 3);
	assert_int_equal(*(u8 *)PHYS(DATA + PAGE_SIZE + 1), 2);
	assert_false(dma_read(HOLE, buffer, 1));
	assert_false(dma_write(HOLE - 1, buffer, 2));
	assert_false(dma_write((u64)GUEST_PAGES << PAGE_SHIFT, buffer, 1));
	assert_false(dma_read(~(u64)0, buffer, 1));
	assert_false(dma_read(1ull << 44, buffer, 1));
}

/* --- a disk that goes ---------------------------------------------------------------------------
 */

static void an_unplugged_disk_ends_its_requests(void **state)
{
	u32 port = MON->fronts.port[0];
	struct disk_info info;

	(void)state;
	submit(DISK_READ, 0, 8);
	set(2048, "online", "0");
	set(2048, "state", "5");
	settle();
	assert_string_equal(ours(2048, "state"), "4"); /* the request is under way */
	serve(0);
	settle();
	assert_int_equal(status, DISK_OK);
	assert_string_equal(ours(2048, "state"), "6");
	submit(DISK_READ, 0, 8);
	stored_remove("device/vbd/2048");
	settle();
	assert_int_equal(status, DISK_ABSENT);
	assert_non_null(strstr(xen.console, "vmixen: disk 2048 is gone"));
	disk_info(0, &info);
	assert_int_equal(info.sectors, 0);
	assert_false(is_awaited(port));
	submit(DISK_READ, 0, 8);
	pending(XEN_IPI_PORT);
	events_take();
	assert_int_equal(status, DISK_ABSENT);
	plug(2048);
	settle();
	disk_info(0, &info);
	assert_int_equal(info.sectors, 64);
	submit(DISK_READ, 1, 1);
	((u32 *)(uintptr_t)WIN_DISKS)[1] = 1;
	serve(0);
	events_take();
	assert_int_equal(status, DISK_OK);
}

static void a_backend_that_lies_is_given_up(void **state)
{
	struct disk_info info;

	(void)state;
	submit(DISK_READ, 0, 8);
	((u32 *)(uintptr_t)WIN_DISKS)[2] = 500;
	pending(MON->fronts.port[0]);
	events_take();
	assert_int_equal(status, DISK_ABSENT);
	assert_non_null(strstr(xen.console, "the backend of disk 2048 has answered what nobody"));
	settle();
	assert_string_equal(ours(2048, "state"), "6");
	disk_info(0, &info);
	assert_int_equal(info.sectors, 0);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(without_a_disk_the_guest_starts_at_once, start),
		cmocka_unit_test_setup(disks_are_there_before_the_guest, start),
		cmocka_unit_test_setup(a_xenstored_that_is_silent_costs_five_seconds, start),
		cmocka_unit_test_setup(a_disk_that_cannot_be_used_is_told, start),
		cmocka_unit_test_setup(what_xen_refuses_is_told, start),
		cmocka_unit_test_setup(data_go_to_the_guests_memory_and_back, start_with_a_disk),
		cmocka_unit_test_setup(a_new_domain_has_its_disks_again, start_with_a_disk),
		cmocka_unit_test_setup(what_ends_at_once_ends_by_an_event, start_with_a_disk),
		cmocka_unit_test_setup(a_guest_with_interrupts_off_can_poll, start_with_a_disk),
		cmocka_unit_test_setup(dma_reaches_memory_alone, start),
		cmocka_unit_test_setup(an_unplugged_disk_ends_its_requests, start_with_a_disk),
		cmocka_unit_test_setup(a_backend_that_lies_is_given_up, start_with_a_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
