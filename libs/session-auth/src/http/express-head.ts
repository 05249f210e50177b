import { ServerResponse, type IncomingMessage } from 'node:http';

type Arguments = unknown[];
type WriteHead = (...args: Arguments) => ServerResponse;

const CHANGE = Symbol('nestjs-session-auth head');

type Marked = readonly string[] & { [CHANGE]?: ((args: Arguments) => Arguments) | undefined };

/** Prototypes of responses of Express whose `writeHead` looks for a change. */
const prepared = new WeakSet<object>();

/**
 * Whether a head can be changed by {@link changeExpressHead}. Not where a middleware has put something in the way of
 * `writeHead` already: it calls what it found there. Not for what only looks like a message of Express.
 */
export function canChangeExpressHead(response: ServerResponse): boolean {
  const { rawHeaders } = response.req as Partial<IncomingMessage>;
  const isOfExpress = Object.getPrototypeOf(response) !== ServerResponse.prototype;
  return isOfExpress && rawHeaders !== undefined && !Object.hasOwn(response, 'writeHead');
}

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
  // the prototype that all applications share: a response may go from one to another that is mounted in it
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
