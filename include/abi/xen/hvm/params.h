/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Xen's ABI, hvm/params.h: the parameters a guest reads or sets. */

#ifndef __XEN_PUBLIC_HVM_PARAMS_H__
#define __XEN_PUBLIC_HVM_PARAMS_H__

#include "hvm_op.h"

/* How an event raises an interrupt: a kind in the top byte, details below. */
#define HVM_PARAM_CALLBACK_IRQ		 0
#define HVM_PARAM_CALLBACK_IRQ_TYPE_MASK 0xFF00000000000000ULL
#define HVM_PARAM_CALLBACK_TYPE_GSI	 0
#define HVM_PARAM_CALLBACK_TYPE_PCI_INTX 1
#if defined(__x86_64__) || defined(__i386__)
#define HVM_PARAM_CALLBACK_TYPE_VECTOR 2
#elif defined(__aarch64__) || defined(__arm__)
#define HVM_PARAM_CALLBACK_TYPE_PPI		   2
#define HVM_PARAM_CALLBACK_TYPE_PPI_FLAG_MASK	   0xFF00
#define HVM_PARAM_CALLBACK_TYPE_PPI_FLAG_LOW_LEVEL 2
#endif

/* XenStore's page and port. */
#define HVM_PARAM_STORE_PFN    1
#define HVM_PARAM_STORE_EVTCHN 2

/* Pages of the default emulator. */
#define HVM_PARAM_IOREQ_PFN    5
#define HVM_PARAM_BUFIOREQ_PFN 6

/* The console's page and port. */
#define HVM_PARAM_CONSOLE_PFN	 17
#define HVM_PARAM_CONSOLE_EVTCHN 18

/* Rings of the introspection interfaces. */
#define HVM_PARAM_PAGING_RING_PFN  27
#define HVM_PARAM_MONITOR_RING_PFN 28
#define HVM_PARAM_SHARING_RING_PFN 29

/* Pages set aside for further emulators. */
#define HVM_PARAM_IOREQ_SERVER_PFN	32
#define HVM_PARAM_NR_IOREQ_SERVER_PAGES 33

/* Where the generation id changes when the guest is copied. */
#define HVM_PARAM_VM_GENERATION_ID_ADDR 34

#define HVM_NR_PARAMS 39

#endif /* __XEN_PUBLIC_HVM_PARAMS_H__ */
