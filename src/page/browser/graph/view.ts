import type { Mark } from '../../script_data.js';
import { Canvas } from './canvas.js';
import { type Drawn, draw } from './draw.js';
import { Layouts, type Point } from './layout.js';
import type { GraphModel } from './model.js';
import { type Box, boxesOf, chainOf, leavesOf } from './tree.js';

/** Which nodes are shown. */
export interface Shown {
  /** Those that depend on no input: weights, constants. */
  readonly weights: boolean;
  /** Those that feed no output. */
  readonly unused: boolean;
}

/** With more boxes, drawing gets slow: what was opened first is closed. */
const MOST_BOXES = 1200;

/** The first picture is not made smaller than this by opening scopes. */
const LEGIBLE = 0.6;
/** How many scopes are tried for it. */
const MOST_TRIED = 16;

/** The drawing of the graph: which scopes are open, what is selected. */
export class GraphDrawing {
  readonly #model: GraphModel;
  readonly #texts: Readonly<Record<Mark, string>>;
  readonly #canvas: Canvas;
  readonly #selected: (node: number | undefined) => void;
  /** In the order in which they were opened. */
  readonly #open = new Set<Box>();
  #shown: Shown = { weights: false, unused: false };
  #root!: Box;
  #leaves!: ReadonlyMap<number, Box>;
  #layouts!: Layouts;
  #drawn = new Map<Box, Drawn>();
  #focus: Box | undefined;

