/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Late end of event (csrc/evtchn_late.c): one port, 2-level ABI, held back from
 * the call of its handler until a worker on another CPU says that the work is
 * done. A third thread masks and unmasks the port, or (OFF) turns late ends
 * off.
 *
 *   here               in csrc/
 *   hold()             what holds in call_special()        evtchn_deliver.h
 *   release()          xg_evtchn_release(), which          evtchn_late.c
 *                      xg_evtchn_done() ends with
 *   set_late_off()     xg_evtchn_set_late(.., false)
 *   the rest           upcall.inc, abi_2l.inc
 *
 * Holds:
 *  - while late ends are on, the handler is not called again before the
 *    worker says that it is done
 *  - no event is lost, and no hold is left that nobody ends
 *
 * run: masker safety
 * run: off safety -DOFF
 * mutant: LATE_READ_BEFORE off: hold relies on `late` as the upcall saw it
 * mutant: HELD_NOT_REREAD off: hold does not look whether it was ended already
 * mutant: CALL_WHILE_HELD masker: the event of a held port goes to its handler
 * mutant: OFF_LOOKS_FIRST off: set_late reads `held` before it clears both
 * mutant: MASK_BEFORE_PENDING masker: an event is put back after its port was masked
 */

#define PORTS 1
#define NEXT(word) 0
#define COUNT(p) if :: !old -> credit[p]++ :: else fi
#define UNCOUNT(p) credit[p]--
#define LATE

byte late = 1;

#include "upcall.inc"
#include "abi_2l.inc"

/* Of the model: pieces of work that are not done; late ends were on since the
 * handler was called. */
byte work;
bit was_on;
byte passed;	/* struct xg_vcpu */

inline release(p)
{
	d_step { old = held & BIT(p); held = held & ~BIT(p) };
	if
	:: old -> settle(p)
	:: else
	fi
}

inline hold(p)
{
#ifdef MUTANT_LATE_READ_BEFORE
	held = held | BIT(p);
#else
	d_step {
		special = late & BIT(p);
		held = (special -> held | BIT(p) : held)
	};
#endif
	if
	:: special ->
#ifdef MUTANT_HELD_NOT_REREAD
	   ops_mask(p)
#else
	   settle(p)
#endif
	:: else
	fi
}

inline set_late_off(p)
{
#ifdef MUTANT_OFF_LOOKS_FIRST
	old = held & BIT(p);
	d_step { was_on = 0; late = late & ~BIT(p); held = held & ~BIT(p) };
#else
	d_step {
		was_on = 0;
		old = (late | held) & BIT(p);
		late = late & ~BIT(p);
		held = held & ~BIT(p)
	};
#endif
	if
	:: old -> settle(p)
	:: else
	fi
}

inline run_handler(p)
{
	d_step {
		assert(!(quiet & BIT(p)));
		assert(credit[p]);
		assert(!was_on || !work);
		credit[p]--;
		owed = owed & ~BIT(p);
		was_on = late;
		work++
	}
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

active proctype xen()
{
	byte old;

	xen_raise(0);
	xen_raise(0)
}

/* Nobody says that an event is over when late ends are off. */
active proctype worker()
{
	LOCALS;

end:	do
	:: work ->
	   d_step { work--; was_on = 0 };
	   if
	   :: !late
	   :: else ->
	      if
	      :: held & 1 -> release(0)
	      :: else -> assert(!late)
	      fi
	   fi;
	   atomic { FORGET_LOCALS }
	od
}

active proctype thread()
{
	LOCALS;

#ifdef OFF
	set_late_off(0)
#else
	mask_port(0, false);
	unmask_port(0)
#endif
}

init
{
	timeout;
	assert(!owed && !pending && !maskbits && !held && !work)
}
