/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames without memory, as a program sees them that maps /dev/mem: reads give ones,
 * writes vanish, whatever instruction makes them.  Each function answers 0 or the
 * number of the step that went wrong.
 */
#include "user.h"

#define AT USER_NOWHERE
#define ONES 0xffffffffu
#define CF 0x01u
#define ZF 0x40u
#define SF 0x80u

static u8 buffer[2 * PAGE_SIZE] __attribute__((aligned(16)));

#define EXPECT(step, condition)                                                                    \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return step;                                                               \
	} while (0)

/* insn with v in EAX, w in EDX and the address in EBX; the status flags behind it. */
#define DO(insn)                                                                                   \
	asm volatile("clc\n\t" insn "\n\tpushf\n\tpop %0"                                          \
		     : "=r"(flags), "+a"(v), "+d"(w)                                               \
		     : "b"(AT + 16), "c"(0x20)                                                     \
		     : "memory", "cc")

static u32 arithmetic(void)
{
	u32 v = 0xf, w = 0, flags;

	DO("xor (%%ebx), %%eax");
	EXPECT(1, v == 0xfffffff0 && (flags & SF));
	v = 1;
	DO("add (%%ebx), %%eax");
	EXPECT(2, v == 0 && (flags & (ZF | CF)) == (ZF | CF));
	v = 5;
	DO("stc; sbb (%%ebx), %%eax");
	EXPECT(3, v == 5 && (flags & CF));
	DO("addl $1, (%%ebx); notl (%%ebx); decb (%%ebx)");
	EXPECT(4, (flags & (ZF | SF)) == SF); /* of FF - 1 */
	DO("negl (%%ebx)");
	EXPECT(5, (flags & (ZF | SF | CF)) == CF);
	DO("shll $4, (%%ebx); rolw %%cl, (%%ebx); sarb (%%ebx)");
	EXPECT(6, (flags & CF) && (flags & SF));
	v = 2;
	DO("mull (%%ebx)");
	EXPECT(7, v == 0xfffffffe && w == 1);
	v = 5;
	w = 0;
	DO("divl (%%ebx)");
	EXPECT(8, v == 0 && w == 5);
	DO("imul $3, (%%ebx), %%eax");
	EXPECT(9, v == 0u - 3);
	DO("cmpl $-1, (%%ebx)");
	EXPECT(10, flags & ZF);
	return 0;
}

static u32 bits_and_moves(void)
{
	u32 v = 0, w = 0x77, flags;

	DO("lock cmpxchg %%edx, (%%ebx)");
	EXPECT(1, v == ONES && w == 0x77 && !(flags & ZF));
	v = w = 0;
	DO("cmpxchg8b (%%ebx)");
	EXPECT(2, v == ONES && w == ONES && !(flags & ZF));
	w = 8 * 4 + 3;
	DO("bt %%edx, (%%ebx); btsl $3, (%%ebx); btrl $3, (%%ebx); btc %%edx, (%%ebx)");
	EXPECT(3, (flags & CF) && w == 35);
	DO("bsf (%%ebx), %%eax; bsr (%%ebx), %%edx");
	EXPECT(4, v == 0 && w == 31);
	w = 5;
	DO("xchg %%edx, (%%ebx)");
	EXPECT(5, w == ONES);
	w = 2;
	DO("lock xadd %%edx, (%%ebx)");
	EXPECT(6, w == ONES);
	DO("sete (%%ebx); xor %%eax, %%eax; cmovz (%%ebx), %%eax");
	EXPECT(7, v == ONES);
	DO("movzbl (%%ebx), %%eax; movsbw (%%ebx), %%dx");
	EXPECT(8, v == 0xff && w == ONES);
	DO("movnti %%eax, (%%ebx); movl (%%ebx), %%eax");
	EXPECT(9, v == ONES);
	v = 0;
	DO("pushl (%%ebx); popl %%eax; pushl %%eax; popl (%%ebx)");
	EXPECT(10, v == ONES);
	return 0;
}

static u32 strings(void)
{
	u32 from = AT, to = (u32)buffer, count = sizeof(buffer);
	u8 *b = buffer;

	asm volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(count)::"memory");
	EXPECT(1, !count && from == AT + sizeof(buffer) && b[0] == 0xff && b[8191] == 0xff);
	from = (u32)buffer;
	to = AT;
	count = sizeof(buffer);
	b[5000] = 7;
	asm volatile("repe cmpsb" : "+S"(from), "+D"(to), "+c"(count)::"memory", "cc");
	EXPECT(2, from == (u32)buffer + 5001);
	to = AT;
	count = 2048;
	asm volatile("rep stosl" : "+D"(to), "+c"(count) : "a"(0) : "memory");
	EXPECT(3, !count && to == AT + sizeof(buffer));
	to = AT;
	count = 100;
	asm volatile("repne scasl" : "+D"(to), "+c"(count) : "a"(0) : "memory", "cc");
	EXPECT(4, !count);
	from = AT;
	asm volatile("lodsl" : "+S"(from), "=a"(count)::"memory");
	EXPECT(5, count == ONES && from == AT + 4);
	return 0;
}

