import { BnfixError } from '../errors.js';
import type { Refusable } from './analysis.js';
import { listed, plural } from './text.js';

/**
 * Refuses to freeze a graph from a file that needs values, but has no checkpoint: nothing else matters then.
 * @throws BnfixError `unreadable` with the files that were looked for, and those that were found
 */
export function refuseWithoutCheckpoint({ model, needed, problems }: Refusable): void {
  const without = needed.filter(({ value }) => value === undefined);
  // A graph in memory is given with its checkpoint: the problems tell what is missing.
  if (model.checkpoint || !model.searchCheckpoint || without.length === 0) return;
  const { wanted, found } = model.searchCheckpoint();
  const missing = wanted.filter((name) => !found.includes(name));
  const own = found.filter((name) => wanted.includes(name));
  const others = found.filter((name) => name.endsWith('.index'));
  const instead = own.length > 0 ? own : found;
  const lines = [`the values of ${plural(without.length, 'variable')} are needed`];
  lines.push(`looked for ${wanted.join(', ')}`);
  if (instead.length > 0)
    lines.push(`found ${listed(instead)}${own.length > 0 ? `, but not ${missing.join(', ')}` : ''}`);
  const prefixes = others.map((name) => name.replace(/\.index$/, ''));
  throw new BnfixError('unreadable', `no checkpoint found for ${model.name}`, {
    where: model.name,
    why: lines,
    fix: [
      ...(own.length > 0 ? [{ text: `copy ${missing.join(', ')} from where the model was saved` }] : []),
      ...prefixes.slice(0, 5).map((value) => ({ option: 'checkpoint', value, text: 'takes the weights from there' })),
      ...(prefixes.length === 0 ? [PREFIX] : []),
    ],
    candidates: prefixes,
    data: { problems },
  });
}

const PREFIX = {
  option: 'checkpoint',
  value: 'PREFIX',
  text: 'names it: the path without .index and .data-...',
} as const;
