/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The domain's grant table (xen/grant_table.h, version 1): which of our frames another domain
 * may map.  Source: the rules at the head of that file.
 *
 * Kept true: an entry is given when it is free, and is free again when Xen says that nobody
 * maps its frame.  The frame of an entry stays there when it has ended, and only we write it.
 */
#ifndef VMIXEN_GRANT_H
#define VMIXEN_GRANT_H

#include "base.h"

/* The first entries are Xen's toolstack's. */
#define GRANT_FIRST 8u

struct grant {
	u16 flags; /* GTF_; Xen sets GTF_reading and GTF_writing while the frame is mapped */
	u16 domain;
	u32 frame;
};

#define GRANTS_IN_PAGE (4096u / (u32)sizeof(struct grant))

/* Lets domain map frame, as Xen numbers the domain's frames: read-only, or writable, too. */
void grant_give(volatile struct grant *g, u16 domain, u32 frame, bool read_only);
/* Ends it; false, with nothing changed, if the frame is still mapped.  Ending what is free
 * is free. */
bool grant_end(volatile struct grant *g);

#endif
