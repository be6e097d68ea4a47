/* SPDX-License-Identifier: GPL-2.0-only */
/* A PVH domain is suspended, and goes on as it was or as a new one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/pvh/cpu_pvh.h"
#include "monitor/pvh/pvh.h"
#include "pvh/processor.h"
#include "monitor/binding.h"
#include "monitor/io/events.h"
#include "monitor/io/time.h"
#include "monitor/life.h"
#include "monitor/monitor.h"
#include "monitor/vcpu.h"

#include <xen/hvm/params.h>
#include <xen/io/xs_wire.h>

#define STORE_PORT 5u
#define NEW_CONSOLE_PORT 12u
#define NEW_STORE_PORT 11u
#define CONSOLE_FRAME 0xFEFFFu
#define STORE_FRAME 0xFEFFCu
#define SHARED_FRAME 0x4Fu
#define SECOND 1000000000ull
#define HZ 2000000000ull
#define ALARM_S 3600u
#define MISC_FEATURES 0x140u

void vmi_SetAlarm(u32 flags, u32 expiry_low, u32 expiry_high);
u64 vmi_GetCycleCounter(u32 which);
u32 vmi_WallclockUpdated(void);

static struct xenstore_domain_interface *const ring = (void *)WIN_STORE;
static u32 suspends;

/* --- the world -------------------------------------------------------------------------- */

static u64 away_ns;	/* by the host's wallclock */
static u64 uptime_ns;	/* of Xen where the domain goes on */
static s64 set_back_ns; /* of that host's wallclock */

static int cancelled(void)
{
	suspends++;
	return 1;
}

static u64 epoch(void)
{
	return (u64)XEN_SHARED->wc_sec * SECOND + XEN_SHARED->wc_nsec + clock_ns();
}

/* The domain is built anew; what Xen does not keep is as in a new one. */
static int restored(void)
{
	u64 there = epoch() + away_ns - (u64)set_back_ns - uptime_ns;
	struct shared_info *sh = (struct shared_info *)(uintptr_t)WIN_SHARED;

	suspends++;
	memset(sh, 0, sizeof(*sh));
	memset((void *)WIN_CONSOLE, 0, PAGE_SIZE);
	memset(ring, 0, PAGE_SIZE);
	sh->wc_sec = (u32)(there / SECOND);
	sh->wc_nsec = (u32)(there % SECOND);
	sh->wc_version = 2;
	sh->vcpu_info[0].time = (struct vcpu_time_info){.version = 4,
							.tsc_timestamp = __builtin_ia32_rdtsc(),
							.system_time = uptime_ns,
							.tsc_to_system_mul = 0x80000000};
	cpu.restored = true;
	cpu.runstate.state_entry_time = uptime_ns;
	cpu.runstate.time[RUNSTATE_runnable] = 7 * SECOND;
	cpu.param[HVM_PARAM_CALLBACK_IRQ] = 0;
	cpu.param[HVM_PARAM_CONSOLE_PFN] = CONSOLE_FRAME;
	cpu.param[HVM_PARAM_CONSOLE_EVTCHN] = NEW_CONSOLE_PORT;
	cpu.param[HVM_PARAM_STORE_PFN] = STORE_FRAME;
	cpu.param[HVM_PARAM_STORE_EVTCHN] = NEW_STORE_PORT;
	cpu.msr = cpu.tr = 0;
	return 0;
}

static void event(u32 port)
{
	XEN_SHARED->evtchn_pending[0] |= 1u << port;
	XEN_VCPU->evtchn_pending_sel = 1;
	XEN_VCPU->evtchn_upcall_pending = 1;
}

static void put(u32 type, u32 id, const char *text, u32 bytes)
{
	struct xsd_sockmsg head = {.type = type, .req_id = id, .len = bytes};

	for (u32 i = 0; i < sizeof(head); i++)
		ring->rsp[MASK_XENSTORE_IDX(ring->rsp_prod++)] = ((const char *)&head)[i];
	for (u32 i = 0; i < bytes; i++)
		ring->rsp[MASK_XENSTORE_IDX(ring->rsp_prod++)] = text[i];
	event(STORE_PORT);
}

/* The number of the last request in the ring; *type and text say what it is. */
static u32 last_request(u32 *type, char text[64])
{
	struct xsd_sockmsg head = {0};

	while (ring->req_cons != ring->req_prod) {
		for (u32 i = 0; i < sizeof(head); i++)
			((char *)&head)[i] = ring->req[MASK_XENSTORE_IDX(ring->req_cons++)];
		memset(text, 0, 64);
		for (u32 i = 0; i < head.len; i++)
			text[i % 63] = ring->req[MASK_XENSTORE_IDX(ring->req_cons++)];
	}
	*type = head.type;
	return head.req_id;
}

