/* SPDX-License-Identifier: GPL-2.0-only */
/* Event channels, alarms, console input, and the VMI calls on alarms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain.h"
#include "monitor/vmi/vmi.h"
#include "monitor/io/events.h"
#include "monitor/io/time.h"
#include "monitor/monitor.h"
#include "monitor/vcpu.h"

void vmi_SetAlarm(u32 flags, u32 expiry_low, u32 expiry_high);
u32 vmi_CancelAlarm(u32 flags);
void vmi_HaltWait(void);
void vmi_APICWrite(u32 reg, u32 value);

#define TIMER_PORT 3u /* as the mock binds them */
#define CONSOLE_PORT 2u

static struct vcpu *const v = VCPU;

static int start(void **state)
{
	(void)state;
	domain_init(true);
	for (u32 i = 0; i < 4; i++) /* the 8259: vectors from 20 */
		port_out(v, i ? 0x21 : 0x20, 1, "\x11\x20\x04\x01"[i]);
	port_out(v, 0x21, 1, 0);
	port_out(v, 0x43, 1, 0x30); /* the 8254 waits for a count */
	return 0;
}

static void pending(u32 port)
{
	XEN_SHARED->evtchn_pending[0] |= 1u << port;
	XEN_VCPU->evtchn_pending_sel = 1;
	XEN_VCPU->evtchn_upcall_pending = 1;
}

static void type(const char *text)
{
	struct xencons_interface *ring = (void *)(uintptr_t)WIN_CONSOLE;

	for (; *text; text++)
		ring->in[MASK_XENCONS_IDX(ring->in_prod++, ring->in)] = *text;
	pending(CONSOLE_PORT);
}

static void set_alarm(u32 flags, u64 expiry, u64 period)
{
	VCPU->argument[0] = (u32)period;
	VCPU->argument[1] = (u32)(period >> 32);
	vmi_SetAlarm(flags, (u32)expiry, (u32)(expiry >> 32));
}

static void a_past_alarm_fires_at_once_and_once(void **state)
{
	(void)state;
	set_alarm(0, 1, 0);
	assert_true(xen.singleshot != 0 && xen.singleshot <= time_ns());
	pending(TIMER_PORT);
	events_take();
	assert_true(events_interrupt());
	assert_int_equal(events_ack(), 0x20);
	port_out(v, 0x20, 1, 0x20);
	events_take();
	assert_false(events_interrupt());
	assert_int_equal(vmi_CancelAlarm(0), 0);
}

static void a_future_alarm_waits(void **state)
{
	u64 now;

	(void)state;
	set_alarm(1, time_available() + 20000000000ull, 0); /* 10 s */
	now = time_ns();
	assert_true(xen.singleshot > now + 9000000000ull && xen.singleshot <= now + 10000000000ull);
	events_take();
	assert_false(events_interrupt());
	assert_int_equal(vmi_CancelAlarm(1), 1);
	assert_int_equal(vmi_CancelAlarm(1), 0);
	assert_int_equal(vmi_CancelAlarm(2), 0); /* stolen time has none */
	set_alarm(2, 1, 0);
	events_take();
	assert_false(events_interrupt());
}

/* A timer that has fired need not be stopped. */
static void the_last_alarm_takes_no_hypercall(void **state)
{
	(void)state;
	set_alarm(0, 1, 0);
	pending(TIMER_PORT);
	xen.singleshot = 1;
	events_take();
	assert_int_equal(events_ack(), 0x20);
	assert_int_equal(xen.singleshot, 1);
	set_alarm(0, time_cycles() + 20000000000ull, 0);
	assert_true(xen.singleshot > time_ns());
}

static void an_alarm_too_far_is_set_in_steps(void **state)
{
	(void)state;
	set_alarm(0, ~0ull, 0);
	assert_true(xen.singleshot <= time_ns() + (1ull << 42));
	assert_true(xen.singleshot > 1ull << 41);
}

