/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual
 * (8254x), of which this is the 82545EM with copper.
 *
 * The guest has two rings of descriptors in its memory, one of buffers that are to be sent
 * (e1000_send.c), one of buffers for what comes (e1000_receive.c).  It moves a ring's tail
 * (TDT, RDT), the card its head.  A descriptor that the card is done with is written back, with
 * an interrupt.
 *
 * Kept true:
 *  - Whatever the guest writes is a number within the register's bits, and is looked at where
 *    it is used: a tail or a head behind the ring's end is an empty ring.
 *  - Reading a register changes nothing, but for ICR, which is cleared, and the statistics,
 *    which are, too.  So each of a guest's reads must come here once.
 *  - A descriptor of the transmit ring is written back when the backend has let go of its
 *    buffer, and in the order of the ring.  Nobody can call back what is under way when the
 *    guest resets the card; it is only not told any more.
 *  - Guest memory is reached by dma.h alone, and only while PCI lets the card be a master.
 *
 * Not there: the timers that hold interrupts back (ITR, RDTR, RADV, TIDV, TADV: each event is
 * told at once), flow control by PAUSE, wake-up, the manageability engine, flash memory,
 * PCI-X, and loopback.
 */
#include "e1000_parts.h"
#include "lib/mem.h"

#define CTRL_RST 0x04000000u
#define CTRL_PHY_RST 0x80000000u
#define CTRL_AT_RESET 0x00000201u /* full duplex, 1000 Mb/s */
#define STATUS_FIXED 0x00000781u  /* full duplex, 1000 Mb/s as detected, clock runs; PCI */
#define STATUS_LU 0x00000002u
#define EXT_EE_RST 0x00002000u
#define ADDRESS_VALID 0x80000000u
#define ADDRESS_BITS 0x8003FFFFu

/* Registers that are more than memory. */
#define R_STATUS 0x0008u
#define R_EECD 0x0010u
#define R_EERD 0x0014u
#define R_MDIC 0x0020u
#define R_ICS 0x00C8u
#define R_IMS 0x00D0u
#define R_IMC 0x00D8u
#define R_TDH 0x3810u

/* Where the register is that a write changes alone, or E1000_REGISTERS_END. */
static enum e1000_register plain(u32 offset)
{
	switch (offset) {
#define X(name, at, bits)                                                                          \
	case at:                                                                                   \
		return E1000_##name;
		E1000_REGISTERS(X)
#undef X
	}
	return E1000_REGISTERS_END;
}

static u32 bits_of(enum e1000_register r)
{
	static const u32 bits[] = {
#define X(name, at, mask) [E1000_##name] = (mask),
		E1000_REGISTERS(X)
#undef X
	};

	return bits[r];
}

/* An entry of one of the tables, or NULL. */
static u32 *table_entry(struct e1000 *e, u32 offset)
{
	switch (offset) {
	case 0x4000 ... 0x4000 + sizeof(e->statistics) - 4:
		return &e->statistics[(offset - 0x4000) / 4];
	case 0x5200 ... 0x53FC:
		return &e->multicast[(offset - 0x5200) / 4];
	case 0x5400 ... 0x547C:
		return &e->addresses[(offset - 0x5400) / 8][offset / 4 % 2];
	case 0x5600 ... 0x57FC:
		return &e->vlan[(offset - 0x5600) / 4];
	}
	return NULL;
}

/* --- reads ------------------------------------------------------------------------------- */

static u32 take(u32 *value)
{
	u32 old = *value;

	*value = 0;
	return old;
}

static u32 read_table(struct e1000 *e, u32 offset)
{
	u32 *entry = table_entry(e, offset);

	if (!entry)
		return 0;
	return offset < 0x5000 ? take(entry) : *entry;
}

u32 e1000_read(struct e1000 *e, u32 offset)
{
	enum e1000_register r;

	switch (offset) {
	case R_STATUS:
		return STATUS_FIXED | (e->link ? STATUS_LU : 0);
	case R_EECD:
		return e1000_serial_read(e);
	case R_EERD:
		return e->eerd;
	case R_MDIC:
		return e->mdic;
	case E1000_ICR:
		return take(&e->icr);
	case R_IMS:
		return e->ims;
	case R_TDH:
		return e1000_sent_head(e);
	}
	r = plain(offset);
	return r < E1000_REGISTERS_END ? e->reg[r] : read_table(e, offset);
}

/* --- reset --------------------------------------------------------------------------------- */

