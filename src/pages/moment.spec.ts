import { describe, expect, it } from '@jest/globals';
import { ago, moment } from './moment.js';

const NOW = Date.UTC(2030, 0, 2, 12);
const SECOND = 1000;
const HOUR = 3600 * SECOND;

describe('ago', () => {
  it.each([
    [-5 * SECOND, 'just now'],
    [59 * SECOND, 'just now'],
    [60 * SECOND, '1 minute ago'],
    [119 * SECOND, '1 minute ago'],
    [HOUR, '1 hour ago'],
    [23.9 * HOUR, '23 hours ago'],
    [24 * HOUR, '1 day ago'],
    [50 * HOUR, '2 days ago'],
  ])('says of %d milliseconds: %s', (age, words) => {
    expect(ago(new Date(NOW - age), NOW)).toBe(words);
  });
});

describe('moment', () => {
  it('holds the exact time as well', () => {
    expect(moment(new Date(NOW - HOUR), NOW).text).toBe(
      '<time datetime="2030-01-02T11:00:00.000Z" title="Wed, 02 Jan 2030 11:00:00 GMT">1 hour ago</time>',
    );
  });
});
