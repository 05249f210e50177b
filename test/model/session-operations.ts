import type { IssuedSession, Session, SessionData, SessionEndReason } from 'nestjs-session-auth';
import { nodeOf, pick, started, viewOfIssued, type NodeChoice, type Operation, type Run } from './operation.js';
import { viewOfModelSession, viewOfSession } from './observation.js';
import type { Names, ReferenceSession } from './reference-session.js';

/** Logs a user in, or without one makes an anonymous session. */
export function login(node: NodeChoice, userId: string | undefined, data: SessionData, ip: string): Operation {
  return {
    name: `login(${userId ?? 'nobody'}, ${JSON.stringify(data)})`,
    start: (run) => startLogin(run, node, userId, data, ip),
  };
}

/** Logs a user in over an anonymous session, whose data the new one takes over. The old one is ended after that. */
export function loginOver(node: NodeChoice, userId: string, index: number, ip: string): Operation {
  return {
    name: `loginOver(${userId}, ${index})`,
    start: (run) => {
      const anonymous = run.journal.requests.filter((request) => request.userId === undefined);
      const request = pick(anonymous, index);
      return request && startLogin(run, node, userId, request.data, ip);
    },
  };
}

function startLogin(run: Run, node: NodeChoice, userId: string | undefined, data: SessionData, ip: string) {
  const { lifecycle } = nodeOf(run, node);
  const { journal, system } = run;
  const user = userId === undefined ? undefined : journal.account(userId);
  const authentication = 'password';
  const admission = system.limitOf(userId ?? '');
  const given = structuredClone(data);
  return started(
    lifecycle.create({ user, authentication, data, client: { ip } }),
    (issued) => {
      journal.issued(issued);
      return viewOfIssued(issued);
    },
    (model, actual: Names | undefined) =>
      viewOfNew(model.create({ user, admission, authentication, data: given, ip }, actual)),
  );
}

/** A request with a token, which may be an old one. It stays open: later operations go on from what it has found. */
export function find(node: NodeChoice, index: number): Operation {
  return {
    name: `find(${index})`,
    start: (run) => {
      const { journal } = run;
      const token = pick(journal.tokens, index);
      if (token === undefined) return undefined;
      return started(
        nodeOf(run, node).lifecycle.find(token),
        (session) => {
          if (session !== undefined) journal.requests.push(session);
          return session && viewOfSession(session);
        },
        (model) => {
          const session = model.find(token);
          return session && viewOfModelSession(session);
        },
      );
    },
  };
}

/** Writes data in a request that is open. */
export function update(node: NodeChoice, index: number, patch: SessionData): Operation {
  return onRequest(
    'update',
    index,
    JSON.stringify(patch, (_, value: unknown) => value ?? null),
    (run, request) => {
      const present = run.journal.present(request);
      return started(nodeOf(run, node).lifecycle.update(request, patch), Boolean, (model) => {
        model.update(present, patch);
        return false;
      });
    },
  );
}

/** Gives the session of an open request a new token. @param grace undefined: the configured one */
export function rotate(node: NodeChoice, index: number, grace: number | undefined): Operation {
  return onRequest('rotate', index, `grace ${grace}`, (run, request) => {
    const foundBy = run.journal.foundBy(request);
    return started(
      nodeOf(run, node).lifecycle.rotate(request, { grace }),
      (issued) => viewOfRotated(run, issued),
      (model, actual: Names | undefined) => {
        const options = { reason: 'requested', grace: grace ?? model.settings.rotationGrace };
        return viewOfModelRotated(model.rotate(foundBy, actual?.token, options));
      },
    );
  });
}

/** The user of an open request logs in again, or proves again who they are. */
export function proveAgain(node: NodeChoice, index: number, how: 'login' | 'reauthentication', ip: string): Operation {
  return onRequest(how === 'login' ? 'renew' : 'reauthenticated', index, ip, (run, request) => {
    const foundBy = run.journal.foundBy(request);
    const { userId } = request;
    if (userId === undefined) return undefined;
    const user = run.journal.account(userId);
    const { lifecycle } = nodeOf(run, node);
    const proof = { user, authentication: 'password', client: { ip } } as const;
    const account = { email: user.email ?? undefined, roles: user.roles ?? [] };
    return started(
      how === 'login' ? lifecycle.renew(request, proof) : lifecycle.reauthenticated(request, proof),
      (issued) => viewOfRotated(run, issued),
      (model, actual: Names | undefined) => {
        const { now, settings } = model;
        const proven = { ...account, authenticatedAt: now, authentication: 'password' } as const;
        const absoluteExpiresAt = now + settings.absolute;
        const expiresAt = Math.min(now + settings.idle, absoluteExpiresAt);
        const factors = model.live(foundBy)?.factors && {};
        const fresh = { ...proven, factors, createdAt: now, lastActivityAt: now, expiresAt, absoluteExpiresAt, ip };
        const changes = how === 'login' ? fresh : proven;
        return viewOfModelRotated(model.rotate(foundBy, actual?.token, { reason: how, grace: 0, changes }));
      },
    );
  });
}

/** The user of an open request has proved a further factor. */
export function factorCompleted(node: NodeChoice, index: number, factor: string): Operation {
  return onRequest('factorCompleted', index, factor, (run, request) => {
    if (request.userId === undefined) return undefined;
    const foundBy = run.journal.foundBy(request);
    return started(
      nodeOf(run, node).lifecycle.factorCompleted(request, factor),
      (issued) => viewOfRotated(run, issued),
      (model, actual: Names | undefined) => {
        const factors = { ...model.live(foundBy)?.factors, [factor]: model.now };
        const options = { reason: 'factor_completed', factor, grace: 0, changes: { factors } };
        return viewOfModelRotated(model.rotate(foundBy, actual?.token, options));
      },
    );
  });
}

/** Logs out by a token, which may be an old one. */
export function destroy(node: NodeChoice, index: number): Operation {
  return {
    name: `destroy(${index})`,
    start: (run) => {
      const token = pick(run.journal.tokens, index);
      if (token === undefined) return undefined;
      const answer = nodeOf(run, node).lifecycle.destroy(token);
      return started(answer, Boolean, (model) => model.destroy(token, 'logout'));
    },
  };
}

/** Ends the session of an open request. */
export function destroySession(node: NodeChoice, index: number, reason: SessionEndReason): Operation {
  return onRequest('destroySession', index, reason, (run, request) => {
    const present = run.journal.present(request);
    const answer = nodeOf(run, node).lifecycle.destroySession(request, reason);
    return started(answer, Boolean, (model) => model.destroySession(present, request, reason));
  });
}

function onRequest(
  name: string,
  index: number,
  detail: string,
  start: (run: Run, request: Session) => ReturnType<Operation['start']>,
): Operation {
  return {
    name: `${name}(${index}, ${detail})`,
    start: (run) => {
      const request = pick(run.journal.requests, index);
      return request && start(run, request);
    },
  };
}

/** What a rotation came to; undefined: another was first. */
export function viewOfRotated({ journal }: Run, issued: IssuedSession | undefined) {
  if (issued === undefined) return undefined;
  journal.tokens.push(issued.token);
  return viewOfIssued(issued);
}

/** The same of the model. */
export function viewOfModelRotated(session: ReferenceSession | undefined) {
  return session && viewOfNew(session);
}

/** What an issued session looks like by the model. */
export function viewOfNew(session: ReferenceSession) {
  return { token: session.token, id: session.id, session: { ...viewOfModelSession(session), data: undefined } };
}
