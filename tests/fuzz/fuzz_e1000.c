/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest and a backend at the network card: the input is a sequence of register accesses over
 * guest memory that it fills with rings, packets and rubbish, of frames that are sent in any
 * order or find no room, of frames that come, and of a link that comes and goes.
 *
 * True at any time, beside what fake_net.h demands: the card reaches guest memory alone, and
 * only as a master; no step of its ring is lost or ended twice; no access takes long; what the
 * registers say is in their bounds; and in the end, when all frames are sent, a reset brings
 * back a card that sends and receives.
 */
#include "fake_net.h"
#include "input.h"
#include "pc/e1000.h"

#define TX_RING 0x1000u
#define RX_RING 0x4000u
#define PACKETS 0x8000u
#define MOST_DMA 60000u /* accesses to memory in one step */

static struct e1000 *e;

static void demand(bool good, const char *what)
{
	fake_demand(good, what);
}

static u64 some_address(void)
{
	static const u32 edges[] = {FAKE_HOLE, FAKE_MEMORY, 0xFFFFF000u, 0};
	u8 how = next();

	if (how < 220)
		return next_word() * 8 % FAKE_MEMORY;
	return edges[how % 4] + (how % 8 < 4 ? next() : 0u - next());
}

static u32 some_value(void)
{
	u8 how = next();

	switch (how % 4) {
	case 0:
		return 1u << next() % 32;
	case 1:
		return next();
	case 2:
		return (u32)some_address();
	default:
		return next_long();
	}
}

static u32 some_register(void)
{
	static const u16 offsets[] = {
		0x0000, 0x0008, 0x0010, 0x0014, 0x0018, 0x0020, 0x0038, 0x00C0, 0x00C8, 0x00D0,
		0x00D8, 0x0100, 0x0400, 0x2800, 0x2804, 0x2808, 0x2810, 0x2818, 0x3800, 0x3804,
		0x3808, 0x3810, 0x3818, 0x5000, 0x4010, 0x4074, 0x5200, 0x5400, 0x5404, 0x5600};
	u32 n = next();

	return n < 250 ? offsets[n % ARRAY_SIZE(offsets)] : next_word() * 4 % E1000_BYTES;
}

static void put_descriptor(u32 at, u64 buffer, u32 command, u32 options)
{
	memcpy(fake.memory + at, &buffer, 8);
	fake_put32(at + 8, command);
	fake_put32(at + 12, options);
}

/* A frame as a driver would give it, or nearly. */
static void give_frame(void)
{
	u32 n = next(), pieces = 1 + next() % (n & 1 ? 3 : 24), bytes = 54 + next_word() % 9000;
	u32 at = PACKETS + next() * 64, slot = e1000_read(e, 0x3818) & 127;

	fake_packet(fake.memory + at, bytes, n & 2 ? INET_TCP : INET_UDP, n & 4);
	if (n & 8)
		fake.memory[at + next() % 60] = next();
	if (n & 16) {
		put_descriptor(TX_RING + slot++ % 128 * 16,
			       34ull << 32 | (u64)(n & 2 ? 50 : 40) << 40 | (u64)next() << 48,
			       0x20000000 | (u32)next() << 24, 54u << 8 | (u32)next_word() << 16);
		if (n & 32)
			fake.memory[TX_RING + (slot - 1) % 128 * 16 + 11] = 0x27;
	}
	for (u32 i = 0, done = 0; i < pieces; i++) {
		u32 part = i + 1 == pieces ? bytes - done : (bytes - done) / 2;

		put_descriptor(TX_RING + slot++ % 128 * 16,
			       next() % 32 ? at + done : some_address(),
			       part | (n & 16 ? 0x20100000u : 0) | (n & 64 ? 0x04000000u : 0) |
				       0x08000000u | (i + 1 == pieces ? 0x01000000u : 0) |
				       (n & 128 ? 0x40000000u : 0),
			       next_word() << 8);
		done += part;
	}
	e1000_write(e, 0x3818, slot % 128);
}

static void configure(void)
{
	e1000_write(e, 0x3800, TX_RING);
	e1000_write(e, 0x3804, 0);
	e1000_write(e, 0x3808, 128 * 16);
	e1000_write(e, 0x3810, 0);
	e1000_write(e, 0x3818, 0);
	e1000_write(e, 0x0400, 2);
	e1000_write(e, 0x2800, RX_RING);
	e1000_write(e, 0x2804, 0);
	e1000_write(e, 0x2808, 16 * 16);
	e1000_write(e, 0x2810, 0);
	for (u32 i = 0; i < 16; i++)
		put_descriptor(RX_RING + i * 16, 0x50000 + i * 0x1000, 0, 0);
	e1000_write(e, 0x2818, 15);
	e1000_write(e, 0x5000, 0x300);
	e1000_write(e, 0x0100, 0x0000803A);
}

