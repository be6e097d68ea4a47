/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events of Xen's become changes on the interrupt lines of the virtual PC, and what the
 * PC's devices ask for is asked of Xen.  The event channels are the vCPU's timer, the
 * console's, xenstore's, and those of disks and networks (fronts.c, nets.c).
 */
#include "events.h"
#include "time.h"
#include "monitor/binding.h"
#include "monitor/life.h"
#include "monitor/monitor.h"
#include "lib/muldiv.h"

#define EVENTS (&MON->events)
/* The least time to the next interrupt of a periodic alarm: with a period that is shorter
 * than the hypercall takes the guest would have no time to run. */
#define ALARM_MIN_NS 50000u
#define ALARM_MAX_NS (1ull << 42) /* an alarm further away is looked at again at that time */
#define NEVER (~(u64)0)		  /* in cycles: no counter gets there */
#define INPUT_MAX 1024u		  /* bytes that are taken at a time: the ring has no more */
/* In this time, in which the guest could run, every kernel has printed its first words,
 * even on QEMU's TCG. */
#define SILENCE_S 10u

static u32 bind_virq(u32 virq)
{
	struct evtchn_bind_virq bind = {.virq = virq, .vcpu = 0};

	xen_must(xen_event_channel_op(EVTCHNOP_bind_virq, &bind), NEED_VIRQ);
	return bind.port;
}

static void unmask(u32 port)
{
	struct evtchn_unmask u = {.port = port};

	xen_must(xen_event_channel_op(EVTCHNOP_unmask, &u), NEED_UNMASK);
}

static void register_runstate(void)
{
	struct vcpu_register_runstate_memory_area area;
	int err;

	set_xen_guest_handle(area.addr.h, &VCPU->runstate);
	err = xen_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area);
	if (err)
		say("vmixen: Xen refused to tell of stolen time (error %d): none is known\n", err);
}

static u64 stolen_ns(void)
{
	volatile struct vcpu_runstate_info *r = &VCPU->runstate;

	return r->time[RUNSTATE_runnable] + r->time[RUNSTATE_offline];
}

bool events_await(u32 port)
{
	if (EVENTS->awaited_count == EVENT_PORTS)
		return false;
	unmask(port);
	EVENTS->awaited[EVENTS->awaited_count++] = port;
	return true;
}

void events_forget(u32 port)
{
	for (u32 i = 0; i < EVENTS->awaited_count; i++)
		if (EVENTS->awaited[i] == port)
			EVENTS->awaited[i--] = EVENTS->awaited[--EVENTS->awaited_count];
}

/* Tells xenstored to look at its ring, if something was put into it or taken out.  If Xen
 * refuses, that is done with what comes next. */
void events_ring_store(void)
{
	struct evtchn_send send = {.port = EVENTS->store_port};
	int err = MON->store.bell ? xen_event_channel_op(EVTCHNOP_send, &send) : 0;

	MON->store.bell = err != 0;
	if (err)
		say("vmixen: Xen refused to notify xenstore (error %d): xl shutdown and xl reboot "
		    "may not be heard\n",
		    err);
}

/* Takes what has come from xenstored.  A message that nobody has asked for ends the
 * conversation. */
static void take_store(void)
{
	struct store_message m;
	enum order order;

	store_look(&MON->store);
	while (store_next(&MON->store, &m))
		if (orders_message(&MON->orders, &MON->store, &m, &order))
			domain_order(order);
		else if (!xenbus_message(&MON->fronts.xenbus, &m))
			store_break(&MON->store);
	domain_order(orders_looked(&MON->orders, &MON->store));
	xenbus_push(&MON->fronts.xenbus);
	events_ring_store();
	if (MON->suspend_asked && !MON->orders.obeyed)
		domain_suspend();
}

bool events_wait_for_store(u64 deadline)
{
	evtchn_port_t port = EVENTS->store_port;
	struct sched_poll p = {.nr_ports = 1, .timeout = time_for_xen(deadline)};

	set_xen_guest_handle(p.ports, &port);
	if (xen_sched_op(SCHEDOP_poll, &p))
		return false;
	__atomic_and_fetch(&XEN_SHARED->evtchn_pending[port / 32], ~(1ul << port % 32),
			   __ATOMIC_SEQ_CST);
	take_store();
	return true;
}

void events_own_page(void)
{
	struct vcpu_register_vcpu_info info = {
		.mfn = MON->start.vcpu_info_frame,
		.offset = WIN_VCPU_INFO & (PAGE_SIZE - 1),
	};

	xen_must(xen_vcpu_op(VCPUOP_register_vcpu_info, 0, &info), NEED_VCPU_INFO);
}

