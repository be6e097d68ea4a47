/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What runs where the guest finds the image is its first part, without the body.  So
 * all of its code is followed from the fixed slots on, and nothing may lead out of
 * the part, but a slot's address in the window, which it pushes and returns to.
 *
 * Jumps, calls and branches are followed both ways.  Code that finds itself by a call
 * and a pop has its operands counted from there.  An instruction that could hide where
 * it goes (an indirect jump, arithmetic with such an address) is refused: there is no
 * need of any.  What an index adds to an operand is not known here; tests/unit runs
 * get_reloc with every number where nothing follows the part.
 */
#include <stdlib.h>

#include "mkrom.h"
#include "monitor/emul/decode.h"

#define JUMP_SHORT 0xEB
#define JUMP 0xE9
#define CALL 0xE8
#define POP 0x58
#define PUSH_IMM 0x68
#define RET 0xC3
#define LEA 0x8D
#define NO_ANCHOR 8

/* Where a path goes on, and what is known there. */
struct place {
	u32 at;
	u32 anchor;  /* the register that has an address of the part's; NO_ANCHOR: none */
	u32 address; /* which */
};

struct walk {
	struct blob part;
	u32 top, used; /* of the window */
	u16 *been;     /* by offset: a bit for each anchor */
	struct place *todo;
	size_t count, room;
	struct err *err;
};

/* What an instruction does with the path. */
enum flow { ON, END, GOES, BRANCHES, HIDES };

static const struct {
	u16 first, last;
	enum flow flow;
} flows[] = {
	{0x70, 0x7F, BRANCHES}, {0xE0, 0xE3, BRANCHES}, {0x0F80, 0x0F8F, BRANCHES},
	{CALL, CALL, BRANCHES}, {JUMP, JUMP, GOES},	{JUMP_SHORT, JUMP_SHORT, GOES},
	{0xC2, RET, END},	{0xCA, 0xCC, END},     /* retf, int3 */
	{0xCF, 0xCF, END},	{0x0F0B, 0x0F0B, END}, /* iret, ud2 */
	{0x9A, 0x9A, HIDES},	{0xEA, 0xEA, HIDES},   /* far */
};

static enum flow flow_of(const struct insn *i)
{
	if (i->opcode == 0xFF && i->reg >= 2 && i->reg <= 5)
		return HIDES;
	for (size_t f = 0; f < ARRAY_SIZE(flows); f++) {
		if (i->opcode >= flows[f].first && i->opcode <= flows[f].last)
			return i->opsize16 ? HIDES : flows[f].flow;
	}
	return ON;
}

/* Does it compute with a register, other than as the base of an operand? */
static bool computes_with(const struct insn *i, u32 reg)
{
	if (i->mem && (i->index == (s32)reg || (i->base == (s32)reg && i->opcode == LEA)))
		return true;
	switch (i->form) {
	case FORM_RM_R:
	case FORM_R_RM:
		return i->reg == reg || (i->mod == 3 && i->rm == reg);
	case FORM_RM:
	case FORM_RM_IMM:
		return i->mod == 3 && i->rm == reg;
	case FORM_R:
	case FORM_R_IMM:
	case FORM_ACC_R:
		return i->reg == reg || (i->form == FORM_ACC_R && reg == GPR_EAX);
	case FORM_ACC_IMM:
	case FORM_ACC_MOFFS:
	case FORM_MOFFS_ACC:
		return reg == GPR_EAX;
	default:
		return false;
	}
}

static bool add(struct walk *w, struct place p)
{
	if (w->count == w->room) {
		size_t room = w->room ? 2 * w->room : 64;
		struct place *todo = realloc(w->todo, room * sizeof(*todo));

		if (!todo)
			return refuse(w->err, "no memory");
		w->todo = todo;
		w->room = room;
	}
	w->todo[w->count++] = p;
	return true;
}

static bool add_target(struct walk *w, const struct place *p, u32 target)
{
	struct place to = *p;

	if (target >= w->part.n)
		return refuse(w->err,
			      "the code at 0x%x goes to 0x%x, in the first part was expected",
			      p->at, target);
	to.at = target;
	return add(w, to);
}

