/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The 82545EM: the accesses that Linux's e1000 makes, in their order, and what must not happen
 * whatever the guest has in its registers and its memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_net.h"
#include "pc/e1000.h"

enum { CTRL = 0, STATUS = 8, EECD = 0x10, EERD = 0x14, CTRL_EXT = 0x18, MDIC = 0x20, VET = 0x38 };
enum { ICR = 0xC0, ICS = 0xC8, IMS = 0xD0, IMC = 0xD8, RCTL = 0x100, TCTL = 0x400 };
enum { RDBAL = 0x2800, RDLEN = 0x2808, RDH = 0x2810, RDT = 0x2818 };
enum { TDBAL = 0x3800, TDLEN = 0x3808, TDH = 0x3810, TDT = 0x3818 };
enum { RXCSUM = 0x5000, MTA = 0x5200, RA = 0x5400, VFTA = 0x5600 };

#define TX_RING 0x1000u
#define RX_RING 0x2000u
#define RING 64u /* descriptors of each */
#define DATA 0x10000u
#define BUFFERS 0x50000u /* of RX_RING, 2 KB each */

/* Descriptors: command, type and length, with options. */
#define END 0x01000000u
#define LEGACY_SUM 0x04000000u
#define CUT 0x04000000u
#define REPORT 0x08000000u
#define EXTENDED 0x20100000u
#define CONTEXT 0x20000000u
#define TAG 0x40000000u
#define SUM_IP 0x0100u
#define SUM_TU 0x0200u

static struct e1000 e;
static u32 tail; /* where the driver puts the next descriptor */

static u32 in(u32 offset)
{
	return e1000_read(&e, offset);
}

static void out(u32 offset, u32 value)
{
	e1000_write(&e, offset, value);
}

/* e1000_configure_tx(), e1000_configure_rx(), e1000_alloc_rx_buffers() */
static void configure(void)
{
	out(TDBAL, TX_RING);
	out(TDLEN, RING * 16);
	out(TDH, 0);
	out(TDT, 0);
	out(TCTL, 0x0103F0FA);
	out(RDBAL, RX_RING);
	out(RDLEN, RING * 16);
	out(RDH, 0);
	for (u32 i = 0; i < RING; i++) {
		memset(fake.memory + RX_RING + i * 16, 0, 16);
		fake_put32(RX_RING + i * 16, BUFFERS + i * 2048);
	}
	out(RDT, RING - 1);
	out(RXCSUM, 0x300);
	out(RCTL, 0x8002); /* EN, BAM, 2 KB */
	out(IMS, 0x9D);
	tail = 0;
}

static int start(void **state)
{
	(void)state;
	fake_reset();
	memset(&e, 0xA5, sizeof(e));
	e1000_power_on(&e, 1);
	e1000_attach(&e, &fake.info);
	e.master = true;
	configure();
	return 0;
}

static void put_low(u64 buffer, u32 command, u32 options)
{
	u32 at = TX_RING + tail * 16;

	memcpy(fake.memory + at, &buffer, 8);
	fake_put32(at + 8, command);
	fake_put32(at + 12, options);
	tail = (tail + 1) % RING;
}

static void put(u64 buffer, u32 bytes, u32 command, u32 options)
{
	put_low(buffer, command | bytes, options);
}

/* e1000_tso(), e1000_tx_csum() */
static void put_context(u8 from, u8 at, u16 to, u32 command, u8 header, u16 mss)
{
	put_low((u64)(from | at << 8 | (u32)to << 16) << 32, CONTEXT | command,
		(u32)header << 8 | (u32)mss << 16);
}

static bool is_done(u32 n)
{
	return fake.memory[TX_RING + n * 16 + 12] & 1;
}

/* The backend is done with frame n of fake.sent. */
static void end_frame(u32 n)
{
	fake.open[fake.sent[n].tag] = 0;
	e1000_sent(&e, fake.sent[n].tag);
	e1000_update(&e);
}

static u8 *data_at(u32 at)
{
	return fake.memory + at;
}

/* --- the start ------------------------------------------------------------------------------- */

/* e1000_raise_ee_clk() and e1000_lower_ee_clk() */
static void clock(u32 wires)
{
	out(EECD, wires | 1);
	out(EECD, wires);
}

static u16 read_by_wires(u32 word)
{
	u32 wires = 0x42, command = 6u << 6 | word;
	u16 value = 0;

	out(EECD, 0x40);
	out(EECD, wires);
	for (u32 i = 9; i-- > 0;)
		clock(wires | (command >> i & 1 ? 4 : 0));
	for (u32 i = 0; i < 16; i++) {
		out(EECD, wires | 1);
		value = (u16)(value << 1 | (in(EECD) >> 3 & 1));
		out(EECD, wires);
	}
	out(EECD, 0);
	return value;
}

static u32 read_phy(u32 reg)
{
	out(MDIC, 2u << 26 | 1u << 21 | reg << 16);
	assert_true(in(MDIC)&0x10000000);
	assert_false(in(MDIC)&0x40000000);
	return in(MDIC)&0xFFFF;
}

static void a_driver_finds_address_and_link(void **state)
{
	u16 sum = 0;

	(void)state;
	out(CTRL, in(CTRL) | 0x04000000);
	assert_false(in(CTRL)&0x04000000);
	out(EECD, 0x40);
	assert_int_equal(in(EECD)&0x1C0, 0x1C0); /* there, and granted */
	for (u32 i = 0; i < 64; i++) {
		u16 word = read_by_wires(i);

		sum += word;
		out(EERD, i << 8 | 1);
		assert_int_equal(in(EERD), (u32)word << 16 | i << 8 | 0x10);
	}
	assert_int_equal(sum, 0xBABA);
	assert_int_equal(read_by_wires(0), 0x1600);
	assert_int_equal(read_by_wires(1), 0x123E);
	assert_int_equal(read_by_wires(2), 0x5634);
	assert_int_equal(in(RA), 0x123E1600);
	assert_int_equal(in(RA + 4), 0x80005634);
	assert_int_equal(in(STATUS), 0x783);
	assert_int_equal(read_phy(2), 0x0141);
	assert_int_equal(read_phy(3) & 0xFFF0, 0x0C20);
	assert_int_equal(read_phy(1) & 0x24, 0x24);
	assert_int_equal(read_phy(17) & 0xEC00, 0xAC00); /* 1000 Mb/s, full duplex, link */
	assert_true(read_phy(10) & 0x0800);
}

