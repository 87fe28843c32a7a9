import { countText, shapeText } from '../freezing/text.js';
import type { Proof, VerifyReport } from '../proof/report.js';
import { PROOF_TITLES } from '../proof/wording.js';
import { chip } from './chip.js';
import { type Content, html, type Markup, nameMarkup } from './markup.js';
import { PROOF_HELP, proofLabel, proofSentence } from './proof_prose.js';

/** What was proved, with the numbers. */
export function proofsSection(report: VerifyReport): Markup {
  const { inputs, outputs, without, proofs, tolerance } = report;
  const facts: readonly (readonly [string, Content])[] = [
    [
      'inputs',
      inputs.map(
        ({ name, dtype, shape, isRandom }) =>
          html`${nameMarkup(name)} ${dtype} ${shapeText(shape)}${isRandom ? ', random' : ''}<br>`,
      ),
    ],
    ['compared', outputs.map((name) => html`${nameMarkup(name)}<br>`)],
    ['left out', without.map(({ node, op }) => html`${nameMarkup(node)} (${op})<br>`)],
    ['tolerance', `${tolerance.atol} + ${tolerance.rtol} of the largest value`],
  ];
  return html`<section id="proofs" aria-labelledby="proofs-title">
<h2 id="proofs-title">Proofs <small>${countText(proofs.length)}</small></h2>
<ul class="proofs">${proofs.map(proofItem)}</ul>
<dl class="facts">${facts.filter(([, value]) => value !== '' && !(Array.isArray(value) && value.length === 0)).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
</section>
`;
}

function proofItem(proof: Proof): Markup {
  const label = proofLabel(proof);
  return html`<li class="${label.tone}">${chip(label)} <h3>${PROOF_TITLES[proof.name]}</h3>
<p>${proofSentence(proof)}</p><p class="help">${PROOF_HELP[proof.name]}</p></li>
`;
}
