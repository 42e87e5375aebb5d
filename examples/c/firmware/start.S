/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * From the first instruction to main(): the Image header, page tables, stack
 * and vectors. Everything is at its own address; Xen starts a domU's image at
 * 0x40000000.
 */

/* Page table entries: present, accessed, inner-shareable. Shared pages must be
 * Normal memory, written back, as Xen and the other domains have them. */
#define PRESENT	   (1 | 3 << 8 | 1 << 10)
#define TABLE	   3
#define NORMAL	   (1 << 2) /* MAIR's second attribute */
#define NO_EXECUTE (3 << 53)
#define GIB	   0x40000000
#define TWO_MIB	   0x200000
#define WINDOWS	   0x38000000 /* board.h */

	/* The first thing in the file: what Linux's
	 * Documentation/arch/arm64/booting.rst describes. */
	.section .head, "ax"
	.global image_start
image_start:
	b	start
	.word	0
	.quad	0			/* offset from a 2 MiB boundary */
	.quad	image_size		/* size in memory, with .bss */
	.quad	0xa			/* little endian, 4 KiB pages */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.word	0

start:
	/* With the MMU on first, all that is written goes through the caches,
	 * as it does later. */
	ldr	x1, =0xff04		/* device, normal */
	msr	mair_el1, x1
	/* 39 bits of addresses from TTBR0, tables in cacheable memory, 40 bits
	 * of physical addresses. */
	ldr	x1, =0x200803519
	msr	tcr_el1, x1
	ldr	x1, =level1
	msr	ttbr0_el1, x1
	tlbi	vmalle1
	dsb	nsh
	isb
	ldr	x1, =0x30d01805		/* MMU and caches on */
	msr	sctlr_el1, x1
	isb

	ldr	x1, =vectors
	msr	vbar_el1, x1
	ldr	x1, =stack_end
	mov	sp, x1
	ldr	x1, =bss_start
	ldr	x2, =bss_end
0:	str	xzr, [x1], #8
	cmp	x1, x2
	b.lo	0b
	bl	main
1:	wfi
	b	1b

	.text
	.macro	vector to
	.balign	128
	b	\to
	.endm
	.balign	2048
vectors:
	.rept	5
	vector	fault
	.endr
	vector	interrupt		/* at this level, with this stack */
	.rept	10
	vector	fault
	.endr

	/* Not nested. The core and this program use no vector registers. */
interrupt:
	sub	sp, sp, #176
	stp	x0, x1, [sp]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x29, [sp, #144]
	str	x30, [sp, #160]
	bl	board_interrupt
	ldr	x30, [sp, #160]
	ldp	x18, x29, [sp, #144]
	ldp	x16, x17, [sp, #128]
	ldp	x14, x15, [sp, #112]
	ldp	x12, x13, [sp, #96]
	ldp	x10, x11, [sp, #80]
	ldp	x8, x9, [sp, #64]
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp]
	add	sp, sp, #176
	eret

fault:
	mrs	x0, esr_el1
	mrs	x1, elr_el1
	mrs	x2, far_el1
	bl	board_fault

	/* Devices in the first GiB, but for the windows in which Xen's and
	 * other domains' pages appear; RAM in the next three. */
	.data
	.balign	4096
level1:
	.quad	level2 + TABLE
	.set	address, GIB
	.rept	3
	.quad	address + (PRESENT | NORMAL)
	.set	address, address + GIB
	.endr
	.fill	508, 8, 0
level2:
	.set	address, 0
	.rept	512
	.if	address == WINDOWS
	.quad	windows + TABLE
	.else
	.quad	address + (PRESENT | NO_EXECUTE)
	.endif
	.set	address, address + TWO_MIB
	.endr
	.global windows
windows:
	.fill	512, 8, 0		/* board.c fills and empties it */
