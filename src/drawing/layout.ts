import { BnfixError } from '../errors.js';
import type { Drawing } from './drawing.js';
import type { GroupText } from './group_text.js';

/** A place in pixels, from the top left corner. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where everything is, in pixels. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  /** The centre of each group, in order. */
  readonly groups: readonly Point[];
  /** The curve of each edge, in order: a start, and control points of cubic Bézier curves; then the tip of its arrow. */
  readonly edges: readonly { readonly curve: readonly Point[]; readonly tip: Point | undefined }[];
}

/** Graphviz counts 72 points to an inch, and draws from the bottom up. */
const POINTS_PER_INCH = 72;

/** The part of Graphviz' JSON that is used. */
interface VizJson {
  readonly bb: string;
  readonly objects?: readonly { readonly name: string; readonly pos: string }[];
  readonly edges?: readonly { readonly id: string; readonly pos: string }[];
}

/** Lays out a drawing with Graphviz. @param texts - the text of each group, which determines its size */
export async function layOut({ groups, edges }: Drawing, texts: readonly GroupText[]): Promise<Layout> {
  const { instance } = await import('./viz_bundle.js');
  const viz = await instance();
  const input = {
    directed: true,
    graphAttributes: { rankdir: 'TB', nodesep: 0.25, ranksep: 0.35, splines: true },
    nodeAttributes: { shape: 'box', fixedsize: true, label: '' },
    edgeAttributes: { arrowsize: 0.6 },
    nodes: groups.map(({ id }, i) => ({
      name: id,
      attributes: { width: texts[i]!.width / POINTS_PER_INCH, height: texts[i]!.height / POINTS_PER_INCH },
    })),
    edges: edges.map(({ from, to }, i) => ({ tail: from, head: to, attributes: { id: `e${i}` } })),
  };
  const result = viz.render(input, { format: 'json', engine: 'dot' });
  if (result.status !== 'success') {
    throw new BnfixError('internal', 'the graph could not be laid out', {
      why: result.errors.map(({ message }) => message).join('; '),
    });
  }
  return layoutOf(JSON.parse(result.output) as VizJson, groups.length, edges.length);
}

function layoutOf({ bb, objects = [], edges = [] }: VizJson, groupCount: number, edgeCount: number): Layout {
  const [, , width = 0, height = 0] = bb.split(',').map(Number);
  const place = (text: string): Point => {
    const [x = 0, y = 0] = text.split(',').map(Number);
    return { x, y: height - y };
  };
  const positions = new Map(objects.map(({ name, pos }) => [name, place(pos)]));
  const curves = new Map(edges.map(({ id, pos }) => [id, curveOf(pos, place)]));
  return {
    width,
    height,
    groups: Array.from({ length: groupCount }, (_, i) => positions.get(`g${i}`) ?? { x: 0, y: 0 }),
    edges: Array.from({ length: edgeCount }, (_, i) => curves.get(`e${i}`) ?? { curve: [], tip: undefined }),
  };
}

/** `e,x,y x,y x,y ...`: the tip of the arrow, the start, control points. */
function curveOf(pos: string, place: (text: string) => Point): Layout['edges'][number] {
  const parts = pos.split(' ');
  const tip = parts.find((part) => part.startsWith('e,'));
  const curve = parts.filter((part) => /^[-\d]/.test(part)).map(place);
  return { curve, tip: tip === undefined ? undefined : place(tip.slice(2)) };
}
