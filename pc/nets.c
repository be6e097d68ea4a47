/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What connects the network cards with the rest of the PC: their PCI functions, ports, memory
 * and the interrupt line that they share.
 *
 * Kept true: a card is there, and on the PCI bus, from when its unit has come; before that no
 * access costs anything and no bit differs.  It stays when the unit is gone, without a link.
 * Cards get at memory only as far as their PCI command registers allow.  Each access of the
 * guest's reads a register once.
 */
#include "pc.h"
#include "lib/mem.h"

static void drive(struct pc *pc)
{
	bool level = false;

	for (u32 i = 0; i < NETS; i++)
		level |= pc->nets.card[i].there && e1000_irq(&pc->nets.card[i]) &&
			 pci_interrupts(&pc->pci, PCI_NET + i);
	if (pic_line(&pc->pic, PCI_NET_IRQ) != level)
		pic_set_irq(&pc->pic, PCI_NET_IRQ, level);
}

/* Who may reach memory is asked anew before anybody might. */
static struct e1000 *card(struct pc *pc, unsigned unit)
{
	struct e1000 *e = &pc->nets.card[unit];

	e->master = pci_masters(&pc->pci, PCI_NET + unit);
	return e;
}

void pc_update_nets(struct pc *pc)
{
	if (!pc->nets.there)
		return;
	for (u32 i = 0; i < NETS; i++)
		e1000_update(card(pc, i));
	drive(pc);
}

void pc_net_changed(struct pc *pc, unsigned unit)
{
	struct e1000 *e = card(pc, unit);
	struct net_info info;

	net_info(unit, &info);
	if (!e->there && info.there) {
		e1000_attach(e, &info);
		pc->nets.there = true;
		pci_show(&pc->pci, PCI_NET + unit);
		pic_write(&pc->pic, 0x4D0, pic_read(&pc->pic, 0x4D0) | 1u << PCI_NET_IRQ);
	} else if (e->there) {
		e1000_look(e, &info);
	}
	pc_update_nets(pc);
}

void pc_net_sent(struct pc *pc, unsigned unit, u8 tag)
{
	e1000_sent(&pc->nets.card[unit], tag);
}

bool pc_net_receive(struct pc *pc, unsigned unit, u8 *frame, u32 bytes, u32 flags)
{
	bool taken = e1000_receive(card(pc, unit), frame, bytes, flags);

	drive(pc);
	return taken;
}

/* --- accesses --------------------------------------------------------------------------------- */

/* The card whose memory is at gpa, and the offset there; NETS: there is none. */
static unsigned card_at(const struct pc *pc, u64 gpa, u32 *offset)
{
	for (u32 i = 0; i < NETS; i++)
		if (pci_decodes_memory(&pc->pci, PCI_NET + i, gpa, offset))
			return i;
	return NETS;
}

static unsigned card_of_port(const struct pc *pc, u16 port, u32 *offset)
{
	for (u32 i = 0; i < NETS; i++)
		if (pci_decodes_port(&pc->pci, PCI_NET + i, port, offset))
			return i;
	return NETS;
}

/* A register was written: frames that waited for this may come. */
static void wrote(struct pc *pc, unsigned unit)
{
	struct e1000 *e = &pc->nets.card[unit];

	drive(pc);
	if (!e->hungry)
		return;
	e->hungry = false;
	net_ready(unit);
}

static u32 read_register(struct pc *pc, unsigned unit, u32 offset)
{
	u32 value;

	if (offset == E1000_ICR)
		net_poll(unit);
	value = e1000_read(card(pc, unit), offset);
	drive(pc);
	return value;
}

/* Of registers of four bytes; a narrower access reads all of one. */
bool nets_read(struct pc *pc, u64 gpa, void *to, u32 bytes)
{
	u32 offset, value = 0;
	unsigned unit = card_at(pc, gpa, &offset);
	u8 *out = to;

	if (unit == NETS)
		return false;
	for (u32 i = 0; i < bytes; i++, offset++) {
		if (!i || !(offset & 3))
			value = read_register(pc, unit, offset & ~3u);
		out[i] = value >> 8 * (offset & 3) & 0xFF;
	}
	return true;
}

/* Registers are written by aligned stores of 4 bytes or more (8254x manual, 13.3). */
bool nets_write(struct pc *pc, u64 gpa, const void *from, u32 bytes)
{
	u32 offset, value;
	unsigned unit = card_at(pc, gpa, &offset);
	const u8 *at = from;

	if (unit == NETS)
		return false;
	if ((offset | bytes) & 3)
		return true;
	for (; bytes; offset += 4, at += 4, bytes -= 4) {
		memcpy(&value, at, 4);
		e1000_write(card(pc, unit), offset, value);
	}
	wrote(pc, unit);
	return true;
}

bool nets_in(struct pc *pc, u16 port, unsigned size, u32 *value)
{
	u32 offset;
	unsigned unit = card_of_port(pc, port, &offset);

	if (unit == NETS || size != 4 || (offset & 3) || offset >= E1000_PORT_BYTES)
		return false;
	*value = e1000_port_read(card(pc, unit), offset);
	drive(pc);
	return true;
}

bool nets_out(struct pc *pc, u16 port, unsigned size, u32 value)
{
	u32 offset;
	unsigned unit = card_of_port(pc, port, &offset);

	if (unit == NETS || size != 4 || (offset & 3) || offset >= E1000_PORT_BYTES)
		return false;
	e1000_port_write(card(pc, unit), offset, value);
	wrote(pc, unit);
	return true;
}

void nets_reset(struct nets *n)
{
	n->there = false;
	for (u32 i = 0; i < NETS; i++)
		e1000_power_on(&n->card[i], i);
}
