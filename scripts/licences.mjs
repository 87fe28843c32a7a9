// The licence texts of the packages that the bundles in dist/ contain: their comments are not in the bundles.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param folders - of packages; may name one several times
 * @param header - the first line
 * @returns one text with name, version, licence and licence text of each
 * @throws when a package has no licence text, for then the bundle must not be shipped
 */
export function licenceTexts(folders, header) {
  const packages = new Map();
  for (const folder of folders) {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    packages.set(`${name} ${version}`, { license, text: textIn(folder, name, license) });
  }
  const parts = [...packages].sort(([a], [b]) => (a < b ? -1 : 1));
  return [`${header}\n`, ...parts.map(([name, { license, text }]) => `${name} (${license})\n\n${text.trim()}\n`)].join(
    `\n${'-'.repeat(80)}\n\n`,
  );
}

function textIn(folder, name, license) {
  const files = readdirSync(folder).filter((file) => /^(license|licence|copying|notice)/i.test(file));
  if (files.length > 0) return files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n');
  const readme = readdirSync(folder).find((file) => /^readme/i.test(file));
  const section =
    readme &&
    /^(?:#+ *)?(?:license|licence)\b.*\n(?:-+\n)?([^#]+)/im.exec(readFileSync(join(folder, readme), 'utf8'))?.[1];
  if (section && /copyright/i.test(section)) return section;
  // The same licence as that of bnfix, whose text is in the package.
  if (license === 'Apache-2.0' && name.startsWith('@tensorflow/')) {
    return 'Copyright Google LLC. Licensed under the Apache License, Version 2.0: see the file LICENSE of this package.';
  }
  // Its package has no file of its own, and does not name what it contains.
  if (name === '@viz-js/viz') return readFileSync(new URL('licences/viz.txt', import.meta.url), 'utf8');
  throw new Error(`${name} has no licence text`);
}
