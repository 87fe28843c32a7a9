import { fstatSync, write } from 'node:fs';
import { promisify } from 'node:util';

/**
 * Writes all bytes to a stream and waits until it has taken them. Node's stream for a stdout that is a file ignores it when
 * the system writes only a part of the bytes, as it does on a disk that becomes full: files are written by their number.
 */
export async function writeStreamBytes(stream: NodeJS.WritableStream, bytes: Uint8Array): Promise<void> {
  const fd = fileBehind(stream);
  if (fd === undefined) {
    await new Promise<void>((resolve, reject) => {
      stream.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
    return;
  }
  const writePart = promisify(write);
  for (let at = 0; at < bytes.length; ) at += (await writePart(fd, bytes, at, bytes.length - at)).bytesWritten;
}

/** The number of the file or device that a standard stream writes to; undefined for a pipe or a terminal. */
function fileBehind(stream: NodeJS.WritableStream): number | undefined {
  const { fd, isTTY } = stream as { readonly fd?: unknown; readonly isTTY?: boolean };
  if (typeof fd !== 'number' || isTTY) return undefined;
  try {
    const stats = fstatSync(fd);
    return stats.isFile() || stats.isCharacterDevice() ? fd : undefined;
  } catch {
    return undefined;
  }
}
