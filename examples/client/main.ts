/** `npm run client -- COMMAND`: the reference client, for people. */

import { run } from './cli/program.ts';

process.exitCode = await run(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  env: process.env,
});