/* A buffer of 16 bytes behind what insn has stored there. */
static bool all(u8 byte, u32 bytes)
{
	for (u32 i = 0; i < bytes; i++)
		if (buffer[i] != byte)
			return false;
	return true;
}

#define WITH_BUFFER(insn) asm volatile(insn::"b"(AT + 16), "D"(buffer), "d"(AT + 100) : "memory")

static u32 x87(void)
{
	volatile u32 *b = (volatile u32 *)buffer;
	static const u8 qnan[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	b[0] = b[1] = 0;
	WITH_BUFFER("fninit; fldl (%%ebx); fstpl (%%edi)");
	EXPECT(1, !((b[0] ^ ((const u32 *)qnan)[0]) | (b[1] ^ ((const u32 *)qnan)[1])));
	WITH_BUFFER("fildl (%%ebx); fistpl (%%edi)");
	EXPECT(2, b[0] == ONES);
	WITH_BUFFER("fildll (%%ebx); fistpll (%%edi)");
	EXPECT(3, b[0] == ONES && b[1] == ONES);
	WITH_BUFFER("fld1; fsts (%%ebx); fstl (%%ebx); fistl (%%ebx); fistps (%%edi)");
	EXPECT(4, (b[0] & 0xffff) == 1);
	WITH_BUFFER("fld1; fiadds (%%ebx); fistpl (%%edi)"); /* 1 - 1 */
	EXPECT(5, b[0] == 0);
	WITH_BUFFER("fld1; fstpt (%%ebx); fnstcw (%%ebx); fnstsw (%%ebx); fnstenv (%%edx)");
	WITH_BUFFER("fld1; fnsave (%%edx); fnstcw (%%edi)"); /* as after FNINIT */
	EXPECT(6, (b[0] & 0xffff) == 0x37f);
	return 0;
}

static u32 mmx(void)
{
	WITH_BUFFER("movq (%%ebx), %%mm0; movq %%mm0, (%%edi)");
	EXPECT(1, all(0xff, 8));
	WITH_BUFFER("pxor %%mm0, %%mm0; movq %%mm0, (%%ebx); movntq %%mm0, (%%ebx)");
	WITH_BUFFER("movd %%mm0, (%%ebx); movq (%%ebx), %%mm0; movq %%mm0, (%%edi)");
	EXPECT(2, all(0xff, 8));
	WITH_BUFFER("movd (%%ebx), %%mm1; movq %%mm1, (%%edi)");
	EXPECT(3, all(0xff, 4) && buffer[4] == 0);
	WITH_BUFFER("pcmpeqb (%%ebx), %%mm0; movq %%mm0, (%%edi)");
	EXPECT(4, all(0xff, 8));
	WITH_BUFFER("push %%edi; mov %%ebx, %%edi; maskmovq %%mm0, %%mm1; pop %%edi; emms");
	return 0;
}

static u32 sse(void)
{
	WITH_BUFFER("movups 3(%%ebx), %%xmm0; movups %%xmm0, (%%edi)");
	EXPECT(1, all(0xff, 16));
	WITH_BUFFER("xorps %%xmm1, %%xmm1; movaps %%xmm1, (%%ebx); movups %%xmm1, 1(%%ebx);"
		    "movntps %%xmm1, (%%ebx); movntdq %%xmm1, (%%ebx); movdqa %%xmm1, (%%ebx);"
		    "movdqu %%xmm1, 1(%%ebx); movss %%xmm1, (%%ebx); movsd %%xmm1, (%%ebx);"
		    "movlps %%xmm1, (%%ebx); movhps %%xmm1, (%%ebx); movq %%xmm1, (%%ebx)");
	WITH_BUFFER("movaps (%%ebx), %%xmm1; movaps %%xmm1, (%%edi)");
	EXPECT(2, all(0xff, 16));
	WITH_BUFFER("movss (%%ebx), %%xmm2; movaps %%xmm2, (%%edi)");
	EXPECT(3, all(0xff, 4) && buffer[4] == 0);
	WITH_BUFFER("movsd (%%ebx), %%xmm3; movaps %%xmm3, (%%edi)");
	EXPECT(4, all(0xff, 8) && buffer[8] == 0);
	WITH_BUFFER("movlps (%%ebx), %%xmm2; movhps (%%ebx), %%xmm2; movaps %%xmm2, (%%edi)");
	EXPECT(5, all(0xff, 16));
	WITH_BUFFER("movdqa (%%ebx), %%xmm4; pand (%%ebx), %%xmm4; movdqa %%xmm4, (%%edi)");
	EXPECT(6, all(0xff, 16));
	WITH_BUFFER("pxor %%xmm5, %%xmm5; pcmpeqd (%%ebx), %%xmm5; movdqu %%xmm5, (%%edi)");
	EXPECT(7, all(0, 16));
	return 0;
}

/* Over all of it and back, as a memcpy does, 16 bytes at a time. */
static u32 copy(void)
{
	for (u32 i = 0; i < sizeof(buffer); i += 16)
		asm volatile("movups (%0), %%xmm0; movaps %%xmm0, (%1)" ::"r"(AT + i),
			     "r"(buffer + i)
			     : "memory");
	EXPECT(1, all(0xff, sizeof(buffer)));
	for (u32 i = 0; i < sizeof(buffer); i += 16)
		asm volatile("movaps (%1), %%xmm0; movntps %%xmm0, (%0)" ::"r"(AT + i),
			     "r"(buffer + i)
			     : "memory");
	/* the last one is half in the page behind, which is not there */
	asm volatile("movups %%xmm0, (%0)" ::"r"(AT + 2 * PAGE_SIZE - 8) : "memory");
	return 2;
}

/* A word of the kernel's becomes ones? */
static u32 into_the_kernel(void)
{
	u32 from = AT, to = KERNEL_WORD, count = 1;

	asm volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(count)::"memory");
	return 1;
}

