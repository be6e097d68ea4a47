/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pair of 8259A interrupt controllers of a PC: ports 20, 21, A0, A1 and
 * the edge/level registers 4D0, 4D1.  pic.c tells what it keeps true.
 */
#ifndef VMIXEN_PC_PIC_H
#define VMIXEN_PC_PIC_H

#include "base.h"

struct pic_chip {
	u8 irr;		/* requests not yet acknowledged */
	u8 isr;		/* in service */
	u8 imr;		/* masked */
	u8 line;	/* level of each input pin */
	u8 elcr;	/* 1: the input is level-triggered */
	u8 elcr_mask;	/* which bits of elcr can be set */
	u8 base;	/* vector of input 0 (ICW2) */
	u8 top;		/* input with the highest priority */
	u8 next_icw;	/* 2, 3, 4: what the next write to port 1 is; 0: OCW1 */
	bool want_icw4; /* ICW1 announced one */
	bool single;	/* ICW1: no cascade, so no ICW3 */
	bool auto_eoi;	/* ICW4 */
	bool nested;	/* ICW4: special fully nested mode */
	bool rotate_aeoi;
	bool special_mask;
	bool read_isr; /* port 0 reads ISR instead of IRR */
	bool poll;     /* the next read is a poll */
};

struct pic {
	struct pic_chip chip[2]; /* master, slave (on the master's input 2) */
};

/* As a BIOS leaves it: vectors 08 and 70, every input masked and edge-triggered. */
void pic_reset(struct pic *pic);

/* One byte; port is one of those above, any other reads as ones. */
u8 pic_read(struct pic *pic, u16 port);
void pic_write(struct pic *pic, u16 port, u8 value);

/* Input irq (0..15, not 2) is now at level; that it still is changes nothing. */
void pic_set_irq(struct pic *pic, unsigned irq, bool level);

static inline bool pic_line(const struct pic *pic, unsigned irq)
{
	return pic->chip[irq >> 3 & 1].line >> (irq & 7) & 1;
}

/* The INT pin: an interrupt wants to be acknowledged. */
bool pic_intr(const struct pic *pic);

/* The INTA cycle: the vector; the spurious one (input 7) if nothing asks. */
u8 pic_ack(struct pic *pic);

#endif
