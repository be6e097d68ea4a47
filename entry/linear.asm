; SPDX-License-Identifier: GPL-2.0-only
;
; Copies between the monitor and linear addresses of the guest, of both bindings.  An access
; that faults goes on where the fixup table of the binding (traps.asm) says.

global copy_from_linear, copy_to_linear

; u32 regparm3 copy_from_linear(void *to, gva_t from, u32 bytes)
; u32 regparm3 copy_to_linear(gva_t to, const void *from, u32 bytes)
; Both copy, by words and then by bytes, and answer how many bytes were not copied.
copy_from_linear:
copy_to_linear:
	push esi
	push edi
	mov edi, eax
	mov esi, edx
	mov eax, ecx
	shr ecx, 2
linear_words:
	rep movsd
	mov ecx, eax
	and ecx, 3
linear_bytes:
	rep movsb
	mov eax, ecx
linear_done:
	pop edi
	pop esi
	ret
linear_words_left: ; the word may cross a page: copies bytes, up to the one that faults
	and eax, 3
	lea ecx, [eax + ecx * 4]
	jmp linear_bytes
linear_bytes_left:
	mov eax, ecx
	jmp linear_done
