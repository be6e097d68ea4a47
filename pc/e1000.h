/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A network card with an Intel 82545EM, the one that VMware showed (8086:100F); e1000.c tells
 * what it keeps true.
 */
#ifndef VMIXEN_PC_E1000_H
#define VMIXEN_PC_E1000_H

#include "net.h"

#define E1000_BYTES 0x20000u /* of registers, in memory */
#define E1000_ICR 0x00C0u    /* what has happened; drivers that poll read it */
#define E1000_PORT_BYTES 8u  /* the same two by two: which one, and its value */
#define E1000_FLIGHT 64u     /* steps of the transmit ring that may wait for their end */
#define E1000_EEPROM_WORDS 64u
#define E1000_ADDRESSES 16u
#define E1000_STATISTICS 80u

/* Registers that are kept as they are written, but for bits that are not there:
 * X(name, offset, bits that can be written).  What else a write does is in e1000.c. */
#define E1000_REGISTERS(X)                                                                         \
	X(CTRL, 0x0000, 0x7BFFFFFFu)                                                               \
	X(CTRL_EXT, 0x0018, 0x07FFDFFFu)                                                           \
	X(FCAL, 0x0028, ~0u)                                                                       \
	X(FCAH, 0x002C, 0xFFFFu)                                                                   \
	X(FCT, 0x0030, 0xFFFFu)                                                                    \
	X(VET, 0x0038, 0xFFFFu)                                                                    \
	X(ITR, 0x00C4, 0xFFFFu)                                                                    \
	X(RCTL, 0x0100, 0x06DFFFFEu)                                                               \
	X(FCTTV, 0x0170, 0xFFFFu)                                                                  \
	X(TCTL, 0x0400, 0x01FFFFFAu)                                                               \
	X(TIPG, 0x0410, 0x3FFFFFFFu)                                                               \
	X(AIT, 0x0458, 0xFFFFu)                                                                    \
	X(LEDCTL, 0x0E00, 0xCFCFCFCFu)                                                             \
	X(PBA, 0x1000, 0xFFFFu)                                                                    \
	X(FCRTL, 0x2160, 0x8000FFF8u)                                                              \
	X(FCRTH, 0x2168, 0xFFF8u)                                                                  \
	X(RDBAL, 0x2800, 0xFFFFFFF0u)                                                              \
	X(RDBAH, 0x2804, ~0u)                                                                      \
	X(RDLEN, 0x2808, 0xFFF80u)                                                                 \
	X(RDH, 0x2810, 0xFFFFu)                                                                    \
	X(RDT, 0x2818, 0xFFFFu)                                                                    \
	X(RDTR, 0x2820, 0xFFFFu)                                                                   \
	X(RXDCTL, 0x2828, 0x013F3F3Fu)                                                             \
	X(RADV, 0x282C, 0xFFFFu)                                                                   \
	X(RSRPD, 0x2C00, 0xFFFu)                                                                   \
	X(TXDMAC, 0x3000, 1u)                                                                      \
	X(TDBAL, 0x3800, 0xFFFFFFF0u)                                                              \
	X(TDBAH, 0x3804, ~0u)                                                                      \
	X(TDLEN, 0x3808, 0xFFF80u)                                                                 \
	X(TDT, 0x3818, 0xFFFFu)                                                                    \
	X(TIDV, 0x3820, 0xFFFFu)                                                                   \
	X(TXDCTL, 0x3828, 0xFF3F3F3Fu)                                                             \
	X(TADV, 0x382C, 0xFFFFu)                                                                   \
	X(TSPMT, 0x3830, ~0u)                                                                      \
	X(RXCSUM, 0x5000, 0x7FFu)                                                                  \
	X(WUC, 0x5800, 0xFu)                                                                       \
	X(WUFC, 0x5808, 0xF80FFu)                                                                  \
	X(MANC, 0x5820, 0x7FFFFFFFu)

enum e1000_register {
#define X(name, offset, bits) E1000_##name,
	E1000_REGISTERS(X)
#undef X
		E1000_REGISTERS_END
};

/* A part of the transmit ring that is behind us, until its end is told: descriptors from first
 * on, whose frame, or the last part of it, is with the front end or was. */
struct e1000_step {
	u16 first, count;
	bool sent; /* the front end is done with it */
	bool dead; /* the guest has reset the card since */
};

/* What a context descriptor has said. */
struct e1000_context {
	u8 sum_from, sum_at; /* where the checksum begins, and its field */
	u16 sum_to;	     /* the last byte; 0: the frame's */
	u16 mss;
	u8 header; /* bytes, before the data of a frame that is to be cut */
};

struct e1000 {
	unsigned unit;
	bool there, link;
	bool master; /* it may reach memory: the owner keeps it as PCI has it */
	bool hungry; /* a frame was refused since net_ready() was called last */
	u32 reg[E1000_REGISTERS_END];
	u32 icr, ims, mdic, eerd, selected; /* selected: by the ports */
	u32 statistics[E1000_STATISTICS];
	u32 addresses[E1000_ADDRESSES][2]; /* RAL and RAH */
	u32 multicast[128], vlan[128];	   /* a bit for each */
	u16 eeprom[E1000_EEPROM_WORDS];
	u16 phy[32];
	struct {
		u16 wires; /* as they were written */
		u16 in;	   /* bits that have come since chip select */
		u16 place; /* the bit that goes out, counted from word 0 */
		u8 count;  /* of what has come; 0 before the start bit */
		bool reads, dummy;
	} serial; /* the EEPROM's */
	u32 tdh;  /* the next descriptor to be looked at; TDH is the first that is not at its end */
	struct e1000_context context;
	u32 cut; /* bytes of data that have gone of the frame at tdh */
	u32 flight_first, flight_count;
	struct e1000_step flight[E1000_FLIGHT]; /* from flight_first on, in order */
};

/* No card.  Behind it e1000_attach(). */
void e1000_power_on(struct e1000 *e, unsigned unit);
/* The unit is there: the card has its address. */
void e1000_attach(struct e1000 *e, const struct net_info *info);
/* The link may have come or gone. */
void e1000_look(struct e1000 *e, const struct net_info *info);

/* The guest accesses a register; offset is a multiple of 4 and below E1000_BYTES.  Reading
 * has effects. */
u32 e1000_read(struct e1000 *e, u32 offset);
void e1000_write(struct e1000 *e, u32 offset, u32 value);
/* The same by its ports; offset is 0 or 4. */
u32 e1000_port_read(struct e1000 *e, u32 offset);
void e1000_port_write(struct e1000 *e, u32 offset, u32 value);

/* pc_net_sent() and pc_net_receive(). */
void e1000_sent(struct e1000 *e, u8 tag);
bool e1000_receive(struct e1000 *e, u8 *frame, u32 bytes, u32 flags);
/* There may be room, and frames may be sent: goes on with the transmit ring. */
void e1000_update(struct e1000 *e);
/* The level of the interrupt. */
static inline bool e1000_irq(const struct e1000 *e)
{
	return e->icr & e->ims;
}

#endif
