/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The FIFO upcall (csrc/evtchn_fifo.h) against Xen, which links ports, and
 * threads that mask and unmask the subject, port 1. Port 2 shares its queue;
 * port 3 has the queue of higher priority.
 *
 *   here               in csrc/
 *   ops_mask() ...     xg_port_mask() and others           evtchn_port.c
 *   unlink()           unlink()                            evtchn_fifo.h
 *   call_handler()     deliver(), xg_port_call()           evtchn_deliver.h
 *   serve()            serve_queues()
 *   xen_raise()        Xen: EVTCHNOP_send and others, one queue per port
 *   xen_unmask()       Xen: EVTCHNOP_unmask
 *   the rest           upcall.inc
 *
 * Holds:
 *  - no event is lost: when all is quiet, each raise was followed by a call
 *    of the handler, or its port is masked and visibly pending; and once
 *    unmasked it is delivered
 *  - a visit that began after a port was masked does not call its handler,
 *    and no handler is called without an event
 *  - Xen's compare-and-swap of a link succeeds within the tries it has
 *  - when a handler is called, no port of higher priority was ready already
 *    when the one before it was done
 *  - the upcall ends (run `progress`)
 *
 * run: safety safety
 * run: queue safety -DQUEUE
 * run: flips safety -DFLIPS
 * run: priority safety -DPRIORITY
 * run: progress progress -DPRIORITY
 * mutant: UNMASK_WITHOUT_XEN safety: unmask leaves a pending event out of its queue
 * mutant: UNMASK_WHILE_BUSY flips: unmask does not wait while Xen links
 * mutant: UNLINK_BY_STORE queue: a port is taken out of its queue by load and store
 * mutant: TAKE_MASKED safety: unlink takes the event of a masked port
 * mutant: MASK_READ_AFTER safety: whether to deliver is read after the unlink
 * mutant: SERVE_MASKED safety: ports masked since they were unlinked are served
 * mutant: MASK_BEFORE_PENDING safety: an event is put back after its port was masked
 * mutant: PUT_BACK_WITHOUT_A_LOOK safety: put_back does not settle the port
 * mutant: HEAD_ALWAYS queue: the head is written behind the last port too
 * mutant: READY_DROPPED queue: ready queues are not put back with them
 * mutant: ACKNOWLEDGE_LATE queue: upcall_pending is cleared after the queues were served
 * mutant: READY_ONCE priority: what became ready meanwhile is not looked for
 * mutant: LOWEST_FIRST priority: the queue of lowest priority goes first
 */

#define PORTS 4
#define QUEUES 2
#define QUEUE_OF(p) ((p) == 3 -> 0 : 1)

#include "upcall.inc"

/* A port's word: the number of the next port, and these. */
#define LINK 3
#define LINKED 4
#define BUSY 8
#define MASKED 16
#define PENDING 32

byte word[PORTS];
byte head[QUEUES], ready;	/* shared with Xen */
byte tail[QUEUES];			/* Xen's */
bit lock[QUEUES];

/* Of the model: port 3 is in a ready queue; and was when the upcall looked. */
bit urgent, was_urgent;

/* For xen_raise(), in Xen or in a hypercall. */
#define NEW(p) (asked -> 0 : BIT(p))
#define XEN_LOCALS byte w, tries; bit linked, asked

/* The link of the queue's last word, if that is still in the queue. */
inline xen_set_link(p)
{
	w = word[tail[QUEUE_OF(p)]];
	tries = 0;
	do
	:: !(w & LINKED) ->
	   if
	   :: tries -> word[tail[QUEUE_OF(p)]] = word[tail[QUEUE_OF(p)]] & ~BUSY
	   :: else
	   fi;
	   break
	:: else ->
	   d_step {
		old = word[tail[QUEUE_OF(p)]];
		if
		:: old == w ->
		   word[tail[QUEUE_OF(p)]] = (w & ~(BUSY | LINK)) | p
		:: else
		fi
	   };
	   if
	   :: old == w -> linked = 1; break
	   :: else
	   fi;
	   assert(tries < 4);
	   if
	   :: !tries ->
	      word[tail[QUEUE_OF(p)]] = word[tail[QUEUE_OF(p)]] | BUSY;
	      w = word[tail[QUEUE_OF(p)]]
	   :: else -> w = old
	   fi;
	   tries++
	od
}

