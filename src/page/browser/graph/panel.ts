import { printable } from '../../../printable.js';
import type { Mark } from '../../script_data.js';
import { copyText } from '../copy.js';
import { button, element } from '../elements.js';
import type { GraphModel } from './model.js';

/** Names in a list; the others are counted. */
const MOST_LISTED = 12;

/** What is known of the selected node, beside the drawing. */
export function showNode(
  panel: HTMLElement,
  model: GraphModel,
  texts: Readonly<Record<Mark, string>>,
  node: number,
  reveal: (node: number) => void,
): void {
  const mark = model.markOf(node);
  const name = model.names[node]!;
  const copy = button('Copy name', () => copyText(name, copy));
  panel.replaceChildren(
    element('h3', {}, element('bdi', {}, printable(name))),
    element('p', {}, element('code', {}, printable(model.opOf(node)))),
    ...(mark ? [element('p', { class: 'what' }, element('span', { class: `swatch mark-${mark}` }), texts[mark])] : []),
    ...(model.isUnused(node) ? [element('p', {}, 'feeds no output')] : []),
    ...neighbours('Inputs', model.inputs[node]!, model, reveal),
    ...neighbours('Consumers', model.consumers[node]!, model, reveal),
    copy,
  );
  panel.hidden = false;
}

function neighbours(
  title: string,
  nodes: readonly number[],
  model: GraphModel,
  reveal: (node: number) => void,
): Node[] {
  const distinct = [...new Set(nodes)];
  if (distinct.length === 0) return [];
  const items = distinct.slice(0, MOST_LISTED).map((node) => {
    const link = button('', () => reveal(node), { class: 'link' });
    link.append(
      element('bdi', {}, printable(model.names[node]!)),
      element('small', {}, ` ${printable(model.opOf(node))}`),
    );
    return element('li', {}, link);
  });
  const more = distinct.length - items.length;
  if (more > 0) items.push(element('li', {}, `and ${more} more`));
  return [element('h4', {}, title), element('ul', {}, ...items)];
}
