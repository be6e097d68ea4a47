/* SPDX-License-Identifier: GPL-2.0-only */
/* The console ring (xen/io/console.h) and HYPERVISOR_console_io; see console.h. */
#include "console.h"
#include "clock.h"
#include "hypercall.h"

#define RING_OUT sizeof(((struct xencons_interface *)0)->out)
#define RING_IN sizeof(((struct xencons_interface *)0)->in)

#define CONSOLE_PATIENCE 5000000000ull /* ns to wait for a backend that does not drain */

static volatile struct xencons_interface *ring_of(struct console *c)
{
	return c->ring;
}

void console_init(struct console *c, volatile void *ring, u32 evtchn)
{
	*c = (struct console){.ring = ring, .evtchn = evtchn};
	if (evtchn) {
		c->out_prod = ring_of(c)->out_prod;
		c->in_cons = ring_of(c)->in_cons;
		c->in_prod = &ring_of(c)->in_prod;
	}
}

static void notify(struct console *c)
{
	struct evtchn_send s = {.port = c->evtchn};

	xen_event_channel_op(EVTCHNOP_send, &s);
}

void console_flush(struct console *c)
{
	if (!c->pending)
		return;
	if (c->evtchn)
		notify(c);
	else
		xen_console_io(CONSOLEIO_write, c->pending, c->line);
	c->pending = 0;
}

/* How many bytes the backend has not taken yet.  More than RING_OUT if its index is one that
 * cannot be. */
static u32 out_used(struct console *c)
{
	return c->out_prod - ring_of(c)->out_cons;
}

#ifdef VMIXEN_ENTRY
/* The domain entry has no clock to wait by, and prints less than the ring holds. */
static bool wait_for(struct console *c, u32 most)
{
	(void)c, (void)most;
	return false;
}
#else
/* Waits until the ring has so many bytes at most.  false if the backend has not taken them in
 * CONSOLE_PATIENCE, or its index is one that cannot be. */
static bool wait_for(struct console *c, u32 most)
{
	evtchn_port_t port = c->evtchn;
	u64 deadline = clock_ns() + CONSOLE_PATIENCE;

	while (out_used(c) > most) {
		struct sched_poll p = {.nr_ports = 1, .timeout = deadline};

		if (c->dead || out_used(c) > RING_OUT || clock_ns() >= deadline) {
			c->dead = true;
			return false;
		}
		set_xen_guest_handle(p.ports, &port);
		notify(c);
		/* The backend's answer is an event on this very port. */
		__atomic_and_fetch(&XEN_SHARED->evtchn_pending[port / 32], ~(1ul << port % 32),
				   __ATOMIC_SEQ_CST);
		if (out_used(c) > most)
			xen_sched_op(SCHEDOP_poll, &p);
	}
	return true;
}

void console_drain(struct console *c)
{
	console_flush(c);
	if (c->evtchn)
		wait_for(c, 0);
}
#endif

static void put_ring(struct console *c, char byte)
{
	volatile struct xencons_interface *ring = ring_of(c);

	if (out_used(c) < RING_OUT)
		c->dead = false;
	else if (!wait_for(c, RING_OUT - 1))
		return;
	ring->out[MASK_XENCONS_IDX(c->out_prod, ring->out)] = byte;
	__asm__ volatile("" ::: "memory"); /* x86 keeps stores in order */
	ring->out_prod = ++c->out_prod;
	c->pending++;
}

void console_put(struct console *c, char byte)
{
	if (c->evtchn)
		put_ring(c, byte);
	else
		c->line[c->pending++] = byte;
	if (byte == '\n' || c->pending >= sizeof(c->line))
		console_flush(c);
}

void console_text(struct console *c, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			console_put(c, '\r');
		console_put(c, *text);
	}
	console_flush(c);
}

static int get_ring(struct console *c)
{
	volatile struct xencons_interface *ring = ring_of(c);
	u32 ready = ring->in_prod - c->in_cons;
	int byte;

	if (!ready || ready > RING_IN)
		return -1;
	__asm__ volatile("" ::: "memory");
	byte = (u8)ring->in[MASK_XENCONS_IDX(c->in_cons, ring->in)];
	ring->in_cons = ++c->in_cons;
	return byte;
}

int console_get(struct console *c)
{
	u8 byte;

	if (c->evtchn)
		return get_ring(c);
	return xen_console_io(CONSOLEIO_read, 1, &byte) == 1 ? byte : -1;
}
