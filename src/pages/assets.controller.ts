import { Controller } from '@nestjs/common';
import { Public } from 'nestjs-session-auth';
import { ACCOUNT_SCRIPT, ACCOUNT_SCRIPT_PATH } from './account-script.js';
import { Asset } from './asset.js';
import { STYLESHEET, STYLESHEET_PATH } from './stylesheet.js';

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0f6b55"/>' +
  '<path d="M16 6 5 12v2h22v-2zM8 16v7h3v-7zm6.5 0v7h3v-7zM21 16v7h3v-7zM6 24.5V27h20v-2.5z" fill="#fff"/></svg>';

/** What the pages load. Nothing of it depends on who asks. */
@Public()
@Controller()
export class AssetsController {
  @Asset(STYLESHEET_PATH, 'text/css; charset=utf-8')
  stylesheet(): string {
    return STYLESHEET;
  }

  @Asset(ACCOUNT_SCRIPT_PATH, 'text/javascript; charset=utf-8')
  accountScript(): string {
    return ACCOUNT_SCRIPT;
  }

  @Asset('assets/bank.svg', 'image/svg+xml', 'public, max-age=86400')
  icon(): string {
    return ICON;
  }
}
