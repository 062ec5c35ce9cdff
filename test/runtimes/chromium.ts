/**
 * Pages in Debian's Chromium, driven by playwright-core. Pages and scripts are handed to the browser by the driver, so
 * that nothing listens anywhere; the origin is a secure context, as WebCrypto demands.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import type { Run } from './engines.ts';
import type { Report } from './self-check.ts';

/** A secure context, as WebCrypto demands. */
export const SECURE = 'http://localhost/';
/** A page that has no secure context, as over plain HTTP. */
export const INSECURE = 'http://muniment.example/';
/** A secure context that may keep nothing. */
export const SANDBOXED = 'http://localhost/sandboxed';
const SCRIPT = '/program.js';

// As root in a container, and without a word to anybody outside.
export const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A browser whose profile is new, and stays while it is closed and opened again. */
export class Browser {
  readonly #profile: string;
  readonly #script: string;
  #context: BrowserContext | undefined;

  private constructor(profile: string, script: string) {
    this.#profile = profile;
    this.#script = script;
  }

  /** Lets `use` have a browser, and leaves nothing of it behind. `script` is the text of the module that its pages import. */
  static async with<Result>(script: string, use: (browser: Browser) => Promise<Result>): Promise<Result> {
    const profile = await mkdtemp(path.join(tmpdir(), 'muniment-chromium-'));
    const browser = new Browser(profile, script);
    try {
      return await use(browser);
    } finally {
      await browser.close();
      await rm(profile, { recursive: true, force: true });
    }
  }

  /** A page, in a browser that is started if it is not running. */
  async page(url = SECURE): Promise<Page> {
    this.#context ??= await this.#start();
    const page = await this.#context.newPage();
    await page.goto(url);
    return page;
  }

  /** Ends the browser's processes; the profile stays. */
  async close(): Promise<void> {
    await this.#context?.close();
    this.#context = undefined;
  }

  /** The running browser's version. */
  get version(): string {
    return this.#context?.browser()?.version() ?? '';
  }

  async #start(): Promise<BrowserContext> {
    const context = await chromium.launchPersistentContext(this.#profile, {
      executablePath: '/usr/bin/chromium',
      args: ARGUMENTS,
    });
    await context.route('**/*', (route) => {
      const url = route.request().url();
      if (new URL(url).pathname === SCRIPT) {
        const headers = { 'content-type': 'text/javascript', 'access-control-allow-origin': '*' };
        return route.fulfill({ headers, body: this.#script });
      }
      const headers = {
        'content-type': 'text/html',
        ...(url === SANDBOXED && { 'content-security-policy': 'sandbox allow-scripts' }),
      };
      return route.fulfill({ headers, body: '<!doctype html><title>Muniment</title>' });
    });
    return context;
  }
}

/** Calls what the script exports under a name, in the page, and hands the result out as JSON would. */
export function call<Result>(page: Page, name: string, ...args: readonly unknown[]): Promise<Result> {
  const values = args.map((arg) => JSON.stringify(arg)).join(', ');
  return page.evaluate<Result>(`import('${SCRIPT}').then((script) => script.${name}(${values}))`);
}

/** Runs the self-check in a page. */
export function runInChromium(bundle: string): Promise<Run> {
  return Browser.with(bundle, async (browser) => {
    const report = await call<Report>(await browser.page(), 'run');
    return { version: browser.version, report };
  });
}
