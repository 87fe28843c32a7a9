import { COMMANDS } from '../commands.js';
import { bashScript } from './bash.js';
import { fishScript } from './fish.js';
import { completedCommands } from './table.js';
import { zshScript } from './zsh.js';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

/** The script that teaches a shell to complete the command line of bnfix, made from the table of commands. */
export function completionScript(shell: keyof typeof SCRIPTS): string[] {
  return SCRIPTS[shell](completedCommands(COMMANDS));
}
