/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Written by cargo xtask bindings; do not edit. */
/*
 * A simulated Xen for tests in C: several domains in one process, each with a
 * guest of this library, and everything that goes wrong on demand.
 *
 *	struct xg_sim *sim = xg_sim_create(XG_SIM_OPEN);
 *	struct xg_sim_domain *domain;
 *	struct xg_guest *guest;
 *
 *	xg_sim_domain_create(sim, NULL, &domain);
 *	xg_sim_guest_init(domain, NULL, &guest);
 *	... xg_evtchn_alloc_unbound(guest, ...) ...
 *	xg_sim_guest_fini(domain);
 *	assert(xg_sim_leaks(sim, NULL) == 0);
 *	xg_sim_destroy(sim);
 *
 * Ownership. A machine owns its domains, a domain its guest and its memory;
 * all of it lives until xg_sim_destroy(), whatever happens to the domain. What
 * a function is given stays the caller's, and is not kept, but for upcalls and
 * their data.
 *
 * Threads. Everything may be called by several threads at once, and in event
 * handlers, unless said otherwise. xg_current() is each thread's own.
 *
 * Errors. Functions that return a number answer a negative -XG_E* of
 * errno.h, and 0 or what they say otherwise. -XG_EINVAL is for null pointers
 * where something is needed; any other address must be what the type says:
 * that of a machine or domain that was not destroyed, or of memory that can be
 * read or written. A text has room for as many bytes as are named beside it.
 * -XG_EIO from any function: the simulator gave up, with a message on standard
 * error; nothing but xg_sim_destroy() makes sense then.
 *
 * Mistakes that would do their harm quietly on a machine (a page freed twice,
 * a mapping where another frame belongs, an interrupt without end) end the
 * program with a message. Functions that are given here to be called must
 * return in the usual way: no longjmp, no C++ exception.
 *
 * How the simulator behaves, and what it assumes, is described for Rust: the
 * module `sim`. To link: libxen_guest_sim, which has the C core in it, as
 * `pkg-config --cflags --libs xen_guest_sim` says where it is installed.
 */

#ifndef XEN_GUEST_SIM_H
#define XEN_GUEST_SIM_H

#include <stdbool.h>
#include <stdint.h>
#include "guest.h"

/* Everybody may deal with everybody (xsm=dummy). */
#define XG_SIM_OPEN 0

/* Domains that are not privileged only with those that are (xsm=silo). */
#define XG_SIM_SILO 1

/* Xen is built without CONFIG_IOREQ_SERVER: no devices can be emulated. */
#define XG_SIM_NO_DEVICE_MODELS 2

/* Xen has version 2 of grant tables, as on x86. */
#define XG_SIM_HAS_GRANTS_V2 4

/* A control domain. The first one is domain 0. */
#define XG_SIM_PRIVILEGED 1

/* RAM stays where it is, as a dom0's on Arm. */
#define XG_SIM_DIRECT_MAP 2

/* Xen does not offer the FIFO ABI of event channels. */
#define XG_SIM_NO_FIFO 4

/*
 * Upcalls run on threads of their own, one for each vCPU, as soon as they
 * are due and concurrently with everything else, as interrupts do. Without
 * it they run on the threads that use the domain, at fixed points, so that a
 * run with one thread is the same every time.
 */
#define XG_SIM_ASYNC 8

/* The FIFO ABI of event channels, where Xen offers it. */
#define XG_SIM_FIFO 1

/* Version 2 of the grant table: -XG_ENOSYS without XG_SIM_HAS_GRANTS_V2. */
#define XG_SIM_GRANTS_V2 2

/* The domain's RAM, all of it accessible from the start. */
#define XG_SIM_RAM 0

/* 16 MiB of empty frames, for the grant table and the shared-info page. */
#define XG_SIM_GRANT_WINDOW 1

/* 64 MiB of empty frames above RAM, for pages of other domains. */
#define XG_SIM_EXTENDED 2

/* Nothing. */
#define XG_SIM_EMPTY 0

/* A page of the domain's own, or one that Xen shares with it. */
#define XG_SIM_OWN 1

/* A page that another domain granted. */
#define XG_SIM_GRANT 2

/* A page of another domain, or of one of its resources. */
#define XG_SIM_FOREIGN 3

