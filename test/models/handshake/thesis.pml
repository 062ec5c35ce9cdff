/*
 * The handshake of the thesis (BEHC, page 26): message 2 names the bank, as Lowe's correction does.
 *
 *   m1  U -> G  {Ni, Iu}pk(G)
 *   m2  G -> U  {Ni, Ng, Ig}pk(U)
 *   m3  U -> G  {Ng}pk(G)
 *
 * The text says of the bank that it compares the nonce of message 3 with its own. Of the user it says that it decrypts
 * message 2 and encrypts Ng, and of no comparison. So this file is one of three protocols:
 *
 *   (nothing defined)               the letter of the text: the user compares nothing
 *   -DCHECK_NONCE                   the user compares Ni, as in the protocol of 1978
 *   -DCHECK_NONCE -DCHECK_NAME      and Ig: this is Needham-Schroeder-Lowe
 *
 * The pair of nonces is the session: "the session has the part of a key agreed upon by the two" (page 23), cited in
 * every later message, and both must keep it secret (page 22).
 */

#define NAMED
#include "needham-schroeder.pml"
