import type { ConnectionOptions } from './connection.options.js';

/** A function that another library calls when a connection opens. It is made before there is an application. */
export type ConnectionHook = object;

/** The arguments that a hook was made with. */
export interface HookOptions {
  /** Names the owner of the options in messages. */
  readonly owner: string;
  readonly options: ConnectionOptions;
}

const HOOKS = new WeakMap<ConnectionHook, HookOptions>();

/** Remembers the arguments of a hook, so that the application that receives it can read them at boot. */
export function keepHook<Hook extends ConnectionHook>(hook: Hook, made: HookOptions): Hook {
  HOOKS.set(hook, made);
  return hook;
}

/** Returns the arguments that a hook of this library was made with; undefined for any other value. */
export function hookOptionsOf(hook: unknown): HookOptions | undefined {
  return typeof hook === 'function' ? HOOKS.get(hook) : undefined;
}
