/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A network interface's front end against a backend that is played here: one that serves, in
 * any order; one that goes and comes back; and one that answers what cannot be.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "counters.h"
#include "layout.h"
#include "xen.h"
#include "xenbind/vif.h"

#include <xen/io/netif.h>

#define PERMIT 1u
#define READ_ONLY 4u
#define READING 8u
#define WRITING 16u

#define PAGES 8u /* for received frames */
#define GUEST_PAGES 64u
#define HOLE 60u      /* one without memory */
#define FRAME 0x7000u /* the frame of the guest's page 0 */
#define OWN_FRAME 0x100u
#define FIRST 50u

static u8 guest[GUEST_PAGES][4096];
static u8 own[(VIF_OWN_PAGES + PAGES + 1) * 4096] __attribute__((aligned(4096)));
static u32 own_frame[VIF_OWN_PAGES + PAGES];
static struct grant table[FIRST + VIF_GRANTS];
static struct vif v;

/* --- the front end's owner ----------------------------------------------------------------- */

static u8 ended[512];
static u32 ends, told;
static enum vif_news news;
static bool sending, takes = true, flood;
static struct {
	u8 data[4096];
	u32 bytes, flags;
} got[300];
static u32 gets;

bool vif_guest_frame(u64 gpfn, u32 *frame)
{
	*frame = FRAME + (u32)gpfn;
	return gpfn < GUEST_PAGES && gpfn != HOLE;
}

void vif_sent(struct vif *which, u8 tag)
{
	assert_ptr_equal(which, &v);
	assert_false(sending);
	ended[ends++] = tag;
}

static void answer_again(void);

bool vif_received(struct vif *which, u8 *page, u32 bytes, u32 flags)
{
	assert_ptr_equal(which, &v);
	assert_true(page >= own + VIF_OWN_PAGES * 4096 && page + 64 <= own + sizeof(own) - 4096);
	if (!takes)
		return false;
	memcpy(got[gets].data, page, bytes);
	got[gets].bytes = bytes;
	got[gets++].flags = flags;
	if (flood)
		answer_again();
	return true;
}

void vif_tell(const struct vif *which, enum vif_news what)
{
	assert_ptr_equal(which, &v);
	news = what;
	told++;
}

/* --- the backend ------------------------------------------------------------------------------ */

static netif_tx_sring_t *tx(void)
{
	return (netif_tx_sring_t *)own;
}

static netif_rx_sring_t *rx(void)
{
	return (netif_rx_sring_t *)(own + 4096);
}

static u32 tx_seen, rx_seen; /* requests that the backend has taken */

/* A page by the number of its grant, as Xen would map it; NULL: Xen would not. */
static u8 *page_of(u32 ref, bool write)
{
	const struct grant *g = &table[ref];

	if (ref < FIRST || ref >= FIRST + VIF_GRANTS || !(g->flags & PERMIT) || g->domain != 7 ||
	    (write && g->flags & READ_ONLY))
		return NULL;
	if (g->frame - OWN_FRAME < VIF_OWN_PAGES + PAGES)
		return own + (g->frame - OWN_FRAME) * 4096;
	return g->frame - FRAME < GUEST_PAGES ? guest[g->frame - FRAME] : NULL;
}

static u8 sent[70000];
static u32 sent_bytes, sent_flags, sent_ids[32], sent_count, sent_extras;
static struct netif_extra_info extra;

