import { RateLimiterMemory } from 'rate-limiter-flexible';
import { LoginThrottleStore, type FailureCounter } from '../../throttle/login-throttle-store.js';

/** Counts failed logins in this process's memory: each node of an application for itself. */
export class MemoryLoginThrottleStore extends LoginThrottleStore {
  override counter(name: string, seconds: number): FailureCounter {
    return new RateLimiterMemory({ keyPrefix: name, points: 1, duration: seconds });
  }
}
