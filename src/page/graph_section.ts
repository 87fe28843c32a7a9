import { countText } from '../freezing/text.js';
import { html, type Markup } from './markup.js';
import type { GraphView, Mark } from './script_data.js';

/** What the marks of nodes mean; the page has one entry for each kind that occurs. */
export const MARK_TEXTS: Readonly<Record<Mark, string>> = {
  training: 'batch norm in training mode',
  switched: 'batch norm switched by a flag',
  repaired: 'repaired batch norm',
  folded: 'folded batch norm',
  folded_into: 'weights that one was folded into',
  inference: 'batch norm in inference mode',
  per_example: 'normalises each example',
  kept: 'kept in training mode',
  dropout: 'dropout',
  flag: 'flag',
  input: 'input',
  output: 'output',
};

/** The graph: the script of the page draws it. */
export function graphSection(graph: GraphView): Markup {
  const marks = (Object.keys(MARK_TEXTS) as Mark[]).filter((mark) => graph.marks[mark]?.length);
  const omitted = graph.omitted === 0 ? '' : ` ${countText(graph.omitted)} nodes that feed no output were left out.`;
  return html`<section id="graph" aria-labelledby="graph-title">
<h2 id="graph-title">Graph <small>${countText(graph.names.length)} nodes</small></h2>
<p class="hint">As it is at inference: functions inlined, flags set.${omitted}<span class="scripted"> Click a scope to open it; drag to pan, Ctrl and wheel or pinch to zoom. With the keyboard: arrows move, Enter opens and closes.</span></p>
<div class="tools scripted">
<label>Find <input type="search" id="find" placeholder="name or op" autocomplete="off" spellcheck="false"></label>
<label><input type="checkbox" id="weights"> weights and constants</label>
<label><input type="checkbox" id="unused"> what feeds no output</label>
<span class="buttons" role="group" aria-label="View">
<button type="button" id="zoom-in" aria-label="Zoom in">+</button>
<button type="button" id="zoom-out" aria-label="Zoom out">&minus;</button>
<button type="button" id="fit">Fit</button>
<button type="button" id="collapse">Close all</button>
<button type="button" id="next">Next batch norm</button>
<button type="button" id="enlarge">Enlarge</button>
</span>
</div>
<p id="found" role="status" class="scripted"></p>
<ul id="hits" class="scripted"></ul>
<div class="canvas scripted"><svg id="drawing" role="group" aria-label="Graph of the model" aria-describedby="legend"></svg><aside id="node" aria-label="Selected node" hidden></aside></div>
<ul class="legend" id="legend">${marks.map((mark) => html`<li><span class="swatch mark-${mark}"></span>${MARK_TEXTS[mark]} (${countText(graph.marks[mark]!.length)})</li>`)}</ul>
<noscript><p>The graph needs JavaScript.</p></noscript>
</section>
`;
}
