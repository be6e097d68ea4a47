/* SPDX-License-Identifier: GPL-2.0-only */
/* From the processor's frame to the guest and back, in the PVH binding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <string.h>

#include <cmocka.h>

#include "monitor/pvh/cpu_pvh.h"
#include "monitor/pvh/pvh.h"
#include "pvh/processor.h"
#include "monitor/vmi/vmi.h"
#include "monitor/binding.h"
#include "monitor/emul/decode.h"
#include "monitor/io/events.h"
#include "monitor/monitor.h"
#include "monitor/vcpu.h"

#define DR6_STEP 0xFFFF4FF0u

static struct vcpu *const v = VCPU;

/* --- frames -------------------------------------------------------------------------- */

static void a_frame_becomes_registers_and_registers_a_frame(void **state)
{
	(void)state;
	domain_init(false);
	domain_user();
	v->r.eflags = 0x246;
	cpu.cr2 = 0x70000000;
	trap(EXC_PF, true, PF_U | PF_W);
	assert_true(domain_at(EXC_PF));
	assert_int_equal(v->r.gpr[GPR_ESP], KERNEL(ESP0) - 24);
	assert_int_equal(domain_stack(0), PF_U | PF_W);
	assert_int_equal(domain_stack(1), USER);
	assert_int_equal(domain_stack(2), USER_CS);
	assert_int_equal(domain_stack(3), 0x246);
	assert_int_equal(domain_stack(4), USER + 0x800);
	assert_int_equal(domain_stack(5), USER_DS);
	assert_int_equal(v->exit_esp, WIN_STACK_TOP - 20);
	assert_int_equal(frame(0), HANDLER(EXC_PF));
	assert_int_equal(frame(1), KERNEL_CS | 1);
	assert_int_equal(frame(3), KERNEL(ESP0) - 24);
	assert_int_equal(frame(4), KERNEL_DS | 1);
	assert_int_equal(COUNTERS->fault_user, 1);
}

/* After Init the processor's flag is always set, and the guest's is a byte. */
static void the_flag_in_the_kernel_is_the_byte(void **state)
{
	(void)state;
	domain_init(false);
	v->vif = 0;
	trap(EXC_DE, false, 0);
	assert_int_equal(domain_stack(2) & EFLAGS_IF, 0);
	assert_true(frame(2) & EFLAGS_IF);
	assert_false(v->vif);
	domain_init(false);
	v->vif = EFLAGS_IF;
	trap(EXC_DE, false, 0);
	assert_int_equal(domain_stack(2) & EFLAGS_IF, EFLAGS_IF);
	assert_false(v->vif); /* an interrupt gate */
	domain_paging(false);
	v->r.eflags = 2;
	trap(EXC_DE, false, 0);
	assert_int_equal(frame(2) & EFLAGS_IF, 0);
}

static void nt_is_user_modes_alone(void **state)
{
	(void)state;
	domain_init(false);
	v->r.eflags = EFLAGS_NT;
	memcpy(PHYS(CODE), "\xFA", 1); /* CLI */
	trap(EXC_GP, true, 0);
	assert_int_equal(frame(2) & EFLAGS_NT, 0);
	domain_user();
	v->r.eflags = EFLAGS_NT | EFLAGS_IF;
	trap(VECTOR_UPCALL, false, 0);
	assert_int_equal(frame(2) & EFLAGS_NT, EFLAGS_NT);
}

/* --- virtual-8086 mode ------------------------------------------------------------------ */

static void a_return_to_virtual_8086_mode_is_the_processors(void **state)
{
	u32 f[9] = {0x10, 0x1000, EFLAGS_VM | EFLAGS_IOPL | 2, 0x800, 0x2000, 1, 2, 3, 4};

	(void)state;
	domain_init(false);
	memcpy(PHYS(STACK - 64), f, sizeof(f));
	v->r.gpr[GPR_ESP] = KERNEL(STACK - 64);
	trap(VECTOR_V86, false, 0);
	assert_int_equal(v->exit_esp, WIN_STACK_TOP - 36);
	assert_int_equal(frame(0), 0x10);
	assert_int_equal(frame(1), 0x1000);
	assert_int_equal(frame(2), EFLAGS_VM | EFLAGS_IF | 2);
	assert_int_equal(frame(4), 0x2000);
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(frame(5 + i), i + 1);
	assert_int_equal(cpu.idt, WIN_IDT_V86);
}