/* Binds timer and console. */
static void bind_ports(void)
{
	xen_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	VCPU->timer_port = bind_virq(VIRQ_TIMER);
	EVENTS->console_port =
		MON->start.dom0 ? bind_virq(VIRQ_CONSOLE) : MON->start.console_evtchn;
	events_await(VCPU->timer_port);
	if (EVENTS->console_port)
		events_await(EVENTS->console_port);
}

/* Begins to talk to xenstored; false if there is none. */
static bool start_store(void)
{
	EVENTS->store_port = MON->start.store_evtchn;
	if (!EVENTS->store_port)
		return false;
	store_start(&MON->store, (void *)WIN_STORE);
	orders_start(&MON->orders, &MON->store, suspend_able());
	events_ring_store();
	events_await(EVENTS->store_port);
	return true;
}

void events_start(void)
{
	EVENTS->input = -1;
	VCPU->alarm_set = EVENTS->silence = PIT_NEVER;
	register_runstate();
	time_start();
	bind_ports();
	if (start_store())
		fronts_start();
}

/* Ports that were pending in the old domain may have been noted by who calls; what they are
 * taken for now is looked at in vain, and no event of the new ports is lost by it, for each
 * port is looked at when its bit is cleared (events_take()). */
u64 events_resume(const struct moment *before)
{
	u64 away;

	register_runstate();
	away = time_continue(before);
	events_own_page();
	console_init(&MON->console, (void *)WIN_CONSOLE, MON->start.console_evtchn);
	EVENTS->awaited_count = 0;
	if (EVENTS->silence != PIT_NEVER)
		EVENTS->silence += time_ns() - before->ns;
	EVENTS->silence_stolen = stolen_ns();
	VCPU->alarm_set = PIT_NEVER;
	bind_ports();
	if (start_store())
		fronts_resume();
	return away;
}

#define COMMAND_KEY 0x1E /* Ctrl-^; twice: itself */
/* A guest's program writes such a command's second byte to this port, at which a PC has
 * nothing, to have what it does counted.  It works only with vmixen.counters. */
#define COMMAND_PORT 0xE9

/* Carries out a command to the monitor; false if there is no such command. */
static bool command(int byte)
{
	switch (byte) {
	case 'r':
		report_state(VCPU);
		return true;
	case 'c':
		counters_report();
		return true;
	case 'z':
		say("\nvmixen: counters are at 0\n");
		counters_zero();
		return true;
	}
	return false;
}

/* Looks for commands in the console's input; true if the byte is not for the guest. */
static bool command_key(int byte)
{
	bool second = EVENTS->key;

	EVENTS->key = !second && byte == COMMAND_KEY;
	return second ? command(byte) : EVENTS->key;
}

/* Passes console input to the 16550; true if it has got some.  No more is taken at a time
 * than a ring holds, so a backend that never stops does not stop the guest. */
static bool pass_input(void)
{
	bool some = false;

	for (u32 n = 0; n < INPUT_MAX; n++) {
		if (EVENTS->input < 0) {
			int byte = console_get(&MON->console);

			if (byte < 0)
				break;
			if (command_key(byte))
				continue;
			EVENTS->input = byte;
		}
		if (!uart_rx(&MON->pc.uart, (u8)EVENTS->input))
			break;
		EVENTS->input = -1;
		some = true;
	}
	return some;
}

/* The same; mostly there is none. */
static inline bool take_input(void)
{
	return (EVENTS->input >= 0 || !console_idle(&MON->console)) && pass_input();
}

/* Raises IRQ0 for a VMI alarm.  The line makes an edge and stays high, as it does with the
 * 8254, because the 8259 withdraws a request whose line falls. */
static void edge_irq0(void)
{
	pic_set_irq(&MON->pc.pic, 0, false);
	pic_set_irq(&MON->pc.pic, 0, true);
}

/* n % d; d is not 0. */
static u64 rem64(u64 n, u64 d)
{
	u32 rem;

	if (!(d >> 32)) {
		div64(n, (u32)d, &rem);
		return rem;
	}
	for (u32 shift = 32; shift--;) /* the quotient has less than 32 bits */
		if (n >> shift >= d)
			n -= d << shift;
	return n;
}

/* The first expiry of a periodic alarm behind now, in cycles: expiry + i * period.  So all
 * that were missed are one interrupt.  NEVER if the sum has no 64 bits. */
