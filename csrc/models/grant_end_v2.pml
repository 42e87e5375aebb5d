/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Ending grants with version 2 of the table (csrc/gntv2.c), where the flags
 * and who uses the page are in two places: two CPUs of the guest, each with a
 * page that it grants and ends in turn with the same reference, a third that
 * ends what it finds, and a peer that maps at any time, writing or not.
 *
 *   here           in csrc/gntv2.c
 *   publish()      publish()
 *   revoke()       xg_gntv2_revoke(); its full barrier is the order of the
 *                  steps here
 *   take(), free() the reference, which is another model's: grant_end.pml
 *   xen_map()      Xen: the flags, the status, the flags again, the frame
 *   xen_unmap()    Xen: the status, once nobody has the page mapped
 *
 * Holds:
 *  - once end has succeeded no peer has the page mapped, and none maps it
 *  - the peer gets the page that is granted, never a mixture of two grants
 *  - what was busy is granted as before: a peer can map it
 *  - one end of a grant succeeds, and who comes too late finds none; who comes
 *    in the middle finds it busy
 *
 * run: peer safety
 * mutant: STATUS_FIRST peer: the status is read before the flags are taken
 * mutant: STATUS_NOT_READ peer: the status is read before only
 * mutant: NOT_PUT_BACK peer: what was busy stays without flags
 * mutant: NO_FLAGS peer: the flags are 0 while the grant is being ended
 * mutant: FREE_FIRST peer: the reference is free before the flags are 0
 * mutant: FLAGS_FIRST peer: the flags are stored before the frame
 * mutant: END_BY_STORE peer: the flags are taken by load and store
 */

#define CPUS 2
#define ROUNDS 2

/* The entry: flags, and which page; and its status. One will do: the CPUs use
 * it by turns. */
#define ACCESS 1
#define READING 2
#define WRITING 4
#define ENDING 8
byte flags, frame, status;

/* Of the model: whether the reference is taken, who is ending it, whether a
 * page is granted, and whether the peer has it. CPUs and their pages count
 * from 1. */
bit taken;
byte enders;
bit granted[CPUS + 1], mapped[CPUS + 1];

/* What an end says. */
#define ENDED 0
#define BUSY 1
#define NONE 2

inline publish()
{
	granted[me] = 1;
#ifdef MUTANT_FLAGS_FIRST
	flags = ACCESS;
	frame = me
#else
	frame = me;
	flags = ACCESS
#endif
}

/* It is decided: from here on nobody has the page. */
inline ended()
{
	assert(granted[frame] && !mapped[frame]);
	granted[frame] = 0
}

inline revoke()
{
	atomic { said = BUSY; enders++ };
	old = flags;
	if
	:: !old -> said = NONE
	:: old == ENDING
	:: else ->
	   if
	   :: status
	   :: else ->
#ifdef MUTANT_STATUS_FIRST
	      busy = status;
#endif
#ifdef MUTANT_END_BY_STORE
	      now = flags;
	      flags = ENDING;
#else
	      d_step {
		now = flags;
#ifdef MUTANT_NO_FLAGS
		flags = (now == old -> 0 : now)
#else
		flags = (now == old -> ENDING : now)
#endif
	      };
#endif
	      if
	      :: now != old -> said = (now -> BUSY : NONE)
	      :: else ->
		 atomic {
#if !defined(MUTANT_STATUS_FIRST) && !defined(MUTANT_STATUS_NOT_READ)
			busy = status;
#endif
			if
			:: busy
			:: else -> ended()
			fi
		 };
		 if
		 :: busy ->
#ifndef MUTANT_NOT_PUT_BACK
		    flags = old;
#endif
		    skip
		 :: else ->
		    said = ENDED;
#ifdef MUTANT_FREE_FIRST
		    free();
		    flags = 0
#else
		    flags = 0;
		    free()
#endif
		 fi
	      fi
	   fi
	fi;
	atomic { old = 0; now = 0; busy = 0; enders-- }
}

inline take()
{
	atomic { !taken -> taken = 1 }
}

inline free()
{
	taken = 0
}

active [CPUS] proctype cpu()
{
	byte me = _pid + 1, left = ROUNDS;
	byte old, now, said;
	byte busy;

	do
	:: left ->
	   left--;
	   take();
	   publish();
	   do
	   :: revoke();
	      if
	      :: said == BUSY ->
		 /* With nobody else at it, it is what it was. */
		 assert(!granted[me] || enders || flags == ACCESS)
	      :: else -> break
	      fi
	   od;
	   /* By this CPU or by another: not granted any more. */
	   assert(!granted[me])
	:: else -> break
	od
}

active proctype other()
{
	byte left = 2, old, now, said;
	byte busy;

	do
	:: left ->
	   left--;
	   revoke()
	:: else -> break
	od
}

inline xen_map()
{
	if
	:: flags == ACCESS ->
	   status = how;
	   if
	   :: flags == ACCESS ->
	      page = frame;
	      d_step { assert(granted[page]); mapped[page] = 1 }
	   :: else -> status = 0
	   fi
	:: else
	fi
}

inline xen_unmap()
{
	if
	:: page ->
	   mapped[page] = 0;
	   status = 0
	:: else
	fi
}

active proctype peer()
{
	byte page, how, left = 3;

	do
	:: left ->
	   left--;
	   if
	   :: how = READING
	   :: how = READING | WRITING
	   fi;
	   xen_map();
	   xen_unmap();
	   page = 0;
	   how = 0
	:: else -> break
	od
}

init
{
	timeout;
	assert(!flags && !status && !taken && !granted[1] && !granted[2])
}
