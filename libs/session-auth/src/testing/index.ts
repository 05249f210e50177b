export { loginThrottleStoreContract, type LoginThrottleStoreUnderTest } from './login-throttle-store-contract.js';
export { sessionLinkContract } from './session-link-contract.js';
export { sessionStoreContract } from './session-store-contract.js';
export type { MakeSessionStore, SessionStoreUnderTest } from './session-store/backend.js';
export {
  rememberMeTokenStoreContract,
  type RememberMeTokenStoreUnderTest,
} from './remember-me-token-store-contract.js';
export { signInAs, type SignedIn, type SignInAsOptions } from './sign-in-as.js';
