/* SPDX-License-Identifier: GPL-2.0-only */
/* Network cards on the bus: where they answer, their interrupt line, and how often a register is
 * read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_net.h"
#include "pc/pc.h"

#define BAR 0xFEBC0000u
#define BAR_2 0xFEBA0000u
#define PORTS 0xC040u

enum { STATUS = 8, ICR = 0xC0, ICS = 0xC8, IMS = 0xD0, MTA = 0x5200 };

static struct pc pc;
static struct pc_time now;

/* There are no disks. */
void disk_info(unsigned unit, struct disk_info *info)
{
	(void)unit;
	*info = (struct disk_info){0};
}

void disk_submit(unsigned unit, struct disk_request *r)
{
	(void)unit;
	(void)r;
}

void disk_poll(unsigned unit)
{
	(void)unit;
}

static u32 config(u32 device, u32 reg)
{
	pc_out(&pc, 0xCF8, 4, 0x80000000u | device << 11 | reg, &now);
	return pc_in(&pc, 0xCFC, 4, &now);
}

static void set_config(u32 device, u32 reg, u32 value)
{
	config(device, reg);
	pc_out(&pc, 0xCFC, 4, value, &now);
}

static u32 in(u32 at)
{
	u32 value = 0xA5A5A5A5;

	assert_true(pc_mmio_read(&pc, at, &value, 4));
	return value;
}

static void out(u32 at, u32 value)
{
	assert_true(pc_mmio_write(&pc, at, &value, 4));
}

static bool line(void)
{
	return pic_line(&pc.pic, PCI_NET_IRQ);
}

static int power_on(void **state)
{
	(void)state;
	fake_reset();
	memset(&pc, 0xA5, sizeof(pc));
	pc_reset(&pc);
	return 0;
}

static int start(void **state)
{
	power_on(state);
	pc_net_changed(&pc, 0);
	set_config(3, 4, 7);
	return 0;
}

static void without_a_network_there_is_no_card(void **state)
{
	u32 value;

	(void)state;
	fake.info.there = false;
	pc_net_changed(&pc, 0);
	assert_int_equal(config(3, 0), 0xFFFFFFFF);
	assert_false(pc_mmio_read(&pc, BAR, &value, 4));
	assert_false(pc_mmio_write(&pc, BAR, &value, 4));
	assert_int_equal(pc_in(&pc, PORTS, 4, &now), 0xFFFFFFFF);
	assert_int_equal(pic_read(&pc.pic, 0x4D0), 0);
	pc_update_nets(&pc);
}

static void a_card_is_on_the_bus(void **state)
{
	u32 value;

	(void)state;
	pc_net_changed(&pc, 0);
	assert_int_equal(config(3, 0), 0x100F8086);
	assert_int_equal(config(3, 8) >> 8, 0x020000);
	assert_int_equal(config(3, 0x10), BAR);
	assert_int_equal(config(3, 0x18), PORTS | 1);
	assert_int_equal(config(3, 0x3C) & 0xFFFF, 0x100 | PCI_NET_IRQ);
	assert_int_equal(config(4, 0), 0xFFFFFFFF);
	assert_int_equal(pic_read(&pc.pic, 0x4D0), 1 << PCI_NET_IRQ);
	set_config(3, 0x10, 0xFFFFFFFF);
	assert_int_equal(config(3, 0x10), 0xFFFE0000);
	set_config(3, 0x18, 0xFFFFFFFF);
	assert_int_equal(config(3, 0x18), 0xFFC1);
	set_config(3, 0x14, 0xFFFFFFFF);
	assert_int_equal(config(3, 0x14), 0);
	set_config(3, 0x10, 0xE0000000);
	set_config(3, 0x18, 0xD000);
	set_config(3, 4, 7);
	assert_int_equal(in(0xE0000000 + STATUS), 0x783);
	assert_false(pc_mmio_read(&pc, 0xE0020000, &value, 4));
	assert_null(pc_mmio_page(&pc, 0xE0000000)); /* reading has effects */
	pc_out(&pc, 0xD000, 4, STATUS, &now);
	assert_int_equal(pc_in(&pc, 0xD004, 4, &now), 0x783);
	set_config(3, 4, 0);
	assert_false(pc_mmio_read(&pc, 0xE0000000, &value, 4));
	assert_int_equal(pc_in(&pc, 0xD004, 4, &now), 0xFFFFFFFF);
}

static void two_cards_share_a_line(void **state)
{
	(void)state;
	pc_net_changed(&pc, 1);
	set_config(4, 4, 6);
	assert_int_equal(config(4, 0x10), BAR_2);
	out(BAR + IMS, 4);
	out(BAR_2 + IMS, 4);
	assert_false(line());
	out(BAR + ICS, 4);
	assert_true(line());
	out(BAR_2 + ICS, 4);
	assert_int_equal(in(BAR + ICR), 4);
	assert_true(line());
	assert_int_equal(in(BAR_2 + ICR), 4);
	assert_false(line());
	out(BAR + ICS, 4);
	set_config(3, 4, 0x407); /* its pin is off */
	pc_update_nets(&pc);
	assert_false(line());
}