static void a_periodic_alarm_keeps_its_phase(void **state)
{
	const u64 period = 2000000000ull; /* 1 s */
	u64 first = time_cycles() - period * 5 / 2, before;

	(void)state;
	set_alarm(0x100, first, period);
	pending(TIMER_PORT);
	events_take();
	assert_int_equal(events_ack(), 0x20);
	assert_true(VCPU->alarm[0].armed);
	assert_int_equal((VCPU->alarm[0].expiry - first) % period, 0);
	assert_true(VCPU->alarm[0].expiry > time_cycles() - period);
	assert_true(xen.singleshot > time_ns() - 1000000000);
	/* A period beyond 32 bits. */
	first = time_cycles() - (5ull << 32) / 2;
	set_alarm(0x100, first, 1ull << 32);
	events_take();
	assert_int_equal(VCPU->alarm[0].expiry, first + (3ull << 32));
	/* Not more often than makes sense. */
	before = time_ns();
	set_alarm(0x100, 1, 1);
	assert_true(xen.singleshot >= before + 50000);
	/* Without a period it is a one-shot one. */
	set_alarm(0x100, 1, 0);
	assert_false(VCPU->alarm[0].periodic);
}

/* Where the TSC is slower than ns it takes more bits to say. */
static void an_alarm_at_the_end_of_time_is_set_in_steps(void **state)
{
	volatile struct vcpu_time_info *t = &XEN_VCPU->time;

	(void)state;
	for (s8 shift = 0; shift < 8; shift++) {
		t->tsc_to_system_mul = 0xFFFFFFFF;
		t->tsc_shift = shift;
		t->tsc_timestamp = time_cycles();
		t->system_time = 1ull << 52; /* 52 days */

		for (u64 at = ~0ull; at >> 62; at -= at >> 4) {
			set_alarm(0, at, 0);
			assert_true(xen.singleshot > time_ns() + (1ull << 41));
			assert_true(xen.singleshot <= time_ns() + (1ull << 42));
			set_alarm(0x101, at, 1);
			assert_true(xen.singleshot > time_ns() + (1ull << 41));
			assert_int_equal(vmi_CancelAlarm(1), 1);
		}
	}
}

/* Whatever the period is, an alarm that has fired is due later, by a whole number
 * of periods. */
static void the_next_period_is_to_come(void **state)
{
	static const u64 period[] = {1,		  3,	      0xFFFFFFFF,      1ull << 32,
				     0x123456789, 1ull << 40, (1ull << 62) + 7};
	const struct alarm *alarm = &VCPU->alarm[0];

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(period); i++) {
		u64 now = time_cycles(), before;

		set_alarm(0x100, 5, period[i]);
		before = VCPU->alarm[0].expiry;
		events_take();
		assert_true(alarm->expiry > now && alarm->armed);
		assert_true(alarm->expiry - before >= period[i]);
		assert_int_equal((alarm->expiry - before) % period[i], 0);
		assert_true(alarm->expiry <= time_cycles() + period[i]);
		assert_true(xen.singleshot >= time_ns() - 1000000000);
	}
	/* Beyond all time there is nothing to fire again and again for. */
	set_alarm(0x100, time_cycles() - 1, ~0ull);
	events_take();
	assert_int_equal(events_ack(), 0x20);
	port_out(v, 0x20, 1, 0x20);
	assert_true(alarm->expiry == ~0ull);
	assert_true(xen.singleshot > time_ns() + (1ull << 41));
	events_take();
	assert_false(events_interrupt());
}

static void an_alarm_may_be_wired_to_the_lvtt(void **state)
{
	(void)state;
	lapic_write(&VCPU->lapic, LAPIC_SVR, 0x1FF);
	lapic_write(&VCPU->lapic, LAPIC_LVTT, 0x20041); /* periodic, vector 41 */
	set_alarm(0x10000, 1, 0);
	events_take();
	assert_true(events_interrupt());
	assert_int_equal(events_ack(), 0x41);
	assert_false(pic_intr(&MON->pc.pic));
}

/* The 8259 reaches the processor through the local APIC's LVT0. */
static void lvt0_cuts_the_8259_off(void **state)
{
	(void)state;
	pic_set_irq(&MON->pc.pic, 1, true);
	assert_true(events_interrupt());
	lapic_write(&VCPU->lapic, LAPIC_LVT0, 0x10700);
	assert_false(events_interrupt());
	lapic_write(&VCPU->lapic, LAPIC_LVT0, 0x51);
	pic_set_irq(&MON->pc.pic, 1, false);
	assert_false(events_interrupt());
	pic_set_irq(&MON->pc.pic, 1, true);
	assert_true(events_interrupt());
	assert_int_equal(events_ack(), 0x51);
	assert_true(pic_intr(&MON->pc.pic));
	lapic_write(&VCPU->lapic, LAPIC_EOI, 0);
	lapic_write(&VCPU->lapic, LAPIC_LVT0, 0x700);
	assert_int_equal(events_ack(), 0x21);
}

