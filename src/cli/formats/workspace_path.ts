import { relative, sep } from 'node:path';

/** The path of a file as services show it: with slashes, and relative to the working folder if it is in there. */
export function workspacePath(file: string): string {
  const inside = relative(process.cwd(), file);
  const path = inside === '' || inside.startsWith('..') ? file : inside;
  return sep === '\\' ? path.replaceAll('\\', '/') : path;
}
