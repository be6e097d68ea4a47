/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Before Init: a descriptor is what memory says when its selector is loaded,
 * however and wherever the table has been written to.  All of it is native; a
 * hypervisor must find out by itself.
 */
#include "checks.h"
#include "mm.h"
#include "trap.h"

#define SPARE (GDT_SPARE * 8)
#define LDT_SELECTOR 0x0f
#define ALIAS (VMALLOC_END - 8 * PAGE_SIZE) /* in the table that checks_boot.c hooks */

u32 boot_gs[3]; /* head.asm: what GS read while GDTR had a physical address */

static const u32 words[] = {0x0a0a0a0a, 0x1b1b1b1b, 0x2c2c2c2c, 0x3d3d3d3d, 0x4e4e4e4e};

static void lgdt(const void *table, u32 limit)
{
	struct desc_ptr gdt = {(u16)limit, (u32)table};

	native_ops.set_gdt(&gdt);
}

static void write(void *entry, struct descriptor d)
{
	((volatile u32 *)entry)[0] = d.lo;
	((volatile u32 *)entry)[1] = d.hi;
}

static void write_data(void *entry, const u32 *word)
{
	write(entry, segment((u32)word, 0xfffff, 0x92));
}

/* LAR is not a load: in ring 1 of a domain of its own it reads the hypervisor's copy. */
static bool loadable(u32 selector)
{
	u32 rights, count = seen.count;
	bool ok;

	if (in_own_domain()) {
		asm volatile("push %%gs\n\t" TRY("1: mov %0, %%gs") "\tpop %%gs" ::"r"(selector)
			     : "memory");
		return seen.count == count;
	}
	asm volatile("lar %2, %0" : "=r"(rights), "=@ccz"(ok) : "r"(selector));
	return ok;
}

/* --- the word behind a selector in each register ------------------------------------ */

/* Also while the register has the selector already. */
#define BY(reg)                                                                                    \
	static u32 by_##reg(u32 selector)                                                          \
	{                                                                                          \
		u32 v;                                                                             \
                                                                                                   \
		asm volatile("push %%" #reg "\n\tmov %1, %%" #reg "\n\tmov %%" #reg                \
			     ":0, %0\n\tpop %%" #reg                                               \
			     : "=&r"(v)                                                            \
			     : "r"(selector)                                                       \
			     : "memory");                                                          \
		return v;                                                                          \
	}                                                                                          \
	static u32 again_##reg(u32 selector, volatile void *entry, u32 low)                        \
	{                                                                                          \
		asm volatile("push %%" #reg "\n\tmov %1, %%" #reg "\n\tmov %0, %%ss:(%2)"          \
			     "\n\tmov %1, %%" #reg "\n\tmov %%" #reg ":0, %0\n\tpop %%" #reg       \
			     : "+r"(low)                                                           \
			     : "r"(selector), "r"(entry)                                           \
			     : "memory");                                                          \
		return low;                                                                        \
	}
BY(gs)
BY(fs)
BY(es)
BY(ds)

static u32 by_ss(u32 selector)
{
	u32 v, old;

	asm volatile("mov %%ss, %1\n\tmov %2, %%ss\n\tmov %%ss:0, %0\n\tmov %1, %%ss"
		     : "=&r"(v), "=&r"(old)
		     : "r"(selector)
		     : "memory");
	return v;
}

static u32 again_ss(u32 selector, volatile void *entry, u32 low)
{
	u32 old;

	asm volatile("mov %%ss, %1\n\tmov %2, %%ss\n\tmov %0, %%ds:(%3)\n\tmov %2, %%ss"
		     "\n\tmov %%ss:0, %0\n\tmov %1, %%ss"
		     : "+r"(low), "=&r"(old)
		     : "r"(selector), "r"(entry)
		     : "memory");
	return low;
}

static void check_register(const char *name, u32 (*by)(u32),
			   u32 (*again)(u32, volatile void *, u32))
{
	struct descriptor *entry = &gdt_table[GDT_SPARE];

	check_subject(name);
	write_data(entry, &words[0]);
	lgdt(gdt_table, 255);
	write_data(entry, &words[1]);
	check_eq("changed behind LGDT", words[1], by(SPARE));
	write_data(entry, &words[2]);
	check_eq("changed again", words[2], by(SPARE));
	check_eq("changed while it is loaded", words[4],
		 again(SPARE, entry, (u32)&words[4] << 16 | 0xffff));
	((volatile u16 *)entry)[1] = (u16)(u32)&words[3]; /* as Linux sets a base */
	((volatile u8 *)entry)[4] = (u8)((u32)&words[3] >> 16);
	((volatile u8 *)entry)[7] = (u8)((u32)&words[3] >> 24);
	check_eq("its base, in three steps", words[3], by(SPARE));
	write(entry, (struct descriptor){0, 0});
	check("taken away", !loadable(SPARE));
	check_subject(NULL);
}

