/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Xen refuses each hypercall of the PVH binding once.  There is a plan for all of them: a
 * sentence that says what was refused and ends the domain, or the guest goes on, told of
 * what is lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <xen/errno.h>

#include "monitor/pvh/cpu_pvh.h"
#include "pvh/processor.h"
#include "monitor/vmi/vmi.h"
#include "monitor/binding.h"
#include "monitor/io/events.h"
#include "monitor/life.h"
#include "monitor/monitor.h"
#include "monitor/vcpu.h"

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/io/xs_wire.h>

#define STORE_PORT 5u
#define ANY (~0u)

void vmi_SetAlarm(u32 flags, u32 expiry_low, u32 expiry_high);
u32 vmi_CancelAlarm(u32 flags);
void vmi_HaltWait(void);
void monitor_start(struct vcpu *v);

static const struct plan {
	u32 number, command;
	const char *words; /* on the console; NULL: the guest goes on as if nothing were */
	bool dies;
} plans[] = {
	{__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, "keep its word of the vCPU in our page",
	 true},
	{__HYPERVISOR_hvm_op, HVMOP_set_param, "deliver events by a vector", true},
	{__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, "bind a VIRQ", true},
	{__HYPERVISOR_event_channel_op, EVTCHNOP_unmask, "unmask an event channel", true},
	{__HYPERVISOR_memory_op, XENMEM_add_to_physmap, "show its shared page again", true},
	{__HYPERVISOR_hvm_op, HVMOP_get_param, "name the rings of console and xenstore", true},
	{__HYPERVISOR_set_timer_op, ANY, "set a timer", true},
	/* No stolen time is known. */
	{__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, "tell of stolen time", false},
	/* There are more events than need be. */
	{__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, NULL, false},
	/* The processor waits by trying again. */
	{__HYPERVISOR_sched_op, SCHEDOP_poll, NULL, false},
	/* What was printed is seen with the next line. */
	{__HYPERVISOR_event_channel_op, EVTCHNOP_send, NULL, false},
};
static u32 met; /* bit for each plan that was refused */

static const struct plan *refused; /* what Xen has refused */

static const struct plan *plan_of(u32 number, u32 command)
{
	for (u32 i = 0; i < ARRAY_SIZE(plans); i++)
		if (plans[i].number == number &&
		    (plans[i].command == ANY || plans[i].command == command))
			return &plans[i];
	fail_msg("hypercall %u, %u: there is no plan for its refusal", number, command);
	return NULL;
}

static bool note(unsigned number, u32 argument)
{
	const struct plan *p = plan_of(number, argument);

	if (xen_refusal.made == xen_refusal.first)
		refused = p;
	return true;
}

/* --- a domain's start, and its life ------------------------------------------------------- */

static void before_start(void)
{
	xen_start(GUEST_PAGES, 0, 0, 0);
	MON->start.code32 = CODE;
	MON->start.boot_params = 0x90000;
	MON->start.store_evtchn = STORE_PORT;
}

static void start(void)
{
	monitor_start(VCPU);
	say("started\n");
}

static void before_life(void)
{
	domain_init(false);
	MON->events.store_port = STORE_PORT;
	store_start(&MON->store, (void *)WIN_STORE);
}

/* xl writes to the node that the domain watches. */
static void store_speaks(void)
{
	static const char text[] = "control/shutdown\0vmixen";
	struct xenstore_domain_interface *ring = (void *)WIN_STORE;
	struct xsd_sockmsg head = {.type = XS_WATCH_EVENT, .len = sizeof(text)};

	memcpy(ring->rsp + ring->rsp_prod, &head, sizeof(head));
	memcpy(ring->rsp + ring->rsp_prod + sizeof(head), text, sizeof(text));
	ring->rsp_prod += sizeof(head) + sizeof(text);
	XEN_SHARED->evtchn_pending[0] = 1u << STORE_PORT;
	XEN_VCPU->evtchn_pending_sel = 1;
	events_take();
	assert_int_equal(ring->rsp_cons, ring->rsp_prod);
}

static void ring_irq_5(void)
{
	pic_set_irq(&MON->pc.pic, 5, true);
}

static void drain_at_last(void)
{
	struct xencons_interface *ring = (void *)WIN_CONSOLE;

	ring->out_cons = ring->out_prod;
}