/* Takes a frame out of the ring as netback does; false if there is none. */
static bool fetch(void)
{
	netif_tx_request_t r;
	u32 left;

	if (tx_seen == tx()->req_prod)
		return false;
	r = tx()->ring[tx_seen++ % 256].req;
	sent_flags = r.flags;
	left = r.size;
	sent_bytes = sent_count = sent_extras = 0;
	if (r.flags & NETTXF_extra_info) {
		memcpy(&extra, &tx()->ring[tx_seen++ % 256], sizeof(extra));
		assert_int_equal(extra.type, XEN_NETIF_EXTRA_TYPE_GSO);
		assert_int_equal(extra.flags, 0);
		sent_extras++;
	}
	r.size = 0;
	for (bool more = true; more;) {
		netif_tx_request_t *next = sent_count ? &tx()->ring[tx_seen % 256].req : NULL;
		u32 bytes;

		if (next)
			r = *next, tx_seen++;
		more = r.flags & NETTXF_more_data;
		/* the first one has the length of the whole */
		if (!next) {
			u32 rest = 0;

			for (u32 i = 0; more; i++) {
				netif_tx_request_t *n = &tx()->ring[(tx_seen + i) % 256].req;

				rest += n->size;
				more = n->flags & NETTXF_more_data;
			}
			more = r.flags & NETTXF_more_data;
			assert_true(left > rest);
			bytes = left - rest;
			assert_true(bytes >= 14);
		} else {
			bytes = r.size;
		}
		assert_true(sent_count < 18);
		assert_true(bytes && r.offset + bytes <= 4096);
		assert_non_null(page_of(r.gref, false));
		assert_null(page_of(r.gref, true)); /* nobody may write there */
		memcpy(sent + sent_bytes, page_of(r.gref, false) + r.offset, bytes);
		sent_bytes += bytes;
		sent_ids[sent_count++] = r.id;
	}
	assert_int_equal(sent_bytes, left);
	assert_int_equal(tx_seen <= tx()->req_prod, 1);
	return true;
}

static void answer(u32 id, s32 status)
{
	tx()->ring[tx()->rsp_prod++ % 256].rsp =
		(netif_tx_response_t){.id = (u16)id, .status = (s16)status};
}

/* Answers all of the frame that was fetched last, backwards. */
static void answer_all(s32 status)
{
	for (u32 i = sent_count; i-- > 0;)
		answer(sent_ids[i], status);
	for (u32 i = 0; i < sent_extras; i++)
		answer(0xEEEE, NETIF_RSP_NULL);
}

static bool deliver(const void *data, s32 bytes, u32 offset, u32 flags)
{
	netif_rx_request_t r;

	if (rx_seen == rx()->req_prod)
		return false;
	r = rx()->ring[rx_seen % 256].req;
	assert_non_null(page_of(r.gref, true));
	if (bytes > 0)
		memcpy(page_of(r.gref, true) + offset, data, (size_t)bytes);
	rx()->ring[rx_seen++ % 256].rsp = (netif_rx_response_t){
		.id = r.id, .offset = (u16)offset, .flags = (u16)flags, .status = (s16)bytes};
	rx()->rsp_prod++;
	return true;
}

/* The next page is full before this one is taken, whether it was given or not. */
static void answer_again(void)
{
	rx()->ring[rx()->rsp_prod % 256].rsp =
		(netif_rx_response_t){.id = (u16)(rx()->rsp_prod % PAGES), .status = 60};
	rx()->rsp_prod++;
}

/* --- what is done
 * ---------------------------------------------------------------------------------- */

static struct net_frame frame;
static u8 header[NET_HEADER];
static bool tell, more;

static void begin(void)
{
	frame = (struct net_frame){.header = header};
}

static void add(u32 gpa, u32 bytes)
{
	frame.piece[frame.pieces++] = (struct net_piece){gpa, bytes};
	frame.bytes += bytes;
}

static void add_header(u32 bytes)
{
	frame.header_bytes = bytes;
	frame.bytes += bytes;
}

static enum net_sent send(u8 tag)
{
	enum net_sent how;

	frame.tag = tag;
	sending = true;
	how = vif_send(&v, &frame, &tell);
	sending = false;
	return how;
}

/* One frame of a piece. */
static enum net_sent send_one(u8 tag)
{
	begin();
	add(0x2000u + tag * 16u, 100);
	return send(tag);
}

static bool take(void)
{
	bool must_tell;

	more = false;
	must_tell = vif_take(&v, &more);
	vif_finish(&v);
	return must_tell;
}

static u32 granted(void)
{
	u32 n = 0;

	for (u32 i = FIRST + VIF_OWN_PAGES + VIF_PAGES; i < ARRAY_SIZE(table); i++)
		n += table[i].flags != 0;
	return n;
}

