/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Network interfaces: the card of unit n (pc/nets.c) has the front end (xenbind/vif.c) of the
 * n-th of xenbus's networks.
 *
 * A unit's memory is the end of WIN_DISKS, as far as no disk has it: the interfaces that are
 * listed when the first is connected share what is there, and a place for one more disk stays
 * free if it can.  So a domain has no page less for a network, and one without has none.
 *
 * Kept true:
 *  - The models hear of what was sent, and of what has come, when an event has come or by
 *    net_poll(), never from within net_send().
 *  - What a backend has when it goes is lost, and the card sees a link that is down.
 */
#include "events.h"
#include "monitor/binding.h"
#include "monitor/fronts.h"
#include "monitor/life.h"
#include "monitor/monitor.h"
#include "counters.h"

#define F (&MON->fronts)
#define LEAST_PAGES 4u /* for received frames */
#define DISK_PAGES 2u

static unsigned unit_of(const struct vif *v)
{
	return (unsigned)((const struct net_front *)v - F->net);
}

_Static_assert(offsetof(struct net_front, vif) == 0, "unit_of()");

static void tell_backend(struct net_front *n, bool tell)
{
	if (!tell || !n->port)
		return;
	COUNT(net_notify);
	fronts_notify(n->port);
}

/* --- the models' side (pc/net.h) ------------------------------------------------------------- */

void net_info(unsigned unit, struct net_info *info)
{
	*info = F->net[unit].info;
}

enum net_sent net_send(unsigned unit, const struct net_frame *f)
{
	struct net_front *n = &F->net[unit];
	enum net_sent how;
	bool tell;

	how = vif_send(&n->vif, f, &tell);
	tell_backend(n, tell);
	return how;
}

/* Tells the card what its guest may know. */
static void show(unsigned unit)
{
	struct net_front *n = &F->net[unit];

	n->info.link = n->vif.connected;
	n->info.checksum = n->vif.checksum;
	n->info.segments = n->vif.segments;
	if (!F->running || !n->info.there)
		return;
	n->shown = true;
	pc_net_changed(&MON->pc, unit);
}

/* The models hear of what has ended, and may go on. */
static void finish(unsigned unit)
{
	struct net_front *n = &F->net[unit];

	if (!vif_has_ended(&n->vif))
		return;
	vif_finish(&n->vif);
	if (n->shown)
		pc_update_nets(&MON->pc);
}

/* Takes what the backend has answered and sent. */
static void look_again(unsigned unit)
{
	struct net_front *n = &F->net[unit];
	bool more, linked = n->vif.connected;

	if (!n->vif.ready)
		return;
	tell_backend(n, vif_take(&n->vif, &more));
	finish(unit);
	if (more)
		fronts_remind();
	if (linked && n->vif.broken) {
		xenbus_refuse(&F->xenbus, XENBUS_DISKS + unit);
		show(unit);
		events_ring_store();
	}
}

void net_ready(unsigned unit)
{
	if (F->net[unit].vif.stalled)
		look_again(unit);
}

void net_poll(unsigned unit)
{
	look_again(unit);
}

/* --- the front ends' side (xenbind/vif.h) --------------------------------------------------------
 */

bool vif_guest_frame(u64 gpfn, u32 *frame)
{
	return frame_of_guest(gpfn, frame);
}

void vif_sent(struct vif *v, u8 tag)
{
	pc_net_sent(&MON->pc, unit_of(v), tag);
}

/* Before the guest runs nobody listens. */
bool vif_received(struct vif *v, u8 *page, u32 bytes, u32 flags)
{
	unsigned unit = unit_of(v);

	return !F->net[unit].shown || pc_net_receive(&MON->pc, unit, page, bytes, flags);
}

void vif_tell(const struct vif *v, enum vif_news news)
{
	say("\nvmixen: the backend of network %u %s\n", v->handle,
	    news == VIF_STRANGE_ANSWER
		    ? "has answered what nobody asked for: the network is given up"
		    : "keeps memory of the guest's: it is waited for");
}

bool nets_event(u32 port)
{
	for (unsigned unit = 0; unit < NETS; unit++)
		if (F->net[unit].port && port == F->net[unit].port) {
			COUNT(net_event);
			look_again(unit);
			return true;
		}
	return false;
}

void nets_reminded(void)
{
	for (unsigned unit = 0; unit < NETS; unit++)
		look_again(unit);
}

