// The software bill of materials of the package, in CycloneDX: npm run sbom [-- FILE]. Needs dist/.
// It has what `npm install bnfix` installs, and what the bundles in dist/ contain, which npm counts as development.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const args = ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx'];
const all = JSON.parse(
  execFileSync(npm, args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28, shell: npm !== 'npm' }),
);

/** Names with versions, from the headers of the licence texts: `yargs 18.2.0 (MIT)`. */
const bundled = new Set(
  [...read('dist/THIRD_PARTY_LICENSES.txt').matchAll(/^(\S+) (\d\S*) \(.+\)$/gm)].map(
    ([, name, version]) => `${name}@${version}`,
  ),
);
const isDevelopment = ({ name }) => name === 'cdx:npm:package:development';

const components = all.components.flatMap((component) => {
  const { properties = [], ...rest } = component;
  const id = `${component.name}@${component.version}`;
  if (!properties.some(isDevelopment)) return [component];
  if (!bundled.has(id)) return [];
  const kept = properties.filter((property) => !isDevelopment(property));
  return [{ ...rest, scope: 'required', properties: [...kept, { name: 'bnfix:bundled', value: 'true' }] }];
});
const missing = [...bundled].filter((id) => !components.some(({ name, version }) => `${name}@${version}` === id));
if (missing.length > 0) throw new Error(`package-lock.json does not have ${missing.join(', ')}`);

const own = all.metadata.component['bom-ref'];
const refs = new Set([own, ...components.map((component) => component['bom-ref'])]);
const dependencies = all.dependencies
  .filter(({ ref }) => refs.has(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => refs.has(other)) }));
// npm names it after its folder.
const component = { ...all.metadata.component, name: JSON.parse(read('package.json')).name };
const text = `${JSON.stringify({ ...all, metadata: { ...all.metadata, component }, components, dependencies }, undefined, 2)}\n`;

const [path] = process.argv.slice(2);
if (path === undefined) process.stdout.write(text);
else writeFileSync(path, text);
console.error(`${components.length} packages, ${bundled.size} of them in bundles`);
