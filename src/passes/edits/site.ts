import type { Site } from '../../analysis/folding/sites.js';
import type { FoldView } from '../../analysis/folding/view.js';
import { attr } from '../../graph/attrs.js';
import type { NodeSpec, TensorRef } from '../../graph/node.js';

/** Puts one op, which keeps the name, in place of a site; undefined where nothing is left to do. */
export function replaceSite(view: FoldView, site: Site, spec: Omit<NodeSpec, 'name'> | undefined): void {
  const { graph } = view;
  const { last, members } = site;
  const x = currentX(site);
  if (spec) {
    graph.replace(last, { ...spec, controls: last.controls });
  } else if (view.whyNotRemovable(last)) {
    const T = attr.type(site.dtype);
    graph.replace(last, { op: 'Identity', inputs: [x], controls: last.controls, attr: { T } });
  } else {
    graph.replaceUses({ node: last.name, port: 0 }, x);
    graph.remove(last.name);
  }
  for (const { node } of [...members].reverse()) if (node !== last) graph.remove(node.name);
}

/** What a site reads now: an op may have been put before it. */
export function currentX({ members }: Site): TensorRef {
  const { node, operand } = members[0]!;
  return node.inputs[1 - operand]!;
}