static u64 next_period(const struct alarm *a, u64 now)
{
	u64 last = now - rem64(now - a->expiry, a->period);

	return a->period > NEVER - last ? NEVER : last + a->period;
}

/* Is an armed alarm due?  If so it moves on to its next expiry, or is disarmed if it has no
 * period. */
static bool alarm_due(struct alarm *a, u64 now)
{
	if (now < a->expiry)
		return false;
	if (a->periodic)
		a->expiry = next_period(a, now);
	else
		a->armed = false;
	return true;
}

/* What the counter of an alarm shows now, in cycles. */
static u64 alarm_clock(u32 counter)
{
	return counter ? time_available() : time_cycles();
}

/* ns from now until an alarm is due, between the bounds ALARM_MIN_NS and ALARM_MAX_NS. */
static u64 alarm_distance(const struct alarm *a, u32 counter)
{
	u64 cycles = alarm_clock(counter), ns = 0;

	if (a->expiry > cycles)
		ns = clock_cycles_to_ns(a->expiry - cycles);
	if (a->periodic && ns < ALARM_MIN_NS)
		return ALARM_MIN_NS;
	return ns < ALARM_MAX_NS ? ns : ALARM_MAX_NS;
}

/* The time for devices that need no date; a date takes divisions. */
static struct pc_time now_undated(void)
{
	return (struct pc_time){.ns = time_ns()};
}

/* Xen is asked only if the moment is another one than it was given before. */
void alarm_update(void)
{
	struct pc_time now = now_undated();
	u64 deadline = pc_next_event(&MON->pc, &now);

	if (EVENTS->silence < deadline)
		deadline = EVENTS->silence;
	for (u32 i = 0; i < ARRAY_SIZE(VCPU->alarm); i++) {
		u64 at;

		if (!VCPU->alarm[i].armed)
			continue;
		at = now.ns + alarm_distance(&VCPU->alarm[i], i);
		if (at < deadline)
			deadline = at;
	}
	if (deadline == VCPU->alarm_set)
		return;
	VCPU->alarm_set = deadline;
	/* One in the past fires at once; 0 would be none. */
	deadline = deadline == PIT_NEVER ? 0 : time_for_xen(deadline ? deadline : 1);
	xen_must(xen_set_timer(deadline), NEED_TIMER);
}

void events_listen(void)
{
	EVENTS->silence = time_ns() + SILENCE_S * 1000000000ull;
	EVENTS->silence_stolen = stolen_ns();
	alarm_update();
}

/* The guest has been silent for SILENCE_S.  Time in which it could not run is added to the
 * deadline; otherwise the silence is reported, once. */
static void hear_silence(u64 now)
{
	u64 stolen = stolen_ns() - EVENTS->silence_stolen;

	EVENTS->silence = PIT_NEVER;
	if (EVENTS->spoke)
		return;
	if (stolen) {
		EVENTS->silence = now + stolen;
		EVENTS->silence_stolen += stolen;
		return;
	}
	report_silence(VCPU, SILENCE_S);
}

static void take_time(void)
{
	struct pc_time now = now_undated();

	if (now.ns >= EVENTS->silence)
		hear_silence(now.ns);
	for (u32 i = 0; i < ARRAY_SIZE(VCPU->alarm); i++) {
		struct alarm *a = &VCPU->alarm[i];

		if (!a->armed || !alarm_due(a, alarm_clock(i)))
			continue;
		if (a->lvtt)
			lapic_timer(&VCPU->lapic);
		else
			edge_irq0();
	}
	pc_update_irqs(&MON->pc, &now);
	alarm_update();
}

