/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "board.h"

#include <stddef.h>

/* Where Xen has them in a domU. */
#define UART_BASE UINT64_C(0x22000000)
#define GICD_BASE UINT64_C(0x03001000)
#define GICR_BASE UINT64_C(0x03020000)

#define TIMER_INTERRUPT 27u
#define EVENT_INTERRUPT 31u
#define NO_INTERRUPT	1020u /* and all above: nothing is pending */

#define BUDGET	 64
#define PATIENCE 10 /* seconds */

#define READ_SYSREG(name)                                                      \
	({                                                                     \
		uint64_t value_;                                               \
		__asm__ volatile("mrs %0, " name : "=r"(value_)::"memory");    \
		value_;                                                        \
	})
#define WRITE_SYSREG(name, value)                                              \
	__asm__ volatile("msr " name ", %0\n\tisb" ::"r"((uint64_t)(value))    \
			 : "memory")
#define ICC_PMR	    "s3_0_c4_c6_0"
#define ICC_IAR1    "s3_0_c12_c12_0"
#define ICC_EOIR1   "s3_0_c12_c12_1"
#define ICC_SRE	    "s3_0_c12_c12_5"
#define ICC_IGRPEN1 "s3_0_c12_c12_7"

static struct xg_guest *connected;

/* The console. */

static volatile uint32_t *reg(uint64_t base, uint64_t offset)
{
	return (volatile uint32_t *)(base + offset);
}

static void print(const char *text)
{
	for (; *text; text++) {
		while (*reg(UART_BASE, 0x18) & 1u << 5)
			; /* no room */
		*reg(UART_BASE, 0) = (uint32_t)*text;
	}
}

static void print_number(int64_t number)
{
	char digits[21] = "";
	size_t at = sizeof(digits) - 1;
	uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;

	do
		digits[--at] = (char)('0' + rest % 10);
	while (rest /= 10);
	if (number < 0)
		digits[--at] = '-';
	print(&digits[at]);
}

void board_say(const char *text)
{
	print(text);
	print("\n");
}

void board_say_number(const char *text, int64_t number)
{
	print(text);
	print(" ");
	print_number(number);
	print("\n");
}

void board_power_off(void)
{
	register uint64_t system_off __asm__("x0") = 0x84000008; /* PSCI */

	__asm__ volatile("hvc #0" : "+r"(system_off)::"memory");
	for (;;)
		__asm__ volatile("wfi");
}

void board_panic(const char *text, int64_t number)
{
	print("\npanic: ");
	board_say_number(text, number);
	board_power_off();
}

/* From start.S, for every exception but an interrupt. */
_Noreturn void board_fault(uint64_t esr, uint64_t elr, uint64_t far);
void board_fault(uint64_t esr, uint64_t elr, uint64_t far)
{
	board_say_number("exception at", (int64_t)elr);
	board_say_number("with address", (int64_t)far);
	board_panic("syndrome", (int64_t)esr);
}

/* Interrupts: the private ones of a GICv3. */

static void enable_private(uint32_t interrupt)
{
	const uint64_t sgi_base = GICR_BASE + 0x10000;

	*reg(sgi_base, 0x80) |= 1u << interrupt; /* group 1 */
	((volatile uint8_t *)reg(sgi_base, 0x400))[interrupt] = 0x80;
	*reg(sgi_base, 0x100) = 1u << interrupt;
}

void board_connect(struct xg_guest *g)
{
	connected = g;
	*reg(GICD_BASE, 0) = 1u << 4 | 1u << 1; /* affinity routing, group 1 */
	enable_private(TIMER_INTERRUPT);
	enable_private(EVENT_INTERRUPT);
	WRITE_SYSREG(ICC_SRE, 1);
	WRITE_SYSREG(ICC_PMR, 0xff);
	WRITE_SYSREG(ICC_IGRPEN1, 1);
	__asm__ volatile("msr daifclr, #2" ::: "memory");
}

/* From start.S. */
void board_interrupt(void);
void board_interrupt(void)
{
	for (;;) {
		uint64_t interrupt = READ_SYSREG(ICC_IAR1);

		if (interrupt >= NO_INTERRUPT)
			return;
		if (interrupt == TIMER_INTERRUPT)
			WRITE_SYSREG("cntv_ctl_el0", 0);
		/* Others get their turn between two budgets in more than a
		 * demonstration. */
		while (interrupt == EVENT_INTERRUPT &&
		       xg_evtchn_upcall(connected, BUDGET))
			;
		WRITE_SYSREG(ICC_EOIR1, interrupt);
	}
}

