/* SPDX-License-Identifier: GPL-2.0-only */
/* Deliberate ends, chosen by die= on the command line. */
#ifndef GUEST_DIE_H
#define GUEST_DIE_H

void die_mute(const char *when); /* returns when mute=WHEN is not given */
void die_early(void);		 /* returns when die= is not given */

#endif
