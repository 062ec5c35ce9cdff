/**
 * The page's one script, which runs twice: in the page, where it shows, and in a worker that it starts from its own
 * text, where it judges, so that the page never stands still.
 */

import { judgeExport, type Report, type Typed } from '../judge.ts';
import { showReport } from './show.ts';

/** What the page asks its worker. */
interface Question {
  readonly text: string;
  readonly typed: Typed;
}

/** What the worker answers: how far it is, and at last the report, or that it broke. */
type Answer =
  | { readonly done: number; readonly total: number }
  | { readonly report: Report }
  | { readonly broken: string };

if (typeof document === 'undefined') work();
else show(document.currentScript?.textContent ?? '');

function work(): void {
  const answer = (message: Answer): void => {
    // In a worker, whose global is not the window that these types have.
    (globalThis as unknown as { postMessage(message: Answer): void }).postMessage(message);
  };
  addEventListener('message', ({ data }: MessageEvent<Question>) => {
    let told = 0;
    const progress = (done: number, total: number): void => {
      if (done < total && performance.now() - told < 50) return;
      told = performance.now();
      answer({ done, total });
    };
    judgeExport(data.text, data.typed, progress).then(
      (report) => answer({ report }),
      (error: unknown) => answer({ broken: String(error) }),
    );
  });
}

function show(script: string): void {
  const form = find('form', HTMLFormElement);
  const output = find('#report', HTMLElement);
  const bar = find('progress', HTMLProgressElement);
  const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  let worker: Worker | null = null;

  const judge = async (file: File): Promise<void> => {
    worker?.terminate();
    const own = (worker = new Worker(url));
    output.replaceChildren();
    bar.removeAttribute('value');
    bar.hidden = false;
    const fail = (why: string): void => {
      bar.hidden = true;
      output.textContent = `The page could not judge this file: ${why}`;
    };
    own.addEventListener('error', (event) => fail(event.message));
    own.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
      if ('total' in data) [bar.value, bar.max] = [data.done, data.total];
      else if ('broken' in data) fail(data.broken);
      else {
        bar.hidden = true;
        showReport(output, data.report);
      }
    });
    const typed = new FormData(form);
    const text = await file.text();
    if (worker === own)
      own.postMessage({
        text,
        typed: {
          anchorId: field(typed, 'anchorId').replace(/\s/g, ''),
          origin: field(typed, 'origin'),
          ownerId: field(typed, 'ownerId').replace(/\s/g, ''),
          witnesses: field(typed, 'witnesses'),
          renewalLogs: field(typed, 'renewalLogs'),
        },
      } satisfies Question);
  };
  const start = (file: File | null | undefined): void => {
    if (file === null || file === undefined) {
      output.textContent = 'Choose an export first.';
      return;
    }
    judge(file).catch((error: unknown) => {
      output.textContent = `The file could not be read: ${String(error)}`;
    });
  };
  const input = find('input[type=file]', HTMLInputElement);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    start(input.files?.item(0));
  });
  addEventListener('dragover', (event) => event.preventDefault());
  addEventListener('drop', (event) => {
    event.preventDefault();
    if (event.dataTransfer !== null && event.dataTransfer.files.length > 0) {
      input.files = event.dataTransfer.files;
      start(input.files.item(0));
    }
  });
}

function field(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value.trim() : '';
}

function find<Kind extends Element>(selector: string, kind: new () => Kind): Kind {
  const found = document.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`the page has no ${selector}`);
  return found;
}
