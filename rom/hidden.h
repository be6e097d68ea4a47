/* SPDX-License-Identifier: GPL-2.0-only */
/* Included before every C file of the ROM: all symbols are its own, so that
 * nothing is reached through a global offset table. */
#pragma GCC visibility push(hidden)