bool board_wait(bool (*condition)(void))
{
	uint64_t deadline = READ_SYSREG("cntvct_el0") +
			    PATIENCE * READ_SYSREG("cntfrq_el0");

	WRITE_SYSREG("cntv_cval_el0", deadline);
	WRITE_SYSREG("cntv_ctl_el0", 1);
	for (;;) {
		bool done;

		/* An interrupt between the look and `wfi` must not be served
		 * before the `wfi`, which would wait for the next one. Masked,
		 * it ends the `wfi` all the same. */
		__asm__ volatile("msr daifset, #2" ::: "memory");
		done = condition();
		if (done || READ_SYSREG("cntvct_el0") >= deadline) {
			WRITE_SYSREG("cntv_ctl_el0", 0);
			__asm__ volatile("msr daifclr, #2" ::: "memory");
			return done;
		}
		__asm__ volatile("wfi\n\tmsr daifclr, #2\n\tisb" ::: "memory");
	}
}

/* The windows: start.S has the page table. */

#define PRESENT	   (UINT64_C(3) | 1 << 2 | 3 << 8 | 1 << 10)
#define READ_ONLY  (UINT64_C(1) << 7)
#define NO_EXECUTE (UINT64_C(3) << 53)

extern uint64_t windows[WINDOWS_PAGES];
extern char image_start[], image_end[];

/* The window's first entry; null if it is none. */
static uint64_t *entries(const void *va, uint32_t pages)
{
	uint64_t first = ((uint64_t)va - WINDOWS_BASE) / XG_PAGE_SIZE;

	if ((uint64_t)va < WINDOWS_BASE || first >= WINDOWS_PAGES ||
	    pages > WINDOWS_PAGES - first)
		return NULL;
	return &windows[first];
}

static int board_map(void *context, void *va, uint64_t gfn, uint32_t pages,
		     uint32_t prot)
{
	uint64_t *entry = entries(va, pages);
	uint64_t bits =
		PRESENT | NO_EXECUTE | (prot & XG_PROT_WRITE ? 0 : READ_ONLY);

	(void)context;
	if (!entry || gfn << XG_PAGE_SHIFT != (uint64_t)va)
		return -XG_EFAULT;
	for (uint32_t i = 0; i < pages; i++)
		if (entry[i] && entry[i] != ((gfn + i) << XG_PAGE_SHIFT | bits))
			return -XG_EBUSY;
	for (uint32_t i = 0; i < pages; i++)
		entry[i] = (gfn + i) << XG_PAGE_SHIFT | bits;
	/* The entries are there for the table walks of what follows. */
	__asm__ volatile("dsb ishst\n\tisb" ::: "memory");
	return 0;
}

static int board_unmap(void *context, void *va, uint32_t pages)
{
	uint64_t *entry = entries(va, pages);

	(void)context;
	if (!entry)
		return -XG_EFAULT;
	for (uint32_t i = 0; i < pages; i++)
		entry[i] = 0;
	/* The entries are gone before the TLB forgets them, and it has when
	 * this returns. */
	__asm__ volatile("dsb ishst" ::: "memory");
	for (uint32_t i = 0; i < pages; i++)
		__asm__ volatile("tlbi vaae1is, %0" ::"r"(
					 ((uint64_t)va >> XG_PAGE_SHIFT) + i)
				 : "memory");
	__asm__ volatile("dsb ish\n\tisb" ::: "memory");
	return 0;
}

static int board_virt_to_gfn(void *context, const void *va, uint64_t *gfn)
{
	const char *at = va;

	(void)context;
	if (!entries(va, 1) && (at < image_start || at >= image_end))
		return -XG_EFAULT;
	*gfn = (uint64_t)va >> XG_PAGE_SHIFT;
	return 0;
}

/* One vCPU: keeping its interrupts off is lock enough. */
static uintptr_t board_lock(void *context)
{
	uintptr_t state = READ_SYSREG("daif");

	(void)context;
	__asm__ volatile("msr daifset, #2" ::: "memory");
	return state;
}

static void board_unlock(void *context, uintptr_t state)
{
	(void)context;
	WRITE_SYSREG("daif", state);
}

static uint32_t board_cpu_id(void *context)
{
	(void)context;
	return 0;
}

static void board_relax(void *context)
{
	(void)context;
	__asm__ volatile("yield");
}

const struct xg_platform board_platform = {
	/* No hypercall: the core has the instruction. No pages either: this
	 * program grants its own. */
	.virt_to_gfn = board_virt_to_gfn,
	.map = board_map,
	.unmap = board_unmap,
	.lock = board_lock,
	.unlock = board_unlock,
	.cpu_id = board_cpu_id,
	.relax = board_relax,
};

/* What compilers call without being asked to. */

void *memset(void *to, int byte, size_t n);
void *memset(void *to, int byte, size_t n)
{
	volatile uint8_t *at = to;

	while (n--)
		*at++ = (uint8_t)byte;
	return to;
}

void *memcpy(void *to, const void *from, size_t n);
void *memcpy(void *to, const void *from, size_t n)
{
	volatile uint8_t *at = to;
	const uint8_t *source = from;

	while (n--)
		*at++ = *source++;
	return to;
}
