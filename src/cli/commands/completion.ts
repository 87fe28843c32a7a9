import { BnfixError } from '../../errors.js';
import type { Args } from '../args.js';
import type { Terminal } from '../terminal.js';

/** The shells that bnfix has a script for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

const examples = [
  ['eval "$(bnfix completion bash)"', 'in ~/.bashrc'],
  ['source <(bnfix completion zsh)', 'in ~/.zshrc, after compinit'],
  ['bnfix completion fish > ~/.config/fish/completions/bnfix.fish', 'once'],
] as const;

async function run(args: Args, terminal: Terminal): Promise<number> {
  const name = args.positional('SHELL') ?? terminal.shell;
  const shell = SHELLS.find((each) => each === name);
  if (shell === undefined) {
    throw new BnfixError('usage', name === undefined ? 'no shell given' : `no completion for the shell ${name}`, {
      fix: SHELLS.map((each) => `bnfix completion ${each}`),
    });
  }
  const { completionScript } = await import('../completion/script.js');
  await terminal.print(completionScript(shell));
  return 0;
}

/** The command `bnfix completion`. */
export const completion = { options: {}, examples, run };
