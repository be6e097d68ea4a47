/* SPDX-License-Identifier: GPL-2.0-only */
/* See xenstored.h. */
#include <stdlib.h>
#include <string.h>

#include "xenstored.h"

struct stored stored;

void stored_start(struct xenstore_domain_interface *ring)
{
	memset(&stored, 0, sizeof(stored));
	memset(ring, 0, sizeof(*ring));
	stored.ring = ring;
}

static void put(const void *from, u32 bytes)
{
	struct xenstore_domain_interface *r = stored.ring;

	for (u32 i = 0; i < bytes; i++)
		r->rsp[MASK_XENSTORE_IDX(r->rsp_prod++)] = ((const char *)from)[i];
	if (r->rsp_prod - r->rsp_cons > XENSTORE_RING_SIZE)
		abort(); /* the test must let the domain look */
}

void stored_send(u32 type, u32 id, const char *text, u32 bytes)
{
	struct xsd_sockmsg head = {.type = type, .req_id = id, .len = bytes};

	put(&head, sizeof(head));
	put(text, bytes);
}

static int find(const char *path)
{
	for (u32 i = 0; i < STORED_NODES; i++)
		if (!strcmp(stored.node[i].path, path))
			return (int)i;
	return -1;
}

/* Is path at or below top? */
static bool below(const char *path, const char *top)
{
	size_t n = strlen(top);

	return !strncmp(path, top, n) && (!path[n] || path[n] == '/');
}

static void fire(const char *path)
{
	for (u32 i = 0; i < STORED_WATCHES; i++) {
		char text[160];
		size_t n = strlen(path) + 1;

		if (!stored.watch[i].path[0] || !below(path, stored.watch[i].path))
			continue;
		memcpy(text, path, n);
		strcpy(text + n, stored.watch[i].token);
		stored_send(XS_WATCH_EVENT, 0, text, (u32)(n + strlen(text + n) + 1));
	}
}

void stored_write(const char *path, const char *value)
{
	int i = find(path);

	if (i < 0)
		i = find("");
	if (i < 0 || strlen(path) >= 96 || strlen(value) >= 96)
		abort();
	strcpy(stored.node[i].path, path);
	strcpy(stored.node[i].value, value);
	fire(path);
}

void stored_remove(const char *path)
{
	for (u32 i = 0; i < STORED_NODES; i++)
		if (stored.node[i].path[0] && below(stored.node[i].path, path))
			stored.node[i].path[0] = 0;
	fire(path);
}

const char *stored_read(const char *path)
{
	int i = find(path);

	return i < 0 ? NULL : stored.node[i].value;
}

static void directory(u32 id, const char *path)
{
	char text[1024] = "";
	u32 bytes = 0;
	size_t n = strlen(path);

	for (u32 i = 0; i < STORED_NODES; i++) {
		const char *name = stored.node[i].path + n + 1;
		u32 long_ = (u32)strcspn(name, "/");
		bool known = false;

		if (!stored.node[i].path[0] || !below(stored.node[i].path, path) ||
		    !stored.node[i].path[n])
			continue;
		for (u32 at = 0; at < bytes; at += (u32)strlen(text + at) + 1)
			known |= strlen(text + at) == long_ && !memcmp(text + at, name, long_);
		if (known)
			continue;
		memcpy(text + bytes, name, long_);
		bytes += long_;
		text[bytes++] = 0;
	}
	if (bytes)
		stored_send(XS_DIRECTORY, id, text, bytes);
	else
		stored_send(XS_ERROR, id, "ENOENT", 7);
}

static void watch(const struct xsd_sockmsg *m, const char *path, const char *token)
{
	for (u32 i = 0; i < STORED_WATCHES; i++) {
		bool same = !strcmp(stored.watch[i].path, path) &&
			    !strcmp(stored.watch[i].token, token);

		if (m->type == XS_UNWATCH ? !same : stored.watch[i].path[0])
			continue;
		strcpy(stored.watch[i].path, m->type == XS_UNWATCH ? "" : path);
		strcpy(stored.watch[i].token, m->type == XS_UNWATCH ? "" : token);
		stored_send(m->type, m->req_id, "OK", 3);
		if (m->type == XS_WATCH) {
			char text[160];
			size_t n = strlen(path) + 1;

			memcpy(text, path, n);
			strcpy(text + n, token);
			stored_send(XS_WATCH_EVENT, 0, text, (u32)(n + strlen(token) + 1));
		}
		return;
	}
	stored_send(XS_ERROR, m->req_id, "ENOENT", 7);
}

bool stored_serve(void)
{
	struct xenstore_domain_interface *r = stored.ring;
	struct xsd_sockmsg m;
	char text[XENSTORE_RING_SIZE + 1], *second;

	if (r->req_cons == r->req_prod)
		return false;
	for (u32 i = 0; i < sizeof(m); i++)
		((char *)&m)[i] = r->req[MASK_XENSTORE_IDX(r->req_cons++)];
	if (m.len > XENSTORE_RING_SIZE - sizeof(m))
		abort();
	for (u32 i = 0; i < m.len; i++)
		text[i] = r->req[MASK_XENSTORE_IDX(r->req_cons++)];
	text[m.len] = 0;
	second = text + strlen(text) + 1;
	stored.requests++;
	if ((m.type == XS_READ || m.type == XS_WRITE) && stored.deny && stored.deny(text)) {
		stored_send(XS_ERROR, m.req_id, "EACCES", 7);
	} else if (m.type == XS_READ) {
		const char *value = stored_read(text);

		stored_send(value ? XS_READ : XS_ERROR, m.req_id, value ? value : "ENOENT",
			    value ? (u32)strlen(value) : 7);
	} else if (m.type == XS_WRITE) {
		stored_send(XS_WRITE, m.req_id, "OK", 3);
		stored_write(text, second);
	} else if (m.type == XS_DIRECTORY) {
		directory(m.req_id, text);
	} else if (m.type == XS_WATCH || m.type == XS_UNWATCH) {
		watch(&m, text, second);
	} else {
		abort();
	}
	return true;
}