/* The same offset, with another base: other code. */
extern char cs_one[], cs_two[];
u32 cs_enter(const void *target);
asm(".text\n"
    "cs_one: mov $1, %eax\n\tljmp $0x60, $cs_back\n"
    "cs_two: mov $2, %eax\n\tljmp $0x60, $cs_back\n"
    "cs_enter: ljmp *(%eax)\n"
    "cs_back: ret\n");

static void check_cs(void)
{
	const u32 base = 0x1000, moved = base + (u32)(cs_two - cs_one);
	struct {
		u32 offset;
		u16 selector;
	} packed target = {(u32)cs_one - base, SPARE};

	write(&gdt_table[GDT_SPARE], segment(0, 0xfffff, 0x9a));
	lgdt(gdt_table, 255);
	write(&gdt_table[GDT_SPARE], segment(base, 0xfffff, 0x9a));
	check_eq("boot: CS by a descriptor changed behind LGDT", 1, cs_enter(&target));
	write(&gdt_table[GDT_SPARE], segment(moved, 0xfffff, 0x9a));
	check_eq("boot: CS by one changed again", 2, cs_enter(&target));
	write(&gdt_table[GDT_SPARE], (struct descriptor){0, 0});
}

/* --- ways to write ------------------------------------------------------------------- */

static void check_instructions(void)
{
	struct descriptor *entry = &gdt_table[GDT_SPARE];
	struct descriptor d = segment((u32)&words[0], 0xfffff, 0x92);
	struct descriptor copy[2] = {entry[-1], segment((u32)&words[1], 0xfffff, 0x92)};
	u32 n, to, from, low;

	lgdt(gdt_table, 255);
	asm volatile("lock; cmpxchg8b (%4)"
		     : "=@ccz"(n)
		     : "a"(0), "d"(0), "b"(d.lo), "r"(entry), "c"(d.hi)
		     : "memory");
	check_eq("boot: a descriptor by CMPXCHG8B", words[0], by_gs(SPARE));
	to = (u32)(entry - 1);
	from = (u32)copy;
	asm volatile("rep movsb" : "=c"(n), "+D"(to), "+S"(from) : "0"(16) : "memory");
	check_eq("boot: a descriptor by REP MOVSB", words[1], by_gs(SPARE));
	check_eq("boot: REP MOVSB counts", (u32)(entry + 1), to + n);
	low = (u32)&words[2] << 16 | 0xffff;
	asm volatile("xchg %0, (%1)" : "+r"(low) : "r"(entry) : "memory");
	check_eq("boot: a descriptor by XCHG", words[2], by_gs(SPARE));
	asm volatile(
		"mov %%esp, %%ecx\n\tlea 8(%0), %%esp\n\tpush %1\n\tpush %2\n\tmov %%ecx, %%esp"
		:
		: "r"(entry), "r"(d.hi), "r"(d.lo)
		: "ecx", "memory");
	check_eq("boot: a descriptor by PUSH", words[0], by_gs(SPARE));
	to = (u32)entry;
	asm volatile("rep stosl" : "=c"(n), "+D"(to) : "0"((4096 - SPARE) / 4), "a"(0) : "memory");
	check("boot: the rest of the page cleared by REP STOSL", !loadable(SPARE));
	check_eq("boot: REP STOSL counts", (u32)gdt_table + 4096, to + n);
}

/* --- where the table lies ----------------------------------------------------------- */

static void check_places(void)
{
	static u8 area[3 * 4096] __attribute__((aligned(4096)));
	struct descriptor *straddling, *entry;

	/* An entry that begins in one page and ends in the next, at any address. */
	for (u32 cut = 1; cut < 8; cut++) {
		straddling = (struct descriptor *)(area + 4096 - SPARE - cut);
		entry = straddling + GDT_SPARE;
		lgdt(gdt_table, 255);
		memcpy(straddling, gdt_table, 256);
		write_data(entry, &words[cut % 5]);
		lgdt(straddling, 255);
		if (by_gs(SPARE) != words[cut % 5])
			check_eq("boot: a table over two pages", cut, 0);
		write(entry, (struct descriptor){0, 0});
		check("boot: a descriptor over two pages, taken away", !loadable(SPARE));
		write_data(entry, &words[(cut + 1) % 5]);
		check("boot: a descriptor over two pages, made", loadable(SPARE));
		check_eq("boot: a descriptor over two pages", words[(cut + 1) % 5], by_gs(SPARE));
	}
	/* Another table, and the old one no more. */
	entry = (struct descriptor *)(area + 8192) + GDT_SPARE;
	memcpy(area + 8192, gdt_table, 256);
	lgdt(area + 8192, 255);
	write_data(entry, &words[0]);
	write_data(straddling + GDT_SPARE, &words[1]);
	write_data(&gdt_table[GDT_SPARE], &words[2]);
	check_eq("boot: the table that GDTR has now", words[0], by_gs(SPARE));
	lgdt(gdt_table, 255);
	check_eq("boot: and the one that it has again", words[2], by_gs(SPARE));
	write_data(entry, &words[1]);
	check_eq("boot: writes to the other are nothing", words[2], by_gs(SPARE));
	write(&gdt_table[GDT_SPARE], (struct descriptor){0, 0});
}

