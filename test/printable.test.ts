import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printable } from '../src/printable.js';

describe('text from outside', () => {
  it.each([
    ['models/net.meta', 'models/net.meta'],
    ['std::vector', 'std::vector'],
    ['::error::x', '\\x3a:error::x'],
    [' ::stop-commands::x', ' \\x3a:stop-commands::x'],
    ['a ::warning::b', 'a \\x3a:warning::b'],
    ['net##[error]', 'net\\x23#[error]'],
    ['##vso[task.complete]', '\\x23#vso[task.complete]'],
    ['## a', '## a'],
  ])('%s', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('is no command for the runner that reads the log', () => {
    const text = fc.array(fc.constantFrom(':', '::', '#', '##[', '##vso[', ' ', '\t', '\n', '\u00a0', 'error', ']'));
    fc.assert(
      fc.property(text, (parts) => {
        expect(printable(parts.join(''))).not.toMatch(/^\s*::|##(vso)?\[|[\n\t]/);
      }),
    );
  });
});
