import { text, type FieldRules } from './dto.pipe.js';

/** The body of `POST reauthenticate`. */
export interface ReauthenticateDto {
  readonly password: string;
}

export const REAUTHENTICATE_RULES: FieldRules<ReauthenticateDto> = { password: text(1024) };
