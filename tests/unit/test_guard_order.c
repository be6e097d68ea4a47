/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptor tables before Init, loaded, mapped and written to in any order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stepping.h"
#include "monitor/binding.h"
#include "monitor/cpu/access.h"
#include "monitor/cpu/segment.h"
#include "monitor/monitor.h"
#include "monitor/pv/pv.h"
#include "monitor/vcpu.h"
#include "monitor/pv/mmu/block.h"

static struct vcpu *const v = VCPU;
static const volatile u64 *const gdt = (const volatile u64 *)(uintptr_t)WIN_GDT;

static u64 random_state;

static u32 below(u32 n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (u32)(random_state >> 20) % n;
}

/* Xen's table has what memory says, but for what the kernel stands on. */
static void check_table(void)
{
	for (u32 i = 0; i < 20; i++) {
		struct access_fault f;
		u64 want = 0;

		if (i == KERNEL_CS >> 3 || i == KERNEL_DS >> 3 || i == USER_DS >> 3)
			continue;
		if (i * 8 + 7 <= v->gdtr.limit && guest_read(v, v->gdtr.base + i * 8, &want, 8, &f))
			want = 0;
		if ((want >> 44 & 9) == 8) /* a system descriptor */
			want = 0;
		if (want >> 47 & 1)
			want = (want | 3ull << 45) & ~(1ull << 53);
		if ((gdt[i] ^ want) & ~(1ull << 40) & ~0x000F00000000FFFFull)
			fail_msg("entry %u is %016llx, memory says %016llx", i, gdt[i], want);
	}
}

static void one_thing(bool pae)
{
	gva_t at = (below(2) ? KERNEL(below(2) ? GDT : DATA) : ALIAS) + below(0xA0);
	u64 value = (u64)below(~0u) << 32 | below(~0u);
	u8 bytes[8];

	memcpy(bytes, &value, 8);
	v->r.gpr[GPR_ESP] = KERNEL(STACK) - 64;
	v->r.eip = KERNEL(CODE);
	switch (below(8)) {
	case 0:
		segment_load_gdt(v, (u16)(below(3) ? GDT_LIMIT : below(0x3000)),
				 below(2) ? KERNEL(GDT) + below(5) : ALIAS + below(5));
		monitor_resume(v);
		break;
	case 1:
		map(pae, ALIAS, below(4) ? MAPPED(below(2) ? GDT : DATA) : 0);
		space_invlpg(v, ALIAS);
		monitor_resume(v);
		break;
	case 2:
		user_trap(EXC_NP, true, 0x50);
		break;
	default:
		store(at, bytes, 1 + below(8));
	}
}

static void in_any_order(void **state)
{
	(void)state;
	for (u32 seed = 1; seed <= 40; seed++) {
		bool pae = seed & 1;

		random_state = seed * 0x9E3779B97F4A7C15ull;
		guard_start(pae);
		for (u32 i = 0; i < 300; i++) {
			one_thing(pae);
			check_table();
			assert_false(exit_flags() & EFLAGS_TF);
			assert_int_equal(PV->guard.opened, 0);
		}
	}
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
