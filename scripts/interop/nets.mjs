// The nets of nets.py.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import fs from 'fs-extra';
import { pythonOf } from './environments.mjs';
import { HERE } from './ideals.mjs';

/** Makes them in FOLDER/nets, unless they are there. Takes some minutes. */
export async function makeNets(folder, pythons) {
  const script = join(HERE, 'nets.py');
  const done = join(folder, 'nets', 'made_from.txt');
  const source = createHash('sha256')
    .update(await fs.readFile(script))
    .digest('hex');
  if ((await fs.pathExists(done)) && (await fs.readFile(done, 'utf8')) === source) return;
  console.error('nets');
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' };
  const { status } = spawnSync(await pythonOf('tensorflow1', folder, pythons), [script, folder], {
    env,
    stdio: ['ignore', 'inherit', 'ignore'],
  });
  if (status !== 0) throw new Error(`${script} ends with exit code ${status}`);
  await fs.outputFile(done, source);
}
