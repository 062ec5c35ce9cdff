// Builds dist/verify.html: the verifier of exports as one file that asks for nothing. Its policy forbids all network,
// and any script and style but the ones whose hashes it names. Usage: node scripts/build-verifier.mjs
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = path.join(root, 'examples', 'verifier', 'page');

const { outputFiles } = await build({
  entryPoints: [path.join(source, 'main.ts')],
  bundle: true,
  write: false,
  minify: true,
  format: 'iife',
  platform: 'browser',
  target: 'es2022',
  conditions: ['muniment-source'],
  charset: 'ascii', // a script in a worker has no charset of its own
  legalComments: 'none',
  logLevel: 'warning',
});
// esbuild spells `</script` inside strings so that it does not end the element; nothing else may.
const script = `\n${outputFiles[0]?.text ?? ''}`;
if (/<\/script|<!--/i.test(script)) throw new Error('the script would end its own element');
const style = `\n${readFileSync(path.join(source, 'style.css'), 'utf8')}`;

/** @param {string} text */
const hashOf = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const policy = [
  "default-src 'none'",
  `script-src ${hashOf(script)}`,
  `style-src ${hashOf(style)}`,
  'worker-src blob:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const template = readFileSync(path.join(source, 'template.html'), 'utf8');
const page = [
  ['http-equiv="Content-Security-Policy" content="', policy],
  ['<style>', style],
  ['<script>', script],
].reduce((text, [place = '', part = '']) => {
  if (text.split(place).length !== 2) throw new Error(`the template has not one ${place}`);
  return text.replace(place, () => place + part);
}, template);
mkdirSync(path.join(root, 'dist'), { recursive: true });
writeFileSync(path.join(root, 'dist', 'verify.html'), page);
console.log(`dist/verify.html: ${Math.ceil(page.length / 1024)} KiB`);
