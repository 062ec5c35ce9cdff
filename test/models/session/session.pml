/*
 * The life of one request: sessions, their states, deadlines and tries, a bank that may stop and start again, and the
 * user who asks again until it has a receipt or gives up. spec/protocol.md, "User", "Bank"; cryptography is left to
 * ../handshake and ../proverif: here a message fits its own session and no other.
 *
 * The network loses, delays, repeats and reorders: what was sent once can arrive at any later time, any number of
 * times, or never. Anybody may throw in bad messages; each costs the state that gets it one try. A deadline is a step
 * that may be taken at any time, so every order of deadlines and messages is searched, the true ones among them.
 *
 * One rule after another can be left out:
 *
 *   NO_CONSUME         a served request does not use up its session
 *   NO_IDENTITY        a request is executed without looking whether its id was
 *   EXECUTE_FIRST      the request is archived after it is executed
 */

#ifndef SESSIONS
#define SESSIONS 2
#endif
#ifndef TRIES
#define TRIES 8
#endif
#ifndef STOPS
#define STOPS 1
#endif

#ifdef NO_CONSUME
#define AFTER_REPLY ACCEPTED
#else
#define AFTER_REPLY CLOSED
#endif
#ifdef NO_IDENTITY
#define DONE_BEFORE false
#else
#define DONE_BEFORE settled
#endif

mtype = { NONE, RESPONDED, ACCEPTED, SERVED, ARCHIVED, EXECUTED, CLOSED };   /* the bank's states */
mtype = { IDLE, INITIATED, REQUESTED, ANSWERED, UNKNOWN };                   /* the user's */

mtype user = IDLE;
byte session;                             /* the user's session, from 1; 0 before the first */
byte userTries;

mtype bank[SESSIONS + 1] = NONE;
byte bankTries[SESSIONS + 1];

/* What is on the network, by session: message 1; message 2; message 3 and the request, which travel together; the reply. */
bool first[SESSIONS + 1];
bool second[SESSIONS + 1];
bool asked[SESSIONS + 1];
bool replied[SESSIONS + 1];

/* What the bank keeps on disk: messages 1 that it took, the request's evidence, its result. */
bool seen[SESSIONS + 1];
bool archived;
bool settled;

byte executed;                            /* how often the request took effect */
byte served[SESSIONS + 1];                /* how many requests a session had served */

/* What must never come true. */
bool doubled;                             /* the request took effect twice */
bool reused;                              /* a session had two requests served */
bool unproved;                            /* the request took effect before its evidence was stored */
bool deceived;                            /* the user has a reply to what did not happen */
/* What must come true, so that the rest is not said of nothing. */
bool answered;                            /* the user has a reply, in its last session, after the bank had stopped */
byte stops;

/* What a search looks for: as it stands here any of the wrongs. */
#ifndef FIND
#define FIND (doubled || reused || unproved || deceived)
#endif

/* One transaction, one request after another: executes what is archived and was not executed. */
inline execute() {
  if
  :: DONE_BEFORE -> skip
  :: else ->
    executed++;
    printf("bank executes\n");
    doubled = doubled || executed > 1;
    unproved = unproved || !archived;
#ifndef EXECUTE_FIRST
    settled = true
#endif
  fi
}

/* One transaction: consumes the session and stores the evidence; the same request is found again. */
inline archive() {
  printf("bank archives\n");
  archived = true;
#ifdef EXECUTE_FIRST
  settled = true
#endif
}

active proctype User() {
  do
  :: atomic {
      user == IDLE && session < SESSIONS -> session++; first[session] = true; user = INITIATED; userTries = TRIES;
      printf("user begins session %d\n", session)
    }
  :: user == IDLE && session == SESSIONS -> user = UNKNOWN; break
  :: atomic {
      user == INITIATED && second[session] -> asked[session] = true; user = REQUESTED; userTries = TRIES;
      printf("user asks in session %d\n", session)
    }
  :: atomic {
      user == REQUESTED && replied[session] -> user = ANSWERED;
      printf("user has its reply in session %d\n", session);
      deceived = !(archived && settled);
      answered = (session == SESSIONS && stops == STOPS);
      assert(!FIND);
      break
    }
  /* A bad message. */
  :: atomic {
      user == INITIATED || user == REQUESTED -> userTries--;
      if
      :: userTries == 0 -> user = IDLE
      :: else -> skip
      fi
    }
  /* A deadline. Without a reply the outcome is unknown: ask again, under the same id. */
  :: atomic {
      user == INITIATED || user == REQUESTED -> user = IDLE; userTries = 0;
      printf("user waits no longer\n")
    }
  od
}

proctype Bank(byte s) {
end:
  do
  :: atomic { bank[s] == NONE && first[s] && !seen[s] -> seen[s] = true; bank[s] = RESPONDED; bankTries[s] = TRIES; second[s] = true }
  :: atomic { bank[s] == RESPONDED && asked[s] -> bank[s] = ACCEPTED; bankTries[s] = TRIES }
  :: atomic {
      bank[s] == ACCEPTED && asked[s] -> bank[s] = SERVED; bankTries[s] = 0; served[s]++; reused = reused || served[s] > 1;
      printf("bank serves session %d\n", s);
      assert(!FIND)
    }
#ifdef EXECUTE_FIRST
  :: atomic { bank[s] == SERVED -> execute(); assert(!FIND); bank[s] = ARCHIVED }
  :: atomic { bank[s] == ARCHIVED -> archive(); bank[s] = EXECUTED }
#else
  :: atomic { bank[s] == SERVED -> archive(); bank[s] = ARCHIVED }
  :: atomic { bank[s] == ARCHIVED -> execute(); assert(!FIND); bank[s] = EXECUTED }
#endif
  :: atomic { bank[s] == EXECUTED -> replied[s] = true; bank[s] = AFTER_REPLY; printf("bank replies in session %d\n", s) }
  /* A bad message. */
  :: atomic {
      bank[s] == RESPONDED || bank[s] == ACCEPTED -> bankTries[s]--;
      if
      :: bankTries[s] == 0 -> bank[s] = CLOSED
      :: else -> skip
      fi
    }
  /* A deadline, of the session or of the reply. What was archived is executed all the same. */
  :: atomic { bank[s] == RESPONDED || bank[s] == ACCEPTED || bank[s] == EXECUTED -> bank[s] = CLOSED; bankTries[s] = 0 }
  od
}

/* The bank stops. All sessions are gone; what is archived and not executed is executed before anybody is served. */
active proctype Stop() {
  byte s;
end:
  do
  :: atomic {
      stops < STOPS -> stops++;
      printf("bank stops and starts\n");
      for (s : 1 .. SESSIONS) {
        if
        :: bank[s] != NONE -> bank[s] = CLOSED; bankTries[s] = 0
        :: else -> skip
        fi
      };
      s = 0;
      if
      :: archived && !settled -> execute(); assert(!FIND)
      :: else -> skip
      fi
    }
  od
}

init {
  byte s;
  atomic {
    for (s : 1 .. SESSIONS) {
      run Bank(s)
    };
    s = 0
  }
}
