import { element } from './elements.js';

/** What is sorted: rows, or groups of rows. */
export interface SortedRows {
  readonly table: HTMLTableElement;
  readonly rows: () => readonly HTMLElement[];
  /** The cell of a row in a column. */
  readonly cellOf: (row: HTMLElement, column: number) => Element | undefined;
  /** Puts the rows in their new order. */
  readonly place: (rows: readonly HTMLElement[]) => void;
}

/** Makes the headers of a table buttons that sort it: numbers from the largest, texts from A; the next click turns the order. */
export function makeSortable(sorted: SortedRows): void {
  const headers = [...sorted.table.querySelectorAll<HTMLElement>('thead th')];
  for (const [column, header] of headers.entries()) {
    const button = element('button', { type: 'button', class: 'sort' }, ...header.childNodes);
    header.append(button);
    button.addEventListener('click', () => {
      const isNumber = header.classList.contains('number');
      const first = isNumber ? 'descending' : 'ascending';
      const other = isNumber ? 'ascending' : 'descending';
      const order = header.getAttribute('aria-sort') === first ? other : first;
      for (const each of headers) each.removeAttribute('aria-sort');
      header.setAttribute('aria-sort', order);
      sorted.place(inOrder(sorted, column, order === 'descending'));
    });
  }
}

function inOrder({ rows, cellOf }: SortedRows, column: number, isDescending: boolean): HTMLElement[] {
  const keyed = rows().map((row) => {
    const cell = cellOf(row, column);
    const order = cell?.getAttribute('data-order');
    const text = cell?.textContent?.trim() ?? '';
    return { row, text, number: order === null || order === undefined ? undefined : Number(order) };
  });
  const isEmpty = ({ text, number }: (typeof keyed)[number]) => number === undefined && text === '';
  keyed.sort((a, b) => {
    // What is unknown comes last, whatever the order.
    if (isEmpty(a) || isEmpty(b)) return Number(isEmpty(a)) - Number(isEmpty(b));
    const result =
      a.number !== undefined && b.number !== undefined
        ? a.number - b.number
        : a.text.localeCompare(b.text, undefined, { numeric: true });
    return isDescending ? -result : result;
  });
  return keyed.map(({ row }) => row);
}