/* The quotient of FFFFFFFF:0 and ones does not fit. */
static u32 divide(void)
{
	u32 v = 0, w = ONES, flags;

	DO("divl (%%ebx)");
	return 1;
}

u32 nowhere(u32 kind)
{
	static u32 (*const functions[])(void) = {
		[NOWHERE_ARITHMETIC] = arithmetic,
		[NOWHERE_BITS] = bits_and_moves,
		[NOWHERE_STRINGS] = strings,
		[NOWHERE_X87] = x87,
		[NOWHERE_MMX] = mmx,
		[NOWHERE_SSE] = sse,
		[NOWHERE_COPY] = copy,
		[NOWHERE_TO_KERNEL] = into_the_kernel,
		[NOWHERE_DIVIDE] = divide,
	};

	sys(SYS_DEVMEM, AT, 0xb8, 2);
	return functions[kind]();
}

/* A single step over insn, and over the push and the popf that end it. */
#define STEP(insn, ...)                                                                            \
	asm volatile("pushf; orl $0x100, (%%esp); popf\n\t" insn "\n\tpush $2; popf" : __VA_ARGS__)

u32 step(u32 kind)
{
	u32 to = AT, count = 3;

	sys(SYS_DEVMEM, AT, 0xb8, 2);
	switch (kind) {
	case STEP_NOP:
		STEP("nop", : : "cc", "memory");
		break;
	case STEP_IN:
		STEP("in $0x21, %%al", : : "eax", "cc", "memory");
		break;
	case STEP_CLI:
		STEP("cli", : : "cc", "memory");
		break;
	case STEP_NOWHERE:
		STEP("mov (%0), %%eax", : "r"(to) : "eax", "cc", "memory");
		break;
	case STEP_STRING:
		STEP("rep stosb", "+D"(to), "+c"(count) : : "cc", "memory");
		break;
	}
	return 0;
}

/* Code of 16 bits: INSB to ES:DI, whatever the upper half of EDI is. */
u32 code16(void)
{
	static const u8 code[] = {0x6c, 0x66, 0xcb}; /* insb; retf, of 32 bits */
	static const struct {
		u32 offset;
		u16 selector;
	} packed target = {0, 0x0f};
	u32 edi = 0x00028004;
	u8 *landing = (u8 *)USER_HEAP + 0x8004;

	*landing = 0x5a;
	sys(SYS_LDT_CODE16, (u32)code, USER_HEAP, 0);
	asm volatile("push %%es; mov %2, %%es; lcall *%3; pop %%es"
		     : "+D"(edi)
		     : "d"(0x21), "r"(0x17), "m"(target)
		     : "memory");
	EXPECT(1, edi == 0x00028005);
	return *landing == 0x5a ? 2 : 0;
}
