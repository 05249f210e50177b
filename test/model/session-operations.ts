import type { IssuedSession, Session, SessionData, SessionEndReason } from 'nestjs-session-auth';
import { pick, withoutHmac } from './journal.js';
import { nodeOf, started, viewOfIssued, type NodeChoice, type Operation, type Run } from './operation.js';
import { viewOfSeen, viewOfSession } from './observation.js';
import type { ReferenceModel } from './reference-model.js';
import { find as findInModel, issue, proofOf, update as updateInModel, type Issue } from './reference-requests.js';
import type { Given, Names, Steps } from './reference-session.js';
import { bearerOf, forgedBearer } from './system.js';

/** A request with a token, which may be an old one. It stays open: later operations go on from what it has found. */
export function find(node: NodeChoice, index: number): Operation {
  return {
    name: `find(${index})`,
    start: (run) => {
      const { journal } = run;
      const token = pick(journal.tokens, index);
      if (token === undefined) return undefined;
      let found: Session | undefined;
      return started(
        nodeOf(run, node).lifecycle.find(bearerOf(token)),
        (session) => {
          if (session === undefined) return undefined;
          found = session;
          journal.opened(session);
          return viewOfSession(session);
        },
        function* (model): Steps<object | undefined> {
          const seen = yield* findInModel(model, token);
          if (seen === undefined) return undefined;
          if (found !== undefined) model.seen.set(found, seen);
          return viewOfSeen(seen);
        },
      );
    },
  };
}

/** A token that somebody made up, of a handle that is known: it finds nothing and ends nothing. */
export function forge(node: NodeChoice, index: number): Operation {
  return {
    name: `forge(${index})`,
    start: (run) => {
      const token = pick(run.journal.allTokens, index);
      if (token === undefined) return undefined;
      const { lifecycle } = nodeOf(run, node);
      const forged = forgedBearer(token);
      const attempts = Promise.all([lifecycle.find(forged), lifecycle.destroy(forged)]);
      return started(
        attempts,
        (answers) => answers,
        () => [undefined, false],
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
    (run, request) =>
      started(nodeOf(run, node).lifecycle.update(request, patch), Boolean, (model) => {
        updateInModel(model, model.seen.get(request)!, patch);
        return false;
      }),
  );
}

/** Gives the session of an open request a new token. @param grace undefined: the configured one */
export function rotate(node: NodeChoice, index: number, grace: number | undefined): Operation {
  return onRequest('rotate', index, `grace ${grace}`, (run, request) =>
    startIssue(run, request, nodeOf(run, node).lifecycle.rotate(request, { grace }), () => ({
      how: grace === 0 ? 'replace' : 'hand-over',
      reason: 'requested',
      grace,
    })),
  );
}

/** The user of an open request logs in again, or proves again who they are. */
export function proveAgain(node: NodeChoice, index: number, how: 'login' | 'reauthentication', ip: string): Operation {
  return onRequest(how === 'login' ? 'renew' : 'reauthenticated', index, ip, (run, request) => {
    const { userId } = request;
    if (userId === undefined) return undefined;
    const user = run.system.account(userId);
    const { lifecycle } = nodeOf(run, node);
    const proof = { user, authentication: 'password', client: { ip } } as const;
    return startIssue(
      run,
      request,
      how === 'login' ? lifecycle.renew(request, proof) : lifecycle.reauthenticated(request, proof),
      (model) => proofOf(model, model.seen.get(request)!, how, { user, ip }),
    );
  });
}

/** The user of an open request has proved a further factor. */
export function factorCompleted(node: NodeChoice, index: number, factor: string): Operation {
  return onRequest('factorCompleted', index, factor, (run, request) => {
    if (request.userId === undefined) return undefined;
    return startIssue(run, request, nodeOf(run, node).lifecycle.factorCompleted(request, factor), (model) => {
      const factors = { ...model.live(request.id)?.factors, [factor]: model.now };
      return { how: 'replace', reason: 'factor_completed', factor, changes: { factors } };
    });
  });
}

/** Logs out by a token, which may be an old one. */
export function destroy(node: NodeChoice, index: number): Operation {
  return {
    name: `destroy(${index})`,
    start: (run) => {
      const token = pick(run.journal.tokens, index);
      if (token === undefined) return undefined;
      const answer = nodeOf(run, node).lifecycle.destroy(bearerOf(token));
      return started(answer, Boolean, (model) => model.end(token.slice(2, 22), 'logout'));
    },
  };
}

/** Ends the session of an open request. */
export function destroySession(node: NodeChoice, index: number, reason: SessionEndReason): Operation {
  return onRequest('destroySession', index, reason, (run, request) => {
    const answer = nodeOf(run, node).lifecycle.destroySession(request, reason);
    return started(answer, Boolean, (model) => model.end(request.id, reason));
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
      const request = run.journal.takeRequest(index);
      return request && start(run, request);
    },
  };
}

/** An open request's session gets a new token. */
function startIssue(
  run: Run,
  request: Session,
  answer: Promise<IssuedSession | undefined>,
  how: (model: ReferenceModel) => Issue,
): ReturnType<Operation['start']> {
  return started(
    answer,
    (issued) => issued && noteIssued(run, withoutHmac(issued)),
    (model, actual: Names | undefined) => {
      const given = issue(model, model.seen.get(request)!, actual?.token, how(model));
      if (given === undefined) return undefined;
      model.seen.set(request, given.seen);
      return viewOfGiven(given);
    },
  );
}

/** Takes note of a token that goes to the client of an open request. */
export function noteIssued({ journal }: Run, issued: IssuedSession) {
  journal.issued(issued);
  return viewOfIssued(issued);
}

/** What an issued session looks like by the model. */
export function viewOfGiven({ token, seen }: Given) {
  return { token, id: seen.session.id, session: { ...viewOfSeen(seen), data: undefined } };
}
