/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Emulating devices for another domain: an ioreq server of Xen's.
 *
 * The server names ranges of the domain's guest-physical addresses at which
 * there is no memory. A vCPU that reads or writes there waits until the access
 * has been taken by xg_ioreq_next() and answered by xg_ioreq_answer(). Each
 * vCPU has one access at a time, and an event channel that says that there is
 * one.
 *
 * Which accesses come is Xen's choice: on Arm single loads and stores of 1, 2,
 * 4 or 8 bytes, of one register. Others (pairs, vector registers, atomics,
 * instruction fetches) are aborts in the domain, which nobody here sees.
 *
 * Trust. The page with the accesses is Xen's, the domain can't reach it. The
 * domain chooses addresses, sizes, data and how fast it goes on, and may die
 * at any time; a server that it has no more vCPUs for is destroyed like any.
 *
 * For control domains and the domain's device model, where Xen has ioreq
 * servers: always on x86, on Arm when it was built with CONFIG_IOREQ_SERVER.
 * Nothing is allocated. Calls for one server must not overlap; its events'
 * handler may run at any time.
 */
#ifndef XEN_GUEST_IOREQ_H
#define XEN_GUEST_IOREQ_H

#include <stdbool.h>
#include <stdint.h>

#include "evtchn.h"

#ifdef __cplusplus
extern "C" {
#endif

struct xg_guest;

/* vCPUs whose accesses are on the one page that a server maps. */
#define XG_IOREQ_MAX_VCPUS 128

/* What xg_ioreq_create() is given; read there and not kept. */
struct xg_ioreq_config {
	uint16_t dom; /* whose accesses */
	/* A place for each of its vCPUs; stays the server's. */
	uint32_t *ports;
	uint32_t nr_ports;
	/* Called when a vCPU waits, from xg_evtchn_upcall(): to wake who calls
	 * xg_ioreq_next(). May be null: then the ports are open, and
	 * xg_evtchn_wait() can be asked about them. */
	xg_evtchn_handler_t handler;
	void *data;
};

/* One server: the caller's storage, the library's contents. */
struct xg_ioreq {
	struct xg_guest *guest;
	void *page; /* where the accesses are; null: not mapped */
	uint32_t *ports;
	uint32_t nr_vcpus; /* 0: there is no server */
	uint32_t refused;  /* accesses of a kind that is not for us */
	uint16_t dom;
	uint16_t id;
	bool created; /* Xen has it */
};

/* Kinds of what a vCPU waits for. */
#define XG_IOREQ_ACCESS 1u /* a load or a store */
#define XG_IOREQ_INVALIDATE                                                    \
	2u /* memory left the domain: forget where it was                      \
	    */

/* One access: a copy, which the domain can't change any more. */
struct xg_ioreq_access {
	uint64_t addr; /* guest-physical */
	uint64_t data; /* what is written: the low `size` bytes count */
	uint32_t size; /* 1, 2, 4 or 8 bytes */
	uint32_t kind; /* XG_IOREQ_* */
	bool write;    /* or a read */
};

/*
 * Make a server for a domain, map its page into a page of the guest's regions,
 * and connect to every vCPU.
 *
 *   -XG_EINVAL  a null pointer, no places
 *   -XG_ENOSPC  more vCPUs than places or XG_IOREQ_MAX_VCPUS; no page in a
 *               region; no port; or the domain has all the servers that Xen
 *               gives it (8)
 *   -XG_ENOSYS  a Xen without ioreq servers
 *   -XG_EPERM   not a control domain nor the domain's device model; its own
 *               domain; or kept apart by Xen's SILO mode
 *   -XG_ESRCH   no such domain
 *   -XG_ENOENT  a vCPU that Xen has not made yet
 * and what xg_resource_map() and xg_evtchn_bind_interdomain() return. On
 * failure everything is as before; but where Xen would not undo something
 * xg_ioreq_destroy() tries again.
 */
int xg_ioreq_create(struct xg_ioreq *s, struct xg_guest *g,
		    const struct xg_ioreq_config *config);

/*
 * End it. Waiting accesses are answered first, with all bits set; but a vCPU
 * that has not run since then reads 0. What fails can be called again, and
 * goes on where it stopped; a domain that died is no failure. 0 also for a
 * server that is not there.
 */
int xg_ioreq_destroy(struct xg_ioreq *s);

/*
 * Have accesses to the bytes from `first` to `last` (inclusive) come to this
 * server, or not any more. An access that is not all inside one range, or
 * several that touch, does not come.
 *
 *   -XG_EINVAL  `last` is before `first`
 *   -XG_EEXIST  some of it is the server's already
 *   -XG_ENOSPC  Xen has no room: 256 ranges that do not touch
 *   -XG_ENOENT  unmap: some of it is not the server's
 */
int xg_ioreq_map_range(struct xg_ioreq *s, uint64_t first, uint64_t last);
int xg_ioreq_unmap_range(struct xg_ioreq *s, uint64_t first, uint64_t last);

/*
 * Take the access that `vcpu` waits with. 1, and it is in *access until
 * answered; 0: there is none, or it has been taken already; -XG_EINVAL for a
 * vCPU that there is not. What is no single load or store is answered at once
 * with all bits set, and counted in `refused`.
 */
int xg_ioreq_next(struct xg_ioreq *s, uint32_t vcpu,
		  struct xg_ioreq_access *access);

/*
 * Answer it: `data` is what a load reads, in the low bytes. The vCPU goes on.
 * Any time later, in any context. -XG_EINVAL if none has been taken.
 */
int xg_ioreq_answer(struct xg_ioreq *s, uint32_t vcpu, uint64_t data);

#ifdef __cplusplus
}
#endif

#endif
