/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A xenstored for unit tests: nodes and watches, which one domain's ring reaches.
 * Paths that do not begin with / are the domain's own.
 */
#ifndef TEST_XENSTORED_H
#define TEST_XENSTORED_H

#include "base.h"

#include <xen/io/xs_wire.h>

#define STORED_NODES 128u
#define STORED_WATCHES 16u

struct stored {
	struct xenstore_domain_interface *ring;
	struct {
		char path[96], value[96];
	} node[STORED_NODES]; /* path "": free */
	struct {
		char path[96], token[32];
	} watch[STORED_WATCHES];
	u32 requests;			/* so far */
	bool (*deny)(const char *path); /* a READ or WRITE of it is an error; may be NULL */
};

extern struct stored stored;

/* Nothing in it, and an empty ring. */
void stored_start(struct xenstore_domain_interface *ring);
/* Somebody writes or removes a node (with all below it); the watches fire. */
void stored_write(const char *path, const char *value);
void stored_remove(const char *path);
/* The value, or NULL. */
const char *stored_read(const char *path);
/* Answers one request; false if there is none. */
bool stored_serve(void);
/* A message of any form. */
void stored_send(u32 type, u32 id, const char *text, u32 bytes);

#endif
