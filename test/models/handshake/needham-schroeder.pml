/*
 * The public-key protocol of Needham and Schroeder (1978), without its key server.
 *
 *   m1  U -> G  {Nu, U}pk(G)
 *   m2  G -> U  {Nu, Ng}pk(U)        NAMED: {Nu, Ng, G}pk(U), see thesis.pml
 *   m3  U -> G  {Ng}pk(G)
 *
 * What the two share at the end, and must be secret, is the pair of nonces.
 */

#ifndef NAMED
#define CHECK_NONCE
#endif

#include "parties.pml"

/* What user session u checks of message 2. */
#ifdef CHECK_NONCE
#define NONCE_FITS(u, nonce) ((nonce) == u)
#else
#define NONCE_FITS(u, nonce) true
#endif
#ifdef CHECK_NAME
#define NAME_FITS(u, name) ((name) == peer[u])
#else
#define NAME_FITS(u, name) true
#endif

/* User session u and bank session g mean each other, with the same nonces. */
#define MATCH(u, g) (stage[g] > 0 && OWNER(g) == peer[u] && peer[g] == OWNER(u) && theirs[g] == u && theirs[u] == g)
#define ANSWERED(u) (IS_BANK(theirs[u]) && MATCH(u, theirs[u]))
#define ASKED(g) (IS_USER(theirs[g]) && stage[theirs[g]] == 2 && MATCH(theirs[g], g))

#define HAS_SECRET(x) (knows[x] && knows[theirs[x]])

/* Message 2 in the chart. */
#ifdef NAMED
#define MESSAGE_2 "m2 {N%d, N%d, %c}pk(%c)"
#define WITH(name) , NAME(name)
#else
#define MESSAGE_2 "m2 {N%d, N%d}pk(%c)"
#define WITH(name)
#endif

/* What session x sent, as far as the attacker opens it: messages 1 and 2 hold its nonce, 2 and 3 the other's. */
inline open(x) {
  if
  :: stage[x] > 0 && opens[peer[x]] ->
    knows[x] = true;
    knows[theirs[x]] = knows[theirs[x]] || IS_BANK(x) || stage[x] == 2
  :: else -> skip
  fi
}

inline attackerDraws() { skip }

#include "attacker.pml"

proctype User(byte me) {
  byte x;
  atomic {
    MAY_BEGIN(me);
    if
    :: peer[me] = I
    :: peer[me] = OTHER(OWNER(me))
    fi;
    stage[me] = 1;
    sends(me); printf("m1 {N%d, %c}pk(%c)\n", me, NAME(OWNER(me)), NAME(peer[me]));
    spy()
  }
waiting:
  atomic {
    select (x : 0 .. MINE);
    if
    :: knows[x] && (NONCE_FITS(me, MINE) || knows[me]) -> /* composed, with Ng = x and whatever name */
      gets(me); printf(MESSAGE_2, (knows[me] -> me : MINE), x WITH(peer[me]), NAME(OWNER(me))); printf("\n")
    :: IS_BANK(x) && stage[x] > 0 && peer[x] == OWNER(me) && NONCE_FITS(me, theirs[x]) && NAME_FITS(me, OWNER(x)) ->
      gets(me); printf(MESSAGE_2, theirs[x], x WITH(OWNER(x)), NAME(OWNER(me))); printf(" from %c.%d\n", NAME(OWNER(x)), x)
    :: else -> x = 0; goto waiting
    fi;
    theirs[me] = x;
    x = 0;
    accept(me, ANSWERED(me));
    sends(me); printf("m3 {N%d}pk(%c)\n", theirs[me], NAME(peer[me]));
    spy()
  }
}

proctype Bank(byte me) {
  byte x;
unused:
  atomic {
    MAY_BEGIN(me);
    select (x : 0 .. MINE);
    if
    :: knows[x] -> /* composed, with Nu = x */
      theirs[me] = x;
      select (x : A .. I);
      peer[me] = x;
      gets(me); printf("m1 {N%d, %c}pk(%c)\n", theirs[me], NAME(x), NAME(OWNER(me)))
    :: IS_USER(x) && stage[x] > 0 && peer[x] == OWNER(me) && !knows[x] ->
      theirs[me] = x;
      peer[me] = OWNER(x);
      gets(me); printf("m1 {N%d, %c}pk(%c) from %c.%d\n", x, NAME(OWNER(x)), NAME(OWNER(me)), NAME(OWNER(x)), x)
    :: else -> x = 0; goto unused
    fi;
    x = 0;
    stage[me] = 1;
    sends(me); printf(MESSAGE_2, theirs[me], me WITH(OWNER(me)), NAME(peer[me])); printf("\n");
    spy()
  }
waiting:
  atomic {
    select (x : 0 .. MINE);
    if
    :: x == MINE && knows[me] -> /* composed */
      gets(me); printf("m3 {N%d}pk(%c)\n", me, NAME(OWNER(me)))
    :: IS_USER(x) && stage[x] == 2 && peer[x] == OWNER(me) && theirs[x] == me && !knows[me] ->
      gets(me); printf("m3 {N%d}pk(%c) from %c.%d\n", me, NAME(OWNER(me)), NAME(OWNER(x)), x)
    :: else -> x = 0; goto waiting
    fi;
    x = 0;
    accept(me, ASKED(me));
    spy()
  }
}