static void an_eeprom_waits_for_its_start_bit_and_ignores_writes(void **state)
{
	(void)state;
	out(EECD, 0x40);
	out(EECD, 0x42);
	for (u32 i = 0; i < 5; i++)
		clock(0x42);
	for (u32 i = 9; i-- > 0;)
		clock(0x42 | ((6u << 6 | 1) >> i & 1 ? 4 : 0));
	assert_false(in(EECD)&8); /* the dummy bit */
	for (u32 i = 0, value = 0; i < 32; i++) {
		clock(0x42);
		value = value << 1 | (in(EECD) >> 3 & 1);
		if (i == 31)
			assert_int_equal(value, 0x123E5634); /* it goes on with the next word */
	}
	out(EECD, 0x40);
	out(EECD, 0x42);
	for (u32 i = 25; i-- > 0;) /* write 0 to word 0 */
		clock(0x42 | ((u32)(5u << 22) >> i & 1 ? 4 : 0));
	assert_int_equal(read_by_wires(0), 0x1600);
	out(EERD, 64 << 8 | 1);
	assert_int_equal(in(EERD), 64 << 8 | 0x10);
}

static void a_phy_is_read_and_written(void **state)
{
	(void)state;
	in(ICR);
	out(MDIC, 1u << 26 | 1u << 21 | 4u << 16 | 0x1234);
	assert_int_equal(in(MDIC), 1u << 28 | 1u << 26 | 1u << 21 | 4u << 16 | 0x1234);
	assert_int_equal(read_phy(4), 0x1234);
	out(MDIC, 1u << 26 | 1u << 21 | 2u << 16 | 0x1234);
	assert_int_equal(read_phy(2), 0x0141); /* who it is cannot be written */
	out(MDIC, 2u << 26 | 2u << 21);
	assert_true(in(MDIC)&0x40000000); /* there is no other */
	out(MDIC, 3u << 26 | 1u << 21);
	assert_true(in(MDIC)&0x40000000);
	assert_int_equal(in(ICR), 0);
	out(MDIC, 1u << 26 | 1u << 21 | 0x1340); /* the negotiation again */
	assert_int_equal(in(ICR), 4);
	assert_int_equal(read_phy(0), 0x1140);
	out(MDIC, 1u << 26 | 1u << 21 | 0x8000);
	assert_int_equal(read_phy(4), 0x0DE1);
	assert_int_equal(read_phy(0), 0x1140);
}

static void the_link_comes_and_goes(void **state)
{
	(void)state;
	in(ICR);
	e1000_look(&e, &fake.info);
	assert_int_equal(in(ICR), 0);
	fake.info.link = false;
	e1000_look(&e, &fake.info);
	assert_true(e1000_irq(&e));
	assert_int_equal(in(ICR), 4);
	assert_int_equal(in(STATUS)&2, 0);
	assert_int_equal(read_phy(1) & 0x24, 0);
	fake.info.link = true;
	e1000_look(&e, &fake.info);
	assert_int_equal(in(ICR), 4);
	assert_int_equal(in(STATUS)&2, 2);
	assert_int_equal(read_phy(1) & 0x24, 0x24);
}

static void causes_are_cleared_by_being_read(void **state)
{
	(void)state;
	in(ICR);
	out(IMC, ~0u);
	out(ICS, 0x84);
	assert_false(e1000_irq(&e));
	out(IMS, 0x80);
	assert_int_equal(in(IMS), 0x80);
	assert_true(e1000_irq(&e));
	out(IMC, 0x80);
	assert_false(e1000_irq(&e));
	out(IMS, 0x84);
	out(ICR, 0x80); /* written, single causes end */
	assert_true(e1000_irq(&e));
	assert_int_equal(in(ICR), 4);
	assert_int_equal(in(ICR), 0);
	assert_false(e1000_irq(&e));
}

static void registers_keep_what_they_have_bits_for(void **state)
{
	(void)state;
	out(TDLEN, 0xFFFFFFFF);
	assert_int_equal(in(TDLEN), 0xFFF80);
	out(TDBAL, 0xFFFFFFFF);
	assert_int_equal(in(TDBAL), 0xFFFFFFF0);
	out(RDH, 0xFFFFFFFF);
	assert_int_equal(in(RDH), 0xFFFF);
	out(MTA + 0x1FC, 0x12345678);
	assert_int_equal(in(MTA + 0x1FC), 0x12345678);
	out(VFTA, 0x12345678);
	assert_int_equal(in(VFTA), 0x12345678);
	out(RA + 0x7C, 0xFFFFFFFF);
	assert_int_equal(in(RA + 0x7C), 0x8003FFFF);
	out(STATUS, 0);
	assert_int_equal(in(STATUS), 0x783);
	out(0x4074, 5); /* statistics cannot be written */
	assert_int_equal(in(0x4074), 0);
	assert_int_equal(in(0x1FFFC), 0);
	out(0x1FFFC, 5);
	out(CTRL, 0x84000000); /* both resets */
	assert_int_equal(in(RDH), 0);
	assert_int_equal(in(MTA + 0x1FC), 0);
	assert_int_equal(in(IMS), 0);
}

