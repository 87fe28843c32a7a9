import type { FreezeOptions } from '../freezing/options.js';
import { outputOptions } from '../freezing/output_question.js';
import { shellQuoted } from '../quoted.js';
import type { Args } from './args.js';
import type { Terminal } from './terminal.js';

/** What was made, and what the command line would have been without a question. */
interface Made<T> {
  readonly result: T;
  readonly args: Args;
  /** The options that it was made with. */
  readonly options: FreezeOptions;
  /** How long the user took to answer, in milliseconds. */
  readonly waited: number;
}

/**
 * Makes a graph, or something of one. If its outputs are unclear and the user is at the terminal, asks which they are, and makes it with those.
 * @throws BnfixError that `make` throws, also if the user cancels
 */
export async function makeOrAsk<T>(
  make: (options: FreezeOptions) => T | Promise<T>,
  options: FreezeOptions,
  args: Args,
  terminal: Terminal,
): Promise<Made<T>> {
  try {
    return { result: await make(options), args, options, waited: 0 };
  } catch (error) {
    const input = args.flag('json') || args.flag('quiet') ? undefined : terminal.keyboard;
    const choices = input ? outputOptions(error) : [];
    if (!input || choices.length === 0) throw error;
    const start = performance.now();
    // The question is on stderr, as are all messages.
    const output = terminal.stderr;
    const color = terminal.hasColor(output);
    const { askOutputs } = await import('./ask_outputs.js');
    const outputs = await askOutputs(choices, { input, output, color });
    if (!outputs) throw error;
    const waited = performance.now() - start;
    const same = args.with('--outputs', outputs.join(','));
    terminal.err('The same command without the question:', ['bnfix', ...same.given].map(shellQuoted).join(' '), '');
    const asked = { ...options, outputs };
    return { result: await make(asked), args: same, options: asked, waited };
  }
}
