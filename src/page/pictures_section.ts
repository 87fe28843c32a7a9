import { html, type Markup, nameMarkup } from './markup.js';
import type { PictureData, VerificationData } from './page_data.js';
import { numberText } from './prose.js';

const ROLES: Readonly<Record<PictureData['role'], string>> = {
  input: 'Input',
  before: 'Graph as saved',
  after: 'Repaired graph',
};

/** How wide a small image is shown, in pixels of the screen: by a whole factor. */
const SHOWN_WIDTH = 400;

/** Inputs, and what both graphs output for them, as images. */
export function picturesSection({ examples, report }: VerificationData): Markup {
  const [first] = examples;
  if (!first) return html``;
  const isRandom = report.inputs.every((input) => input.isRandom);
  const shown = first.pictures.filter(({ role }) => role !== 'before');
  return html`<section id="pictures" aria-labelledby="pictures-title">
<h2 id="pictures-title">Pictures <small>${isRandom ? 'of random inputs' : 'of the given inputs'}</small></h2>
${examples.map(
  ({ example, pictures }) =>
    html`<div class="pictures" role="group" aria-label="Example ${example + 1}">${pictures.map((picture) => figure(picture, example))}</div>
`,
)}
<p class="ranges">${shown.map(
    ({ tensor, range: { black, white } }) =>
      html`<span>${nameMarkup(tensor)}: black is ${numberText(black)}, white is ${numberText(white)}.</span> `,
  )}</p>
</section>
`;
}

function figure({ tensor, role, width, height, uri }: PictureData, example: number): Markup {
  const zoom = Math.max(1, Math.floor(SHOWN_WIDTH / width));
  const label = `Example ${example + 1}, ${ROLES[role].toLowerCase()}: ${tensor}`;
  return html`<figure class="picture"><img src="${uri}" width="${width * zoom}" height="${height * zoom}" alt="${label}">
<figcaption><b>${ROLES[role]}</b> ${nameMarkup(tensor)}</figcaption></figure>`;
}
