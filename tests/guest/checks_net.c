/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A network card, an 82545EM, driven as a plain driver does it: found by PCI, its EEPROM read,
 * frames to a neighbour and back: ARP, ping of several sizes, and TCP, of which checksums and
 * segments are left to the card.  With a "net" on the command line only; the neighbour is
 * what tools/host/vifs.py tells: 192.168.76.1, and .2 with an echo at port 7.
 *
 * Source: the 8254x manual; RFC 826, 791, 792, 793.  On the host bare QEMU's own card is the
 * other side.
 */
#include "checks.h"
#include "irq.h"
#include "mm.h"

#define REGISTERS (VMALLOC_END - 0x20000) /* of the card, in the kernel's space */
#define REGISTER_PAGES 6u
#define PCD 0x10u
#define WAIT_MS 20000u /* a host may be busy */

#define CTRL 0x0000u
#define STATUS 0x0008u
#define EERD 0x0014u
#define ICR 0x00C0u
#define IMS 0x00D0u
#define IMC 0x00D8u
#define RCTL 0x0100u
#define TCTL 0x0400u
#define RDBAL 0x2800u
#define TDBAL 0x3800u
#define AT_LEN 0x08u /* from RDBAL and TDBAL on */
#define AT_HEAD 0x10u
#define AT_TAIL 0x18u
#define RAL 0x5400u

#define RING 8u /* descriptors of each */
#define TX_END 0x01000000u
#define TX_CUT 0x04000000u
#define TX_REPORT 0x08000000u
#define TX_DATA 0x20100000u
#define TX_CONTEXT 0x20000000u
#define TX_SUMS 0x0300u

#define OUR_IP 0xC0A84C63u /* 192.168.76.99 */
#define THEIR_IP 0xC0A84C01u
#define ECHO_IP 0xC0A84C02u
#define PORT_HERE 0x1234u
#define PORT_ECHO 7u
#define SEGMENT 1000u

#define ETHER 14u
#define IP_AT ETHER
#define TCP_AT (IP_AT + 20)
#define TCP_DATA (TCP_AT + 20)
#define SYN 0x02u
#define RST 0x04u
#define PSH 0x08u
#define ACK 0x10u

static u32 tx_ring, rx_ring, out_page[2], in_page[RING / 2]; /* frames */
static u32 tx_at, rx_at;
static u8 our_mac[6], their_mac[6];

static u32 pci_config(u32 devfn, u32 reg)
{
	u32 value;

	asm volatile("outl %0, %w1" : : "a"(0x80000000u | devfn << 8 | reg), "d"(0xCF8));
	asm volatile("inl %w1, %0" : "=a"(value) : "d"(0xCFC));
	return value;
}

static void pci_set(u32 devfn, u32 reg, u32 value)
{
	asm volatile("outl %0, %w1" : : "a"(0x80000000u | devfn << 8 | reg), "d"(0xCF8));
	asm volatile("outl %0, %w1" : : "a"(value), "d"(0xCFC));
}

static u32 get(u32 reg)
{
	return *(volatile u32 *)(REGISTERS + reg);
}

static void put(u32 reg, u32 value)
{
	*(volatile u32 *)(REGISTERS + reg) = value;
}

static u32 find_card(void)
{
	for (u32 devfn = 0; devfn < 256; devfn++)
		if (pci_config(devfn, 0) == 0x100F8086)
			return devfn;
	return ~0u;
}

static bool late(u64 end)
{
	return ops.cycle_counter(COUNTER_REAL) > end;
}

static u64 deadline(void)
{
	return ops.cycle_counter(COUNTER_REAL) + cycles_ms(WAIT_MS);
}

/* --- bytes ------------------------------------------------------------------------------ */

static void put16(u8 *at, u32 value)
{
	at[0] = (u8)(value >> 8);
	at[1] = (u8)value;
}

static void put32(u8 *at, u32 value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xFFFF);
}

static u32 get16(const u8 *at)
{
	return (u32)at[0] << 8 | at[1];
}

static u32 get32(const u8 *at)
{
	return get16(at) << 16 | get16(at + 2);
}

static u32 add(u32 sum, const u8 *at, u32 bytes)
{
	for (u32 i = 0; i < bytes; i++)
		sum += i & 1 ? at[i] : (u32)at[i] << 8;
	return sum;
}

static u32 fold(u32 sum)
{
	sum = (sum & 0xFFFF) + (sum >> 16);
	return (sum & 0xFFFF) + (sum >> 16);
}

