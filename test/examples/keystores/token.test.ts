/** A token where the driver package is not installed; test/system/pkcs11.suite.ts has what needs a token. */

import { expect, it, vi } from 'vitest';
import { TokenError } from '../../../examples/client/keystores/cryptoki.ts';
import { Token } from '../../../examples/client/keystores/token.ts';

// Whether it is installed here or not.
vi.mock('node:module', () => ({
  createRequire: () => (name: string) => {
    throw new Error(`Cannot find module '${name}'`);
  },
}));

it('says how to install the driver', () => {
  const open = (): Token => Token.open({ module: '/usr/lib/softhsm/libsofthsm2.so', token: 'card' }, '1234');
  expect(open).toThrow(TokenError);
  expect(open).toThrow(
    expect.objectContaining({
      code: 'TOKEN_DRIVER',
      message: 'tokens need the package pkcs11js: npm install --no-save pkcs11js@2.1.7',
    }),
  );
});
