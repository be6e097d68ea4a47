/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: Intel UPI-42AH datasheet and IBM PS/2 Hardware Interface technical
 * reference (keyboard and auxiliary device controller; keyboards).
 *
 * What is kept true:
 *  - There is one output buffer.  A byte gets into it only when it is empty,
 *    and only by kbd_pump(); the controller's own answer goes before the
 *    keyboard's bytes, and these wait while the interface is disabled.
 *  - IRQ 1 is: buffer full, and the command byte enables it.
 *  - There is no input buffer: a write has acted when it returns, so status
 *    bit 1 is always 0.
 *  - There is no mouse.  Its interface test fails, and the auxiliary loop
 *    echoes as a keyboard byte, which a driver recognizes as "no such port"
 *    without waiting for a timeout; bytes for a mouse vanish.
 *  - The keyboard keeps scan code set 2 at its end and the controller
 *    translates, as the command byte says.
 */
#include "kbd.h"

#define STATUS_FULL 0x01u
#define STATUS_SYSTEM 0x04u
#define STATUS_COMMAND 0x08u
#define STATUS_UNLOCKED 0x10u

#define CONTROL_IRQ 0x01u
#define CONTROL_SYSTEM 0x04u
#define CONTROL_DISABLED 0x10u
#define CONTROL_AUX_DISABLED 0x20u
#define CONTROL_TRANSLATE 0x40u

#define OUT_NOT_RESET 0x01u
#define OUT_A20 0x02u
#define OUT_FULL 0x10u

/* Controller commands (port 64). */
#define READ_CONTROL 0x20
#define WRITE_CONTROL 0x60
#define AUX_DISABLE 0xA7
#define AUX_ENABLE 0xA8
#define AUX_TEST 0xA9
#define SELF_TEST 0xAA
#define INTERFACE_TEST 0xAB
#define DISABLE 0xAD
#define ENABLE 0xAE
#define READ_IN_PORT 0xC0
#define READ_OUT_PORT 0xD0
#define WRITE_OUT_PORT 0xD1
#define WRITE_KBD_BUFFER 0xD2
#define AUX_LOOP 0xD3
#define WRITE_AUX 0xD4
#define PULSE 0xF0 /* to FF: output bits whose command bit is 0 go low */

/* Keyboard commands (port 60). */
#define KEY_LEDS 0xED
#define KEY_ECHO 0xEE
#define KEY_SCAN_SET 0xF0
#define KEY_IDENTIFY 0xF2
#define KEY_RATE 0xF3
#define KEY_ENABLE 0xF4
#define KEY_DISABLE 0xF5
#define KEY_DEFAULTS 0xF6
#define KEY_RESEND 0xFE
#define KEY_RESET 0xFF
#define KEY_ACK 0xFA

static void key(struct kbd *kbd, u8 byte)
{
	if (kbd->count < KBD_QUEUE)
		kbd->queue[(kbd->head + kbd->count++) % KBD_QUEUE] = byte;
}

static void answer(struct kbd *kbd, u8 byte)
{
	kbd->answer = byte;
	kbd->answered = true;
}

bool kbd_irq(const struct kbd *kbd)
{
	return kbd->full && kbd->control & CONTROL_IRQ;
}

void kbd_pump(struct kbd *kbd)
{
	if (kbd->full)
		return;
	if (kbd->answered) {
		kbd->out = kbd->answer;
		kbd->answered = false;
		kbd->full = true;
	} else if (kbd->count && !(kbd->control & CONTROL_DISABLED)) {
		kbd->out = kbd->queue[kbd->head];
		kbd->head = (kbd->head + 1) % KBD_QUEUE;
		kbd->count--;
		kbd->full = true;
	}
}

static bool translating(const struct kbd *kbd)
{
	return kbd->control & CONTROL_TRANSLATE;
}

static void key_argument(struct kbd *kbd, u8 value)
{
	bool asks_set = kbd->key_command == KEY_SCAN_SET && value == 0;

	kbd->key_command = 0;
	key(kbd, KEY_ACK);
	if (asks_set)
		key(kbd, translating(kbd) ? 0x41 : 0x02);
}

static bool key_known(u8 value)
{
	return value >= KEY_LEDS && value != 0xEF && value != 0xF1 && value != KEY_RESEND;
}

/* A byte for the keyboard; writing one enables the interface. */
static void key_write(struct kbd *kbd, u8 value)
{
	kbd->control &= ~CONTROL_DISABLED;
	if (kbd->key_command) {
		key_argument(kbd, value);
		return;
	}
	if (value == KEY_LEDS || value == KEY_SCAN_SET || value == KEY_RATE)
		kbd->key_command = value;
	if (value == KEY_DISABLE)
		kbd->scanning = false;
	if (value == KEY_ENABLE || value == KEY_DEFAULTS || value == KEY_RESET)
		kbd->scanning = true;
	if (value == KEY_RESET)
		kbd->count = 0;
	if (value == KEY_ECHO)
		key(kbd, KEY_ECHO);
	else
		key(kbd, key_known(value) ? KEY_ACK : KEY_RESEND);
	if (value == KEY_RESET)
		key(kbd, 0xAA);
	if (value == KEY_IDENTIFY) {
		key(kbd, 0xAB);
		key(kbd, translating(kbd) ? 0x41 : 0x83);
	}
}

