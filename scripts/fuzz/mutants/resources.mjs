// CPU time and memory of processes, where the system tells (Linux); undefined elsewhere.
import { readFileSync, writeFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** Starts a new measurement of this process's peak. @returns the memory that it has now, in bytes */
export function resetPeak() {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // No permission, or another system: the peak is that of the whole run.
  }
  return field('VmRSS');
}

/** The most memory that this process had since {@link resetPeak}, in bytes. */
export function peakMemory() {
  return field('VmHWM');
}

function field(name) {
  try {
    return 1024 * Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  } catch {
    return undefined;
  }
}

/** CPU seconds that a process has used so far. */
export function cpuOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}
