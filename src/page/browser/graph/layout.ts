import { layout as arrange, Graph } from '@dagrejs/dagre';
import type { GraphModel } from './model.js';
import { type Box, chainOf } from './tree.js';

/** A point of the drawing, in pixels at scale 1. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A box and where it is: its centre, relative to the picture that it is in. */
export interface Placed extends Point {
  readonly box: Box;
  readonly width: number;
  readonly height: number;
  /** What is in it, if it is open. */
  readonly inner: Picture | undefined;
}

/** An edge between boxes. */
export interface Line {
  readonly points: readonly Point[];
  /** How many edges of the graph it stands for. */
  readonly count: number;
  /** Whether it ends at a box, and not at the border of the picture. */
  readonly hasTarget: boolean;
}

/** The inside of an open box. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly placed: readonly Placed[];
  readonly lines: readonly Line[];
}

/** Height of the title of an open box. */
export const TITLE_HEIGHT = 26;
const MARGIN = 14;
/** Names of the points at which edges enter and leave an open box. */
const ENTRY = 'in';
const EXIT = 'out';

/** Lays out open boxes, each on its own: what has not changed keeps its picture. */
export class Layouts {
  readonly #model: GraphModel;
  readonly #leaves: ReadonlyMap<number, readonly Box[]>;
  readonly #open: ReadonlySet<Box>;
  readonly #pictures = new Map<Box, Picture>();

  /** @param open - the boxes that are open; call {@link changed} when it changes */
  constructor(model: GraphModel, leaves: ReadonlyMap<number, Box>, open: ReadonlySet<Box>) {
    this.#model = model;
    this.#leaves = new Map([...leaves].map(([node, box]) => [node, chainOf(box)]));
    this.#open = open;
  }

  /** A box was opened or closed. */
  changed(box: Box): void {
    for (const each of chainOf(box)) this.#pictures.delete(each);
  }

  /** The inside of a box. */
  picture(box: Box): Picture {
    let picture = this.#pictures.get(box);
    if (!picture) {
      picture = this.#arranged(box);
      this.#pictures.set(box, picture);
    }
    return picture;
  }

  #arranged(box: Box): Picture {
    const graph = new Graph();
    graph.setGraph({ rankdir: 'TB', nodesep: 16, ranksep: 30, edgesep: 8, marginx: MARGIN, marginy: MARGIN });
    const inners = box.children.map((child) => (this.#open.has(child) ? this.picture(child) : undefined));
    for (const [i, child] of box.children.entries()) graph.setNode(String(i), sizeOf(child, inners[i], this.#model));
    const edges = this.#edges(box);
    for (const end of [ENTRY, EXIT]) {
      if (edges.some(({ from, to }) => from === end || to === end)) graph.setNode(end, { width: 1, height: 1 });
    }
    for (const { from, to, count } of edges) graph.setEdge(from, to, { weight: Math.min(8, count), count });
    arrange(graph);
    const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
    const placed = box.children.map((child, i) => {
      const { x, y, width, height } = graph.node(String(i)) as Point & { width: number; height: number };
      return { box: child, x, y, width, height, inner: inners[i] };
    });
    const lines = edges.flatMap(({ from, to, count }) => {
      const { points } = graph.edge(from, to) as { points?: Point[] };
      return points ? [{ points: toBorder(points, from, to, height), count, hasTarget: to !== EXIT }] : [];
    });
    return { width, height, placed, lines };
  }

  /** The edges between the children of a box, and to what is outside. */
  #edges(box: Box): { from: string; to: string; count: number }[] {
    const indices = new Map(box.children.map((child, i) => [child, String(i)]));
    const counts = new Map<string, { from: string; to: string; count: number }>();
    const childWith = (node: number) => {
      const chain = this.#leaves.get(node);
      if (!chain) return undefined;
      return chain[box.depth] === box ? indices.get(chain[box.depth + 1]!) : 'outside';
    };
    const add = (from: string, to: string) => {
      const key = `${from} ${to}`;
      const known = counts.get(key);
      if (known) known.count++;
      else counts.set(key, { from, to, count: 1 });
    };
    for (const node of box.nodes) {
      const to = childWith(node)!;
      for (const input of this.#model.inputs[node]!) {
        const from = childWith(input);
        if (from === undefined || from === to) continue;
        add(from === 'outside' ? ENTRY : from, to);
      }
      for (const consumer of this.#model.consumers[node]!) if (childWith(consumer) === 'outside') add(to, EXIT);
    }
    return [...counts.values()];
  }
}

/** Edges from outside begin above the title, edges to outside end at the lower one. */
function toBorder(points: readonly Point[], from: string, to: string, height: number): Point[] {
  const inner = points.slice(from === ENTRY ? 1 : 0, to === EXIT ? -1 : undefined);
  const [first, last] = [points[0]!, points.at(-1)!];
  return [
    ...(from === ENTRY ? [{ x: first.x, y: -TITLE_HEIGHT }] : []),
    ...inner,
    ...(to === EXIT ? [{ x: last.x, y: height }] : []),
  ];
}

/** Letters of a label that fit into a box. */
export const LABEL_LETTERS = 30;

function sizeOf(
  { kind, label, marks, nodes }: Box,
  inner: Picture | undefined,
  model: GraphModel,
): { width: number; height: number } {
  const forLabel = 30 + 8 * Math.min(label.length, LABEL_LETTERS);
  if (inner) return { width: Math.max(inner.width, forLabel), height: inner.height + TITLE_HEIGHT };
  const below = kind === 'node' ? 6.4 * Math.min(model.opOf(nodes[0]!).length, LABEL_LETTERS) : 60 + 26 * marks.size;
  return { width: Math.max(70, forLabel, 20 + below), height: 40 };
}