/* xl writes "suspend" to the node, and xenstored answers the monitor's question. */
static void xl_asks(void)
{
	static const char watch[] = "control/shutdown\0vmixen";
	char text[64];
	u32 type, id;

	put(XS_WATCH_EVENT, 0, watch, sizeof(watch));
	events_take();
	id = last_request(&type, text);
	assert_int_equal(type, XS_READ);
	put(XS_READ, id, "suspend", 7);
	events_take();
}

static int start(void **state)
{
	(void)state;
	domain_init(false);
	suspends = 0;
	away_ns = 5 * SECOND;
	uptime_ns = 1000 * SECOND;
	set_back_ns = 0;
	xen.on_suspend = restored;
	MON->events.store_port = STORE_PORT;
	MON->start.store_evtchn = STORE_PORT;
	events_await(STORE_PORT);
	store_start(&MON->store, (void *)WIN_STORE);
	orders_start(&MON->orders, &MON->store, true);
	MON->fronts.xenbus.store = &MON->store;
	ring->req_cons = ring->req_prod; /* which nobody answers */
	XEN_SHARED->wc_sec = 1700000000;
	XEN_VCPU->time.system_time = 50 * SECOND;
	XEN_VCPU->time.tsc_timestamp = __builtin_ia32_rdtsc();
	((u32 *)WIN_L1_NARROW)[(WIN_SHARED - WINDOW_BASE) >> PAGE_SHIFT] =
		SHARED_FRAME << 12 | 0x63;
	return 0;
}

/* --- the order ---------------------------------------------------------------------------- */

static void an_order_is_acknowledged_and_then_carried_out(void **state)
{
	(void)state;
	xen.on_suspend = cancelled;
	xl_asks();
	assert_int_equal(suspends, 1);
	assert_false(MON->suspend_asked);
	/* The node is cleared in the ring before; nothing more is asked for twice. */
	assert_string_equal(ring->req + MASK_XENSTORE_IDX(ring->req_prod - 17), "control/shutdown");
	events_take();
	assert_int_equal(suspends, 1);
	xl_asks();
	assert_int_equal(suspends, 2);
}

/* Where there is no room for the acknowledgement, it and the suspend wait. */
static void a_full_ring_delays_it(void **state)
{
	static const char watch[] = "control/shutdown\0vmixen";
	char text[64];
	u32 type, id;

	(void)state;
	xen.on_suspend = cancelled;
	put(XS_WATCH_EVENT, 0, watch, sizeof(watch));
	events_take();
	id = last_request(&type, text);
	ring->req_cons = ring->req_prod - XENSTORE_RING_SIZE;
	put(XS_READ, id, "suspend", 7);
	events_take();
	assert_int_equal(suspends, 0);
	ring->req_cons = ring->req_prod;
	event(STORE_PORT);
	events_take();
	assert_int_equal(suspends, 1);
}

static void a_domain_that_goes_on_as_it_was_has_changed_nothing(void **state)
{
	struct monitor before;

	(void)state;
	xen.on_suspend = cancelled;
	vmi_SetAlarm(0, 0, 0x70000000);
	before = *MON;
	xen.console_len = 0;
	domain_suspend();
	assert_int_equal(suspends, 1);
	assert_memory_equal(&MON->events, &before.events, sizeof(before.events));
	assert_memory_equal(&MON->store, &before.store, sizeof(before.store));
	assert_memory_equal(&MON->start, &before.start, sizeof(before.start));
	assert_int_equal(xen.console_len, 0);
	assert_int_equal(cpu.tsc, 0);
}

/* What was printed is out before: the ring's page is not kept. */
static void the_console_is_empty_when_the_domain_is_suspended(void **state)
{
	static u32 left;
	struct xencons_interface *console = (void *)WIN_CONSOLE;

	(void)state;
	xen.on_suspend = cancelled;
	console_put(&MON->console, 'x');
	domain_suspend();
	left = console->out_prod - console->out_cons;
	assert_int_equal(left, 0);
	assert_int_equal(xen.console[xen.console_len - 1], 'x');
}

/* Nobody takes anything: it is not waited for longer than for room. */
static void a_console_that_nobody_drains_delays_it_for_a_while(void **state)
{
	u64 before = clock_ns();

	(void)state;
	xen.on_suspend = cancelled;
	xen.stalled = true;
	console_put(&MON->console, 'x');
	domain_suspend();
	assert_int_equal(suspends, 1);
	assert_in_range(clock_ns() - before, 5 * SECOND, 6 * SECOND);
	assert_true(MON->console.dead);
}

/* --- a new domain ------------------------------------------------------------------------- */

