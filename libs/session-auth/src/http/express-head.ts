import { ServerResponse } from 'node:http';

type Arguments = unknown[];
type WriteHead = (...args: Arguments) => ServerResponse;

const CHANGE = Symbol('nestjs-session-auth head');

type Marked = readonly string[] & { [CHANGE]?: ((args: Arguments) => Arguments) | undefined };

/** Prototypes of responses whose `writeHead` looks for a change. */
const prepared = new WeakSet<object>();

/**
 * Has `change` make the arguments that the head of a response of Express is written with.
 *
 * A property that is set on a message of Express costs microseconds, one on the array of its headers does not:
 * docs/decisions/0023-nothing-on-express-messages.md.
 */
export function changeExpressHead(response: ServerResponse, change: (args: Arguments) => Arguments): void {
  const prototype = Object.getPrototypeOf(response) as ServerResponse;
  if (!prepared.has(prototype)) prepare(prototype);
  (response.req.rawHeaders as Marked)[CHANGE] = change;
}

function prepare(prototype: ServerResponse): void {
  prepared.add(prototype);
  // what all applications inherit from: a response may change from one to another, of which the one is mounted in the other
  const above = Object.getPrototypeOf(prototype) as ServerResponse;
  if (above instanceof ServerResponse) {
    if (!prepared.has(above)) prepare(above);
    return;
  }
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with `apply`
  const writeHead = prototype.writeHead as WriteHead;
  prototype.writeHead = function (this: ServerResponse, ...args: Arguments): ServerResponse {
    const marked: Marked = this.req.rawHeaders;
    const change = marked[CHANGE];
    marked[CHANGE] = undefined;
    return writeHead.apply(this, change === undefined ? args : change(args));
  };
}
