/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Granting, ending and recycling references (csrc/gnttab.c, gntref.c): two
 * CPUs of the guest, each with one page that it grants and ends in turn, and
 * a peer that maps any reference at any time, writing or not.
 *
 *   here               in csrc/
 *   take_near()        xg_gntref_take_near()               gntref.h
 *   take_from()        take_from(), take(), retire()       gntref.c
 *   alloc()            both, xg_gntref_take(), move_near()
 *   free()             xg_gntref_free(), xg_gntref_announce()
 *   revoke()           revoke_idle(), end_slowly()         gnttab.c
 *   grant(), end()     xg_gnttab_grant(), xg_gnttab_end()
 *   xen_map()          Xen: GNTTABOP_map_grant_ref, a compare-and-swap of the
 *                      flags before the frame is read
 *   xen_unmap()        Xen: GNTTABOP_unmap_grant_ref
 *
 * Holds:
 *  - once end has succeeded no peer has the page mapped, and none maps it
 *  - no reference is handed out twice, and none with flags of an old grant
 *  - the peer gets the page that is granted, never a mixture of two grants
 *  - a free reference is found eventually: when all is quiet, every word with
 *    one has its summary bit
 *  - with a reference in the word for each CPU nobody goes away without one
 *
 * run: peer safety
 * run: words safety -DWORDS
 * run: spread safety -DSPREAD
 * mutant: END_BY_STORE peer: flags are tested and then stored
 * mutant: RECYCLE_BUSY peer: a busy reference is freed
 * mutant: FREE_FIRST peer: the reference is free before the flags are 0
 * mutant: FLAGS_FIRST peer: the flags are stored before the frame
 * mutant: TAKE_BY_STORE words: the word's bit is cleared by load and store
 * mutant: SUMMARY_NOT_REREAD spread: the word is not looked at again
 * mutant: SUMMARY_CLEARED_LAST spread: the summary bit is cleared after that look
 * mutant: FREE_SUMMARY_FIRST spread: the summary bit is set before the word's
 */

#define BIT(n) (1 << (n))
#define CPUS 2
#define NONE 4

/* References 0 and 1 are in word 0, 2 and 3 in word 1. */
#if defined(WORDS)	/* both in one word, and nobody maps */
#define FREE_0 3
#define FREE_1 0
#define ROUNDS 3
#elif defined(SPREAD)	/* one in each word */
#define FREE_0 1
#define FREE_1 1
#define ROUNDS 3
#else
#define FREE_0 3
#define FREE_1 0
#define ROUNDS 2
#define PEER
#endif

byte words[2] = { FREE_0, FREE_1 };
byte summary = (FREE_0 -> 1 : 0) | (FREE_1 -> 2 : 0);

/* The entries: flags, and which page. */
#define ACCESS 1
#define READING 2
#define WRITING 4
byte flags[4], frame[4];

/* Of the model: the reference's owner, whether the owner's page is granted,
 * and whether the peer has it. CPUs and their pages count from 1. */
byte owner[4];
bit granted[CPUS + 1], mapped[CPUS + 1];
bit kept;		/* a CPU ends with a grant: its free mends nothing */
#define FREE(n) (!owner[n])

inline take_from(w)
{
	do
	:: word = words[w];
	   if
	   :: word ->
	      word = word & ~(word & (word - 1));
#ifdef MUTANT_TAKE_BY_STORE
	      old = words[w];
	      words[w] = old & ~word;
#else
	      d_step {
		old = words[w];
		words[w] = old & ~word
	      };
#endif
	      if
	      :: old & word -> gref = 2 * w + (word & 1 -> 0 : 1); break
	      :: else
	      fi
	   :: else ->
#ifdef MUTANT_SUMMARY_CLEARED_LAST
	      old = words[w];
	      if
	      :: !old -> summary = summary & ~BIT(w)
	      :: else
	      fi;
#else
	      summary = summary & ~BIT(w);
#ifndef MUTANT_SUMMARY_NOT_REREAD
	      if
	      :: words[w] -> summary = summary | BIT(w)
	      :: else
	      fi;
#endif
#endif
	      break
	   fi
	od
}

/* Every word from one on. */
inline take_all_from(w)
{
	i = w;
	do
	:: i < 2 && gref == NONE -> take_from(i); i++
	:: else -> break
	od
}