static void a_fault_from_there_has_the_long_frame(void **state)
{
	(void)state;
	domain_init(false);
	v->r.eip = 0x10;
	v->r.cs = 0x1000;
	v->r.ss = 0x2000;
	v->r.gpr[GPR_ESP] = 0x800;
	v->r.eflags = EFLAGS_VM | EFLAGS_IF | 2;
	for (u32 i = 0; i < 4; i++)
		v->v86_segs[i] = i + 1;
	idt_use_v86(v, true);
	trap(EXC_GP, true, 0);
	assert_true(domain_at(EXC_GP));
	assert_int_equal(domain_stack(0), 0);
	assert_int_equal(domain_stack(1), 0x10);
	assert_int_equal(domain_stack(2), 0x1000);
	assert_int_equal(domain_stack(3) & EFLAGS_VM, EFLAGS_VM);
	assert_int_equal(domain_stack(5), 0x2000);
	assert_int_equal(domain_stack(6), 1);
	assert_int_equal(domain_stack(9), 4);
	assert_int_equal(frame(2) & EFLAGS_VM, 0);
	assert_int_equal(cpu.idt, WIN_IDT);
}

static void a_return_without_a_frame_ends_in_a_report(void **state)
{
	(void)state;
	domain_init(false);
	v->r.gpr[GPR_ESP] = 0x70000000;
	assert_dies("no frame at 70000000 to return to", trap(VECTOR_V86, false, 0));
}

/* --- returns --------------------------------------------------------------------------- */

static void a_return_that_faults_is_reported_at_its_call(void **state)
{
	(void)state;
	domain_init(false);
	memcpy(PHYS(CODE + 11), "\xE8", 1); /* a call of 5 bytes before iret_site */
	v->iret_site = KERNEL(CODE + 16);
	v->vif = EFLAGS_IF;
	v->r.eip = WIN_TEXT + iret_offset;
	trap(EXC_GP, true, 0x2F8);
	assert_true(domain_at(EXC_GP));
	assert_int_equal(domain_stack(0), 0x2F8);
	assert_int_equal(domain_stack(1), KERNEL(CODE + 11));
	assert_int_equal(domain_stack(3) & EFLAGS_IF, 0);
	domain_init(false);
	v->iret_site = KERNEL(CODE + 16);
	v->r.eip = WIN_TEXT + iret_disabled_offset;
	trap(EXC_NP, true, 0x48);
	assert_true(domain_at(EXC_NP));
	assert_int_equal(domain_stack(1), KERNEL(CODE + 16)); /* no call */
	domain_init(false);
	v->iret_site = 0;
	v->r.eip = WIN_TEXT + iret_offset;
	assert_dies("return to a context that cannot be entered", trap(EXC_GP, true, 0));
}

static void an_interrupted_return_starts_again(void **state)
{
	(void)state;
	domain_init(false);
	v->r.eip = WIN_TEXT + iret_window_offset[0] + 8;
	v->vif = EFLAGS_IF;
	trap(VECTOR_UPCALL, false, 0);
	assert_int_equal(frame(0), WIN_TEXT + iret_window_offset[0]);
	assert_false(v->vif);
	v->r.eip = WIN_TEXT + iret_window_offset[1];
	v->vif = EFLAGS_IF;
	trap(VECTOR_UPCALL, false, 0);
	assert_int_equal(frame(0), WIN_TEXT + iret_window_offset[1]);
}

/* IRQ 0 asks, and the 8259 hears it. */
static void request(void)
{
	for (u32 i = 0; i < 4; i++)
		port_out(v, i ? 0x21 : 0x20, 1, "\x11\x20\x04\x01"[i]);
	port_out(v, 0x21, 1, 0xFE);
	lapic_write(&VCPU->lapic, LAPIC_LVT0, 0x700);
	pic_set_irq(&MON->pc.pic, 0, false);
	pic_set_irq(&MON->pc.pic, 0, true);
}

/* The kernel's access to a port, at CODE; answers how long the instruction is. */
static u32 port_at(const char *hex, u32 eax, u32 eflags)
{
	u32 bytes;

	domain_init(false);
	bytes = domain_code(hex);
	v->r.gpr[GPR_EAX] = eax;
	v->r.gpr[GPR_EDX] = 0x21;
	v->r.eflags = eflags;
	MON->pc.pic.chip[0].imr = 0x5A;
	trap(EXC_GP, true, 0);
	return bytes;
}