static void ports_reach_the_registers(void **state)
{
	(void)state;
	e1000_port_write(&e, 0, MTA);
	assert_int_equal(e1000_port_read(&e, 0), MTA);
	e1000_port_write(&e, 4, 77);
	assert_int_equal(in(MTA), 77);
	assert_int_equal(e1000_port_read(&e, 4), 77);
	e1000_port_write(&e, 0, CTRL);
	e1000_port_write(&e, 4, 0x04000000);
	assert_int_equal(in(MTA), 0);
	e1000_port_write(&e, 0, 0x20000);
	e1000_port_write(&e, 4, 77);
	assert_int_equal(e1000_port_read(&e, 4), 0);
}

/* --- sending -----------------------------------------------------------------------------------
 */

static void a_frame_is_sent_and_its_end_is_told(void **state)
{
	(void)state;
	fake_packet(data_at(DATA), 100, INET_TCP, true);
	in(ICR);
	put(DATA, 60, 0, 0);
	put(DATA + 0x5000, 40, REPORT | END, 0);
	memcpy(data_at(DATA + 0x5000), data_at(DATA + 60), 40);
	out(TDT, tail);
	assert_int_equal(fake.count, 1);
	assert_int_equal(fake.sent[0].bytes, 100);
	assert_int_equal(fake.sent[0].unit, 1);
	assert_int_equal(fake.sent[0].header_bytes, 0);
	assert_memory_equal(fake.sent[0].data, data_at(DATA), 60);
	assert_memory_equal(fake.sent[0].data + 60, data_at(DATA + 60), 40);
	assert_false(fake.sent[0].checksum);
	assert_int_equal(in(TDH), 0);
	assert_false(is_done(1));
	assert_int_equal(in(ICR), 0);
	end_frame(0);
	assert_true(is_done(1));
	assert_false(is_done(0)); /* that was not asked for */
	assert_int_equal(in(TDH), 2);
	assert_true(e1000_irq(&e));
	assert_int_equal(in(ICR), 3);
	assert_int_equal(in(0x4080), 1);
	assert_int_equal(in(0x4080), 0);
	assert_int_equal(in(0x4090), 104);
}

static void frames_end_in_the_order_of_the_ring(void **state)
{
	(void)state;
	for (u32 i = 0; i < 3; i++) {
		put(DATA + i * 0x1000, 64, REPORT | END, 0);
		out(TDT, tail);
	}
	assert_int_equal(fake.count, 3);
	in(ICR);
	end_frame(1);
	end_frame(2);
	assert_false(is_done(1));
	assert_int_equal(in(TDH), 0);
	assert_int_equal(in(ICR), 0);
	end_frame(0);
	assert_true(is_done(0) && is_done(1) && is_done(2));
	assert_int_equal(in(TDH), 3);
}

static void a_frame_is_sent_when_all_of_it_is_there(void **state)
{
	(void)state;
	put(DATA, 60, 0, 0);
	out(TDT, tail);
	assert_int_equal(fake.count, 0);
	put(DATA + 60, 40, REPORT | END, 0);
	out(TDT, tail);
	assert_int_equal(fake.count, 1);
	assert_int_equal(fake.sent[0].pieces, 1); /* neighbours are one */
	assert_int_equal(fake.sent[0].bytes, 100);
}

static void what_finds_no_room_is_sent_later(void **state)
{
	(void)state;
	fake.room = 1;
	put(DATA, 64, REPORT | END, 0);
	put(DATA + 0x1000, 65, REPORT | END, 0);
	out(TDT, tail);
	assert_int_equal(fake.count, 1);
	e1000_update(&e);
	assert_int_equal(fake.count, 1);
	fake.room = 1;
	end_frame(0);
	assert_int_equal(fake.count, 2);
	assert_int_equal(fake.sent[1].bytes, 65);
}

static void the_ring_goes_round_and_waits_for_its_own_steps(void **state)
{
	u32 ended = 0;

	(void)state;
	for (u32 i = 0; i < 200; i++) {
		put(DATA, 64 + i, REPORT | END, 0);
		out(TDT, tail);
		while (ended + 40 < fake.count)
			end_frame(ended++);
	}
	assert_int_equal(fake.count, 200);
	for (u32 i = 0; i < 200; i++)
		assert_int_equal(fake.sent[i].bytes, 64 + i);
	while (ended < 200)
		end_frame(ended++);
	assert_int_equal(in(TDH), 200 % RING);
	out(TDLEN, 256 * 16); /* more descriptors than steps can wait */
	out(TDH, 0);
	memset(data_at(TX_RING), 0, 256 * 16);
	for (u32 i = 0; i < 100; i++) {
		fake_put32(TX_RING + i * 16, DATA);
		fake_put32(TX_RING + i * 16 + 8, REPORT | END | 64);
	}
	out(TDT, 100);
	assert_int_equal(fake.count, 200 + E1000_FLIGHT);
	while (ended < fake.count)
		end_frame(ended++);
	assert_int_equal(fake.count, 300);
	assert_int_equal(in(TDH), 100);
}

static void checksums_of_tcp_and_udp_are_left_to_the_backend(void **state)
{
	(void)state;
	fake_packet(data_at(DATA), 1000, INET_TCP, false);
	put_context(34, 50, 0, 1 << 24, 0, 0);
	put(DATA, 1000, EXTENDED | REPORT | END, SUM_TU);
	fake_packet(data_at(DATA + 0x1000), 1000, INET_UDP, false);
	put_context(34, 40, 0, 0, 0, 0);
	put(DATA + 0x1000, 1000, EXTENDED | REPORT | END, SUM_TU);
	out(TDT, tail);
	assert_int_equal(fake.count, 2);
	for (u32 i = 0; i < 2; i++) {
		assert_true(fake.sent[i].checksum);
		assert_int_equal(fake.sent[i].mss, 0);
		assert_int_equal(fake.sent[i].header_bytes, 0);
		assert_memory_equal(fake.sent[i].data, data_at(DATA + i * 0x1000), 1000);
	}
	end_frame(0);
	assert_int_equal(in(TDH), 3); /* the second context, too, is behind us */
}

