import { IsString, MaxLength, MinLength } from 'class-validator';

/** The body of `POST reauthenticate`. */
export class ReauthenticateDto {
  @IsString()
  @MinLength(1)
  @MaxLength(1024)
  password!: string;
}