static void drive_out_port(struct kbd *kbd, u8 value)
{
	kbd->out_port = value & (OUT_NOT_RESET | OUT_A20);
	if (!(value & OUT_NOT_RESET)) {
		kbd->out_port |= OUT_NOT_RESET;
		kbd->reset = true;
	}
}

/* The byte that a command asks for; false: it asks for none. */
static bool asks(const struct kbd *kbd, u8 value, u8 *byte)
{
	switch (value) {
	case READ_CONTROL:
		*byte = kbd->control;
		return true;
	case AUX_TEST:
		*byte = 0x01; /* clock line stuck low */
		return true;
	case SELF_TEST:
		*byte = 0x55;
		return true;
	case INTERFACE_TEST:
		*byte = 0x00;
		return true;
	case READ_IN_PORT:
		*byte = 0x80; /* not locked */
		return true;
	case READ_OUT_PORT:
		*byte = kbd->out_port | (kbd_irq(kbd) ? OUT_FULL : 0);
		return true;
	}
	return false;
}

static void command(struct kbd *kbd, u8 value)
{
	u8 byte;

	if (asks(kbd, value, &byte))
		answer(kbd, byte);
	switch (value) {
	case AUX_DISABLE:
		kbd->control |= CONTROL_AUX_DISABLED;
		break;
	case AUX_ENABLE:
		kbd->control &= ~CONTROL_AUX_DISABLED;
		break;
	case SELF_TEST:
		kbd->control |= CONTROL_SYSTEM;
		break;
	case DISABLE:
		kbd->control |= CONTROL_DISABLED;
		break;
	case ENABLE:
		kbd->control &= ~CONTROL_DISABLED;
		break;
	case WRITE_CONTROL:
	case WRITE_OUT_PORT:
	case WRITE_KBD_BUFFER:
	case AUX_LOOP:
	case WRITE_AUX:
		kbd->command = value;
		break;
	default:
		if (value >= PULSE)
			drive_out_port(kbd, (kbd->out_port & OUT_A20) | (value & OUT_NOT_RESET));
	}
}

static void data(struct kbd *kbd, u8 value)
{
	u8 waiting = kbd->command;

	kbd->command = 0;
	switch (waiting) {
	case WRITE_CONTROL:
		kbd->control = value;
		break;
	case WRITE_OUT_PORT:
		drive_out_port(kbd, value);
		break;
	case WRITE_KBD_BUFFER:
	case AUX_LOOP:
		answer(kbd, value);
		break;
	case WRITE_AUX:
		break;
	default:
		key_write(kbd, value);
	}
}

void kbd_write(struct kbd *kbd, u16 port, u8 value)
{
	kbd->was_command = port == 0x64;
	if (!kbd->was_command) {
		data(kbd, value);
		return;
	}
	kbd->command = 0; /* it never got its data byte */
	command(kbd, value);
}

u8 kbd_read(struct kbd *kbd, u16 port)
{
	u8 status = STATUS_UNLOCKED;

	if (port == 0x60) {
		kbd->full = false;
		return kbd->out;
	}
	if (kbd->full)
		status |= STATUS_FULL;
	if (kbd->control & CONTROL_SYSTEM)
		status |= STATUS_SYSTEM;
	if (kbd->was_command)
		status |= STATUS_COMMAND;
	return status;
}

bool kbd_ctrl_alt_del(struct kbd *kbd)
{
	/* make Ctrl, Alt, Del, then break in reverse; Del is an E0 key */
	static const u8 set1[] = {0x1D, 0x38, 0xE0, 0x53, 0xE0, 0xD3, 0xB8, 0x9D};
	static const u8 set2[] = {0x14, 0x11, 0xE0, 0x71, 0xE0, 0xF0, 0x71, 0xF0, 0x11, 0xF0, 0x14};
	bool one = translating(kbd);
	unsigned n = one ? ARRAY_SIZE(set1) : ARRAY_SIZE(set2);
	unsigned i;

	if (!kbd->scanning || KBD_QUEUE - kbd->count < n)
		return false;
	for (i = 0; i < n; i++)
		key(kbd, one ? set1[i] : set2[i]);
	return true;
}

void kbd_reset(struct kbd *kbd)
{
	*kbd = (struct kbd){
		.control = CONTROL_IRQ | CONTROL_SYSTEM | CONTROL_AUX_DISABLED | CONTROL_TRANSLATE,
		.out_port = OUT_NOT_RESET | OUT_A20,
		.scanning = true,
	};
}