/* With both pending, what the local APIC has is first; the 8259's is not lost. */
static void the_local_apic_comes_before_the_8259(void **state)
{
	(void)state;
	pic_set_irq(&MON->pc.pic, 1, true);
	vmi_APICWrite(LAPIC_ICR, 0x40055); /* to itself */
	assert_true(pic_intr(&MON->pc.pic));
	assert_true(lapic_intr(&VCPU->lapic));
	assert_true(events_interrupt());
	assert_int_equal(events_ack(), 0x55);
	assert_true(events_interrupt());
	assert_int_equal(events_ack(), 0x21);
	assert_false(events_interrupt());
}

static void the_timer_is_stopped_when_nothing_is_due(void **state)
{
	(void)state;
	set_alarm(0, time_cycles() + 20000000000ull, 0);
	assert_true(xen.singleshot != 0);
	port_out(v, 0x21, 1, 0xFF); /* nobody hears the 8254 */
	vmi_CancelAlarm(0);
	assert_int_equal(xen.singleshot, 0);
	assert_true(VCPU->alarm_set == PIT_NEVER);
}

/* For Xen 0 is no time, but none. */
static void what_is_due_since_ever_is_not_stopped(void **state)
{
	(void)state;
	MON->events.silence = 0;
	alarm_update();
	assert_int_equal(xen.singleshot, 1);
}

static void the_8254_sets_the_timer(void **state)
{
	(void)state;
	port_out(v, 0x43, 1, 0x34);
	port_out(v, 0x40, 1, 0x00);
	port_out(v, 0x40, 1, 0x10); /* 4096 ticks: 3.4 ms */
	assert_true(xen.singleshot > time_ns() - 100000000);
	assert_true(xen.singleshot <= time_ns() + 3500000);
	/* Masked it is not worth waking for; it ticks on when it is heard again. */
	port_out(v, 0x21, 1, 1);
	pending(TIMER_PORT);
	events_take();
	assert_true(VCPU->alarm_set == PIT_NEVER);
	xen.singleshot = 0;
	port_out(v, 0x21, 1, 0);
	assert_true(xen.singleshot > time_ns() - 100000000);
}

static void set_clock(u8 index, u8 value)
{
	port_out(v, 0x70, 1, index);
	port_out(v, 0x71, 1, value);
}

static u32 get_clock(u8 index)
{
	port_out(v, 0x70, 1, index);
	return port_in(v, 0x71, 1);
}

/* Its periodic interrupt, 1024 Hz. */
static void the_clock_sets_the_timer(void **state)
{
	(void)state;
	set_clock(0x0B, 0x42);
	get_clock(0x0C);
	assert_true(VCPU->alarm_set == PIT_NEVER); /* IRQ 8 is masked */
	port_out(v, 0xA1, 1, 0);
	assert_true(VCPU->alarm_set <= time_ns() + 1000000);
	XEN_VCPU->time.system_time += 2000000;
	pending(TIMER_PORT);
	events_take();
	assert_true(events_interrupt());
	assert_true(VCPU->alarm_set == PIT_NEVER); /* nothing more until C is read */
	assert_int_equal(get_clock(0x0C) & 0xC0, 0xC0);
	assert_true(VCPU->alarm_set <= time_ns() + 1000000);
	assert_false(events_interrupt());
	/* The cascade masks it, too. */
	port_out(v, 0x21, 1, 4);
	pending(TIMER_PORT);
	events_take();
	assert_true(VCPU->alarm_set == PIT_NEVER);
	port_out(v, 0x21, 1, 0);
	assert_true(VCPU->alarm_set <= time_ns() + 1000000);
	set_clock(0x0B, 0x02);
	pending(TIMER_PORT);
	events_take();
	assert_true(VCPU->alarm_set == PIT_NEVER);
}

/* A port may be reached by an access that begins below it. */
static void wide_accesses(void **state)
{
	u32 year;

	(void)state;
	XEN_SHARED->wc_sec = 1204288496; /* 2008 */
	port_out(v, 0x70, 1, 0x09);
	year = port_in(v, 0x6E, 4) >> 24;
	assert_int_equal(year, 0x08);
	set_clock(0x0B, 0x42);
	get_clock(0x0C);
	port_out(v, 0xA0, 2, 0x0020); /* an EOI, and nothing is masked */
	assert_true(VCPU->alarm_set <= time_ns() + 1000000);
}

