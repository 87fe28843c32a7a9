import { printable } from '../../../printable.js';
import { button, byId, element } from '../elements.js';
import type { GraphModel } from './model.js';

const MOST_HITS = 20;

/** The field that finds nodes by name or op; Enter shows the first. */
export function startSearch(model: GraphModel, reveal: (node: number) => void): void {
  const input = byId<HTMLInputElement>('find');
  const texts = model.names.map((name, node) => `${name} ${model.opOf(node)}`.toLowerCase());
  const hits = byId('hits');
  let found: readonly number[] = [];
  const clear = () => hits.replaceChildren();
  const search = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    found = words.length === 0 ? [] : matching(texts, words, model);
    byId('found').textContent = words.length === 0 ? '' : countText(found.length);
    hits.replaceChildren(
      ...found.slice(0, MOST_HITS).map((node) => {
        const hit = button('', () => reveal(node), { class: 'link' });
        hit.append(
          element('bdi', {}, printable(model.names[node]!)),
          element('small', {}, ` ${printable(model.opOf(node))}`),
        );
        return element('li', {}, hit);
      }),
    );
  };
  input.addEventListener('input', search);
  input.addEventListener('keydown', ({ key }) => {
    if (key === 'Enter' && found[0] !== undefined) reveal(found[0]);
    if (key === 'Escape') {
      input.value = '';
      search();
      clear();
    }
  });
}

function countText(count: number): string {
  if (count === 0) return 'nothing found';
  const nodes = count === 1 ? '1 node found' : `${count} nodes found`;
  return count > MOST_HITS ? `${nodes}, the first ${MOST_HITS}:` : `${nodes}:`;
}

/** The nodes whose name or op contains all words: first those whose own name begins with them. */
function matching(texts: readonly string[], words: readonly string[], model: GraphModel): number[] {
  const found: number[] = [];
  for (const [node, text] of texts.entries()) if (words.every((word) => text.includes(word))) found.push(node);
  const rank = (node: number) => {
    const name = model.names[node]!.toLowerCase();
    const own = name.slice(name.lastIndexOf('/') + 1);
    const first = words[0]!;
    return name === first || own === first
      ? 0
      : own.startsWith(first) || name.startsWith(first)
        ? 1
        : own.includes(first)
          ? 2
          : 3;
  };
  const ranks = new Map(found.map((node) => [node, rank(node) + (model.markOf(node) ? 0 : 0.5)]));
  return found.sort((a, b) => ranks.get(a)! - ranks.get(b)! || a - b);
}
