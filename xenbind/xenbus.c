/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: xen/io/xenbus.h (the states), xen/io/blkif.h and xen/io/netif.h (the nodes),
 * docs/misc/xenstore.txt.
 *
 * Each device goes through steps[]: one request to xenstored, its answer, and the next step.
 * At STEP_STATE it is seen what the backend's state asks for (decide()), and at STEP_REST
 * nothing is to be done until a watch tells of a change.
 *
 *   ours               backend
 *   1 Initialising     2 InitWait      we make ring and event channel, write the nodes, then 3
 *   3 Initialised      4 Connected     we read what it says of the disk, then write 4
 *   4 Connected        5 Closing       when nothing is under way any more we write 6
 *   6 Closed           6 Closed        if it is still online it may be used again: we write 1
 *   4 Connected        2 InitWait      another backend has come: as at first
 *
 * A network's backend connects when we say that we are at 4, so this is what is written in
 * place of 3; for us it is 3 until the backend is at 4, too.
 *
 * Kept true:
 *  - Nothing waits for xenstored.  Of each device one request is under way at most; one that
 *    finds no room in the ring is tried again when something has come from there.
 *  - An answer is taken only if it is that of the last request: of a device's, by its serial
 *    number.
 *  - What xenstored or a backend writes is a number of few digits, a path of printable
 *    characters that has room, or nothing.
 *  - The list of a kind's devices is asked for again whenever one comes or goes; our own writes
 *    below a device are not taken for that.
 */
#include "xenbus.h"
#include "lib/mem.h"

#include <xen/io/blkif.h>
#include <xen/io/xenbus.h>
#include <xen/io/xs_wire.h>

static const struct {
	char name[4];
	u8 first, end; /* its units */
} kinds[] = {
	[XENBUS_DISK] = {"vbd", 0, XENBUS_DISKS},
	[XENBUS_NET] = {"vif", XENBUS_DISKS, XENBUS_DEVICES},
};

/* Numbers of requests, above those of orders.h. */
#define ID_LIST(kind) (0x10u + 2 * (kind))
#define ID_WATCH(kind) (0x11u + 2 * (kind))
#define ID_DEVICE 0x10000u /* | serial << 8 | unit */

enum step {
	STEP_REST,
	STEP_BACKEND,
	STEP_DOMAIN,
	STEP_WATCH,
	STEP_STATE,
	STEP_RING,
	STEP_PORT,
	STEP_PROTOCOL,
	STEP_INITIALISED,
	STEP_TYPE,
	STEP_SECTORS,
	STEP_SECTOR_SIZE,
	STEP_INFO,
	STEP_FLUSH,
	STEP_BARRIER,
	STEP_CONNECTED,
	STEP_TX_RING,
	STEP_RX_RING,
	STEP_NET_PORT,
	STEP_ASK_COPY,
	STEP_ASK_NOTIFY,
	STEP_ASK_SUMS,
	STEP_NET_READY,
	STEP_MAC,
	STEP_COPY,
	STEP_PIECES,
	STEP_SEGMENTS,
	STEP_NO_SUMS,
	STEP_CLOSED,
	STEP_ONLINE,
	STEP_INITIALISING,
	STEP_UNWATCH,
};

