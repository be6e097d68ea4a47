; SPDX-License-Identifier: GPL-2.0-only
;
; The image's assembly, as one translation unit and one section: the distance
; between any two labels is a constant, so that the code can name window
; addresses (W) without a relocation and stays position independent.  The
; linker script puts this section first and the C text behind it.

bits 32
%include "offsets.inc"

; Where a label of this section stands in the window.
%define W(label) (WIN_TEXT + (label) - rom_start)

%define BINDING ROM_PV
%define INIT_IN_PLACE "entry/pv/init.asm"

section .header progbits alloc exec nowrite align=4096
rom_start:
%include "rom/header.asm"
%include "entry/pv/vmi.asm"
%include "entry/pv/vmi_fast.asm"
%include "entry/pv/traps.asm"
