import { describe, expect, it } from '@jest/globals';
import { MemoryRememberMeTokenStore, MemorySessionStore, type SessionStore } from 'nestjs-session-auth';
import { BrokenSessionStore } from '../../libs/session-auth/test/fixtures/broken-session-stores/broken-session-store.js';
import { STORES_THAT_MISREAD_DEVICES as DEVICES } from '../../libs/session-auth/test/fixtures/broken-session-stores/stores-that-misread-devices.js';
import { STORES_THAT_MISREAD_TOKENS as TOKENS } from '../../libs/session-auth/test/fixtures/broken-session-stores/stores-that-misread-tokens.js';
import { isHonoured, standingOf } from '../../libs/session-auth/src/session/session-tokens.js';
import type { OtherToken } from '../../libs/session-auth/src/session/session-record.js';
import { checkModel } from './check-model.js';
import type { Backend, NodeStores as Stores } from './system.js';

type Rotate = Parameters<SessionStore['rotate']>;

/** A store whose rotations leave other tokens behind than they are asked to. */
function withTokens(
  change: (tokens: readonly OtherToken[], now: number) => readonly OtherToken[],
): new () => SessionStore {
  return class extends MemorySessionStore {
    override rotate(...[digest, rotation]: Rotate): ReturnType<SessionStore['rotate']> {
      const { changes, now } = rotation;
      const tokens = changes.tokens && change(changes.tokens, now);
      return super.rotate(digest, { ...rotation, changes: { ...changes, tokens } });
    }
  };
}

class HandsOutOneSuccessor extends MemorySessionStore {
  override async rotate(...[digest, rotation]: Rotate): ReturnType<SessionStore['rotate']> {
    const successors = rotation.changes.tokens?.filter(({ kind }) => kind === 'successor') ?? [];
    return successors.length > 1 ? { status: 'absent' } : super.rotate(digest, rotation);
  }
}

class OverlooksReuse extends BrokenSessionStore {
  override async find(...[digest, touch]: Parameters<SessionStore['find']>): ReturnType<SessionStore['find']> {
    const found = await super.find(digest, touch);
    const isKnown = found.status !== 'live' || isHonoured(standingOf(found.record, digest, touch.now));
    return isKnown ? found : { status: 'absent' };
  }
}

class TakesEveryTokenForThePresentOne extends BrokenSessionStore {
  override async find(...[digest, touch]: Parameters<SessionStore['find']>): ReturnType<SessionStore['find']> {
    const found = await super.find(digest, touch);
    if (found.status !== 'live' || standingOf(found.record, digest, touch.now).kind !== 'replaced') return found;
    return { status: 'live', record: { ...found.record, digest } };
  }
}

class GivesNoOtherSuccessor extends MemoryRememberMeTokenStore {
  override async replace(
    ...[selector, replacement]: Parameters<MemoryRememberMeTokenStore['replace']>
  ): ReturnType<MemoryRememberMeTokenStore['replace']> {
    const before = await this.find(selector, replacement.now);
    const isSecond = before?.successor !== undefined && replacement.changes.successor !== undefined;
    return isSecond ? { status: 'absent' } : super.replace(selector, replacement);
  }
}

class ForgetsUnjudged extends MemoryRememberMeTokenStore {
  override async delete(
    ...[selector, now, revision]: Parameters<MemoryRememberMeTokenStore['delete']>
  ): ReturnType<MemoryRememberMeTokenStore['delete']> {
    const record = await super.delete(selector, now, revision);
    // a logout finds nothing to judge
    return revision === undefined ? undefined : record;
  }
}

const sessionStores: readonly (readonly [string, new () => SessionStore])[] = [
  ['a lost answer to a rotation is the last one', HandsOutOneSuccessor],
  ['a successor is the token before anybody has presented it', TOKENS['rotates whatever the revision is']![0]],
  ['the token before has no grace', withTokens((tokens) => tokens.filter(({ kind }) => kind !== 'superseded'))],
  ['the reuse of a token that was replaced is not seen', OverlooksReuse],
  ['a token that was replaced is as good as the present one', TakesEveryTokenForThePresentOne],
  ['a token of before carries a role that was gained', TOKENS['forgets the roles of before']![0]],
  ['a login that is sent twice begins two sessions', DEVICES['shares nothing']![0]],
  [
    'a proof that is sent twice signs out',
    withTokens((tokens) => tokens.map((token) => (token.kind === 'renewable' ? { ...token, kind: 'retired' } : token))),
  ],
  ['the session of a lost remember-me answer lives on', DEVICES['replaces no session that is named']![0]],
  ['the session of an answer that was used is replaced', DEVICES['replaces a session that is in use']![0]],
  ['a logout by a token of before ends nothing', TOKENS['deletes by honoured tokens only']![0]],
  ['a browser that was started anew is another device', DEVICES['knows no devices']![0]],
];

const tokenStores: readonly (readonly [string, new () => MemoryRememberMeTokenStore])[] = [
  ['a lost remember-me answer is the last one', GivesNoOtherSuccessor],
  ['a thief hides behind a logout', ForgetsUnjudged],
];

/*
 * What the model is worth: each of these defects is one that it finds, by sequences that are always the same. It finds
 * nothing wrong with sound stores in memory-model.e2e-spec.ts.
 */
describe('the model', () => {
  it.each(sessionStores)('finds that %s', async (_what, Sessions) => {
    const stores = (): Stores => ({ sessions: new Sessions(), tokens: new MemoryRememberMeTokenStore() });
    await expect(check(stores)).rejects.toThrow(/Again: MODEL_SEED=/);
  });

  it.each(tokenStores)('finds that %s', async (_what, Tokens) => {
    const stores = (): Stores => ({ sessions: new MemorySessionStore(), tokens: new Tokens() });
    await expect(check(stores)).rejects.toThrow(/Again: MODEL_SEED=/);
  });
});

function check(stores: () => Stores): Promise<void> {
  const open = (): Promise<Backend> => Promise.resolve(backendOf(stores()));
  return checkModel(open, { runs: 4000, seed: 7, shrinks: false });
}

function backendOf(stores: Stores): Backend {
  const records = (): number => (stores.sessions as MemorySessionStore).size;
  const inside = (): ReturnType<Backend['inside']> => Promise.resolve({ records: records(), faults: [] });
  return { connect: () => stores, tick: 1, expiresByItself: false, inside };
}
