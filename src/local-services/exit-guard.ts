const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const actions = new Set<() => void>();

/**
 * Runs `action` (synchronously) should this process end before the returned function is called: on a normal exit, an
 * uncaught error, SIGINT, SIGTERM or SIGHUP. Nothing can run on SIGKILL.
 *
 * A signal is not swallowed: where the application handles it, the application decides when to end; where nobody
 * else does, the process dies of that signal as it would have.
 */
export function guardExit(action: () => void): () => void {
  if (actions.size === 0) {
    process.on('exit', runActions);
    for (const signal of SIGNALS) process.on(signal, onSignal);
  }
  actions.add(action);
  return () => {
    if (actions.delete(action) && actions.size === 0) removeListeners();
  };
}

function runActions(): void {
  for (const action of actions) {
    try {
      action();
    } catch {
      // The process is ending: the other actions still have to run.
    }
  }
  actions.clear();
}

function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  runActions();
  removeListeners();
  process.kill(process.pid, signal);
}

function removeListeners(): void {
  process.off('exit', runActions);
  for (const signal of SIGNALS) process.off(signal, onSignal);
}
