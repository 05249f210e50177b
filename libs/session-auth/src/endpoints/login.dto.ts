import { IsBoolean, IsOptional, IsString, MaxLength, MinLength } from 'class-validator';

/** The body of `POST login`. */
export class LoginDto {
  /** The account's login name; usually an e-mail address. At most 254 characters (RFC 5321 4.5.3.1). */
  @IsString()
  @MinLength(1)
  @MaxLength(254)
  email!: string;

  /** At most 72 bytes in UTF-8, which is bcrypt's limit. */
  @IsString()
  @MinLength(1)
  @MaxLength(1024)
  password!: string;

  /** Stay signed in on this device. */
  @IsOptional()
  @IsBoolean()
  rememberMe?: boolean;
}