static void input_goes_to_the_uart(void **state)
{
	(void)state;
	type("ab");
	events_take();
	assert_int_equal(XEN_SHARED->evtchn_pending[0], 0);
	assert_int_equal(port_in(v, 0x3FD, 1) & 1, 1);
	assert_int_equal(port_in(v, 0x3F8, 1), 'a');
	assert_int_equal(port_in(v, 0x3F8, 1), 'b');
	/* More than the FIFO holds waits in the ring. */
	type("0123456789012345678901234567890123456789");
	events_take();
	for (u32 i = 0; i < 40; i++)
		assert_int_equal(port_in(v, 0x3F8, 1), '0' + i % 10);
	assert_int_equal(port_in(v, 0x3FD, 1) & 1, 0);
}

/* What the owner puts in after an access, or takes out, is an interrupt at once. */
static void the_uart_interrupts_behind_an_access(void **state)
{
	(void)state;
	port_out(v, 0x3F9, 1, 1); /* of what it receives; MCR's OUT2 lets it out */
	port_out(v, 0x3FC, 1, 8);
	type("ab"); /* without FIFOs it has room for one */
	events_take();
	assert_int_equal(events_ack(), 0x24);
	port_out(v, 0x20, 1, 0x64);
	assert_false(events_interrupt());
	assert_int_equal(port_in(v, 0x3F8, 1), 'a');
	assert_int_equal(events_ack(), 0x24);
	port_out(v, 0x20, 1, 0x64);
	assert_int_equal(port_in(v, 0x3F8, 1), 'b');
	assert_false(events_interrupt());
	port_out(v, 0x3F9, 1, 2); /* that it can send: as soon as it is told to */
	assert_int_equal(events_ack(), 0x24);
	port_out(v, 0x20, 1, 0x64);
	port_out(v, 0x3F8, 1, 'x');
	assert_int_equal(events_ack(), 0x24);
}

static void a_masked_port_is_left_alone(void **state)
{
	(void)state;
	XEN_SHARED->evtchn_mask[0] = 1u << 7;
	pending(7);
	events_take();
	assert_int_equal(XEN_SHARED->evtchn_pending[0], 1u << 7);
}

static void command_keys(void **state)
{
	(void)state;
	type("\x1Er");
	events_take();
	assert_non_null(strstr(xen.console, "the guest runs"));
	type("\x1E"
	     "c");
	events_take();
	assert_non_null(strstr(xen.console, "vmixen: counter time"));
	COUNTERS->event_in = 1000000;
	type("\x1Ez");
	events_take();
	assert_true(COUNTERS->event_in < 1000000);
	assert_int_equal(port_in(v, 0x3FD, 1) & 1, 0); /* none of it is the guest's */
	type("\x1E\x1E");
	events_take();
	assert_int_equal(port_in(v, 0x3F8, 1), 0x1E);
	type("\x1Eq");
	events_take();
	assert_int_equal(port_in(v, 0x3F8, 1), 'q');
}

static void the_command_port(void **state)
{
	(void)state;
	port_out(v, 0xE9, 1, 'c'); /* not without the word vmixen.counters */
	assert_null(strstr(xen.console, "counter"));
	MON->start.counters = true;
	port_out(v, 0xE9, 1, 'c');
	assert_non_null(strstr(xen.console, "vmixen: counter event: "));
	port_out(v, 0xE9, 1, 'q');
}

static void the_guest_ends_the_domain_by_ports(void **state)
{
	assert_ends(SHUTDOWN_reboot, port_out(v, 0x64, 1, 0xFE));
	start(state);
	assert_ends(SHUTDOWN_poweroff, port_out(v, 0x604, 2, 0x2000));
}

static void output_goes_to_the_console(void **state)
{
	(void)state;
	xen.console_len = 0;
	port_out(v, 0x3F8, 1, 'x');
	port_out(v, 0x3F8, 1, '\n');
	assert_memory_equal(xen.console, "x\n", 2);
}

static void fire_the_alarm(void)
{
	assert_true(VCPU->halted);
	set_alarm(0, 1, 0);
	pending(TIMER_PORT);
}

static void halting_polls(void **state)
{
	(void)state;
	port_out(v, 0x21, 1, 0);
	xen.on_poll = fire_the_alarm;
	vmi_HaltWait();
	assert_int_equal(xen.polls, 1);
	assert_false(v->halted);
	assert_int_equal(XEN_VCPU->evtchn_upcall_pending, 1);
	assert_int_equal(v->if_believed, EFLAGS_IF);
}