static void everything_is_bound_anew(void **state)
{
	char text[64];
	u32 type;

	(void)state;
	xl_asks();
	assert_int_equal(suspends, 1);
	assert_non_null(xen_last(__HYPERVISOR_memory_op));
	assert_int_equal(xen_last(__HYPERVISOR_memory_op)->arg[0], XENMEM_add_to_physmap);
	assert_int_equal(cpu.physmap_frame, SHARED_FRAME);
	assert_true(cpu.vcpu_ops >> VCPUOP_register_vcpu_info & 1);
	assert_true(cpu.vcpu_ops >> VCPUOP_register_runstate_memory_area & 1);
	assert_true(cpu.vcpu_ops >> VCPUOP_stop_periodic_timer & 1);
	assert_int_equal(cpu.param[HVM_PARAM_CALLBACK_IRQ], 2ull << 56 | VEC_EVENT);
	assert_int_equal(cpu.msr, MISC_FEATURES);
	assert_int_equal(cpu.msr_low, 1);
	assert_int_equal(cpu.tr, OWN_TSS);
	assert_int_equal(window_frame(WIN_CONSOLE), CONSOLE_FRAME);
	assert_int_equal(window_frame(WIN_STORE), STORE_FRAME);
	assert_int_equal(((u32 *)WIN_L1_WIDE)[(WIN_STORE - WINDOW_BASE) >> 12 << 1] >> 12,
			 STORE_FRAME);
	assert_int_equal(MON->console.evtchn, NEW_CONSOLE_PORT);
	assert_int_equal(MON->events.console_port, NEW_CONSOLE_PORT);
	assert_int_equal(MON->events.store_port, NEW_STORE_PORT);
	assert_int_equal(MON->events.awaited_count, 3);
	assert_int_equal(MON->events.awaited[1], NEW_CONSOLE_PORT);
	assert_int_equal(MON->events.awaited[2], NEW_STORE_PORT);
	/* The talk with xenstored begins from its start: the last of it is about disks. */
	last_request(&type, text);
	assert_int_equal(type, XS_WATCH);
	assert_string_equal(text, "device/vbd");
	assert_non_null(strstr(xen.console, "vmixen: the domain goes on, after 50"));
}

/* Its events are those of the new ports, and none is lost: it can be asked again. */
static void it_hears_of_the_next_order(void **state)
{
	static const char watch[] = "control/shutdown\0vmixen";
	char text[64];
	u32 type, id;

	(void)state;
	xl_asks();
	last_request(&type, text);
	put(XS_WATCH_EVENT, 0, watch, sizeof(watch));
	XEN_SHARED->evtchn_pending[0] = 1u << NEW_STORE_PORT;
	events_take();
	id = last_request(&type, text);
	assert_int_equal(type, XS_READ);
	put(XS_READ, id, "suspend", 7);
	XEN_SHARED->evtchn_pending[0] = 1u << NEW_STORE_PORT;
	events_take();
	assert_int_equal(suspends, 2);
}

static void the_clocks_go_on_and_the_absence_is_stolen(void **state)
{
	u64 real, available, stolen, ns, cycles = away_ns * 2;

	(void)state;
	ns = time_ns();
	real = vmi_GetCycleCounter(0);
	available = vmi_GetCycleCounter(1);
	stolen = vmi_GetCycleCounter(2);
	xl_asks();
	assert_in_range(cpu.tsc, real + cycles, real + cycles + HZ);
	assert_in_range(time_ns(), ns + away_ns, ns + away_ns + SECOND);
	/* The processor's own TSC is not moved by the test: what it lacks is not stolen. */
	assert_in_range(vmi_GetCycleCounter(1), available, available + HZ);
	assert_true(vmi_GetCycleCounter(2) >= stolen);
	real = vmi_GetCycleCounter(0);
	assert_in_range(vmi_GetCycleCounter(1) + vmi_GetCycleCounter(2) - real, 0, HZ);
	assert_int_equal(vmi_WallclockUpdated(), 1);
	assert_int_equal(vmi_WallclockUpdated(), 0);
}

/* The new host's Xen has run for less time than the old one's. */
static void nothing_goes_back_on_a_younger_host(void **state)
{
	u64 ns, date;

	(void)state;
	uptime_ns = 2 * SECOND;
	ns = time_ns();
	date = time_epoch_ns();
	xl_asks();
	assert_in_range(time_ns(), ns + away_ns, ns + away_ns + SECOND);
	assert_in_range(time_epoch_ns(), date + away_ns, date + away_ns + SECOND);
	assert_in_range(time_pc().epoch_s, (date + away_ns) / SECOND,
			(date + away_ns) / SECOND + 1);
}

