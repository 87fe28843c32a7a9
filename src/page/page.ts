import { licences, script, scriptHash, style, styleHash } from './assets.js';
import { batchNormSection } from './batch_norm_section.js';
import { comparedSections } from './compared_section.js';
import { graphSection, MARK_TEXTS } from './graph_section.js';
import { chartsOf, layersOf } from './layers.js';
import { html, json, type Markup, raw } from './markup.js';
import { opsSection } from './ops_section.js';
import type { PageData } from './page_data.js';
import { picturesSection } from './pictures_section.js';
import { proofsSection } from './proofs_section.js';
import { verdictOf } from './prose.js';
import { reproduceSection } from './reproduce_section.js';
import { verdictSection } from './verdict_section.js';

/** Nothing is loaded and nothing is sent; no script runs and no style applies but those of the page. */
const POLICY = [
  "default-src 'none'",
  `script-src '${scriptHash}'`,
  `style-src '${styleHash}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='3' fill='%231b6e53'/%3E%3Cpath d='M4 8.5 7 11.5 12 5' fill='none' stroke='white' stroke-width='2'/%3E%3C/svg%3E";

/**
 * A page that shows what is in a model and what became of it: one HTML document that loads nothing.
 * @param flagOf - writes an option as the user does
 */
export function pageOf(data: PageData, flagOf: (option: string) => string): string {
  const layers = layersOf(data);
  const { verification } = data;
  const verdict = verdictOf(data, flagOf);
  const title = `${fileName(data.inspection.model.name)}: ${verdict.text}`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="${data.command.versions[0]}">
<title>${title}</title>
<link rel="icon" href="${ICON}">
<style>${raw(style)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the verdict</a>
<header>
<p class="brand">bnfix <span>${data.command.name}</span></p>
<nav aria-label="Sections">${links(data, layers.length > 0)}</nav>
<button type="button" id="theme" class="scripted">Theme</button>
</header>
<main id="main">
${verdictSection(data, verdict)}
${verification && picturesSection(verification)}
${verification && proofsSection(verification.report)}
${reproduceSection(data)}
${verification && comparedSections(verification.report)}
${batchNormSection(layers, data.result !== undefined)}
${graphSection(data.graph)}
${opsSection(data)}
</main>
<footer>
<p>Made by ${data.command.versions[0]}. The page loads nothing from the network and sends nothing.</p>
<details><summary>Licences of the parts of this page</summary><pre tabindex="0" aria-label="Licences">${licences
    .split('\n')
    .map(
      (line) => html`${line}
`,
    )}</pre></details>
</footer>
<script type="application/json" id="data">${json({ layers: layers.map(chartsOf), graph: data.graph, marks: MARK_TEXTS })}</script>
<script>${raw(script)}</script>
</body>
</html>
`;
  return page.toString();
}

function links({ result, verification }: PageData, hasLayers: boolean): Markup[] {
  const hasPictures = verification !== undefined && verification.examples.length > 0;
  const sections: readonly (readonly [string, string])[] = [
    ...(hasPictures ? ([['pictures', 'Pictures']] as const) : []),
    ...(verification ? ([['proofs', 'Proofs']] as const) : []),
    ['reproduce', 'Reproduce'],
    ...(hasLayers ? ([['batch-norms', 'Batch norms']] as const) : []),
    ['graph', 'Graph'],
    ['ops', result ? 'Before and after' : 'Ops'],
  ];
  return sections.map(([id, name]) => html`<a href="#${id}">${name}</a>`);
}

function fileName(path: string): string {
  return path.split('/').at(-1) || path;
}
