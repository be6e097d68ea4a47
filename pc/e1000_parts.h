/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the 82545EM have in common.  Source: PCI/PCI-X Family of Gigabit Ethernet
 * Controllers Software Developer's Manual (8254x), chapter 13. */
#ifndef VMIXEN_PC_E1000_PARTS_H
#define VMIXEN_PC_E1000_PARTS_H

#include "e1000.h"

/* Causes of an interrupt: bits of ICR. */
#define CAUSE_SENT 0x00000001u	      /* TXDW: a descriptor was written back */
#define CAUSE_SENT_ALL 0x00000002u    /* TXQE: the transmit ring is empty */
#define CAUSE_LINK 0x00000004u	      /* LSC */
#define CAUSE_RECEIVE_FEW 0x00000010u /* RXDMT0: few descriptors are left */
#define CAUSE_RECEIVED 0x00000080u    /* RXT0 */
#define CAUSES 0x0001F7FFu

#define RCTL_EN 0x00000002u
#define TCTL_EN 0x00000002u
#define CTRL_VME 0x40000000u /* tags of VLANs go in and out of descriptors */

/* Statistics, by their offset from 0x4000. */
#define STAT(offset) ((offset) / 4)
#define STAT_MISSED STAT(0x10)
#define STAT_TOO_LONG STAT(0xAC)
#define STAT_RECEIVED STAT(0x74)
#define STAT_BROADCAST STAT(0x78)
#define STAT_MULTICAST STAT(0x7C)
#define STAT_SENT STAT(0x80)
#define STAT_RECEIVED_BYTES STAT(0x88) /* 64 bits */
#define STAT_SENT_BYTES STAT(0x90)
#define STAT_ALL_RECEIVED_BYTES STAT(0xC0)
#define STAT_ALL_SENT_BYTES STAT(0xC8)
#define STAT_ALL_RECEIVED STAT(0xD0)
#define STAT_ALL_SENT STAT(0xD4)
#define STAT_SEGMENTED STAT(0xF8) /* contexts of TCP segmentation */

/* Descriptors of the rings have 16 bytes, and their status is byte 12. */
#define DESCRIPTOR 16u
#define AT_STATUS 12u
#define STATUS_DONE 1u

static inline void e1000_cause(struct e1000 *e, u32 causes)
{
	e->icr |= causes & CAUSES;
}

static inline void e1000_count(struct e1000 *e, u32 which, u32 bytes_which, u32 bytes)
{
	e->statistics[which]++;
	e->statistics[bytes_which] += bytes;
	if (e->statistics[bytes_which] < bytes)
		e->statistics[bytes_which + 1]++;
}

/* Guest-physical address of descriptor n of the ring at these registers. */
static inline u64 e1000_descriptor(const struct e1000 *e, enum e1000_register low, u32 n)
{
	return ((u64)e->reg[low + 1] << 32 | e->reg[low]) + n * DESCRIPTOR;
}

/* e1000_eeprom.c */
void e1000_make_eeprom(struct e1000 *e, const u8 *mac);
u32 e1000_serial_read(const struct e1000 *e);
void e1000_serial_write(struct e1000 *e, u32 value);
u32 e1000_eeprom_word(const struct e1000 *e, u32 control);
/* e1000_phy.c */
void e1000_reset_phy(struct e1000 *e);
void e1000_phy_link(struct e1000 *e);
u32 e1000_phy_access(struct e1000 *e, u32 command);
/* e1000_send.c */
void e1000_forget_sent(struct e1000 *e); /* the guest begins anew */
u32 e1000_sent_head(const struct e1000 *e);
/* Sends what the ring has, as far as there is room. */
void e1000_run(struct e1000 *e);

#endif