/* The checksum that the card makes itself is the one that the backend would make. */
static void other_checksums_are_made_here(void **state)
{
	static u8 expected[1000];

	(void)state;
	fake_packet(data_at(DATA), 1000, INET_TCP, false);
	fake_packet(expected, 1000, INET_TCP, true);
	fake.info.checksum = false;
	put_context(34, 50, 0, 1 << 24, 0, 0);
	put(DATA, 1000, EXTENDED | REPORT | END, SUM_TU);
	fake.info.checksum = false;
	out(TDT, tail);
	assert_false(fake.sent[0].checksum);
	assert_memory_equal(fake.sent[0].data, expected, 1000);
	fake.info.checksum = true;
	fake.memory[DATA + 20] = 0x20; /* a fragment: no backend sums it */
	put(DATA, 1000, EXTENDED | REPORT | END, SUM_TU);
	out(TDT, tail);
	assert_false(fake.sent[1].checksum);
	assert_int_equal(fake.sent[1].data[50], expected[50]);
	fake_packet(data_at(DATA), 1000, INET_TCP, false);
	put(DATA, 1000, LEGACY_SUM | REPORT | END | 50 << 16, 34 << 8);
	out(TDT, tail);
	assert_true(fake.sent[2].checksum); /* the same by a legacy descriptor */
	put(DATA, 1000, LEGACY_SUM | REPORT | END | 120 << 16, 34 << 8);
	out(TDT, tail);
	assert_false(fake.sent[3].checksum); /* at a place of its own */
	assert_int_equal(fake.sent[3].header_bytes, 122);
	assert_int_equal(inet_get16(fake.sent[3].data + 120),
			 (u16)~inet_fold(inet_add(0, data_at(DATA + 34), 966)));
	put(DATA, 1000, LEGACY_SUM | REPORT | END | 250 << 16, 34 << 8);
	out(TDT, tail);
	assert_memory_equal(fake.sent[4].data, data_at(DATA), 1000); /* further than we look */
	put_context(34, 50, 499, 1 << 24, 0, 0);
	put(DATA, 1000, EXTENDED | REPORT | END, SUM_TU);
	out(TDT, tail);
	assert_false(fake.sent[5].checksum); /* of a part of it */
	assert_int_equal(inet_get16(fake.sent[5].data + 50),
			 (u16)~inet_fold(inet_add(0, data_at(DATA + 34), 466)));
}

static void ips_checksum_is_made_here(void **state)
{
	static u8 expected[200];

	(void)state;
	fake_packet(expected, 200, INET_UDP, false);
	fake_packet(data_at(DATA), 200, INET_UDP, false);
	inet_put16(data_at(DATA + 24), 0);
	put_context(34, 40, 0, 0, 0, 0);
	put(DATA, 200, EXTENDED | REPORT | END, SUM_IP | SUM_TU);
	out(TDT, tail);
	assert_true(fake.sent[0].checksum);
	assert_memory_equal(fake.sent[0].data, expected, 200);
	assert_int_equal(inet_get16(data_at(DATA + 24)), 0); /* the guest's memory is its own */
}

static void a_tag_is_put_in(void **state)
{
	(void)state;
	fake_packet(data_at(DATA), 200, INET_TCP, false);
	put(DATA, 200, TAG | REPORT | END, 0x2005u << 16);
	out(TDT, tail);
	assert_int_equal(fake.sent[0].bytes, 200); /* not switched on */
	out(CTRL, in(CTRL) | 0x40000000);
	put_context(34, 50, 0, 1 << 24, 0, 0);
	put(DATA, 200, EXTENDED | TAG | REPORT | END, SUM_TU | 0x2005u << 16);
	out(TDT, tail);
	assert_int_equal(fake.sent[1].bytes, 204);
	assert_memory_equal(fake.sent[1].data, data_at(DATA), 12);
	assert_memory_equal(fake.sent[1].data + 12, "\x81\x00\x20\x05", 4);
	assert_memory_equal(fake.sent[1].data + 16, data_at(DATA + 12), 188);
	assert_true(fake.sent[1].checksum);
}

static void a_frame_begins_with_all_of_its_header(void **state)
{
	static const u32 firsts[] = {13, 14};

	(void)state;
	for (u32 i = 0; i < 2; i++) {
		fake_packet(data_at(DATA + 0x1000 - firsts[i]), 200, INET_TCP, true);
		put(DATA + 0x1000 - firsts[i], 200, REPORT | END, 0); /* a page ends in it */
		memcpy(data_at(DATA + 0x8000), data_at(DATA + 0x1000), 200);
		put(DATA + 0x1000 - firsts[i], firsts[i], REPORT, 0);
		put(DATA + 0x8000, 200 - firsts[i], REPORT | END, 0);
		out(TDT, tail);
		for (u32 n = 0; n < 2; n++) {
			assert_memory_equal(fake.sent[2 * i + n].data,
					    data_at(DATA + 0x1000 - firsts[i]), 200);
			assert_true((fake.sent[2 * i + n].header_bytes == 0) == i);
		}
	}
}

/* --- segments
 * -------------------------------------------------------------------------------------- */

/* What Linux leaves for the card: no length, and a pseudo-header without one. */
static void put_long(u32 at, u32 bytes)
{
	struct inet_ipv4 ip;

	fake_packet(data_at(at), bytes, INET_TCP, false);
	inet_put16(data_at(at + 16), 0);
	inet_put16(data_at(at + 24), 0);
	inet_ipv4(data_at(at), bytes, &ip);
	inet_put16(data_at(at + 50), inet_pseudo(data_at(at), &ip, 0));
}