/* A page of a device. */
#define XG_SIM_DEVICE 4

/* The platform's map hook. */
#define XG_SIM_HOOK_MAP 0

/* The platform's unmap hook. */
#define XG_SIM_HOOK_UNMAP 1

/* The platform's page_alloc hook, and xg_sim_page_alloc(). */
#define XG_SIM_HOOK_PAGE_ALLOC 2

/* A machine with a simulated Xen and its domains. */
struct xg_sim;

/* A domain: the platform of its firmware. It belongs to its machine. */
struct xg_sim_domain;

/*
 * What is in use on a machine: what a test compares with zero at its end.
 */
struct xg_sim_leaks {
	/* Event channels that are not closed. */
	uint64_t ports;
	/* Entries of grant tables that are not empty. */
	uint64_t grants;
	/* Mapped grants. */
	uint64_t mappings;
	/* Frames that a grant or foreign mapping refers to. */
	uint64_t pinned_frames;
	/* Frames of guests that hold foreign pages. */
	uint64_t foreign_mappings;
	/* Pages of RAM handed out by domains' allocators. */
	uint64_t pages;
	/* Empty frames handed out. */
	uint64_t empty_pages;
	/* Pages that domains own but can't reach any more. */
	uint64_t lost_pages;
	/* Emulators of domains' devices. */
	uint64_t ioreq_servers;
	/* Ranges of addresses that they have. */
	uint64_t io_ranges;
};

/* What a new domain has. Zero is the usual thing everywhere. */
struct xg_sim_domain_config {
	/* Pages of RAM, at most 2^18. 0: 1024. */
	uint64_t ram_pages;
	/* vCPUs, all of them running from the start. 0: one. */
	uint32_t vcpus;
	/* Largest size of the grant table, in frames. 0: 64. */
	uint32_t max_grant_frames;
	/* Highest port number. 0: 1023, and for a privileged domain no limit.
	 */
	uint32_t max_evtchn_port;
	/* XG_SIM_PRIVILEGED, XG_SIM_DIRECT_MAP, XG_SIM_NO_FIFO, XG_SIM_ASYNC.
	 */
	uint32_t flags;
};

/* How much a new guest has room for. Zero is the usual thing everywhere. */
struct xg_sim_guest_config {
	/*
	 * Event channels, rounded up to a multiple of 64; at most 131072, of
	 * which the 2-level ABI uses 4096. 0: 1024.
	 */
	uint32_t ports;
	/*
	 * Frames of the grant table, at most 64; with XG_SIM_GRANTS_V2 those
	 * with the status too. 0: four.
	 */
	uint32_t grant_frames;
	/* Pages of the region for foreign pages, at most 2^14. 0: 256. */
	uint32_t region_pages;
	/* Places for parked grants, at most 2^16. 0: sixteen. */
	uint32_t parked;
	/* XG_SIM_FIFO, XG_SIM_GRANTS_V2. */
	uint32_t flags;
};

/* What an event interrupt runs: true asks to be called again. */
typedef bool (*xg_sim_upcall_t)(void *data);

/* What a thread does as a vCPU. */
typedef void (*xg_sim_body_t)(void *data);

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Make a machine without domains: XG_SIM_OPEN, or XG_SIM_SILO,
 * XG_SIM_NO_DEVICE_MODELS and XG_SIM_HAS_GRANTS_V2 in any combination. Null
 * for anything else, or if the host has no memory.
 */
struct xg_sim *xg_sim_create(uint32_t flags);

/*
 * Kill all domains of a machine, stop their threads, and free everything that
 * belongs to it: domains, guests, pages. Nobody may use any of them
 * meanwhile or afterwards. Null is allowed.
 *
 * -XG_EBUSY inside an upcall or xg_sim_run_as_vcpu() of one of its domains,
 * with nothing changed; -XG_EIO if the simulator had given up in an upcall,
 * with everything freed nevertheless.
 */
int32_t xg_sim_destroy(struct xg_sim *sim);

/*
 * Count what is in use on the machine, over all domains, the dead included
 * whose pages others have mapped. What xg_sim_guest_init() took for itself
 * counts until xg_sim_guest_fini().
 *
 * Returns 0 if nothing is in use, 1 otherwise. `leaks` may be null.
 */
int32_t xg_sim_leaks(const struct xg_sim *sim, struct xg_sim_leaks *leaks);

