/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * An arm64 domU with one vCPU, as Xen lays it out: what the program asks of it
 * and what xen_guest does. Firmware for more than a demonstration takes the
 * addresses and the event interrupt from the device tree, whose address is in
 * x0 at the start.
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include <xen_guest/guest.h>

/* Empty frames, where the domU's grant table region is: pages of Xen and of
 * other domains appear here, at their own addresses. */
#define WINDOWS_BASE  UINT64_C(0x38000000)
#define WINDOWS_PAGES 512
/* The window that starts with page `first` of them. */
#define WINDOW(first, count)                                                   \
	((struct xg_window){(void *)(WINDOWS_BASE + XG_PAGE_SIZE * (first)),   \
			    WINDOWS_BASE / XG_PAGE_SIZE + (first), (count)})

/* The hooks of xen_guest; their context is not used. */
extern const struct xg_platform board_platform;

/* Let Xen's event interrupt call xg_evtchn_upcall() for this guest. */
void board_connect(struct xg_guest *g);

/* Sleep until `condition` holds, which is looked at after each interrupt:
 * false if it does not for ten seconds. */
bool board_wait(bool (*condition)(void));

/* Print a line: the text, and a number behind it. */
void board_say(const char *text);
void board_say_number(const char *text, int64_t number);

/* Print "panic:", the text and the number, and power off. */
_Noreturn void board_panic(const char *text, int64_t number);
_Noreturn void board_power_off(void);

#endif
