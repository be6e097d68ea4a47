/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The 8042 keyboard controller with a keyboard and no mouse: ports 60 and 64,
 * IRQ 1.  kbd.c tells what it keeps true.
 */
#ifndef VMIXEN_PC_KBD_H
#define VMIXEN_PC_KBD_H

#include "base.h"

#define KBD_QUEUE 16u

struct kbd {
	u8 control;	  /* the command byte */
	u8 out_port;	  /* bit 0: not reset, bit 1: A20 */
	u8 out;		  /* output buffer: what port 60 reads */
	bool full;	  /* it holds a byte nobody has read */
	bool was_command; /* the last write went to port 64 */
	u8 command;	  /* controller command that waits for its data byte, or 0 */
	u8 key_command;	  /* keyboard command that waits for its argument, or 0 */
	bool scanning;	  /* the keyboard reports keys */
	bool answered;	  /* answer holds the controller's own reply */
	u8 answer;
	bool reset;	/* the guest pulled the reset line; the owner clears it */
	u8 head, count; /* the keyboard's bytes, not yet in the output buffer */
	u8 queue[KBD_QUEUE];
};

/* As a BIOS leaves it: enabled, translating to set 1, IRQ 1 on. */
void kbd_reset(struct kbd *kbd);

u8 kbd_read(struct kbd *kbd, u16 port);
void kbd_write(struct kbd *kbd, u16 port, u8 value);

/* Level of IRQ 1. */
bool kbd_irq(const struct kbd *kbd);

/* Puts the next waiting byte into the output buffer if that is free.  Apart
 * from the read, so that the owner sees IRQ 1 fall between two bytes. */
void kbd_pump(struct kbd *kbd);

/* Types Ctrl-Alt-Del; false when the guest does not listen to keys or the
 * queue has no room for all of it. */
bool kbd_ctrl_alt_del(struct kbd *kbd);

#endif
