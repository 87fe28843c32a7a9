import { html, type Markup } from './markup.js';
import type { Label } from './prose.js';

/** A short text in the colour of its tone. */
export function chip({ text, tone }: Label): Markup {
  return html`<span class="chip ${tone}">${text}</span>`;
}
