import { countText, shapeText } from '../freezing/text.js';
import type { Comparison } from '../proof/compare.js';
import type { LayerReport, Proof, ProofName, VerifyReport } from '../proof/report.js';
import { errorText, PROOF_TITLES } from '../proof/wording.js';
import { chip } from './chip.js';
import { html, type Markup, nameMarkup } from './markup.js';
import { withinLabel } from './proof_prose.js';
import { numberText } from './prose.js';

/** More outputs than these are of no use. */
const MOST_OUTPUTS = 200;

/** The tensors that proofs compared: outputs, and each batch norm. */
export function comparedSections(report: VerifyReport): Markup {
  return html`${outputSection(report.proofs)}${layerSection(report)}`;
}

interface OutputRow {
  readonly proof: ProofName;
  readonly isSaved: boolean;
  readonly output: Comparison;
}

function outputSection(proofs: readonly Proof[]): Markup {
  const rows = proofs.flatMap(({ name, outputs, saved }): OutputRow[] => [
    ...saved.map((output) => ({ proof: name, isSaved: true, output })),
    ...outputs.map((output) => ({ proof: name, isSaved: false, output })),
  ]);
  if (rows.length === 0) return html``;
  const more = rows.length - MOST_OUTPUTS;
  return html`<section id="outputs" aria-labelledby="outputs-title">
<h2 id="outputs-title">Outputs compared <small>${countText(rows.length)}</small></h2>
${table('Table of outputs', ['Output', 'Proof', 'Graph', 'Result'], OUTPUT_NUMBERS, rows.slice(0, MOST_OUTPUTS).map(outputRow))}
${more > 0 && html`<p>And ${countText(more)} more.</p>`}
</section>
`;
}

const OUTPUT_NUMBERS = ['Largest error', 'Mean error', 'Largest value', 'Same top 1'];

function outputRow({ proof, isSaved, output }: OutputRow): Markup {
  const { tensor, shape, maxError, meanError, magnitude, sameTop } = output;
  return html`<tr><th scope="row"><span class="name">${nameMarkup(tensor)}</span><small>${shapeText(shape)}</small></th>
<td>${PROOF_TITLES[proof]}</td><td>${isSaved ? 'as saved' : proof === 'folding' ? 'folded' : 'repaired'}</td><td>${chip(withinLabel(output, isSaved))}</td>
${[maxError, meanError, magnitude].map(errorCell)}${sameTop ? html`<td class="number" data-order="${sameTop.rows / sameTop.of}">${countText(sameTop.rows)} of ${countText(sameTop.of)}</td>` : html`<td class="number"></td>`}</tr>
`;
}

function layerSection({ layers, proofs }: VerifyReport): Markup {
  if (layers.length === 0) return html``;
  const first = proofs.find(({ name }) => name === 'statistics')?.layer;
  return html`<section id="compared" aria-labelledby="compared-title">
<h2 id="compared-title">Batch norms compared <small>${countText(layers.length)}</small></h2>
<p>One element of each: of its input, of its output in both graphs, and what the formula gives for it with the stored statistics; and
the largest error of all elements.</p>
${table(
  'Table of compared batch norms',
  ['Batch norm', 'Result'],
  LAYER_NUMBERS,
  layers.map((layer) => layerRow(layer, layer.name === first)),
)}
</section>
`;
}

const LAYER_NUMBERS = ['Input', 'As saved', 'Repaired', 'Formula', 'Largest error', 'Mean error'];

function layerRow({ name, x, before, after, expected, error }: LayerReport, isFirst: boolean): Markup {
  return html`<tr><th scope="row"><span class="name">${nameMarkup(name)}</span>${isFirst && html`<small>the first that differs</small>`}</th>
<td>${error && chip(withinLabel(error, false))}</td>${[x, before, after, expected].map(valueCell)}${[error?.maxError, error?.meanError].map(errorCell)}</tr>
`;
}

function table(label: string, heads: readonly string[], numbers: readonly string[], rows: readonly Markup[]): Markup {
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${label}">
<table class="layers" data-sortable><thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}${numbers.map((head) => html`<th scope="col" class="number">${head}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table>
</div>`;
}

function valueCell(value: number | undefined): Markup {
  if (value === undefined) return html`<td class="number"></td>`;
  return html`<td class="number" data-order="${value}" title="${Number(value.toPrecision(9))}">${numberText(value, 6)}</td>`;
}

function errorCell(error: number | undefined): Markup {
  if (error === undefined) return html`<td class="number"></td>`;
  return html`<td class="number" data-order="${error}">${errorText(error)}</td>`;
}
