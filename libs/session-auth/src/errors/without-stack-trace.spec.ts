import { describe, expect, it } from '@jest/globals';
import { withoutStackTrace } from './without-stack-trace.js';

const framesOf = ({ stack }: Error): number => stack!.split('\n').filter((line) => line.includes(' at ')).length;

describe('withoutStackTrace', () => {
  it('answers what was run, whose errors name no place', () => {
    expect(framesOf(new Error('as usual'))).toBeGreaterThan(0);
    expect(framesOf(withoutStackTrace(() => new Error('quick')))).toBe(0);
    expect(withoutStackTrace(() => 5)).toBe(5);
  });

  it('leaves the limit of everybody else as it was, also when it throws', () => {
    const before = Error.stackTraceLimit;
    let thrown: Error | undefined;
    try {
      withoutStackTrace(() => {
        throw new Error('quick');
      });
    } catch (error) {
      thrown = error as Error;
    }
    expect(framesOf(thrown!)).toBe(0);
    expect(Error.stackTraceLimit).toBe(before);
    expect(framesOf(new Error('as usual'))).toBeGreaterThan(0);
  });
});
