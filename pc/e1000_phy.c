/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The card's PHY, a Marvell 88E1011 (IEEE 802.3, 22.2.4 for the first 16 registers).  It
 * always talks 1000BASE-T, full duplex, and is done with it at once; the link is there when
 * the backend is.
 */
#include "e1000_parts.h"

#define PHY_ADDRESS 1u
#define MDIC_WRITE 1u
#define MDIC_READ 2u
#define MDIC_READY 0x10000000u
#define MDIC_ERROR 0x40000000u

#define CONTROL 0
#define CONTROL_RESET 0x8000u
#define CONTROL_RESTART 0x0200u /* the negotiation */
#define STATUS 1
#define STATUS_LINK 0x0024u /* there is one, and it is negotiated */
#define PARTNER 5
#define PARTNER_1000 10
#define SPECIFIC_STATUS 17
#define SPECIFIC_LINK 0x0C00u /* link, and resolved */

static const u16 at_reset[32] = {
	[CONTROL] = 0x1140,		  /* negotiates, full duplex, 1000 Mb/s */
	[STATUS] = 0x7949,  [2] = 0x0141, /* who it is */
	[3] = 0x0C24,	    [4] = 0x0DE1, /* what it offers */
	[9] = 0x0F00,			  /* likewise, 1000 Mb/s */
	[15] = 0x3000,	    [16] = 0x0360, [SPECIFIC_STATUS] = 0xA000, [20] = 0x0D60,
};

/* The bits that can be written of each; others are not kept. */
static u16 writable(u32 reg)
{
	switch (reg) {
	case CONTROL:
		return 0x7DC0;
	case 4:
	case 9:
	case 16:
	case 18:
	case 20 ... 31:
		return 0xFFFF;
	default:
		return 0;
	}
}

void e1000_phy_link(struct e1000 *e)
{
	u16 *r = e->phy;

	r[STATUS] = at_reset[STATUS] | (e->link ? STATUS_LINK : 0);
	r[SPECIFIC_STATUS] = at_reset[SPECIFIC_STATUS] | (e->link ? SPECIFIC_LINK : 0);
	r[PARTNER] = e->link ? 0xC5E1 : 0; /* it hears us, 10 and 100 Mb/s, pause */
	r[PARTNER_1000] = e->link ? 0x3C00 : 0;
}

void e1000_reset_phy(struct e1000 *e)
{
	for (u32 i = 0; i < ARRAY_SIZE(at_reset); i++)
		e->phy[i] = at_reset[i];
	e1000_phy_link(e);
}

static void write(struct e1000 *e, u32 reg, u16 value)
{
	e->phy[reg] = (u16)((e->phy[reg] & ~writable(reg)) | (value & writable(reg)));
	if (reg != CONTROL)
		return;
	if (value & CONTROL_RESET)
		e1000_reset_phy(e);
	if (value & (CONTROL_RESET | CONTROL_RESTART) && e->link)
		e1000_cause(e, CAUSE_LINK);
}

/* What MDIC has behind a write of command to it. */
u32 e1000_phy_access(struct e1000 *e, u32 command)
{
	u32 reg = command >> 16 & 31, what = command >> 26 & 3;

	command &= ~(MDIC_READY | MDIC_ERROR);
	if ((command >> 21 & 31) != PHY_ADDRESS || (what != MDIC_READ && what != MDIC_WRITE))
		return command | MDIC_READY | MDIC_ERROR;
	if (what == MDIC_WRITE)
		write(e, reg, command & 0xFFFF);
	else
		command = (command & ~0xFFFFu) | e->phy[reg];
	return command | MDIC_READY;
}
