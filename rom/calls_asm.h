/* SPDX-License-Identifier: GPL-2.0-only */
/* Preprocessed into build/gen/calls.inc: one NASM macro line for every call. */
#define VMI_CALL(id, slot, name, kind, how, registers) CALL_ROW id, slot, name, kind, how
#include "calls.def"