static void poke(void)
{
	u64 at = some_address();

	if (fake_there(at, 4))
		fake_put32((u32)at, some_value());
}

static void end_one(void)
{
	u32 n;

	if (!fake.count)
		return;
	n = next() % fake.count;
	e1000_sent(e, fake.sent[n].tag);
	fake.open[fake.sent[n].tag] = 0;
	free(fake.sent[n].data);
	fake.sent[n] = fake.sent[--fake.count];
	if (next() & 1)
		e1000_update(e);
}

static void receive(void)
{
	static u8 page[PAGE_SIZE];
	u32 n = next(), bytes = n & 1 ? 14 + next() : 14 + next_word() % (PAGE_SIZE - 14);
	bool taken;

	for (u32 i = 0; i < PAGE_SIZE; i++)
		page[i] = (u8)i;
	if (n & 2 && bytes >= 54)
		fake_packet(page, bytes, n & 4 ? INET_TCP : INET_UDP, n & 8);
	else if (n & 4)
		memset(page, 0xFF, 6);
	if (n & 16)
		page[next() % 60] = next();
	if (n & 32)
		memcpy(page + 12, "\x81\x00", 2);
	taken = e1000_receive(e, page, bytes, n >> 6);
	demand(taken || e->hungry, "a frame is refused in silence");
}

static void check(void)
{
	u32 waits = 0;

	demand(e->flight_count <= E1000_FLIGHT && e->flight_first < E1000_FLIGHT, "the flight");
	for (u32 i = 0; i < e->flight_count; i++)
		waits += !e->flight[(e->flight_first + i) % E1000_FLIGHT].sent;
	demand(waits == fake.count, "a step is lost");
	demand(!(e->ims & ~0x1F7FFu) && !(e->icr & ~0x1F7FFu), "a cause that is none");
	demand(e1000_irq(e) == ((e->icr & e->ims) != 0), "the interrupt is wrong");
}

static void step(void)
{
	bool master = e->master;
	u32 n;

	fake.dma = 0;
	switch (next() % 12) {
	case 0 ... 1:
		e1000_write(e, some_register(), some_value());
		break;
	case 2 ... 4:
		give_frame();
		break;
	case 5:
		end_one();
		break;
	case 6:
		receive();
		break;
	case 7:
		n = fake.dma;
		e1000_read(e, some_register());
		demand(n == fake.dma, "a read reaches memory");
		break;
	case 8:
		n = fake.dma;
		poke();
		fake.dma = n;
		break;
	case 9:
		n = next();
		fake.info.link = n & 1 || n & 64;
		fake.info.checksum = n & 2 || n & 64;
		fake.info.segments = n & 4 || n & 64;
		fake.room = n & 8 ? n >> 4 : ~0u;
		e1000_look(e, &fake.info);
		break;
	case 10:
		n = next();
		e->master = n & 7;
		if (n & 8)
			configure();
		e1000_port_write(e, n & 16 ? 4 : 0, some_value());
		e1000_port_read(e, n & 32 ? 4 : 0);
		break;
	default:
		e1000_update(e);
	}
	demand(fake.dma < MOST_DMA * 20, "a step takes too long");
	demand(master || e->master || !fake.dma, "memory is reached without leave");
	check();
}

/* All that is under way comes to its end, and a driver may begin. */
static void end(void)
{
	u8 page[PAGE_SIZE] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

	e->master = true;
	fake.room = 0;
	e1000_write(e, 0, 0x04000000);
	configure();
	while (fake.count) {
		e1000_sent(e, fake.sent[--fake.count].tag);
		fake.open[fake.sent[fake.count].tag] = 0;
		free(fake.sent[fake.count].data);
	}
	e1000_update(e);
	demand(!e->flight_count, "a step without an end");
	fake.info.link = true;
	fake.room = ~0u;
	put_descriptor(TX_RING, PACKETS, 0x09000000 | 60, 0);
	e1000_write(e, 0x3818, 1);
	demand(fake.count == 1, "nothing is sent any more");
	e1000_sent(e, fake.sent[0].tag);
	fake_forget();
	e1000_update(e);
	demand(fake.memory[TX_RING + 12] & 1 && e1000_read(e, 0x3810) == 1, "no end is told");
	demand(e1000_receive(e, page, 60, 0) && e1000_read(e, 0x2810) == 1, "nothing is received");
	check();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	static u8 hole[PAGE_SIZE];

	e = malloc(sizeof(*e)); /* on the heap: its ends are guarded */
	if (!e)
		abort();
	fake_reset();
	memset(e, 0xA5, sizeof(*e));
	e1000_power_on(e, 1);
	e1000_attach(e, &fake.info);
	e->master = true;
	configure();
	in = (struct input){data, bytes};
	while (in.left)
		step();
	end();
	demand(!memcmp(hole, fake.memory + FAKE_HOLE, PAGE_SIZE), "the hole was written to");
	fake_forget();
	free(e);
	return 0;
}