static void map_alias(u32 va, u32 pfn)
{
	native_ops.set_pte(pfn ? pte_make(pfn, PTE_P | PTE_RW) : 0, pte_of(&init_mm, va), 0);
}

static u32 pfn_of(const void *p)
{
	return virt_to_phys(p) >> PAGE_SHIFT;
}

static void check_mappings(void)
{
	struct descriptor *alias = (struct descriptor *)ALIAS;
	u32 other = page_alloc_zeroed();
	struct descriptor *table = page_address(other);

	/* Written to by another mapping of the same frame. */
	lgdt(gdt_table, 255);
	map_alias(ALIAS, pfn_of(gdt_table));
	write_data(&alias[GDT_SPARE], &words[0]);
	check_eq("boot: written by another mapping", words[0], by_gs(SPARE));
	write_data(&alias[GDT_SPARE], &words[1]);
	check_eq("boot: and again", words[1], by_gs(SPARE));
	native_ops.set_cr3(native_ops.get_cr3());
	check_eq("boot: read by the other mapping", gdt_table[GDT_SPARE].hi, alias[GDT_SPARE].hi);
	write_data(&alias[GDT_SPARE], &words[2]);
	check_eq("boot: read by the other mapping, and written", words[2], by_gs(SPARE));
	/* GDTR has an address that is mapped to another frame now. */
	lgdt(alias, 255);
	memcpy(table, gdt_table, 256);
	write_data(&table[GDT_SPARE], &words[1]);
	check_eq("boot: a frame that is no table", words[2], by_gs(SPARE));
	map_alias(ALIAS, other);
	native_ops.inval_page(ALIAS);
	check_eq("boot: the table's page is another one", words[1], by_gs(SPARE));
	write_data(&table[GDT_SPARE], &words[3]);
	check_eq("boot: written by the linear mapping", words[3], by_gs(SPARE));
	write_data(&alias[GDT_SPARE], &words[4]);
	check_eq("boot: written where GDTR has it", words[4], by_gs(SPARE));
	map_alias(ALIAS, pfn_of(gdt_table));
	native_ops.set_cr3(native_ops.get_cr3());
	check_eq("boot: mapped back, by CR3", words[2], by_gs(SPARE));
	/* Mapped only when it is needed. */
	map_alias(ALIAS, 0);
	native_ops.inval_page(ALIAS);
	lgdt(alias, 255);
	map_alias(ALIAS, other);
	check_eq("boot: mapped behind LGDT", words[4], by_gs(SPARE));
	write_data(&table[GDT_SPARE], &words[0]);
	check_eq("boot: and then changed", words[0], by_gs(SPARE));
	lgdt(gdt_table, 255);
	map_alias(ALIAS, 0);
	native_ops.inval_page(ALIAS);
	page_put(other);
	write(&gdt_table[GDT_SPARE], (struct descriptor){0, 0});
}

static void check_ldt(void)
{
	static struct descriptor ldt[4] __attribute__((aligned(4096)));
	struct descriptor d = segment((u32)ldt, sizeof(ldt) - 1, 0x82);

	write(&gdt_table[GDT_LDT], (struct descriptor){d.lo, d.hi & ~0xc00000u});
	native_ops.set_ldt(SEL_LDT);
	write_data(&ldt[1], &words[0]);
	check_eq("boot: an LDT entry made behind LLDT", words[0], by_gs(LDT_SELECTOR & ~3u));
	write_data(&ldt[1], &words[1]);
	check_eq("boot: and changed", words[1], by_gs(LDT_SELECTOR & ~3u));
	write(&gdt_table[GDT_LDT], (struct descriptor){0, 0});
	write_data(&ldt[1], &words[2]);
	check_eq("boot: LDTR keeps what it has taken", words[2], by_gs(LDT_SELECTOR & ~3u));
	native_ops.set_ldt(0);
}

/* --- what must not show --------------------------------------------------------------- */