/* What makes an interrupt pending ends a halt, whatever is masked otherwise. */
static void a_pending_interrupt_ends_a_halt(void **state)
{
	(void)state;
	port_out(v, 0x21, 1, 0xFF);
	vmi_APICWrite(LAPIC_ICR, 0x40055); /* to itself */
	vmi_HaltWait();
	assert_int_equal(xen.polls, 0);
	assert_int_equal(events_ack(), 0x55);
	vmi_APICWrite(LAPIC_EOI, 0);
	vmi_APICWrite(LAPIC_LVTT, 0x56); /* and by an alarm */
	set_alarm(0x10000, 1, 0);
	vmi_HaltWait();
	assert_int_equal(xen.polls, 0);
	assert_int_equal(events_ack(), 0x56);
}

static void fire_the_lvtt(void)
{
	VCPU->alarm[1].expiry = 1;
	pending(TIMER_PORT);
}

static void the_lvtt_ends_a_halt(void **state)
{
	(void)state;
	port_out(v, 0x21, 1, 0xFF);
	vmi_APICWrite(LAPIC_LVTT, 0x41);
	set_alarm(0x10001, ~0ull, 0);
	xen.on_poll = fire_the_lvtt;
	vmi_HaltWait();
	assert_int_equal(xen.polls, 1);
	assert_int_equal(events_ack(), 0x41);
}

static void send_an_nmi(void)
{
	if (xen.polls > 1)
		fire_the_alarm();
	VCPU->nmi = true;
}

static void an_nmi_ends_a_halt(void **state)
{
	(void)state;
	port_out(v, 0x21, 1, 0);
	xen.on_poll = send_an_nmi;
	vmi_HaltWait();
	assert_int_equal(xen.polls, 1);
	assert_true(v->nmi);
	assert_int_equal(XEN_VCPU->evtchn_upcall_pending, 1);
}

static void a_halt_that_nothing_can_end_is_power_off(void **state)
{
	(void)state;
	port_out(v, 0x21, 1, 0xFF);
	set_alarm(0, 1, 0); /* IRQ 0, which is masked */
	vmi_APICWrite(LAPIC_TPR, 0x60);
	vmi_APICWrite(LAPIC_ICR, 0x40055); /* which TPR holds back */
	assert_ends(SHUTDOWN_poweroff, vmi_HaltWait());
	assert_non_null(strstr(xen.console, "halted for good"));
	start(state);
	port_out(v, 0x21, 1, 0xFF);
	vmi_APICWrite(LAPIC_LVTT, 0x41); /* without an alarm */
	assert_ends(SHUTDOWN_poweroff, vmi_HaltWait());
	start(state);
	port_out(v, 0x21, 1, 0xFF);
	vmi_APICWrite(LAPIC_LVTT, 0x10041); /* masked */
	set_alarm(0x10000, ~0ull, 0);
	assert_ends(SHUTDOWN_poweroff, vmi_HaltWait());
	start(state);
	vmi_APICWrite(LAPIC_LVT0, 0x10700); /* the 8259 is cut off */
	assert_ends(SHUTDOWN_poweroff, vmi_HaltWait());
}

static void pass(u64 ns)
{
	XEN_VCPU->time.system_time += ns;
	pending(TIMER_PORT);
	events_take();
}

static bool silence_is_told(void)
{
	return strstr(xen.console, "the guest has printed nothing for 10 s");
}

static void silence_is_told_once(void **state)
{
	(void)state;
	events_listen();
	assert_true(xen.singleshot > time_ns() + 9900000000ull);
	pass(9800000000ull);
	assert_false(silence_is_told());
	pass(300000000);
	assert_true(silence_is_told());
	assert_non_null(strstr(xen.console, "and runs\r\nvmixen: eip c0030000"));
	assert_non_null(strstr(xen.console, "earlyprintk=serial,ttyS0,115200"));
	assert_true(MON->events.silence == PIT_NEVER);
	xen.console_len = 0;
	memset(xen.console, 0, sizeof(xen.console));
	pass(60000000000ull);
	assert_false(silence_is_told());
}

static void a_guest_that_has_spoken_may_be_silent(void **state)
{
	(void)state;
	events_listen();
	port_out(v, 0x3F8, 1, 'x');
	pass(60000000000ull);
	assert_false(silence_is_told());
	assert_true(VCPU->alarm_set == PIT_NEVER);
}