static int start(void **state)
{
	(void)state;
	mmap((void *)(uintptr_t)WIN_COUNTERS, PAGE_SIZE, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	memset(own, 0xA5, sizeof(own));
	memset(table, 0, sizeof(table));
	for (u32 i = 0; i < sizeof(guest); i++)
		guest[i / 4096][i % 4096] = (u8)(i * 5 + i / 4096);
	for (u32 i = 0; i < NET_HEADER; i++)
		header[i] = (u8)(0xFF - i);
	for (u32 i = 0; i < ARRAY_SIZE(own_frame); i++)
		own_frame[i] = OWN_FRAME + i;
	v = (struct vif){.memory = own,
			 .frame = own_frame,
			 .pages = PAGES,
			 .grants = table + FIRST,
			 .first_grant = FIRST,
			 .handle = 3};
	ends = told = gets = tx_seen = rx_seen = 0;
	takes = true;
	assert_true(vif_prepare(&v, 7));
	assert_true(vif_connect(&v, true, true));
	return 0;
}

/* --- sending -------------------------------------------------------------------------------------
 */

static void before_a_backend_is_there_frames_are_lost(void **state)
{
	(void)state;
	v.connected = false;
	assert_int_equal(send_one(1), NET_LOST);
	assert_false(tell);
	assert_int_equal(granted(), 0);
	assert_int_equal(tx()->req_prod, 0);
}

static void a_frame_goes_out_of_the_guests_memory(void **state)
{
	(void)state;
	begin();
	add(0x5FF0, 16);
	add(0x6000, 1000);
	assert_int_equal(send(9), NET_TAKEN);
	assert_true(tell);
	assert_true(fetch());
	assert_int_equal(sent_bytes, 1016);
	assert_int_equal(sent_flags, NETTXF_more_data);
	assert_memory_equal(sent, &guest[5][0xFF0], 1016);
	assert_int_equal(granted(), 2);
	take();
	assert_int_equal(ends, 0);
	answer(sent_ids[1], 0);
	take();
	assert_int_equal(ends, 0);
	assert_int_equal(granted(), 1);
	answer(sent_ids[0], 0);
	take();
	assert_int_equal(ends, 1);
	assert_int_equal(ended[0], 9);
	assert_int_equal(granted(), 0);
	assert_int_equal(told, 0);
}

static void a_header_goes_out_of_a_page_of_ours(void **state)
{
	(void)state;
	begin();
	frame.checksum = true;
	frame.mss = 1448;
	add_header(66);
	add(0x3000, 4096);
	add(0x8000, 4000);
	assert_int_equal(send(1), NET_TAKEN);
	assert_true(fetch());
	assert_int_equal(sent_flags, NETTXF_csum_blank | NETTXF_data_validated | NETTXF_more_data |
					     NETTXF_extra_info);
	assert_int_equal(extra.u.gso.size, 1448);
	assert_int_equal(extra.u.gso.type, XEN_NETIF_GSO_TYPE_TCPV4);
	assert_memory_equal(sent, header, 66);
	assert_memory_equal(sent + 66, guest[3], 4096);
	assert_memory_equal(sent + 66 + 4096, guest[8], 4000);
	begin();
	add_header(60); /* and nothing else */
	assert_int_equal(send(2), NET_TAKEN);
	answer_all(0);
	assert_true(fetch());
	assert_int_equal(sent_flags, 0);
	assert_memory_equal(sent, header, 60);
	answer_all(-1);
	take();
	assert_int_equal(ends, 2);
	assert_int_equal(v.headers, 0);
	assert_int_equal(v.extras, 0);
	assert_int_equal(COUNTERS->net_refused, 1);
}

static void segments_of_one_piece_have_their_entry_behind_the_first(void **state)
{
	(void)state;
	begin();
	frame.checksum = true;
	frame.mss = 100;
	add(0x3000, 300);
	add(0x4000, 300);
	assert_int_equal(send(1), NET_TAKEN);
	assert_true(fetch());
	assert_int_equal(extra.u.gso.size, 100);
	answer_all(0);
	take();
	assert_int_equal(ends, 1);
}

static void a_piece_that_is_no_memory_loses_the_frame(void **state)
{
	(void)state;
	begin();
	add(0x3000, 100);
	add(HOLE * 4096, 100);
	assert_int_equal(send(1), NET_LOST);
	assert_int_equal(granted(), 0);
	assert_false(fetch());
}

static void what_finds_no_room_waits(void **state)
{
	u32 n = 0;

	(void)state;
	while (send_one((u8)n) == NET_TAKEN)
		n++;
	assert_int_equal(n, VIF_FRAMES);
	assert_int_equal(send_one(0), NET_WAITS);
	while (fetch())
		answer_all(0);
	take();
	assert_int_equal(ends, VIF_FRAMES);
	for (n = 0; n < VIF_HEADERS; n++) {
		begin();
		add_header(60);
		assert_int_equal(send((u8)n), NET_TAKEN);
	}
	assert_int_equal(send(99), NET_WAITS);
	assert_int_equal(send_one(98), NET_TAKEN); /* this one needs no header */
	while (fetch())
		answer_all(0);
	take();
	for (n = 0; n < VIF_PARTS / 17; n++) {
		begin();
		for (u32 i = 0; i < 17; i++)
			add(0x3000 + i * 4096, 3000);
		assert_int_equal(send((u8)n), NET_TAKEN);
	}
	assert_int_equal(send(77), NET_WAITS);
	assert_int_equal(send_one(98), NET_TAKEN);
	assert_int_equal(granted(), VIF_PARTS / 17 * 17 + 1);
	while (fetch())
		answer_all(0);
	take();
	assert_int_equal(granted(), 0);
}

static void the_backend_is_told_only_when_it_has_asked(void **state)
{
	(void)state;
	send_one(1);
	assert_true(tell);
	send_one(2);
	assert_false(tell);
	fetch();
	fetch();
	tx()->req_event = 3;
	send_one(3);
	assert_true(tell);
}

static void many_frames_go_round_the_ring(void **state)
{
	(void)state;
	for (u32 i = 0; i < 2000; i++) {
		begin();
		if (i % 3 == 0) {
			frame.checksum = true;
			frame.mss = 50;
			add_header(60);
		}
		for (u32 n = 0; n <= i % 5; n++)
			add(0x2000 + (i * 7 + n) % 40 * 4096, 20 + i);
		assert_int_equal(send((u8)i), NET_TAKEN);
		if (i % 4)
			continue;
		while (fetch())
			answer_all(0);
		ends = 0;
		take();
		assert_int_equal(ends, i ? 4 : 1);
	}
	assert_int_equal(told, 0);
}

static void a_page_that_is_still_mapped_is_waited_for(void **state)
{
	(void)state;
	send_one(1);
	fetch();
	for (u32 i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].frame == FRAME + 2)
			table[i].flags |= READING;
	answer_all(0);
	take();
	assert_int_equal(ends, 0);
	assert_int_equal(told, 1);
	assert_int_equal(news, VIF_STILL_MAPPED);
	send_one(2); /* by another grant */
	assert_int_equal(granted(), 2);
	fetch();
	answer_all(0);
	take();
	assert_int_equal(ends, 1);
	assert_int_equal(ended[0], 2);
	for (u32 i = 0; i < ARRAY_SIZE(table); i++)
		table[i].flags &= (u16)~READING;
	take();
	assert_int_equal(ends, 2);
	assert_int_equal(ended[1], 1);
	assert_int_equal(granted(), 0);
}