void events_take(void)
{
	volatile struct shared_info *sh = XEN_SHARED;
	u32 selector;

	XEN_VCPU->evtchn_upcall_pending = 0;
	selector = __atomic_exchange_n(&XEN_VCPU->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	for (; selector; selector &= selector - 1) {
		u32 word = (u32)__builtin_ctz(selector);
		u32 bits = sh->evtchn_pending[word] & ~sh->evtchn_mask[word];

		for (; bits; bits &= bits - 1) {
			u32 port = word * 32 + (u32)__builtin_ctz(bits);

			__atomic_and_fetch(&sh->evtchn_pending[word], ~(1ul << port % 32),
					   __ATOMIC_SEQ_CST);
			if (port == VCPU->timer_port)
				VCPU->alarm_set = PIT_NEVER; /* it has fired */
			else if (port == EVENTS->store_port)
				take_store();
			else
				fronts_event(port);
		}
	}
	take_input();
	take_time();
}

bool events_interrupt(void)
{
	return lapic_lint0(&VCPU->lapic, pic_intr(&MON->pc.pic)) || lapic_intr(&VCPU->lapic);
}

u8 events_ack(void)
{
	return lapic_intr(&VCPU->lapic) ? lapic_ack(&VCPU->lapic) : pic_ack(&MON->pc.pic);
}

/* Is an alarm armed that will come through the local APIC's timer? */
static bool lvtt_will_fire(void)
{
	bool armed = false;

	for (u32 i = 0; i < ARRAY_SIZE(VCPU->alarm); i++)
		armed |= VCPU->alarm[i].armed && VCPU->alarm[i].lvtt;
	return armed && !(lapic_read(&VCPU->lapic, LAPIC_LVTT) & LAPIC_LVT_MASKED);
}

/*
 * Can no interrupt ever come?  The caller knows that none is pending.  The 8259 must be
 * masked, or cut off from the processor, and no alarm may be wired around it.  A Linux
 * without ACPI gets here when it halts or powers off; on a PC somebody would switch it off.
 */
static bool halted_for_good(void)
{
	bool heard = !(lapic_read(&VCPU->lapic, LAPIC_LVT0) & LAPIC_LVT_MASKED);

	return (MON->pc.pic.chip[0].imr == 0xFF || !heard) && !lvtt_will_fire();
}

/* Upcalls are masked, so SCHEDOP_poll returns as soon as one of our ports is pending. */
void events_wait(void)
{
	struct sched_poll p;

	console_flush(&MON->console);
	set_xen_guest_handle(p.ports, EVENTS->awaited);
	p.timeout = 0;
	VCPU->halted = true;
	COUNT(event_halt);
	events_take();
	while (!events_interrupt() && !VCPU->nmi) {
		if (halted_for_good()) {
			say("\nvmixen: the guest has halted for good\n");
			domain_shutdown(SHUTDOWN_poweroff);
		}
		p.nr_ports = EVENTS->awaited_count;
		xen_sched_op(SCHEDOP_poll, &p);
		events_take();
	}
	VCPU->halted = false;
	/* The guest's next call that enables interrupts must come to the monitor. */
	irq_raise();
}

/* Carries out what the PC's devices ask for behind a port access. */
static void serve_pc(const struct pc_time *now)
{
	struct pc *pc = &MON->pc;
	bool moved = false;
	u8 byte;

	for (; uart_tx_take(&pc->uart, &byte); moved = true)
		console_put(&MON->console, (char)byte);
	EVENTS->spoke |= moved;
	if (pc->requests & PC_POWEROFF)
		domain_shutdown(SHUTDOWN_poweroff);
	if (pc->requests & PC_RESET)
		domain_shutdown(SHUTDOWN_reboot);
	moved |= take_input();
	if (moved)
		pc_update_irqs(pc, now);
}

/* Does the access reach one of these ports? */
static bool reaches(u16 port, unsigned size, u16 first, u16 last)
{
	return port <= last && port + size > first;
}

/* The time for an access to this port: only the CMOS needs a date. */
static struct pc_time port_time(u16 port, unsigned size)
{
	return reaches(port, size, 0x70, 0x71) ? time_pc() : now_undated();
}

/* An access may have made the 8254 or the CMOS clock due earlier, or may have unmasked its
 * interrupt: gives Xen an earlier deadline then. */
static void look_for_earlier(const struct pc_time *now)
{
	if (pc_next_event(&MON->pc, now) < VCPU->alarm_set)
		alarm_update();
}

u32 port_in(struct vcpu *v, u16 port, unsigned size)
{
	struct pc_time now = port_time(port, size);
	u32 value = pc_in(&MON->pc, port, size, &now);

	(void)v;
	COUNT(event_in);
	serve_pc(&now);
	if (reaches(port, size, 0x71, 0x71)) /* the clock's register C may have been read */
		look_for_earlier(&now);
	return value;
}

void port_out(struct vcpu *v, u16 port, unsigned size, u32 value)
{
	struct pc_time now = port_time(port, size);

	(void)v;
	COUNT(event_out);
	if (port == COMMAND_PORT && size == 1 && MON->start.counters) {
		command((u8)value);
		return;
	}
	pc_out(&MON->pc, port, size, value, &now);
	serve_pc(&now);
	if (reaches(port, size, 0x40, 0x61))
		alarm_update();
	else if (reaches(port, size, 0x21, 0x21) || reaches(port, size, 0xA1, 0xA1) ||
		 reaches(port, size, 0x71, 0x71))
		look_for_earlier(&now);
}
