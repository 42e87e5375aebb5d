/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Moving a port to another vCPU (csrc/evtchn_vcpu.c; 2-level ABI) while it is
 * raised and another thread unmasks it. Which vCPU serves it is in two
 * places: Xen's own, which says whom to tell, and the library's `ports`, by
 * which a vCPU leaves others' pending bits alone.
 *
 *   here               in csrc/
 *   move()             xg_evtchn_bind_vcpu()               evtchn_vcpu.c
 *   serve_vcpu()       serve(), with serve_words()         evtchn_upcall.c
 *   xen_...(), ops_..  as in abi_2l.inc, with a selector per vCPU
 *   the rest           upcall.inc
 *
 * Holds:
 *  - no event is lost, whoever unmasks the port meanwhile
 *  - the vCPU that the port went to serves what is raised afterwards
 *
 * run: safety safety
 * mutant: SETTLE_WITHOUT_MASK safety: settle relies on the mask bit that move set
 * mutant: PORTS_NOT_MOVED safety: only Xen is told of the new vCPU
 */

#define PORTS 1
#define MOVE
#include "upcall.inc"

bit pending, maskbit;
bit selector[2], told[2];	/* told: upcall_pending */
bit visiting[2];		/* `serving` */
byte xen_vcpu, vcpu_of;		/* Xen's and the library's */

inline xen_announce()
{
	d_step { to = xen_vcpu; old = selector[to]; selector[to] = 1 };
	if
	:: old
	:: else -> told[to] = 1
	fi
}

inline xen_raise()
{
	d_step { old = pending; pending = 1; owed = 1 };
	if
	:: old
	:: else ->
	   if
	   :: maskbit
	   :: else -> xen_announce()
	   fi
	fi
}

inline ops_mask(p)
{
	maskbit = 1
}

inline ops_unmask(p)
{
	d_step { old = maskbit; maskbit = 0 };
	if
	:: old ->
	   if
	   :: pending ->
	      maskbit = 1;
	      d_step { old = maskbit; maskbit = 0 };
	      if
	      :: old && pending -> xen_announce()
	      :: else
	      fi
	   :: else
	   fi
	:: else
	fi
}

inline move(n)
{
	moving = BIT(0);
	ops_mask(0);
	/* xg_evtchn_stop(). */
	!visiting[0];
	!visiting[1];
	xen_vcpu = n;
#ifndef MUTANT_PORTS_NOT_MOVED
	vcpu_of = n;
#endif
	moving = 0;
	settle(0)
}

inline ops_set_pending(p)
{
	pending = 1
}

inline serve_vcpu(n)
{
	visiting[n] = 1;
	d_step { taken = selector[n]; selector[n] = 0 };
	if
	:: taken ->
	   taken = !maskbit;
	   taken = taken && vcpu_of == n;
	   if
	   :: taken -> d_step { taken = pending; pending = 0 }
	   :: else
	   fi;
	   if
	   :: taken && !STOPPED(0) -> owed = 0
	   :: taken && STOPPED(0) -> put_back(0)
	   :: else
	   fi;
	   atomic { taken = 0; to = 0; FORGET_LOCALS }
	:: else
	fi;
	visiting[n] = 0
}

/* Level, not edge: with one port the flag says it all. */
active [2] proctype vcpu()
{
	LOCALS;
	byte to;
	bit taken;

end:	do
	:: d_step { told[_pid] -> told[_pid] = 0 };
	   serve_vcpu(_pid)
	od
}

active proctype xen()
{
	byte old, to;

	xen_raise()
}

active proctype mover()
{
	LOCALS;
	byte to;

	move(1)
}

active proctype unmasker()
{
	LOCALS;
	byte to;

	settle(0);
	FORGET_LOCALS
}

init
{
	byte old, to;

	timeout;
	assert(!owed && !pending && !maskbit);
	xen_raise();
	timeout;
	assert(!owed && !pending && xen_vcpu == 1)
}
