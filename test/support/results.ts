import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/** Whether what is written is only compared with the bytes that are known to be right: mutation tests have no time to run graphs. */
export const BYTES_ONLY = process.env.BNFIX_BYTES_ONLY === '1';

/**
 * What is made of each fixture, one line each: the hash of the bytes that are written, or why they are not. A changed line is a changed
 * output: the other tests say whether it is right, this list that nothing else changed.
 */
export class Results {
  readonly #path: string;
  readonly #lines: Map<string, string>;

  /** @param file - a file in test/; with UPDATE_CASES=1 {@link save} writes what came out into it */
  constructor(file: string) {
    this.#path = fileURLToPath(new URL(`../${file}`, import.meta.url));
    const lines = readFileSync(this.#path, 'utf8').split('\n');
    this.#lines = new Map(lines.filter(Boolean).map((line) => [line.split(' ')[0]!, line]));
  }

  /** Compares a result with the known one. */
  expect(name: string, result: Uint8Array | string): void {
    const line = `${name} ${typeof result === 'string' ? result : shortHash(result)}`;
    if (process.env.UPDATE_CASES === '1') this.#lines.set(name, line);
    expect(line, 'what is written has changed: UPDATE_CASES=1 updates the list').toBe(this.#lines.get(name));
  }

  /** Writes the list, if it is to be updated. @param names - all fixtures */
  save(names: readonly string[]): void {
    if (process.env.UPDATE_CASES !== '1') return;
    const lines = names.flatMap((name) => this.#lines.get(name) ?? []);
    writeFileSync(this.#path, `${lines.join('\n')}\n`);
  }
}

function shortHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 12);
}