/*
 * Warning number `index`, from 0 on: what domains did that Xen allows but
 * that no firmware wants, such as mapping over a page of RAM.
 *
 * Returns the text's length without the zero at its end; at most `size`
 * bytes are written, the zero included. -XG_ENOENT: there are not so many.
 */
int32_t xg_sim_warning(const struct xg_sim *sim, uint32_t index, char *text,
		       uint32_t size);

/*
 * Keep the last `entries` hypercalls for xg_sim_log(), from now on; 0: none,
 * as at first.
 */
int32_t xg_sim_keep_log(const struct xg_sim *sim, uint32_t entries);

/*
 * Hypercall number `index` of those kept, the oldest being 0: domain,
 * operation, argument words, result. Returns as xg_sim_warning().
 */
int32_t xg_sim_log(const struct xg_sim *sim, uint32_t index, char *text,
		   uint32_t size);

/*
 * Make a domain with what `config` says, which may be null: a domain that is
 * not privileged, with 4 MiB of RAM. Domains are numbered from 1 up; no
 * number is used twice.
 *
 * -XG_EINVAL: null pointers, or settings out of range. -XG_EIO: machine
 * memory (4 GiB) or the host's resources ran out.
 */
int32_t xg_sim_domain_create(const struct xg_sim *sim,
			     const struct xg_sim_domain_config *config,
			     struct xg_sim_domain **domain);

/* The domain's number, 0 or positive. */
int32_t xg_sim_domain_id(const struct xg_sim_domain *domain);

/*
 * Kill a domain as Xen does: its upcalls stop, its ports are closed and their
 * peers' ends become unbound, its mappings are released and its memory is
 * gone. Pages that others have mapped stay until they let go. Afterwards its
 * hypercalls answer -XG_ESRCH, touching its memory faults, and its guest may
 * be given to xg_sim_guest_fini() only: no thread may be using either.
 *
 * -XG_EIO if the simulator had given up in an upcall.
 */
int32_t xg_sim_domain_kill(struct xg_sim_domain *domain);

/*
 * 1 while the domain, or what a peer has mapped of it, exists; 0 afterwards.
 */
int32_t xg_sim_domain_exists(const struct xg_sim_domain *domain);

/* How many hypercalls the domain has made. */
int64_t xg_sim_domain_hypercalls(const struct xg_sim_domain *domain);

/* What the domain wrote to its console. Returns as xg_sim_warning(). */
int32_t xg_sim_domain_console(const struct xg_sim_domain *domain, char *text,
			      uint32_t size);

/*
 * The reason that the domain gave to SCHEDOP_shutdown, 0 or positive;
 * -XG_EAGAIN if it did not call it.
 */
int32_t xg_sim_domain_shutdown(const struct xg_sim_domain *domain);

/*
 * The hooks of every simulated domain, for xg_guest_init() with the domain's
 * xg_sim_context(), where xg_sim_guest_init() is not wanted. Lives for ever.
 */
const struct xg_platform *xg_sim_platform(void);

/* The first argument of the hooks for this domain. Null for null. */
void *xg_sim_context(const struct xg_sim_domain *domain);

/*
 * Set up a guest of the core for the domain, with memory that the simulator
 * owns, bring the events of all its vCPUs up, and connect the event interrupt
 * to xg_evtchn_upcall(). *guest can then be used with everything in the other
 * headers; with xg_sim_switch() also with Zephyr's names. `config` may be
 * null.
 *
 *   -XG_EINVAL  null pointers, or settings out of range
 *   -XG_EBUSY   the domain has a guest, or had one with several vCPUs, of
 *               which Xen does not let go; or from inside an upcall of it
 *   -XG_ENOMEM  the domain has too little RAM, or too few empty frames
 *   -XG_ESRCH   the domain is dead
 * and what xg_guest_init() and xg_vcpu_online() return.
 *
 * Until xg_sim_guest_fini() nothing else uses the domain's event channels and
 * grant table, and xg_guest_fini() is not called.
 */
int32_t xg_sim_guest_init(const struct xg_sim_domain *domain,
			  const struct xg_sim_guest_config *config,
			  struct xg_guest **guest);