static u8 data_byte(u32 i)
{
	return (u8)(i * 7 + (i >> 8));
}

/* --- frames --------------------------------------------------------------------------------- */

static u32 *descriptor(u32 ring, u32 n)
{
	return (u32 *)((u8 *)page_address(ring) + n % RING * 16);
}

static void start_card(void)
{
	put(IMC, ~0u);
	put(CTRL, 0x04000000); /* reset */
	spin_ms(2);
	put(IMC, ~0u);
	put(CTRL, get(CTRL) | 0x40); /* the link is wanted */
	put(TDBAL, tx_ring << PAGE_SHIFT);
	put(TDBAL + 4, 0);
	put(TDBAL + AT_LEN, RING * 16);
	put(TDBAL + AT_HEAD, 0);
	put(TDBAL + AT_TAIL, 0);
	put(TCTL, 0x0003F0FA);
	put(RDBAL, rx_ring << PAGE_SHIFT);
	put(RDBAL + 4, 0);
	put(RDBAL + AT_LEN, RING * 16);
	for (u32 i = 0; i < RING; i++)
		descriptor(rx_ring, i)[0] = (in_page[i / 2] << PAGE_SHIFT) + i % 2 * 2048;
	put(RDBAL + AT_HEAD, 0);
	put(RDBAL + AT_TAIL, RING - 1);
	put(RCTL, 0x8002); /* frames to us and to all, 2 KB */
	tx_at = rx_at = 0;
}

static void give(u32 low, u32 high, u32 command, u32 options)
{
	u32 *d = descriptor(tx_ring, tx_at++);

	d[0] = low;
	d[1] = high;
	d[2] = command;
	d[3] = options;
}

/* Tells the card, and waits until it is done with the last descriptor. */
static bool sent(void)
{
	volatile u32 *d = descriptor(tx_ring, tx_at - 1);
	u64 end = deadline();

	put(TDBAL + AT_TAIL, tx_at % RING);
	while (!(d[3] & 1))
		if (late(end))
			return false;
	return true;
}

static u8 *out(void)
{
	return page_address(out_page[0]);
}

/* Sends the bytes of the first page, in one piece or two. */
static bool send(u32 bytes, u32 first)
{
	u32 pa = out_page[0] << PAGE_SHIFT;

	if (first < bytes)
		give(pa, 0, first, 0);
	else
		first = 0;
	give(pa + first, 0, TX_REPORT | TX_END | (bytes - first), 0);
	return sent();
}

/* The next frame that has come, of *bytes without its FCS; NULL: none has in time. */
static const u8 *receive(u32 *bytes)
{
	volatile u32 *d = descriptor(rx_ring, rx_at);
	u64 end = deadline();

	while (!(d[3] & 1))
		if (late(end))
			return NULL;
	*bytes = (d[2] & 0xFFFF) - 4;
	return (u8 *)page_address(in_page[rx_at % RING / 2]) + rx_at % 2 * 2048;
}

/* The card may have its buffer again. */
static void take(void)
{
	volatile u32 *d = descriptor(rx_ring, rx_at);

	d[3] = 0;
	put(RDBAL + AT_TAIL, rx_at % RING);
	rx_at++;
}

static void ether(u32 type)
{
	memcpy(out(), their_mac, 6);
	memcpy(out() + 6, our_mac, 6);
	put16(out() + 12, type);
}

static void ip(u32 to, u32 protocol, u32 bytes, bool sum)
{
	u8 *at = out() + IP_AT;

	ether(0x0800);
	memset(at, 0, 20);
	at[0] = 0x45;
	put16(at + 2, 20 + bytes);
	at[8] = 64;
	at[9] = (u8)protocol;
	put32(at + 12, OUR_IP);
	put32(at + 16, to);
	if (sum)
		put16(at + 10, ~fold(add(0, at, 20)));
}

/* --- checks ------------------------------------------------------------------------------------
 */

static void check_eeprom(void)
{
	u32 sum = 0, word[3] = {0};

	for (u32 i = 0; i < 64; i++) {
		u64 end = deadline();

		put(EERD, i << 8 | 1);
		while (!(get(EERD) & 0x10) && !late(end))
			;
		sum += get(EERD) >> 16;
		if (i < 3)
			word[i] = get(EERD) >> 16;
	}
	check_eq("the words of the EEPROM have the right sum", 0xBABA, sum & 0xFFFF);
	for (u32 i = 0; i < 6; i++)
		our_mac[i] = (u8)(word[i / 2] >> i % 2 * 8);
	check_eq("the card has the address that is there", word[0] | word[1] << 16, get(RAL));
	check("it is one of Xen's", our_mac[0] == 0 && our_mac[1] == 0x16 && our_mac[2] == 0x3E);
}