/* An alarm is given to Xen by Xen's own clock. */
static void an_alarm_is_set_anew(void **state)
{
	u64 expiry;

	(void)state;
	uptime_ns = 2 * SECOND;
	expiry = time_cycles() + ALARM_S * HZ;
	vmi_SetAlarm(0, (u32)expiry, (u32)(expiry >> 32));
	assert_in_range(xen.singleshot, (ALARM_S + 49) * SECOND, (ALARM_S + 60) * SECOND);
	xl_asks();
	assert_in_range(xen.singleshot, ALARM_S * SECOND, (ALARM_S + 10) * SECOND);
}

/* The 8254 is due at the same moment of the guest's clock as before. */
static void the_timer_is_set_anew_though_its_moment_is_the_same(void **state)
{
	(void)state;
	away_ns = 0;
	for (u32 i = 0; i < 4; i++) /* the 8259, with nothing but IRQ 0 */
		port_out(VCPU, i ? 0x21 : 0x20, 1, "\x11\x20\x04\x01"[i]);
	port_out(VCPU, 0x21, 1, 0xFE);
	port_out(VCPU, 0x43, 1, 0x34);
	port_out(VCPU, 0x40, 1, 0xFF);
	port_out(VCPU, 0x40, 1, 0xFF);
	assert_int_not_equal(xen.singleshot, 0);
	xen.singleshot = 0;
	xl_asks();
	assert_int_not_equal(xen.singleshot, 0);
}

static void a_host_whose_date_is_behind_has_taken_no_time(void **state)
{
	u64 ns = time_ns();

	(void)state;
	set_back_ns = 3600 * (s64)SECOND;
	xl_asks();
	assert_in_range(time_ns(), ns, ns + SECOND);
	assert_non_null(strstr(xen.console, "goes on, after 0 ms"));
}

/* A kernel would count for years; it is told of ten minutes. */
static void of_a_long_absence_ten_minutes_count(void **state)
{
	u64 ns, real;

	(void)state;
	away_ns = 86400 * SECOND;
	ns = time_ns();
	real = time_cycles();
	xl_asks();
	assert_in_range(time_ns(), ns + 600 * SECOND, ns + 601 * SECOND);
	assert_in_range(cpu.tsc, real + 600 * HZ, real + 601 * HZ);
	assert_non_null(strstr(xen.console, "goes on, after 8640"));
}

/* Xen has moved the TSC by ten seconds since. */
static void a_tsc_that_is_moved_is_time_away(void **state)
{
	struct moment before;

	(void)state;
	time_note(&before);
	before.available -= 10 * HZ;
	restored();
	time_continue(&before);
	assert_in_range(vmi_GetCycleCounter(1), before.available, before.available + HZ);
	assert_true(vmi_GetCycleCounter(2) >= 10 * HZ);
}

static void wait(u64 cycles)
{
	u64 since = time_cycles();

	while (time_cycles() - since < cycles)
		;
}

/* The new Xen counts from its own beginning. */
static void what_the_new_xen_has_stolen_before_is_not_the_guests(void **state)
{
	u64 stolen;

	(void)state;
	xl_asks();
	stolen = VCPU->clock.stolen_cycles;
	wait(HZ / 100);
	assert_int_equal(vmi_GetCycleCounter(2), stolen);
}

/* The guest's silence is its own only while it runs. */
static void the_absence_is_no_silence(void **state)
{
	u64 before;

	(void)state;
	before = MON->events.silence = time_ns() + 4 * SECOND;
	xl_asks();
	assert_in_range(MON->events.silence - before, away_ns, away_ns + SECOND);
	assert_null(strstr(xen.console, "has printed nothing"));
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_order_is_acknowledged_and_then_carried_out, start),
		cmocka_unit_test_setup(a_full_ring_delays_it, start),
		cmocka_unit_test_setup(a_domain_that_goes_on_as_it_was_has_changed_nothing, start),
		cmocka_unit_test_setup(the_console_is_empty_when_the_domain_is_suspended, start),
		cmocka_unit_test_setup(a_console_that_nobody_drains_delays_it_for_a_while, start),
		cmocka_unit_test_setup(everything_is_bound_anew, start),
		cmocka_unit_test_setup(it_hears_of_the_next_order, start),
		cmocka_unit_test_setup(the_clocks_go_on_and_the_absence_is_stolen, start),
		cmocka_unit_test_setup(nothing_goes_back_on_a_younger_host, start),
		cmocka_unit_test_setup(an_alarm_is_set_anew, start),
		cmocka_unit_test_setup(the_timer_is_set_anew_though_its_moment_is_the_same, start),
		cmocka_unit_test_setup(a_tsc_that_is_moved_is_time_away, start),
		cmocka_unit_test_setup(a_host_whose_date_is_behind_has_taken_no_time, start),
		cmocka_unit_test_setup(of_a_long_absence_ten_minutes_count, start),
		cmocka_unit_test_setup(what_the_new_xen_has_stolen_before_is_not_the_guests, start),
		cmocka_unit_test_setup(the_absence_is_no_silence, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