/* --- receiving
 * ------------------------------------------------------------------------------------- */

static void frames_come(void **state)
{
	(void)state;
	assert_int_equal(rx()->req_prod, PAGES);
	assert_true(deliver("0123456789abcdef", 16, 0, 0));
	assert_true(deliver(guest[3], 4096, 0, NETRXF_data_validated));
	assert_true(deliver(guest[4], 100, 256, NETRXF_data_validated | NETRXF_csum_blank));
	rx()->req_event = PAGES + 1;
	assert_true(take());
	assert_int_equal(gets, 3);
	assert_memory_equal(got[0].data, "0123456789abcdef", 16);
	assert_int_equal(got[0].bytes, 16);
	assert_int_equal(got[0].flags, 0);
	assert_memory_equal(got[1].data, guest[3], 4096);
	assert_int_equal(got[1].flags, NET_GOOD);
	assert_memory_equal(got[2].data, guest[4], 100);
	assert_int_equal(got[2].flags, NET_UNSUMMED);
	assert_int_equal(rx()->req_prod, PAGES + 3); /* and it has the pages again */
	assert_int_equal(rx()->rsp_event, 4);
	for (u32 i = 0; i < 280; i++) {
		assert_true(deliver(guest[i % 50], 1000, 0, 0));
		if (i % 3 == 0)
			take();
	}
	take();
	assert_int_equal(gets, 283);
	assert_false(take());
}

