import { IsEmail, MaxLength } from 'class-validator';

/** The body of `POST /api/settings/email`. */
export class ChangeEmailDto {
  @IsEmail()
  @MaxLength(254)
  email!: string;
}