static void a_long_frame_is_cut_by_the_backend(void **state)
{
	static u8 expected[20000];

	(void)state;
	put_long(DATA + 0x234, 20000);
	fake_packet(expected, 20000, INET_TCP, false);
	put_context(34, 50, 0, CUT | 3 << 24, 54, 1448);
	put(DATA + 0x234, 54, EXTENDED | CUT | REPORT, SUM_IP | SUM_TU);
	put(DATA + 0x234 + 54, 19942, EXTENDED | CUT | REPORT, 0);
	put(DATA + 0x234 + 19996, 4, EXTENDED | CUT | REPORT | END, 0);
	out(TDT, tail);
	assert_int_equal(fake.count, 1);
	assert_int_equal(fake.sent[0].mss, 1448);
	assert_true(fake.sent[0].checksum);
	assert_int_equal(fake.sent[0].bytes, 20000);
	assert_int_equal(fake.sent[0].header_bytes, 54);
	assert_int_equal(fake.sent[0].pieces, 6); /* the pages that they are in */
	assert_memory_equal(fake.sent[0].data, expected, 20000);
	assert_int_equal(in(0x40F8), 1);
	end_frame(0);
	assert_true(is_done(1) && is_done(2) && is_done(3));
	assert_int_equal(in(TDH), 4);
}

/* The frames that came together have the data, and headers that continue. */
static void check_segments(u32 first, u32 bytes, u32 most)
{
	u32 at = 0;

	for (u32 i = first; i < fake.count; i++) {
		const u8 *d = fake.sent[i].data;
		u32 n = fake.sent[i].bytes - 54;
		bool last = at + n == bytes - 54;

		assert_true(n <= most && (last || n % 1000 == 0));
		assert_int_equal(inet_get16(d + 16), n + 40);
		assert_int_equal(inet_get16(d + 18), 0x1234 + at / 1000);
		assert_int_equal((inet_get16(d + 38) << 16 | inet_get16(d + 40)) -
					 (inet_get16(data_at(DATA + 38)) << 16 |
					  inet_get16(data_at(DATA + 40))),
				 at);
		assert_int_equal(d[47], last ? 0x19 : 0x10);
		assert_memory_equal(d + 54, data_at(DATA + 54 + at), n);
		at += n;
	}
	assert_int_equal(at, bytes - 54);
}

static void frames_are_cut_here_if_the_backend_cannot(void **state)
{
	(void)state;
	fake.info.segments = fake.info.checksum = false;
	put_long(DATA, 5500);
	put_context(34, 50, 0, CUT | 3 << 24, 54, 1000);
	put(DATA, 5500, EXTENDED | CUT | REPORT | END, SUM_IP | SUM_TU);
	out(TDT, tail);
	assert_int_equal(fake.count, 6);
	check_segments(0, 5500, 1000);
	for (u32 i = 0; i < 6; i++)
		assert_true(fake_is_summed(fake.sent[i].data, fake.sent[i].bytes));
	for (u32 i = 0; i < 5; i++)
		end_frame(i);
	assert_false(is_done(1));
	assert_int_equal(in(TDH), 1);
	end_frame(5);
	assert_true(is_done(1));
	assert_int_equal(in(TDH), 2);
}

static void a_frame_of_too_many_pieces_is_cut_into_several(void **state)
{
	(void)state;
	put_long(DATA, 100054);
	put_context(34, 50, 0, CUT | 3 << 24, 54, 1000);
	put(DATA, 54, EXTENDED | CUT, SUM_IP | SUM_TU);
	put(DATA + 54, 100000, EXTENDED | CUT | REPORT | END, SUM_IP | SUM_TU);
	fake.room = 1; /* and goes on where it has stopped */
	out(TDT, tail);
	assert_int_equal(fake.count, 1);
	fake.room = 1;
	e1000_update(&e);
	assert_int_equal(fake.count, 2);
	check_segments(0, 100054, 68000);
	assert_int_equal(fake.sent[0].mss, 1000);
	assert_int_equal(fake.sent[1].data[47], 0x19);
	put_long(DATA, 25054); /* pieces of 1000 bytes, each in a page of its own */
	tail = (tail + 1) % RING;
	out(TDH, tail);
	put_context(34, 50, 0, CUT | 3 << 24, 54, 1000);
	put(DATA, 54, EXTENDED | CUT, SUM_IP | SUM_TU);
	for (u32 i = 0; i < 25; i++) {
		memcpy(data_at(DATA + 0x10000 + i * 0x1000), data_at(DATA + 54 + i * 1000), 1000);
		put(DATA + 0x10000 + i * 0x1000, 1000,
		    EXTENDED | CUT | (i == 24 ? REPORT | END : 0), 0);
	}
	fake.room = ~0u;
	out(TDT, tail);
	assert_int_equal(fake.count, 4);
	assert_int_equal(fake.sent[2].pieces, NET_PIECES);
	check_segments(2, 25054, 17000);
}

static void what_cannot_be_cut_is_lost(void **state)
{
	static const struct {
		u32 at;
		u8 value;
		u8 header;
		u32 command;
	} cases[] = {
		{12, 0x86, 54, 3 << 24},  /* not IP */
		{14, 0x46, 54, 3 << 24},  /* another header than the context's */
		{20, 0x20, 54, 3 << 24},  /* a fragment */
		{23, 17, 54, 3 << 24},	  /* UDP */
		{46, 0x60, 54, 3 << 24},  /* TCP's header is longer */
		{46, 0x50, 50, 3 << 24},  /* than the context says */
		{46, 0x50, 200, 3 << 24}, /* nobody has so much */
		{46, 0x50, 0, 3 << 24},
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		u32 first = tail;

		put_long(DATA, 5000);
		fake.memory[DATA + cases[i].at] = cases[i].value;
		put_context(34, 50, 0, CUT | cases[i].command, cases[i].header, 1000);
		put(DATA, 5000, EXTENDED | CUT | REPORT | END, SUM_IP | SUM_TU);
		out(TDT, tail);
		assert_int_equal(fake.count, 0);
		assert_true(is_done(first + 1)); /* and the driver goes on */
	}
	put_long(DATA, 5000);
	put_context(34, 50, 0, CUT | 3 << 24, 54, 0); /* no length: it is sent as it is */
	put(DATA, 5000, EXTENDED | CUT | REPORT | END, 0);
	out(TDT, tail);
	assert_int_equal(fake.count, 1);
	assert_int_equal(fake.sent[0].mss, 0);
}

