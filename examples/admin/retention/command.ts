/** `npm run admin -- retention …`: records that end, and what of them is destroyed when. docs/administration.md, "Retention". */

import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { CLOSING_GROUNDS, ERASURE_GROUNDS, type ClosingGround, type ErasureGround } from 'muniment/record';
import { time } from '../../client/cli/arguments.ts';
import { counted } from '../../server/counted.ts';
import { RETENTION } from '../../server/rights.ts';
import { printNumber, readNumber } from '../../server/record-number.ts';
import { DEFAULT_FOLDER, type AdminSurroundings, type FindSurroundings } from '../surroundings.ts';
import { close, erase, reopen } from './acting.ts';
import { listClosed, survey, type ClosedRow } from './listing.ts';

interface CloseOptions {
  readonly ground: ClosingGround;
  readonly at?: number;
  readonly survey?: string;
}

interface EraseOptions {
  readonly ground: ErasureGround;
  readonly entries?: readonly number[];
  readonly survey?: string;
}

/** The command `retention`, with its own below it. */
export function retentionCommand(surroundings: FindSurroundings): Command {
  const retention = new Command('retention')
    .description(`records that end, and what of them is erased when: "${RETENTION.version}"`)
    .option('--folder <dir>', "the bank's folder", DEFAULT_FOLDER);
  const within = (): AdminSurroundings => surroundings(retention.opts<{ folder: string }>().folder);
  retention
    .command('list')
    .description('the records that are closed, and what is due, by what the database says')
    .option('--json', 'one JSON array', false)
    .action(async ({ json }: { json: boolean }) => {
      const { folder, say } = within();
      const rows = await listClosed(folder);
      if (json) say(JSON.stringify(rows));
      else for (const line of rows.length === 0 ? ['no record is closed'] : rows.map(lineOf)) say(line);
    });
  retention
    .command('survey')
    .description('write what the commands below need of a record, for a machine that has no database')
    .addArgument(numbered())
    .requiredOption('--out <file>', 'new file')
    .action(async (number: string, { out }: { out: string }) => {
      const { folder, say } = within();
      const entries = await survey(folder, number, out);
      say(
        `${out}: ${counted(entries, 'entry', 'entries')} of ${printNumber(number)}, and nothing that is written in them`,
      );
    });
  retention
    .command('close')
    .description('close a record, through the running bank; only a death begins the term')
    .addArgument(numbered())
    .addOption(new Option('--ground <why>').choices(CLOSING_GROUNDS).makeOptionMandatory())
    .option('--at <time>', 'of the death or the move, as in 2026-03-14; else now', time)
    .addOption(surveyed())
    .action(async (number: string, { ground, at, survey: file }: CloseOptions) => {
      const { folder, say } = within();
      const seq = await close(folder, { number, survey: file }, { ground, at: at ?? Date.now() });
      say(`closed ${printNumber(number)} (${ground}): entry ${seq} of its chain`);
    });
  retention
    .command('reopen')
    .description('open a record again that was closed by mistake, through the running bank')
    .addArgument(numbered())
    .addOption(surveyed())
    .action(async (number: string, { survey: file }: { survey?: string }) => {
      const { folder, say } = within();
      const seq = await reopen(folder, { number, survey: file });
      say(`opened ${printNumber(number)} again: entry ${seq} of its chain`);
    });
  retention
    .command('erase')
    .description('have all payloads of a record destroyed that may be, through the running bank, for good')
    .addArgument(numbered())
    .addOption(new Option('--ground <why>').choices(ERASURE_GROUNDS).makeOptionMandatory())
    .option('--entries <seq...>', 'only these, by their positions in the chain', position)
    .addOption(surveyed())
    .action(async (number: string, { ground, entries, survey: file }: EraseOptions) => {
      const { folder, say } = within();
      await erase(
        folder,
        { number, survey: file },
        { ground, entries: entries ?? null },
        ({ seq, names }) => {
          say(
            `erased ${counted(names, 'payload')} of ${printNumber(number)}: the tombstone is entry ${seq} of its chain`,
          );
        },
      );
    });
  return retention;
}

function lineOf({ number, ground, at, stated, earliest, due, erasable, erased }: ClosedRow): string {
  const when = due ? 'DUE' : earliest === null ? 'no term' : `from ${day(earliest)}`;
  const what = `${counted(erasable, 'payload')} to erase, ${erased} erased`;
  return `${printNumber(number)}  ${ground} of ${day(at)}, stated ${day(stated)}  ${when}  ${what}`;
}

function day(time: string): string {
  return time.slice(0, 10);
}

function numbered(): Argument {
  return new Argument('<number>', "the record's number, in one argument").argParser((text) => {
    const number = readNumber(text);
    if (number === null)
      throw new InvalidArgumentError('not the number of a record: look at its digits again');
    return number;
  });
}

function surveyed(): Option {
  return new Option('--survey <file>', "what `survey` has written, instead of the bank's database");
}

function position(text: string, before: readonly number[] = []): number[] {
  if (!/^(0|[1-9]\d{0,14})$/.test(text)) throw new InvalidArgumentError('positions are whole numbers');
  return [...before, Number(text)];
}