void nets_show(void)
{
	for (unsigned unit = 0; unit < NETS; unit++)
		show(unit);
}

/* --- xenstore's side (xenbus.h)
 * -------------------------------------------------------------------- */

/* Interfaces that are listed and have no memory yet. */
static u32 waiting(void)
{
	u32 n = 0;

	for (unsigned unit = 0; unit < NETS; unit++)
		n += F->xenbus.device[XENBUS_DISKS + unit].used && !F->net[unit].vif.memory;
	return n;
}

/* Gives the unit its pages, and its entries of the grant table, for good; why that cannot be. */
static const char *take_memory(struct net_front *n)
{
	u32 left = fronts_pages_left(), least = VIF_OWN_PAGES + LEAST_PAGES, others = waiting();
	u32 pages, first;

	if (left >= others * least + DISK_PAGES)
		left -= DISK_PAGES;
	pages = left / others;
	if (pages < least)
		return "there is no memory left for it";
	first = fronts_grants(VIF_GRANTS);
	if (!first)
		return "Xen gives no more of the grant table";
	F->net_pages += pages;
	n->vif.first_grant = first;
	n->vif.grants = (volatile struct grant *)(uintptr_t)WIN_GRANTS + first;
	first = WIN_DISKS_PAGES - F->net_pages;
	n->vif.memory = (u8 *)(uintptr_t)(WIN_DISKS + first * PAGE_SIZE);
	n->vif.frame = &MON->start.disk_frame[first];
	n->vif.pages = pages - VIF_OWN_PAGES < VIF_PAGES ? pages - VIF_OWN_PAGES : VIF_PAGES;
	return NULL;
}

bool nets_prepare(unsigned unit, struct xenbus_device *d)
{
	struct net_front *n = &F->net[unit];
	const char *why = n->vif.memory ? NULL : take_memory(n);

	if (why) {
		say("vmixen: network %u is not used: %s\n", d->number, why);
		return false;
	}
	n->vif.handle = d->number;
	if (!vif_prepare(&n->vif, d->domain)) {
		finish(unit);
		show(unit);
		return false;
	}
	finish(unit);
	show(unit);
	if (!fronts_open(&n->port, d->domain)) {
		say("vmixen: network %u: Xen gives no event channel\n", d->number);
		return false;
	}
	d->ring_ref = n->vif.first_grant;
	d->rx_ref = n->vif.first_grant + 1;
	d->port = n->port;
	return true;
}

static const char *fault(const struct xenbus_answers *a)
{
	if (!a->has_mac)
		return "it has no address";
	if (!a->rx_copy)
		return "its backend does not copy";
	if (!a->pieces)
		return "its backend takes no frames of several pieces";
	return space_show_mmio(VCPU) ? NULL : "a guest that has started without a card gets none";
}

bool nets_connected(unsigned unit, struct xenbus_device *d)
{
	struct net_front *n = &F->net[unit];
	const struct xenbus_answers *a = &d->answers;
	const char *why = fault(a);

	if (why) {
		say("vmixen: network %u is not used: %s\n", d->number, why);
		vif_end(&n->vif);
		finish(unit);
		show(unit);
		return false;
	}
	/* A card keeps the address with which it has come. */
	if (!n->info.there) {
		for (u32 i = 0; i < NET_MAC; i++)
			n->info.mac[i] = a->mac[i];
		say("vmixen: network %u: %02x:%02x:%02x:%02x:%02x:%02x\n", d->number, a->mac[0],
		    a->mac[1], a->mac[2], a->mac[3], a->mac[4], a->mac[5]);
	}
	n->info.there = true;
	tell_backend(n, vif_connect(&n->vif, !a->no_sums, a->segments && !a->no_sums));
	show(unit);
	return true;
}

void nets_lost(unsigned unit)
{
	vif_lose(&F->net[unit].vif);
	finish(unit);
	show(unit);
}

void nets_resume(void)
{
	for (unsigned unit = 0; unit < NETS; unit++)
		F->net[unit].port = 0;
}

void nets_gone(unsigned unit)
{
	struct net_front *n = &F->net[unit];

	if (!n->vif.memory)
		return;
	vif_end(&n->vif);
	finish(unit);
	fronts_close(&n->port);
	show(unit);
	if (n->shown)
		say("vmixen: network %u is gone\n", n->vif.handle);
}
