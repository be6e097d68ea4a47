; SPDX-License-Identifier: GPL-2.0-only
; The user blob's entry, and the register test.
%define SYS_YIELD 6
bits 32
extern user_main
global user_start, registers

section .text
; EAX = program, EBX = argument
user_start:
	push ebx
	push eax
	call user_main          ; does not return
	ud2

; u32 registers(u32 rounds): system calls and a busy time between them, long
; enough for ticks; 0 when EBX ECX EDX ESI EDI EBP and ESP were kept.
registers:
	push ebp
	push ebx
	push esi
	push edi
	mov eax, [esp + 20]
	mov [.rounds], eax
	mov ebx, 0x10101010
	mov ecx, 0x20202020
	mov edx, 0x30303030
	mov esi, 0x40404040
	mov edi, 0x50505050
	mov ebp, esp
.round:
	mov eax, SYS_YIELD
	int 0x80
	cmp eax, SYS_YIELD
	jne .bad
	mov eax, 200000
.busy:
	dec eax
	jnz .busy
	cmp ebx, 0x10101010
	jne .bad
	cmp ecx, 0x20202020
	jne .bad
	cmp edx, 0x30303030
	jne .bad
	cmp esi, 0x40404040
	jne .bad
	cmp edi, 0x50505050
	jne .bad
	cmp ebp, esp
	jne .bad
	dec dword [.rounds]
	jnz .round
	xor eax, eax
	jmp .out
.bad:
	mov eax, 1
	mov esp, ebp
.out:
	pop edi
	pop esi
	pop ebx
	pop ebp
	ret
section .bss
.rounds: resd 1