/* --- a guest that is hostile, or in a hurry
 * --------------------------------------------------------- */

static void a_reset_forgets_what_is_under_way(void **state)
{
	(void)state;
	put(DATA, 64, REPORT | END, 0);
	put(DATA, 64, REPORT | END, 0);
	out(TDT, tail);
	assert_int_equal(fake.count, 2);
	out(CTRL, 0x04000000);
	assert_int_equal(in(TDH), 0);
	memset(data_at(TX_RING), 0, RING * 16);
	configure();
	put(DATA, 77, REPORT | END, 0);
	out(TDT, tail);
	assert_int_equal(fake.count, 3);
	end_frame(1);
	end_frame(0);
	assert_false(is_done(0) || is_done(1));
	assert_int_equal(in(TDH), 0);
	assert_int_equal(in(ICR), 0);
	end_frame(2);
	assert_true(is_done(0));
	assert_false(is_done(1));
	assert_int_equal(in(TDH), 1);
}

static void without_a_link_frames_are_lost_at_once(void **state)
{
	(void)state;
	fake.info.link = false;
	put(DATA, 64, REPORT | END, 0);
	out(TDT, tail);
	assert_int_equal(fake.count, 0);
	assert_true(is_done(0));
	assert_int_equal(in(0x4080), 0);
}

static void rings_and_frames_that_are_none_harm_nobody(void **state)
{
	(void)state;
	put(DATA, 64, REPORT | END, 0);
	out(TDT, RING); /* behind the end */
	out(TDT, 0xFFFF);
	assert_int_equal(fake.count, 0);
	out(TDH, RING);
	out(TDT, 1);
	assert_int_equal(fake.count, 0);
	out(TDH, 0);
	out(TDLEN, 0);
	out(TDT, 1);
	assert_int_equal(fake.count, 0);
	out(TDLEN, RING * 16);
	out(TDBAL, FAKE_HOLE);
	out(TDT, 1);
	assert_int_equal(fake.count, 0);
	out(TDBAL, FAKE_MEMORY - 128); /* the ring's end is behind memory's */
	for (u32 i = 0; i < 8; i++)
		memcpy(data_at(FAKE_MEMORY - 128 + i * 16), data_at(TX_RING), 16);
	out(TDT, RING - 1);
	assert_int_equal(fake.count, 8);
	start(NULL);
	put(FAKE_HOLE + 10, 64, REPORT | END, 0);
	put(DATA, 13, REPORT | END, 0); /* too short to be a frame */
	put(DATA, 0, REPORT | END, 0);
	put(DATA, 20000, REPORT | END, 0); /* and too long */
	put(~0ull - 10, 64, REPORT | END, 0);
	put_context(34, 50, 0, 1 << 24, 0, 0);
	put(FAKE_HOLE - 20, 200, EXTENDED | REPORT | END, SUM_TU | SUM_IP);
	out(TDT, tail);
	assert_int_equal(fake.count, 0);
	for (u32 i = 0; i < 7; i++)
		assert_true(is_done(i) == (i != 5));
}

static void a_frame_without_an_end_is_lost(void **state)
{
	(void)state;
	out(TDLEN, 512 * 16);
	memset(data_at(TX_RING), 0, 512 * 16);
	for (u32 i = 0; i < 300; i++) {
		fake_put32(TX_RING + i * 16, DATA + i);
		fake_put32(TX_RING + i * 16 + 8, REPORT | 1);
	}
	fake_put32(TX_RING + 300 * 16, DATA);
	fake_put32(TX_RING + 300 * 16 + 8, REPORT | END | 64);
	out(TDT, 301);
	assert_int_equal(fake.count, 1);
	assert_int_equal(fake.sent[0].bytes, 44 + 64); /* the rest of it is taken for the next */
	assert_true(is_done(0));
	end_frame(0);
	out(TDH, 400);
	for (u32 i = 400; i < 480; i++) { /* more pieces than a frame can have */
		fake_put32(TX_RING + i * 16, DATA + i * 0x100);
		fake_put32(TX_RING + i * 16 + 8, 10 | REPORT | (i == 479 ? END : 0));
	}
	out(TDT, 480);
	assert_int_equal(fake.count, 1);
	assert_int_equal(in(TDH), 0 + 480);
}

static void only_a_master_reaches_memory(void **state)
{
	u8 frame[PAGE_SIZE] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

	(void)state;
	put(DATA, 64, REPORT | END, 0);
	e.master = false;
	fake.dma = 0;
	out(TDT, tail);
	assert_false(e1000_receive(&e, frame, 60, 0));
	e1000_update(&e);
	assert_int_equal(fake.dma, 0);
	e.master = true;
	e1000_update(&e);
	assert_int_equal(fake.count, 1);
	e.master = false;
	fake.dma = 0;
	end_frame(0);
	assert_int_equal(fake.dma, 0);
}

/* --- receiving
 * ----------------------------------------------------------------------------------------- */

static u8 page[PAGE_SIZE];

static bool receive(u32 bytes, u32 flags)
{
	return e1000_receive(&e, page, bytes, flags);
}

static u32 status_of(u32 n)
{
	return fake.memory[RX_RING + n * 16 + 12];
}

static u32 length_of(u32 n)
{
	return fake_get32(RX_RING + n * 16 + 8) & 0xFFFF;
}