/* One byte more than the console's ring holds, while nobody drains it: none is lost. */
static void fill_the_console(void)
{
	struct xencons_interface *ring = (void *)WIN_CONSOLE;
	u32 first = ring->out_prod, bytes = sizeof(ring->out) + 1;

	xen.stalled = true;
	xen.on_poll = drain_at_last;
	for (u32 i = 0; i < bytes; i++)
		console_put(&MON->console, 'x');
	assert_int_equal(ring->out_prod - first, bytes);
	xen.stalled = false;
}

static void life(void)
{
	store_speaks();
	for (u32 i = 0; i < 4; i++) /* the 8259, with nothing but IRQ 5 */
		port_out(VCPU, i ? 0x21 : 0x20, 1, "\x11\x20\x04\x01"[i]);
	port_out(VCPU, 0x21, 1, 0xDF);
	vmi_SetAlarm(0, 0, 0x70000000);
	assert_int_not_equal(xen.singleshot, 0);
	xen.on_poll = ring_irq_5;
	vmi_HaltWait();
	assert_true(events_interrupt());
	vmi_CancelAlarm(0);
	assert_int_equal(xen.singleshot, 0);
	fill_the_console();
	say("a line\n");
	say("another\n");
	assert_non_null(strstr(xen.console, "a line"));
}

static int goes_on_as_a_new_one(void)
{
	return 0;
}

static void before_suspend(void)
{
	before_life();
	cpu.param[HVM_PARAM_CONSOLE_EVTCHN] = MON->console.evtchn;
	cpu.param[HVM_PARAM_STORE_EVTCHN] = STORE_PORT;
	XEN_SHARED->vcpu_info[0].time = XEN_VCPU->time;
	xen.on_suspend = goes_on_as_a_new_one;
}

static void another_life(void)
{
	domain_suspend();
	say("resumed\n");
	say("and goes on\n");
	assert_non_null(strstr(xen.console, "resumed"));
}

/* --- and its refusals ------------------------------------------------------------------------ */

static void judge(bool died, u32 n)
{
	bool words = refused && (!refused->words || strstr(xen.console, refused->words));

	if (!refused) {
		assert_false(died);
		return;
	}
	met |= 1u << (refused - plans);
	if (died != refused->dies || !words || (died && xen.reason != SHUTDOWN_crash))
		fail_msg("refused: hypercall %u, %u (number %u); %s: %s", refused->number,
			 refused->command, n, died ? "it died" : "it lives", xen.console);
	if (died)
		assert_non_null(strstr(xen.console, "vmixen: Xen refused to "));
}

/* Carries out the part; answers whether the domain has died in it. */
static bool dies(void (*part)(void))
{
	jmp_buf death;
	bool dead;

	xen.death = &death;
	dead = setjmp(death);
	if (!dead)
		part();
	xen.death = NULL;
	return dead;
}

/* The part, as often as it makes hypercalls, another one of which is refused each time. */
static void play(void (*before)(void), void (*part)(void))
{
	for (u32 n = 0;; n++) {
		xen_refusal = (struct xen_refusal){0};
		before();
		refused = NULL;
		xen_refusal = (struct xen_refusal){
			.first = n, .count = 1, .error = -XEN_ENOMEM, .which = note};
		judge(dies(part), n);
		if (!xen_refusal.refused)
			break;
	}
	xen_refusal = (struct xen_refusal){0};
}

static void each_refusal_ends_in_words_or_the_guest_goes_on(void **state)
{
	(void)state;
	play(before_start, start);
	play(before_life, life);
	play(before_suspend, another_life);
	assert_int_equal(met, (1u << ARRAY_SIZE(plans)) - 1);
}

static bool is_send(unsigned number, u32 argument)
{
	return number == __HYPERVISOR_event_channel_op && argument == EVTCHNOP_send;
}

static void xenstore_that_was_not_notified_is_with_what_comes_next(void **state)
{
	(void)state;
	before_life();
	xen_refusal = (struct xen_refusal){.count = 1, .error = -XEN_EINVAL, .which = is_send};
	store_speaks();
	assert_int_equal(xen_refusal.refused, 1);
	assert_true(MON->store.bell);
	assert_non_null(strstr(xen.console, "Xen refused to notify xenstore (error -22)"));
	store_speaks();
	assert_false(MON->store.bell);
	xen_refusal = (struct xen_refusal){0};
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_refusal_ends_in_words_or_the_guest_goes_on),
		cmocka_unit_test(xenstore_that_was_not_notified_is_with_what_comes_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