  /** @param selected - is called with the node that was selected, or undefined for a scope */
  constructor(
    svg: SVGSVGElement,
    model: GraphModel,
    texts: Readonly<Record<Mark, string>>,
    selected: (node: number | undefined) => void,
  ) {
    this.#model = model;
    this.#texts = texts;
    this.#selected = selected;
    this.#canvas = new Canvas(svg);
    svg.addEventListener('click', ({ target }) => {
      const box = this.#boxAt(target as Element);
      if (box) this.#choose(box);
    });
    svg.addEventListener('keydown', (event) => this.#key(event));
    this.show(this.#shown);
  }

  get shown(): Shown {
    return this.#shown;
  }

  /** Shows other nodes; open scopes stay open. */
  show(shown: Shown): void {
    this.#shown = shown;
    const open = [...this.#open].map((box) => box.nodes[0]!);
    const depths = [...this.#open].map(({ depth }) => depth);
    const focused = this.#focus?.kind === 'node' ? this.#focus.nodes[0] : undefined;
    const model = this.#model;
    this.#root = boxesOf(model, (node) =>
      model.isUnused(node) ? shown.unused : shown.weights || !model.isWeight(node) || model.markOf(node) !== undefined,
    );
    this.#leaves = leavesOf(this.#root);
    this.#open.clear();
    this.#layouts = new Layouts(model, this.#leaves, this.#open);
    for (const [i, node] of open.entries()) {
      const leaf = this.#leaves.get(node);
      const box = leaf && chainOf(leaf)[depths[i]!];
      if (box && box.kind !== 'node') this.#open.add(box);
    }
    // A single scope around everything says nothing.
    for (let only = this.#root; only.children.length === 1 && only.kind !== 'node'; ) {
      only = only.children[0]!;
      if (only.kind !== 'node') this.#open.add(only);
    }
    if (open.length === 0) this.#openMarked();
    this.#focus = focused === undefined ? undefined : this.#leaves.get(focused);
    this.#draw();
    this.fit(false);
  }

  /** Closes all scopes. */
  collapse(): void {
    for (const box of this.#open) this.#layouts.changed(box);
    this.#open.clear();
    this.#draw();
    this.fit(false);
  }

  /** Opens scopes with marked nodes, outer ones first, as long as all of the picture can be read. */
  #openMarked(): void {
    const waiting = this.#root.children.filter(hasMarks);
    for (const box of waiting.slice(0, MOST_TRIED)) {
      this.#open.add(box);
      this.#layouts.changed(box);
      const { width, height } = this.#layouts.picture(this.#root);
      if (this.#canvas.scaleFor(width, height) >= LEGIBLE) waiting.push(...box.children.filter(hasMarks));
      else {
        this.#open.delete(box);
        this.#layouts.changed(box);
      }
    }
  }

  /** Shows the whole picture. @param isWhole - even if it is too small to read */
  fit(isWhole = true): void {
    const { width, height } = this.#layouts.picture(this.#root);
    this.#canvas.fit(width, height, isWhole);
  }

  zoomBy(factor: number): void {
    this.#canvas.zoomBy(factor);
  }

  /** Opens the scopes around a node, selects it and moves it to the middle. */
  reveal(node: number): void {
    const { weights, unused } = this.#shown;
    if (!this.#leaves.has(node)) {
      this.show({ weights: weights || this.#model.isWeight(node), unused: unused || this.#model.isUnused(node) });
    }
    const leaf = this.#leaves.get(node);
    if (!leaf) return;
    for (const box of chainOf(leaf).slice(1, -1)) this.#setOpen(box, true);
    this.#draw();
    this.#select(leaf);
    this.#canvas.center(this.#drawn.get(leaf)!, 0.9);
  }

  /** Moves the keyboard to what is selected. */
  focus(): void {
    const box = this.#focus && this.#drawn.get(this.#focus);
    box?.element.focus({ preventScroll: true });
  }

  #choose(box: Box): void {
    if (box.kind !== 'node') {
      const before = this.#drawn.get(box)!;
      this.#setOpen(box, !this.#open.has(box));
      this.#draw();
      const after = this.#drawn.get(box)!;
      // The title stays where it was.
      this.#canvas.shift(titleOf(before), titleOf(after));
    }
    this.#select(box);
    this.focus();
  }

  #setOpen(box: Box, isOpen: boolean): void {
    // The latest is last.
    this.#open.delete(box);
    if (isOpen) this.#open.add(box);
    this.#layouts.changed(box);
    const kept = new Set(chainOf(box));
    let count = 0;
    for (const each of this.#open) count += each.children.length;
    for (const each of this.#open) {
      if (count <= MOST_BOXES) break;
      if (kept.has(each)) continue;
      count -= each.children.length;
      this.#open.delete(each);
      this.#layouts.changed(each);
    }
  }

  #draw(): void {
    this.#canvas.content.replaceChildren();
    const drawn = draw(this.#canvas.content, this.#layouts.picture(this.#root), this.#model, this.#texts);
    this.#drawn = new Map(drawn.map((each) => [each.box, each]));
    if (this.#focus && !this.#drawn.has(this.#focus)) this.#focus = undefined;
    this.#setFocus(this.#focus ?? drawn[0]?.box);
  }

  #select(box: Box): void {
    this.#setFocus(box);
    for (const { element } of this.#drawn.values())
      element.classList.toggle('selected', element === this.#drawn.get(box)?.element);
    this.#selected(box.kind === 'node' ? box.nodes[0] : undefined);
  }

  /** One box is reached by the tab key; arrows lead to the others. */
  #setFocus(box: Box | undefined): void {
    if (this.#focus) this.#drawn.get(this.#focus)?.element.setAttribute('tabindex', '-1');
    this.#focus = box;
    if (box) this.#drawn.get(box)?.element.setAttribute('tabindex', '0');
  }

  #boxAt(target: Element): Box | undefined {
    const element = target.closest('.box');
    return [...this.#drawn.values()].find((each) => each.element === element)?.box;
  }

  #key(event: KeyboardEvent): void {
    const act = this.#actionOf(event.key);
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  }

  #actionOf(key: string): (() => void) | undefined {
    switch (key) {
      case 'ArrowUp':
        return () => this.#moveFocus(0, -1);
      case 'ArrowDown':
        return () => this.#moveFocus(0, 1);
      case 'ArrowLeft':
        return () => this.#moveFocus(-1, 0);
      case 'ArrowRight':
        return () => this.#moveFocus(1, 0);
      case 'Enter':
      case ' ':
        return () => this.#focus && this.#choose(this.#focus);
      case '+':
      case '=':
        return () => this.zoomBy(1.3);
      case '-':
        return () => this.zoomBy(1 / 1.3);
      case '0':
        return () => this.fit();
      default:
        return undefined;
    }
  }

  /** Moves to the nearest box in a direction. */
  #moveFocus(x: number, y: number): void {
    const from = this.#focus && this.#drawn.get(this.#focus);
    if (!from) return;
    const origin = from.isOpen ? titleOf(from) : from;
    let best: { readonly drawn: Drawn; readonly distance: number } | undefined;
    for (const drawn of this.#drawn.values()) {
      if (drawn === from) continue;
      const point = drawn.isOpen ? titleOf(drawn) : drawn;
      const [dx, dy] = [point.x - origin.x, point.y - origin.y];
      const along = dx * x + dy * y;
      if (along <= 1) continue;
      const distance = along + 2.5 * Math.abs(dx * y - dy * x);
      if (!best || distance < best.distance) best = { drawn, distance };
    }
    if (!best) return;
    this.#select(best.drawn.box);
    if (!this.#canvas.sees(best.drawn)) this.#canvas.center(best.drawn);
    this.focus();
  }
}

/** The middle of the title of a box. */
function titleOf({ x, y, height }: Drawn): Point {
  return { x, y: y - height / 2 + 13 };
}

function hasMarks({ kind, marks }: Box): boolean {
  return kind !== 'node' && marks.size > 0;
}