/* The processor's own frame is at the top of the monitor's stack, too, so what tells the short
 * way from the long one is a mark in it. */
static bool by_the_short_way(void)
{
	return frame(1) >> 16 == 0xABCD;
}

static void a_port_is_accessed_by_a_short_way_or_a_long_one(void **state)
{
	static const struct {
		const char *hex;
		u32 eflags, eax, imr;
		bool is_short;
	} tries[] = {
		{"E4 21", 2, 0x1111115A, 0x5A, true},
		{"EC", 2, 0x1111115A, 0x5A, true},
		{"E5 21", 2, 0xFFFFFF5A, 0x5A, true},
		{"ED", EFLAGS_RF | 2, 0xFFFFFF5A, 0x5A, true},
		{"E6 21", 2, 0x11111111, 0x11, true},
		{"EF", 2, 0x11111111, 0x11, true},
		{"66 ED", 2, 0x1111FF5A, 0x5A, false},
		{"EC", EFLAGS_NT | 2, 0x1111115A, 0x5A, false},
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(tries); i++) {
		u32 bytes = port_at(tries[i].hex, 0x11111111, tries[i].eflags);

		assert_int_equal(frame(0), KERNEL(CODE) + bytes);
		assert_int_equal(frame(1) & 0xFFFF, KERNEL_CS | 1);
		assert_int_equal(frame(2) & (EFLAGS_RF | EFLAGS_NT), 0);
		assert_int_equal(v->r.gpr[GPR_EAX], tries[i].eax);
		assert_int_equal(MON->pc.pic.chip[0].imr, tries[i].imr);
		assert_int_equal(by_the_short_way(), tries[i].is_short);
		assert_int_equal(COUNTERS->exception[EXC_GP], 1);
		assert_int_equal(COUNTERS->event_in + COUNTERS->event_out, 1);
		assert_int_equal(COUNTERS->emulated[INSN_IN] + COUNTERS->emulated[INSN_OUT], 1);
	}
	port_at("EC", 0, EFLAGS_TF | 2);
	assert_true(domain_at(EXC_DB));
	port_at("FA", 0, 2); /* another instruction */
	assert_int_equal(frame(0), KERNEL(CODE) + 1);
	assert_int_equal(COUNTERS->event_in, 0);
}

static void in_user_mode_and_in_a_segment_with_a_base_ports_go_the_long_way(void **state)
{
	(void)state;
	domain_init(false);
	domain_user();
	v->r.eflags = EFLAGS_IF | 2;
	domain_code("EC");
	trap(EXC_GP, true, 0);
	assert_true(domain_at(EXC_GP));
	domain_init(false);
	domain_code("EC");
	memcpy(PHYS(CODE - 0x1000), "\xE4\x21", 2);
	((u32 *)WIN_GDT)[KERNEL_CS / 8 * 2] = 0x1000FFFF;
	v->r.eip -= 0x1000;
	v->r.gpr[GPR_EDX] = 0x21;
	trap(EXC_GP, true, 0);
	assert_int_equal(frame(0), KERNEL(CODE) - 0x1000 + 1);
	assert_false(by_the_short_way());
}

static void an_interrupt_follows_a_port_at_once(void **state)
{
	(void)state;
	domain_init(false);
	v->vif = EFLAGS_IF;
	request();
	domain_code("EE");
	v->r.gpr[GPR_EDX] = 0x80;
	v->r.eflags = 2;
	trap(EXC_GP, true, 0);
	assert_true(domain_at(0x20));
	assert_int_equal(domain_stack(0), KERNEL(CODE) + 1);
	assert_int_equal(domain_stack(2), EFLAGS_IF | 2);
	domain_init(false);
	v->vif = 0;
	request();
	domain_code("EE");
	v->r.gpr[GPR_EDX] = 0x80;
	trap(EXC_GP, true, 0);
	assert_int_equal(frame(0), KERNEL(CODE) + 1);
	assert_int_equal(v->pend, PEND);
	assert_true(by_the_short_way());
}

static void what_is_pending_waits_for_the_flag(void **state)
{
	(void)state;
	domain_init(false);
	request();
	v->vif = 0;
	trap(VECTOR_UPCALL, false, 0);
	assert_int_equal(frame(0), KERNEL(CODE));
	assert_int_equal(v->pend, PEND);
	v->vif = EFLAGS_IF;
	trap(VECTOR_UPCALL, false, 0);
	assert_true(domain_at(0x20));
	assert_int_equal(domain_stack(0), KERNEL(CODE));
	assert_int_equal(domain_stack(2) & EFLAGS_IF, EFLAGS_IF);
	assert_int_equal(v->pend, 0);
}

