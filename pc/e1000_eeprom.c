/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The card's EEPROM: 64 words, which drivers read by four wires (Microwire, an AT93C46: the
 * 8254x manual, 5.3) or by a register.  It has the card's address, and what chip and drivers
 * otherwise ask for.  Writes are ignored, as of an EEPROM that is protected.
 *
 * A command is a start bit, two bits of operation and six of address, taken at rising edges
 * of the clock.  A read answers a 0 with the last of them, and at each further edge the next
 * bit, from the uppermost on; the words go on one behind the other.
 */
#include "e1000_parts.h"

#define EECD_CLOCK 1u
#define EECD_SELECT 2u
#define EECD_TO 4u /* the data, into the EEPROM */
#define EECD_FROM 8u
#define EECD_WRITABLE 0x77u /* the wires, flash control, and the request */
#define EECD_REQUEST 0x40u
#define EECD_GRANTED 0x80u
#define EECD_PRESENT 0x100u

#define COMMAND_BITS 9u
#define COMMAND_READ 6u /* the start bit and the operation */
#define WORD_BITS 16u

#define EERD_START 1u
#define EERD_DONE 0x10u

#define WORD_LED 4u	   /* all ones: as usual */
#define WORD_CONTROL 0x0Au /* initialisation control 1 */
#define WORD_SUBSYSTEM 0x0Bu
#define WORD_CONTROL_2 0x0Fu
#define WORD_SUM 0x3Fu
#define SUM 0xBABAu /* of all words */

void e1000_make_eeprom(struct e1000 *e, const u8 *mac)
{
	u16 *w = e->eeprom, sum = 0;

	for (u32 i = 0; i < E1000_EEPROM_WORDS; i++)
		w[i] = 0;
	for (u32 i = 0; i < NET_MAC; i++)
		w[i / 2] |= (u16)(mac[i] << i % 2 * 8);
	w[WORD_LED] = 0xFFFF;
	w[WORD_CONTROL] = 0x4408;
	w[WORD_SUBSYSTEM] = 0x100F; /* subsystem, its vendor, device, vendor */
	w[WORD_SUBSYSTEM + 1] = w[WORD_SUBSYSTEM + 3] = 0x8086;
	w[WORD_SUBSYSTEM + 2] = 0x100F;
	w[WORD_CONTROL_2] = 0x3040;
	for (u32 i = 0; i < WORD_SUM; i++)
		sum += w[i];
	w[WORD_SUM] = (u16)(SUM - sum);
}

static bool bit_out(const struct e1000 *e)
{
	u32 place = e->serial.place;

	if (!e->serial.reads)
		return true; /* ready */
	return !e->serial.dummy && e->eeprom[place / WORD_BITS % E1000_EEPROM_WORDS] >>
						   (WORD_BITS - 1 - place % WORD_BITS) &
					   1;
}

u32 e1000_serial_read(const struct e1000 *e)
{
	u32 value = e->serial.wires | EECD_PRESENT;

	return value | (value & EECD_REQUEST ? EECD_GRANTED : 0) | (bit_out(e) ? EECD_FROM : 0);
}

static void rising_edge(struct e1000 *e, bool bit)
{
	if (e->serial.reads) {
		e->serial.place += !e->serial.dummy;
		e->serial.dummy = false;
		return;
	}
	if (e->serial.count == COMMAND_BITS || (!e->serial.count && !bit))
		return;
	e->serial.in = (u16)(e->serial.in << 1 | bit);
	if (++e->serial.count < COMMAND_BITS || e->serial.in >> 6 != COMMAND_READ)
		return;
	e->serial.reads = e->serial.dummy = true;
	e->serial.place = (e->serial.in & 0x3F) * WORD_BITS;
}

void e1000_serial_write(struct e1000 *e, u32 value)
{
	bool rises = value & EECD_CLOCK && !(e->serial.wires & EECD_CLOCK);

	e->serial.wires = value & EECD_WRITABLE;
	if (!(value & EECD_SELECT)) {
		e->serial.count = 0;
		e->serial.in = 0;
		e->serial.reads = false;
	} else if (rises) {
		rising_edge(e, value & EECD_TO);
	}
}

u32 e1000_eeprom_word(const struct e1000 *e, u32 control)
{
	u32 word = control >> 8 & 0xFF;

	if (!(control & EERD_START))
		return control & 0xFF00;
	return (word < E1000_EEPROM_WORDS ? (u32)e->eeprom[word] << 16 : 0) | (control & 0xFF00) |
	       EERD_DONE;
}
