/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: Intel 8259A datasheet (231468-003); for ELCR, Intel 82371SB (PIIX3)
 * datasheet.
 *
 * What is kept true:
 *  - An edge-triggered request begins when its line rises, and is withdrawn
 *    when the line falls before it is acknowledged.  A level-triggered one is
 *    the line.  So irr is always a subset of line.
 *  - The slave's INT is not stored in the master's irr: it is computed where
 *    it is needed (requests()), so it cannot go stale.
 *  - What pic_intr() announces, pic_ack() delivers if nothing happens between
 *    the two; otherwise pic_ack() gives input 7 of the chip that was asked,
 *    without an in-service bit, as the hardware does.
 *
 * Not modelled: 8080 mode, buffered mode, level triggering by ICW1 (LTIM; a
 * PC's chip set ignores it in favour of ELCR).
 */
#include "pic.h"

#define CASCADE 2u /* the master's input where the slave is */
#define NONE 8u	   /* "no input" where 0..7 is one */

#define ICW1 0x10u
#define ICW1_SINGLE 0x02u
#define ICW1_ICW4 0x01u
#define ICW4_NESTED 0x10u
#define ICW4_AUTO_EOI 0x02u
#define OCW3 0x08u
#define OCW3_SMM_SET 0x40u /* act on bit 5 */
#define OCW3_SMM 0x20u
#define OCW3_POLL 0x04u
#define OCW3_READ_SET 0x02u /* act on bit 0 */
#define OCW3_READ_ISR 0x01u
#define OCW2_ROTATE 0x80u
#define OCW2_SPECIFIC 0x40u
#define OCW2_EOI 0x20u

static bool slave_intr(const struct pic *pic);

static u8 unmasked(const struct pic *pic, unsigned c)
{
	return pic->chip[c].irr & ~pic->chip[c].imr;
}

static u8 requests(const struct pic *pic, unsigned c)
{
	u8 irr = pic->chip[c].irr;

	if (c == 0 && !pic->chip[0].single && unmasked(pic, 1) && slave_intr(pic))
		irr |= 1u << CASCADE;
	return irr;
}

/* Rank of the best input in mask, 0 the best, NONE if mask is empty. */
static unsigned best_rank(const struct pic_chip *chip, u8 mask)
{
	unsigned turned = (mask * 0x101u) >> chip->top & 0xFF; /* bit 0 is the top input */

	return turned ? (unsigned)__builtin_ctz(turned) : NONE;
}

/* The input that may interrupt now, or NONE.  An input in service blocks
 * itself and all below it; in special mask mode only itself; in special fully
 * nested mode the slave can interrupt its own service. */
static unsigned winner(const struct pic *pic, unsigned c)
{
	const struct pic_chip *chip = &pic->chip[c];
	u8 asking = requests(pic, c) & ~chip->imr;
	unsigned rank, limit, i;

	if (!asking)
		return NONE;
	if (chip->special_mask)
		asking &= ~chip->isr;
	rank = best_rank(chip, asking);
	limit = chip->special_mask ? NONE : best_rank(chip, chip->isr);
	i = (chip->top + rank) & 7;
	if (chip->nested && c == 0 && i == CASCADE && rank == limit && rank != NONE)
		return i;
	return rank < limit ? i : NONE;
}

static bool slave_intr(const struct pic *pic)
{
	return winner(pic, 1) != NONE;
}

bool pic_intr(const struct pic *pic)
{
	/* Asked on every way back to a guest, and mostly nobody asks. */
	return (unmasked(pic, 0) || unmasked(pic, 1)) && winner(pic, 0) != NONE;
}

static void take(struct pic_chip *chip, unsigned i)
{
	if (chip->auto_eoi) {
		if (chip->rotate_aeoi)
			chip->top = (i + 1) & 7;
	} else {
		chip->isr |= 1u << i;
	}
	if (!(chip->elcr & 1u << i))
		chip->irr &= ~(1u << i);
}

/* One chip's part of INTA: its input, taken; NONE if it had none. */
static unsigned acknowledge(struct pic *pic, unsigned c)
{
	unsigned i = winner(pic, c);

	if (i != NONE)
		take(&pic->chip[c], i);
	return i;
}

u8 pic_ack(struct pic *pic)
{
	unsigned c = 0;
	unsigned i = acknowledge(pic, 0);

	if (i == CASCADE && !pic->chip[0].single) {
		c = 1;
		i = acknowledge(pic, 1);
	}
	return pic->chip[c].base | (i == NONE ? 7 : i);
}

void pic_set_irq(struct pic *pic, unsigned irq, bool level)
{
	struct pic_chip *chip = &pic->chip[irq >> 3 & 1];
	u8 bit = 1u << (irq & 7);

	if (!level) {
		chip->line &= ~bit;
		chip->irr &= ~bit;
		return;
	}
	if (!(chip->line & bit) || chip->elcr & bit)
		chip->irr |= bit;
	chip->line |= bit;
}

/* ICW1 resets all but the base, ELCR and the pins; an edge that came before
 * is forgotten. */
static void icw1(struct pic_chip *chip, u8 value)
{
	chip->irr = chip->line & chip->elcr;
	chip->isr = 0;
	chip->imr = 0;
	chip->top = 0;
	chip->want_icw4 = value & ICW1_ICW4;
	chip->single = value & ICW1_SINGLE;
	chip->auto_eoi = false;
	chip->nested = false;
	chip->rotate_aeoi = false;
	chip->special_mask = false;
	chip->read_isr = false;
	chip->poll = false;
	chip->next_icw = 2;
}

/* The in-service input that an EOI without a number means, or NONE.  In
 * special mask mode it does not touch masked inputs. */
static unsigned eoi_target(const struct pic_chip *chip)
{
	u8 mask = chip->special_mask ? chip->isr & ~chip->imr : chip->isr;
	unsigned rank = best_rank(chip, mask);

	return rank == NONE ? NONE : (chip->top + rank) & 7;
}

static void ocw2(struct pic_chip *chip, u8 value)
{
	unsigned i = value & OCW2_SPECIFIC ? value & 7 : eoi_target(chip);

	if (!(value & OCW2_EOI)) {
		if (!(value & OCW2_SPECIFIC))
			chip->rotate_aeoi = value & OCW2_ROTATE;
		else if (value & OCW2_ROTATE)
			chip->top = (i + 1) & 7;
		return;
	}
	if (i == NONE)
		return;
	chip->isr &= ~(1u << i);
	if (value & OCW2_ROTATE)
		chip->top = (i + 1) & 7;
}

static void ocw3(struct pic_chip *chip, u8 value)
{
	chip->poll = value & OCW3_POLL;
	if (value & OCW3_READ_SET)
		chip->read_isr = value & OCW3_READ_ISR;
	if (value & OCW3_SMM_SET)
		chip->special_mask = value & OCW3_SMM;
}

static void write_data(struct pic_chip *chip, u8 value)
{
	switch (chip->next_icw) {
	case 2:
		chip->base = value & 0xF8;
		chip->next_icw = !chip->single ? 3 : chip->want_icw4 ? 4 : 0;
		break;
	case 3: /* where the cascade is: wired */
		chip->next_icw = chip->want_icw4 ? 4 : 0;
		break;
	case 4:
		chip->auto_eoi = value & ICW4_AUTO_EOI;
		chip->nested = value & ICW4_NESTED;
		chip->next_icw = 0;
		break;
	default:
		chip->imr = value;
	}
}

static void write_elcr(struct pic_chip *chip, u8 value)
{
	u8 old = chip->elcr;

	chip->elcr = value & chip->elcr_mask;
	/* What was a level's request is no edge, and the other way round. */
	chip->irr &= ~(old ^ chip->elcr);
	chip->irr |= chip->line & chip->elcr;
}

void pic_write(struct pic *pic, u16 port, u8 value)
{
	if (port == 0x4D0 || port == 0x4D1) {
		write_elcr(&pic->chip[port & 1], value);
		return;
	}
	struct pic_chip *chip = &pic->chip[port >> 7 & 1];

	if (port & 1)
		write_data(chip, value);
	else if (value & ICW1)
		icw1(chip, value);
	else if (value & OCW3)
		ocw3(chip, value);
	else
		ocw2(chip, value);
}

static u8 poll(struct pic *pic, unsigned c)
{
	unsigned i = acknowledge(pic, c);

	pic->chip[c].poll = false;
	return i == NONE ? 0 : 0x80 | i;
}

u8 pic_read(struct pic *pic, u16 port)
{
	unsigned c = port >> 7 & 1;

	if (port == 0x4D0 || port == 0x4D1)
		return pic->chip[port & 1].elcr;
	if (pic->chip[c].poll)
		return poll(pic, c);
	if (port & 1)
		return pic->chip[c].imr;
	return pic->chip[c].read_isr ? pic->chip[c].isr : requests(pic, c);
}

void pic_reset(struct pic *pic)
{
	unsigned c;

	for (c = 0; c < 2; c++) {
		struct pic_chip *chip = &pic->chip[c];

		chip->line = 0;
		chip->elcr = 0;
		/* IRQ 0, 1, 2, 8 and 13 are edge-triggered for good. */
		chip->elcr_mask = c ? 0xDE : 0xF8;
		icw1(chip, ICW1);
		chip->next_icw = 0;
		chip->imr = 0xFF;
		chip->base = c ? 0x70 : 0x08;
	}
}
