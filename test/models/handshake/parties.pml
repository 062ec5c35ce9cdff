/* Who talks: two honest parties, each in both roles as far as the bounds say, and the attacker, who is a party too. */

/* How many sessions: of A as user, of B as user, of A as bank, of B as bank. */
#ifndef UA
#define UA 1
#endif
#ifndef UB
#define UB 0
#endif
#ifndef GA
#define GA 0
#endif
#ifndef GB
#define GB 1
#endif
#define USERS (UA + UB)
#define SESSIONS (UA + UB + GA + GB)

#define A 1
#define B 2
#define I 3

/* Sessions are numbered: A's as user, B's as user, A's as bank, B's as bank. */
#define IS_USER(x) ((x) < USERS)
#define IS_BANK(x) ((x) >= USERS && (x) < SESSIONS)
#define OWNER(x) (((x) < UA || ((x) >= USERS && (x) < USERS + GA)) -> A : B)
#define OTHER(party) (A + B - (party))
#define MAY_BEGIN(x) (x == 0 || x == UA || x == USERS || x == USERS + GA || stage[x - 1] > 0)

/* Of each session. A fresh value that session x draws is called x; the attacker's own is called MINE. */
#define MINE SESSIONS
byte stage[SESSIONS];                     /* 0 not begun, 1 one message sent, 2 accepted */
byte peer[SESSIONS];                      /* with whom, as this session believes */
byte theirs[SESSIONS];                    /* the peer's nonce, as this session believes */
bool due[SESSIONS];                       /* accepted while the attacker had not the peer's key: must stay secret */

bool opens[I + 1];                        /* whose private key the attacker has */
bool knows[SESSIONS + 1];                 /* nonces that the attacker knows */

/* Lines of the chart: what an honest session sends, and what the attacker hands to it. */
#define NAME(party) ((party) == I -> 'I' : 64 + (party))
inline sends(x) { printf("%c.%d --> I    ", NAME(OWNER(x)), x) }
inline gets(x) { printf("I   --> %c.%d  ", NAME(OWNER(x)), x) }
