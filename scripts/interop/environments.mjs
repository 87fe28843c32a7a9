// Virtual environments of Python, one for each consumer.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import fs from 'fs-extra';
import { ENVIRONMENTS } from './versions.mjs';

/** The interpreter of an environment, which is made first if it is missing or has other packages. */
export async function pythonOf(name, folder, pythons) {
  const { python, packages } = ENVIRONMENTS[name];
  const at = join(folder, 'environments', name);
  const [interpreter, list] = [join(at, 'bin', 'python'), join(at, 'packages.txt')];
  const wanted = `${packages.join('\n')}\n`;
  if ((await fs.pathExists(list)) && (await fs.readFile(list, 'utf8')) === wanted) return interpreter;
  console.error(`installing ${name}: ${packages.join(' ')}`);
  await fs.remove(at);
  call(pythons[python] ?? `python${python}`, ['-m', 'venv', at]);
  call(interpreter, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages]);
  await fs.writeFile(list, wanted);
  return interpreter;
}

function call(program, args) {
  const { status, error, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`);
}
