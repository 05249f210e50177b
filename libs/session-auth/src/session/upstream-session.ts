import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { KeyRing } from '../crypto/key-ring.js';
import { SessionAuthError } from '../errors/session-auth.error.js';

/** A session at an identity provider, as the provider names it. */
export interface UpstreamSession {
  /** Its id: OpenID Connect's `sid`, SAML's `SessionIndex`. Never stored, but for a keyed digest. */
  readonly sid: string;
  /** Whose id that is, OpenID Connect's `iss`: where there are several providers. The same at login and logout. */
  readonly issuer?: string;
}

/** Characters of a digest: 132 bits. */
const DIGEST_LENGTH = 22;

/**
 * Names identity providers' sessions by keyed digests, so that what is stored tells nobody which session there a
 * session here belongs to, whatever ids the provider gives. The first key names, all of them recognise.
 */
@Injectable()
export class UpstreamDigests {
  readonly #keys: readonly Buffer[];

  constructor(keys: KeyRing) {
    this.#keys = keys.deriveKeys('upstream');
  }

  /**
   * What is stored of a provider's session.
   *
   * @throws SessionAuthError `invalid_configuration` for what is no id
   */
  of(upstream: UpstreamSession): string {
    return digestUnder(this.#keys[0]!, upstream);
  }

  /**
   * Whatever may be stored of it.
   *
   * @throws SessionAuthError `invalid_configuration` for what is no id
   */
  allOf(upstream: UpstreamSession): readonly string[] {
    return this.#keys.map((key) => digestUnder(key, upstream));
  }
}

function digestUnder(key: Buffer, { sid, issuer }: UpstreamSession): string {
  // of many sessions that lack an id, one would be taken for the other
  if (!isName(sid) || (issuer !== undefined && !isName(issuer))) {
    throw new SessionAuthError('invalid_configuration', 'an upstream session has a sid, and an issuer or none: texts');
  }
  const text = JSON.stringify(issuer === undefined ? [sid] : [sid, issuer]);
  return createHmac('sha256', key).update(text).digest('base64url').slice(0, DIGEST_LENGTH);
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