/* What the guest did not have of the CPU is given to it on top. */
static void stolen_time_is_no_silence(void **state)
{
	(void)state;
	VCPU->runstate.time[RUNSTATE_runnable] = 1000000000;
	events_listen();
	VCPU->runstate.time[RUNSTATE_runnable] += 4000000000ull;
	VCPU->runstate.time[RUNSTATE_offline] += 1000000000;
	pass(10100000000ull);
	assert_false(silence_is_told());
	assert_true(xen.singleshot > time_ns() + 4900000000ull);
	pass(5100000000ull);
	assert_true(silence_is_told());
}

static void a_second_passes(void)
{
	XEN_VCPU->time.system_time += 1000000000;
}

static void xenstore_is_watched(void **state)
{
	(void)state;
	xen_start(GUEST_PAGES, 0, 0, 128);
	MON->start.store_evtchn = 5;
	xen.on_poll = a_second_passes; /* nobody answers */
	events_start();
	assert_int_equal(MON->events.store_port, 5);
	assert_false(MON->store.bell); /* it has been rung */
	assert_int_equal(xen.sent[5], 2);
	assert_int_equal(MON->events.awaited[2], 5);
	/* An answer that makes no sense. */
	XEN_SHARED->evtchn_mask[0] = 0;
	memset((u8 *)(uintptr_t)WIN_STORE + 1024, 0xFF, 1024);
	((u32 *)(uintptr_t)WIN_STORE)[2048 / 4 + 3] = 1000; /* rsp_prod */
	pending(5);
	events_take();
	assert_int_equal(XEN_SHARED->evtchn_pending[0], 0);
	assert_non_null(strstr(xen.console, "xenstore does not answer"));
}

static void a_dom0_has_the_hypervisors_console(void **state)
{
	(void)state;
	xen_start(GUEST_PAGES, 0, 0, 128);
	MON->start.dom0 = true;
	events_start();
	assert_int_equal(MON->events.console_port, 4);
	xen.answer[__HYPERVISOR_event_channel_op] = -22;
	assert_dies("Xen refused to bind a VIRQ (error -22)", events_start());
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_past_alarm_fires_at_once_and_once, start),
		cmocka_unit_test_setup(a_future_alarm_waits, start),
		cmocka_unit_test_setup(the_last_alarm_takes_no_hypercall, start),
		cmocka_unit_test_setup(an_alarm_too_far_is_set_in_steps, start),
		cmocka_unit_test_setup(a_periodic_alarm_keeps_its_phase, start),
		cmocka_unit_test_setup(an_alarm_at_the_end_of_time_is_set_in_steps, start),
		cmocka_unit_test_setup(the_next_period_is_to_come, start),
		cmocka_unit_test_setup(an_alarm_may_be_wired_to_the_lvtt, start),
		cmocka_unit_test_setup(lvt0_cuts_the_8259_off, start),
		cmocka_unit_test_setup(the_local_apic_comes_before_the_8259, start),
		cmocka_unit_test_setup(the_timer_is_stopped_when_nothing_is_due, start),
		cmocka_unit_test_setup(what_is_due_since_ever_is_not_stopped, start),
		cmocka_unit_test_setup(the_8254_sets_the_timer, start),
		cmocka_unit_test_setup(the_clock_sets_the_timer, start),
		cmocka_unit_test_setup(wide_accesses, start),
		cmocka_unit_test_setup(input_goes_to_the_uart, start),
		cmocka_unit_test_setup(the_uart_interrupts_behind_an_access, start),
		cmocka_unit_test_setup(a_masked_port_is_left_alone, start),
		cmocka_unit_test_setup(command_keys, start),
		cmocka_unit_test_setup(the_command_port, start),
		cmocka_unit_test_setup(the_guest_ends_the_domain_by_ports, start),
		cmocka_unit_test_setup(output_goes_to_the_console, start),
		cmocka_unit_test_setup(halting_polls, start),
		cmocka_unit_test_setup(a_pending_interrupt_ends_a_halt, start),
		cmocka_unit_test_setup(the_lvtt_ends_a_halt, start),
		cmocka_unit_test_setup(an_nmi_ends_a_halt, start),
		cmocka_unit_test_setup(a_halt_that_nothing_can_end_is_power_off, start),
		cmocka_unit_test_setup(silence_is_told_once, start),
		cmocka_unit_test_setup(a_guest_that_has_spoken_may_be_silent, start),
		cmocka_unit_test_setup(stolen_time_is_no_silence, start),
		cmocka_unit_test(xenstore_is_watched),
		cmocka_unit_test(a_dom0_has_the_hypervisors_console),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
