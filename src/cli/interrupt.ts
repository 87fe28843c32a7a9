const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs an operation that must clean up a half-written file: the first ^C aborts its signal, a second ^C ends the process.
 * Code outside of this has nothing to clean up, and ends at the first ^C.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const release = () => {
    for (const name of SIGNALS) process.off(name, stop);
  };
  const stop = () => {
    release();
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, stop);
  try {
    return await work(controller.signal);
  } finally {
    release();
  }
}

/** Runs an operation that has nothing to clean up: a signal ends the process. */
export function uninterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return work(new AbortController().signal);
}
