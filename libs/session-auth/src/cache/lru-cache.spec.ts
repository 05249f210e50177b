import { describe, expect, it } from '@jest/globals';
import { LruCache } from './lru-cache.js';

describe('LruCache', () => {
  it('knows the last texts, and forgets those of long ago', () => {
    const known = new LruCache<number>(3, 10);
    for (let i = 0; i < 9; i++) known.set(`text ${i}`, i);
    expect([6, 7, 8].map((i) => known.get(`text ${i}`))).toEqual([6, 7, 8]);
    expect([0, 1, 2].map((i) => known.get(`text ${i}`))).toEqual([undefined, undefined, undefined]);
  });

  it('forgets the first text once twice its size has come behind it, and not before', () => {
    const fill = (count: number): LruCache<number> => {
      const known = new LruCache<number>(3, 10);
      for (let i = 0; i < count; i++) known.set(`text ${i}`, i);
      return known;
    };
    expect(fill(6).get('text 0')).toBe(0);
    expect(fill(7).get('text 0')).toBeUndefined();
  });

  it('forgets nothing for what is asked for in vain', () => {
    const known = new LruCache<number>(3, 10);
    known.set('kept', 1);
    for (let i = 0; i < 10; i++) expect(known.get(`text ${i}`)).toBeUndefined();
    expect(known.get('kept')).toBe(1);
  });

  it('keeps what is asked for again and again', () => {
    const known = new LruCache<string>(3, 10);
    known.set('kept', 'value');
    for (let i = 0; i < 100; i++) {
      known.set(`text ${i}`, 'other');
      expect(known.get('kept')).toBe('value');
    }
  });

  it('holds no more than twice its size, and nothing that is too long', () => {
    const known = new LruCache<number>(5, 10);
    for (let i = 0; i < 1000; i++) known.set(`text ${i}`, i);
    const held = Array.from({ length: 1000 }, (_, i) => known.get(`text ${i}`)).filter((value) => value !== undefined);
    expect(held.length).toBeLessThanOrEqual(10);
    known.set('tencharact', 1);
    expect(known.get('tencharact')).toBe(1);
    known.set('elevenchars', 1);
    expect(known.get('elevenchars')).toBeUndefined();
  });

  it('tells texts apart that differ beyond Latin-1 only', () => {
    const known = new LruCache<number>(5, 10);
    known.set('\u0101', 1);
    expect(known.get('\u0001')).toBeUndefined();
    expect(known.get('\u0101')).toBe(1);
  });

  it('works a text out once, and again when it has been forgotten', () => {
    const known = new LruCache<string>(2, 10);
    const worked: string[] = [];
    const make = (text: string): string => {
      worked.push(text);
      return text.toUpperCase();
    };
    expect([known.of('a', make), known.of('a', make)]).toEqual(['A', 'A']);
    for (const other of ['b', 'c', 'd', 'e', 'f']) known.of(other, make);
    expect(known.of('a', make)).toBe('A');
    expect(worked).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'a']);
  });
});
