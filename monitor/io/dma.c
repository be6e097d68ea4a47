/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest memory for the models of devices (pc/dma.h), page by page. */
#include "pc/dma.h"
#include "lib/mem.h"
#include "monitor/binding.h"

static u32 in_page(u64 gpa, u32 bytes)
{
	u32 room = PAGE_SIZE - ((u32)gpa & (PAGE_SIZE - 1));

	return bytes < room ? bytes : room;
}

bool dma_read(u64 gpa, void *to, u32 bytes)
{
	for (u32 n; bytes; bytes -= n, gpa += n, to = (u8 *)to + n) {
		const u8 *page = frame_show(gpa >> PAGE_SHIFT);

		if (!page)
			return false;
		n = in_page(gpa, bytes);
		memcpy(to, page + (gpa & (PAGE_SIZE - 1)), n);
	}
	return true;
}

bool dma_write(u64 gpa, const void *from, u32 bytes)
{
	for (u32 n; bytes; bytes -= n, gpa += n, from = (const u8 *)from + n) {
		u8 *page = frame_show(gpa >> PAGE_SHIFT);

		if (!page)
			return false;
		n = in_page(gpa, bytes);
		memcpy(page + (gpa & (PAGE_SIZE - 1)), from, n);
	}
	return true;
}
