import { refText } from '../../src/graph/node.js';

/**
 * What an analysis found, as text: `unpaired(batchNorm: bn, reason: no_average)`. A union is named by its `code` or `kind`,
 * a tensor by its name, a variable by its node; a missing value is its message. Empty lists and what is undefined are left
 * out.
 */
export function dataText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(dataText).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const data = value as Readonly<Record<string, unknown>>;
  const { node, port, key, message } = data;
  if (typeof message === 'string') return message;
  if (typeof node === 'string' && typeof port === 'number') return refText({ node, port });
  // A variable.
  if (typeof node === 'string' && 'key' in data && (key === undefined || typeof key === 'string')) return node;
  const { code, kind, ...others } = data;
  const parts = Object.entries(others).filter(
    ([, part]) => !(part === undefined || (Array.isArray(part) && part.length === 0)),
  );
  const text = parts.map(([name, part]) => `${name}: ${dataText(part)}`).join(', ');
  const name = String(code ?? kind ?? '').replaceAll(' ', '_');
  return text === '' ? name : `${name}(${text})`;
}
