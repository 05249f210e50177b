import { SessionAuthError, type Admission, type IssuedSession } from 'nestjs-session-auth';
import { pick } from './journal.js';
import { nodeOf, started, type NodeChoice, type Operation } from './operation.js';
import { viewOfSeen, viewOfSession } from './observation.js';
import { issue } from './reference-requests.js';
import { Refused, type Names } from './reference-session.js';
import { noteIssued, viewOfGiven } from './session-operations.js';

/** Ends a session from the list, by its handle: one's own or somebody else's. */
export function revoke(node: NodeChoice, userId: string, index: number): Operation {
  return {
    name: `revoke(${userId}, ${index})`,
    start: (run) => {
      const id = pick(run.journal.handles, index);
      if (id === undefined) return undefined;
      const answer = nodeOf(run, node).lifecycle.revoke(userId, id);
      return started(answer, Boolean, (model) => model.revoke(userId, id, 'revoked'));
    },
  };
}

/** Logs out everywhere. @param keep index of the handle of the session that stays; undefined: none */
export function revokeAll(node: NodeChoice, userId: string, keep: number | undefined): Operation {
  return {
    name: keep === undefined ? `revokeAll(${userId})` : `revokeOthers(${userId}, ${keep})`,
    start: (run) => {
      const { lifecycle } = nodeOf(run, node);
      const id = keep === undefined ? undefined : (pick(run.journal.handles, keep) ?? 'none');
      const answer = id === undefined ? lifecycle.revokeAll(userId) : lifecycle.revokeOthers(userId, id);
      return started(answer, Number, (model) => model.revokeAll(userId, 'revoked', id));
    },
  };
}

/**
 * The user's password has changed: devices and other sessions end, that of the open request gets a new token. If
 * another request has taken that meanwhile, it ends as well. Step by step as over HTTP, in the order in which it has to
 * be.
 */
export function credentialsChanged(node: NodeChoice, index: number): Operation {
  return {
    name: `credentialsChanged(${index})`,
    start: (run) => {
      const request = run.journal.takeRequest(index, ({ userId }) => userId !== undefined);
      if (request === undefined) return undefined;
      const { id } = request;
      const userId = request.userId!;
      const { lifecycle, rotation, rememberMe } = nodeOf(run, node);
      const reason = 'credentials_changed';
      const change = async (): Promise<{ issued: IssuedSession; revoked: number }> => {
        await rememberMe.revokeAll(userId);
        const issued = await rotation.credentialsChanged(request);
        const revoked = await lifecycle.revokeOthers(userId, id, reason);
        if (issued !== undefined) return { issued, revoked };
        await lifecycle.revoke(userId, id, reason);
        throw new SessionAuthError('session_required', 'another request replaced the session');
      };
      return started(
        change(),
        ({ issued, revoked }) => ({ ...noteIssued(run, issued), revoked }),
        (model, actual: Names | undefined) => {
          model.devices.forgetAll(userId, undefined, model.now);
          const given = issue(model, model.seen.get(request)!, actual?.token, { how: 'prove', reason });
          const revoked = model.revokeAll(userId, reason, id);
          if (given === undefined) {
            model.revoke(userId, id, reason);
            throw Refused.with('session_required');
          }
          model.seen.set(request, given.seen);
          return { ...viewOfGiven(given), revoked };
        },
      );
    },
  };
}

/** Changes a user's account and tells the sessions of it. */
export function updateUser(
  node: NodeChoice,
  userId: string,
  changes: { readonly roles?: readonly string[]; readonly email?: string },
): Operation {
  return {
    name: `updateUser(${userId}, ${JSON.stringify(changes)})`,
    start: (run) => {
      const { system } = run;
      system.accounts.set(userId, { ...system.account(userId), ...changes });
      const answer = nodeOf(run, node).lifecycle.updateUser(userId, changes);
      return started(answer, Number, (model) => model.updateUser(userId, changes));
    },
  };
}

/** The limit function answers something else from now on. */
export function changeLimit(userId: string, admission: Admission): Operation {
  return {
    name: `changeLimit(${userId}, ${admission.max} ${admission.onLimit})`,
    start: ({ system }) => {
      system.limits.set(userId, admission);
      return started(Promise.resolve(), Boolean, () => false);
    },
  };
}

