/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions on frames without memory, against this machine's processor, which
 * executes the same instruction on a buffer of ones; and by hand what the two cannot
 * have alike.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "cpu.h"
#include "domain.h"
#include "monitor/emul/redirect.h"
#include "monitor/binding.h"
#include "monitor/cpu/segment.h"
#include "monitor/emul/decode.h"
#include "monitor/emul/emul.h"
#include "monitor/pv/mmu/shadow.h"
#include "monitor/vcpu.h"

static struct vcpu *const v = VCPU;
static u32 *const gpr = VCPU->r.gpr;

static u32 seed = 0x52454449;

static u32 any(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

/* --- against the processor ------------------------------------------------------- */

#define OFFSET_MAX (PAGE_SIZE - OPERAND_MAX)

static u8 *code, *ones; /* below 4 GB */

static int start(void **state)
{
	(void)state;
	code = mmap(NULL, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	assert_true(code != MAP_FAILED);
	ones = code + PAGE_SIZE;
	domain_init(true);
	cpu_reset();
	return 0;
}

struct sample {
	u8 bytes[INSN_MAX_LEN + 1]; /* as the guest has it */
	u32 disp;		    /* where its displacement stands; 0: it has none */
	struct insn insn;
	struct operand operand;
	u32 gpr[8], eflags, offset;
	u8 fpu[512];
};

/* Registers that the address is made of. */
static bool in_address(const struct sample *s, u8 reg)
{
	return s->insn.base == reg || s->insn.index == reg;
}

/* An instruction of the table, with [base + index * scale + disp32]. */
static bool make_insn(struct sample *s)
{
	static const u8 prefix[] = {0, 0, 0, 0x66, 0x66, 0xF3, 0xF2};
	static const u16 maps[] = {0, 0, 0, 0x0F, 0x0F, 0x0F, 0x0F, 0x0F, 0x0F, 0x0F38, 0x0F3A};
	u16 map = maps[any() % ARRAY_SIZE(maps)];
	u8 *at = s->bytes, modrm = 0x80 | (any() & 0x3F);

	memset(s, 0, sizeof(*s));
	*at = prefix[any() % ARRAY_SIZE(prefix)];
	at += *at != 0;
	if (map > 0xFF)
		*at++ = (u8)(map >> 8);
	if (map)
		*at++ = (u8)map;
	*at++ = (u8)any();
	if (map == 0x0F && at[-1] == 0xF7)
		modrm |= 0xC0;
	*at++ = modrm;
	if ((modrm & 0xC7) == 0x84)
		*at++ = (u8)any();
	while (at < s->bytes + INSN_MAX_LEN)
		*at++ = (u8)any();
	if (decode_insn(s->bytes, INSN_MAX_LEN, false, &s->insn) != DECODE_OK)
		return false;
	if (s->insn.mem)
		s->disp = s->insn.len - s->insn.imm_len - 4u;
	return (operand_of(&s->insn, &s->operand) || (s->insn.op == INSN_MOV && s->insn.mem)) &&
	       !s->insn.addrsize16 && !s->insn.lock && s->insn.seg_override == SEG_NONE &&
	       (!s->insn.modrm || s->insn.mod >= 2);
}

/* What the two cannot have alike: ESP, and a bit far from its address. */
static bool comparable(struct sample *s)
{
	const struct insn *i = &s->insn;
	bool bit = i->op >= INSN_BT && i->op <= INSN_BTC && i->form == FORM_RM_R;

	if (in_address(s, GPR_ESP) ||
	    (i->reg == GPR_ESP && (s->operand.general || i->op == INSN_MOV)) || i->opcode == 0x82)
		return false;
	if (bit && in_address(s, i->reg))
		return false;
	if (bit)
		s->gpr[i->reg] &= i->size * 8 - 1u;
	return true;
}

static void make_state(struct sample *s)
{
	u32 mxcsr = any() % 4 ? 0x1F80 : any() & 0x1FBF, regs[8] = {0}, flags = 0;

	for (u32 i = 0; i < 8; i++)
		s->gpr[i] = any() % 8 ? any() : any() % 3 - 1;
	s->eflags = any() & EFLAGS_STATUS;
	s->offset = any() % 4 ? any() % OFFSET_MAX & ~15u : any() % OFFSET_MAX;
	cpu_reset();
	memcpy(s->fpu, cpu_fpu, sizeof(s->fpu));
	for (u32 i = 32; i < 288; i++)
		s->fpu[i] = (u8)any();
	if (any() % 2)
		s->fpu[4] = (u8)any(); /* tags */
	s->fpu[3] = (any() & 7) << 3;  /* top of stack */
	if (any() % 8 == 0)
		s->fpu[0] = 0x40 | (any() & 0x3F); /* some exceptions are not masked */
	if (any() % 8 == 0)
		s->fpu[2] = any() & 0x3F; /* and some are pending */
	memcpy(s->fpu + 24, &mxcsr, 4);
	/* Loaded and stored once, it is as a processor has it. */
	memcpy(cpu_fpu, s->fpu, sizeof(cpu_fpu));
	code[0] = 0xC3;
	cpu_run(code, regs, &flags);
	memcpy(s->fpu, cpu_fpu, sizeof(cpu_fpu));
}

/* The instruction with its operand at address. */
static void aim(const struct sample *s, u8 *bytes, u32 *regs, u32 address)
{
	memcpy(bytes, s->bytes, INSN_MAX_LEN);
	memcpy(regs, s->gpr, 8 * 4);
	if (!s->disp) {
		regs[GPR_EDI] = address;
		return;
	}
	if (s->insn.base >= 0)
		address -= regs[s->insn.base];
	if (s->insn.index >= 0)
		address -= regs[s->insn.index] * s->insn.scale;
	memcpy(bytes + s->disp, &address, 4);
}

static u32 natively(const struct sample *s, u32 *regs, u32 *eflags)
{
	u32 address = (u32)(uintptr_t)ones + s->offset;

	memset(ones, 0xFF, 2 * PAGE_SIZE);
	memcpy(cpu_fpu, s->fpu, sizeof(cpu_fpu));
	code[0] = 0x67; /* addresses of 32 bits */
	aim(s, code + 1, regs, address);
	code[1 + s->insn.len] = 0xC3;
	*eflags = s->eflags;
	return cpu_run(code, regs, eflags);
}

static void emulated(const struct sample *s)
{
	domain_user();
	memcpy(cpu_fpu, s->fpu, sizeof(cpu_fpu));
	aim(s, PHYS(DATA), gpr, USER_NOWHERE + s->offset);
	v->r.eflags = s->eflags | EFLAGS_IF;
	emulate_mmio(v, USER_NOWHERE + s->offset, HOLE + s->offset);
}

static void differ(const struct sample *s, const char *what, u32 ours, u32 theirs)
{
	for (u32 i = 0; i < s->insn.len; i++)
		fprintf(stderr, "%02X ", s->bytes[i]);
	fail_msg("%s: %08x, the processor has %08x (offset %x)", what, ours, theirs, s->offset);
}

/* All but where the last x87 instruction and its operand were. */
static void same_fpu(const struct sample *s, const u8 *theirs)
{
	for (u32 i = 0; i < 288; i++)
		if ((i < 6 || i >= 24) && cpu_fpu[i] != theirs[i])
			differ(s, "FPU", i << 8 | cpu_fpu[i], theirs[i]);
}

static u32 met[RUN_DONE + 1]; /* how often each end was met */

static void one(const struct sample *s)
{
	u32 regs[8], eflags, vector = natively(s, regs, &eflags), esp;
	u8 fpu[512];

	met[vector]++;
	memcpy(fpu, cpu_fpu, sizeof(fpu));
	emulated(s);
	same_fpu(s, fpu);
	if (vector != RUN_DONE) {
		if (!domain_at(vector))
			differ(s, "vector", v->r.eip, vector);
		memcpy(regs, s->gpr, sizeof(regs));
	} else if (v->r.eip != USER + s->insn.len) {
		differ(s, "EIP", v->r.eip, USER + s->insn.len);
	} else if ((v->r.eflags ^ eflags) & EFLAGS_STATUS) {
		differ(s, "EFLAGS", v->r.eflags, eflags);
	}
	esp = gpr[GPR_ESP];
	for (u32 i = 0; i < 8; i++)
		if (i != GPR_ESP && (s->disp || i != GPR_EDI) && gpr[i] != regs[i])
			differ(s, "a register", gpr[i], regs[i]);
	if (vector == RUN_DONE && esp != s->gpr[GPR_ESP])
		differ(s, "ESP", esp, s->gpr[GPR_ESP]);
}

static void the_processor_agrees_on_random_instructions(void **state)
{
	static struct sample s;
	u32 done = 0;

	(void)state;
	while (done < 40000) {
		if (!make_insn(&s))
			continue;
		make_state(&s);
		if (!comparable(&s))
			continue;
		one(&s);
		done++;
	}
	assert_true(met[RUN_DONE] > done / 2);
	assert_true(met[EXC_DE] && met[EXC_GP] && met[EXC_MF] && met[EXC_XM]);
}

/* --- by hand --------------------------------------------------------------------- */

/* In user mode, with EBX at va; true if it is done. */
static bool touch(const char *hex, gva_t va)
{
	u32 esp = gpr[GPR_ESP], len;

	domain_user();
	gpr[GPR_ESP] = esp;
	gpr[GPR_EBX] = va;
	len = domain_code(hex);
	emulate_mmio(v, USER_NOWHERE, HOLE);
	return v->r.eip == USER + len;
}

static void the_stack_pointer_is_a_register_like_others(void **state)
{
	(void)state;
	gpr[GPR_ESP] = 0x12345678;
	gpr[GPR_EBP] = 0x01020304;
	assert_true(touch("66 8B 23", USER_NOWHERE)); /* mov sp, [ebx] */
	assert_int_equal(gpr[GPR_ESP], 0x1234FFFF);
	gpr[GPR_ESP] = 7;
	v->r.eflags = 0;
	assert_true(touch("3B 23", USER_NOWHERE)); /* cmp esp, [ebx] */
	assert_int_equal(v->r.eflags, EFLAGS_CF | 0x10);
	assert_true(touch("0F C1 23", USER_NOWHERE)); /* xadd [ebx], esp */
	assert_int_equal(gpr[GPR_ESP], 0xFFFFFFFF);
	gpr[GPR_ESP] = 0x55;
	gpr[GPR_EAX] = 0x00FF;
	assert_true(touch("0F B1 23", USER_NOWHERE)); /* cmpxchg [ebx], esp: not equal */
	assert_int_equal(gpr[GPR_EAX], 0xFFFFFFFF);
	assert_int_equal(gpr[GPR_ESP], 0x55);
	assert_int_equal(gpr[GPR_EBP], 0x01020304);
	/* movd mm4, [ebx] is another register 4 */
	assert_true(touch("0F 6E 23", USER_NOWHERE));
	assert_int_equal(gpr[GPR_ESP], 0x55);
}

static void registers_that_the_copy_uses_are_kept(void **state)
{
	(void)state;
	gpr[GPR_EDI] = 0x0D0D0D0D;
	gpr[GPR_ESI] = 0x05050505;
	assert_true(touch("8B 0B", USER_NOWHERE));
	assert_true(touch("89 3B", USER_NOWHERE)); /* mov [ebx], edi */
	assert_true(touch("8B 33", USER_NOWHERE)); /* mov esi, [ebx] */
	assert_int_equal(gpr[GPR_ESI], 0xFFFFFFFF);
	assert_int_equal(gpr[GPR_EDI], 0x0D0D0D0D);
	gpr[GPR_EDI] = USER_NOWHERE + 8;
	assert_true(touch("0F F7 F9", USER_NOWHERE)); /* maskmovq mm7, mm1 */
	assert_int_equal(gpr[GPR_EDI], USER_NOWHERE + 8);
	assert_true(touch("8B 3B", USER_NOWHERE)); /* mov edi, [ebx] */
	assert_int_equal(gpr[GPR_EDI], 0xFFFFFFFF);
}

static void a_bit_may_be_far_from_its_address(void **state)
{
	(void)state;
	v->r.eflags = 0;
	gpr[GPR_ECX] = 8 * 100 + 3;
	assert_true(touch("0F A3 0B", USER_NOWHERE)); /* bt [ebx], ecx */
	assert_int_equal(v->r.eflags & EFLAGS_CF, EFLAGS_CF);
	assert_int_equal(gpr[GPR_ECX], 803);
	/* The bits of the word before are in memory, and only to be read. */
	*(u32 *)PHYS(DATA + 2 * PAGE_SIZE - 4) = 0x80000000;
	gpr[GPR_ECX] = 0u - 1;
	assert_true(touch("0F A3 0B", USER_NOWHERE));
	assert_int_equal(v->r.eflags & EFLAGS_CF, EFLAGS_CF);
	gpr[GPR_ECX] = 0u - 2;
	assert_true(touch("0F A3 0B", USER_NOWHERE));
	assert_int_equal(v->r.eflags & EFLAGS_CF, 0);
	assert_false(touch("0F AB 0B", USER_NOWHERE)); /* bts */
	assert_true(domain_at(EXC_PF));
	assert_int_equal(v->cr2, USER_NOWHERE - 4);
	assert_int_equal(domain_stack(0), PF_U | PF_W | PF_P);
	gpr[GPR_ECX] = 0xAAAAFFFF; /* of 16 bits: -1 */
	*(u16 *)PHYS(DATA + 2 * PAGE_SIZE - 2) = 0;
	v->r.eflags = EFLAGS_CF;
	assert_true(touch("66 0F A3 0B", USER_NOWHERE));
	assert_int_equal(v->r.eflags & EFLAGS_CF, 0);
}

/* Of an operand that is half in memory that half is memory. */
static void an_operand_may_be_half_in_memory(void **state)
{
	u32 *after = PHYS(DATA + 2 * PAGE_SIZE), end = USER_NOWHERE + PAGE_SIZE;
	u8 *before = PHYS(DATA + 2 * PAGE_SIZE - 4);

	(void)state;
	*after = 0x44332211;
	assert_true(touch("8B 0B", end - 2));
	assert_int_equal(gpr[GPR_ECX], 0x2211FFFF);
	gpr[GPR_ECX] = 0xA5B6C7D8;
	assert_true(touch("89 0B", end - 2));
	assert_int_equal(*after, 0x4433A5B6);
	gpr[GPR_ECX] = 1;
	assert_true(touch("01 0B", end - 2)); /* A5B6FFFF + 1 */
	assert_int_equal(*after, 0x4433A5B7);
	assert_true(touch("DD 33", end - 8)); /* fnsave: 8 of 108 bytes are nowhere */
	memset(before, 0x11, 4);
	gpr[GPR_ECX] = 0;
	assert_true(touch("8B 0B", USER_NOWHERE - 1)); /* read-only, and read */
	assert_int_equal(gpr[GPR_ECX], 0xFFFFFF11);
	*after = 0x44332211;
	assert_false(touch("89 0B", USER_NOWHERE - 1)); /* written: not even the other half */
	assert_true(domain_at(EXC_PF));
	assert_int_equal(v->cr2, USER_NOWHERE - 1);
	assert_int_equal(before[3], 0x11);
}

/* Nothing has happened when the second page cannot be had: FNSAVE would have
 * initialised the FPU. */
static void a_fault_leaves_the_fpu_alone(void **state)
{
	u8 fpu[512];

	(void)state;
	((u32 *)PHYS(USER_PT))[3 * 2] = 0; /* PAE: the page behind is absent */
	shadow_flush_tlb(v);
	cpu_fpu[0] = 0x7E;
	memcpy(fpu, cpu_fpu, sizeof(fpu));
	assert_false(touch("DD 33", USER_NOWHERE + PAGE_SIZE - 8));
	assert_true(domain_at(EXC_PF));
	assert_int_equal(v->cr2, USER_NOWHERE + PAGE_SIZE);
	assert_int_equal(domain_stack(0), PF_U | PF_W);
	assert_memory_equal(fpu, cpu_fpu, sizeof(fpu));
}

static void without_the_fpu_it_is_not_available(void **state)
{
	(void)state;
	control_set_cr0(v, v->cr0 | CR0_TS);
	assert_false(touch("0F 10 03", USER_NOWHERE)); /* movups xmm0, [ebx] */
	assert_true(domain_at(EXC_NM));
	assert_int_equal(domain_stack(0), USER);      /* no error code */
	assert_true(touch("0F C3 03", USER_NOWHERE)); /* movnti has nothing to do with it */
	v->ts_cleared = CR0_TS; /* the guest's #NM handler: Xen has cleared it */
	assert_true(touch("0F 10 03", USER_NOWHERE));
}

static void locks_and_aliases(void **state)
{
	(void)state;
	gpr[GPR_ECX] = 1;
	v->r.eflags = 0;
	assert_true(touch("F0 0F C1 0B", USER_NOWHERE)); /* lock xadd */
	assert_int_equal(gpr[GPR_ECX], 0xFFFFFFFF);
	assert_true(touch("F0 0F C7 0B", USER_NOWHERE)); /* lock cmpxchg8b */
	assert_int_equal(gpr[GPR_EAX], 0xFFFFFFFF);
	assert_int_equal(gpr[GPR_EDX], 0xFFFFFFFF);
	assert_true(touch("82 3B FF", USER_NOWHERE)); /* cmp byte [ebx], FF as it was once */
	assert_int_equal(v->r.eflags & EFLAGS_ZF, EFLAGS_ZF);
	assert_true(touch("F3 01 0B", USER_NOWHERE)); /* a prefix that means nothing */
}

/* 16-bit code reaches as far as its registers do. */
static void sixteen_bit_addresses(void **state)
{
	u64 *ldt = PHYS(LDT);

	(void)state;
	/* entry 1: 64 KB of data from USER_NOWHERE - F000 on */
	ldt[1] = 0x0000F20000000000ull | (u64)(USER_NOWHERE - 0xF000) >> 24 << 56 |
		 (u64)((USER_NOWHERE - 0xF000) & 0xFFFFFF) << 16 | 0xFFFF;
	assert_true(segment_load_ldt(v, LDT_SEL));
	memcpy(PHYS(DATA), "\x67\x66\x8B\x40\x10", 5); /* mov ax, [bx + si + 10] */
	domain_user();
	v->r.ds = 0x0F;
	gpr[GPR_EAX] = 0;
	gpr[GPR_EBX] = 0x1234F000;
	gpr[GPR_ESI] = 0x5678FFF8; /* wraps */
	emulate_mmio(v, USER_NOWHERE, HOLE);
	assert_int_equal(v->r.eip, USER + 5);
	assert_int_equal(gpr[GPR_EAX], 0xFFFF);
	gpr[GPR_ESI] = 0x0FF0; /* F000 + FF0 + 10 is 0 */
	v->r.eip = USER;
	emulate_mmio(v, USER_NOWHERE, HOLE);
	assert_true(domain_at(EXC_PF));
	assert_int_equal(v->cr2, USER_NOWHERE - 0xF000);
	domain_user();
	v->r.ds = 0x0F;
	gpr[GPR_ESI] = 0x0FEF; /* a word at FFFF does not wrap, but ends behind the limit */
	emulate_mmio(v, USER_NOWHERE, HOLE);
	assert_true(domain_at(EXC_GP));
	assert_int_equal(domain_stack(0), 0);
}

/* There a 66 chooses among the instructions of MMX and SSE as it does elsewhere, and
 * makes the others 32 bits wide. */
static void instructions_of_16_bit_code(void **state)
{
	static const struct {
		const char *bytes;
		u32 len, eax;
	} cases[] = {
		{"\x8B\x07", 2, 0x1234FFFF},	     /* mov ax, [bx] */
		{"\x33\x07", 2, 0x1234A987},	     /* xor ax, [bx] */
		{"\x66\x33\x07", 3, 0xEDCBA987},     /* xor eax, [bx] */
		{"\x0F\xC3\x07", 3, 0x12345678},     /* movnti [bx], eax */
		{"\x0F\x6E\x07", 3, 0x12345678},     /* movd mm0, [bx] */
		{"\x66\x0F\x6E\x07", 4, 0x12345678}, /* movd xmm0, [bx] */
		{"\x66\x0F\x2D\x07", 4, 0x12345678}, /* cvtpd2pi mm0, [bx] */
		{"\x66\x0F\xAF\x07", 4, 0xEDCBA988}, /* imul eax, [bx] */
	};

	(void)state;
	((u64 *)PHYS(LDT))[1] = 0x0000FB0000000000ull | (u64)(USER >> 24) << 56 |
				(u64)(USER & 0xFFFFFF) << 16 | 0xFFFF;
	assert_true(segment_load_ldt(v, LDT_SEL));
	memset(cpu_fpu + 32, 0, 256);
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		domain_user();
		v->r.cs = 0x0F;
		v->r.eip = 0x40;
		((u64 *)PHYS(LDT))[2] = 0x0000F30000000000ull | (u64)(USER >> 24) << 56 |
					(u64)(USER & 0xFFFFFF) << 16 | 0xFFFF;
		assert_true(segment_load_ldt(v, LDT_SEL));
		v->r.ds = 0x17;
		gpr[GPR_EAX] = 0x12345678;
		gpr[GPR_EBX] = USER_NOWHERE - USER;
		memcpy(PHYS(DATA + 0x40), cases[i].bytes, cases[i].len);
		emulate_mmio(v, USER_NOWHERE, HOLE);
		if (v->r.eip != 0x40 + cases[i].len || gpr[GPR_EAX] != cases[i].eax)
			fail_msg("case %u: eip %x, eax %08x", i, v->r.eip, gpr[GPR_EAX]);
	}
	assert_int_equal(*(u32 *)(cpu_fpu + 32), 0x80000000);  /* mm0: of a NaN */
	assert_int_equal(*(u32 *)(cpu_fpu + 160), 0xFFFFFFFF); /* xmm0 */
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_processor_agrees_on_random_instructions, start),
		cmocka_unit_test_setup(the_stack_pointer_is_a_register_like_others, start),
		cmocka_unit_test_setup(registers_that_the_copy_uses_are_kept, start),
		cmocka_unit_test_setup(a_bit_may_be_far_from_its_address, start),
		cmocka_unit_test_setup(an_operand_may_be_half_in_memory, start),
		cmocka_unit_test_setup(a_fault_leaves_the_fpu_alone, start),
		cmocka_unit_test_setup(without_the_fpu_it_is_not_available, start),
		cmocka_unit_test_setup(locks_and_aliases, start),
		cmocka_unit_test_setup(sixteen_bit_addresses, start),
		cmocka_unit_test_setup(instructions_of_16_bit_code, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