/* From any word: which one it is, is only a guess. Never its last. */
inline take_near()
{
	if
	:: i = 0
	:: i = 1
	fi;
	word = words[i];
	if
	:: word & (word - 1) ->
	   d_step {
		if
		:: words[i] == word ->
		   words[i] = word & (word - 1);
		   gref = 2 * i + (word & 1 -> 0 : 1)
		:: else
		fi
	   }
	:: else
	fi
}

inline alloc()
{
	gref = NONE;
	take_near();
	sum = summary;
	sum = (sum == 2 -> 1 : 0);
	take_all_from(sum);
	take_all_from(0);
	atomic {
		i = 0;
		sum = 0;
		word = 0;
		old = 0;
		if
		:: gref != NONE ->
		   assert(!owner[gref] && !flags[gref]);
		   owner[gref] = me
		:: else
#ifdef WORDS
		   -> assert(false)
#endif
		fi
	}
}

inline free()
{
	owner[gref] = 0;
#ifdef MUTANT_FREE_SUMMARY_FIRST
	if
	:: !words[gref / 2] -> summary = summary | BIT(gref / 2)
	:: else
	fi;
	words[gref / 2] = words[gref / 2] | BIT(gref % 2)
#else
	d_step {
		old = words[gref / 2];
		words[gref / 2] = old | BIT(gref % 2)
	};
	if
	:: !old -> summary = summary | BIT(gref / 2)
	:: else
	fi;
	old = 0
#endif
}

inline grant()
{
	granted[me] = 1;
#ifdef MUTANT_FLAGS_FIRST
	flags[gref] = ACCESS;
	frame[gref] = me
#else
	/* In one step for one grant, in two for a batch. */
	frame[gref] = me;
	flags[gref] = ACCESS
#endif
}

/* Until the peer lets go. What end says before is -XG_EBUSY. */
inline revoke()
{
	do
	:: old = flags[gref];
	   if
	   :: old & (READING | WRITING) ->
#ifdef MUTANT_RECYCLE_BUSY
	      break
#else
	      !(flags[gref] & (READING | WRITING))
#endif
	   :: else ->
#ifdef MUTANT_END_BY_STORE
	      flags[gref] = 0;
	      break
#else
	      d_step {
		sum = flags[gref] == old;
		flags[gref] = (sum -> 0 : flags[gref])
	      };
	      if
	      :: sum -> sum = 0; break
	      :: else
	      fi
#endif
	   fi
	od
}

inline end()
{
#ifdef MUTANT_FREE_FIRST
	free();
	revoke()
#else
	revoke();
	atomic { assert(!mapped[me]); granted[me] = 0 };
	free()
#endif
}

active [CPUS] proctype cpu()
{
	byte me = _pid + 1, left = ROUNDS;
	byte gref, word, old, sum, i;

	do
	:: left ->
	   left--;
	   alloc();
	   if
	   :: gref != NONE ->
	      grant();
	      if
	      :: end()
	      :: !left && !kept -> kept = 1; break
	      fi
	   :: else
	   fi
	:: else -> break
	od
}

#ifdef PEER
inline xen_map(gref, how)
{
	old = flags[gref];
	do
	:: old & ACCESS ->
	   d_step {
		now = flags[gref];
		flags[gref] = (now == old -> old | how : now)
	   };
	   if
	   :: now == old -> break
	   :: else -> old = now
	   fi
	:: else -> break
	od;
	if
	:: old & ACCESS ->
	   page = frame[gref];
	   d_step { assert(granted[page]); mapped[page] = 1 }
	:: else
	fi
}

inline xen_unmap(gref)
{
	if
	:: page ->
	   mapped[page] = 0;
	   flags[gref] = flags[gref] & ~(READING | WRITING)
	:: else
	fi
}

active proctype peer()
{
	byte old, now, page, gref, left = 3;

	do
	:: left ->
	   left--;
	   if
	   :: gref = 0
	   :: gref = 1
	   fi;
	   if
	   :: xen_map(gref, READING)
	   :: xen_map(gref, READING | WRITING)
	   fi;
	   xen_unmap(gref);
	   atomic { old = 0; now = 0; page = 0 }
	:: else -> break
	od
}
#endif

init
{
	timeout;
	assert(words[0] == (FREE_0 & (FREE(0) | 2 * FREE(1))));
	assert(words[1] == (FREE_1 & (FREE(2) | 2 * FREE(3))));
	assert(!words[0] || (summary & 1));
	assert(!words[1] || (summary & 2));
	assert(!flags[0] == FREE(0) && !flags[1] == FREE(1));
	assert(!flags[2] == FREE(2) && !flags[3] == FREE(3))
}