/** Ends what is over the limit. */
export function enforce(node: NodeChoice, userId: string): Operation {
  return {
    name: `enforce(${userId})`,
    start: (run) => {
      const admission = run.system.limitOf(userId);
      const answer = nodeOf(run, node).concurrent.enforce({ id: userId });
      return started(answer, Number, (model) => model.enforce(userId, admission));
    },
  };
}

/** Reads the list of sessions page by page. */
export function list(node: NodeChoice, userId: string, limit: number): Operation {
  return {
    name: `list(${userId}, by ${limit})`,
    start: (run) => {
      const { lifecycle } = nodeOf(run, node);
      const read = async (): Promise<object[]> => {
        const seen: object[] = [];
        let cursor: string | undefined;
        do {
          const page = await lifecycle.list(userId, { limit, cursor });
          if (page.sessions.length > limit) throw new Error(`a page of ${limit} has ${page.sessions.length}`);
          if (page.next !== undefined && page.sessions.length < limit) throw new Error('a page is cut short');
          seen.push(...page.sessions.map(viewOfSession));
          cursor = page.next;
        } while (cursor !== undefined);
        return seen;
      };
      return started(
        read(),
        (seen) => seen,
        (model) => {
          model.fade(userId);
          return model
            .list(userId)
            .map((session) => viewOfSeen({ session, token: session.tokens.present.token, roles: session.roles }));
        },
      );
    },
  };
}

/** Removes what has expired. */
export function sweep(node: NodeChoice, limit: number): Operation {
  return {
    name: `sweep(${limit})`,
    start: (run) => {
      const { sessions, tokens } = nodeOf(run, node).stores;
      const { now } = run.model;
      const expiredDevices = run.model.devices.all.filter((device) => device.expiresAt <= now).length;
      const sweeping = async (): Promise<string[]> => {
        const removedDevices = await tokens.deleteExpired(now, 1000);
        if (removedDevices > expiredDevices) {
          throw new Error(`the sweep removed ${removedDevices} devices of which ${expiredDevices} have expired`);
        }
        return (await sessions.deleteExpired(now, limit)).map(({ id }) => id);
      };
      return started(
        sweeping(),
        (removed) => removed,
        (model, removed: readonly string[]) => {
          model.devices.sweep(now);
          model.sweep(removed, limit, run.system.backend.expiresByItself);
          return removed;
        },
      );
    },
  };
}

/** A node loses all that it had in memory. Its open requests are lost as well. */
export function crash(node: NodeChoice): Operation {
  return {
    name: `crash(${node})`,
    start: ({ system, journal }) => {
      system.crash(node);
      journal.requests.length = 0;
      return started(Promise.resolve(), Boolean, () => false);
    },
  };
}

/** Time passes: some ticks, or up to the moment before, at or after something is due. */
export function wait(
  how: { readonly ticks: number } | { readonly due: number; readonly offset: -1 | 0 | 1 },
): Operation {
  return {
    name: `wait(${JSON.stringify(how)})`,
    start: ({ system, model }) => {
      const { tick } = system.backend;
      const { clock } = system;
      let to = clock.time;
      if ('ticks' in how) to += how.ticks * tick;
      else {
        const { touchInterval, rotationGrace, rotateEvery = Infinity } = model.settings;
        const moments = [
          ...model.sessions.flatMap((each) => [
            each.expiresAt,
            each.absoluteExpiresAt,
            each.lastActivityAt + touchInterval,
            each.createdAt + rotationGrace,
            each.rotatedAt + rotateEvery,
            ...each.tokens.all.flatMap(({ issuedAt, until }) => [issuedAt + rotationGrace, until]),
          ]),
          ...model.devices.all.flatMap(({ expiresAt, handedOut, inFlight }) => [
            expiresAt,
            (handedOut?.at ?? NaN) + model.settings.rememberMe.reuseGrace,
            ...inFlight.map(({ until }) => until),
          ]),
        ].filter(Number.isFinite);
        const ahead = [...new Set(moments.map((at) => at + how.offset * tick))].filter((at) => at > clock.time);
        to = pick(ahead, how.due) ?? to;
      }
      clock.time = to;
      return started(Promise.resolve(), Boolean, (now) => {
        now.now = to;
        return false;
      });
    },
  };
}