/* The card's own address is that of the EEPROM. */
static void load_address(struct e1000 *e)
{
	e->addresses[0][0] = e->eeprom[0] | (u32)e->eeprom[1] << 16;
	e->addresses[0][1] = e->eeprom[2] | ADDRESS_VALID;
}

static void reset(struct e1000 *e)
{
	e1000_forget_sent(e);
	memset(e->reg, 0, sizeof(e->reg));
	memset(e->statistics, 0, sizeof(e->statistics));
	memset(e->addresses, 0, sizeof(e->addresses));
	memset(e->multicast, 0, sizeof(e->multicast));
	memset(e->vlan, 0, sizeof(e->vlan));
	memset(&e->serial, 0, sizeof(e->serial));
	e->context = (struct e1000_context){0};
	e->icr = e->ims = e->mdic = e->eerd = e->tdh = 0;
	e->reg[E1000_CTRL] = CTRL_AT_RESET;
	e->reg[E1000_PBA] = 0x30; /* KB for what comes */
	e->reg[E1000_LEDCTL] = 0x07061302;
	load_address(e);
}

/* --- writes ---------------------------------------------------------------------------------- */

static void write_control(struct e1000 *e, u32 value)
{
	if (value & CTRL_RST)
		reset(e);
	if (!(value & CTRL_PHY_RST))
		return;
	e1000_reset_phy(e);
	if (e->link)
		e1000_cause(e, CAUSE_LINK);
}

/* What a write does beside changing the register. */
static void wrote(struct e1000 *e, enum e1000_register r, u32 value)
{
	switch (r) {
	case E1000_CTRL:
		write_control(e, value);
		break;
	case E1000_CTRL_EXT:
		if (value & EXT_EE_RST)
			load_address(e);
		break;
	case E1000_TDBAL:
	case E1000_TDBAH:
	case E1000_TDLEN:
		e1000_forget_sent(e);
		break;
	case E1000_TDT:
	case E1000_TCTL:
		e1000_run(e);
		break;
	default:
		break;
	}
}

static void write_table(struct e1000 *e, u32 offset, u32 value)
{
	u32 *entry = table_entry(e, offset);

	if (entry && offset >= 0x5000)
		*entry = offset >= 0x5400 && offset < 0x5480 && offset & 4 ? value & ADDRESS_BITS
									   : value;
}

void e1000_write(struct e1000 *e, u32 offset, u32 value)
{
	enum e1000_register r;

	switch (offset) {
	case R_EECD:
		e1000_serial_write(e, value);
		return;
	case R_EERD:
		e->eerd = e1000_eeprom_word(e, value);
		return;
	case R_MDIC:
		e->mdic = e1000_phy_access(e, value);
		return;
	case E1000_ICR:
		e->icr &= ~value;
		return;
	case R_ICS:
		e1000_cause(e, value);
		return;
	case R_IMS:
		e->ims |= value & CAUSES;
		return;
	case R_IMC:
		e->ims &= ~value;
		return;
	case R_TDH:
		e1000_forget_sent(e);
		e->tdh = value & 0xFFFF;
		return;
	}
	r = plain(offset);
	if (r == E1000_REGISTERS_END) {
		write_table(e, offset, value);
		return;
	}
	e->reg[r] = value & bits_of(r);
	wrote(e, r, value);
}

u32 e1000_port_read(struct e1000 *e, u32 offset)
{
	if (!offset)
		return e->selected;
	return e->selected < E1000_BYTES ? e1000_read(e, e->selected & ~3u) : 0;
}

void e1000_port_write(struct e1000 *e, u32 offset, u32 value)
{
	if (!offset)
		e->selected = value;
	else if (e->selected < E1000_BYTES)
		e1000_write(e, e->selected & ~3u, value);
}

/* --- the card comes -------------------------------------------------------------------------- */

void e1000_power_on(struct e1000 *e, unsigned unit)
{
	memset(e, 0, sizeof(*e));
	e->unit = unit;
}

void e1000_attach(struct e1000 *e, const struct net_info *info)
{
	e->there = true;
	e->link = info->link;
	e1000_make_eeprom(e, info->mac);
	e1000_reset_phy(e);
	reset(e);
}

void e1000_look(struct e1000 *e, const struct net_info *info)
{
	if (e->link == info->link)
		return;
	e->link = info->link;
	e1000_phy_link(e);
	e1000_cause(e, CAUSE_LINK);
}