/*
 * Undo xg_sim_guest_init(): disconnect the event interrupt, and give back
 * what the guest has. The guest of a dead domain is only forgotten. With
 * several vCPUs a page stays in use that Xen does not let go of.
 *
 *   -XG_EINVAL  the domain has no guest
 *   -XG_EBUSY   an event channel, a grant or a page of the region is in use,
 *               or the call comes from inside an upcall: nothing is changed
 *   -XG_EIO     Xen or a hook kept a page; the guest is gone nevertheless
 *
 * No thread may be using the guest. If it is the calling thread's current one,
 * there is none afterwards.
 */
int32_t xg_sim_guest_fini(const struct xg_sim_domain *domain);

/*
 * Make the domain's guest the one that calls of Zephyr's names on this thread
 * are for, as xg_set_current() does; null: none. Inside an upcall and
 * xg_sim_run_as_vcpu() it is that domain's by itself.
 *
 * -XG_EINVAL: the domain has no guest of xg_sim_guest_init().
 */
int32_t xg_sim_switch(const struct xg_sim_domain *domain);

/*
 * Connect the domain's event interrupt to `upcall`, which gets `data`, in
 * place of what it was connected to. It runs when Xen has something for a
 * vCPU, and again while it returns true; never twice at a time for one vCPU,
 * which the platform's cpu_id hook tells in it, and with the domain's guest
 * as xg_current(). On which thread: see XG_SIM_ASYNC. Null: the usual one,
 * which calls xg_evtchn_upcall() for the guest; -XG_EINVAL without a guest.
 *
 * It can be called on any thread until it is disconnected or replaced and has
 * returned.
 */
int32_t xg_sim_connect(const struct xg_sim_domain *domain,
		       xg_sim_upcall_t upcall, void *data);

/*
 * Disconnect the event interrupt. When this returns the upcall is not running
 * any more, unless it is called from inside it.
 */
int32_t xg_sim_disconnect(const struct xg_sim_domain *domain);

/*
 * Run the upcalls of this domain that are due on this thread, lowest vCPU
 * first, until there are none. Returns how many ran; 0 where interrupts are
 * held off or the upcall is running.
 */
int32_t xg_sim_deliver(const struct xg_sim_domain *domain);

/*
 * Run the upcalls of all domains without XG_SIM_ASYNC on this thread, lowest
 * domain first, until none is due, and wait until those with it are at rest.
 * Returns how many ran here; -XG_EIO if there is no end to it within a
 * minute.
 */
int32_t xg_sim_deliver_all(const struct xg_sim *sim);

/*
 * Raise a virtual interrupt (VIRQ_*, xen/xen.h) of a vCPU, as a device in Xen
 * would. The vCPU is ignored for interrupts of which there is one only.
 * Returns 1, or 0 if no port is bound to it; -XG_ENOENT: no such vCPU.
 */
int32_t xg_sim_raise_virq(const struct xg_sim_domain *domain, uint32_t virq,
			  uint32_t vcpu);

/*
 * Call body(data) with this thread being vCPU `vcpu` of the domain: its
 * hypercalls are that vCPU's, and the domain's guest is xg_current().
 * Elsewhere a thread is vCPU 0. Several threads can be the same vCPU in this
 * way, and its upcall can run on another one, so that the platform's cpu_id
 * hook answers XG_CPU_NONE.
 *
 *   -XG_ENOENT  no such vCPU
 *   -XG_EBUSY   inside an upcall of the domain
 */
int32_t xg_sim_run_as_vcpu(const struct xg_sim_domain *domain, uint32_t vcpu,
			   xg_sim_body_t body, void *data);

/*
 * The same with this thread being all there is of that vCPU, as on a machine:
 * its upcall runs on no other thread, and on this one at fixed points,
 * whatever XG_SIM_ASYNC says. What waits for events, as xg_evtchn_wait()
 * does, wants this. -XG_EBUSY also if another thread is that vCPU.
 */
int32_t xg_sim_become_vcpu(const struct xg_sim_domain *domain, uint32_t vcpu,
			   xg_sim_body_t body, void *data);

/*
 * Where a part of the domain's memory is: XG_SIM_RAM, XG_SIM_GRANT_WINDOW or
 * XG_SIM_EXTENDED. Frames and addresses of a domain belong together for good.
 */
int32_t xg_sim_window(const struct xg_sim_domain *domain, uint32_t which,
		      struct xg_window *window);

