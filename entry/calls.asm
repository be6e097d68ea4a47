; SPDX-License-Identifier: GPL-2.0-only
;
; What the VMI calls of both bindings have in common.

; How many words a call has on its caller's stack.
%define WORDS_WriteGDTEntry 1
%define WORDS_WriteLDTEntry 1
%define WORDS_WriteIDTEntry 1
%define WORDS_SetPxELong 1
%define WORDS_SetLinearMapping 1
%define WORDS_SetAlarm 2

; GetRelocationInfo of API 13.3: EAX is a slot; EAX becomes its address, EDX the kind.
vmi_GetRelocationInfo:
	xor edx, edx
	cmp eax, ROM13_SLOTS
	jae .none
	mov eax, [W(reloc13_table) + eax * 4]
	test eax, eax
	setnz dl                ; KIND_CALL
	ret
.none:
	xor eax, eax
	ret