inline xen_raise(p)
{
	d_step { !lock[QUEUE_OF(p)] -> lock[QUEUE_OF(p)] = 1 };
	d_step { word[p] = word[p] | PENDING; owed = owed | NEW(p) };
	linked = 1;
	if
	:: word[p] & MASKED
	:: else ->
	   d_step { old = word[p] & LINKED; word[p] = word[p] | LINKED };
	   if
	   :: old
	   :: else ->
	      linked = 0;
	      if
	      :: tail[QUEUE_OF(p)] == p -> tail[QUEUE_OF(p)] = 0
	      :: else
	      fi;
	      if
	      :: tail[QUEUE_OF(p)] -> xen_set_link(p)
	      :: else
	      fi;
	      if
	      :: !linked -> head[QUEUE_OF(p)] = p
	      :: else
	      fi;
	      tail[QUEUE_OF(p)] = p
	   fi
	fi;
	lock[QUEUE_OF(p)] = 0;
	if
	:: linked
	:: else ->
	   d_step {
		old = ready & BIT(QUEUE_OF(p));
		ready = ready | BIT(QUEUE_OF(p));
		urgent = (p == 3 -> 1 : urgent)
	   };
	   if
	   :: old
	   :: else -> raise_interrupt()
	   fi
	fi
}

inline xen_unmask(p)
{
	word[p] = word[p] & ~MASKED;
	if
	:: word[p] & PENDING -> xen_raise(p)
	:: else
	fi
}

inline ops_mask(p)
{
	word[p] = word[p] | MASKED
}

inline ops_unmask(p)
{
#ifdef MUTANT_UNMASK_WHILE_BUSY
	d_step { old = word[p]; word[p] = word[p] & ~MASKED };
#else
	/* The loop of relax and compare-and-swap, as the one step that it ends
	 * with. */
	d_step { !(word[p] & BUSY) -> old = word[p]; word[p] = word[p] & ~MASKED };
#endif
#ifndef MUTANT_UNMASK_WITHOUT_XEN
	if
	:: (old & MASKED) && !(old & LINKED) ->
	   if
	   :: word[p] & PENDING ->
	      ops_mask(p);
	      asked = 1;
	      xen_unmask(p);
	      asked = 0
	   :: else
	   fi
	:: else
	fi
#endif
}

inline ops_set_pending(p)
{
	word[p] = word[p] | PENDING
}

inline unlink(p)
{
#ifdef MUTANT_UNLINK_BY_STORE
	word_was = word[p];
	word[p] = (word_was & MASKED -> word_was & ~(LINKED | LINK)
		   : word_was & ~(LINKED | LINK | PENDING))
#else
	d_step {
		word_was = word[p];
#ifdef MUTANT_TAKE_MASKED
		word[p] = word[p] & ~(LINKED | LINK | PENDING)
#else
		word[p] = (word_was & MASKED -> word_was & ~(LINKED | LINK)
			   : word_was & ~(LINKED | LINK | PENDING))
#endif
	}
#endif
}

inline call_handler(p)
{
#ifdef MUTANT_SERVE_MASKED
	run_handler(p)
#else
	if
	:: STOPPED(p) -> put_back(p)
	:: else -> run_handler(p)
	fi
#endif
}

