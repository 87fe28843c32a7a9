import { Writable } from 'node:stream';
import checkbox from '@inquirer/checkbox';
import pc from 'picocolors';
import type { OutputOption } from '../freezing/output_question.js';
import { printable } from '../printable.js';
import type { Input, Output } from './terminal.js';

/** Where and how to ask. */
export interface AskStyle {
  readonly input: Input;
  readonly output: Output;
  readonly color: boolean;
}

/**
 * Asks which tensors are the outputs: a list with checkboxes, the proposed ones checked.
 * @returns their names; undefined if the user cancels: Escape, ^C, ^D or the end of the input
 */
export async function askOutputs(options: readonly OutputOption[], style: AskStyle): Promise<string[] | undefined> {
  const { input, output, color } = style;
  const choices = options.map(({ name, text, proposed }) => ({
    value: name,
    name: printable(text),
    short: printable(name),
    checked: proposed,
  }));
  const cancelled = new AbortController();
  const cancel = () => cancelled.abort();
  const onKey = (_text: unknown, { name, ctrl }: { name?: string; ctrl?: boolean }) => {
    if (name === 'escape' || (ctrl === true && name === 'd')) cancel();
  };
  const config = {
    message: 'Which tensors are the outputs? The best candidates come first.',
    choices,
    pageSize: Math.max(FEWEST_LINES, Math.min(choices.length, (output.rows ?? 24) - OTHER_LINES)),
    loop: false,
    required: true,
    theme: themeOf(color),
  };
  const context = { input, output: unended(output), signal: cancelled.signal, clearPromptOnDone: true };
  const answer = checkbox(config, context);
  input.on('keypress', onKey);
  // No key arrives any more once the input has ended, or the process was stopped and continued.
  for (const event of ENDS) input.on(event, cancel);
  try {
    return await answer;
  } catch (error) {
    if ((error as Error).name.endsWith('PromptError')) return undefined;
    throw error;
  } finally {
    input.off('keypress', onKey);
    for (const event of ENDS) input.off(event, cancel);
  }
}

/** The prompt ends its output, to which more is to be printed. */
function unended(output: Output): Writable {
  const write = (chunk: unknown, _encoding: unknown, done: () => void) => {
    output.write(chunk as Uint8Array);
    done();
  };
  return Object.assign(new Writable({ write }), { columns: output.columns, rows: output.rows });
}

const ENDS = ['end', 'close', 'pause'] as const;

const FEWEST_LINES = 3;
/** Lines around the list: the question, the keys, and room for what came before. */
const OTHER_LINES = 6;

/** Characters that every terminal has, and no colours unless wanted. */
function themeOf(color: boolean) {
  const { bold, cyan, dim, green, red } = pc.createColors(color);
  return {
    prefix: cyan('?'),
    icon: { checked: green('[x]'), unchecked: '[ ]', cursor: '>' },
    style: {
      answer: cyan,
      message: bold,
      error: (text: string) => red(`> ${text}`),
      highlight: cyan,
      keysHelpTip: () => dim('Up and Down move, Space selects, Enter accepts, Escape cancels'),
    },
  };
}
