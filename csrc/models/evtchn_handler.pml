/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Taking a handler away under the upcall (csrc/evtchn_handler.c,
 * evtchn_upcall.c; 2-level ABI). Port 0 is bound to handler 1 and raised
 * twice; it is re-bound, unbound and bound, or closed, opened and bound, to
 * handler 2, from another CPU (closed: CLOSE) or (INSIDE) by a handler on the
 * upcall's own, which may serve single events apart (SINGLE). Handlers use
 * their port; another thread masks and unmasks it. Or (ABOVE) an
 * interrupt above the upcall unbinds it, as that is about to call the handler,
 * and another CPU binds it.
 *
 *   here               in csrc/
 *   withdraw()         xg_evtchn_withdraw()                evtchn_handler.c
 *   install()          xg_evtchn_install()
 *   bind(), unbind()   xg_evtchn_bind(), xg_evtchn_unbind()
 *   close()            xg_evtchn_close()                   evtchn.c
 *   open()             xg_evtchn_alloc_unbound(), enter()
 *   the rest           upcall.inc, abi_2l.inc
 *
 * Holds:
 *  - once bind, unbind or close has returned the old handler is not running
 *    and never runs again (of its own port: once it returns)
 *  - a handler gets the data it was bound with
 *  - no event is lost: it goes to a handler, or stays visibly pending until
 *    there is one; closing ends it
 *  - a port that is opened again is masked for Xen, not for its owner, and
 *    its handler is called for events of its own only
 *  - nobody waits for ever
 *
 * run: elsewhere safety
 * run: masker safety -DMASKER
 * run: close safety -DCLOSE
 * run: inside safety -DINSIDE
 * run: above safety -DINSIDE -DABOVE
 * run: single safety -DINSIDE -DSINGLE
 * run: closing safety -DCLOSE -DSINGLE
 * mutant: NO_QUIESCE elsewhere: nobody waits for a running handler
 * mutant: VISIT_AFTER_MASK close: the upcall says where it is after it read the mask
 * mutant: WITHDRAW_WITHOUT_MASK close: closing leaves the mask bit as it is
 * mutant: QUIESCE_FIRST masker: the wait comes before the handler is gone
 * mutant: WITHDRAW_ONCE close: close does not look for a handler bound meanwhile
 * mutant: NO_STALE inside: close leaves the port its event in an upcall beneath
 * mutant: STALE_UNCOUNTED close: a closed port's next event is dropped
 * mutant: BIND_UNUSED above: bind waits only in place of a handler
 * mutant: WAIT_FOR_SELF inside: a handler waits for its own visit to end
 * mutant: HANDLER_BEFORE_DATA masker: bind stores the handler first
 * mutant: REPLACE_IN_PLACE elsewhere: bind does not withdraw the old handler
 * mutant: STAY_MASKED close: close leaves the port in `masked`
 * mutant: PUT_BACK_WITHOUT_A_LOOK masker: put_back does not settle the port
 * mutant: MASK_BEFORE_PENDING masker: an event is put back after its port was masked
 */

#define PORTS 2
/* Port 0 is the one that waits while its sibling is served. */
#define NEXT(word) HIGHEST(word)
#define COUNT(p) if :: !old -> credit[p]++ :: else fi
#define UNCOUNT(p) credit[p]--

#ifdef ABOVE
#define INTERRUPTED interrupted(port)
#endif

#include "upcall.inc"
#include "abi_2l.inc"

byte passed;		/* struct xg_vcpu */
byte code = 1, data = 1;	/* port 0's handler and its argument */
byte used = 3;		/* XG_PORT_USED */

/* Of the model. */
byte running;		/* whose handler */
byte gone;		/* handlers that are not to run any more */
bit acted;		/* the handler's one call is made */
bit unbound, may_unmask, closing; /* what others may do */
bit xen_lock, xen_open = 1;

#define OLD 1
#define NEW 2
#define SIBLING 3

inline withdraw(p, on_vcpu)
{
#ifdef MUTANT_QUIESCE_FIRST
	quiesce();
#endif
	handler[p] = 0;
#ifndef MUTANT_WITHDRAW_WITHOUT_MASK
	ops_mask(p);
#endif
#ifndef MUTANT_QUIESCE_FIRST
#ifdef MUTANT_WAIT_FOR_SELF
	quiesce();
#else
	if
	:: on_vcpu
	:: else -> quiesce(); used = used & ~BIT(p)
	fi
#endif
#endif
}

inline install(p, h)
{
	code = h;
#ifdef MUTANT_HANDLER_BEFORE_DATA
	d_step { handler[p] = h; used = used | BIT(p) };
	data = h;
#else
	data = h;
	d_step { handler[p] = h; used = used | BIT(p) };
#endif
	settle(p)
}

inline is_gone(h, on_vcpu)
{
	d_step { assert(on_vcpu || running != h); gone = gone | BIT(h) }
}