/*
 * Take `pages` consecutive pages of the domain's RAM, with whatever is in
 * them: the platform's page_alloc hook. Null if there are not so many.
 */
void *xg_sim_page_alloc(const struct xg_sim_domain *domain, uint32_t pages);

/*
 * Give pages back that xg_sim_page_alloc() or the hook returned. -XG_EINVAL,
 * with nothing changed: not handed out, or a peer has one mapped, or Xen
 * writes to it. The domain may not be using them.
 */
int32_t xg_sim_page_free(const struct xg_sim_domain *domain, void *va,
			 uint32_t pages);

/*
 * Take `pages` consecutive empty frames of the extended region, the lowest
 * that are free: their address, at which nothing is accessible yet. Null if
 * there are not so many.
 */
void *xg_sim_empty_pages(const struct xg_sim_domain *domain, uint32_t pages);

/*
 * Give empty frames back. -XG_EINVAL, with nothing changed: not of
 * xg_sim_empty_pages(), or not empty.
 */
int32_t xg_sim_return_empty_pages(const struct xg_sim_domain *domain, void *va,
				  uint32_t pages);

/*
 * The frame of an address of the domain's memory, to *gfn. -XG_EFAULT: there
 * is none. What is at the address is not looked at.
 */
int32_t xg_sim_gfn(const struct xg_sim_domain *domain, const void *va,
		   uint64_t *gfn);

/*
 * What a frame of the domain holds at this moment: XG_SIM_EMPTY, XG_SIM_OWN,
 * XG_SIM_GRANT, XG_SIM_FOREIGN or XG_SIM_DEVICE.
 */
int32_t xg_sim_frame(const struct xg_sim_domain *domain, uint64_t gfn);

/*
 * Give the domain more RAM, as its toolstack would: `pages` pages at empty
 * frames of its windows from `gfn` on, accessible and zero, in excess of what
 * it could have before.
 *
 *   -XG_EFAULT  not all of the frames are in a window, or RAM's place
 *   -XG_EBUSY   one of them holds something
 *   -XG_ENOMEM  machine memory is used up
 *   -XG_EINVAL  a direct-mapped domain
 *   -XG_ESRCH   the domain is dead
 * with nothing changed.
 */
int32_t xg_sim_populate(const struct xg_sim_domain *domain, uint64_t gfn,
			uint32_t pages);

/*
 * Have the domain read `size` bytes (1, 2, 4 or 8) at a guest-physical
 * address, as one instruction of the vCPU that this thread is: *value is what
 * it read. Memory answers at once. Where an emulated device is, its emulator
 * is asked, and this waits for its answer, which has to come from another
 * thread, or from an upcall of a domain without XG_SIM_ASYNC: those run here
 * meanwhile.
 *
 *   -XG_EFAULT  nothing is there: the instruction is aborted
 *   -XG_EINVAL  another size, or a null pointer
 *   -XG_ESRCH   the domain is dead
 *   -XG_EIO     the vCPU is in the middle of another access, or there is no
 *               answer within a minute
 */
int32_t xg_sim_read(const struct xg_sim_domain *domain, uint64_t address,
		    uint32_t size, uint64_t *value);

/*
 * Have it write the low `size` bytes of `value`. Returns as xg_sim_read();
 * -XG_EIO also for memory that may only be read, which a vCPU on Arm tries to
 * write for ever.
 */
int32_t xg_sim_write(const struct xg_sim_domain *domain, uint64_t address,
		     uint32_t size, uint64_t value);

/*
 * The level, 0 or 1, of an interrupt of the domain that an emulator raises
 * and lowers.
 */
int32_t xg_sim_irq_level(const struct xg_sim_domain *domain, uint32_t irq);

/*
 * Add a device with `pages` pages (1 to 2^16) of registers, all zero, for
 * good. *frame is its first machine frame, as XG_VM_FRAME_MMIO() and
 * xg_domctl_memory_mapping() take it. Returns the device's number, for the
 * functions below. -XG_EIO: machine memory is used up.
 */
int32_t xg_sim_device_create(const struct xg_sim *sim, uint32_t pages,
			     uint64_t *frame);

/*
 * What the register at `offset`, a multiple of 4, holds. -XG_ENOENT: no such
 * device or register.
 */
