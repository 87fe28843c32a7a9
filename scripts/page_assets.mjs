// What pages contain beside their data: style sheet, script, licences. The build writes them to src/page/assets.js, which git ignores.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { bundlePage } from './bundle.mjs';
import { licenceTexts } from './licences.mjs';

/**
 * Writes src/page/assets.js.
 * @returns the folders of the packages that the script contains
 */
export async function writePageAssets() {
  const { script, packages } = await bundlePage();
  const style = ['node_modules/uplot/dist/uPlot.min.css', 'src/page/style.css'].map(styleSheet).join('');
  const licences = licenceTexts(
    [...packages, 'node_modules/rolldown'],
    'The script of this page contains code of these packages.',
  );
  const values = { style, script, styleHash: hashOf(style), scriptHash: hashOf(script), licences };
  const lines = Object.entries(values).map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};\n`);
  writeFileSync('src/page/assets.js', lines.join(''));
  return packages;
}

/** A style sheet without comments and blanks that mean nothing. */
function styleSheet(path) {
  const text = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  return text
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};,]) ?/g, '$1')
    .trim();
}

/** As the Content-Security-Policy has it. */
function hashOf(text) {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
