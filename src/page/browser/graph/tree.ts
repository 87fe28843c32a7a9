import type { Mark } from '../../script_data.js';
import type { GraphModel } from './model.js';

/** A box of the drawing: a node; a scope; or a part of a scope that has too many boxes for one picture. */
export interface Box {
  readonly kind: 'node' | 'scope' | 'part';
  /** What it is called inside its parent. */
  readonly label: string;
  readonly parent: Box | undefined;
  /** Number of boxes around it. */
  readonly depth: number;
  readonly children: readonly Box[];
  /** The nodes in it, in order. */
  readonly nodes: readonly number[];
  /** How many of them have each mark. */
  readonly marks: ReadonlyMap<Mark, number>;
}

/** A box in the making. */
interface Draft {
  label: string;
  readonly children: Draft[];
  /** The node, if it is one. */
  readonly node: number | undefined;
  readonly kind: Box['kind'];
}

/** A picture with more boxes is hard to read, and takes long to lay out. */
const MOST_CHILDREN = 48;
const PART_SIZE = 32;
/** Deeper scopes are not opened one by one: names from outside may have thousands of slashes. */
const DEEPEST = 24;

/** The boxes of the nodes that are shown: scopes within scopes. @returns the box around all of them */
export function boxesOf(model: GraphModel, isShown: (node: number) => boolean): Box {
  const root = draft('', 'scope');
  const scopes = new Map<string, Draft>([['', root]]);
  const shown: number[] = [];
  for (let node = 0; node < model.size; node++) if (isShown(node)) shown.push(node);
  const scopeOf = (path: readonly string[]): Draft => {
    const key = path.join('/');
    const known = scopes.get(key);
    if (known) return known;
    const made = draft(path.at(-1)!, 'scope');
    scopes.set(key, made);
    scopeOf(path.slice(0, -1)).children.push(made);
    return made;
  };
  const paths = shown.map((node) => pathOf(model.names[node]!));
  for (const [i, node] of shown.entries()) {
    const path = paths[i]!;
    scopeOf(path.slice(0, -1)).children.push(draft(path.at(-1)!, 'node', node));
  }
  return finished(divided(merged(root)), undefined, 0, model);
}

function draft(label: string, kind: Box['kind'], node?: number): Draft {
  return { label, kind, node, children: [] };
}

/** The scopes of a node, then its own name. */
function pathOf(name: string): string[] {
  const parts = name.split('/');
  return parts.length <= DEEPEST ? parts : [...parts.slice(0, DEEPEST - 1), parts.slice(DEEPEST - 1).join('/')];
}

/** Scopes that contain nothing but one box are one with it. */
function merged(box: Draft): Draft {
  const children = box.children.map(merged);
  const [only] = children;
  if (children.length === 1 && only && box.label !== '') return { ...only, label: `${box.label}/${only.label}` };
  return { ...box, children };
}

/** Divides boxes with many children into parts of neighbours, which follow each other in the order of the graph. */
function divided(box: Draft): Draft {
  let children = box.children.map(divided);
  while (children.length > MOST_CHILDREN) {
    const parts: Draft[] = [];
    for (let at = 0; at < children.length; at += PART_SIZE) {
      const part = children.slice(at, at + PART_SIZE);
      parts.push({
        label: `${endOf(part[0]!)} … ${endOf(part.at(-1)!)}`,
        kind: 'part',
        node: undefined,
        children: part,
      });
    }
    children = parts;
  }
  return { ...box, children };
}

function endOf({ label }: Draft): string {
  return label.split(' … ')[0]!;
}

function finished(
  { label, kind, node, children }: Draft,
  parent: Box | undefined,
  depth: number,
  model: GraphModel,
): Box {
  const box = {
    kind,
    label,
    parent,
    depth,
    children: [] as Box[],
    nodes: [] as number[],
    marks: new Map<Mark, number>(),
  };
  if (node !== undefined) {
    box.nodes.push(node);
    const mark = model.markOf(node);
    if (mark) box.marks.set(mark, 1);
  }
  for (const child of children) {
    const made = finished(child, box, depth + 1, model);
    box.children.push(made);
    for (const each of made.nodes) box.nodes.push(each);
    for (const [mark, count] of made.marks) box.marks.set(mark, (box.marks.get(mark) ?? 0) + count);
  }
  return box;
}

/** The boxes around a box, the outermost first, and the box itself. */
export function chainOf(box: Box): Box[] {
  const chain: Box[] = [];
  for (let at: Box | undefined = box; at; at = at.parent) chain.unshift(at);
  return chain;
}

/** The box of each node. */
export function leavesOf(root: Box): Map<number, Box> {
  const leaves = new Map<number, Box>();
  const visit = (box: Box) => {
    if (box.kind === 'node') leaves.set(box.nodes[0]!, box);
    else box.children.forEach(visit);
  };
  visit(root);
  return leaves;
}
