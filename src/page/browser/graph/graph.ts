import type { ScriptData } from '../../script_data.js';
import { byId } from '../elements.js';
import { type GraphModel, graphModel } from './model.js';
import { showNode } from './panel.js';
import { startSearch } from './search.js';
import { GraphDrawing } from './view.js';

/** The section with the graph. @returns a function that shows a node in it */
export function startGraph({ graph, marks }: ScriptData): (node: number) => void {
  const model = graphModel(graph);
  const panel = byId('node');
  let current: number | undefined;
  const drawing = new GraphDrawing(byId<SVGSVGElement>('drawing'), model, marks, (node) => {
    current = node;
    if (node === undefined) panel.hidden = true;
    else showNode(panel, model, marks, node, reveal);
  });
  const boxes = startBoxes(drawing);
  const reveal = (node: number) => {
    drawing.reveal(node);
    boxes();
  };
  startSearch(model, reveal);
  startButtons(drawing, model, reveal, () => current);
  return (node) => {
    byId('graph').scrollIntoView();
    reveal(node);
    drawing.focus();
  };
}

/** The boxes for what is shown. @returns a function that sets them to what is shown now */
function startBoxes(drawing: GraphDrawing): () => void {
  const [weights, unused] = [byId<HTMLInputElement>('weights'), byId<HTMLInputElement>('unused')];
  const change = () => drawing.show({ weights: weights.checked, unused: unused.checked });
  for (const box of [weights, unused]) box.addEventListener('change', change);
  return () => {
    weights.checked = drawing.shown.weights;
    unused.checked = drawing.shown.unused;
  };
}

function startButtons(
  drawing: GraphDrawing,
  { batchNorms }: GraphModel,
  reveal: (node: number) => void,
  current: () => number | undefined,
): void {
  const act = (id: string, action: () => void) => byId(id).addEventListener('click', action);
  act('zoom-in', () => drawing.zoomBy(1.4));
  act('zoom-out', () => drawing.zoomBy(1 / 1.4));
  act('fit', () => drawing.fit());
  act('collapse', () => drawing.collapse());
  const [first] = batchNorms;
  if (first === undefined) byId('next').hidden = true;
  else act('next', () => reveal(batchNorms.find((node) => node > (current() ?? -1)) ?? first));
  const section = byId('graph');
  if (!document.fullscreenEnabled) byId('enlarge').hidden = true;
  act('enlarge', () => (document.fullscreenElement ? document.exitFullscreen() : section.requestFullscreen()));
  document.addEventListener('fullscreenchange', () => {
    byId('enlarge').textContent = document.fullscreenElement ? 'Back to the page' : 'Enlarge';
    drawing.fit(false);
  });
}
