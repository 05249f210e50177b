import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { KeyRing } from '../crypto/key-ring.js';
import { SessionAuthError } from '../errors/session-auth.error.js';

/** A session at an identity provider, as the provider names it. */
export interface UpstreamSession {
  /** Its id: `sid` in OpenID Connect, `SessionIndex` in SAML. Only a keyed digest of it is stored. */
  readonly sid: string;
  /**
   * The issuer of the id: `iss` in OpenID Connect. Needed with several providers. Give the same value at login and
   * logout.
   */
  readonly issuer?: string;
}

/** Characters of a digest: 132 bits. */
const DIGEST_LENGTH = 22;

/**
 * Makes keyed digests of identity providers' sessions, so that the store does not reveal which provider session belongs
 * to a session here. The first key makes new digests; all keys recognise old ones.
 */
@Injectable()
export class UpstreamDigests {
  readonly #keys: readonly Buffer[];

  constructor(keys: KeyRing) {
    this.#keys = keys.deriveKeys('upstream');
  }

  /**
   * Returns the stored digest of a provider's session.
   *
   * @throws SessionAuthError `invalid_configuration` for an invalid id
   */
  of(upstream: UpstreamSession): string {
    return digestUnder(this.#keys[0]!, upstream);
  }

  /**
   * Returns all digests that may be stored for it, one for each key.
   *
   * @throws SessionAuthError `invalid_configuration` for an invalid id
   */
  allOf(upstream: UpstreamSession): readonly string[] {
    return this.#keys.map((key) => digestUnder(key, upstream));
  }
}

function digestUnder(key: Buffer, { sid, issuer }: UpstreamSession): string {
  // otherwise all sessions without an id would count as the same one
  if (!isName(sid) || (issuer !== undefined && !isName(issuer))) {
    throw new SessionAuthError(
      'invalid_configuration',
      'an upstream session needs the string sid, and issuer must be a string if given',
    );
  }
  const text = JSON.stringify(issuer === undefined ? [sid] : [sid, issuer]);
  return createHmac('sha256', key).update(text).digest('base64url').slice(0, DIGEST_LENGTH);
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