static void errors_and_short_frames_are_passed_by(void **state)
{
	(void)state;
	assert_true(deliver(NULL, -1, 0, 0));
	assert_true(deliver(guest[3], 0, 0, 0));
	assert_true(deliver(guest[3], 13, 0, 0));
	assert_true(deliver(guest[3], 14, 0, 0));
	take();
	assert_int_equal(gets, 1);
	assert_int_equal(rx()->req_prod, PAGES + 4);
	assert_int_equal(told, 0);
}

static void frames_wait_until_the_guest_has_memory(void **state)
{
	u32 n = 0;

	(void)state;
	takes = false;
	while (deliver(guest[n], 60, 0, 0))
		n++;
	assert_int_equal(n, PAGES);
	take();
	assert_int_equal(gets, 0);
	assert_true(v.stalled);
	assert_false(more);
	assert_int_equal(rx()->req_prod, PAGES);
	takes = true;
	take();
	assert_false(v.stalled);
	assert_int_equal(gets, PAGES);
	for (u32 i = 0; i < PAGES; i++)
		assert_memory_equal(got[i].data, guest[i], 60);
	assert_int_equal(rx()->req_prod, 2 * PAGES);
}

/* --- a backend that goes, or is hostile
 * ------------------------------------------------------------- */

static void what_a_backend_had_is_lost_with_it(void **state)
{
	(void)state;
	send_one(1);
	send_one(2);
	vif_lose(&v);
	vif_finish(&v);
	assert_int_equal(ends, 2);
	for (u32 i = 0; i < ARRAY_SIZE(table); i++)
		assert_int_equal(table[i].flags, 0);
	assert_int_equal(send_one(3), NET_LOST);
	rx()->rsp_prod++;
	assert_false(take());
	assert_int_equal(gets, 0);
	assert_true(vif_prepare(&v, 7));
	tx_seen = rx_seen = 0;
	vif_connect(&v, true, true);
	send_one(4);
	assert_true(fetch());
	answer_all(0);
	assert_true(deliver(guest[0], 60, 0, 0));
	take();
	assert_int_equal(ends, 3);
	assert_int_equal(gets, 1);
	assert_int_equal(told, 0);
}

static void a_ring_that_is_still_mapped_is_not_given_to_the_next(void **state)
{
	static const u32 pages[] = {0, 1, 2, 3, VIF_OWN_PAGES + PAGES - 1};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(pages); i++) {
		start(NULL);
		table[FIRST + pages[i]].flags |= WRITING;
		vif_lose(&v);
		assert_false(vif_prepare(&v, 7));
		assert_false(v.ready);
		table[FIRST + pages[i]].flags &= (u16)~WRITING;
		assert_true(vif_prepare(&v, 7));
	}
}

static void an_end_is_for_good_until_another_interface_comes(void **state)
{
	(void)state;
	send_one(1);
	vif_end(&v);
	vif_finish(&v);
	assert_int_equal(ends, 1);
	assert_true(v.gone);
	assert_int_equal(send_one(2), NET_LOST);
	assert_true(vif_prepare(&v, 7));
	assert_false(v.gone);
}