/* The frame of an exception is not complete there. */
static void no_interrupt_comes_into_the_way_of_an_exception(void **state)
{
	(void)state;
	domain_init(false);
	request();
	v->vif = EFLAGS_IF;
	v->r.eip = WIN_TEXT + exception_code_offset[0] + 5;
	trap(VECTOR_UPCALL, false, 0);
	assert_int_equal(frame(0), WIN_TEXT + exception_code_offset[0] + 5);
	assert_int_equal(v->pend, PEND);
}

static void an_interrupt_at_a_return_takes_its_frame(void **state)
{
	u32 f[5] = {USER, USER_CS, 0x246, USER + 0x700, USER_DS};

	(void)state;
	domain_init(false);
	memcpy(PHYS(STACK - 64), f, sizeof(f));
	v->r.gpr[GPR_ESP] = KERNEL(STACK - 64);
	v->r.eip = WIN_TEXT + 0x900;
	trap(VECTOR_IRET, false, 0); /* none is there */
	assert_int_equal(frame(0), WIN_TEXT + iret_window_offset[0]);
	request();
	v->r.gpr[GPR_ESP] = KERNEL(STACK - 64);
	trap(VECTOR_IRET, false, 0);
	assert_true(domain_at(0x20));
	assert_int_equal(domain_stack(0), USER);
	assert_int_equal(domain_stack(1), USER_CS);
	assert_int_equal(domain_stack(2), 0x246);
	assert_int_equal(domain_stack(3), USER + 0x700);
	assert_int_equal(v->r.gpr[GPR_ESP], KERNEL(ESP0) - 20);
}

/* --- NMI, and faults in ring 0 ----------------------------------------------------------- */

static void nested(u32 vector, u32 eip)
{
	struct nested_frame f = {.vector = vector, .eip = eip};

	nested_trap(&f);
}

static void an_nmi_is_delivered_where_the_guest_is(void **state)
{
	(void)state;
	domain_init(false);
	v->vif = 0;
	trap(EXC_NMI, false, 0);
	assert_true(domain_at(EXC_NMI));
	assert_int_equal(domain_stack(0), KERNEL(CODE));
	assert_false(v->nmi);
}

static void an_nmi_in_ring_0_waits_for_the_way_out(void **state)
{
	(void)state;
	domain_init(false);
	v->nmi = true; /* as trap_nested in entry/pvh/traps.asm notes it */
	trap(VECTOR_UPCALL, false, 0);
	assert_true(domain_at(EXC_NMI));
	domain_init(false);
	v->r.eip = WIN_TEXT + exception_code_offset[0];
	trap(EXC_NMI, false, 0);
	assert_int_equal(frame(0), WIN_TEXT + exception_code_offset[0]);
	v->r.eip = WIN_TEXT + iret_window_offset[0] + 1;
	trap(VECTOR_UPCALL, false, 0);
	assert_true(v->nmi);
	v->r.eip = KERNEL(CODE);
	trap(VECTOR_UPCALL, false, 0);
	assert_true(domain_at(EXC_NMI));
}

static void before_init_an_nmi_asks_where_the_guest_is(void **state)
{
	(void)state;
	domain_paging(false);
	trap(EXC_NMI, false, 0);
	console_flush(&MON->console);
	hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, 0, 0, 0, 0);
	assert_non_null(strstr(xen.console, "vmixen: eip"));
	assert_false(v->nmi);
}

static void a_fault_in_ring_0_has_a_place_or_is_ours(void **state)
{
	struct nested_frame f = {
		.vector = EXC_PF | VECTOR_HAS_ERROR, .error = PF_W, .eip = WIN_TEXT + 0x400};

	(void)state;
	domain_init(false);
	nested_trap(&f);
	assert_int_equal(f.eip, WIN_TEXT + 0x500);
	assert_int_equal(v->nested_vector, EXC_PF);
	assert_int_equal(v->nested_error, PF_W);
	f = (struct nested_frame){
		.vector = EXC_DB, .eip = WIN_TEXT + 0x900, .eflags = EFLAGS_TF | 2};
	nested_trap(&f);
	assert_int_equal(f.eflags, 2);
	assert_int_equal(f.eip, WIN_TEXT + 0x900);
	nested(VECTOR_UPCALL, WIN_TEXT + 0x900);
	assert_dies("error in the monitor", nested(EXC_GP, WIN_TEXT + 0x900));
}

