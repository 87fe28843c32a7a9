import { byteText, countText } from '../freezing/text.js';
import type { VerifyReport } from '../proof/report.js';
import { errorText, worst } from '../proof/wording.js';
import { html, type Markup } from './markup.js';
import type { PageData } from './page_data.js';
import type { Tone, VerdictText } from './prose.js';
import { largeCountText } from './quantities.js';

const SYMBOLS: Readonly<Record<Tone, string>> = { good: '✓', folded: '✓', bad: '✗', warn: '!', plain: 'i' };

/** The top of the page: what is the matter, or what was done, and the figures. */
export function verdictSection(data: PageData, verdict: VerdictText): Markup {
  const { model, checkpoint } = data.inspection;
  const tensorflow = model.tensorflow === undefined ? '' : `TensorFlow ${model.tensorflow}`;
  return html`<section class="verdict ${verdict.tone}" aria-labelledby="verdict">
<div class="symbol" aria-hidden="true">${SYMBOLS[verdict.tone]}</div>
<div class="said">
<h1 id="verdict">${verdict.text}</h1>
<p class="model"><bdi><code>${model.name}</code></bdi>${checkpoint === undefined ? '' : html` <span>checkpoint <bdi><code>${checkpoint}</code></bdi></span>`} <span>${tensorflow}</span></p>
${verdict.details.map((text) => html`<p>${text}</p>`)}
${list('warnings', verdict.warnings)}
${list('notes', verdict.notes)}
${fixes(data)}
</div>
<dl class="tiles">${tiles(data).map(tile)}</dl>
</section>
`;
}

function list(kind: string, texts: readonly string[]): Markup | undefined {
  return texts.length === 0 ? undefined : html`<ul class="${kind}">${texts.map((text) => html`<li>${text}</li>`)}</ul>`;
}

function fixes({ refusal }: PageData): Markup | undefined {
  if (!refusal || refusal.fixes.length === 0) return undefined;
  const items = refusal.fixes.map(({ code, text }) => {
    const command = code === undefined ? '' : html`<code>${code}</code> `;
    return html`<li>${command}${text}</li>`;
  });
  return html`<h2 class="small">What to do</h2><ul class="fixes">${items}</ul>`;
}

/** A figure, and what it was before. */
interface Figure {
  readonly label: string;
  readonly value: string;
  readonly before?: string | undefined;
}

function tile({ label, value, before }: Figure): Markup {
  const was =
    before === undefined || before === value
      ? ''
      : html`<small><span class="hidden">before: </span>${before} → </small>`;
  return html`<div><dt>${label}</dt><dd>${was}${value}</dd></div>`;
}

function tiles({ inspection, result, verification }: PageData): Figure[] {
  const batchNorms = { label: 'batch norms', value: countText(inspection.verdict.total) };
  const proved = verification ? proofFigures(verification.report) : [];
  if (!result && verification) return proved;
  if (!result) {
    const { size } = inspection;
    const weights = size.variables.tensors > 0 ? size.variables : size.constants;
    return [
      batchNorms,
      { label: 'nodes', value: countText(size.nodes) },
      { label: 'parameters', value: largeCountText(weights.elements) },
      { label: 'graph file', value: byteText(size.graphBytes) },
    ];
  }
  const { before, after } = result.report;
  return [
    batchNorms,
    { label: 'nodes', value: countText(after.nodes), before: countText(before.nodes) },
    { label: 'op types', value: countText(after.ops), before: countText(before.ops) },
    { label: 'graph and weights', value: byteText(after.bytes), before: byteText(before.bytes) },
    ...costFigures(result.report),
    ...proved.slice(0, 1),
  ];
}

function proofFigures({ proofs, layers }: VerifyReport): Figure[] {
  const passed = proofs.filter(({ status }) => status === 'passed').length;
  const independence = proofs.find(({ name, saved }) => name === 'batch_independence' && saved.length > 0);
  return [
    { label: 'proofs passed', value: `${passed} of ${proofs.length}` },
    { label: 'batch norms compared', value: countText(layers.length) },
    { label: 'largest error', value: errorText(worst(proofs.flatMap(({ outputs }) => outputs))) },
    ...(independence
      ? [{ label: 'change with the batch, as saved', value: errorText(worst(independence.saved)) }]
      : []),
  ];
}

function costFigures(report: NonNullable<PageData['result']>['report']): Figure[] {
  if (!('cost' in report) || report.cost.before.multiplications === 0) return [];
  const { before, after } = report.cost;
  return [
    {
      label: 'multiplications per example',
      value: largeCountText(after.multiplications),
      before: largeCountText(before.multiplications),
    },
  ];
}
