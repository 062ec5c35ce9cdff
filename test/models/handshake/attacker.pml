/*
 * The attacker of Dolev and Yao, bounded: the same for the three handshakes that include this file.
 *
 * The attacker is the network. Whatever an honest session sends goes to it, and whatever a session receives comes from
 * it: a ciphertext that some honest session made, as often and to whom it likes, its maker included; or one that it
 * composes itself under anybody's key, from what it knows. It knows all names and public keys, and is a registered
 * party itself, I, with whom others talk. It opens what is encrypted to a key that it has. Encryption is ideal.
 *
 * Three things keep the search small and lose nothing.
 *  - A ciphertext of an honest session is fixed by that session's variables, which never change once they are set. So
 *    the attacker's store of ciphertexts is these variables, and a stored one is named by the session that made it.
 *  - A message that its receiver refuses changes nothing, so only those that are accepted are steps. A field that the
 *    receiver compares with a value of its own is therefore not guessed: the attacker either knows that value or not.
 *    Messages carry their number inside, so that one is never taken for another (see ../README.md for what happens
 *    without).
 *  - Sessions of one party in one role are alike; they begin in the order of their numbers.
 * One nonce of the attacker's own stands for all its nonces, and so with its other values: honest parties compare what
 * they receive only with what they drew themselves.
 */

/* What must never come true. */
bool wrongedBank;                         /* a bank accepted somebody who does not mean that session with it */
bool wrongedUser;                         /* a user accepted a bank that does not answer that session */
bool told;                                /* the attacker has the secret of a session that must stay secret */
/* What must come true, so that the rest is not said of nothing: two honest sessions accepted each other. */
bool completed;

/* What a search looks for: as it stands here any of the wrongs. */
#ifndef FIND
#define FIND (wrongedBank || wrongedUser || told)
#endif

/* Session x accepts its peer. Its own stolen key is no excuse; the peer's is, if it was stolen before. */
inline accept(x, matched) {
  stage[x] = 2;
  printf("%c.%d accepts %c\n", NAME(OWNER(x)), x, NAME(peer[x]));
  if
  :: opens[peer[x]] -> skip
  :: else ->
    due[x] = true;
    if
    :: !(matched) && IS_USER(x) -> wrongedUser = true
    :: !(matched) && IS_BANK(x) -> wrongedBank = true
    :: (matched) && IS_BANK(x) -> completed = true
    :: else -> skip
    fi
  fi
}

/* The end of every step: the attacker opens what it can, the secrets are looked at, and what is looked for. */
inline spy() {
  d_step {
    for (x : 0 .. SESSIONS - 1) {
      open(x)
    };
    for (x : 0 .. SESSIONS - 1) {
      if
      :: due[x] && HAS_SECRET(x) -> told = true
      :: else -> skip
      fi
    };
    x = 0
  };
  assert(!FIND)
}

#ifdef LEAKS
/*
 * The honest parties' private keys come into the attacker's hands, one after the other, at any time. With LATE only
 * after two honest sessions accepted each other: whether what was recorded then stays secret is forward secrecy.
 */
#ifdef LATE
#define TIME_COME completed
#else
#define TIME_COME true
#endif
active proctype Leak() {
  byte x;
end:
  do
  :: atomic { TIME_COME && !opens[A] -> opens[A] = true; printf("I has A's key\n"); spy() }
  :: atomic { TIME_COME && !opens[B] -> opens[B] = true; printf("I has B's key\n"); spy() }
  od
}
#endif

init {
  byte x;
  atomic {
    opens[I] = true;
    knows[MINE] = true;
    attackerDraws();
    for (x : 0 .. SESSIONS - 1) {
      if
      :: IS_USER(x) -> run User(x)
      :: else -> run Bank(x)
      fi
    };
    x = 0
  }
}
