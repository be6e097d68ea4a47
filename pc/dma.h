/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest memory as a bus master sees it.  Implemented by the owner of the models; in unit tests
 * by an array. */
#ifndef VMIXEN_PC_DMA_H
#define VMIXEN_PC_DMA_H

#include "base.h"

/* Copies bytes from or to guest-physical memory.  False, with an unspecified part copied, if
 * any of it is no memory of the guest's (a hole, a device, the ROM's own frames). */
bool dma_read(u64 gpa, void *to, u32 bytes);
bool dma_write(u64 gpa, const void *from, u32 bytes);

#endif
