import { select } from 'd3-selection';
import { type D3ZoomEvent, type ZoomTransform, zoom, zoomIdentity, zoomTransform } from 'd3-zoom';
import { shape } from '../elements.js';
import type { Point } from './layout.js';

/** How far a picture may be made smaller and larger. */
const SCALES = [0.03, 3] as const;
/** Smaller than this, names cannot be read. */
const READABLE = 0.45;
const PADDING = 16;

/** A picture in an SVG element that is panned and zoomed. */
export class Canvas {
  readonly #svg: SVGSVGElement;
  readonly #behaviour = zoom<SVGSVGElement, unknown>();
  /** What is drawn goes in here. */
  readonly content: SVGGElement = shape('g');

  constructor(svg: SVGSVGElement) {
    this.#svg = svg;
    const tip = shape('path', { d: 'M0 0 8 4 0 8z' });
    const arrow = {
      id: 'arrow',
      viewBox: '0 0 8 8',
      refX: 7,
      refY: 4,
      markerWidth: 7,
      markerHeight: 7,
      orient: 'auto',
    };
    svg.append(shape('defs', {}, shape('marker', { ...arrow, markerUnits: 'userSpaceOnUse' }, tip)), this.content);
    this.#behaviour
      .scaleExtent([...SCALES])
      // A page that is scrolled must not stop at the graph: the wheel alone zooms once the graph has the focus.
      .filter((event: MouseEvent) => {
        const isWheel = event.type === 'wheel';
        return isWheel ? event.ctrlKey || event.metaKey || svg.contains(document.activeElement) : event.button === 0;
      })
      .on('zoom', ({ transform }: D3ZoomEvent<SVGSVGElement, unknown>) => {
        this.content.setAttribute('transform', transform.toString());
      });
    select(svg).call(this.#behaviour).on('dblclick.zoom', null);
    this.#printWhole();
  }

  get transform(): ZoomTransform {
    return zoomTransform(this.#svg);
  }

  /** Shows a whole picture; one that would be too small to read from its beginning on. */
  fit(width: number, height: number, isWhole = true): void {
    const { clientWidth, clientHeight } = this.#svg;
    const whole = this.scaleFor(width, height);
    const scale = Math.max(
      SCALES[0],
      isWhole ? whole : Math.max(whole, Math.min(READABLE, (clientWidth - 2 * PADDING) / width)),
    );
    const top = Math.max(PADDING, (clientHeight - scale * height) / 2);
    this.#move(zoomIdentity.translate((clientWidth - scale * width) / 2, top).scale(scale));
  }

  /** The scale at which a whole picture can be seen. */
  scaleFor(width: number, height: number): number {
    const { clientWidth, clientHeight } = this.#svg;
    return Math.min((clientWidth - 2 * PADDING) / width, (clientHeight - 2 * PADDING) / height, 1.1);
  }

  zoomBy(factor: number): void {
    select(this.#svg).call(this.#behaviour.scaleBy, factor);
  }

  /** Moves a point of the picture to the middle. @param scale - at least this large */
  center({ x, y }: Point, scale = 0): void {
    const k = Math.max(this.transform.k, scale);
    const { clientWidth, clientHeight } = this.#svg;
    this.#move(zoomIdentity.translate(clientWidth / 2 - k * x, clientHeight / 2 - k * y).scale(k));
  }

  /** Moves the picture so that what was at one point is at another. */
  shift(from: Point, to: Point): void {
    const { k, x, y } = this.transform;
    this.#move(zoomIdentity.translate(x + k * (from.x - to.x), y + k * (from.y - to.y)).scale(k));
  }

  /** Whether a point of the picture can be seen. */
  sees({ x, y }: Point): boolean {
    const [left, top] = this.transform.apply([x, y]);
    return left > 0 && top > 0 && left < this.#svg.clientWidth && top < this.#svg.clientHeight;
  }

  /** On paper, whatever its width, the picture is whole. */
  #printWhole(): void {
    addEventListener('beforeprint', () => {
      const { x, y, width, height } = this.content.getBBox();
      this.#svg.setAttribute('viewBox', `${x} ${y} ${width} ${height}`);
      this.content.removeAttribute('transform');
    });
    addEventListener('afterprint', () => {
      this.#svg.removeAttribute('viewBox');
      this.content.setAttribute('transform', this.transform.toString());
    });
  }

  #move(transform: ZoomTransform): void {
    select(this.#svg).call(this.#behaviour.transform, transform);
  }
}
