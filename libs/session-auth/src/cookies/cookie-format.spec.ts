import { describe, expect, it } from '@jest/globals';
import { cookieAttributes } from '../../test/fixtures/cookie-attributes.js';
import { markOfUser } from '../crypto/session-token.js';
import { KeyRing } from '../crypto/key-ring.js';
import { DeviceCookie } from './device-cookie.js';
import { PreSessionCookie } from './pre-session-cookie.js';
import { RememberMeCookie } from './remember-me-cookie.js';
import { SessionCookie } from './session-cookie.js';

const NOW = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;
const TOKEN = `aa${'i'.repeat(20)}${'t'.repeat(43)}`;
const REMEMBERED = `${'s'.repeat(24)}:${'v'.repeat(43)}`;
const KEYS = new KeyRing(['a secret that everybody may know, for tests']);
const ATTRIBUTES = cookieAttributes();

/** Sealed once and kept here: if an update cannot read them, everybody is signed out. */
const OF_BEFORE = {
  session:
    '__Host-session=ATvg93qyZPNgGk4gAn4Mn5IA8CDaGliVm5G4T0tyQniTLSZ3e2HONVfDsgrFynCYgSWMbbotOhWYthQBlE1z4N6CJ8UL97GGi0KHu-g4WfhYpivHmRLEG54kj332SlpTbRegMGUvKlEvdiaoh3WVTo1eEQlbrmXe3JElVYvT4ZikdQ',
  device:
    '__Host-session-device=ATvg93qmkUBZtonVG6o6fPZu9bO7aNhwIMur23dbFOoJfos7raOx09prvbKKV97-0oirH0nI3xd7uLGhWHko4UQrF1cPZpM5-3OawmfRwu9C8GqMT2nGlrj-j-aGb_kJ3fuD-oc-HWjj601Gmrr6CYMDh4OpOPncvKNbX5owFV8-9ZBYUKY3zV9koVZTZMym7I15QqaowRIRKrK0_AHpyhyoYCZlAPGx73qhW8gDww',
  preSession:
    '__Host-session-csrf=ATvg93rdnMnPAUidszDKiz-eiw_-5grtiVx43F9YZ5B0cB85Nqbd7PrPOKH_D7kQCmfAg5RFFFQF701UoQWcMrSI3cb5JUW6dwyysjLcdA',
  remember:
    '__Host-session-remember=ATvg93ohUG8aQzMsPLgKkFTK4VdiYdiq4I1WchPMH4J-CNbN9YtP6wKUIlmwgX3X39J-augOAd65tk7dkMyNEPMOhBkY58kwghnCZTA_LxH2ShVr6j8MMswKlsY9P7fqWh8tZGpxyZJSaF5Xi8Y4cGzyCLnCzAa99AWNRy9tU75Ry7I',
};

describe('a cookie that was sealed before an update', () => {
  it('is read: a session', () => {
    const session = new SessionCookie(KEYS, { attributes: ATTRIBUTES, absolute: DAY, idle: DAY });
    expect(session.read(OF_BEFORE.session, NOW)).toMatchObject({ token: TOKEN, userMark: markOfUser('alice') });
    expect(session.find(OF_BEFORE.session, NOW)?.outdated).toBe(false);
    expect(session.read(OF_BEFORE.session, NOW + DAY)).toBeUndefined();
  });

  it('is read: a device', () => {
    const known = new DeviceCookie(KEYS, ATTRIBUTES, DAY).read(OF_BEFORE.device, NOW);
    expect([known?.id, known?.since('alice', NOW)]).toEqual(['oJHXo2sWPENqJLVoe8-IDg', NOW - 5]);
  });

  it('is read: the browser of a login form', () => {
    const id = Buffer.alloc(32, 'p').toString('base64url');
    expect(new PreSessionCookie(KEYS, ATTRIBUTES, DAY).read(OF_BEFORE.preSession, NOW)).toMatchObject({ id });
  });

  it('is read: a remembered user', () => {
    const remember = new RememberMeCookie(KEYS, ATTRIBUTES);
    expect(remember.read(OF_BEFORE.remember, NOW)).toMatchObject({ token: REMEMBERED, userMark: markOfUser('alice') });
    expect(remember.read(OF_BEFORE.remember, NOW + DAY)).toBeUndefined();
  });
});