/* A wide access reads two registers, a narrow one all of one. */
static void a_register_is_read_once(void **state)
{
	u8 bytes[12];

	(void)state;
	out(BAR + MTA, 0x12345678);
	out(BAR + MTA + 4, 0x9ABCDEF0);
	out(BAR + ICS, 0x1084);
	assert_true(pc_mmio_read(&pc, BAR + ICR - 4, bytes, 8));
	assert_memory_equal(bytes + 4, "\x84\x10\0\0", 4);
	assert_int_equal(in(BAR + ICR), 0);
	assert_true(pc_mmio_read(&pc, BAR + MTA + 2, bytes, 4));
	assert_memory_equal(bytes, "\x34\x12\xF0\xDE", 4);
	out(BAR + ICS, 0x84);
	assert_true(pc_mmio_read(&pc, BAR + ICR + 1, bytes, 1));
	assert_int_equal(bytes[0], 0);
	assert_int_equal(in(BAR + ICR), 0);
	assert_true(pc_mmio_write(&pc, BAR + MTA + 2, bytes, 4)); /* not a part of one */
	assert_true(pc_mmio_write(&pc, BAR + MTA, bytes, 2));
	assert_int_equal(in(BAR + MTA), 0x12345678);
	memset(bytes, 0x11, 8);
	assert_true(pc_mmio_write(&pc, BAR + MTA, bytes, 8));
	assert_int_equal(in(BAR + MTA + 4), 0x11111111);
	assert_int_equal(pc_in(&pc, PORTS, 2, &now), 0xFFFF);
	pc_out(&pc, PORTS, 4, MTA, &now);
	pc_out(&pc, PORTS + 4, 1, 0, &now);
	assert_int_equal(in(BAR + MTA), 0x11111111);
}

static void frames_go_and_come_by_the_bus(void **state)
{
	u8 page[PAGE_SIZE];

	(void)state;
	out(BAR + 0x3800, 0x1000);
	out(BAR + 0x3808, 128);
	out(BAR + 0x0400, 2);
	fake_put32(0x1000, 0x2000);
	fake_put32(0x1008, 0x09000000 | 60);
	out(BAR + IMS, 0x81);
	set_config(3, 4, 3); /* no master */
	out(BAR + 0x3818, 1);
	assert_int_equal(fake.count, 0);
	set_config(3, 4, 7);
	pc_update_nets(&pc);
	assert_int_equal(fake.count, 1);
	assert_int_equal(fake.sent[0].unit, 0);
	pc_net_sent(&pc, 0, fake.sent[0].tag);
	assert_false(line());
	pc_update_nets(&pc);
	assert_true(line());
	assert_int_equal(in(BAR + ICR) & 1, 1);
	assert_false(line());
	memset(page, 0xFF, sizeof(page));
	out(BAR + 0x2800, 0x3000);
	out(BAR + 0x2808, 128);
	out(BAR + 0x100, 0x8002);
	assert_false(pc_net_receive(&pc, 0, page, 60, 0)); /* no buffers */
	assert_int_equal(fake.ready, 0);
	fake_put32(0x3000, 0x4000);
	out(BAR + 0x2818, 1);
	assert_int_equal(fake.ready, 1);
	assert_true(pc_net_receive(&pc, 0, page, 60, 0));
	assert_true(line());
	out(BAR + 0x2818, 2);
	assert_int_equal(fake.ready, 1); /* nothing waits */
}

static void a_card_stays_without_a_link(void **state)
{
	(void)state;
	out(BAR + IMS, 4);
	fake.info.link = false;
	pc_net_changed(&pc, 0);
	assert_true(line());
	assert_int_equal(in(BAR + STATUS) & 2, 0);
	assert_int_equal(in(BAR + ICR), 4);
	fake.info.link = true;
	pc_net_changed(&pc, 0);
	assert_int_equal(in(BAR + STATUS) & 2, 2);
	assert_int_equal(in(BAR + IMS), 4); /* the same card as before */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(without_a_network_there_is_no_card, power_on),
		cmocka_unit_test_setup(a_card_is_on_the_bus, power_on),
		cmocka_unit_test_setup(two_cards_share_a_line, start),
		cmocka_unit_test_setup(a_register_is_read_once, start),
		cmocka_unit_test_setup(frames_go_and_come_by_the_bus, start),
		cmocka_unit_test_setup(a_card_stays_without_a_link, start),
	};
	return cmocka_run_group_tests_name("pc_nets", tests, NULL, NULL);
}
