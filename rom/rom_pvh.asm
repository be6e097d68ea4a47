; SPDX-License-Identifier: GPL-2.0-only
;
; The image's assembly for the PVH binding; see rom.asm.  What a processor in ring 1
; does as well as the ROM is answered with NONE, so that the guest keeps its own code.  Of
; the calls that set an entry of a page table this holds only while no device has registers
; in memory, for the ROM must see which entries lead to these.

bits 32
%include "offsets.inc"

; Where a label of this section stands in the window.
%define W(label) (WIN_TEXT + (label) - rom_start)

%define NATIVE_WRMSR
%define NATIVE_RDMSR
%define NATIVE_RDPMC
%define NATIVE_RDTSC
%define NATIVE_CPUID
%define NATIVE_SetPxE
%define NATIVE_SetPxELong
%define NATIVE_UNLESS_MMIO_SetPxE
%define NATIVE_UNLESS_MMIO_SetPxELong
%define HAS_MMIO V_HAS_MMIO
%define NATIVE_UpdatePxE
%define NATIVE_UpdatePxELong
%define NATIVE_AllocatePage
%define NATIVE_ReleasePage
%define NATIVE_SetLazyMode
%define NATIVE_SetLinearMapping

%define BINDING ROM_PVH
%define INIT_IN_PLACE "entry/pvh/init.asm"

section .header progbits alloc exec nowrite align=4096
rom_start:
%include "rom/header.asm"
%include "entry/pvh/vmi.asm"
%include "entry/pvh/vmi_fast.asm"
%include "entry/pvh/traps.asm"
