import { partsOf, signalOf } from '../../link/link-message.js';
import { messageOf, partsOfMessage, type NodeMessage } from '../../link/node-registry.js';
import type { SessionSignal } from '../../session/session-link.js';

/*
 * The messages of scripts, as JSON: kind, reason, handles separated by blanks, and user id.
 *
 *   ["ended","logout","<20 characters> <20 characters>","alice"]
 *   ["changed",null,"<20 characters>",null]
 *   ["all_ended","revoked"]
 *   ["probe","<text>"]
 *   ["asked","<question>"], and other messages of nodes: see node-registry.ts
 */

/** Returns the message that all sessions of a realm, or those created before a time, have ended. */
export function allEndedMessage(reason: string): string {
  return JSON.stringify(['all_ended', reason]);
}

/** Returns the message that a node publishes to receive it itself. */
export function probeMessage(text: string): string {
  return JSON.stringify(['probe', text]);
}

/** Returns the text of a message of a node. */
export function textOf(message: NodeMessage): string {
  return JSON.stringify(partsOfMessage(message));
}

/** Returns the message of a node; undefined for any other one. */
export function nodeMessageOf(text: string): NodeMessage | undefined {
  return /^\["(asked|confirmed|revoked|entered|emptied)",/.test(text) ? messageOf(partsOf(text)) : undefined;
}

/** Returns the signals of a message: an empty list for messages of other versions, and for a probe. */
export function signalsOf(message: string, realm: string): SessionSignal[] {
  const [kind, reason, handles, user] = partsOf(message);
  if (kind === 'all_ended') return [signalOf(kind, reason, { realm, id: '' })!];
  if (typeof handles !== 'string') return [];
  const userId = typeof user === 'string' ? user : undefined;
  return handles.split(' ').flatMap((id) => signalOf(kind, reason, { realm, id, userId }) ?? []);
}