/* The first time that a path comes here, with that anchor? */
static bool is_new(const struct walk *w, const struct place *p)
{
	u16 bit = (u16)(1 << p->anchor);
	bool known = w->been[p->at] & bit;

	w->been[p->at] |= bit;
	return !known;
}

/* The call of what stands behind it, which pops its address. */
static bool finds_itself(const struct walk *w, const struct insn *i, u32 next, u32 target)
{
	return i->opcode == CALL && target == next && next < w->part.n &&
	       (w->part.p[next] & ~7) == POP && w->part.p[next] != POP + GPR_ESP;
}

static bool check_operand(const struct walk *w, const struct place *p, const struct insn *i)
{
	u32 to;

	if (p->anchor == NO_ANCHOR)
		return true;
	if (computes_with(i, p->anchor))
		return refuse(w->err, "what the code at 0x%x does with its address is not known",
			      p->at);
	if (!i->mem || i->base != (s32)p->anchor)
		return true;
	to = p->address + (u32)i->disp;
	return to < w->part.n ||
	       refuse(w->err, "the code at 0x%x uses 0x%x, in the first part was expected", p->at,
		      to);
}

/* A slot: push of an address, return. */
static bool check_pushed(const struct walk *w, u32 at, u32 to)
{
	return to - w->top < w->used ||
	       refuse(w->err,
		      "the code at 0x%x goes to address 0x%x, one of the image in the window "
		      "was expected",
		      at, to);
}

/* From one place on until the path ends. */
static bool follow(struct walk *w, struct place p)
{
	bool pushed = false;
	u32 push = 0;

	while (p.at < w->part.n && is_new(w, &p)) {
		struct insn i;
		int result = decode_insn(w->part.p + p.at, (unsigned)(w->part.n - p.at), false, &i);
		enum flow flow = result == DECODE_OK ? flow_of(&i) : HIDES;
		u32 next = p.at + i.len, target = next + i.imm;

		if (flow == HIDES)
			return refuse(w->err, "the code at 0x%x cannot be followed", p.at);
		if (!check_operand(w, &p, &i))
			return false;
		if (flow == END)
			return !pushed || i.opcode != RET || check_pushed(w, p.at, push);
		if (flow == BRANCHES && finds_itself(w, &i, next, target)) {
			p = (struct place){next + 1, w->part.p[next] & 7u, next};
			continue;
		}
		if (flow != ON && !add_target(w, &p, target))
			return false;
		if (flow == GOES)
			return true;
		pushed = i.opcode == PUSH_IMM;
		push = i.imm;
		p.at = next;
	}
	return p.at < w->part.n ||
	       refuse(w->err, "code runs over the first part's end at 0x%x", p.at);
}

/* Slots of a header, from one number on. */
static bool add_slots(struct walk *w, u32 header, u32 start, u32 size, u32 from)
{
	const struct rom_header *h = (const void *)(w->part.p + header);
	struct place p = {.at = header, .anchor = NO_ANCHOR};

	for (u32 n = from; n < h->jump_slots; n++) {
		if (!add_target(w, &p, header + start + n * size))
			return false;
	}
	return true;
}

bool rom_keeps_apart(const struct rom_view *v, struct err *err)
{
	struct walk w = {.part = blob_part(&v->all, 0, rom_first_size(v)),
			 .top = v->h.virtual_top,
			 .used = v->h.ext_end,
			 .err = err};
	bool good;

	w.been = calloc(w.part.n + 1, sizeof(*w.been));
	good = w.been || refuse(err, "no memory");
	good = good && add_slots(&w, 0, ROM_SLOT_INIT, ROM_SLOT_SIZE, 0);
	if (rom_is_header(&w.part, ROM13_HEADER))
		good = good && add_slots(&w, ROM13_HEADER, 0, ROM13_SLOT_SIZE, ROM13_SLOT_INIT);
	while (good && w.count)
		good = follow(&w, w.todo[--w.count]);
	free(w.todo);
	free(w.been);
	return good;
}
