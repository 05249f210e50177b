import { IsString, Length } from 'class-validator';

/** What staff write down while they are signed in. */
export class NoteDto {
  @IsString()
  @Length(1, 200)
  note!: string;
}
