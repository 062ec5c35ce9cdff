/*
 * NSL-KEM/1, the handshake of spec/protocol.md.
 *
 *   m1  U -> G  HPKE to G, info (1, G), header n1:           U, Ni, epk
 *   m2  G -> U  HPKE to U, info (2, U, G, th1), header n1 n2:   Ni, Ng, G, ct_e, confirmation of G
 *   m3  U -> G  HPKE to G, info (3, U, G, th2), header n1 n2:   Ng, confirmation of U
 *
 * HPKE is a KEM and an encryption under a key made of the KEM's secret ss and the info; it exports x of the same two.
 * The KEM is weak on purpose: who knows an ss may encapsulate it again, to anybody. Keys and confirmations are opaque:
 * they are equal if everything is that they are made of, and the attacker has them if it has all of that. In the keys:
 * the ephemeral secret in ct_e, x1, x2, Ni, Ng, and th2 with all it covers.
 *
 * One thing after another can be left out, to see what it was for:
 *
 *   NO_NAME_IN_M2          Id_G in message 2
 *   NO_NAMES_IN_INFO       the names in the three infos
 *   NO_TRANSCRIPT          th1, th2: in infos, keys and confirmations
 *   NO_SECRET_TRANSCRIPT   pt1 and core2 in th1, th2, which then cover what everybody sees
 *   NO_EXPORTER            x1, x2 in the keys
 *   NO_EPHEMERAL           the ephemeral secret in the keys
 *   EPHEMERAL_KEY_SEEN     the other way round: the attacker is given every ephemeral public key
 *
 * Left out of the model itself: request and reply, binding, clocks, memory of first messages. A first message may
 * therefore be answered as often as there are bank sessions.
 */

#ifdef NO_NAME_IN_M2
#define NAME_IN_M2 false
#else
#define NAME_IN_M2 true
#endif
#ifdef NO_NAMES_IN_INFO
#define NAMES false
#else
#define NAMES true
#endif
#ifdef NO_TRANSCRIPT
#define TRANSCRIPT false
#define NO_SECRET_TRANSCRIPT
#else
#define TRANSCRIPT true
#endif
#ifdef NO_SECRET_TRANSCRIPT
#define SECRET_TRANSCRIPT false
#else
#define SECRET_TRANSCRIPT true
#endif
#ifdef NO_EXPORTER
#define EXPORTER false
#else
#define EXPORTER true
#endif
#ifdef NO_EPHEMERAL
#define EPHEMERAL false
#else
#define EPHEMERAL true
#endif
#ifdef EPHEMERAL_KEY_SEEN
#define KEY_SEEN true
#else
#define KEY_SEEN false
#endif

#include "parties.pml"

/* Of bank sessions, as message 1 had them: the user's handle, ephemeral key, secret of the encapsulation. */
byte n1[SESSIONS];
byte epk[SESSIONS];
byte ss[SESSIONS];
/* Of user sessions: the bank session that has the same keys; MINE if the attacker made them. */
byte keys[SESSIONS];

bool knowsEpk[SESSIONS + 1];
bool knowsSs[SESSIONS + 1];

/* User session u and bank session g mean each other, with the same nonces and keys. */
#define MATCH(u, g) (stage[g] > 0 && OWNER(g) == peer[u] && peer[g] == OWNER(u) && theirs[g] == u && theirs[u] == g && keys[u] == g)
#define ANSWERED(u) (IS_BANK(theirs[u]) && MATCH(u, theirs[u]))
#define ASKED(g) (IS_USER(theirs[g]) && stage[theirs[g]] == 2 && MATCH(theirs[g], g))

/* Names as u has them and as g has them are the same; th1 is. */
#define SAME_NAMES(u, g) (peer[g] == OWNER(u) && OWNER(g) == peer[u])
#define SAME_TH1(u, g) (SAME_NAMES(u, g) && n1[g] == u && ss[g] == u && theirs[g] == u && epk[g] == u)
/* The infos of messages 2 and 3 are the same, once th1 and core2 are. */
#define SAME_INFO(u, g) ((!NAMES || SAME_NAMES(u, g)) && (!TRANSCRIPT || SAME_TH1(u, g)))
/* From what bank session g put into message 2, user session u makes g's keys. */
#define SAME_KEYS(u, g) (theirs[g] == u && epk[g] == u \
  && (!EXPORTER || (ss[g] == u && (!NAMES || OWNER(g) == peer[u]) && SAME_INFO(u, g))) && (!TRANSCRIPT || SAME_TH1(u, g)))

/* The attacker knows all that bank session g's keys are made of. An ephemeral private key is never had by another. */
#define HAS_KEYS(g) (knows[theirs[g]] && knows[g] && (!EPHEMERAL || epk[g] == MINE) && (!EXPORTER || (knowsSs[ss[g]] && knowsSs[g])) \
  && (!SECRET_TRANSCRIPT || knowsEpk[epk[g]]))
#define HAS_SECRET(x) ((IS_BANK(x) && HAS_KEYS(x)) || (IS_USER(x) && (keys[x] == MINE || HAS_KEYS(keys[x]))))