int32_t xg_sim_device_read(const struct xg_sim *sim, uint32_t device,
			   uint32_t offset, uint32_t *value);

/*
 * Have it hold `value`, as the hardware would. -XG_ENOENT: no such device or
 * register.
 */
int32_t xg_sim_device_write(const struct xg_sim *sim, uint32_t device,
			    uint32_t offset, uint32_t value);

/*
 * Let the domain's `n`-th hypercall from now on (the next is 1) fail: it does
 * nothing, and its result is the negative of `error`, whose sign is ignored.
 * -XG_EINVAL: `n` or `error` is 0.
 */
int32_t xg_sim_fail_hypercall(const struct xg_sim_domain *domain, uint64_t n,
			      int32_t error);

/*
 * Let the domain's `n`-th call of a hook from now on fail, with nothing done:
 * XG_SIM_HOOK_MAP, XG_SIM_HOOK_UNMAP or XG_SIM_HOOK_PAGE_ALLOC. The first two
 * return -XG_ENOMEM.
 */
int32_t xg_sim_fail_hook(const struct xg_sim_domain *domain, uint32_t hook,
			 uint64_t n);

/*
 * Let the `n`-th single mapping of a grant from now on fail with `status`
 * (GNTST_*, xen/grant_table.h).
 */
int32_t xg_sim_fail_grant_map(const struct xg_sim_domain *domain, uint64_t n,
			      int16_t status);

/*
 * Let the `n`-th single unmapping of a grant from now on fail with `status`;
 * the mapping stays.
 */
int32_t xg_sim_fail_grant_unmap(const struct xg_sim_domain *domain, uint64_t n,
				int16_t status);

/* How many faults of the domain have not happened yet. */
int32_t xg_sim_faults_left(const struct xg_sim_domain *domain);

/* Take back all faults of the domain that have not happened yet. */
int32_t xg_sim_clear_faults(const struct xg_sim_domain *domain);

/*
 * A hypercall of the domain, as its firmware would make it: number and
 * arguments as in xen/xen.h, Xen's result. Upcalls that are due run before it
 * returns.
 *
 * Every address among the arguments, and in structures that they point to, is
 * null or what the operation needs. Addresses of the domain's own memory are
 * checked.
 */
intptr_t xg_sim_hypercall(const struct xg_sim_domain *domain, uint32_t op,
			  uintptr_t a0, uintptr_t a1, uintptr_t a2,
			  uintptr_t a3, uintptr_t a4);

/*
 * Notify a port of the domain `times` times, without the library. 0, or the
 * first error.
 */
int32_t xg_sim_storm(const struct xg_sim_domain *domain, uint32_t port,
		     uint32_t times);

/*
 * Map grant `gref` of domain `owner` at an empty frame of this domain and
 * make it accessible, without the library: the address goes to *va, the
 * handle to *handle. Nothing but xg_sim_unmap_grant(), or the domain's death,
 * ends it.
 *
 *   -XG_EACCES  Xen does not map it: not granted to this domain, or not for
 *               writing, or no such domain
 *   -XG_ENOMEM  no empty frame is left
 *   -XG_EINVAL  null pointers
 */
int32_t xg_sim_map_grant(const struct xg_sim_domain *domain, uint16_t owner,
			 uint32_t gref, bool readonly, void **va,
			 uint32_t *handle);

/*
 * Undo xg_sim_map_grant(). -XG_EACCES: Xen does not know the mapping, and
 * nothing is changed.
 */
int32_t xg_sim_unmap_grant(const struct xg_sim_domain *domain, void *va,
			   uint32_t handle);

/*
 * Record what happens from now on, up to `records` hypercalls, events,
 * upcalls and mappings of other domains' pages; 0 stops it, as at first. What
 * was recorded before is forgotten.
 */
int32_t xg_sim_record_trace(const struct xg_sim *sim, uint32_t records);

/*
 * Write the timeline since xg_sim_record_trace() to the file `path`, as JSON
 * that Chrome's trace viewer (chrome://tracing) and Perfetto open. What has
 * not ended yet ends now, and is marked as open. -XG_EACCES: the file can't
 * be written.
 */
int32_t xg_sim_write_trace(const struct xg_sim *sim, const char *path);

#ifdef __cplusplus
}
#endif

#endif /* XEN_GUEST_SIM_H */