static void a_context_that_cannot_be_entered_is_the_guests_end(void **state)
{
	(void)state;
	domain_init(false);
	v->r.cs = 0x1234;
	assert_dies("it cannot go on at 1234:", nested(EXC_GP, WIN_TEXT + exit_iret_offset));
}

/* --- what else a trap is ----------------------------------------------------------------- */

static void an_access_to_the_local_apic_is_emulated(void **state)
{
	u32 f[4] = {0, KERNEL(CODE), KERNEL_CS | 1, 0x202}, *table = PHYS(0x60000);
	const u32 at = 0xF2000000;

	(void)state;
	domain_init(false);
	memset(table, 0, PAGE_SIZE);
	((u32 *)PHYS(TABLES))[at >> 22] = 0x60063;
	table[0] = 0xFEE00062;
	memcpy(PHYS(CODE), "\x8B\x0B", 2); /* mov ecx, [ebx] */
	memcpy(PHYS(STACK - 64), f, sizeof(f));
	v->r.gpr[GPR_EBX] = at + LAPIC_VERSION;
	v->r.gpr[GPR_ESP] = KERNEL(STACK - 64);
	v->r.eip = WIN_TEXT + exception_code_offset[0];
	cpu.cr2 = at + LAPIC_VERSION;
	v->vif = EFLAGS_IF;
	trap(VECTOR_DEVICE, false, 0);
	assert_int_equal(v->r.gpr[GPR_ECX], lapic_read(&VCPU->lapic, LAPIC_VERSION));
	assert_int_equal(frame(0), KERNEL(CODE + 2));
	assert_int_equal(v->r.gpr[GPR_ESP], KERNEL(STACK - 48));
	assert_true(v->vif);
	table[0] = 0; /* another page: it is the kernel's fault */
	memcpy(PHYS(STACK - 64), f, sizeof(f));
	v->r.gpr[GPR_ESP] = KERNEL(STACK - 64);
	v->r.eip = WIN_TEXT + exception_code_offset[0];
	trap(VECTOR_DEVICE, false, 0);
	assert_true(domain_at(EXC_PF));
	assert_int_equal(domain_stack(1), KERNEL(CODE));
}

#define APIC_AT 0xF2000000u

/* Every form of MOV to and from memory, against the decoder: the short way knows those of four
 * bytes without a prefix, and no others. */
static void a_short_mov_is_as_long_as_the_decoder_says(void **state)
{
	static const u8 opcodes[] = {0x8B, 0x89, 0xC7, 0xA1, 0xA3, 0x8A, 0x0F, 0x66};

	(void)state;
	domain_init(false);
	for (u32 n = 0; n < ARRAY_SIZE(opcodes) * 256 * 8; n++) {
		u8 *code = PHYS(CODE), op = opcodes[n / 2048];
		u8 bytes[INSN_MAX_LEN] = {op, (u8)n, (u8)(n >> 8 & 7) | 0x88, 0x30};
		struct insn insn;
		bool known, mov = op == 0xA1 || op == 0xA3 || bytes[1] < 0xC0;

		known = op != 0x8A && op != 0x0F && op != 0x66 && mov &&
			!(op == 0xC7 && (bytes[1] & 0x38));
		memcpy(code, bytes, sizeof(bytes));
		v->r.eip = KERNEL(CODE);
		v->r.eflags = EFLAGS_RF | 2;
		assert_int_equal(device_short(v, LAPIC_BASE + LAPIC_TPR), known);
		if (!known) {
			assert_int_equal(v->r.eip, KERNEL(CODE));
			continue;
		}
		assert_int_equal(decode_insn(code, INSN_MAX_LEN, false, &insn), DECODE_OK);
		assert_int_equal(v->r.eip, KERNEL(CODE) + insn.len);
		assert_int_equal(v->r.eflags, 2);
	}
}

