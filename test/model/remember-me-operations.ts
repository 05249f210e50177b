import { randomBytes } from 'node:crypto';
import type { IssuedRememberMe, IssuedSession, RememberMeConsumption } from 'nestjs-session-auth';
import {
  nodeOf,
  pick,
  pickSignedIn,
  started,
  viewOfIssued,
  type NodeChoice,
  type Operation,
  type Run,
} from './operation.js';
import { viewOfDevice } from './observation.js';
import { selectorOf } from './reference-devices.js';
import type { ReferenceModel } from './reference-model.js';
import type { Names } from './reference-session.js';
import { viewOfNew } from './session-operations.js';

/** Remembers the device of an open request. */
export function remember(node: NodeChoice, index: number, ip: string): Operation {
  return {
    name: `remember(${index})`,
    start: (run) => {
      const { journal } = run;
      const request = pickSignedIn(run, index);
      if (request === undefined) return undefined;
      const userId = request.userId!;
      return started(
        nodeOf(run, node).rememberMe.issue(userId, request.id, { ip }),
        ({ token, device }: IssuedRememberMe) => {
          journal.deviceTokens.push(token);
          journal.deviceIds.push(device.id);
          return { token, id: device.id, device: viewOfDevice(device) };
        },
        (model, named: Names) => {
          const device = model.devices.issue(userId, request.id, ip, named, model.now);
          model.emit({ type: 'remember_me.issued', userId, tokenId: named.id });
          return { token: named.token, id: named.id, device: viewOfDevice(device) };
        },
      );
    },
  };
}

/** A device presents its token: the present one, an old one, or with `forged` one of a known selector only. */
export function consume(node: NodeChoice, index: number, forged: boolean): Operation {
  return {
    name: `consume(${index}${forged ? ', forged' : ''})`,
    start: (run) => {
      const known = pick(run.journal.deviceTokens, index);
      if (known === undefined) return undefined;
      const text = forged ? `${selectorOf(known)}:${randomBytes(32).toString('base64url')}` : known;
      return started(
        nodeOf(run, node).rememberMe.consume(text),
        (consumption) => noteConsumption(run, consumption),
        (model, actual: ReturnType<typeof noteConsumption>) => expectedConsumption(model, text, actual),
      );
    },
  };
}

function noteConsumption({ journal }: Run, consumption: RememberMeConsumption) {
  if (consumption.status !== 'remembered') return consumption;
  const { device, token, session, status } = consumption;
  if (token === undefined || session === undefined) throw new Error('the node does not know its own key');
  if (!journal.deviceTokens.includes(token)) journal.deviceTokens.push(token);
  journal.pending = {
    userId: device.userId,
    deviceId: device.id,
    authenticatedAt: device.createdAt.getTime(),
    identity: session,
  };
  return { status, device: viewOfDevice(device), token, session };
}

function expectedConsumption(model: ReferenceModel, text: string, actual: ReturnType<typeof noteConsumption>) {
  const { devices, now } = model;
  const device = devices.bySelectorOf(text, now);
  if (device === undefined) return { status: 'refused' };
  switch (devices.judge(device, text, now)) {
    case 'theft':
      model.theft(device);
      return { status: 'theft', userId: device.userId };
    case 'used':
      if (actual?.status === 'remembered') {
        const { token } = actual;
        if (token === text || selectorOf(token) !== selectorOf(text)) throw new Error(`${token} follows ${text}`);
        devices.use(device, actual, now);
      }
      model.emit({ type: 'remember_me.used', userId: device.userId, tokenId: device.id });
  }
  return { status: 'remembered', device: viewOfDevice(device), token: device.token, session: device.session };
}

/** A device whose token was accepted gets its session, unless it has been forgotten meanwhile. */
export function signInRemembered(node: NodeChoice): Operation {
  return {
    name: 'signInRemembered()',
    start: (run) => {
      const { journal, system } = run;
      if (journal.pending === undefined) return undefined;
      const { userId, deviceId, authenticatedAt, identity } = journal.pending;
      const { lifecycle, rememberMe } = nodeOf(run, node);
      const user = journal.account(userId);
      const admission = system.limitOf(userId);
      const login = { user, authentication: 'remember-me', authenticatedAt, identity } as const;
      const signIn = async (): Promise<IssuedSession | undefined> => {
        const issued = await lifecycle.create(login);
        if (await rememberMe.isRemembered(userId, deviceId)) return issued;
        await lifecycle.destroySession(issued.session, 'revoked');
        return undefined;
      };
      return started(
        signIn(),
        (issued) => {
          if (issued === undefined) return undefined;
          journal.issued(issued);
          return viewOfIssued(issued);
        },
        (model) => {
          const session = model.create({ ...login, admission, data: {} }, identity);
          if (!model.devices.list(userId, model.now).some(({ id }) => id === deviceId)) {
            model.destroy(session.token, 'revoked');
            return undefined;
          }
          // tabs that share a session hold the token that they share, though it may have been replaced since
          return { ...viewOfNew(session), token: identity.token };
        },
      );
    },
  };
}

/** Forgets a device: by its token, by its handle, or all of a user but one session's. */
export function forget(
  node: NodeChoice,
  how: 'token' | 'device' | 'all' | 'others',
  userId: string,
  index: number,
): Operation {
  return {
    name: `forget(${how}, ${userId}, ${index})`,
    start: (run) => {
      const { rememberMe } = nodeOf(run, node);
      const { journal } = run;
      if (how === 'token' || how === 'device') {
        const target = pick(how === 'token' ? journal.deviceTokens : journal.deviceIds, index);
        if (target === undefined) return undefined;
        return started(
          how === 'token' ? rememberMe.revokeToken(target) : rememberMe.revoke(userId, target),
          Boolean,
          (model) => {
            const device =
              how === 'token'
                ? model.devices.bySelectorOf(target, model.now)
                : model.devices.list(userId, model.now).find(({ id }) => id === target);
            model.devices.forget((each) => each === device, model.now);
            return device !== undefined;
          },
        );
      }
      const keep = how === 'others' ? (pick(journal.handles, index) ?? 'none') : undefined;
      return started(rememberMe.revokeAll(userId, keep), Number, (model) => {
        const ended = model.devices.list(userId, model.now).filter(({ sessionId }) => sessionId !== keep);
        model.devices.forget((device) => ended.includes(device), model.now);
        return ended.length;
      });
    },
  };
}