static void a_frame_comes_into_a_buffer(void **state)
{
	(void)state;
	in(ICR);
	fake_packet(page, 1000, INET_TCP, true);
	assert_true(receive(1000, NET_GOOD));
	assert_int_equal(in(RDH), 1);
	assert_int_equal(length_of(0), 1004); /* with its FCS */
	assert_memory_equal(data_at(BUFFERS), page, 1000);
	assert_int_equal(status_of(0), 0x63); /* sums are right */
	assert_true(e1000_irq(&e));
	assert_int_equal(in(ICR), 0x80);
	assert_int_equal(in(0x4074), 1);
	assert_int_equal(in(0x4088), 1004);
	assert_int_equal(in(0x40D0), 1);
	out(RCTL, in(RCTL) | 0x04000000);
	assert_true(receive(1000, 0));
	assert_int_equal(length_of(1), 1000);
	assert_int_equal(status_of(1), 0x43);
	out(RXCSUM, 0);
	assert_true(receive(1000, NET_GOOD));
	assert_int_equal(status_of(2), 0x07); /* nothing is said */
	page[20] = 0x20;
	out(RXCSUM, 0x200);
	assert_true(receive(1000, NET_GOOD));
	assert_int_equal(status_of(3), 0x07); /* nor of a fragment */
}

static void a_checksum_that_is_missing_is_made(void **state)
{
	u8 expected[1000];

	(void)state;
	fake_packet(page, 1000, INET_UDP, false);
	fake_packet(expected, 1000, INET_UDP, true);
	assert_true(receive(1000, NET_UNSUMMED));
	assert_memory_equal(data_at(BUFFERS), expected, 1000);
	assert_int_equal(status_of(0), 0x63);
	inet_put16(page + 16, 1200); /* the packet says that it is longer */
	assert_true(receive(1000, NET_UNSUMMED));
	assert_int_equal(status_of(1) & 0x20, 0);
}

static void short_frames_are_filled_up_and_long_ones_split(void **state)
{
	(void)state;
	memset(data_at(BUFFERS), 0xEE, 100);
	memset(page, 0xFF, sizeof(page));
	assert_true(receive(14, 0));
	assert_int_equal(length_of(0), 64);
	assert_int_equal(data_at(BUFFERS)[13], 0xFF);
	assert_int_equal(data_at(BUFFERS)[14], 0);
	assert_int_equal(data_at(BUFFERS)[59], 0);
	memset(page, 0xFF, sizeof(page));
	assert_true(receive(1515, 0)); /* too long for it */
	assert_int_equal(in(RDH), 1);
	assert_int_equal(in(0x40AC), 1);
	assert_true(receive(1514, 0));
	assert_int_equal(in(RDH), 2);
	out(RCTL, in(RCTL) | 0x20);
	for (u32 i = 6; i < sizeof(page); i++)
		page[i] = (u8)(i >> 4);
	assert_true(receive(4095, 0));
	assert_int_equal(in(RDH), 5);
	assert_int_equal(length_of(2), 2048);
	assert_int_equal(status_of(2), 0x05);
	assert_int_equal(length_of(3), 2048);
	assert_int_equal(length_of(4), 3); /* a part of the FCS alone */
	assert_int_equal(status_of(4), 0x07);
	assert_memory_equal(data_at(BUFFERS + 2 * 2048), page, 4095);
	out(RCTL, (in(RCTL) & ~0x30000u) | 0x30000);
	assert_true(receive(600, 0));
	assert_int_equal(in(RDH), 8); /* buffers of 256 bytes */
	out(RCTL, in(RCTL) | 0x02000000);
	assert_true(receive(600, 0));
	assert_int_equal(in(RDH), 9); /* and of 4096 */
}

static void frames_wait_for_buffers(void **state)
{
	u32 n = 0;

	(void)state;
	memset(page, 0xFF, 60);
	in(ICR);
	for (; n < 2 * RING && receive(60, 0); n++)
		if (n < 30)
			assert_int_equal(in(ICR)&0x10, 0);
	assert_int_equal(n, RING - 1);
	assert_int_equal(in(ICR)&0x10, 0x10); /* less than half of them are left */
	assert_true(e.hungry);
	out(RDT, 5);
	assert_true(receive(60, 0));
	assert_int_equal(in(RDH), 0);
	out(RDH, RING);
	assert_false(receive(60, 0));
	out(RDH, 0);
	out(RDT, RING);
	assert_false(receive(60, 0));
	out(RCTL, 0);
	assert_true(receive(60, 0)); /* nobody wants it */
	out(RCTL, 0x8022);
	out(RDLEN, 128);
	out(RDT, 7);
	out(RCTL, 0x38022);
	n = in(0x4010);
	assert_true(receive(4000, 0)); /* will never have room: 8 buffers of 256 */
	assert_int_equal(in(0x4010), 1);
}

static void buffers_that_are_none_lose_the_frame_alone(void **state)
{
	(void)state;
	memset(page, 0xFF, 60);
	fake_put32(RX_RING, FAKE_HOLE - 4);
	assert_true(receive(60, 0));
	assert_int_equal(status_of(0) & 3, 3);
	out(RDBAL, FAKE_HOLE);
	assert_true(receive(60, 0));
	assert_int_equal(in(RDH), 2);
	for (u32 i = 0; i < PAGE_SIZE; i++)
		assert_int_equal(fake.memory[FAKE_HOLE + i], 0);
}

/* Is a frame to this address received? */
static bool comes(const char *to)
{
	u32 head = in(RDH);

	memset(page, 0x11, 100);
	memcpy(page, to, 6);
	assert_true(receive(100, 0));
	out(RDT, (in(RDH) + RING - 1) % RING);
	return in(RDH) != head;
}

