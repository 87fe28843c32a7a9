/** The last part of a path, of any system: rooms that work without Node.js have no node:path. */
export function basename(path: string): string {
  return path.replace(/^.*[/\\](?=.)/, '');
}
