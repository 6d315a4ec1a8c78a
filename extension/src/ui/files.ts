// What the commands need of files, as an interface: a place is chosen by the user or named by an argument, and a text
// goes there or comes from there. Which file system that is, `vscodeFiles.ts` knows.

/** A file's place, as one text that `Files` alone understands. */
export type Place = string;

export type Files = {
  /** Undefined when the user lets go. */
  askSave(title: string, name: string): Promise<Place | undefined>;
  askOpen(title: string, kind: "backup" | "any"): Promise<Place | undefined>;
  /** The place of an absolute path. */
  at(path: string): Place;
  /** How the place is shown. */
  shown(place: Place): string;
  /** The file is readable by its owner alone, where the file system knows owners. */
  write(place: Place, text: string): Promise<void>;
  /** Rejects for a file of more than `most` bytes, unread. */
  read(place: Place, most: number): Promise<string>;
};
