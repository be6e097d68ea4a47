/* SPDX-License-Identifier: GPL-2.0-only */
/* The hostile guest; see fuzz.c. */
#ifndef GUEST_FUZZ_H
#define GUEST_FUZZ_H

#include "guest.h"

void fuzz(void);

#endif
