/** For `app.enableCors`: what a page from another origin sends and reads. */
export const CORS = {
  origin: ['https://app.example'],
  credentials: true,
  allowedHeaders: ['Content-Type', 'X-CSRF-Token', 'X-Session-Passive'],
  exposedHeaders: ['Retry-After'],
};