static void check_link(void)
{
	u64 end = deadline();

	while (!(get(STATUS) & 2) && !late(end))
		;
	check("the link is up", get(STATUS) & 2);
	check("it has 1000 Mb/s, full duplex", (get(STATUS) & 0xC1) == 0x81);
}

static void check_arp(void)
{
	u8 *at = out() + ETHER;
	const u8 *frame;
	u32 bytes;

	memset(their_mac, 0xFF, 6);
	memset(out(), 0, 60);
	ether(0x0806);
	memcpy(at, "\0\1\10\0\6\4\0\1", 8);
	memcpy(at + 8, our_mac, 6);
	put32(at + 14, OUR_IP);
	put32(at + 24, THEIR_IP);
	check("a frame is sent", send(60, 60));
	for (;;) {
		frame = receive(&bytes);
		if (!frame || (get16(frame + 12) == 0x0806 && get32(frame + 28) == THEIR_IP &&
			       frame[21] == 2))
			break;
		take();
	}
	check("the neighbour answers", frame);
	if (!frame)
		return;
	check("the answer is to us", get32(frame + 38) == OUR_IP && bytes >= 42);
	memcpy(their_mac, frame + 22, 6);
	take();
}

/* An answer of this protocol, from there; NULL: none. */
static const u8 *answer(u32 from, u32 protocol, u32 *bytes)
{
	for (;; take()) {
		const u8 *frame = receive(bytes);

		if (!frame || (get16(frame + 12) == 0x0800 && frame[IP_AT + 9] == protocol &&
			       get32(frame + IP_AT + 12) == from))
			return frame;
	}
}

static bool ping(u32 data, u32 first)
{
	u32 size = 8 + data, bytes, wrong = 0;
	u8 *at = out() + TCP_AT;
	const u8 *frame;

	ip(THEIR_IP, 1, size, true);
	memset(at, 0, 8);
	at[0] = 8;
	put16(at + 6, data);
	for (u32 i = 0; i < data; i++)
		at[8 + i] = data_byte(i);
	put16(at + 2, ~fold(add(0, at, size)));
	if (!send(TCP_AT + size, first))
		return false;
	frame = answer(THEIR_IP, 1, &bytes);
	if (!frame)
		return false;
	wrong += frame[TCP_AT] != 0 || get16(frame + TCP_AT + 6) != data ||
		 get16(frame + IP_AT + 2) != 20 + size;
	for (u32 i = 0; i < data; i++)
		wrong += frame[TCP_AT + 8 + i] != data_byte(i);
	take();
	return !wrong;
}

static void check_pings(void)
{
	check("a ping comes back", ping(32, 2000));
	check("so does one of 1472 bytes", ping(1472, 2000));
	check("and one without data, which is filled up", ping(0, 2000));
	check("and one of two pieces", ping(700, 300));
	check("and one whose first piece is a part of the header", ping(700, 9));
}

static volatile u32 net_irqs;

void net_irq(void)
{
	net_irqs += (get(ICR) & 0x80) != 0;
}

static void check_interrupt(u32 line)
{
	u8 mask = inb(0x21);

	get(ICR);
	net_irq_line = line;
	put(IMS, 0x80);
	outb((u8)(mask & (line < 8 ? ~(1u << line) : ~4u)), 0x21);
	if (line >= 8)
		outb((u8) ~(1u << (line - 8)), 0xA1);
	check("with interrupts a ping comes back", ping(100, 2000));
	spin_ms(20);
	outb(mask, 0x21);
	outb(0xFF, 0xA1);
	put(IMC, ~0u);
	net_irq_line = 0;
	check("it has interrupted", net_irqs != 0);
}

/* --- TCP: the card makes checksums and segments
 * --------------------------------------------------- */

static u32 seq, ack;

static u32 pseudo(u32 to, u32 bytes)
{
	u8 addresses[8];

	put32(addresses, OUR_IP);
	put32(addresses + 4, to);
	return fold(add(6 + bytes, addresses, 8));
}

/* A segment, whose data are in the second page: cut by the card if there are more of them than a
 * segment has. */
