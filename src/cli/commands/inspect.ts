import type { Args } from '../args.js';
import { modelRequest } from '../model_request.js';
import type { OptionTable } from '../option.js';
import type { Terminal } from '../terminal.js';
import { options as freezeOptions } from './freeze.js';

/** The options of freeze that change what is found. */
const SHARED = ['outputs', 'signature', 'tag', 'inputs', 'checkpoint', 'reference', 'ema', 'set', 'map'] as const;

const options: OptionTable = {
  ...Object.fromEntries(SHARED.map((name) => [name, freezeOptions[name]!])),
  svg: {
    group: 'Output',
    value: 'FILE',
    describe: 'also draw the graph: an SVG file, or - for stdout',
    type: 'string',
    requiresArg: true,
  },
  html: { ...freezeOptions.html!, describe: 'also write a report as one HTML page' },
  force: freezeOptions.force!,
};

const examples = [
  ['bnfix inspect model.meta', 'batch norms with their statistics, inputs, outputs, size'],
  ['bnfix inspect model.meta -v', 'everything: all batch norms, their evidence, all ops'],
  ['bnfix inspect model.meta --svg graph.svg', 'draw the graph'],
  ['bnfix inspect model.meta --html page.html', 'look at it in a browser'],
  ['bnfix inspect model.meta --json', 'for scripts: docs/inspect.md'],
] as const;

async function run(args: Args, terminal: Terminal): Promise<number> {
  const request = modelRequest(args, 'bnfix inspect MODEL');
  const { runInspect } = await import('../run_inspect.js');
  return runInspect(request, args, terminal);
}

/** The command `bnfix inspect`. */
export const inspect = { options, examples, run };