#ifdef MUTANT_REPLACE_IN_PLACE
#define GONE_IN_PLACE is_gone(OLD, on_vcpu)
#else
#define GONE_IN_PLACE skip
#endif

inline bind(p, h, on_vcpu)
{
#ifndef MUTANT_REPLACE_IN_PLACE
	if
#ifdef MUTANT_BIND_UNUSED
	:: handler[p] ->
#else
	:: used & BIT(p) ->
#endif
	   withdraw(p, on_vcpu);
	   is_gone(OLD, on_vcpu)
	:: else
	fi;
#endif
	install(p, h);
	GONE_IN_PLACE
}

inline unbind(p, on_vcpu)
{
	withdraw(p, on_vcpu);
	is_gone(OLD, on_vcpu)
}

inline close(p, on_vcpu)
{
	withdraw(p, on_vcpu);
#ifndef MUTANT_WITHDRAW_ONCE
	withdraw(p, on_vcpu);
#endif
	/* By any thread: it may have asked where it runs on this vCPU. */
	closed_now = closed_now | BIT(p);
	atomic {
#ifndef MUTANT_NO_STALE
		if
		:: stale = stale | BIT(p)
		:: !on_vcpu -> stale = stale & ~BIT(p)
		fi;
#endif
#ifndef MUTANT_STAY_MASKED
		masked = masked & ~BIT(p);
#endif
		opened = opened & ~BIT(p)
	};
	d_step { !xen_lock -> xen_lock = 1 };
	d_step {
		xen_open = 0;
		pending = pending & ~BIT(p);
		owed = owed & ~BIT(p);
		credit[p] = 0;
		xen_lock = 0
	};
	d_step {
		assert(on_vcpu || !running);
		gone = BIT(OLD) | BIT(NEW)
	}
}

inline open(p)
{
	d_step {
		gone = BIT(OLD);
		xen_open = 1;
		assert(!((pending | masked | held) & BIT(p)));
		assert(maskbits & BIT(p));
		assert(!handler[p])
	};
	opened = opened | BIT(p)
}

#ifdef ABOVE
/* Once. The handler is gone when bind has returned. */
inline interrupted(p)
{
	if
	:: p == 0 && !special && !acted ->
	   acted = 1;
	   withdraw(0, true);
	   unbound = 1
	:: true
	fi
}

inline act()
{
	skip
}
#elif defined(INSIDE)
/* What the handler of port 0 or of its sibling does, once. */
inline act()
{
	if
	:: bind(0, NEW, true)
	:: unbind(0, true); unbound = 1
	:: close(0, true); open(0); bind(0, NEW, true)
	:: mask_port(0, true); may_unmask = 1
	fi
}
#else
/* Handler 1 uses its port. Nobody else binds it while close runs, so that is
 * one of the uses. */
inline act()
{
#ifdef CLOSE
	if
	:: mask_port(0, true)
	:: mask_port(0, true); unmask_port(0)
	:: closing -> install(0, NEW)
	fi
#elif defined(MASKER)
	skip
#else
	mask_port(0, true)
#endif
}
#endif

inline run_handler(p)
{
	h = (p -> h : code);
	d_step {
		assert(p || !(gone & BIT(h)));
		assert(credit[p]);
		credit[p]--;
		owed = owed & ~BIT(p);
		running = (p -> SIBLING : h)
	};
	assert(p || data == running);
	if
#ifdef INSIDE
	:: !acted -> acted = 1; act()
#else
	:: h == OLD && p == 0 && !acted -> acted = 1; act()
#endif
	:: true
	fi;
	running = 0
}

inline choose_budget()
{
	budget = 3
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

/* Xen closes no port that it is raising. */
inline raise_open()
{
	d_step { !xen_lock -> xen_lock = 1 };
	if
	:: xen_open -> xen_raise(0)
	:: else
	fi;
	xen_lock = 0
}

active proctype xen()
{
	byte old;

	raise_open();
#ifndef MASKER
	raise_open()
#endif
}

#ifdef INSIDE

active proctype xen_sibling()
{
	byte old;

	xen_raise(1)
}

active proctype thread()
{
	LOCALS;

end:	if
	:: unbound -> bind(0, NEW, false)
	:: may_unmask -> unmask_port(0)
	fi
}

#else

active proctype owner()
{
	LOCALS;

#ifdef CLOSE
	closing = 1;
	close(0, false);
	closing = 0;
	open(0);
#else
	if
	:: unbind(0, false)
	:: true
	fi;
#endif
	bind(0, NEW, false)
}

#ifdef MASKER
active proctype masker()
{
	LOCALS;

	if
	:: mask_port(0, false)
	:: true
	fi;
	unmask_port(0)
}
#endif

#endif

init
{
	LOCALS;

	timeout;
	assert(!(owed & ~pending));
	assert(!serving && !running);
	if
	:: handler[0] -> assert(maskbits == masked)
	:: else -> bind(0, NEW, false)
	fi;
	unmask_port(0);
	timeout;
	assert(!owed && !pending && !maskbits)
}