static void check_tf(void)
{
	volatile u32 *word = &gdt_table[GDT_SPARE].lo;
	u32 before = db_count, flags, count, to;

	db_watched = true;
	*word = 0;
	check_eq("boot: no #DB of a write that nobody steps", before, db_count);
	asm volatile("pushf; pushf; orl $0x100, (%%esp); popf; movl $0, (%0); popf" ::"r"(word)
		     : "memory", "cc");
	check_eq("boot: a stepped write traps once", before + 2, db_count);
	check_eq("boot: DR6 tells of the step", 0x4000, db_dr6 & 0x400f);
	before = db_count;
	count = 3;
	to = (u32)word;
	asm volatile("pushf; pushf; orl $0x100, (%%esp); popf; rep stosl; popf"
		     : "+c"(count), "+D"(to)
		     : "a"(0)
		     : "memory", "cc");
	check_range("boot: a stepped REP STOSL traps for each", before + 4, before + 5, db_count);
	db_watched = false;
	/* The stack is in the table's page. */
	asm volatile("mov %%esp, %%ecx\n\tmov %1, %%esp\n\tpushf\n\tpop %0\n\tmov %%ecx, %%esp"
		     : "=&r"(flags)
		     : "r"(gdt_table + 512)
		     : "ecx", "memory");
	check_eq("boot: PUSHF in a step pushes no TF", 0, flags & 0x100);
	asm volatile(
		"mov %%esp, %%ecx\n\tmov %1, %%esp\n\t.byte 0x66; pushf\n\t.byte 0x66; pop %0\n\t"
		"mov %%ecx, %%esp"
		: "=&r"(flags)
		: "r"(gdt_table + 512)
		: "ecx", "memory");
	check_eq("boot: nor does one of 16 bits", 0, flags & 0x100);
}

/* An exception on a stack in the table's page: the processor writes there, too. */
static void check_stack(void)
{
	u32 count = seen.count, ebx;

	asm volatile("mov %%esp, %%esi\n\tmov %1, %%esp\n\t" TRY(
			     "1: ud2") "\tmov %%esi, %%esp\n\tmov %%ebx, %0"
		     : "=r"(ebx)
		     : "r"(gdt_table + 512), "b"(0x0b0b0b0b)
		     : "esi", "memory");
	check_eq("boot: an exception on a stack beside the table", 1, seen.count - count);
	check_eq("boot: its frame was there", (u32)(gdt_table + 512), seen.esp);
	check_eq("boot: and registers came back", 0x0b0b0b0b, ebx);
}

/* Both pages of the store must be there before a byte of it is written. */
static void check_half(void)
{
	u32 at = ALIAS + PAGE_SIZE - 2, before;

	lgdt(gdt_table, 255);
	before = gdt_table[511].hi; /* the flags of a frame; a processor sets RF in them */
	map_alias(ALIAS, pfn_of(gdt_table));
	map_alias(ALIAS + PAGE_SIZE, 0);
	native_ops.inval_page(ALIAS + PAGE_SIZE);
	check_eq("boot: a store that a page ends", V_PF, try_write(at, ~0u));
	check_eq("boot: its CR2", ALIAS + PAGE_SIZE, seen.cr2);
	check_eq("boot: its error code", PF_WRITE, seen.error);
	check_eq("boot: no TF in its frame", 0, seen.eflags & 0x100);
	check_eq("boot: nothing is written", before, gdt_table[511].hi);
	write_data(&gdt_table[GDT_SPARE], &words[3]);
	check_eq("boot: the table goes on to be watched", words[3], by_gs(SPARE));
	map_alias(ALIAS, 0);
	native_ops.inval_page(ALIAS);
	write(&gdt_table[GDT_SPARE], (struct descriptor){0, 0});
}

/* The host lets others run in between. */
static void check_host(void)
{
	u32 wrong = 0;

	write_data(&gdt_table[GDT_SPARE], &words[0]);
	lgdt(gdt_table, 255);
	write_data(&gdt_table[GDT_SPARE], &words[1]);
	load_gs(SPARE);
	for (u32 i = 0; i < 10; i++) {
		printk("info: round %u\n", i);
		for (volatile u32 k = 0; k < 300000; k++)
			;
		wrong += read_gs0() != words[1] || read_gs() != SPARE;
	}
	load_gs(0);
	write(&gdt_table[GDT_SPARE], (struct descriptor){0, 0});
	check_eq("boot: what was loaded stays so", 0, wrong);
}

void checks_gdt(void)
{
	check_eq("boot: paging off, changed behind LGDT", 1, boot_gs[0]);
	check_eq("boot: paging on, the same table", 2, boot_gs[1]);
	check_eq("boot: and written by another mapping", 3, boot_gs[2]);
	check_register("boot: GS", by_gs, again_gs);
	check_register("boot: FS", by_fs, again_fs);
	check_register("boot: ES", by_es, again_es);
	check_register("boot: DS", by_ds, again_ds);
	check_register("boot: SS", by_ss, again_ss);
	check_cs();
	check_instructions();
	check_places();
	check_mappings();
	check_ldt();
	check_tf();
	check_stack();
	check_half();
	check_host();
}