inline serve_port(p)
{
	visit_begins();
	unlink(p);
	next = word_was & LINK;
#ifdef MUTANT_HEAD_ALWAYS
	head[queue] = next;
#endif
	if
	:: next -> head[queue] = next
	:: else -> mine = mine & ~BIT(queue)
	fi;
#ifdef MUTANT_MASK_READ_AFTER
	served = (word_was & PENDING) && !(word[p] & MASKED);
#else
	served = (word_was & (PENDING | MASKED)) == PENDING;
#endif
	if
	:: served -> call_handler(p)
	:: else
	fi;
	atomic {
		if
		:: p == 3 -> urgent = 0
		:: else
		fi;
		was_urgent = urgent
	}
}

inline take_ready()
{
	d_step { mine = mine | ready; ready = 0 }
}

inline run_handler(p)
{
	d_step {
		assert(!(quiet & BIT(p)));
		assert(p == 3 || !was_urgent);
		owed = owed & ~BIT(p)
	}
}

inline serve()
{
	mine = 0;
	take_ready();
	do
	:: mine && budget ->
#ifdef MUTANT_LOWEST_FIRST
	   queue = (mine & 2 -> 1 : 0);
#else
	   queue = (mine & 1 -> 0 : 1);
#endif
	   p = head[queue];
	   next = 0;
	   if
	   :: p ->
	      serve_port(p);
	      if
	      :: served -> budget--
	      :: else
	      fi
	   :: else -> mine = mine & ~BIT(queue)
	   fi;
#ifndef MUTANT_READY_ONCE
	   if
	   :: ready -> take_ready()
	   :: else
	   fi
#endif
	:: else -> break
	od;
	if
	:: budget
	:: else ->
#ifndef MUTANT_READY_DROPPED
	   ready = ready | mine;
#endif
	   upcall_pending = 1
	fi;
	visit_ends();
	atomic { mine = 0; next = 0; queue = 0; p = 0; word_was = 0; served = 0 }
}

inline choose_budget()
{
	if
	:: budget = 1
	:: budget = 3
	fi
}

active proctype vcpu()
{
	LOCALS;
	XEN_LOCALS;
	byte budget, mine, queue, p, next, word_was;
	bit served;

end:	do
	:: d_step { interrupt -> interrupt = 0 };
	   upcall();
	   atomic { FORGET_LOCALS; w = 0; tries = 0; linked = 0 }
	od
}

#ifdef PRIORITY
#define RAISES 3
#elif defined(QUEUE) || defined(FLIPS)
#define RAISES 2
#else
#define RAISES 1
#endif

active [RAISES] proctype xen()
{
	byte old;
	XEN_LOCALS;

	if
	:: _pid == 1 ->
	   xen_raise(1);
#ifdef QUEUE
	   xen_raise(1)
#endif
	:: _pid == 2 -> xen_raise(2)
	:: _pid == 3 -> xen_raise(3)
	fi;
	atomic { old = 0; w = 0; tries = 0; linked = 0 }
}

#ifdef FLIPS
active proctype thread()
{
	LOCALS;
	XEN_LOCALS;
	byte left = 6;

	do
	:: left -> ops_mask(1); ops_unmask(1); left--
	:: else -> break
	od
}
#elif !defined(PRIORITY)
active proctype thread()
{
	LOCALS;
	XEN_LOCALS;

	mask_port(1, false);
#ifndef QUEUE
	if
	:: unmask_port(1)
	:: mask_port(1, false)
	:: true
	fi;
#endif
	atomic { FORGET_LOCALS; w = 0; tries = 0; linked = 0 }
}

#ifndef QUEUE
active proctype unmasker()
{
	LOCALS;
	XEN_LOCALS;

	unmask_port(1);
	atomic { FORGET_LOCALS; w = 0; tries = 0; linked = 0 }
}
#endif
#endif

init
{
	LOCALS;
	XEN_LOCALS;

	timeout;
	assert(!(owed & ~masked) && (!(owed & BIT(1)) || (word[1] & PENDING)));
	assert(!serving);
	assert(!(word[1] & MASKED) == !(masked & BIT(1)));
	unmask_port(1);
	timeout;
	assert(!owed && !word[1] && !word[2] && !word[3])
}
