/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Late end of event (csrc/evtchn_late.c): one port, 2-level ABI, held back from
 * the call of its handler until a worker on another CPU says that the work is
 * done. A third thread masks and unmasks the port, or (OFF) turns late ends
 * off.
 *
 *   here               in csrc/evtchn_late.c
 *   hold()             xg_evtchn_hold()
 *   release()          xg_evtchn_release(), which xg_evtchn_done() ends with
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
 * mutant: LATE_NOT_REREAD off: hold does not read `late` again
 * mutant: HELD_NOT_REREAD off: hold does not look whether it was ended already
 * mutant: CALL_WHILE_HELD masker: the event of a held port goes to its handler
 * mutant: OFF_LOOKS_FIRST off: set_late reads `held` before it clears `late`
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

inline release(p)
{
	d_step { deliver = held & BIT(p); held = held & ~BIT(p) };
	if
	:: deliver -> settle(p)
	:: else
	fi
}

/* And what call_some() does next. */
inline hold(p)
{
	d_step { deliver = held & BIT(p); held = held | BIT(p) };
#ifdef MUTANT_CALL_WHILE_HELD
	deliver = 0;
#endif
	if
	:: deliver -> put_back(p)
	:: else ->
	   ops_mask(p);
#ifndef MUTANT_LATE_NOT_REREAD
	   if
	   :: late & BIT(p)
	   :: else -> held = held & ~BIT(p)
	   fi;
#endif
#ifndef MUTANT_HELD_NOT_REREAD
	   if
	   :: held & BIT(p)
	   :: else -> settle(p)
	   fi;
#endif
	   call_handler(p)
	fi
}

inline set_late_off(p)
{
#ifdef MUTANT_OFF_LOOKS_FIRST
	old = held & BIT(p);
	d_step { was_on = 0; late = late & ~BIT(p) };
#else
	d_step { was_on = 0; late = late & ~BIT(p) };
	old = held & BIT(p);
#endif
	if
	:: old -> release(p)
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
	d_step { old = selector; selector = 0 };
	if
	:: old -> serve_word(1)
	:: else
	fi
}

active proctype vcpu()
{
	LOCALS;
	byte h, budget, found, others, back, port, start, later;

end:	do
	:: d_step { interrupt -> interrupt = 0 };
	   upcall();
	   atomic {
		FORGET_LOCALS;
		h = 0;
		found = 0;
		others = 0;
		later = 0;
		start = 0
	   }
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