/* The request of each step. */
static const struct {
	u8 type;      /* XS_ */
	bool backend; /* the node is the backend's, not ours */
	char node[24];
} steps[] = {
	[STEP_BACKEND] = {XS_READ, false, "backend"},
	[STEP_DOMAIN] = {XS_READ, false, "backend-id"},
	[STEP_WATCH] = {XS_WATCH, true, "state"},
	[STEP_STATE] = {XS_READ, true, "state"},
	[STEP_RING] = {XS_WRITE, false, "ring-ref"},
	[STEP_PORT] = {XS_WRITE, false, "event-channel"},
	[STEP_PROTOCOL] = {XS_WRITE, false, "protocol"},
	[STEP_INITIALISED] = {XS_WRITE, false, "state"},
	[STEP_TYPE] = {XS_READ, false, "device-type"},
	[STEP_SECTORS] = {XS_READ, true, "sectors"},
	[STEP_SECTOR_SIZE] = {XS_READ, true, "sector-size"},
	[STEP_INFO] = {XS_READ, true, "info"},
	[STEP_FLUSH] = {XS_READ, true, "feature-flush-cache"},
	[STEP_BARRIER] = {XS_READ, true, "feature-barrier"},
	[STEP_CONNECTED] = {XS_WRITE, false, "state"},
	[STEP_TX_RING] = {XS_WRITE, false, "tx-ring-ref"},
	[STEP_RX_RING] = {XS_WRITE, false, "rx-ring-ref"},
	[STEP_NET_PORT] = {XS_WRITE, false, "event-channel"},
	[STEP_ASK_COPY] = {XS_WRITE, false, "request-rx-copy"},
	[STEP_ASK_NOTIFY] = {XS_WRITE, false, "feature-rx-notify"},
	[STEP_ASK_SUMS] = {XS_WRITE, false, "feature-no-csum-offload"}, /* all are made */
	[STEP_NET_READY] = {XS_WRITE, false, "state"},
	[STEP_MAC] = {XS_READ, false, "mac"},
	[STEP_COPY] = {XS_READ, true, "feature-rx-copy"},
	[STEP_PIECES] = {XS_READ, true, "feature-sg"},
	[STEP_SEGMENTS] = {XS_READ, true, "feature-gso-tcpv4"},
	[STEP_NO_SUMS] = {XS_READ, true, "feature-no-csum-offload"},
	[STEP_CLOSED] = {XS_WRITE, false, "state"},
	[STEP_ONLINE] = {XS_READ, true, "online"},
	[STEP_INITIALISING] = {XS_WRITE, false, "state"},
	[STEP_UNWATCH] = {XS_UNWATCH, true, "state"},
};

/* --- text --------------------------------------------------------------------------------- */

struct text {
	u32 n;
	char s[XENBUS_PATH + 48]; /* a path, a node or a token */
};

static void add(struct text *t, const char *s)
{
	while (*s && t->n < sizeof(t->s))
		t->s[t->n++] = *s++;
}

static void add_nul(struct text *t)
{
	if (t->n < sizeof(t->s))
		t->s[t->n++] = 0;
}

