/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Xen's ABI, hvm/ioreq.h: the page on which accesses reach an emulator. */

#ifndef _IOREQ_H_
#define _IOREQ_H_

#include <stdint.h>

/* ioreq.dir */
#define IOREQ_WRITE 0
#define IOREQ_READ  1

/* ioreq.state, in the order in which a request goes through them. */
#define STATE_IOREQ_NONE      0
#define STATE_IOREQ_READY     1
#define STATE_IOREQ_INPROCESS 2
#define STATE_IORESP_READY    3

/* ioreq.type */
#define IOREQ_TYPE_PIO	      0
#define IOREQ_TYPE_COPY	      1
#define IOREQ_TYPE_PCI_CONFIG 2
#define IOREQ_TYPE_TIMEOFFSET 7
#define IOREQ_TYPE_INVALIDATE 8

/** One vCPU's access. */
struct ioreq {
	/** Physical address, or port. */
	uint64_t addr;
	/** Value, or the guest address of the values. */
	uint64_t data;
	/** Repetitions. */
	uint32_t count;
	/** Bytes of each. */
	uint32_t size;
	/** Port that says the answer is there. */
	uint32_t vp_eport;
	/** Unused. */
	uint16_t _pad0;
	/** STATE_IO*. */
	uint8_t state : 4;
	/** `data` is an address. */
	uint8_t data_is_ptr : 1;
	/** IOREQ_READ or IOREQ_WRITE. */
	uint8_t dir : 1;
	/** Repetitions go downwards. */
	uint8_t df : 1;
	/** Unused. */
	uint8_t _pad1 : 1;
	/** IOREQ_TYPE_*. */
	uint8_t type;
};
typedef struct ioreq ioreq_t;

/** The page: one request for each vCPU, as many as there are. */
struct shared_iopage {
	struct ioreq vcpu_ioreq[1];
};
typedef struct shared_iopage shared_iopage_t;

/** A write nobody waits for. */
struct buf_ioreq {
	/** IOREQ_TYPE_*. */
	uint8_t type;
	/** Unused. */
	uint8_t pad : 1;
	/** IOREQ_READ or IOREQ_WRITE. */
	uint8_t dir : 1;
	/** Two to this power bytes; 8 take two slots. */
	uint8_t size : 2;
	/** Physical address. */
	uint32_t addr : 20;
	/** Value. */
	uint32_t data;
};
typedef struct buf_ioreq buf_ioreq_t;

/** Slots of the buffered page. */
#define IOREQ_BUFFER_SLOT_NUM 511

/** The ring of such writes. */
struct buffered_iopage {
	/** Next to read; the emulator's. */
	uint32_t read_pointer;
	/** Next to write; Xen's. */
	uint32_t write_pointer;
	/** Indexed by pointer modulo the slot count. */
	buf_ioreq_t buf_ioreq[IOREQ_BUFFER_SLOT_NUM];
};
typedef struct buffered_iopage buffered_iopage_t;

#endif /* _IOREQ_H_ */