static void a_short_mov_moves_between_register_and_device(void **state)
{
	static const struct {
		const char *hex;
		u32 eax, ebx, tpr;
	} tries[] = {
		{"8B 1D 80 00 00 F2", 0x11, 0x77, 0x77},
		{"A1 80 00 00 F2", 0x77, 0x22, 0x77},
		{"89 1D 80 00 00 F2", 0x11, 0x22, 0x22},
		{"A3 80 00 00 F2", 0x11, 0x22, 0x11},
		{"C7 05 80 00 00 F2 33 00 00 00", 0x11, 0x22, 0x33},
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(tries); i++) {
		domain_init(false);
		domain_code(tries[i].hex);
		v->r.gpr[GPR_EAX] = 0x11;
		v->r.gpr[GPR_EBX] = 0x22;
		v->r.eflags = 2;
		lapic_write(&v->lapic, LAPIC_TPR, 0x77);
		assert_true(device_short(v, LAPIC_BASE + LAPIC_TPR));
		assert_int_equal(v->r.gpr[GPR_EAX], tries[i].eax);
		assert_int_equal(v->r.gpr[GPR_EBX], tries[i].ebx);
		assert_int_equal(lapic_read(&v->lapic, LAPIC_TPR), tries[i].tpr);
	}
	domain_init(false); /* where no device is */
	domain_code(tries[0].hex);
	assert_true(device_short(v, 0xFE000000 + LAPIC_TPR));
	assert_int_equal(v->r.gpr[GPR_EBX], ~0u);
	v->r.eip = KERNEL(CODE);
	assert_false(device_short(v, LAPIC_BASE + LAPIC_TPR + 1));
	v->r.eflags |= EFLAGS_TF;
	assert_false(device_short(v, LAPIC_BASE + LAPIC_TPR));
}

static void cpuid_of_the_roms_own_code_is_answered(void **state)
{
	(void)state;
	domain_init(false);
	cpu.cpuid[0] = 0x11;
	memcpy((void *)WIN_TEXT, "\x0F\xA2", 2);
	v->r.eip = WIN_TEXT;
	v->r.gpr[GPR_EAX] = 0;
	trap(EXC_GP, true, 0);
	assert_int_equal(frame(0), WIN_TEXT + 2);
	assert_int_equal(v->r.gpr[GPR_EAX], 0x11);
}

static void a_step_is_told_although_dr6_has_lost_it(void **state)
{
	(void)state;
	domain_init(false);
	domain_user();
	cpu.dr[6] = 0xFFFF0FF0;
	trap(EXC_DB, false, 0);
	assert_true(domain_at(EXC_DB));
	assert_int_equal(vmi_GetDR(6), DR6_STEP);
	assert_int_equal(cpu.dr[6], 0xFFFF0FF0);
	cpu.dr[6] = 0xFFFF0FF2;
	trap(EXC_DB, false, 0);
	assert_int_equal(vmi_GetDR(6) & 0xF, 2);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_becomes_registers_and_registers_a_frame),
		cmocka_unit_test(the_flag_in_the_kernel_is_the_byte),
		cmocka_unit_test(nt_is_user_modes_alone),
		cmocka_unit_test(a_return_to_virtual_8086_mode_is_the_processors),
		cmocka_unit_test(a_fault_from_there_has_the_long_frame),
		cmocka_unit_test(a_return_without_a_frame_ends_in_a_report),
		cmocka_unit_test(a_return_that_faults_is_reported_at_its_call),
		cmocka_unit_test(an_interrupted_return_starts_again),
		cmocka_unit_test(a_port_is_accessed_by_a_short_way_or_a_long_one),
		cmocka_unit_test(in_user_mode_and_in_a_segment_with_a_base_ports_go_the_long_way),
		cmocka_unit_test(an_interrupt_follows_a_port_at_once),
		cmocka_unit_test(what_is_pending_waits_for_the_flag),
		cmocka_unit_test(no_interrupt_comes_into_the_way_of_an_exception),
		cmocka_unit_test(an_interrupt_at_a_return_takes_its_frame),
		cmocka_unit_test(an_nmi_is_delivered_where_the_guest_is),
		cmocka_unit_test(an_nmi_in_ring_0_waits_for_the_way_out),
		cmocka_unit_test(before_init_an_nmi_asks_where_the_guest_is),
		cmocka_unit_test(a_fault_in_ring_0_has_a_place_or_is_ours),
		cmocka_unit_test(a_context_that_cannot_be_entered_is_the_guests_end),
		cmocka_unit_test(an_access_to_the_local_apic_is_emulated),
		cmocka_unit_test(a_short_mov_is_as_long_as_the_decoder_says),
		cmocka_unit_test(a_short_mov_moves_between_register_and_device),
		cmocka_unit_test(cpuid_of_the_roms_own_code_is_answered),
		cmocka_unit_test(a_step_is_told_although_dr6_has_lost_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