static void add_number(struct text *t, u32 n)
{
	char digits[11];
	u32 at = sizeof(digits) - 1;

	digits[at] = 0;
	do
		digits[--at] = (char)('0' + n % 10);
	while (n /= 10);
	add(t, digits + at);
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

/* Reads a decimal number up to most; false if s is anything else. */
static bool number(const char *s, u64 most, u64 *n)
{
	*n = 0;
	if (!*s)
		return false;
	for (; *s; s++) {
		u32 digit = (u8)*s - '0';

		if (digit > 9 || *n > (~(u64)0 >> 4) || *n * 10 + digit > most)
			return false;
		*n = *n * 10 + digit;
	}
	return true;
}

/* The number that a node holds, or otherwise if it holds none, or no such one. */
static u64 number_of(const struct store_message *m, u64 most, u64 otherwise)
{
	u64 n;

	return m->type == XS_READ && m->whole && number(m->text, most, &n) ? n : otherwise;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Six numbers of two digits, with colons between them. */
static bool take_mac(struct xenbus_answers *a, const struct store_message *m)
{
	if (m->type != XS_READ || !m->whole || m->bytes != 17)
		return false;
	for (u32 i = 0; i < sizeof(a->mac); i++) {
		int high = digit(m->text[3 * i]), low = digit(m->text[3 * i + 1]);

		if (high < 0 || low < 0 || (i < 5 && m->text[3 * i + 2] != ':'))
			return false;
		a->mac[i] = (u8)(high << 4 | low);
	}
	return true;
}

/* --- requests ------------------------------------------------------------------------------- */

static void add_token(struct text *t, u32 unit)
{
	add(t, kinds[xenbus_kind_of(unit)].name);
	add_number(t, unit);
}

/* Where the list of a kind is. */
static void add_list(struct text *t, enum xenbus_kind kind)
{
	add(t, "device/");
	add(t, kinds[kind].name);
}

/* The value that a step writes. */
static void add_value(struct text *t, const struct xenbus_device *d)
{
	switch ((enum step)d->step) {
	case STEP_RING:
	case STEP_TX_RING:
		add_number(t, d->ring_ref);
		break;
	case STEP_RX_RING:
		add_number(t, d->rx_ref);
		break;
	case STEP_PORT:
	case STEP_NET_PORT:
		add_number(t, d->port);
		break;
	case STEP_ASK_COPY:
	case STEP_ASK_NOTIFY:
	case STEP_ASK_SUMS:
		add_number(t, 1);
		break;
	case STEP_PROTOCOL:
		add(t, "x86_32-abi");
		break;
	case STEP_INITIALISED:
		add_number(t, XenbusStateInitialised);
		break;
	case STEP_CONNECTED:
	case STEP_NET_READY:
		add_number(t, XenbusStateConnected);
		break;
	case STEP_CLOSED:
		add_number(t, XenbusStateClosed);
		break;
	default:
		add_number(t, XenbusStateInitialising);
	}
}

static void go(struct xenbus_device *d, enum step step)
{
	d->step = step;
	d->waits = false;
}

/* Sends the request of the device's step; false if there is no room for it. */
static bool send(struct xenbus *b, u32 unit)
{
	struct xenbus_device *d = &b->device[unit];
	u32 type = steps[d->step].type;
	u8 serial = (u8)(d->serial + 1);
	struct text t = {0};

	if (steps[d->step].backend) {
		add(&t, d->backend);
	} else {
		add_list(&t, xenbus_kind_of(unit));
		add(&t, "/");
		add_number(&t, d->number);
	}
	add(&t, "/");
	add(&t, steps[d->step].node);
	add_nul(&t);
	if (type == XS_WRITE)
		add_value(&t, d);
	if (type == XS_WATCH || type == XS_UNWATCH) {
		add_token(&t, unit);
		add_nul(&t);
	}
	if (!store_request(b->store, type, ID_DEVICE | (u32)serial << 8 | unit, t.s, t.n))
		return false;
	d->serial = serial;
	d->waits = true;
	return true;
}

static void push_list(struct xenbus *b, enum xenbus_kind kind)
{
	struct xenbus_list *list = &b->list[kind];
	struct text t = {0};
	u32 path;

	add_list(&t, kind);
	add_nul(&t);
	path = t.n;
	add(&t, kinds[kind].name); /* the watch's token */
	add_nul(&t);
	if (list->watch && store_request(b->store, XS_WATCH, ID_WATCH(kind), t.s, t.n))
		list->watch = false;
	if (list->ask && !list->asked && !list->watch &&
	    store_request(b->store, XS_DIRECTORY, ID_LIST(kind), t.s, path)) {
		list->ask = false;
		list->asked = true;
	}
}

void xenbus_push(struct xenbus *b)
{
	if (!b->store || !b->store->ring)
		return;
	for (u32 kind = 0; kind < XENBUS_KINDS; kind++)
		push_list(b, kind);
	for (u32 unit = 0; unit < XENBUS_DEVICES; unit++) {
		struct xenbus_device *d = &b->device[unit];

		if (d->step == STEP_REST && d->ask) {
			d->ask = false;
			go(d, STEP_STATE);
		}
		if (d->step != STEP_REST && !d->waits)
			send(b, unit);
	}
}

/* --- a device ------------------------------------------------------------------------------- */

static void lose(u32 unit, struct xenbus_device *d)
{
	if (d->ours == XenbusStateInitialised || d->ours == XenbusStateConnected)
		xenbus_lost(unit);
}

static void close(struct xenbus_device *d)
{
	d->ours = XenbusStateClosed;
	go(d, STEP_CLOSED);
}

/* What the backend's state asks for. */
static enum step decide(u32 unit, struct xenbus_device *d)
{
	bool net = xenbus_kind_of(unit) == XENBUS_NET;

	if (d->refused)
		return STEP_REST;
	switch (d->theirs) {
	case XenbusStateInitWait:
		if (d->ours == XenbusStateInitialised || !xenbus_prepare(unit, d))
			return STEP_REST;
		d->ours = XenbusStateInitialised;
		return net ? STEP_TX_RING : STEP_RING;
	case XenbusStateConnected:
		if (d->ours != XenbusStateInitialised)
			return STEP_REST;
		return net ? STEP_MAC : STEP_TYPE;
	case XenbusStateClosing:
		if (d->ours == XenbusStateClosed || !xenbus_closing(unit))
			return STEP_REST;
		lose(unit, d);
		d->ours = XenbusStateClosed;
		return STEP_CLOSED;
	case XenbusStateClosed:
		lose(unit, d);
		if (d->ours == XenbusStateInitialising)
			return STEP_REST;
		d->ours = XenbusStateClosed;
		return STEP_ONLINE;
	case XenbusStateUnknown:
		lose(unit, d);
		d->ours = XenbusStateClosed;
		return STEP_REST;
	}
	return STEP_REST;
}

static bool take_path(struct xenbus_device *d, const struct store_message *m)
{
	if (m->type != XS_READ || !m->whole || m->bytes >= XENBUS_PATH || m->text[0] != '/')
		return false;
	for (u32 i = 0; i < m->bytes; i++)
		if (m->text[i] <= ' ' || m->text[i] > '~')
			return false;
	memcpy(d->backend, m->text, m->bytes + 1);
	return true;
}

/* The backend has said all that we want to know. */
static enum step connected(u32 unit, struct xenbus_device *d)
{
	if (d->ours != XenbusStateInitialised)
		return STEP_REST;
	d->ours = XenbusStateConnected;
	if (xenbus_connected(unit, d)) /* a network's backend has heard it before */
		return xenbus_kind_of(unit) == XENBUS_NET ? STEP_REST : STEP_CONNECTED;
	d->refused = true;
	d->ours = XenbusStateClosed;
	return STEP_CLOSED;
}

/* Takes the answer to the device's step, and answers what the next one is. */
static enum step answer(u32 unit, struct xenbus_device *d, const struct store_message *m)
{
	struct xenbus_answers *a = &d->answers;

	switch ((enum step)d->step) {
	case STEP_BACKEND:
		if (take_path(d, m))
			return STEP_DOMAIN;
		d->used = d->ask = false; /* it is listed again when it changes */
		return STEP_REST;
	case STEP_DOMAIN:
		d->domain = (u16)number_of(m, 0x7FEF, 0); /* DOMID_FIRST_RESERVED */
		return STEP_WATCH;
	case STEP_STATE:
		d->theirs = (u8)number_of(m, XenbusStateReconfigured, XenbusStateUnknown);
		return decide(unit, d);
	case STEP_RING:
	case STEP_PORT:
	case STEP_PROTOCOL:
	case STEP_INITIALISED:
	case STEP_CONNECTED:
	case STEP_TX_RING:
	case STEP_RX_RING:
	case STEP_NET_PORT:
	case STEP_ASK_COPY:
	case STEP_ASK_NOTIFY:
	case STEP_ASK_SUMS:
	case STEP_NET_READY:
		if (m->type == XS_ERROR) { /* nobody will hear of us */
			d->theirs = XenbusStateUnknown;
			return decide(unit, d);
		}
		return d->step == STEP_INITIALISED || d->step == STEP_CONNECTED ||
				       d->step == STEP_NET_READY
			       ? STEP_REST
			       : d->step + 1u;
	case STEP_TYPE:
		a->cdrom = m->type == XS_READ && same(m->text, "cdrom");
		return STEP_SECTORS;
	case STEP_SECTORS:
		a->sectors = number_of(m, ~(u64)0 >> 9, 0);
		return STEP_SECTOR_SIZE;
	case STEP_SECTOR_SIZE:
		a->sector_size = (u32)number_of(m, ~0u, m->type == XS_ERROR ? 512 : 0);
		return STEP_INFO;
	case STEP_INFO:
		a->info = (u32)number_of(m, ~0u, 0);
		return STEP_FLUSH;
	case STEP_FLUSH:
		a->flush = number_of(m, 1, 0);
		return STEP_BARRIER;
	case STEP_BARRIER:
		a->barrier = number_of(m, 1, 0);
		return connected(unit, d);
	case STEP_MAC:
		a->has_mac = take_mac(a, m);
		return STEP_COPY;
	case STEP_COPY:
		a->rx_copy = number_of(m, 1, 0);
		return STEP_PIECES;
	case STEP_PIECES:
		a->pieces = number_of(m, 1, 0);
		return STEP_SEGMENTS;
	case STEP_SEGMENTS:
		a->segments = number_of(m, 1, 0);
		return STEP_NO_SUMS;
	case STEP_NO_SUMS:
		a->no_sums = number_of(m, 1, 0);
		return connected(unit, d);
	case STEP_ONLINE:
		if (!number_of(m, 1, 0))
			return STEP_REST;
		d->ours = XenbusStateInitialising;
		return STEP_INITIALISING;
	case STEP_UNWATCH:
		*d = (struct xenbus_device){.serial = d->serial};
		return STEP_REST;
	default:
		return STEP_REST;
	}
}

static bool device_message(struct xenbus *b, const struct store_message *m)
{
	u32 unit = m->id & 0xFF, serial = m->id >> 8 & 0xFF;
	struct xenbus_device *d;

	if (unit >= XENBUS_DEVICES || m->id >> 16 != ID_DEVICE >> 16)
		return false;
	d = &b->device[unit];
	if (!d->waits || serial != d->serial)
		return true; /* to what has been given up */
	if (m->type != XS_ERROR && m->type != steps[d->step].type)
		return false;
	go(d, answer(unit, d, m));
	return true;
}

/* --- the list ------------------------------------------------------------------------------- */

static void come(struct xenbus *b, enum xenbus_kind kind, u32 number)
{
	for (u32 unit = kinds[kind].first; unit < kinds[kind].end; unit++) {
		struct xenbus_device *d = &b->device[unit];

		if (d->used || d->step != STEP_REST)
			continue;
		*d = (struct xenbus_device){.number = number,
					    .used = true,
					    .listed = true,
					    .serial = d->serial,
					    .ours = XenbusStateInitialising,
					    .theirs = XenbusStateInitialising};
		go(d, STEP_BACKEND);
		return;
	}
	xenbus_no_place(kind, number);
}

static void leave(u32 unit, struct xenbus_device *d)
{
	xenbus_gone(unit);
	d->used = false;
	d->ask = false;
	go(d, d->backend[0] ? STEP_UNWATCH : STEP_REST);
}

static void take_name(struct xenbus *b, enum xenbus_kind kind, const char *name)
{
	u64 n;

	if (!number(name, ~0u, &n))
		return;
	for (u32 unit = kinds[kind].first; unit < kinds[kind].end; unit++)
		if (b->device[unit].used && b->device[unit].number == n) {
			b->device[unit].listed = true;
			if (!b->device[unit].backend[0] && b->device[unit].step == STEP_REST)
				go(&b->device[unit], STEP_BACKEND);
			return;
		}
	come(b, kind, (u32)n);
}

/* The names stand one behind the other, each with a NUL.  Of a list that was cut the last
 * one is no name, and what is not there may be behind it. */
static void take_list(struct xenbus *b, enum xenbus_kind kind, const struct store_message *m)
{
	u32 first = kinds[kind].first, end = kinds[kind].end;

	b->list[kind].asked = false;
	b->list[kind].answered = true;
	for (u32 unit = first; unit < end; unit++)
		b->device[unit].listed = !m->whole;
	for (u32 at = 0; m->type == XS_DIRECTORY && at < m->bytes; at++) {
		u32 name = at;

		while (at < m->bytes && m->text[at])
			at++;
		if (at < m->bytes || m->whole)
			take_name(b, kind, m->text + name);
	}
	for (u32 unit = first; unit < end; unit++)
		if (b->device[unit].used && !b->device[unit].listed)
			leave(unit, &b->device[unit]);
}

/* Is what has changed the list itself, or a device as a whole? */
static bool changes_list(const char *path)
{
	u32 slashes = 0;

	for (; *path; path++)
		slashes += *path == '/';
	return slashes < 3;
}

static bool event(struct xenbus *b, const char *path, const char *token)
{
	u32 unit;

	for (u32 kind = 0; kind < XENBUS_KINDS; kind++)
		if (same(token, kinds[kind].name)) {
			b->list[kind].ask |= changes_list(path);
			return true;
		}
	for (unit = 0; unit < XENBUS_DEVICES; unit++) {
		struct text t = {0};

		add_token(&t, unit);
		add_nul(&t);
		if (!same(token, t.s))
			continue;
		b->device[unit].ask = b->device[unit].used;
		return true;
	}
	return false;
}

bool xenbus_message(struct xenbus *b, const struct store_message *m)
{
	const char *token = store_token(m);

	if (!b->store)
		return false;
	if (m->type == XS_WATCH_EVENT)
		return token && event(b, m->text, token);
	for (u32 kind = 0; kind < XENBUS_KINDS; kind++) {
		if (m->id == ID_WATCH(kind))
			return m->type == XS_WATCH || m->type == XS_ERROR;
		if (m->id != ID_LIST(kind))
			continue;
		if (!b->list[kind].asked || (m->type != XS_DIRECTORY && m->type != XS_ERROR))
			return false;
		take_list(b, kind, m);
		return true;
	}
	return device_message(b, m);
}

void xenbus_start(struct xenbus *b, struct store *s)
{
	*b = (struct xenbus){.store = s};
	for (u32 kind = 0; kind < XENBUS_KINDS; kind++)
		b->list[kind].watch = true; /* which tells at once */
	xenbus_push(b);
}

void xenbus_resume(struct xenbus *b)
{
	for (u32 kind = 0; kind < XENBUS_KINDS; kind++)
		b->list[kind] = (struct xenbus_list){.watch = true};
	for (u32 unit = 0; unit < XENBUS_DEVICES; unit++) {
		struct xenbus_device *d = &b->device[unit];

		if (!d->used) {
			*d = (struct xenbus_device){.serial = d->serial};
			continue;
		}
		lose(unit, d);
		*d = (struct xenbus_device){.number = d->number,
					    .used = true,
					    .refused = d->refused,
					    .serial = d->serial,
					    .ours = XenbusStateInitialising,
					    .theirs = XenbusStateInitialising};
	}
	xenbus_push(b);
}

/* --- for the owner -------------------------------------------------------------------------- */

bool xenbus_settled(const struct xenbus *b)
{
	if (!b->store || !b->store->ring)
		return true;
	for (u32 kind = 0; kind < XENBUS_KINDS; kind++)
		if (!b->list[kind].answered || b->list[kind].ask || b->list[kind].asked)
			return false;
	for (u32 unit = 0; unit < XENBUS_DEVICES; unit++) {
		const struct xenbus_device *d = &b->device[unit];

		if (d->step != STEP_REST || d->ask)
			return false;
		if (d->used && !d->refused && d->ours != XenbusStateConnected && d->theirs != 0 &&
		    d->theirs < XenbusStateClosing)
			return false;
	}
	return true;
}

void xenbus_drained(struct xenbus *b, unsigned unit)
{
	b->device[unit].ask = b->device[unit].used;
	xenbus_push(b);
}

void xenbus_refuse(struct xenbus *b, unsigned unit)
{
	struct xenbus_device *d = &b->device[unit];

	if (!d->used || d->refused)
		return;
	d->refused = true;
	close(d);
	xenbus_push(b);
}