/* The attacker opens message 2 of g, message 3 of u. It takes the key and the info, which has the transcript in it. */
#define OPENS_2(g) (stage[g] > 0 && opens[peer[g]] && (!SECRET_TRANSCRIPT || (knows[theirs[g]] && knowsEpk[epk[g]])))
#define OPENS_3(u) (stage[u] == 2 && opens[peer[u]] && (!SECRET_TRANSCRIPT || (knows[u] && knowsEpk[u] && knows[theirs[u]])))
inline open(x) {
  if
  :: IS_USER(x) && stage[x] > 0 && opens[peer[x]] ->
    knows[x] = true;
    knowsEpk[x] = true;
    knowsSs[x] = true;
    if
    :: OPENS_3(x) -> knows[theirs[x]] = true
    :: else -> skip
    fi
  :: IS_BANK(x) && OPENS_2(x) ->
    knows[theirs[x]] = true;
    knows[x] = true;
    knowsSs[x] = true
  :: else -> skip
  fi
}

inline attackerDraws() {
  knowsEpk[MINE] = true;
  knowsSs[MINE] = true
}

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
    knowsEpk[me] = KEY_SEEN;
    sends(me); printf("m1 to %c: %c, N%d, epk%d\n", NAME(peer[me]), NAME(OWNER(me)), me, me);
    spy()
  }
waiting:
  atomic {
    select (x : 0 .. MINE);
    if
    :: knows[x] && knows[me] && knowsEpk[me] && (!EXPORTER || knowsSs[me]) -> /* composed, with Ng = x */
      keys[me] = MINE;
      gets(me); printf("m2 to %c: N%d, N%d, %c, keys of its own\n", NAME(OWNER(me)), me, x, NAME(peer[me]))
    :: IS_BANK(x) && stage[x] > 0 && peer[x] == OWNER(me) && n1[x] == me && (!NAME_IN_M2 || OWNER(x) == peer[me]) &&
      SAME_INFO(me, x) && SAME_KEYS(me, x) ->
      keys[me] = x;
      gets(me); printf("m2 to %c: N%d, N%d, from %c.%d\n", NAME(OWNER(me)), me, x, NAME(OWNER(x)), x)
    :: IS_BANK(x) && OPENS_2(x) && SAME_KEYS(me, x) -> /* opened, and encrypted again, under what name it likes */
      keys[me] = x;
      gets(me); printf("m2 to %c: N%d, N%d, contents from %c.%d\n", NAME(OWNER(me)), me, x, NAME(OWNER(x)), x)
    :: else -> x = 0; goto waiting
    fi;
    theirs[me] = x;
    x = 0;
    accept(me, ANSWERED(me));
    sends(me); printf("m3 to %c: N%d\n", NAME(peer[me]), theirs[me]);
    spy()
  }
}

/* The attacker cannot, or the bank would refuse it: as if nothing had come. */
inline notThis() {
  theirs[me] = 0;
  peer[me] = 0;
  epk[me] = 0;
  ss[me] = 0;
  x = 0;
  goto unused
}

proctype Bank(byte me) {
  byte x;
unused:
  atomic {
    MAY_BEGIN(me);
    select (x : 0 .. MINE);
    if
    :: knows[x] -> /* composed, field by field */
      theirs[me] = x;
      select (x : A .. I);
      if
      :: x != OWNER(me) -> peer[me] = x
      :: else -> notThis()
      fi;
      select (x : 0 .. MINE);
      if
      :: knowsEpk[x] -> epk[me] = x
      :: else -> notThis()
      fi;
      select (x : 0 .. MINE);
      if
      :: knowsSs[x] -> ss[me] = x
      :: else -> notThis()
      fi;
      /*
       * The handle goes with the nonce. A user takes message 2 only with its own of both, and the bank message 3 only
       * from that user; so a message 1 in which they part leads to nothing that this one does not.
       */
      n1[me] = (IS_USER(theirs[me]) -> theirs[me] : MINE);
      gets(me); printf("m1 to %c: %c, N%d, epk%d\n", NAME(OWNER(me)), NAME(peer[me]), theirs[me], epk[me])
    :: IS_USER(x) && stage[x] > 0 && peer[x] == OWNER(me) ->
      theirs[me] = x;
      peer[me] = OWNER(x);
      epk[me] = x;
      ss[me] = x;
      n1[me] = x;
      gets(me); printf("m1 to %c: %c, N%d, epk%d, from %c.%d\n", NAME(OWNER(me)), NAME(OWNER(x)), x, x, NAME(OWNER(x)), x)
    :: else -> x = 0; goto unused
    fi;
    x = 0;
    stage[me] = 1;
    sends(me); printf("m2 to %c: N%d, N%d, %c\n", NAME(peer[me]), theirs[me], me, NAME(OWNER(me)));
    spy()
  }
waiting:
  atomic {
    select (x : 0 .. MINE);
    if
    :: x == MINE && HAS_KEYS(me) -> /* composed */
      gets(me); printf("m3 to %c: N%d, keys of its own\n", NAME(OWNER(me)), me)
    :: IS_USER(x) && stage[x] == 2 && peer[x] == OWNER(me) && theirs[x] == me && keys[x] == me && n1[me] == x && SAME_INFO(x, me) ->
      gets(me); printf("m3 to %c: N%d, from %c.%d\n", NAME(OWNER(me)), me, NAME(OWNER(x)), x)
    :: IS_USER(x) && OPENS_3(x) && theirs[x] == me && keys[x] == me && (!TRANSCRIPT || SAME_TH1(x, me)) -> /* opened, encrypted again */
      gets(me); printf("m3 to %c: N%d, contents from %c.%d\n", NAME(OWNER(me)), me, NAME(OWNER(x)), x)
    :: else -> x = 0; goto waiting
    fi;
    x = 0;
    accept(me, ASKED(me));
    spy()
  }
}
