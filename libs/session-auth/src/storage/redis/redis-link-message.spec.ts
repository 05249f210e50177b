import { describe, expect, it } from '@jest/globals';
import { probeMessage, signalsOf } from './redis-link-message.js';

describe('a message of the link', () => {
  const [one, two] = ['A'.repeat(20), 'B'.repeat(20)];

  it('is a signal for each session that it names', () => {
    expect(signalsOf(`["ended","logout","${one} ${two}","alice"]`, 'staff')).toEqual(
      [one, two].map((id) => ({ type: 'ended', realm: 'staff', id, userId: 'alice', reason: 'logout' })),
    );
    expect(signalsOf(`["changed",null,"${one}",null]`, 'default')).toEqual([
      { type: 'changed', realm: 'default', id: one },
    ]);
  });

  it.each([
    ['a probe', probeMessage('any')],
    ['a kind of a later version', `["updated",null,"${one}",null]`],
    ['what is no list', '{"ended":true}'],
    ['what is no JSON', 'ended'],
    ['nothing', ''],
  ])('that is %s is none', (_what, message) => {
    expect(signalsOf(message, 'default')).toEqual([]);
  });
});