static bool send_tcp(u32 flags, u32 data)
{
	u32 pa = out_page[0] << PAGE_SHIFT, data_pa = out_page[1] << PAGE_SHIFT;
	u32 cut = data > SEGMENT ? TX_CUT : 0;
	u8 *tcp = out() + TCP_AT;

	ip(ECHO_IP, 6, 20 + data, false);
	if (cut)
		put16(out() + IP_AT + 2, 0);
	memset(tcp, 0, 20);
	put16(tcp, PORT_HERE);
	put16(tcp + 2, PORT_ECHO);
	put32(tcp + 4, seq);
	put32(tcp + 8, ack);
	tcp[12] = 0x50;
	tcp[13] = (u8)flags;
	put16(tcp + 14, 8192);
	put16(tcp + 16, pseudo(ECHO_IP, cut ? 0 : 20 + data));
	give(IP_AT | (IP_AT + 10) << 8 | (TCP_AT - 1) << 16, TCP_AT | (TCP_AT + 16) << 8,
	     TX_CONTEXT | TX_REPORT | cut | 3u << 24 | data, TCP_DATA << 8 | SEGMENT << 16);
	give(pa, 0, TX_DATA | cut | (data ? 0 : TX_END) | TX_REPORT | TCP_DATA, TX_SUMS);
	if (data)
		give(data_pa, 0, TX_DATA | cut | TX_END | TX_REPORT | data, TX_SUMS);
	seq += data;
	return sent();
}

static bool is_ours(const u8 *frame)
{
	return get16(frame + TCP_AT) == PORT_ECHO && get16(frame + TCP_AT + 2) == PORT_HERE;
}

/* Receives and acknowledges so many bytes of the echo; how many of them are wrong. */
static u32 receive_echo(u32 all)
{
	u32 got = 0, wrong = 0, bytes;

	while (got < all) {
		const u8 *frame = answer(ECHO_IP, 6, &bytes), *data;
		u32 n;

		if (!frame)
			return all - got + wrong;
		data = frame + TCP_AT + (frame[TCP_AT + 12] >> 4) * 4;
		n = get16(frame + IP_AT + 2) - 20 - (frame[TCP_AT + 12] >> 4) * 4;
		if (is_ours(frame) && n && get32(frame + TCP_AT + 4) == ack) {
			for (u32 i = 0; i < n; i++)
				wrong += data[i] != data_byte(got + i);
			got += n;
			ack += n;
		}
		take();
		if (n)
			send_tcp(ACK, 0);
	}
	return wrong;
}

static void check_tcp(void)
{
	u8 *data = page_address(out_page[1]);
	const u8 *frame;
	u32 bytes;

	for (u32 i = 0; i < PAGE_SIZE; i++)
		data[i] = data_byte(i);
	seq = 1000;
	ack = 0;
	check("a segment is sent whose checksums the card makes", send_tcp(SYN, 0));
	frame = answer(ECHO_IP, 6, &bytes);
	check("it is answered",
	      frame && is_ours(frame) && (frame[TCP_AT + 13] & (SYN | ACK | RST)) == (SYN | ACK));
	if (!frame)
		return;
	ack = get32(frame + TCP_AT + 4) + 1;
	check_eq("by one that acknowledges ours", ++seq, get32(frame + TCP_AT + 8));
	take();
	send_tcp(ACK, 0);
	check("data are sent in one segment", send_tcp(ACK | PSH, 600));
	check_eq("they come back as they were", 0, receive_echo(600));
	check("data are sent that the card cuts into segments", send_tcp(ACK | PSH, 4000));
	check_eq("they come back, too", 0, receive_echo(4000));
	send_tcp(RST | ACK, 0);
}

void checks_net(void)
{
	u32 devfn;

	if (!option("net"))
		return;
	check_subject("net");
	devfn = find_card();
	check("there is a network card", devfn != ~0u);
	if (devfn == ~0u)
		return;
	pci_set(devfn, 4, 7); /* ports, memory, bus master */
	for (u32 i = 0; i < REGISTER_PAGES; i++)
		map_kernel(REGISTERS + i * PAGE_SIZE, (pci_config(devfn, 0x10) >> PAGE_SHIFT) + i,
			   PTE_KERNEL | PCD);
	tx_ring = page_alloc_zeroed();
	rx_ring = page_alloc_zeroed();
	out_page[0] = page_alloc_zeroed();
	out_page[1] = page_alloc_zeroed();
	for (u32 i = 0; i < RING / 2; i++)
		in_page[i] = page_alloc();
	irq_enable();
	start_card();
	check_eeprom();
	check_link();
	check_arp();
	check_pings();
	check_interrupt(pci_config(devfn, 0x3C) & 0xFF);
	check_tcp();
	put(RCTL, 0);
	put(TCTL, 0);
	check_subject(NULL);
}
