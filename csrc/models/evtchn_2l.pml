/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The 2-level upcall (csrc/evtchn_2l.h) against Xen and against threads that
 * mask, unmask and take a port's event, the subject's. Two ports in one word,
 * both bound.
 *
 * What is what in csrc/: upcall.inc, abi_2l.inc
 *
 * Holds:
 *  - no event is lost: when all is quiet, each raise was followed by a call
 *    of the handler, or its port is masked and visibly pending; and once
 *    unmasked it is delivered
 *  - the mask bit is as the last call left it
 *  - an event that a handler's mask holds back is visibly pending once the
 *    upcall is over (run `inside`)
 *  - a visit that began after a port was masked does not call its handler
 *  - no handler is called more often than its port was raised
 *  - the upcall and the calls end (run `progress`)
 *  - a port's event is served though the other's peer raises without end and
 *    the budget is one event (run `storm`)
 *
 * run: safety safety
 * run: again safety -DAGAIN
 * run: single safety -DSINGLE
 * run: inside safety -DINSIDE
 * run: progress progress -DINSIDE -DSINGLE
 * run: storm liveness -DSTORM
 * mutant: UNMASK_WITHOUT_A_LOOK safety: pending is not read after the mask bit was cleared
 * mutant: UNMASK_UNMASKED safety: Xen is asked to unmask a port that is not masked
 * mutant: CLEAR_BY_STORE again: pending bits are cleared by load and store
 * mutant: SERVE_WHAT_WAS_TAKEN safety: events that somebody else took are served
 * mutant: SERVE_MASKED safety: ports masked since their mask bit was read are served
 * mutant: SERVE_MASKED single: the same of a single event's port
 * mutant: ACKNOWLEDGE_LATE again: upcall_pending is cleared after the selector was taken
 * mutant: LEFT_WITHOUT_SELECTOR again: a used-up budget leaves the selector clear
 * mutant: MASK_BEFORE_PENDING safety: an event is put back after its port was masked
 * mutant: PUT_BACK_WITHOUT_A_LOOK safety: put_back does not settle the port
 * mutant: MASK_NEVER_SETTLES safety: mask does not look for an unmask that came between
 * mutant: SETTLE_ONCE safety: settle does not look again
 * mutant: PASSED_KEPT progress: a pass without words leaves what the one before had passed
 * mutant: START_AT_0 storm: each upcall starts at the lowest port
 */

#define PORTS 2
#define NEXT(word) LOWEST(word)
#ifdef STORM
#define COUNT(p) skip
#define UNCOUNT(p) skip
#else
#define COUNT(p) if :: !old -> credit[p]++ :: else fi
#define UNCOUNT(p) credit[p]--
#endif

#ifdef INSIDE
#define SUBJECT 1
#else
#define SUBJECT 0
#endif

#ifdef AGAIN		/* a port is raised twice, a thread makes two calls */
#define RAISE_AGAIN xen_raise(0)
#define THREADS 1
#define CALLS 2
#elif defined(INSIDE)	/* a handler masks the other port */
#define RAISE_AGAIN skip
#define THREADS 1
#define CALLS 1
#else			/* two threads, one port */
#define RAISE_AGAIN skip
#define THREADS 2
#define CALLS 2
#endif

#include "upcall.inc"
#include "abi_2l.inc"

byte passed;	/* struct xg_vcpu */
bit meddled;

inline run_handler(p)
{
	d_step {
		assert(!(quiet & BIT(p)));
		owed = owed & ~BIT(p);
#ifndef STORM
		assert(credit[p]);
		credit[p]--
#endif
	};
#ifdef INSIDE
	/* Once, the handler of one masks the other, on this vCPU. */
	if
	:: p != SUBJECT && !meddled ->
	   meddled = 1;
	   mask_port(SUBJECT, true)
	:: true
	fi
#endif
}

inline choose_budget()
{
#ifdef STORM
	budget = 1
#else
	if
	:: budget = 1
	:: budget = 3
	fi
#endif
}

inline serve()
{
	serve_pass()
}

active proctype vcpu()
{
	LOCALS;
	PASS_LOCALS;

end:	do
	:: d_step { interrupt -> interrupt = 0 };
	   upcall();
	   atomic { FORGET_LOCALS; FORGET_PASS }
	od
}

active [2] proctype xen()
{
	byte old;

#ifdef STORM
	if
	:: _pid == 1 -> do :: xen_raise(0) od
	:: else -> xen_raise(1)
	fi
#else
	if
	:: _pid == 1 -> xen_raise(0); RAISE_AGAIN
	:: else -> skip;
#if defined(AGAIN) || defined(INSIDE)
	   xen_raise(1)
#endif
	fi
#endif
}

#ifdef STORM

ltl served { [] ((owed & 2) -> <> !(owed & 2)) }

#else

active [THREADS] proctype thread()
{
	LOCALS;
	byte left = (_pid == 3 -> CALLS : 1);

	do
	:: left -> mask_port(SUBJECT, false); atomic { left--; FORGET_LOCALS }
	:: left -> unmask_port(SUBJECT); atomic { left--; FORGET_LOCALS }
	:: left -> ops_take_pending(SUBJECT); left--
	:: break
	od
}

init
{
	LOCALS;

	timeout;
	assert(!(owed & ~(pending & masked)));
	assert(maskbits == masked);
	assert(!serving);
	unmask_port(SUBJECT);
	timeout;
	assert(!owed && !pending && !maskbits)
}
#endif