/* Each of these ends the interface, and all that is under way with it. */
static void strange_answers_end_it(void **state)
{
	(void)state;
	for (u32 i = 0; i < 13; i++) {
		netif_rx_response_t *r;

		start(NULL);
		send_one(1);
		fetch();
		deliver(guest[0], 60, 0, 0);
		r = &rx()->ring[0].rsp;
		switch (i) {
		case 0:
			answer(sent_ids[0] ^ 1, 0);
			break;
		case 1:
			answer(VIF_PARTS, 0);
			break;
		case 2:
			answer(0xFFFF, 0);
			break;
		case 3:
			answer(sent_ids[0], 0); /* twice */
			answer(sent_ids[0], 0);
			break;
		case 4:
			answer(sent_ids[0], NETIF_RSP_NULL); /* there was no extra */
			break;
		case 5:
			tx()->rsp_prod += 2;
			break;
		case 6:
			tx()->rsp_prod = ~0u;
			break;
		case 7:
			rx()->rsp_prod = PAGES + 1;
			break;
		case 8:
			r->id = PAGES;
			break;
		case 9:
			rx()->ring[1].rsp = *r; /* twice */
			rx()->rsp_prod = 2;
			v.posted[0] &= ~(1u << 1 | 1u);
			break;
		case 10:
			r->offset = 4096 - 59;
			break;
		case 11:
			r->flags = NETRXF_more_data;
			break;
		case 12:
			r->flags = NETRXF_extra_info;
			break;
		}
		take();
		assert_true(v.broken);
		assert_int_equal(told, 1);
		assert_int_equal(news, VIF_STRANGE_ANSWER);
		assert_int_equal(ends, 1);
		assert_int_equal(granted(), 0);
		assert_int_equal(gets, 0);
		assert_int_equal(send_one(2), NET_LOST);
		assert_false(vif_prepare(&v, 7));
		assert_false(take());
	}
	start(NULL);
	deliver(guest[0], 4000, 4096 - 64, 0); /* longer than its page */
	take();
	assert_true(v.broken);
}

/* A backend that is faster than we are: it answers as soon as it has a page again. */
static void a_flood_is_taken_in_parts(void **state)
{
	(void)state;
	flood = true;
	deliver(guest[0], 60, 0, 0);
	take();
	assert_int_equal(gets, 256);
	assert_true(more);
	flood = false;
	take();
	assert_false(more);
	assert_int_equal(gets, 257);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(before_a_backend_is_there_frames_are_lost, start),
		cmocka_unit_test_setup(a_frame_goes_out_of_the_guests_memory, start),
		cmocka_unit_test_setup(a_header_goes_out_of_a_page_of_ours, start),
		cmocka_unit_test_setup(segments_of_one_piece_have_their_entry_behind_the_first,
				       start),
		cmocka_unit_test_setup(a_piece_that_is_no_memory_loses_the_frame, start),
		cmocka_unit_test_setup(what_finds_no_room_waits, start),
		cmocka_unit_test_setup(the_backend_is_told_only_when_it_has_asked, start),
		cmocka_unit_test_setup(many_frames_go_round_the_ring, start),
		cmocka_unit_test_setup(a_page_that_is_still_mapped_is_waited_for, start),
		cmocka_unit_test_setup(frames_come, start),
		cmocka_unit_test_setup(errors_and_short_frames_are_passed_by, start),
		cmocka_unit_test_setup(frames_wait_until_the_guest_has_memory, start),
		cmocka_unit_test_setup(what_a_backend_had_is_lost_with_it, start),
		cmocka_unit_test_setup(a_ring_that_is_still_mapped_is_not_given_to_the_next, start),
		cmocka_unit_test_setup(an_end_is_for_good_until_another_interface_comes, start),
		cmocka_unit_test_setup(strange_answers_end_it, start),
		cmocka_unit_test_setup(a_flood_is_taken_in_parts, start),
	};
	return cmocka_run_group_tests_name("vif", tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