static void filters_choose_frames(void **state)
{
	(void)state;
	out(RCTL, 2);
	assert_true(comes("\x00\x16\x3E\x12\x34\x56"));
	assert_false(comes("\x00\x16\x3E\x12\x34\x57"));
	assert_false(comes("\xFF\xFF\xFF\xFF\xFF\xFF"));
	assert_false(comes("\x01\x00\x5E\x00\x00\x01"));
	out(RCTL, 0x8002);
	assert_true(comes("\xFF\xFF\xFF\xFF\xFF\xFF"));
	out(RCTL, 0x0A); /* promiscuous */
	assert_true(comes("\x00\x16\x3E\x12\x34\x57"));
	assert_false(comes("\x01\x00\x5E\x00\x00\x01"));
	out(RCTL, 0x12);
	assert_true(comes("\x01\x00\x5E\x00\x00\x01"));
	assert_false(comes("\x00\x16\x3E\x12\x34\x57"));
	out(RCTL, 2);
	out(RA + 15 * 8, 0x005E0001); /* a second address */
	out(RA + 15 * 8 + 4, 0x0100);
	assert_false(comes("\x01\x00\x5E\x00\x00\x01"));
	out(RA + 15 * 8 + 4, 0x80000100);
	assert_true(comes("\x01\x00\x5E\x00\x00\x01"));
	assert_int_equal(status_of((in(RDH) + RING - 1) % RING) & 0x80, 0);
	/* e1000_hash_mc_addr(): 12 bits from the last two bytes */
	out(RA + 15 * 8 + 4, 0);
	out(MTA + 4 * (0x568 >> 5), 1u << (0x568 & 31));
	assert_true(comes("\x01\x02\x03\x04\x85\x56"));
	assert_int_equal(status_of((in(RDH) + RING - 1) % RING) & 0x80, 0x80);
	assert_false(comes("\x01\x02\x03\x04\x95\x56"));
	assert_false(comes("\x02\x02\x03\x04\x85\x56"));
	out(RCTL, 0x3002); /* other 12 */
	assert_false(comes("\x01\x02\x03\x04\x85\x56"));
	assert_true(comes("\x01\x02\x03\x04\x68\x85"));
	assert_int_equal(in(0x407C), 4);
	assert_int_equal(in(0x4078), 1);
}

static void tags_are_taken_out_and_filtered(void **state)
{
	(void)state;
	fake_packet(page, 200, INET_TCP, true);
	memmove(page + 16, page + 12, 188);
	memcpy(page + 12, "\x81\x00\x20\x05", 4);
	assert_true(receive(204, 0));
	assert_int_equal(length_of(0), 208);
	assert_int_equal(status_of(0) & 8, 0);
	out(RCTL, in(RCTL) | 0x40000);
	assert_true(receive(204, 0));
	assert_int_equal(in(RDH), 1); /* not one of its VLANs */
	out(VFTA, 1u << 5);
	out(CTRL, in(CTRL) | 0x40000000);
	assert_true(receive(204, NET_GOOD));
	assert_int_equal(in(RDH), 2);
	assert_int_equal(length_of(1), 204);
	assert_int_equal(status_of(1), 0x6B);
	assert_int_equal(fake_get32(RX_RING + 16 + 12) >> 16, 0x2005);
	assert_memory_equal(data_at(BUFFERS + 2048), page, 200);
	assert_int_equal(inet_get16(page + 12), 0x0800);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_driver_finds_address_and_link, start),
		cmocka_unit_test_setup(an_eeprom_waits_for_its_start_bit_and_ignores_writes, start),
		cmocka_unit_test_setup(a_phy_is_read_and_written, start),
		cmocka_unit_test_setup(the_link_comes_and_goes, start),
		cmocka_unit_test_setup(causes_are_cleared_by_being_read, start),
		cmocka_unit_test_setup(registers_keep_what_they_have_bits_for, start),
		cmocka_unit_test_setup(ports_reach_the_registers, start),
		cmocka_unit_test_setup(a_frame_is_sent_and_its_end_is_told, start),
		cmocka_unit_test_setup(frames_end_in_the_order_of_the_ring, start),
		cmocka_unit_test_setup(a_frame_is_sent_when_all_of_it_is_there, start),
		cmocka_unit_test_setup(what_finds_no_room_is_sent_later, start),
		cmocka_unit_test_setup(the_ring_goes_round_and_waits_for_its_own_steps, start),
		cmocka_unit_test_setup(checksums_of_tcp_and_udp_are_left_to_the_backend, start),
		cmocka_unit_test_setup(other_checksums_are_made_here, start),
		cmocka_unit_test_setup(ips_checksum_is_made_here, start),
		cmocka_unit_test_setup(a_tag_is_put_in, start),
		cmocka_unit_test_setup(a_frame_begins_with_all_of_its_header, start),
		cmocka_unit_test_setup(a_long_frame_is_cut_by_the_backend, start),
		cmocka_unit_test_setup(frames_are_cut_here_if_the_backend_cannot, start),
		cmocka_unit_test_setup(a_frame_of_too_many_pieces_is_cut_into_several, start),
		cmocka_unit_test_setup(what_cannot_be_cut_is_lost, start),
		cmocka_unit_test_setup(a_reset_forgets_what_is_under_way, start),
		cmocka_unit_test_setup(without_a_link_frames_are_lost_at_once, start),
		cmocka_unit_test_setup(rings_and_frames_that_are_none_harm_nobody, start),
		cmocka_unit_test_setup(a_frame_without_an_end_is_lost, start),
		cmocka_unit_test_setup(only_a_master_reaches_memory, start),
		cmocka_unit_test_setup(a_frame_comes_into_a_buffer, start),
		cmocka_unit_test_setup(a_checksum_that_is_missing_is_made, start),
		cmocka_unit_test_setup(short_frames_are_filled_up_and_long_ones_split, start),
		cmocka_unit_test_setup(frames_wait_for_buffers, start),
		cmocka_unit_test_setup(buffers_that_are_none_lose_the_frame_alone, start),
		cmocka_unit_test_setup(filters_choose_frames, start),
		cmocka_unit_test_setup(tags_are_taken_out_and_filtered, start),
	};
	return cmocka_run_group_tests_name("pc_e1000", tests, NULL, NULL);
}
