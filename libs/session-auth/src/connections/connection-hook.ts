import type { ConnectionOptions } from './connection.options.js';

/** A function that another library calls when a connection opens. It is made before there is an application. */
export type ConnectionHook = object;

/** What a hook was made with. */
export interface HookOptions {
  /** What the options are of, for messages. */
  readonly owner: string;
  readonly options: ConnectionOptions;
}

const HOOKS = new WeakMap<ConnectionHook, HookOptions>();

/** Lets the application that a hook is given to find out what it was made with, at boot. */
export function keepHook<Hook extends ConnectionHook>(hook: Hook, made: HookOptions): Hook {
  HOOKS.set(hook, made);
  return hook;
}

/** What a hook of this library was made with; undefined for anything else. */
export function hookOptionsOf(hook: unknown): HookOptions | undefined {
  return typeof hook === 'function' ? HOOKS.get(hook) : undefined;
}
