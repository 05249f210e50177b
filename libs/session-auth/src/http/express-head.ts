import { ServerResponse, type IncomingMessage } from 'node:http';

type Arguments = unknown[];
type WriteHead = (...args: Arguments) => ServerResponse;

const CHANGE = Symbol('nestjs-session-auth head');

type Marked = readonly string[] & { [CHANGE]?: ((args: Arguments) => Arguments) | undefined };

/** Prototypes of Express responses whose `writeHead` applies a change. */
const prepared = new WeakSet<object>();

/**
 * Lets `change` make the arguments that the head of an Express response is written with, and returns whether it could.
 * It cannot if a middleware has already replaced `writeHead`, because that calls the function it found. It cannot for
 * objects that only resemble an Express message either.
 *
 * Setting a property on an Express message costs microseconds; setting one on the array of its headers does not:
 * docs/decisions/0023-nothing-on-express-messages.md. So each property is read once.
 */
export function changeExpressHead(response: ServerResponse, change: (args: Arguments) => Arguments): boolean {
  const prototype = Object.getPrototypeOf(response) as ServerResponse;
  if (prototype === ServerResponse.prototype || Object.hasOwn(response, 'writeHead')) return false;
  const { rawHeaders } = response.req as { readonly rawHeaders?: Marked };
  if (rawHeaders === undefined) return false;
  if (!prepared.has(prototype)) prepare(prototype);
  rawHeaders[CHANGE] = change;
  return true;
}

function prepare(prototype: ServerResponse): void {
  prepared.add(prototype);
  // the prototype that all applications share: a mounted application passes its responses on
  const above = Object.getPrototypeOf(prototype) as ServerResponse;
  if (above instanceof ServerResponse) {
    if (!prepared.has(above)) prepare(above);
    return;
  }
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with `apply`
  const writeHead = prototype.writeHead as WriteHead;
  prototype.writeHead = function (this: ServerResponse, ...args: Arguments): ServerResponse {
    const marked = (this.req as Partial<IncomingMessage> | undefined)?.rawHeaders as Marked | undefined;
    const change = marked?.[CHANGE];
    if (change === undefined) return writeHead.apply(this, args);
    marked![CHANGE] = undefined;
    return writeHead.apply(this, change(args));
  };
}
